/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/reject.h"

#include "base/text.h"
#include "registry/refusal.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    const char *text;
} rejects[] = {{NULL, ""},
#define ROW(name, text) {#name, text},
               FL_REJECT_TABLE(ROW)
#undef ROW
};

const char *fl_reject_name(enum fl_reject reject)
{
    return rejects[reject].name;
}

const char *fl_reject_text(enum fl_reject reject)
{
    return rejects[reject].text;
}

enum fl_reject fl_refuse(struct fl_refusal *refusal, enum fl_reject code, const char *format, ...)
{
    char raw[sizeof(refusal->reason)];
    va_list args;
    int size;

    if (refusal->code != FL_ACCEPTED)
        return code;
    va_start(args, format);
    size = vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    if (size < 0)
        size = 0;
    if ((size_t)size >= sizeof(raw))
        size = (int)sizeof(raw) - 1;
    refusal->code = code;
    (void)fl_escape(raw, (size_t)size, refusal->reason, sizeof(refusal->reason));
    return code;
}

enum fl_reject fl_refuse_plainly(struct fl_refusal *refusal, enum fl_reject code)
{
    return fl_refuse(refusal, code, "%s", fl_reject_text(code));
}
