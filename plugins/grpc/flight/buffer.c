/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

struct fl_flight_bytes fl_flight_text(const char *text)
{
    return (struct fl_flight_bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

struct fl_flight_bytes fl_flight_buffer_view(const struct fl_flight_buffer *buffer)
{
    return (struct fl_flight_bytes){buffer->data, buffer->size};
}

bool fl_flight_bytes_equal(struct fl_flight_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) &&
           (bytes.size == 0 || memcmp(bytes.data, text, bytes.size) == 0);
}

/* Half more than is needed: a thousand small pieces cost a few calls. */
static bool grow(struct fl_flight_buffer *buffer, size_t needed)
{
    size_t capacity = needed + needed / 2 + 64;
    uint8_t *larger = capacity > needed ? realloc(buffer->data, capacity) : NULL;

    if (!larger)
        return false;
    buffer->data = larger;
    buffer->capacity = capacity;
    return true;
}

uint8_t *fl_flight_buffer_reserve(struct fl_flight_buffer *buffer, size_t size)
{
    bool fits = size <= buffer->capacity - buffer->size;

    if (buffer->failed || size > SIZE_MAX - buffer->size ||
        ((!fits || !buffer->data) && !grow(buffer, buffer->size + size))) {
        buffer->failed = true;
        return NULL;
    }
    return buffer->data + buffer->size;
}

bool fl_flight_buffer_add(struct fl_flight_buffer *buffer, const void *data, size_t size)
{
    uint8_t *room = size ? fl_flight_buffer_reserve(buffer, size) : NULL;

    if (size == 0)
        return !buffer->failed;
    if (!room)
        return false;
    if (data)
        memcpy(room, data, size);
    else
        memset(room, 0, size);
    buffer->size += size;
    return true;
}

void fl_flight_buffer_clear(struct fl_flight_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

void fl_flight_buffer_done(struct fl_flight_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct fl_flight_buffer){0};
}
