/* SPDX-License-Identifier: Apache-2.0 */
/* One storage, one cache, one context, used by many threads at once. */
#include "scratch.h"

#include <flame/object.h>
#include <flame/storage.h>

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define THREADS 8
#define ROUNDS 6

static struct scratch scratch;
static struct flame *flame;
static struct flame_storage *storage;

static void set_up(void)
{
    static const char *const dirs[] = {FLAME_TEST_PLUGIN_DIR, NULL};
    static const struct flame_config config = {.struct_size = sizeof(config),
                                               .flags = FLAME_CONFIG_NO_ENVIRONMENT,
                                               .file = "",
                                               .plugin_dirs = dirs};
    struct flame_error err = FLAME_INIT(flame_error);

    scratch_open(&scratch);
    cr_assert_eq(mkdir(scratch_path(&scratch, "base"), 0777), 0);
    cr_assert_eq(flame_open(&config, &flame, &err), FLAME_OK, "%s", err.message);
    cr_assert_eq(
        flame_storage_open(flame, NULL, scratch_url(&scratch, "base"), "app", &storage, &err),
        FLAME_OK, "%s", err.message);
}

static void tear_down(void)
{
    flame_storage_close(storage);
    flame_close(flame);
    scratch_close(&scratch);
}

/* What one thread does: its own package again and again, and one that all write. */
struct worker {
    pthread_t thread;
    char *source;
    char *out;
    char name[16];
    int failures;
};

static int32_t seen(void *data, const char *name, uint64_t size)
{
    const struct worker *worker = data;

    return strcmp(name, worker->name) == 0 && size == strlen(worker->name);
}

static void round_of(struct worker *worker)
{
    struct flame_task task = FLAME_INIT(flame_task);
    int32_t exists = 0;

    task.path = worker->source;
    worker->failures += flame_storage_upload(storage, worker->name, &task, NULL, NULL) != FLAME_OK;
    worker->failures += flame_storage_upload(storage, "shared", &task, NULL, NULL) != FLAME_OK;
    worker->failures += flame_storage_list(storage, NULL, seen, worker, NULL) != FLAME_OK;
    worker->failures +=
        flame_storage_exists(storage, worker->name, NULL, &exists, NULL) != FLAME_OK || !exists;
    task.path = worker->out;
    worker->failures +=
        flame_storage_download(storage, worker->name, &task, NULL, NULL) != FLAME_OK;
    worker->failures += flame_storage_remove(storage, worker->name, NULL, NULL) != FLAME_OK;
}

static void *work(void *data)
{
    struct worker *worker = data;

    for (int i = 0; i < ROUNDS; i++)
        round_of(worker);
    return NULL;
}

Test(storage_threads, share_one_storage, .init = set_up, .fini = tear_down, .timeout = 120)
{
    static struct worker workers[THREADS];

    for (int i = 0; i < THREADS; i++) {
        struct worker *worker = &workers[i];
        char out[16];

        (void)snprintf(worker->name, sizeof(worker->name), "package-%d", i);
        worker->source =
            strdup(scratch_write(&scratch, worker->name, worker->name, strlen(worker->name)));
        (void)snprintf(out, sizeof(out), "out-%d", i);
        worker->out = strdup(scratch_path(&scratch, out));
        cr_assert_eq(pthread_create(&worker->thread, NULL, work, worker), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        struct worker *worker = &workers[i];

        (void)pthread_join(worker->thread, NULL);
        cr_expect_eq(worker->failures, 0, "%s: %d calls failed", worker->name, worker->failures);
        cr_expect(scratch_holds(worker->out, worker->name, strlen(worker->name)));
        free(worker->source);
        free(worker->out);
    }
}

/* Without a plugin nothing is sent; what is shared is ours. */
static void *ask(void *data)
{
    struct flame_object_ref ref = FLAME_INIT(flame_object_ref);
    struct flame_objects *objects = data;
    int64_t failures = 0;

    for (int i = 0; i < 200; i++) {
        failures += flame_object_remove(objects, "no key", NULL, NULL) != FLAME_ERR_INVALID;
        failures += flame_object_download(objects, &ref, NULL, NULL, NULL) != FLAME_ERR_INVALID;
        failures += strcmp(flame_objects_endpoint(objects), "grpc://host:9090") != 0;
    }
    return (void *)(intptr_t)failures;
}

Test(storage_threads, share_one_cache, .init = set_up, .fini = tear_down, .timeout = 60)
{
    struct flame_objects *objects = NULL;
    pthread_t threads[THREADS];

    cr_assert_eq(flame_objects_open(flame, NULL, "grpc://host", &objects, NULL), FLAME_OK);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask, objects), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failures;

        (void)pthread_join(threads[i], &failures);
        cr_expect_eq(failures, NULL);
    }
    flame_objects_close(objects);
}
