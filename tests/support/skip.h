/* SPDX-License-Identifier: Apache-2.0 */
/* Skip the test that runs, and say why: Criterion keeps the reason to itself, and
 * packaging/check.sh looks for it. In the test's own thread. */
#ifndef SKIP_H
#define SKIP_H

#include <criterion/criterion.h>
#include <stdio.h>

#ifdef FL_INPROCESS_CRITERION_H
#define skip_loudly(reason) cr_skip_test(reason)
#else
#define skip_loudly(reason)                                                                        \
    do {                                                                                           \
        (void)fprintf(stderr, "SKIP: %s\n", reason);                                               \
        cr_skip_test(reason);                                                                      \
    } while (0)
#endif

#endif
