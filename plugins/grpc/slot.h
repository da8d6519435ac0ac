/* SPDX-License-Identifier: Apache-2.0 */
/* The slots, and what is the same for each. One thread, as the exchange. */
#ifndef FL_GRPC_SLOT_H
#define FL_GRPC_SLOT_H

#include "exchange.h"

/* The work of one slot, with exchange->channel up. Each returns the slot's status. */
int32_t fl_grpc_fetch(struct fl_grpc_exchange *exchange);
int32_t fl_grpc_store(struct fl_grpc_exchange *exchange);
int32_t fl_grpc_remove(struct fl_grpc_exchange *exchange);
int32_t fl_grpc_stat(struct fl_grpc_exchange *exchange);
int32_t fl_grpc_list(struct fl_grpc_exchange *exchange);

/* Run one: refuse what cannot be, block signals, connect, work, disconnect. `is_reading`: it
 * changes nothing, so where an idle connection turns out to be dead before the server has said
 * anything, it is done once more on a new one, within the same attempt. */
int32_t fl_grpc_run(struct fl_grpc_exchange *exchange,
                    int32_t (*work)(struct fl_grpc_exchange *exchange), bool is_reading);

#endif
