/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance.h"
#include "report.h"
#include "tell.h"
#include "told.h"

#include <flame/object.h>

#include <inttypes.h>
#include <string.h>

#define SIZE_COLUMNS 12

/* ---- objects ls ------------------------------------------------------------------------------ */

struct listing {
    struct sdk_app *sdk;
    uint64_t count;
    struct flame_error err; /* an object could not be shown */
};

static int32_t show(void *data, const char *key, uint64_t size)
{
    struct listing *listing = data;
    struct cli_events *events = &listing->sdk->app.events;
    cli_auto_text char *safe = cli_escaped(key);

    listing->count++;
    if (!safe)
        return cli_fail_memory(&listing->err);
    if (events->out)
        sdk_event_object(events, key, size);
    else if (size == UINT64_MAX)
        (void)printf("%*s  %s\n", SIZE_COLUMNS, "-", safe);
    else
        (void)printf("%*" PRIu64 "  %s\n", SIZE_COLUMNS, size, safe);
    return 0;
}

static int32_t list(struct sdk_app *sdk, struct flame_objects *objects, const char *key,
                    struct flame_error *err)
{
    struct listing listing = {.sdk = sdk, .err = FLAME_INIT(flame_error)};
    struct flame_task task = sdk_task(sdk);
    int32_t status = flame_object_list(objects, key, &task, show, &listing, err);

    if (status == FLAME_OK && listing.err.status != FLAME_OK) {
        *err = listing.err;
        status = err->status;
    }
    if (status == FLAME_OK)
        sdk_event_objects(&sdk->app.events, flame_objects_endpoint(objects), listing.count);
    return status;
}

/* ---- objects rm ------------------------------------------------------------------------------ */

static int32_t remove_key(struct sdk_app *sdk, struct flame_objects *objects, const char *key,
                          struct flame_error *err)
{
    bool is_prefix = sdk->line.own[SDK_PREFIX] != NULL;
    struct flame_task task = sdk_task(sdk);
    int32_t status = is_prefix ? flame_object_remove_all(objects, key, &task, err)
                               : flame_object_remove(objects, key, &task, err);

    if (status != FLAME_OK)
        return status;
    sdk_event_object_removed(&sdk->app.events, flame_objects_endpoint(objects), key, is_prefix);
    cli_say(&sdk->app, "%s: removed", key);
    return FLAME_OK;
}

/* ---- both ------------------------------------------------------------------------------------ */

struct deed {
    const char *name;
    int32_t (*run)(struct sdk_app *sdk, struct flame_objects *objects, const char *key,
                   struct flame_error *err);
    uint32_t wanted; /* which keys, FLAME_KEY_*; with --prefix those of two parts */
    bool needs_key;
    bool takes_prefix;
};

static const struct deed deeds[] = {
    {"ls", list, FLAME_KEY_OBJECT | FLAME_KEY_SESSION | FLAME_KEY_APPLICATION, false, false},
    {"rm", remove_key, FLAME_KEY_OBJECT, true, true},
};

static const struct deed *find_deed(const struct cli_args *args)
{
    for (size_t i = 0; args->word_count > 0 && i < sizeof(deeds) / sizeof(*deeds); i++)
        if (strcmp(args->words[0], deeds[i].name) == 0)
            return &deeds[i];
    return NULL;
}

static int32_t check_key(const struct deed *deed, const char *key, bool is_prefix,
                         struct flame_error *err)
{
    const uint32_t any = FLAME_KEY_OBJECT | FLAME_KEY_SESSION | FLAME_KEY_APPLICATION;
    struct flame_error ignored = FLAME_INIT(flame_error);
    uint32_t wanted = is_prefix ? FLAME_KEY_SESSION | FLAME_KEY_APPLICATION : deed->wanted;
    uint32_t kind;

    if (flame_object_key_check(key, wanted, &kind, err) == FLAME_OK)
        return FLAME_OK;
    if (flame_object_key_check(key, any, &kind, &ignored) == FLAME_OK)
        return cli_fail(err, FLAME_ERR_INVALID, "'%s' is %s", key,
                        is_prefix ? "one object: '--prefix' is not for it"
                                  : "more than one object: it needs '--prefix'");
    return err->status;
}

int32_t sdk_objects_check(const struct sdk_app *sdk, struct flame_error *err)
{
    const struct cli_args *args = &sdk->app.args;
    const struct deed *deed = find_deed(args);
    bool is_prefix = sdk->line.own[SDK_PREFIX] != NULL;

    if (!deed)
        return cli_fail(err, FLAME_ERR_INVALID, "objects needs 'ls' or 'rm' (try --help)");
    if (args->word_count > 2 || (deed->needs_key && args->word_count < 2))
        return cli_fail(err, FLAME_ERR_INVALID, "objects %s needs %s", deed->name,
                        deed->needs_key ? "one key" : "one key at most");
    if (is_prefix && !deed->takes_prefix)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--prefix' is not for 'objects %s'",
                        deed->name);
    return args->word_count == 2 ? check_key(deed, args->words[1], is_prefix, err) : FLAME_OK;
}

static int32_t run(struct sdk_app *sdk, struct flame_error *err)
{
    const struct cli_list *words = &sdk->app.plan.words;
    const char *key = words->count > 1 ? words->items[1] : NULL;
    struct flame_objects *objects = NULL;
    int32_t status = sdk_open_context(sdk, err);

    if (status == FLAME_OK)
        status = sdk_open_library(sdk, err);
    if (status == FLAME_OK)
        status = flame_objects_open(sdk->app.flame, sdk->context, sdk->line.own[SDK_ENDPOINT],
                                    &objects, err);
    if (status == FLAME_OK)
        status = find_deed(&sdk->app.args)->run(sdk, objects, key, err);
    flame_objects_close(objects);
    return status;
}

int sdk_objects_verb(struct sdk_app *sdk)
{
    struct flame_error err = FLAME_INIT(flame_error);

    cli_turn_to(&sdk->app, 1);
    return run(sdk, &err) == FLAME_OK ? 0 : cli_report(&sdk->app.events, NULL, &err);
}
