/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what the context says, for the tests in Python: lines "name<TAB>source<TAB>value", of a
 * list one more per item, "name<TAB>item<TAB>value". Unset keys are left out. A failure is one line
 * "error<TAB>STATUS<TAB>message" and exit code 1. HOME and FLAME_* decide. With a URL as argument:
 * what its task gets, "option<TAB>name<TAB>value" and "secret<TAB>name<TAB>its length". */
#include <flame/context.h>

#include <stdio.h>
#include <string.h>

static void print_key(const struct flame_context *context, uint32_t key)
{
    struct flame_context_value value = FLAME_INIT(flame_context_value);

    flame_context_get(context, key, &value);
    if (!value.value)
        return;
    (void)printf("%s\t%s\t%s\n", value.name, value.source, value.value);
    for (const char *const *item = value.values; item && *item; item++)
        (void)printf("%s\titem\t%s\n", value.name, *item);
}

static int fail(const struct flame_error *err)
{
    (void)printf("error\t%s\t%s\n", flame_status_name(err->status), err->message);
    return 1;
}

static int print_settings(const struct flame_context *context, const char *url)
{
    struct flame_settings settings = FLAME_INIT(flame_settings);
    struct flame_error err = FLAME_INIT(flame_error);

    if (flame_context_settings(context, url, &settings, &err) != FLAME_OK)
        return fail(&err);
    for (const char *const *item = settings.options; item && *item; item += 2)
        (void)printf("option\t%s\t%s\n", item[0], item[1]);
    for (const char *const *item = settings.secrets; item && *item; item += 2)
        (void)printf("secret\t%s\t%zu\n", item[0], strlen(item[1]));
    flame_settings_done(&settings);
    return 0;
}

int main(int argc, char **argv)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context;
    int code;

    if (flame_context_open(NULL, &context, &err) != FLAME_OK)
        return fail(&err);
    for (uint32_t key = 0; key < FLAME_CONTEXT_KEY_COUNT; key++)
        print_key(context, key);
    code = argc > 1 ? print_settings(context, argv[1]) : 0;
    flame_context_close(context);
    return code;
}
