/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode the escape at `text`; -1 = there is none, or it names a byte that no file name has. An
 * escaped slash would make another path of what the URL says is one name. */
static int escaped_byte(const char *text)
{
    int high = hex_digit(text[1]);
    int low = high < 0 ? -1 : hex_digit(text[2]);
    int byte = low < 0 ? 0 : high * 16 + low;

    return byte == 0 || byte == '/' ? -1 : byte;
}

/* *bad = the place that cannot be decoded; NULL = the result does not fit. */
static bool decode(const char *text, char *out, size_t capacity, const char **bad)
{
    size_t size = 0;

    for (; *text; text++) {
        int byte = (unsigned char)*text;

        if (*text == '%') {
            byte = escaped_byte(text);
            *bad = text;
            if (byte < 0)
                return false;
            text += 2;
        }
        *bad = NULL;
        if (size + 1 == capacity)
            return false;
        out[size++] = (char)byte;
    }
    out[size] = '\0';
    return true;
}

static int32_t decode_path(struct fl_call *call)
{
    const char *bad = NULL;

    if (decode(call->request->path, call->path, sizeof(call->path), &bad))
        return FLAME_OK;
    if (bad)
        return flame_fail(call->host, call->err, FLAME_ERR_INVALID_URL,
                          "'%.3s' cannot be part of a file's name", bad);
    return flame_fail(call->host, call->err, FLAME_ERR_NOT_FOUND,
                      "the path is longer than any file's");
}

bool fl_decode_name(const char *text, char *out, size_t capacity)
{
    const char *bad = NULL;

    return !strchr(text, '/') && decode(text, out, capacity, &bad);
}

int32_t fl_call_begin(struct fl_call *call, const struct flame_instance *instance,
                      const struct flame_request *request, struct flame_transfer *transfer,
                      struct flame_error *err)
{
    const struct flame_host *host = instance->host;

    call->host = host;
    call->request = request;
    call->transfer = transfer;
    call->err = err;
    if (request->flags & (FLAME_REQUEST_MUST_UNDERSTAND | FLAME_REQUEST_PREFIX))
        return flame_fail(host, err, FLAME_ERR_UNSUPPORTED, "files have no such request");
    if (request->host[0] && strcmp(request->host, "localhost") != 0)
        return flame_fail(host, err, FLAME_ERR_INVALID_URL,
                          "a file url names no host but localhost, not '%s'", request->host);
    if (request->port != 0)
        return flame_fail(host, err, FLAME_ERR_INVALID_URL, "a file url has no port");
    if (request->query)
        return flame_fail(host, err, FLAME_ERR_INVALID_URL,
                          "a file url has no query; a '?' in a name is written %%3f");
    if (request->path[0] != '/')
        return flame_fail(host, err, FLAME_ERR_INVALID_URL,
                          "a file url holds an absolute path, not '%s'", request->path);
    return decode_path(call);
}

int32_t fl_call_allows(const struct fl_call *call, uint32_t conditions)
{
    uint32_t condition = call->request->condition;

    if (condition < 32 && conditions & 1u << condition)
        return FLAME_OK;
    return flame_fail(call->host, call->err, FLAME_ERR_UNSUPPORTED,
                      "files know no such condition here");
}

static int32_t status_of(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: /* nothing can be there */
        return FLAME_ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return FLAME_ERR_NO_SPACE;
    case ENOMEM:
        return FLAME_ERR_NO_MEMORY;
    case EISDIR:
        return FLAME_ERR_POLICY;
    default:
        return FLAME_ERR_IO;
    }
}

int32_t fl_fail_errno(const struct fl_call *call, int errnum, const char *what)
{
    char text[128];

    call->host->fail_detail(call->err, FLAME_DETAIL_ERRNO, errnum);
    return flame_fail(call->host, call->err, status_of(errnum), "%s: %s", what,
                      strerror_r(errnum, text, sizeof(text)));
}
