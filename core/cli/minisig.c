/* SPDX-License-Identifier: Apache-2.0 */
#include "minisig.h"

#include <string.h>

#define UNTRUSTED "untrusted comment:"
#define TRUSTED "trusted comment: "

#define ALGORITHM_BYTES 2
#define ID_BYTES 8
#define HEAD_BYTES (ALGORITHM_BYTES + ID_BYTES)

struct span {
    const char *at;
    size_t size;
};

/* ---- base64 (RFC 4648 4), in just one spelling ----------------------------------------------- */

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = memchr(digits, c, sizeof(digits) - 1);

    return found ? (int)(found - digits) : -1;
}

static size_t base64_length(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* Is `text` the base64 of just `size` bytes? They are in `out` then. */
static bool decode(struct span text, uint8_t *out, size_t size)
{
    size_t padding = (3 - size % 3) % 3;
    uint32_t bits = 0;

    if (text.size != base64_length(size))
        return false;
    for (size_t i = 0; i < text.size - padding; i++) {
        int digit = digit_of(text.at[i]);

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            *out++ = (uint8_t)(bits >> (6 - i % 4 * 2));
    }
    for (size_t i = text.size - padding; i < text.size; i++)
        if (text.at[i] != '=')
            return false;
    return (bits & ((1u << (2 * padding)) - 1)) == 0; /* nothing hides behind the last byte */
}

static uint64_t id_of(const uint8_t *bytes)
{
    uint64_t id = 0;

    for (size_t i = ID_BYTES; i > 0; i--)
        id = id << 8 | bytes[i - 1];
    return id;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static struct span next_line(struct span *rest)
{
    const char *end = rest->size > 0 ? memchr(rest->at, '\n', rest->size) : NULL;
    size_t length = end ? (size_t)(end - rest->at) : rest->size;
    struct span line = {rest->at, length};

    rest->at += length + (end ? 1 : 0);
    rest->size -= length + (end ? 1 : 0);
    if (line.size > 0 && line.at[line.size - 1] == '\r')
        line.size--;
    return line;
}

static bool begins(struct span line, const char *word)
{
    return line.size >= strlen(word) && memcmp(line.at, word, strlen(word)) == 0;
}

static bool is_blank(struct span rest)
{
    for (size_t i = 0; i < rest.size; i++)
        if (!memchr(" \t\r\n", rest.at[i], 4))
            return false;
    return true;
}

static int32_t check_text(const char *what, struct span text, struct flame_error *err)
{
    if (text.size > CLI_MINISIG_TEXT_MAX)
        return cli_fail(err, FLAME_ERR_INVALID, "the %s is larger than 64 KiB", what);
    if (text.size > 0 && memchr(text.at, '\0', text.size))
        return cli_fail(err, FLAME_ERR_INVALID, "the %s is not a text", what);
    return FLAME_OK;
}

/* ---- the public key -------------------------------------------------------------------------- */

/* The text is not shown: by mistake it may be a secret key. */
static int32_t bad_key(const char *why, struct flame_error *err)
{
    return cli_fail(err, FLAME_ERR_INVALID, "the public key is not one of minisign: %s", why);
}

int32_t cli_minisig_key_parse(const char *text, size_t size, struct cli_minisig_key *out,
                              struct flame_error *err)
{
    uint8_t bytes[HEAD_BYTES + CLI_MINISIG_KEY_BYTES];
    struct span rest = {text, size};
    struct span line;
    int32_t status = check_text("public key", rest, err);

    if (status != FLAME_OK)
        return status;
    line = next_line(&rest);
    if (begins(line, UNTRUSTED))
        line = next_line(&rest);
    if (!decode(line, bytes, sizeof(bytes)))
        return bad_key("it is not a line of 56 letters in base64", err);
    if (memcmp(bytes, "Ed", ALGORITHM_BYTES) != 0)
        return bad_key("its algorithm is unknown", err);
    if (!is_blank(rest))
        return bad_key("something follows it", err);
    out->id = id_of(bytes + ALGORITHM_BYTES);
    memcpy(out->bytes, bytes + HEAD_BYTES, sizeof(out->bytes));
    return FLAME_OK;
}

/* ---- the signature --------------------------------------------------------------------------- */

static int32_t malformed(const char *why, struct flame_error *err)
{
    return cli_fail(err, FLAME_ERR_INVALID, "the signature is not one of minisign: %s", why);
}

static int32_t read_signature(struct span line, struct cli_minisig *out, struct flame_error *err)
{
    uint8_t bytes[HEAD_BYTES + CLI_MINISIG_BYTES];

    if (!decode(line, bytes, sizeof(bytes)))
        return malformed("its second line is not 100 letters in base64", err);
    if (bytes[0] != 'E' || (bytes[1] != 'd' && bytes[1] != 'D'))
        return malformed("its algorithm is unknown", err);
    out->is_prehashed = bytes[1] == 'D';
    out->key_id = id_of(bytes + ALGORITHM_BYTES);
    memcpy(out->bytes, bytes + HEAD_BYTES, sizeof(out->bytes));
    return FLAME_OK;
}

static int32_t read_comment(struct span line, struct cli_minisig *out, struct flame_error *err)
{
    if (!begins(line, TRUSTED))
        return malformed("its third line is not a trusted comment", err);
    out->comment = line.at + strlen(TRUSTED);
    out->comment_size = line.size - strlen(TRUSTED);
    return FLAME_OK;
}

int32_t cli_minisig_parse(const char *text, size_t size, struct cli_minisig *out,
                          struct flame_error *err)
{
    struct span rest = {text, size};
    struct cli_minisig found;
    int32_t status = check_text("signature", rest, err);

    if (status != FLAME_OK)
        return status;
    if (!begins(next_line(&rest), UNTRUSTED))
        return malformed("its first line is not an untrusted comment", err);
    status = read_signature(next_line(&rest), &found, err);
    if (status == FLAME_OK)
        status = read_comment(next_line(&rest), &found, err);
    if (status != FLAME_OK)
        return status;
    if (!decode(next_line(&rest), found.comment_bytes, sizeof(found.comment_bytes)))
        return malformed("its fourth line is not 88 letters in base64", err);
    if (!is_blank(rest))
        return malformed("something follows it", err);
    *out = found;
    return FLAME_OK;
}
