/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "signals.h"

int cli_for_each_url(struct cli_app *app, int (*one)(struct cli_app *app, const char *url))
{
    int first = 0;

    for (size_t i = 0; i < app->plan.words.count; i++) {
        int number = cli_signals_caught();
        int exit_code;

        if (number != 0)
            return first ? first : 128 + number;
        app->events.id = (uint32_t)i + 1;
        exit_code = one(app, app->plan.words.items[i]);
        first = first ? first : exit_code;
    }
    return first;
}
