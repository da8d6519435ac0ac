/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a signature and as a public key of minisign: what is accepted is written in one way
 * only, apart from line ends and the untrusted comment, and it stands in the text. */
#include "minisig.h"

#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static uint8_t *put_head(uint8_t *out, char kind, uint64_t id)
{
    *out++ = 'E';
    *out++ = (uint8_t)kind;
    for (size_t i = 0; i < 8; i++)
        *out++ = (uint8_t)(id >> (8 * i));
    return out;
}

static void stands_in(const char *text, size_t size, const uint8_t *bytes, size_t count)
{
    char base64[BASE64_ENCODE_RAW_LENGTH(128)];

    base64_encode_raw(base64, count, bytes);
    require(memmem(text, size, base64, BASE64_ENCODE_RAW_LENGTH(count)) != NULL);
}

static void check_signature(const char *text, size_t size)
{
    uint8_t bytes[10 + CLI_MINISIG_BYTES];
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_minisig signature;

    if (cli_minisig_parse(text, size, &signature, &err) != FLAME_OK) {
        require(err.status == FLAME_ERR_INVALID && err.message[0]);
        return;
    }
    require(size <= CLI_MINISIG_TEXT_MAX && !memchr(text, '\0', size));
    memcpy(put_head(bytes, signature.is_prehashed ? 'D' : 'd', signature.key_id), signature.bytes,
           CLI_MINISIG_BYTES);
    stands_in(text, size, bytes, sizeof(bytes));
    stands_in(text, size, signature.comment_bytes, CLI_MINISIG_BYTES);
    require(signature.comment >= text && signature.comment_size <= size);
    require((size_t)(signature.comment - text) + signature.comment_size <= size);
    require(!memchr(signature.comment, '\n', signature.comment_size));
}

static void check_key(const char *text, size_t size)
{
    uint8_t bytes[10 + CLI_MINISIG_KEY_BYTES];
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_minisig_key key;

    if (cli_minisig_key_parse(text, size, &key, &err) != FLAME_OK) {
        require(err.status == FLAME_ERR_INVALID && err.message[0]);
        return;
    }
    require(size <= CLI_MINISIG_TEXT_MAX && !memchr(text, '\0', size));
    memcpy(put_head(bytes, 'd', key.id), key.bytes, CLI_MINISIG_KEY_BYTES);
    stands_in(text, size, bytes, sizeof(bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_signature((const char *)data, size);
    check_key((const char *)data, size);
    return 0;
}
