/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

struct fl_cache_fault_run fl_cache_faults_claim(struct fl_cache_faults *faults,
                                                enum fl_cache_method method)
{
    struct fl_cache_fault_run run = {.kind = FL_CACHE_FAULT_NONE};

    if (faults->kind == FL_CACHE_FAULT_NONE ||
        (faults->method != FL_CACHE_METHODS && faults->method != (uint32_t)method))
        return run;
    if (faults->times > 0 && atomic_fetch_add(&faults->claimed, 1) >= faults->times)
        return run;
    run.kind = faults->kind;
    run.after = faults->after;
    run.code = faults->code;
    run.stall_ms = faults->stall_ms;
    if (run.kind == FL_CACHE_FAULT_TRAILERS) {
        run.kind = FL_CACHE_FAULT_STATUS;
        run.after = 0;
        run.code = FL_CACHE_OK;
    }
    return run;
}

enum fl_cache_fault_kind fl_cache_fault_due(struct fl_cache_fault_run *run, uint64_t size)
{
    enum fl_cache_fault_kind kind = run->kind;

    if (kind != FL_CACHE_FAULT_CUT && kind != FL_CACHE_FAULT_STALL && kind != FL_CACHE_FAULT_STATUS)
        return FL_CACHE_FAULT_NONE;
    run->passed += size;
    if (run->passed <= run->after)
        return FL_CACHE_FAULT_NONE;
    run->kind = FL_CACHE_FAULT_NONE;
    return kind;
}
