/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the SDK, as the command line says: sdk_driver CALL name=value ... It prints what came
 * of it, name=value a line. The tests beside it are the callers.
 *
 * context=FILE (else none), plugins=DIR, cancel_at=BYTES, rate=BYTES and keep=1 are for every call.
 */
#include <flame/object.h>
#include <flame/storage.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct driver {
    char **words;
    struct flame *flame;
    struct flame_context *context;
    struct flame_cancel *cancel;
    struct flame_task task;
    struct flame_result result;
    struct flame_error err;
    uint64_t cancel_at;
    const char *options[5];
};

static const char *value_of(const struct driver *driver, const char *name)
{
    size_t size = strlen(name);

    for (char **word = driver->words; *word; word++) {
        if (strncmp(*word, name, size) == 0 && (*word)[size] == '=')
            return *word + size + 1;
    }
    return NULL;
}

static void tell(const char *name, const char *value)
{
    if (value)
        (void)printf("%s=%s\n", name, value);
}

static void tell_number(const char *name, uint64_t value)
{
    (void)printf("%s=%" PRIu64 "\n", name, value);
}

static int32_t on_progress(void *data, const struct flame_progress *progress)
{
    const struct driver *driver = data;

    return driver->cancel_at > 0 && progress->done >= driver->cancel_at;
}

static void tell_ref(const struct flame_object_ref *ref)
{
    tell("endpoint", ref->endpoint);
    tell("key", ref->key);
    tell_number("version", ref->version);
}

/* ---- storage --------------------------------------------------------------------------------- */

static int32_t on_package(void *data, const char *name, uint64_t size)
{
    (void)data;
    (void)printf("package=%" PRIu64 " %s\n", size, name);
    return 0;
}

static int32_t storage_call(struct driver *driver, struct flame_storage *storage, const char *call)
{
    const char *name = value_of(driver, "name");
    int32_t is_there = -1;
    int32_t status;

    if (strcmp(call, "upload") == 0)
        return flame_storage_upload(storage, name, &driver->task, &driver->result, &driver->err);
    if (strcmp(call, "download") == 0)
        return flame_storage_download(storage, name, &driver->task, &driver->result, &driver->err);
    if (strcmp(call, "remove") == 0)
        return flame_storage_remove(storage, name, NULL, &driver->err);
    if (strcmp(call, "list") == 0)
        return flame_storage_list(storage, NULL, on_package, NULL, &driver->err);
    status = flame_storage_exists(storage, name, NULL, &is_there, &driver->err);
    (void)printf("exists=%d\n", is_there);
    return status;
}

/* Upload, look, fetch, remove: what a program does with one storage, over and over. */
static int32_t storage_cycle(struct driver *driver, struct flame_storage *storage)
{
    static const char *const calls[] = {"upload", "exists", "download", "remove"};
    const char *source = driver->task.path;
    int32_t status = FLAME_OK;

    for (size_t i = 0; i < 20 && status == FLAME_OK; i++) {
        const char *call = calls[i % 4];

        driver->task.path = strcmp(call, "download") == 0 ? value_of(driver, "out") : source;
        flame_result_done(&driver->result);
        status = storage_call(driver, storage, call);
    }
    return status;
}

static int32_t run_storage(struct driver *driver, const char *call)
{
    struct flame_storage *storage = NULL;
    int32_t status = flame_storage_open(driver->flame, driver->context, value_of(driver, "base"),
                                        value_of(driver, "app"), &storage, &driver->err);

    if (status == FLAME_OK) {
        tell("storage", flame_storage_url(storage));
        status = strcmp(call, "cycle") == 0 ? storage_cycle(driver, storage)
                                            : storage_call(driver, storage, call);
    }
    flame_storage_close(storage);
    return status;
}

/* ---- objects --------------------------------------------------------------------------------- */

static int32_t on_object(void *data, const char *key, uint64_t size)
{
    (void)data;
    (void)printf("object=%" PRIu64 " %s\n", size, key);
    return 0;
}

