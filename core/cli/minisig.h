/* SPDX-License-Identifier: Apache-2.0 */
/* The text of minisign's public keys and detached signatures, read and not judged. The format is
 * that of its manual: a comment, then base64 of an algorithm, the key's id and the bytes; in a
 * signature a trusted comment follows, and a second signature over the first and that comment.
 * Foreign bytes: bounded, strict, never shown. Pure; any thread. */
#ifndef CLI_MINISIG_H
#define CLI_MINISIG_H

#include "text.h"

#include <stdint.h>

#define CLI_MINISIG_TEXT_MAX ((size_t)64 * 1024)
#define CLI_MINISIG_KEY_BYTES 32
#define CLI_MINISIG_BYTES 64

struct cli_minisig_key {
    uint64_t id;
    uint8_t bytes[CLI_MINISIG_KEY_BYTES]; /* Ed25519 */
};

struct cli_minisig {
    bool is_prehashed; /* "ED": over the BLAKE2b-512 of the file; else "Ed": over the file */
    uint64_t key_id;
    uint8_t bytes[CLI_MINISIG_BYTES];
    uint8_t comment_bytes[CLI_MINISIG_BYTES]; /* over `bytes` and the trusted comment */
    const char *comment;                      /* trusted; borrowed from the text */
    size_t comment_size;
};

/* A public key: its line of base64 alone, or the text of a .pub file. Fails with INVALID. */
int32_t cli_minisig_key_parse(const char *text, size_t size, struct cli_minisig_key *out,
                              struct flame_error *err) CLI_MUST_USE;

/* The text of a .minisig file, which must live as long as `out`. Fails with INVALID, saying what is
 * malformed. */
int32_t cli_minisig_parse(const char *text, size_t size, struct cli_minisig *out,
                          struct flame_error *err) CLI_MUST_USE;

#endif
