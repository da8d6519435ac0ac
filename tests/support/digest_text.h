/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of some bytes, as a task names it. */
#ifndef DIGEST_TEXT_H
#define DIGEST_TEXT_H

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DIGEST_TEXT_SIZE (sizeof("sha256:") + 2 * SHA256_DIGEST_SIZE)

static inline void digest_text(const char *bytes, size_t size, char text[DIGEST_TEXT_SIZE])
{
    struct sha256_ctx hash;
    uint8_t sum[SHA256_DIGEST_SIZE];
    char *at = text + sprintf(text, "sha256:");

    sha256_init(&hash);
    sha256_update(&hash, size, (const uint8_t *)bytes);
    sha256_digest(&hash, sizeof(sum), sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        at += sprintf(at, "%02x", sum[i]);
}

#endif