static void read_ref(const struct driver *driver, struct flame_object_ref *ref)
{
    const char *endpoint = value_of(driver, "ref_endpoint");
    const char *version = value_of(driver, "version");

    *ref = FLAME_INIT(flame_object_ref);
    (void)snprintf(ref->endpoint, sizeof(ref->endpoint), "%s", endpoint ? endpoint : "");
    (void)snprintf(ref->key, sizeof(ref->key), "%s", value_of(driver, "key"));
    ref->version = version ? strtoull(version, NULL, 10) : 0;
}

static int32_t object_upload(struct driver *driver, struct flame_objects *objects)
{
    struct flame_object_ref ref = FLAME_INIT(flame_object_ref);
    int32_t status =
        flame_object_upload(objects, value_of(driver, "key"), &driver->task, &ref, &driver->err);

    if (status == FLAME_OK)
        tell_ref(&ref);
    return status;
}

static int32_t object_call(struct driver *driver, struct flame_objects *objects, const char *call)
{
    const char *key = value_of(driver, "key");
    struct flame_object_ref ref;

    if (strcmp(call, "upload") == 0)
        return object_upload(driver, objects);
    if (strcmp(call, "remove") == 0)
        return flame_object_remove(objects, key, NULL, &driver->err);
    if (strcmp(call, "remove-all") == 0)
        return flame_object_remove_all(objects, key, NULL, &driver->err);
    if (strcmp(call, "list") == 0)
        return flame_object_list(objects, key, NULL, on_object, NULL, &driver->err);
    read_ref(driver, &ref);
    return flame_object_download(objects, &ref, &driver->task, &driver->result, &driver->err);
}

static int32_t run_object(struct driver *driver, const char *call)
{
    struct flame_objects *objects = NULL;
    int32_t status = flame_objects_open(driver->flame, driver->context,
                                        value_of(driver, "endpoint"), &objects, &driver->err);

    if (status == FLAME_OK) {
        tell("cache", flame_objects_endpoint(objects));
        status = object_call(driver, objects, call);
    }
    flame_objects_close(objects);
    return status;
}

/* ---- keys and references --------------------------------------------------------------------- */

static int32_t encode(struct driver *driver)
{
    uint8_t bytes[FLAME_OBJECT_REF_MAX];
    const char *room = value_of(driver, "room");
    size_t size = room ? strtoul(room, NULL, 10) : sizeof(bytes);
    struct flame_object_ref ref;
    int32_t status;

    read_ref(driver, &ref);
    status = flame_object_ref_encode(&ref, bytes, &size, &driver->err);
    if (status != FLAME_OK)
        return status;
    (void)printf("bytes=");
    for (size_t i = 0; i < size; i++)
        (void)printf("%02x", bytes[i]);
    (void)printf("\n");
    return status;
}

