/* SPDX-License-Identifier: Apache-2.0 */
/* A context with the plugin "fickle", whose script is set; two versions of one object; a task to
 * fetch it. Only one of a program's files may include it. */
#ifndef FICKLE_FIXTURE_H
#define FICKLE_FIXTURE_H

#include "../plugins/fickle/fickle.h"

#include "background.h"

#include <dlfcn.h>
#include <stdlib.h>

#define SIZE ((8ULL << 20) + 12345) /* large enough for a partial by name */
#define MORE 7ULL                   /* the buffers have so many bytes more */
#define CUT ((5ULL << 20) + 77)

static struct flame *flame;
static struct scratch scratch;
static struct flame_task task;
static struct flame_result result;
static struct flame_error err;
static struct fickle_script *script;
static char *one, *two; /* the versions */
static uint32_t restarts;

/* An answer of version one, whole unless it says otherwise. */
#define ONE(...)                                                                                   \
    {                                                                                              \
        .bytes = one, .size = SIZE, .validator = "one", __VA_ARGS__                                \
    }

static inline void count_restart(void *data, const struct flame_event *event)
{
    (void)data;
    restarts += event->kind == FLAME_EVENT_RESTART;
}

static inline struct flame *open_with_fickle(void)
{
    static const char *const dirs[] = {FLAME_BINARY_DIR "/tests/fickle", NULL};
    struct flame_config config = FLAME_INIT(flame_config);

    config.plugin_dirs = dirs;
    return open_configured(config);
}

static inline struct fickle_script *find_script(void)
{
    void *plugin =
        dlopen(FLAME_BINARY_DIR "/tests/fickle/fickle.so", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *found = plugin ? dlsym(plugin, FICKLE_SYMBOL) : NULL;

    cr_assert_not_null(found, "%s", dlerror());
    (void)dlclose(plugin);
    return found;
}

static inline void fickle_set_up(void)
{
    scratch_open(&scratch);
    result = FLAME_INIT(flame_result);
    err = FLAME_INIT(flame_error);
    flame = open_with_fickle();
    script = find_script();
    one = malloc(SIZE + MORE);
    two = malloc(SIZE + MORE);
    cr_assert(one && two);
    for (uint64_t i = 0; i < SIZE + MORE; i++) {
        one[i] = (char)(i % 251 + i / 65521);
        two[i] = (char)(i % 241 + i / 65519 + 1);
    }
    task = FLAME_INIT(flame_task);
    task.url = "fickle:/x";
    task.path = scratch_path(&scratch, "out");
    task.retry_delay_ms = 1;
    task.event = count_restart;
}

static inline void fickle_tear_down(void)
{
    flame_result_done(&result);
    flame_close(flame);
    scratch_close(&scratch);
    free(one);
    free(two);
}

/* From now on it answers so, the last for ever. */
static inline void play(const struct fickle_answer *answers, uint32_t count)
{
    memcpy(script->answers, answers, count * sizeof(*answers));
    script->count = count;
    atomic_store(&script->asked, 0);
    atomic_store(&script->rests, 0);
    atomic_store(&script->bare, 0);
    restarts = 0;
}

static inline int32_t fetch(void)
{
    flame_result_done(&result);
    err = FLAME_INIT(flame_error);
    return flame_run(flame, FLAME_FETCH, &task, &result, &err);
}

#endif
