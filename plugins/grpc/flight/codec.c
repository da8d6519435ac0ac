/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PIECE ((size_t)256 * 1024) /* what is compressed at once */
#define ZSTD_LEVEL 1               /* Arrow's default: a cache wants speed */

struct codec_ops {
    const char *name;
    int8_t number; /* in BodyCompression */
    void *(*open)(void);
    enum fl_flight_code (*step)(void *stream, struct fl_flight_window *window, bool *is_end);
    void (*reset)(void *stream);
    void (*close)(void *stream);
    bool (*deflate)(const struct flame_slice *slices, uint32_t count, struct fl_flight_buffer *out);
};

struct fl_flight_inflate {
    const struct codec_ops *ops;
    void *stream;
};

static void advance(struct fl_flight_window *window, size_t consumed, size_t produced)
{
    window->in += consumed;
    window->in_size -= consumed;
    window->out += produced;
    window->out_size -= produced;
}

/* ---- lz4 ------------------------------------------------------------------------------------- */

static void *lz4_open(void)
{
    LZ4F_dctx *stream = NULL;

    return LZ4F_isError(LZ4F_createDecompressionContext(&stream, LZ4F_VERSION)) ? NULL : stream;
}

static enum fl_flight_code lz4_step(void *stream, struct fl_flight_window *window, bool *is_end)
{
    size_t consumed = window->in_size;
    size_t produced = window->out_size;
    size_t hint = LZ4F_decompress(stream, window->out, &produced, window->in, &consumed, NULL);

    if (LZ4F_isError(hint)) {
        bool is_memory = strcmp(LZ4F_getErrorName(hint), "ERROR_allocation_failed") == 0;

        return is_memory ? FL_FLIGHT_NO_MEMORY : FL_FLIGHT_MALFORMED;
    }
    advance(window, consumed, produced);
    *is_end = hint == 0;
    return FL_FLIGHT_NONE;
}

static void lz4_reset(void *stream)
{
    LZ4F_resetDecompressionContext(stream);
}

static void lz4_close(void *stream)
{
    (void)LZ4F_freeDecompressionContext(stream);
}

/* One call of `LZ4F_` that writes: room for the worst, then count what it wrote. */
#define LZ4_PUT(out, bound, call)                                                                  \
    do {                                                                                           \
        size_t lz4_bound_ = (bound);                                                               \
        uint8_t *room = fl_flight_buffer_reserve(out, lz4_bound_);                                 \
        size_t lz4_size_ = room ? (call) : 0;                                                      \
        if (!room || LZ4F_isError(lz4_size_))                                                      \
            return false;                                                                          \
        (out)->size += lz4_size_;                                                                  \
    } while (0)

static bool lz4_put_slice(LZ4F_cctx *stream, const struct flame_slice *slice,
                          struct fl_flight_buffer *out)
{
    const uint8_t *at = slice->data;
    uint64_t left = slice->size;

    while (left > 0) {
        size_t size = left < PIECE ? (size_t)left : PIECE;
        size_t bound = LZ4F_compressBound(size, NULL);

        LZ4_PUT(out, bound, LZ4F_compressUpdate(stream, room, bound, at, size, NULL));
        at += size;
        left -= size;
    }
    return true;
}

static bool lz4_put_all(LZ4F_cctx *stream, const struct flame_slice *slices, uint32_t count,
                        struct fl_flight_buffer *out)
{
    size_t bound = LZ4F_compressBound(0, NULL);

    LZ4_PUT(out, LZ4F_HEADER_SIZE_MAX,
            LZ4F_compressBegin(stream, room, LZ4F_HEADER_SIZE_MAX, NULL));
    for (uint32_t i = 0; i < count; i++) {
        if (!lz4_put_slice(stream, &slices[i], out))
            return false;
    }
    LZ4_PUT(out, bound, LZ4F_compressEnd(stream, room, bound, NULL));
    return true;
}

static bool lz4_deflate(const struct flame_slice *slices, uint32_t count,
                        struct fl_flight_buffer *out)
{
    LZ4F_cctx *stream = NULL;
    bool done;

    if (LZ4F_isError(LZ4F_createCompressionContext(&stream, LZ4F_VERSION)))
        return false;
    done = lz4_put_all(stream, slices, count, out);
    (void)LZ4F_freeCompressionContext(stream);
    return done;
}

/* ---- zstd ------------------------------------------------------------------------------------ */

static void *zstd_open(void)
{
    return ZSTD_createDStream();
}

static enum fl_flight_code zstd_step(void *stream, struct fl_flight_window *window, bool *is_end)
{
    ZSTD_inBuffer in = {window->in, window->in_size, 0};
    ZSTD_outBuffer out = {window->out, window->out_size, 0};
    size_t hint = ZSTD_decompressStream(stream, &out, &in);

    if (ZSTD_isError(hint)) {
        bool is_memory = ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation;

        return is_memory ? FL_FLIGHT_NO_MEMORY : FL_FLIGHT_MALFORMED;
    }
    advance(window, in.pos, out.pos);
    *is_end = hint == 0;
    return FL_FLIGHT_NONE;
}

