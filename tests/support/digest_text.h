/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of some bytes, as a task names it and as a Repr-Digest field does. */
#ifndef DIGEST_TEXT_H
#define DIGEST_TEXT_H

#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DIGEST_TEXT_SIZE (sizeof("sha256:") + 2 * SHA256_DIGEST_SIZE)

static inline void digest_of(const char *bytes, size_t size, uint8_t sum[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx hash;

    sha256_init(&hash);
    sha256_update(&hash, size, (const uint8_t *)bytes);
    sha256_digest(&hash, SHA256_DIGEST_SIZE, sum);
}

static inline void digest_text(const char *bytes, size_t size, char text[DIGEST_TEXT_SIZE])
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    char *at = text + sprintf(text, "sha256:");

    digest_of(bytes, size, sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        at += sprintf(at, "%02x", sum[i]);
}

static inline void repr_digest_text(const char *bytes, size_t size, char text[DIGEST_TEXT_SIZE])
{
    char encoded[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "";
    uint8_t sum[SHA256_DIGEST_SIZE];

    digest_of(bytes, size, sum);
    base64_encode_raw(encoded, sizeof(sum), sum);
    (void)sprintf(text, "sha-256=:%s:", encoded);
}

#endif
