/* SPDX-License-Identifier: Apache-2.0 */
/* The note in which a plugin says what it is, read without running it. Internal to the module;
 * pure, any thread. */
#ifndef FL_REGISTRY_NOTE_H
#define FL_REGISTRY_NOTE_H

#include "registry/refusal.h"

#include <stddef.h>
#include <stdint.h>

#define FL_NOTE_MAX 16384u /* bytes of text, the NUL among them */

/* Look at a file of `size` bytes: may dlopen() have it, and what does its note say?
 * *text: NUL-terminated, without another NUL, to be freed; NULL without memory (and FL_ACCEPTED).
 * Refuses with what fl_elf_open() and fl_elf_check_flags() do, NOT_A_PLUGIN (no note, whatever
 * else is wrong with its flags: private libraries may lie beside plugins), BAD_NOTE. */
enum fl_reject fl_note_read(int fd, uint64_t size, char **text,
                            struct fl_refusal *refusal) FL_CHECK;

#endif
