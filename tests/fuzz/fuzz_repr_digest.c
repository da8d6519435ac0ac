/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a Repr-Digest: what is found stands there as base64, another member or blanks around
 * it change nothing, and a field that was whole is broken by a comma at its end. */
#include "base/text.h"
#include "request/repr_digest.h"

#include <nettle/base64.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void stands_in_the_field(const struct fl_digest *digest, const char *field)
{
    bool is_sha256 = digest->kind == FL_DIGEST_SHA256;
    size_t size = is_sha256 ? SHA256_DIGEST_SIZE : SHA512_DIGEST_SIZE;
    char base64[BASE64_ENCODE_RAW_LENGTH(FL_DIGEST_MAX) + 1] = "";
    fl_auto_free char *item = NULL;

    require(is_sha256 || digest->kind == FL_DIGEST_SHA512);
    base64_encode_raw(base64, size, digest->bytes);
    item = fl_format("%s=:%s:", is_sha256 ? "sha-256" : "sha-512", base64);
    require(item && strstr(field, item));
}

/* `text` says `want`; NONE: nothing. */
static void says(char *text, const struct fl_digest *want)
{
    struct fl_digest digest = {0};

    require(text != NULL);
    require(fl_repr_digest_parse(text, &digest) == (want->kind != FL_DIGEST_NONE));
    require(memcmp(&digest, want, sizeof(digest)) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fl_digest none = {0};
    struct fl_digest digest = {0};
    char *field = strndup((const char *)data, size);

    require(field != NULL);
    if (fl_repr_digest_parse(field, &digest)) {
        stands_in_the_field(&digest, field);
        says(fl_format("%s, other=1;p", field), &digest);
        says(fl_format(" %s ", field), &digest);
        says(fl_format("%s,", field), &none);
        says(fl_format("%s<", field), &none);
    } else {
        require(memcmp(&digest, &none, sizeof(none)) == 0);
    }
    free(field);
    return 0;
}
