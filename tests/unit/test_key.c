/* SPDX-License-Identifier: Apache-2.0 */
#include "config_fixture.h"
#include "request/key.h"

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define XYZ "sha256:3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282"

#define KEY_TEST(name) Test(key, name, .init = enter_temp_dir, .fini = leave_temp_dir)

static void key_in(const struct flame_task *said, const char *config_text,
                   uint8_t key[FL_KEY_BYTES])
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_config *config = loaded(config_text);
    struct fl_task task;

    cr_assert_eq(fl_task_init(&task, FLAME_FETCH, said, 80, &err), FLAME_OK, "%s", err.message);
    cr_assert_eq(fl_task_settle(&task, config, NULL, &err), FLAME_OK, "%s", err.message);
    fl_task_key(&task, config, key);
    fl_task_done(&task);
    fl_config_free(config);
}

static void key_of(const struct flame_task *said, uint8_t key[FL_KEY_BYTES])
{
    key_in(said, "{}", key);
}

static struct flame_task plain(void)
{
    struct flame_task task = FLAME_INIT(flame_task);

    task.url = "http://host.test/a/b";
    task.path = "out";
    return task;
}

static const char *const one[] = {"http://mirror.test/1", NULL};
static const char *const other[] = {"http://mirror.test/2", NULL};
static const char *const both[] = {"http://mirror.test/1", "http://mirror.test/2", NULL};
static const char *const turned[] = {"http://mirror.test/2", "http://mirror.test/1", NULL};
static const char *const header[] = {"X-A", "1", NULL};
static const char *const header_value[] = {"X-A", "2", NULL};
static const char *const header_name[] = {"X-B", "1", NULL};
static const char *const header_shifted[] = {"X-A1", "", NULL};
static const char *const secret[] = {"auth.bearer", "one", NULL};
static const char *const secret_other[] = {"auth.bearer", "two", NULL};
static const char *const option[] = {"net.user_agent", "one", NULL};
static const char *const option_other[] = {"net.user_agent", "two", NULL};

