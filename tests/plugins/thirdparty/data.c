/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin as anybody could write it, from nothing but the installed header: data urls (RFC 2397),
 * whose bytes stand in the URL itself.
 *
 *     cc -shared -fPIC -o data.so data.c */
#include <flame/plugin.h>

#include <stdlib.h>
#include <string.h>

/* Nothing to remember but the host: it serves as the instance. */
static int32_t data_init(const struct flame_host *host, struct flame_instance **instance,
                         struct flame_error *err)
{
    (void)err;
    *instance = (struct flame_instance *)(uintptr_t)host;
    return FLAME_OK;
}

static void data_shutdown(struct flame_instance *instance)
{
    (void)instance;
}

/* The place of `c` among `digits`; -1 = none. */
static int digit(const char *digits, char c)
{
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

static int hex(char c)
{
    int value = digit("0123456789abcdefABCDEF", c);

    return value < 16 ? value : value - 6;
}

/* Undo %XX, in place; returns the size, or -1 for a broken escape. */
static int64_t decode_percent(char *text)
{
    char *out = text;
    const char *in = text;

    for (; *in; in++, out++) {
        *out = *in;
        if (*in != '%')
            continue;
        if (hex(in[1]) < 0 || hex(in[2]) < 0)
            return -1;
        *out = (char)(hex(in[1]) * 16 + hex(in[2]));
        in += 2;
    }
    return out - text;
}

/* The same for base64: whole groups of four, the last one padded. */
static int64_t decode_base64(char *text, int64_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int64_t padding = 0, out = 0;
    uint32_t bits = 0;

    while (padding < 2 && size > padding && text[size - 1 - padding] == '=')
        padding++;
    for (int64_t in = 0; in < size - padding; in++) {
        int value = digit(digits, text[in]);

        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        if (in % 4 != 0)
            text[out++] = (char)(bits >> (6 - in % 4 * 2));
    }
    return size % 4 == 0 ? out : -1;
}

static int32_t deliver(const struct flame_host *host, struct flame_transfer *transfer,
                       const char *bytes, uint64_t size)
{
    struct flame_object object = FLAME_INIT(flame_object);
    int32_t status;

    object.flags = FLAME_OBJECT_SIZE | FLAME_OBJECT_BODY_SIZE;
    object.total_size = object.body_size = size;
    status = host->report(transfer, &object);
    if (status == FLAME_OK)
        status = flame_write(host, transfer, bytes, size);
    return status == FLAME_OK ? flame_finish(host, transfer, FLAME_PROOF_COMPLETE) : status;
}

static int32_t data_fetch(struct flame_instance *instance, const struct flame_request *request,
                          struct flame_transfer *transfer, struct flame_error *err)
{
    const struct flame_host *host = (const struct flame_host *)instance;
    const char *comma = strchr(request->url, ',');
    int64_t size;
    int32_t status;
    char *bytes;

    if (!comma)
        return flame_fail(host, err, FLAME_ERR_INVALID_URL, "a data url needs a comma");
    bytes = strdup(comma + 1);
    if (!bytes)
        return flame_fail(host, err, FLAME_ERR_NO_MEMORY, "out of memory");
    size = decode_percent(bytes);
    if (size >= 0 && comma - request->url >= 7 && strncmp(comma - 7, ";base64", 7) == 0)
        size = decode_base64(bytes, size);
    status = size < 0 ? flame_fail(host, err, FLAME_ERR_INVALID_URL, "the data is malformed")
                      : deliver(host, transfer, bytes, (uint64_t)size);
    free(bytes);
    return status;
}

FLAME_PLUGIN("org.example.data", "1.0", "data", "data urls (RFC 2397)")
{
    plugin->init = data_init;
    plugin->shutdown = data_shutdown;
    plugin->fetch = data_fetch;
}
