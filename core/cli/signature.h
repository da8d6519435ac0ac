/* SPDX-License-Identifier: Apache-2.0 */
/* Is this file the one that the owner of a minisign key has signed? The mathematics are
 * libsodium's, which is loaded when it is needed first: linked, it would slow every start of the
 * command down.
 *
 * Nothing is believed before it is proven: first that the signature and its trusted comment are
 * the key's, then that the file is the one that was signed. Any thread; no state. */
#ifndef CLI_SIGNATURE_H
#define CLI_SIGNATURE_H

#include "minisig.h"

/* A signature of the old kind is over the file itself, which has to be in memory as a whole. */
#define CLI_SIGNATURE_LEGACY_MAX ((uint64_t)64 * 1024 * 1024)

struct cli_signed_file {
    int32_t fd;    /* borrowed; read from 0 with pread() */
    uint64_t size; /* bytes, all of which are read */
    const struct cli_minisig *signature;
    const struct cli_minisig_key *key;
    /* Asked between pieces; non-zero ends it (cli_signals_caught); or NULL. */
    int (*interrupted)(void);
};

/* Can signatures be checked here? To be asked before a long download. Fails with UNSUPPORTED. */
int32_t cli_signature_ready(struct flame_error *err) CLI_MUST_USE;

/* Check the file against its signature. `comment`, if not NULL, gets the trusted comment as
 * harmless text, the caller's to free. Fails with SIGNATURE (made by another key; not authentic; of
 * another file; a legacy signature of a file over CLI_SIGNATURE_LEGACY_MAX), UNSUPPORTED (no
 * libsodium), IO, CANCELLED, NO_MEMORY. */
int32_t cli_signature_verify(const struct cli_signed_file *file, char **comment,
                             struct flame_error *err) CLI_MUST_USE;

#endif
