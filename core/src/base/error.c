/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

FL_PRINTF(3, 0)
static void set_message(struct flame_error *err, int32_t status, const char *format, va_list args)
{
    char raw[sizeof(err->message)];
    int size = vsnprintf(raw, sizeof(raw), format, args);

    if (size < 0)
        size = 0;
    if ((size_t)size >= sizeof(raw))
        size = (int)sizeof(raw) - 1;
    err->status = status;
    (void)fl_escape(raw, (size_t)size, err->message, sizeof(err->message));
}

int32_t fl_fail(struct flame_error *err, int32_t status, const char *format, ...)
{
    va_list args;

    if (!err || err->status != FLAME_OK)
        return status;
    va_start(args, format);
    set_message(err, status, format, args);
    va_end(args);
    return status;
}

int32_t fl_fail_errno(struct flame_error *err, int errnum, const char *format, ...)
{
    int32_t status = fl_status_from_errno(errnum);
    va_list args;
    size_t used;

    if (!err || err->status != FLAME_OK)
        return status;
    va_start(args, format);
    set_message(err, status, format, args);
    va_end(args);
    err->errno_code = errnum;
    used = strlen(err->message);
    (void)snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(errnum));
    return status;
}

int32_t fl_fail_memory(struct flame_error *err)
{
    return fl_fail(err, FLAME_ERR_NO_MEMORY, "out of memory");
}

int32_t fl_status_from_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return FLAME_ERR_NO_SPACE;
    case ENOMEM:
        return FLAME_ERR_NO_MEMORY;
    default:
        return FLAME_ERR_IO;
    }
}

void fl_error_reset(struct flame_error *err)
{
    if (err)
        *err = (struct flame_error){.struct_size = err->struct_size};
}

void fl_error_export(const struct flame_error *from, struct flame_error *to)
{
    uint32_t size;

    if (!to || to->struct_size <= sizeof(to->struct_size))
        return;
    size = to->struct_size < sizeof(*from) ? to->struct_size : (uint32_t)sizeof(*from);
    memcpy((char *)to + sizeof(size), (const char *)from + sizeof(size), size - sizeof(size));
}
