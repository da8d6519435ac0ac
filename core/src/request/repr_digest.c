/* SPDX-License-Identifier: Apache-2.0 */
#include "request/repr_digest.h"

#include <nettle/base64.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Each skip_...() moves `*at` over one thing of the grammar, or says that it is not there. */

static bool skip_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

static bool skip_key(const char **at)
{
    size_t length = strspn(*at, LOWER DIGITS "_-.*");

    if (length == 0 || !strchr(LOWER "*", **at))
        return false;
    *at += length;
    return true;
}

/* An integer has up to 15 digits, a decimal up to 12 and up to 3. */
static bool skip_number(const char **at)
{
    size_t whole;
    size_t fraction;

    (void)skip_char(at, '-');
    whole = strspn(*at, DIGITS);
    *at += whole;
    if (!skip_char(at, '.'))
        return whole >= 1 && whole <= 15;
    fraction = strspn(*at, DIGITS);
    *at += fraction;
    return whole >= 1 && whole <= 12 && fraction >= 1 && fraction <= 3;
}

static bool skip_string(const char **at)
{
    if (!skip_char(at, '"'))
        return false;
    for (; **at >= ' ' && **at < 0x7f; (*at)++) {
        if (**at == '"')
            return skip_char(at, '"');
        if (**at == '\\' && *++*at != '"' && **at != '\\')
            return false;
    }
    return false;
}

static bool skip_bytes(const char **at)
{
    if (!skip_char(at, ':'))
        return false;
    *at += strspn(*at, LOWER UPPER DIGITS "+/=");
    return skip_char(at, ':');
}

static bool skip_boolean(const char **at)
{
    return skip_char(at, '?') && (skip_char(at, '0') || skip_char(at, '1'));
}

static bool skip_token(const char **at)
{
    size_t length = strspn(*at, LOWER UPPER DIGITS "!#$%&'*+-.^_`|~:/");

    if (length == 0 || !strchr(LOWER UPPER "*", **at))
        return false;
    *at += length;
    return true;
}

static bool skip_bare_item(const char **at)
{
    switch (**at) {
    case '"':
        return skip_string(at);
    case ':':
        return skip_bytes(at);
    case '?':
        return skip_boolean(at);
    case '-':
        return skip_number(at);
    default:
        return **at >= '0' && **at <= '9' ? skip_number(at) : skip_token(at);
    }
}

static bool skip_parameters(const char **at)
{
    while (skip_char(at, ';')) {
        *at += strspn(*at, " ");
        if (!skip_key(at) || (skip_char(at, '=') && !skip_bare_item(at)))
            return false;
    }
    return true;
}

static bool skip_inner_list(const char **at)
{
    if (!skip_char(at, '('))
        return false;
    for (;;) {
        size_t blanks = strspn(*at, " ");
        bool is_first = (*at)[-1] == '(';

        *at += blanks;
        if (skip_char(at, ')'))
            return true;
        if ((blanks == 0 && !is_first) || !skip_bare_item(at) || !skip_parameters(at))
            return false;
    }
}

static bool skip_value(const char **at)
{
    return **at == '(' ? skip_inner_list(at) : skip_bare_item(at);
}

/* ":<base64>:" of just the digest's size. */
static bool read_digest(const char *at, enum fl_digest_kind kind, struct fl_digest *out)
{
    size_t size = kind == FL_DIGEST_SHA256 ? SHA256_DIGEST_SIZE : SHA512_DIGEST_SIZE;
    size_t written = sizeof(out->bytes);
    struct base64_decode_ctx context;
    const char *end = at;

    /* nettle would pass over blanks; the grammar has none. */
    if (!skip_bytes(&end) || (size_t)(end - at) != BASE64_ENCODE_RAW_LENGTH(size) + 2)
        return false;
    base64_decode_init(&context);
    *out = (struct fl_digest){.kind = kind};
    return base64_decode_update(&context, &written, out->bytes, (size_t)(end - at) - 2, at + 1) &&
           written == size;
}

static enum fl_digest_kind kind_by_key(const char *key, size_t length)
{
    if (length != strlen("sha-256"))
        return FL_DIGEST_NONE;
    if (memcmp(key, "sha-256", length) == 0)
        return FL_DIGEST_SHA256;
    return memcmp(key, "sha-512", length) == 0 ? FL_DIGEST_SHA512 : FL_DIGEST_NONE;
}

static bool read_member(const char **at, struct fl_digest *found)
{
    const char *key = *at;
    enum fl_digest_kind kind;
    bool has_value;

    if (!skip_key(at))
        return false;
    kind = kind_by_key(key, (size_t)(*at - key));
    has_value = skip_char(at, '=');
    if (kind != FL_DIGEST_NONE && (!has_value || !read_digest(*at, kind, &found[kind])))
        return false;
    return (!has_value || skip_value(at)) && skip_parameters(at);
}

static bool read_dictionary(const char *at, struct fl_digest *found)
{
    at += strspn(at, " ");
    while (read_member(&at, found)) {
        skip_blanks(&at);
        if (*at == '\0')
            return true;
        if (!skip_char(&at, ','))
            return false;
        skip_blanks(&at);
    }
    return false;
}

bool fl_repr_digest_parse(const char *field, struct fl_digest *out)
{
    struct fl_digest found[FL_DIGEST_SHA512 + 1] = {0};

    if (!read_dictionary(field, found))
        return false;
    if (found[FL_DIGEST_SHA256].kind != FL_DIGEST_NONE)
        *out = found[FL_DIGEST_SHA256];
    else if (found[FL_DIGEST_SHA512].kind != FL_DIGEST_NONE)
        *out = found[FL_DIGEST_SHA512];
    else
        return false;
    return true;
}
