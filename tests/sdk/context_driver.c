/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what the context says, for the tests in Python: lines "name<TAB>source<TAB>value", of a
 * list one more per item, "name<TAB>item<TAB>value". Unset keys are left out. A failure is one line
 * "error<TAB>STATUS<TAB>message" and exit code 1. HOME and FLAME_* decide. */
#include <flame/context.h>

#include <stdio.h>

static void print_key(const struct flame_context *context, uint32_t key)
{
    struct flame_context_value value = FLAME_INIT(flame_context_value);

    flame_context_value(context, key, &value);
    if (!value.value)
        return;
    (void)printf("%s\t%s\t%s\n", value.name, value.source, value.value);
    for (const char *const *item = value.values; item && *item; item++)
        (void)printf("%s\titem\t%s\n", value.name, *item);
}

int main(void)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context;

    if (flame_context_open(NULL, &context, &err) != FLAME_OK) {
        (void)printf("error\t%s\t%s\n", flame_status_name(err.status), err.message);
        return 1;
    }
    for (uint32_t key = 0; key < FLAME_CONTEXT_KEY_COUNT; key++)
        print_key(context, key);
    flame_context_close(context);
    return 0;
}
