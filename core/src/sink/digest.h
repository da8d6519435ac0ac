/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: "sha256:<hex>" and "sha512:<hex>", computed by nettle (which uses SHA-NI). Values are
 * compared as bytes. No state; one thread at a time per hash. */
#ifndef FL_SINK_DIGEST_H
#define FL_SINK_DIGEST_H

#include "base/error.h"

#include <nettle/sha2.h>

#include <stdbool.h>

/* X(NAME, name, bytes) */
#define FL_DIGEST_TABLE(X)                                                                         \
    X(SHA256, "sha256", 32)                                                                        \
    X(SHA512, "sha512", 64)

enum fl_digest_kind {
    FL_DIGEST_NONE = 0,
#define FL_ROW_(macro, name, size) FL_DIGEST_##macro,
    FL_DIGEST_TABLE(FL_ROW_)
#undef FL_ROW_
};

#define FL_DIGEST_MAX 64
#define FL_DIGEST_TEXT_MAX 144 /* "sha512:" + 128 + NUL, rounded */

struct fl_digest {
    enum fl_digest_kind kind; /* NONE: no digest */
    uint8_t bytes[FL_DIGEST_MAX];
};

/* "sha256:<hex>" or "sha256=<hex>", hex in any case. Fails with INVALID, naming what is wrong. */
int32_t fl_digest_parse(const char *text, struct fl_digest *out, struct flame_error *err) FL_CHECK;
/* Write "sha256:<lower-case hex>" (FL_DIGEST_TEXT_MAX bytes). */
void fl_digest_format(const struct fl_digest *digest, char *out);
bool fl_digest_equal(const struct fl_digest *a, const struct fl_digest *b);

struct fl_hash {
    enum fl_digest_kind kind;
    union {
        struct sha256_ctx sha256;
        struct sha512_ctx sha512;
    } state;
};

void fl_hash_init(struct fl_hash *hash, enum fl_digest_kind kind);
void fl_hash_update(struct fl_hash *hash, const void *data, size_t size);
void fl_hash_final(struct fl_hash *hash, struct fl_digest *out);

/* Hash a regular file from its beginning with pread(), stopping when `stop(data)` is not OK.
 * Fails with IO, and with what `stop` said. `stop` may be NULL. */
int32_t fl_digest_file(int fd, enum fl_digest_kind kind, int32_t (*stop)(void *data), void *data,
                       struct fl_digest *out, struct flame_error *err) FL_CHECK;

#endif
