/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fl_cache_fail(struct fl_cache_status *status, enum fl_cache_code code, const char *format, ...)
{
    va_list list;

    if (status->code != FL_CACHE_OK)
        return false;
    status->code = code;
    va_start(list, format);
    (void)vsnprintf(status->text, sizeof(status->text), format, list);
    va_end(list);
    return false;
}

bool fl_cache_fail_errno(struct fl_cache_status *status, const char *what)
{
    int reason = errno;
    bool is_full = reason == ENOSPC || reason == EDQUOT || reason == ENOMEM || reason == EMFILE ||
                   reason == ENFILE || reason == EFBIG;

    return fl_cache_fail(status, is_full ? FL_CACHE_RESOURCE_EXHAUSTED : FL_CACHE_INTERNAL,
                         "%s: %s", what, strerror(reason));
}

bool fl_cache_fail_fault(struct fl_cache_status *status, const struct fl_flight_fault *fault)
{
    bool is_full = fault->code == FL_FLIGHT_LIMIT || fault->code == FL_FLIGHT_NO_MEMORY;

    return fl_cache_fail(status, is_full ? FL_CACHE_RESOURCE_EXHAUSTED : FL_CACHE_INVALID_ARGUMENT,
                         "%s", fault->why);
}

void fl_cache_show(struct fl_flight_bytes text, char *out, size_t room)
{
    size_t size = text.size < room ? text.size : room - 1;

    for (size_t i = 0; i < size; i++)
        out[i] = text.data[i] >= 0x20 && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    out[size] = '\0';
}

bool fl_cache_code_find(const char *name, enum fl_cache_code *code)
{
    static const struct {
        const char *name;
        enum fl_cache_code code;
    } rows[] = {
#define FL_CACHE_ROW_(word, number) {#word, FL_CACHE_##word},
        FL_CACHE_CODE_TABLE(FL_CACHE_ROW_)
#undef FL_CACHE_ROW_
    };
    char *end = NULL;
    unsigned long number = strtoul(name, &end, 10);
    bool is_number = *name >= '0' && *name <= '9' && *end == '\0';

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (is_number ? number == (unsigned long)rows[i].code : strcmp(name, rows[i].name) == 0) {
            *code = rows[i].code;
            return true;
        }
    }
    return false;
}
