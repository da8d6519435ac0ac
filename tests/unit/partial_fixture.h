/* SPDX-License-Identifier: Apache-2.0 */
/* Partials of a destination "file": made, left, looked at, and their state falsified. */
#ifndef PARTIAL_FIXTURE_H
#define PARTIAL_FIXTURE_H

#include "publish/partial.h"
#include "publish/state.h"
#include "publish_fixture.h"

/* The first 8 bytes of the SHA-256 of "file". */
#define HASH "3b9c358f36f0a31b"
#define PART ".flame-part-" HASH
#define STATE ".flame-part-" HASH ".state"

static inline struct fl_partial about(const char *validator)
{
    struct fl_partial partial = {.total = 100, .prefix = UINT64_MAX};

    (void)stpcpy(partial.validator, validator);
    (void)stpcpy(partial.origin, "https://host");
    (void)stpcpy(partial.digest, "sha256:00");
    return partial;
}

static inline struct fl_publish *opened_file(void)
{
    struct fl_destination destination = to("file");

    return opened(&destination);
}

static inline void keep(struct fl_publish *publish, const struct fl_partial *partial)
{
    struct flame_error err = FLAME_INIT(flame_error);

    cr_assert_eq(fl_publish_keep(publish, partial, &err), FLAME_OK, "%s", err.message);
}

static inline void append(struct fl_publish *publish, const char *text)
{
    cr_assert_eq(write(fl_publish_fd(publish), text, strlen(text)), (ssize_t)strlen(text));
}

static inline struct fl_publish *kept_with(const char *validator, const char *text)
{
    struct fl_publish *publish = opened_file();
    struct fl_partial partial = about(validator);

    append(publish, text);
    keep(publish, &partial);
    return publish;
}

static inline void advance(struct fl_publish *publish, const char *validator, uint64_t durable)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_partial partial = about(validator);

    cr_assert_eq(fl_publish_advance(publish, &partial, durable, &err), FLAME_OK, "%s", err.message);
    cr_expect_eq(partial.durable, durable);
}

static inline void leave(struct fl_publish *publish)
{
    fl_publish_leave(publish, true);
    fl_publish_free(publish);
}

/* "validator" of which `text` is all that is good was left; returns the publish that has it. */
static inline struct fl_publish *expect_adopted(const char *validator, const char *text)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_publish *publish = opened_file();
    struct fl_partial partial = {.total = 0};
    char found[128] = "";
    uint64_t usable = 0;

    cr_assert_eq(fl_publish_adopt(publish, &partial, &usable, &err), FLAME_OK, "%s", err.message);
    cr_expect_str_eq(partial.validator, validator);
    cr_expect_eq(usable, strlen(text));
    cr_assert_geq(pread(fl_publish_fd(publish), found, sizeof(found) - 1, 0), 0);
    cr_expect_str_eq(found, text);
    return publish;
}

/* Nothing usable is there, and nothing stays; the publish works all the same. */
static inline void expect_nothing_usable(int entries)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_publish *publish = opened_file();
    struct fl_partial partial = {.total = 7};
    uint64_t usable = 7;

    cr_expect_eq(fl_publish_adopt(publish, &partial, &usable, &err), FLAME_ERR_NOT_FOUND, "%s",
                 err.message);
    cr_expect_str_eq(err.message, "nothing usable of 'file' was left");
    cr_expect_eq(usable, 7);
    cr_expect_eq(partial.total, 7);
    cr_expect_eq(count_entries("."), entries, "%d entries", count_entries("."));
    append(publish, "whole");
    commit(publish);
    expect_text("file", "whole");
    cr_assert_eq(unlink("file"), 0);
}

static inline struct fl_state read_state(void)
{
    struct fl_state state;
    int fd = open(STATE, O_RDONLY | O_CLOEXEC);

    cr_assert_eq(fl_state_read(fd, &state), 0);
    cr_assert_eq(close(fd), 0);
    return state;
}

static inline void write_state(struct fl_state *state)
{
    int fd = open(STATE, O_RDWR | O_CLOEXEC);

    cr_assert_eq(fl_state_write(fd, state), 0);
    cr_assert_eq(close(fd), 0);
}

/* The machine was started anew since. */
static inline void another_boot(void)
{
    struct fl_state state = read_state();

    (void)stpcpy(state.boot, "another");
    write_state(&state);
}

#endif