static int32_t decode(struct driver *driver)
{
    struct flame_object_ref ref = FLAME_INIT(flame_object_ref);
    const char *text = value_of(driver, "bytes");
    size_t size = strlen(text) / 2;
    uint8_t *bytes = malloc(size ? size : 1); /* exactly, for the sanitizer */
    int32_t status;

    if (!bytes)
        return FLAME_ERR_NO_MEMORY;

    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;

        (void)sscanf(text + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
    status = flame_object_ref_decode(bytes, size, &ref, &driver->err);
    free(bytes);
    if (status == FLAME_OK)
        tell_ref(&ref);
    return status;
}

static int32_t ref_url(struct driver *driver)
{
    struct flame_object_ref ref;
    char *url = NULL;
    int32_t status;

    read_ref(driver, &ref);
    status = flame_object_ref_url(&ref, &url, &driver->err);
    tell("ref_url", url);
    free(url);
    return status;
}

static int32_t settings(struct driver *driver)
{
    struct flame_settings given = FLAME_INIT(flame_settings);
    int32_t status =
        flame_context_settings(driver->context, value_of(driver, "for"), &given, &driver->err);

    for (size_t i = 0; status == FLAME_OK && given.options && given.options[i]; i += 2)
        tell("option", given.options[i]);
    for (size_t i = 0; status == FLAME_OK && given.secrets && given.secrets[i]; i += 2)
        tell("secret", given.secrets[i]);
    flame_settings_done(&given);
    return status;
}

/* Keys of standard input, one a line: "KIND|-" for each, or whether `object` is covered. */
static int32_t keys(struct driver *driver)
{
    uint32_t any = FLAME_KEY_OBJECT | FLAME_KEY_SESSION | FLAME_KEY_APPLICATION;
    char line[4096];

    while (fgets(line, sizeof(line), stdin)) {
        uint32_t kind = 0;
        char *object = strchr(line, '\t');

        line[strcspn(line, "\n")] = '\0';
        if (object)
            *object++ = '\0';
        if (object)
            (void)printf("%d\n", flame_object_key_covers(line, object));
        else if (flame_object_key_check(line, any, &kind, NULL) == FLAME_OK)
            (void)printf("%u\n", kind);
        else
            (void)printf("-\n");
    }
    (void)driver;
    return FLAME_OK;
}

/* ---- a call ---------------------------------------------------------------------------------- */

static int32_t open_all(struct driver *driver)
{
    const char *plugin_dirs[] = {value_of(driver, "plugins"), NULL};
    const char *const options[] = {"retry.attempts", "1", NULL};
    struct flame_config config = {.struct_size = sizeof(config),
                                  .flags = FLAME_CONFIG_NO_ENVIRONMENT,
                                  .file = "",
                                  .plugin_dirs = plugin_dirs,
                                  .options = options};
    struct flame_context_config where = {.struct_size = sizeof(where),
                                         .file = value_of(driver, "context")};
    int32_t status = flame_open(&config, &driver->flame, &driver->err);

    if (status == FLAME_OK && (where.file || value_of(driver, "environment")))
        status = flame_context_open(&where, &driver->context, &driver->err);
    return status;
}

static void add_option(struct driver *driver, const char *name, const char *value)
{
    size_t count = 0;

    while (driver->options[count])
        count++;
    if (!value)
        return;
    driver->options[count] = name;
    driver->options[count + 1] = value;
    driver->task.options = driver->options;
}

static void prepare(struct driver *driver)
{
    const char *cancel_at = value_of(driver, "cancel_at");
    const char *rate = value_of(driver, "rate");

    driver->task = FLAME_INIT(flame_task);
    driver->result = FLAME_INIT(flame_result);
    driver->err = FLAME_INIT(flame_error);
    driver->task.path = value_of(driver, "path");
    driver->task.flags = value_of(driver, "keep") ? FLAME_TASK_KEEP : 0;
    driver->task.url = value_of(driver, "url");
    driver->task.digest = value_of(driver, "digest");
    add_option(driver, "tls.ca", value_of(driver, "ca"));
    add_option(driver, "tls.verify", value_of(driver, "verify"));
    driver->task.data = driver;
    driver->task.progress = on_progress;
    driver->task.bytes_per_second = rate ? strtoull(rate, NULL, 10) : 0;
    driver->cancel_at = cancel_at ? strtoull(cancel_at, NULL, 10) : 0;
}

static int32_t run(struct driver *driver, const char *call)
{
    if (strncmp(call, "storage-", 8) == 0)
        return run_storage(driver, call + 8);
    if (strncmp(call, "object-", 7) == 0)
        return run_object(driver, call + 7);
    if (strcmp(call, "encode") == 0)
        return encode(driver);
    if (strcmp(call, "settings") == 0)
        return settings(driver);
    if (strcmp(call, "decode") == 0)
        return decode(driver);
    return strcmp(call, "keys") == 0 ? keys(driver) : ref_url(driver);
}

int main(int argc, char **argv)
{
    struct driver driver = {.words = argv + 1};
    int32_t status;

    if (argc < 2)
        return 2;
    prepare(&driver);
    status = open_all(&driver);
    if (status == FLAME_OK)
        status = run(&driver, argv[1]);
    tell("status", flame_status_name(status));
    tell("message", driver.err.message);
    if (status == FLAME_OK) {
        tell("url", driver.result.url);
        tell("validator", driver.result.validator);
        tell_number("size", driver.result.size);
    }
    flame_result_done(&driver.result);
    flame_context_close(driver.context);
    flame_close(driver.flame);
    return 0;
}