static void zstd_reset(void *stream)
{
    (void)ZSTD_DCtx_reset(stream, ZSTD_reset_session_only);
}

static void zstd_close(void *stream)
{
    (void)ZSTD_freeDStream(stream);
}

static bool zstd_put(ZSTD_CCtx *stream, const struct flame_slice *slice, ZSTD_EndDirective end,
                     struct fl_flight_buffer *out)
{
    ZSTD_inBuffer in = {slice->data, (size_t)slice->size, 0};
    size_t left = 1;

    while (left > 0) {
        uint8_t *room = fl_flight_buffer_reserve(out, ZSTD_CStreamOutSize());
        ZSTD_outBuffer piece = {room, ZSTD_CStreamOutSize(), 0};

        if (!room)
            return false;
        left = ZSTD_compressStream2(stream, &piece, &in, end);
        if (ZSTD_isError(left))
            return false;
        out->size += piece.pos;
        if (end == ZSTD_e_continue)
            left = in.size - in.pos;
    }
    return true;
}

static bool zstd_put_all(ZSTD_CCtx *stream, const struct flame_slice *slices, uint32_t count,
                         struct fl_flight_buffer *out)
{
    static const struct flame_slice nothing = {NULL, 0};
    uint64_t total = 0;

    for (uint32_t i = 0; i < count; i++)
        total += slices[i].size;
    if (ZSTD_isError(ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(stream, total)))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!zstd_put(stream, &slices[i], ZSTD_e_continue, out))
            return false;
    }
    return zstd_put(stream, &nothing, ZSTD_e_end, out);
}

static bool zstd_deflate(const struct flame_slice *slices, uint32_t count,
                         struct fl_flight_buffer *out)
{
    ZSTD_CCtx *stream = ZSTD_createCCtx();
    bool done = stream && zstd_put_all(stream, slices, count, out);

    (void)ZSTD_freeCCtx(stream);
    return done;
}

/* ---- the table ------------------------------------------------------------------------------- */

static bool plain_deflate(const struct flame_slice *slices, uint32_t count,
                          struct fl_flight_buffer *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!fl_flight_buffer_add(out, slices[i].data, (size_t)slices[i].size))
            return false;
    }
    return true;
}

static const struct codec_ops codecs[] = {
    [FL_FLIGHT_PLAIN] = {.name = "none", .number = -1, .deflate = plain_deflate},
    [FL_FLIGHT_LZ4] = {"lz4", 0, lz4_open, lz4_step, lz4_reset, lz4_close, lz4_deflate},
    [FL_FLIGHT_ZSTD] = {"zstd", 1, zstd_open, zstd_step, zstd_reset, zstd_close, zstd_deflate},
};

#define CODECS ((int)(sizeof(codecs) / sizeof(codecs[0])))

const char *fl_flight_codec_name(enum fl_flight_codec codec)
{
    return codecs[codec].name;
}

bool fl_flight_codec_find(const char *name, enum fl_flight_codec *codec)
{
    for (int i = 0; i < CODECS; i++) {
        if (strcmp(codecs[i].name, name) != 0)
            continue;
        *codec = (enum fl_flight_codec)i;
        return true;
    }
    return false;
}

int8_t fl_flight_codec_number(enum fl_flight_codec codec)
{
    return codecs[codec].number;
}

bool fl_flight_codec_find_number(int8_t number, enum fl_flight_codec *codec)
{
    for (int i = FL_FLIGHT_PLAIN + 1; i < CODECS; i++) {
        if (codecs[i].number != number)
            continue;
        *codec = (enum fl_flight_codec)i;
        return true;
    }
    return false;
}

struct fl_flight_inflate *fl_flight_inflate_new(enum fl_flight_codec codec)
{
    const struct codec_ops *ops = &codecs[codec];
    struct fl_flight_inflate *inflate = ops->open ? calloc(1, sizeof(*inflate)) : NULL;

    if (!inflate)
        return NULL;
    inflate->ops = ops;
    inflate->stream = ops->open();
    if (inflate->stream)
        return inflate;
    free(inflate);
    return NULL;
}

bool fl_flight_inflate_step(struct fl_flight_inflate *inflate, struct fl_flight_window *window,
                            bool *is_end, struct fl_flight_fault *fault)
{
    enum fl_flight_code code = inflate->ops->step(inflate->stream, window, is_end);

    if (code == FL_FLIGHT_NO_MEMORY)
        return fl_flight_fail_memory(fault);
    return code == FL_FLIGHT_NONE ||
           fl_flight_fail(fault, code, "a compressed body cannot be read");
}

void fl_flight_inflate_reset(struct fl_flight_inflate *inflate)
{
    inflate->ops->reset(inflate->stream);
}

void fl_flight_inflate_free(struct fl_flight_inflate *inflate)
{
    if (!inflate)
        return;
    inflate->ops->close(inflate->stream);
    free(inflate);
}

bool fl_flight_deflate(enum fl_flight_codec codec, const struct flame_slice *slices, uint32_t count,
                       struct fl_flight_buffer *out, struct fl_flight_fault *fault)
{
    return codecs[codec].deflate(slices, count, out) || fl_flight_fail_memory(fault);
}
