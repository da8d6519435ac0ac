/* SPDX-License-Identifier: Apache-2.0 */
/* Checksum files: what sha256sum, sha512sum, shasum, openssl dgst and the BSDs write, and a file
 * that holds one digest and nothing else. Foreign bytes: bounded, never trusted to be text. What
 * cannot be understood is skipped, so that a newer line does not spoil the others; nothing is ever
 * guessed from it. Pure; any thread.
 *
 *   <hex>  name        <hex> *name        \<hex>  na\nme           GNU, the algorithm by the length
 *   SHA256 (name) = <hex>                 SHA2-256(name)= <hex>    BSD and openssl
 *   <hex>                                 <hex>  -                 alone in its file: no name
 *
 * Lines that begin with '#' and blank lines are comments; a line may end with CR LF. In a file with
 * a PGP clear-signed message (RFC 9580 7) only what is inside of it counts: what stands around it,
 * nobody signed. The signature itself is not checked here. */
#ifndef FL_REQUEST_SUMS_H
#define FL_REQUEST_SUMS_H

#include "sink/digest.h"

#define FL_SUMS_BYTES_MAX ((size_t)1 << 20)
#define FL_SUMS_LINE_MAX 8192 /* a longer line is skipped */

/* Find the digest of `name` in the `size` bytes of a checksum file. An entry with just that path
 * wins over entries whose last segment it is ("./dir/name"); sha512 wins over sha256. A digest that
 * is alone in its file is that of any name, every other entry only of its own.
 * Fails with NOT_FOUND (no sha256 or sha512 for `name`), INVALID (no line is a checksum; two
 * digests contradict each other), LIMIT (more than FL_SUMS_BYTES_MAX). */
int32_t fl_sums_find(const char *text, size_t size, const char *name, struct fl_digest *out,
                     struct flame_error *err) FL_CHECK;

#endif
