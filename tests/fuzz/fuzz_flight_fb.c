/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the header of an IPC message: what is accepted lies in the body, in order. */
#include "ipc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY 100000

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_batch(struct fl_flight_ipc *ipc, const struct fl_flight_plan *plan)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_batch batch;
    uint64_t end = 0;

    if (!fl_flight_ipc_batch(ipc, plan, BODY, &batch, &fault)) {
        require(fault.code != FL_FLIGHT_NONE && fault.why);
        return;
    }
    require(batch.regions == (plan->has_kind ? 8u : 5u));
    require(batch.rows <= FL_FLIGHT_AUX_MAX);
    require(batch.region[batch.regions - 1].role == FL_FLIGHT_ROLE_DATA);
    for (uint32_t i = 0; i < batch.regions; i++) {
        require(batch.region[i].offset >= end && batch.region[i].size <= BODY);
        end = batch.region[i].offset + batch.region[i].size;
        require(end <= BODY);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_plan plan = {false, false, false, false};
    struct fl_flight_ipc ipc;

    if (!fl_flight_ipc_open(&ipc, (struct fl_flight_bytes){data, size}, &fault)) {
        require(fault.code != FL_FLIGHT_NONE && fault.why);
        return 0;
    }
    if (ipc.kind == FL_FLIGHT_IPC_SCHEMA) {
        require(fl_flight_ipc_plan(&ipc, &plan, &fault) == (fault.code == FL_FLIGHT_NONE));
        return 0;
    }
    check_batch(&ipc, &plan);
    plan.has_kind = true;
    check_batch(&ipc, &plan);
    plan.kind_first = true;
    check_batch(&ipc, &plan);
    return 0;
}
