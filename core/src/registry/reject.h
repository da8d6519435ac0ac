/* SPDX-License-Identifier: Apache-2.0 */
/* Why a file in a plugin directory is not a plugin, or not one we take. The one table: the names
 * are what `flame-fetch plugins --why` prints and what docs/errors.md explains. */
#ifndef FL_REGISTRY_REJECT_H
#define FL_REGISTRY_REJECT_H

/* X(name, explanation) */
#define FL_REJECT_TABLE(X)                                                                         \
    X(OPEN, "cannot be opened")                                                                    \
    X(NOT_REGULAR, "not a regular file")                                                           \
    X(TOO_LARGE, "larger than any plugin")                                                         \
    X(TOO_MANY, "more files than a plugin directory may have")                                     \
    X(UNTRUSTED, "the file or a directory above it can be changed by others")                      \
    X(NOT_ELF, "not an elf file")                                                                  \
    X(TRUNCATED, "the elf file is cut short")                                                      \
    X(WRONG_ARCH, "for another machine or of another kind")                                        \
    X(REFUSED_FLAGS, "asks for an executable stack, text relocations or a relative search path")   \
    X(NOT_A_PLUGIN, "has no flame note")                                                           \
    X(BAD_NOTE, "its note is malformed")                                                           \
    X(ABI_MAJOR, "built for another major version of the abi")                                     \
    X(ABI_MINOR, "needs a newer host")                                                             \
    X(BAD_ID, "its id is malformed")                                                               \
    X(BAD_SCHEME, "one of its schemes is malformed, or there are none or too many")                \
    X(ALIAS, "the same file under another name")                                                   \
    X(SHADOWED, "an earlier plugin has the same id")                                               \
    X(DUP_SCHEME, "another plugin serves one of its schemes")                                      \
    X(BUILTIN_SCHEME, "a built-in scheme is replaced by a pin only")                               \
    X(DLOPEN, "the dynamic linker refuses it")                                                     \
    X(SWAPPED, "was replaced while it was loaded")                                                 \
    X(NO_ENTRY, "exports no entry function")                                                       \
    X(FOREIGN_ENTRY, "its entry function belongs to another library")                              \
    X(BAD_TABLE, "its table is malformed")                                                         \
    X(NOTE_MISMATCH, "its table and its note differ")                                              \
    X(INIT_FAILED, "could not be initialised")                                                     \
    X(REENTRANT, "asks for itself while it is being loaded")

enum fl_reject {
    FL_ACCEPTED = 0,
#define FL_ROW_(name, text) FL_REJECT_##name,
    FL_REJECT_TABLE(FL_ROW_)
#undef FL_ROW_
};

/* "NOT_ELF", ...; NULL for FL_ACCEPTED. */
const char *fl_reject_name(enum fl_reject reject);
/* The explanation of the table; "" for FL_ACCEPTED. */
const char *fl_reject_text(enum fl_reject reject);

#endif
