/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "transfer/mailbox.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct fl_mailbox mailbox;
static int order[8];
static int read_count;

static void set_up(void)
{
    cr_assert_eq(fl_mailbox_init(&mailbox, NULL), FLAME_OK);
}

static void tear_down(void)
{
    fl_mailbox_done(&mailbox);
}

#define MAILBOX_TEST(name) Test(mailbox, name, .init = set_up, .fini = tear_down, .timeout = 60)

static bool is_readable(void)
{
    return poll(&(struct pollfd){.fd = mailbox.fd, .events = POLLIN}, 1, 0) == 1;
}

static void note(void *data)
{
    order[read_count++] = *(const int *)data;
}

static const int numbers[] = {0, 1, 2, 3};

static struct fl_letter letter_of(int number)
{
    return (struct fl_letter){.read = note, .data = (void *)(uintptr_t)&numbers[number]};
}

MAILBOX_TEST(letters_are_read_once_in_the_order_they_came)
{
    struct fl_letter letters[3] = {letter_of(0), letter_of(1), letter_of(2)};

    for (int i = 0; i < 3; i++)
        cr_expect(fl_mailbox_post(&mailbox, &letters[i]));
    cr_expect_not(fl_mailbox_post(&mailbox, &letters[1]), "it lies there already");
    for (int i = 0; i < 3; i++)
        cr_expect(fl_mailbox_read(&mailbox, 0));
    cr_expect_not(fl_mailbox_read(&mailbox, 0));
    cr_assert_eq(read_count, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(order[i], i);
    cr_expect(fl_mailbox_post(&mailbox, &letters[1]), "once read it may be posted again");
    cr_expect(fl_mailbox_read(&mailbox, 0));
}

MAILBOX_TEST(a_letter_can_be_taken_back_from_any_place)
{
    struct fl_letter letters[4] = {letter_of(0), letter_of(1), letter_of(2), letter_of(3)};

    for (int i = 0; i < 4; i++)
        (void)fl_mailbox_post(&mailbox, &letters[i]);
    cr_expect(fl_mailbox_recall(&mailbox, &letters[0]));
    cr_expect(fl_mailbox_recall(&mailbox, &letters[3]));
    cr_expect_not(fl_mailbox_recall(&mailbox, &letters[3]));
    (void)fl_mailbox_post(&mailbox, &letters[0]); /* the end of the list is where it was */
    while (fl_mailbox_read(&mailbox, 0))
        continue;
    cr_assert_eq(read_count, 3);
    cr_expect_eq(order[0], 1);
    cr_expect_eq(order[1], 2);
    cr_expect_eq(order[2], 0);
    cr_expect_not(fl_mailbox_recall(&mailbox, &letters[1]));
}

MAILBOX_TEST(the_descriptor_is_readable_exactly_while_a_letter_waits)
{
    struct fl_letter letters[2] = {letter_of(0), letter_of(1)};

    cr_expect_not(is_readable());
    (void)fl_mailbox_post(&mailbox, &letters[0]);
    cr_expect(is_readable());
    (void)fl_mailbox_post(&mailbox, &letters[1]);
    cr_expect(is_readable());
    (void)fl_mailbox_read(&mailbox, 0);
    cr_expect(is_readable());
    (void)fl_mailbox_read(&mailbox, 0);
    cr_expect_not(is_readable());
    (void)fl_mailbox_post(&mailbox, &letters[0]);
    cr_expect(is_readable());
    (void)fl_mailbox_recall(&mailbox, &letters[0]);
    cr_expect_not(is_readable());
}

MAILBOX_TEST(reading_waits_as_long_as_it_is_told)
{
    uint64_t began = fl_now_ns();

    cr_expect_not(fl_mailbox_read(&mailbox, 60));
    cr_expect_geq(fl_now_ns() - began, 60 * FL_NS_PER_MS);
    cr_expect_lt(fl_now_ns() - began, 2000 * FL_NS_PER_MS);
}

static void *post_late(void *data)
{
    usleep(30000);
    (void)fl_mailbox_post(&mailbox, data);
    return NULL;
}

MAILBOX_TEST(a_letter_ends_the_waiting_for_it)
{
    struct fl_letter letter = letter_of(1);
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, post_late, &letter), 0);
    cr_expect(fl_mailbox_read(&mailbox, UINT32_MAX));
    (void)pthread_join(thread, NULL);
    cr_expect_eq(read_count, 1);
}

static atomic_int total;

static void add(void *data)
{
    (void)data;
    atomic_fetch_add(&total, 1);
}

static void *post_many(void *data)
{
    struct fl_letter letters[16];
    int posted = 0;

    for (int i = 0; i < 16; i++)
        letters[i] = (struct fl_letter){.read = add};
    for (int i = 0; i < 2000; i++) {
        if (fl_mailbox_post(&mailbox, &letters[i % 16]))
            posted++;
        if (i % 5 == 0 && fl_mailbox_recall(&mailbox, &letters[(i + 3) % 16]))
            posted--;
    }
    for (int i = 0; i < 16; i++)
        posted -= fl_mailbox_recall(&mailbox, &letters[i]);
    atomic_fetch_add((atomic_int *)data, posted);
    return NULL;
}

static void *read_many(void *data)
{
    const atomic_bool *is_over = data;

    while (!atomic_load(is_over))
        (void)fl_mailbox_read(&mailbox, 5);
    return NULL;
}

MAILBOX_TEST(every_letter_is_read_or_taken_back_on_many_threads)
{
    atomic_int posted = 0;
    atomic_bool is_over = false;
    pthread_t posters[4];
    pthread_t readers[3];

    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&readers[i], NULL, read_many, &is_over), 0);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&posters[i], NULL, post_many, &posted), 0);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(posters[i], NULL);
    atomic_store(&is_over, true);
    for (int i = 0; i < 3; i++)
        (void)pthread_join(readers[i], NULL);
    cr_expect_eq(atomic_load(&total), atomic_load(&posted));
    cr_expect_not(is_readable());
}
