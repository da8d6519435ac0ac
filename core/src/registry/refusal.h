/* SPDX-License-Identifier: Apache-2.0 */
/* Why one file is refused: a code of the one table, and a line about this very file. Internal to
 * the module. Plain memory, no state. */
#ifndef FL_REGISTRY_REFUSAL_H
#define FL_REGISTRY_REFUSAL_H

#include "base/cleanup.h"
#include "registry/reject.h"

struct fl_refusal {
    enum fl_reject code;
    char reason[480]; /* one escaped line */
};

/* State a refusal; the first one wins. Returns `code`. */
enum fl_reject fl_refuse(struct fl_refusal *refusal, enum fl_reject code, const char *format, ...)
    FL_PRINTF(3, 4);

/* State a refusal in the words of the table. */
enum fl_reject fl_refuse_plainly(struct fl_refusal *refusal, enum fl_reject code);

#endif
