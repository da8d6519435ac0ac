/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/digest.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FILE_CHUNK_BYTES (256 * 1024)

static const struct {
    const char *name;
    size_t size;
} kinds[] = {[FL_DIGEST_NONE] = {"", 0},
#define FL_ROW_(macro, name, size) [FL_DIGEST_##macro] = {name, size},
             FL_DIGEST_TABLE(FL_ROW_)
#undef FL_ROW_
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

_Static_assert(SHA256_DIGEST_SIZE == 32 && SHA512_DIGEST_SIZE == FL_DIGEST_MAX,
               "the table and nettle agree about sizes");

/* `length` bytes at `name` are an algorithm's name; NONE for any other. */
static enum fl_digest_kind kind_by_name(const char *name, size_t length)
{
    for (size_t i = 1; i < KIND_COUNT; i++)
        if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, name, length) == 0)
            return (enum fl_digest_kind)i;
    return FL_DIGEST_NONE;
}

int32_t fl_digest_parse(const char *text, struct fl_digest *out, struct flame_error *err)
{
    size_t length = strcspn(text, ":=");
    struct fl_digest digest = {.kind = kind_by_name(text, length)};
    const char *hex = text + length + 1;
    size_t size = kinds[digest.kind].size;

    if (text[length] == '\0')
        return fl_fail(err, FLAME_ERR_INVALID, "'%s' is not a digest like 'sha256:<hex>'", text);
    if (digest.kind == FL_DIGEST_NONE)
        return fl_fail(err, FLAME_ERR_INVALID,
                       "unknown digest '%.*s' (sha256 and sha512 are known)", (int)length, text);
    if (strlen(hex) != 2 * size)
        return fl_fail(err, FLAME_ERR_INVALID, "a %s digest has %zu hex digits, not %zu",
                       kinds[digest.kind].name, 2 * size, strlen(hex));
    for (size_t i = 0; i < size; i++) {
        int high = fl_hex_digit(hex[2 * i]);
        int low = fl_hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return fl_fail(err, FLAME_ERR_INVALID, "'%s' is not hexadecimal", hex);
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = digest;
    return FLAME_OK;
}

void fl_digest_format(const struct fl_digest *digest, char *out)
{
    static const char hex[] = "0123456789abcdef";

    out = stpcpy(out, kinds[digest->kind].name);
    if (digest->kind != FL_DIGEST_NONE)
        *out++ = ':';
    for (size_t i = 0; i < kinds[digest->kind].size; i++) {
        *out++ = hex[digest->bytes[i] >> 4];
        *out++ = hex[digest->bytes[i] & 15];
    }
    *out = '\0';
}

/* Two digests that are not there do not match: nothing was verified. */
bool fl_digest_equal(const struct fl_digest *a, const struct fl_digest *b)
{
    return a->kind != FL_DIGEST_NONE && a->kind == b->kind &&
           memcmp(a->bytes, b->bytes, kinds[a->kind].size) == 0;
}

void fl_hash_init(struct fl_hash *hash, enum fl_digest_kind kind)
{
    hash->kind = kind;
    if (kind == FL_DIGEST_SHA256)
        sha256_init(&hash->state.sha256);
    else if (kind == FL_DIGEST_SHA512)
        sha512_init(&hash->state.sha512);
}

void fl_hash_update(struct fl_hash *hash, const void *data, size_t size)
{
    if (hash->kind == FL_DIGEST_SHA256)
        sha256_update(&hash->state.sha256, size, data);
    else if (hash->kind == FL_DIGEST_SHA512)
        sha512_update(&hash->state.sha512, size, data);
}

void fl_hash_final(struct fl_hash *hash, struct fl_digest *out)
{
    *out = (struct fl_digest){.kind = hash->kind};
    if (hash->kind == FL_DIGEST_SHA256)
        sha256_digest(&hash->state.sha256, SHA256_DIGEST_SIZE, out->bytes);
    else if (hash->kind == FL_DIGEST_SHA512)
        sha512_digest(&hash->state.sha512, SHA512_DIGEST_SIZE, out->bytes);
}

int32_t fl_hash_file(struct fl_hash *hash, const struct fl_file_part *part,
                     const struct fl_stop *stop, struct flame_error *err)
{
    fl_auto_free char *buffer = malloc(FILE_CHUNK_BYTES);
    uint64_t from = part->from;
    uint64_t to = part->to;

    if (!buffer)
        return fl_fail_memory(err);
    while (from < to) {
        size_t most = to - from < FILE_CHUNK_BYTES ? (size_t)(to - from) : FILE_CHUNK_BYTES;
        int32_t status = stop ? stop->wanted(stop->data) : FLAME_OK;
        ssize_t size;

        if (status != FLAME_OK)
            return status;
        size = TEMP_FAILURE_RETRY(pread(part->fd, buffer, most, (off_t)from));
        if (size < 0)
            return fl_fail_errno(err, errno, "cannot read back the file");
        if (size == 0)
            break;
        fl_hash_update(hash, buffer, (size_t)size);
        from += (uint64_t)size;
    }
    return FLAME_OK;
}

int32_t fl_digest_file(int fd, enum fl_digest_kind kind, const struct fl_stop *stop,
                       struct fl_digest *out, struct flame_error *err)
{
    struct fl_file_part all = {.fd = fd, .to = UINT64_MAX};
    struct fl_hash hash;
    int32_t status;

    fl_hash_init(&hash, kind);
    status = fl_hash_file(&hash, &all, stop, err);
    if (status == FLAME_OK)
        fl_hash_final(&hash, out);
    return status;
}
