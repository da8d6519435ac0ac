/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file: understood or refused with one line, and what was understood
 * can be looked up and freed. */
#include "config/parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN "https://a.example.org:443"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void look_everything_up(struct fl_config *config)
{
    static const struct flame_option depth = {
        .struct_size = sizeof(depth), .type = FLAME_OPTION_INTEGER, .name = "depth", .value = "3"};
    static const struct flame_option *const own[] = {&depth, NULL};
    const struct fl_scope scope = {.origin = ORIGIN, .plugin_id = "a.b", .plugin_options = own};
    struct flame_error err = FLAME_INIT(flame_error);
    bool good = fl_config_check_plugin(config, scope.plugin_id, own, &err) == FLAME_OK;

    require(good == (fl_config_option(config, &scope, "depth", NULL) != NULL));
    require(good == (err.message[0] == '\0'));
    for (const struct flame_option *const *option = fl_options(); *option; option++) {
        const char *value = fl_config_option(config, &scope, (*option)->name, NULL);

        require(value || !(*option)->value);
        require(!value || (*option)->type != FLAME_OPTION_FILE || value[0] == '/');
    }
    require(!fl_config_secret(config, ORIGIN, "tls.ca"));
    (void)fl_config_pin(config, "data");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_config *config = NULL;
    struct fl_file file = {.bytes = malloc(size ? size : 1), .size = size, .mode = 0600};
    int32_t status;

    require(file.bytes && fl_config_new(&config, &err) == FLAME_OK);
    if (size)
        memcpy(file.bytes, data, size);
    status = fl_config_parse(config, &file, "fuzz.json", &err);
    require(err.status == status && !strpbrk(err.message, "\n\r\x1b"));
    if (status == FLAME_OK)
        look_everything_up(config);
    else
        require(strncmp(err.message, "fuzz.json: ", 11) == 0);
    fl_config_free(config);
    fl_file_done(&file);
    return 0;
}
