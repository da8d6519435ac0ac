/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "report.h"

#include <string.h>

#define DEFAULT_AGE "1d"
#define AGE_MAX_S (1000ULL * 366 * 24 * 3600)

/* "90", "90s", "15m", "2h", "1d" */
static bool parse_age(const char *text, uint64_t *seconds)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    size_t digits = strspn(text, "0123456789");
    char number[24] = "";
    uint64_t value = 0;

    if (digits >= sizeof(number))
        return false;
    memcpy(number, text, digits);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(text + digits, units[i].unit) != 0)
            continue;
        if (!cli_number(number, AGE_MAX_S / units[i].seconds, &value))
            return false;
        *seconds = value * units[i].seconds;
        return true;
    }
    return false;
}

static const char *age_said(const struct cli_args *args)
{
    const char *age = cli_value(args, CLI_OLDER_THAN);

    return age ? age : DEFAULT_AGE;
}

int32_t cli_clean_check(const struct cli_args *args, struct flame_error *err)
{
    uint64_t seconds;

    if (args->word_count == 0)
        return cli_fail(err, FLAME_ERR_INVALID, "no directory (try --help)");
    if (!parse_age(age_said(args), &seconds))
        return cli_fail(err, FLAME_ERR_INVALID,
                        "option '--older-than' must be like 90s, 15m, 2h or 1d, not '%s'",
                        age_said(args));
    return FLAME_OK;
}

struct cleaning {
    struct cli_app *app;
    const char *directory;
};

static void show(void *data, const char *name, uint64_t size)
{
    struct cleaning *cleaning = data;
    struct cli_events *events = &cleaning->app->events;
    cli_auto_text char *line = NULL;
    cli_auto_text char *safe = NULL;
    char amount[CLI_AMOUNT_MAX];

    if (events->out) {
        cli_event_cleaned(events, cleaning->directory, name, size);
        return;
    }
    cli_amount_text(size, amount);
    line = cli_format("%s/%s  (%s)", cleaning->directory, name, amount);
    safe = line ? cli_escaped(line) : NULL;
    if (safe)
        (void)puts(safe);
    else
        events->had_no_memory = true;
}

static int clean_one(struct cli_app *app, const char *directory, const void *data)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct cleaning cleaning = {.app = app, .directory = directory};
    cli_auto_text char *shown = cli_escaped(directory);
    uint64_t seconds = 0;
    int32_t status = shown ? FLAME_OK : cli_fail_memory(&err);

    (void)data;
    (void)parse_age(age_said(&app->args), &seconds);
    if (status == FLAME_OK)
        status = flame_clean(directory, seconds, show, &cleaning, &err);
    return status == FLAME_OK ? 0 : cli_report(&app->events, shown, &err);
}

int cli_clean(struct cli_app *app)
{
    return cli_for_each_url(app, clean_one, NULL);
}
