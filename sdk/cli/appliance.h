/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the helper, as its verbs see it: that of a command (app.h), and the user's context. */
#ifndef SDK_CLI_APPLIANCE_H
#define SDK_CLI_APPLIANCE_H

#include "app.h"
#include "line.h"

#include <flame/context.h>

struct sdk_app {
    struct cli_app app;
    struct sdk_line line;          /* its args are the app's */
    struct flame_context *context; /* open when a verb begins */
};

/* The verbs. Each says what it has to say and returns the exit code. */
int sdk_context_verb(struct sdk_app *sdk);
int sdk_publish_verb(struct sdk_app *sdk);
int sdk_objects_verb(struct sdk_app *sdk);

/* What each wants of its command line. Fails with INVALID. */
int32_t sdk_context_check(const struct sdk_app *sdk, struct flame_error *err) CLI_MUST_USE;
int32_t sdk_publish_check(const struct sdk_app *sdk, struct flame_error *err) CLI_MUST_USE;
int32_t sdk_objects_check(const struct sdk_app *sdk, struct flame_error *err) CLI_MUST_USE;

/* The context as the command line wants it. Fails as flame_context_open(). */
int32_t sdk_open_context(struct sdk_app *sdk, struct flame_error *err) CLI_MUST_USE;

/* The library, with TLS settings of the command line and the configuration that go before those of
 * the context. Fails as flame_open(). */
int32_t sdk_open_library(struct sdk_app *sdk, struct flame_error *err) CLI_MUST_USE;

/* As the command line has it: no file, no data, no callback yet. */
struct flame_task sdk_task(const struct sdk_app *sdk);

#endif
