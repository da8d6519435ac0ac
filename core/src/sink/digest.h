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

/* Asked between the pieces of a long work: OK while it is wanted. */
struct fl_stop {
    int32_t (*wanted)(void *data);
    void *data;
};

/* The bytes [from, to) of a regular file. */
struct fl_file_part {
    int fd;
    uint64_t from;
    uint64_t to;
};

/* Feed a part of a file, read with pread(); less where the file ends before. `stop` may be NULL.
 * Fails with IO, NO_MEMORY, and with what `stop` said. */
int32_t fl_hash_file(struct fl_hash *hash, const struct fl_file_part *part,
                     const struct fl_stop *stop, struct flame_error *err) FL_CHECK;

/* Hash the whole of a regular file. Fails as fl_hash_file(). */
int32_t fl_digest_file(int fd, enum fl_digest_kind kind, const struct fl_stop *stop,
                       struct fl_digest *out, struct flame_error *err) FL_CHECK;

#endif
