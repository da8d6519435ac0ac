/* SPDX-License-Identifier: Apache-2.0 */
/* The store without a server: order, ranges, and many threads (under a race detector too). */
#include "keys.h"
#include "store.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define WRITERS 4
#define TURNS 50

static struct fl_cache_store *open_store(void)
{
    struct fl_cache_store_config config = {.directory = NULL};
    struct fl_cache_status status = {FL_CACHE_OK, ""};
    struct fl_cache_store *store = NULL;
    uint32_t passed_over;

    cr_assert(fl_cache_store_open(&store, &config, &passed_over, &status), "%s", status.text);
    return store;
}

static struct fl_flight_key key_of(const char *text)
{
    const uint32_t all = FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION | FL_FLIGHT_KEY_APPLICATION;
    struct fl_cache_status status = {FL_CACHE_OK, ""};
    struct fl_flight_key key;

    cr_assert(fl_cache_key_read(fl_flight_text(text), all, &key, &status), "%s", status.text);
    return key;
}

static uint64_t put(struct fl_cache_store *store, const char *text, const char *bytes,
                    bool is_patch)
{
    struct fl_cache_status status = {FL_CACHE_OK, ""};
    struct fl_cache_draft *draft = fl_cache_draft_new(store, &status);
    struct flame_slice slice = {bytes, strlen(bytes)};
    struct fl_flight_key key = key_of(text);
    uint64_t version = 0;

    cr_assert(draft && fl_cache_draft_write(draft, &slice, 1, &status) &&
                  fl_cache_draft_part(draft, is_patch, &status),
              "%s", status.text);
    if (is_patch)
        cr_assert(fl_cache_store_patch(store, draft, &key, &version, &status), "%s", status.text);
    else
        cr_assert(fl_cache_store_put(store, draft, &key, &version, &status), "%s", status.text);
    fl_cache_draft_free(draft);
    return version;
}

static void expect_list(struct fl_cache_store *store, const char *want)
{
    struct fl_cache_listed listed = {.key = ""};
    char *got = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&got, &size);

    cr_assert_not_null(out);
    while (fl_cache_store_next(store, &listed))
        (void)fprintf(out, "%s=%d ", listed.key, (int)listed.bytes);
    cr_assert_eq(fclose(out), 0);
    cr_expect_str_eq(got, want);
    free(got);
}

static void remove_all(struct fl_cache_store *store, const char *text)
{
    struct fl_cache_status status = {FL_CACHE_OK, ""};
    struct fl_flight_key key = key_of(text);

    cr_expect(fl_cache_store_remove(store, &key, &status), "%s", status.text);
}

Test(store, a_key_covers_its_own_and_no_neighbour)
{
    static const char *const keys[] = {"a/b/c",  "a/b/c0", "a/b/d", "a/b0/c", "a/b-/c",
                                       "a0/b/c", "a-/b/c", "a/a/c", "b/b/c"};
    struct fl_cache_store *store = open_store();

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        (void)put(store, keys[i], "x", false);
    (void)put(store, "a/b/c", "xyz", true);
    expect_list(store, "a-/b/c=1 a/a/c=1 a/b-/c=1 a/b/c=4 a/b/c0=1 a/b/d=1 a/b0/c=1 a0/b/c=1 "
                       "b/b/c=1 ");
    remove_all(store, "a/b/c");
    expect_list(store, "a-/b/c=1 a/a/c=1 a/b-/c=1 a/b/c0=1 a/b/d=1 a/b0/c=1 a0/b/c=1 b/b/c=1 ");
    remove_all(store, "a/b");
    expect_list(store, "a-/b/c=1 a/a/c=1 a/b-/c=1 a/b0/c=1 a0/b/c=1 b/b/c=1 ");
    remove_all(store, "a/*");
    expect_list(store, "a-/b/c=1 a0/b/c=1 b/b/c=1 ");
    remove_all(store, "c/*");
    remove_all(store, "b/b");
    expect_list(store, "a-/b/c=1 a0/b/c=1 ");
    fl_cache_store_close(store);
}

Test(store, a_listing_goes_on_behind_what_was_removed_meanwhile)
{
    struct fl_cache_store *store = open_store();
    struct fl_cache_listed listed = {.key = ""};

    (void)put(store, "a/b/1", "", false);
    (void)put(store, "a/b/2", "", false);
    (void)put(store, "a/b/3", "", false);
    cr_assert(fl_cache_store_next(store, &listed) && fl_cache_store_next(store, &listed));
    cr_expect_str_eq(listed.key, "a/b/2");
    remove_all(store, "a/b/2");
    (void)put(store, "a/b/0", "", false);
    cr_assert(fl_cache_store_next(store, &listed));
    cr_expect_str_eq(listed.key, "a/b/3");
    cr_expect_not(fl_cache_store_next(store, &listed));
    fl_cache_store_close(store);
}

static void *write_and_read(void *context)
{
    struct fl_cache_store *store = context;
    struct fl_flight_key key = key_of("a/b/shared");

    for (int turn = 0; turn < TURNS; turn++) {
        struct fl_cache_status status = {FL_CACHE_OK, ""};
        struct fl_cache_object *object;

        if (turn % 3)
            (void)put(store, "a/b/shared", "patch", true);
        else
            (void)put(store, "a/b/shared", "base", false);
        cr_assert(fl_cache_store_take(store, &key, &object, &status), "%s", status.text);
        cr_assert_eq(fl_cache_record_end(&object->record),
                     4 + (uint64_t)(object->record.parts - 1) * 5);
        fl_cache_store_give(store, object);
    }
    return NULL;
}

Test(store, no_version_is_given_twice)
{
    struct fl_cache_store *store = open_store();
    pthread_t threads[WRITERS];

    (void)put(store, "a/b/shared", "base", false);
    for (int i = 0; i < WRITERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, write_and_read, store), 0);
    for (int i = 0; i < WRITERS; i++)
        (void)pthread_join(threads[i], NULL);
    cr_expect_eq(put(store, "a/b/shared", "", false), WRITERS * TURNS + 2);
    fl_cache_store_close(store);
}