KEY_TEST(all_that_decides_which_bytes_come_is_in_it)
{
    static const struct {
        size_t offset;
        const void *value;
    } texts[] = {
        {offsetof(struct flame_task, url), "http://host.test/a/c"},
        {offsetof(struct flame_task, url), "http://host.test:8080/a/b"},
        {offsetof(struct flame_task, url), "http://host.test/a/b?q"},
        {offsetof(struct flame_task, url), "http://user:word@host.test/a/b"},
        {offsetof(struct flame_task, url), "http://other:word@host.test/a/b"},
        {offsetof(struct flame_task, digest), ABC},
        {offsetof(struct flame_task, digest), XYZ},
        {offsetof(struct flame_task, checksum_url), "SUMS"},
        {offsetof(struct flame_task, checksum_url), "SUMS2"},
        {offsetof(struct flame_task, validator), "v1"},
        {offsetof(struct flame_task, validator), ""},
        {offsetof(struct flame_task, mirrors), one},
        {offsetof(struct flame_task, mirrors), other},
        {offsetof(struct flame_task, mirrors), both},
        {offsetof(struct flame_task, mirrors), turned},
        {offsetof(struct flame_task, headers), header},
        {offsetof(struct flame_task, headers), header_value},
        {offsetof(struct flame_task, headers), header_name},
        {offsetof(struct flame_task, headers), header_shifted},
        {offsetof(struct flame_task, secrets), secret},
        {offsetof(struct flame_task, secrets), secret_other},
        {offsetof(struct flame_task, options), option},
        {offsetof(struct flame_task, options), option_other},
    };
    static const uint32_t flags[] = {FLAME_TASK_KEEP,        FLAME_TASK_REPLACE,
                                     FLAME_TASK_REMOTE_TIME, FLAME_TASK_ALLOW_UNPROVEN,
                                     FLAME_TASK_CREATE_DIRS, FLAME_TASK_NO_RESUME};
    enum { TEXTS = sizeof(texts) / sizeof(*texts), FLAGS = sizeof(flags) / sizeof(*flags) };
    static uint8_t keys[TEXTS + FLAGS + 3][FL_KEY_BYTES];
    size_t count = 0;
    struct flame_task task;

    for (size_t i = 0; i < TEXTS; i++) {
        task = plain();
        memcpy((char *)&task + texts[i].offset, &texts[i].value, sizeof(texts[i].value));
        key_of(&task, keys[count++]);
    }
    for (size_t i = 0; i < FLAGS; i++) {
        task = plain();
        task.flags = flags[i];
        key_of(&task, keys[count++]);
    }
    task = plain();
    key_of(&task, keys[count++]);
    task.durability = FLAME_DURABILITY_NONE;
    key_of(&task, keys[count++]);
    task = plain();
    task.max_bytes = 5;
    key_of(&task, keys[count++]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(memcmp(keys[i], keys[k], FL_KEY_BYTES), 0, "%zu and %zu", i, k);
}

KEY_TEST(what_only_says_how_it_is_done_is_not_in_it)
{
    struct flame_task task = plain();
    uint8_t first[FL_KEY_BYTES];
    uint8_t second[FL_KEY_BYTES];

    key_of(&task, first);
    task.path = "elsewhere";
    task.attempts = 7;
    task.stall_timeout_ms = 5;
    task.total_timeout_ms = 5;
    task.retry_delay_ms = 5;
    task.bytes_per_second = 5;
    task.connections = 5;
    task.data = &task;
    key_of(&task, second);
    cr_expect_eq(memcmp(first, second, FL_KEY_BYTES), 0);
}

KEY_TEST(equal_is_equal_wherever_the_strings_lie_and_however_the_url_is_spelt)
{
    char url[] = "HTTP://Host.Test:80/a/./b";
    char name[] = "X-A";
    char value[] = "1";
    const char *const headers[] = {name, value, NULL};
    struct flame_task task = plain();
    uint8_t first[FL_KEY_BYTES];
    uint8_t second[FL_KEY_BYTES];

    task.headers = header;
    task.digest = ABC;
    key_of(&task, first);
    task.url = url;
    task.headers = headers;
    key_of(&task, second);
    cr_expect_eq(memcmp(first, second, FL_KEY_BYTES), 0);
}

KEY_TEST(a_digest_in_the_url_is_one_that_was_given)
{
    char url[256];
    struct flame_task task = plain();
    uint8_t first[FL_KEY_BYTES];
    uint8_t second[FL_KEY_BYTES];

    task.digest = ABC;
    key_of(&task, first);
    task.digest = NULL;
    (void)snprintf(url, sizeof(url), "%s#sha256=%s", task.url, ABC + 7);
    task.url = url;
    key_of(&task, second);
    cr_expect_eq(memcmp(first, second, FL_KEY_BYTES), 0);
}

KEY_TEST(the_configured_secret_is_in_it)
{
    struct flame_task task = plain();
    uint8_t keys[3][FL_KEY_BYTES];

    key_in(&task, "{}", keys[0]);
    key_in(&task, "{\"origins\": {\"http://host.test:80\": {\"auth.bearer\": \"one\"}}}", keys[1]);
    key_in(&task, "{\"origins\": {\"http://host.test:80\": {\"auth.bearer\": \"two\"}}}", keys[2]);
    cr_expect_neq(memcmp(keys[0], keys[1], FL_KEY_BYTES), 0);
    cr_expect_neq(memcmp(keys[0], keys[2], FL_KEY_BYTES), 0);
    cr_expect_neq(memcmp(keys[1], keys[2], FL_KEY_BYTES), 0);
}

KEY_TEST(the_configured_durability_and_limit_are_in_it)
{
    struct flame_task task = plain();
    uint8_t keys[3][FL_KEY_BYTES];

    key_in(&task, "{}", keys[0]);
    key_in(&task, "{\"options\": {\"dest.durability\": \"none\"}}", keys[1]);
    key_in(&task, "{\"options\": {\"limit.bytes\": \"5\"}}", keys[2]);
    cr_expect_neq(memcmp(keys[0], keys[1], FL_KEY_BYTES), 0);
    cr_expect_neq(memcmp(keys[0], keys[2], FL_KEY_BYTES), 0);
}
