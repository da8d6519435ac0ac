/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/lock.h"
#include "publish_fixture.h"
#include "skip.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

TestSuite(publish_lock, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 120);

static const uint8_t key_a[FL_LOCK_KEY_BYTES] = {1, 2, 3};
static const uint8_t key_b[FL_LOCK_KEY_BYTES] = {1, 2, 4};

static struct fl_lock *prepared(const uint8_t *key)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_destination destination = to("file");
    struct fl_publish *publish = opened(&destination);
    struct fl_lock *lock = NULL;

    cr_assert_eq(fl_lock_open(publish, key, &lock, &err), FLAME_OK, "%s", err.message);
    fl_publish_free(publish);
    return lock;
}

static struct fl_lock *held(const uint8_t *key)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_lock *lock = prepared(key);
    bool is_made = true;

    cr_assert_eq(fl_lock_try(lock, &is_made, &err), FLAME_OK, "%s", err.message);
    cr_expect_not(is_made);
    return lock;
}

static void expect_try(struct fl_lock *lock, int32_t status, bool made)
{
    bool is_made = !made;

    cr_expect_eq(fl_lock_try(lock, &is_made, NULL), status);
    if (status == FLAME_OK)
        cr_expect_eq(is_made, made);
    else
        cr_expect_eq(is_made, !made, "untouched on failure");
}

static void put_result(const char *text)
{
    struct fl_destination destination = to("file");

    publish_text(&destination, text);
}

Test(publish_lock, one_holds_it_and_the_others_are_told_so)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_lock *first = held(key_a);
    struct fl_lock *second = prepared(key_a);
    bool is_made = false;

    cr_expect_eq(mode_of(lock_name()) & 07777, 0600);
    cr_expect_eq(fl_lock_try(second, &is_made, &err), FLAME_ERR_LOCKED);
    cr_expect_str_eq(err.message, "'file' is being made by another process");
    expect_try(second, FLAME_ERR_LOCKED, false);
    fl_lock_close(first, false);
    expect_try(second, FLAME_OK, false);
    fl_lock_close(second, false);
    fl_lock_close(NULL, false);
    cr_expect_eq(count_entries("."), 0, "the lock's file is gone");
}

Test(publish_lock, another_destination_has_another_lock_in_the_same_file)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_destination destination = to("other");
    struct fl_publish *publish = opened(&destination);
    struct fl_lock *first = held(key_a);
    struct fl_lock *second = NULL;

    cr_assert_eq(fl_lock_open(publish, key_a, &second, &err), FLAME_OK, "%s", err.message);
    expect_try(second, FLAME_OK, false);
    cr_expect_eq(count_entries("."), 1);
    fl_lock_close(second, false);
    cr_expect_eq(count_entries("."), 1, "the first still holds it");
    fl_lock_close(first, false);
    fl_publish_free(publish);
    cr_expect_eq(count_entries("."), 0);
}

Test(publish_lock, who_waited_takes_what_was_made_for_an_equal_key)
{
    struct fl_lock *leader = held(key_a);
    struct fl_lock *refused = prepared(key_a);
    struct fl_lock *refused_too = prepared(key_a);
    struct fl_lock *of_another = prepared(key_b);

    expect_try(refused, FLAME_ERR_LOCKED, false);
    expect_try(refused_too, FLAME_ERR_LOCKED, false);
    expect_try(of_another, FLAME_ERR_LOCKED, false);
    put_result("hello");
    fl_lock_close(leader, true);
    expect_try(refused, FLAME_OK, true);
    expect_try(refused_too, FLAME_OK, true);
    expect_try(of_another, FLAME_OK, false);
    fl_lock_close(of_another, false);
    expect_try(refused, FLAME_OK, false);
    fl_lock_close(refused, false);
    fl_lock_close(refused_too, false);
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_lock, nothing_is_written_where_nobody_waits)
{
    struct fl_lock *leader = held(key_a);
    struct stat found;
    int fd = open(lock_name(), O_RDONLY | O_CLOEXEC);

    put_result("hello");
    fl_lock_close(leader, true);
    cr_assert_eq(fstat(fd, &found), 0);
    cr_expect_eq(found.st_size, 0);
    (void)close(fd);
}

Test(publish_lock, a_late_comer_takes_nothing)
{
    struct fl_lock *leader = held(key_a);
    struct fl_lock *late;

    put_result("hello");
    fl_lock_close(leader, true);
    late = prepared(key_a);
    expect_try(late, FLAME_OK, false);
    fl_lock_close(late, false);
}

Test(publish_lock, nothing_is_taken_of_a_leader_who_made_nothing)
{
    struct fl_lock *leader = held(key_a);
    struct fl_lock *waiter = prepared(key_a);

    put_result("old");
    expect_try(waiter, FLAME_ERR_LOCKED, false);
    fl_lock_close(leader, false);
    expect_try(waiter, FLAME_OK, false);
    fl_lock_close(waiter, false);
}

/* Each change alone makes the destination another file than the one in the note. */
static void replace_by_another(void)
{
    put_result("hello");
}

static void write_into(void)
{
    put_file("file", "HELLO");
}

static void write_into_unseen(void)
{
    struct stat before;
    struct timespec times[2];

    cr_assert_eq(stat("file", &before), 0);
    put_file("file", "HELLO");
    times[0] = before.st_atim;
    times[1] = before.st_mtim;
    cr_assert_eq(utimensat(AT_FDCWD, "file", times, 0), 0);
}

static void take_away(void)
{
    cr_assert_eq(unlink("file"), 0);
}

static void put_a_link(void)
{
    cr_assert_eq(rename("file", "moved"), 0);
    cr_assert_eq(symlink("moved", "file"), 0);
}

static void let_time_pass(void)
{
    struct stat now, first;

    put_file("tick", "");
    cr_assert_eq(stat("tick", &first), 0);
    do {
        put_file("tick", "x");
        cr_assert_eq(stat("tick", &now), 0);
    } while (now.st_mtim.tv_sec == first.st_mtim.tv_sec &&
             now.st_mtim.tv_nsec == first.st_mtim.tv_nsec);
    cr_assert_eq(unlink("tick"), 0);
}

Test(publish_lock, what_is_no_longer_that_file_is_not_taken)
{
    static void (*const changes[])(void) = {replace_by_another, write_into, write_into_unseen,
                                            put_a_link, take_away};

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct fl_lock *leader = held(key_a);
        struct fl_lock *waiter = prepared(key_a);

        put_result("hello");
        expect_try(waiter, FLAME_ERR_LOCKED, false);
        fl_lock_close(leader, true);
        let_time_pass();
        changes[i]();
        expect_try(waiter, FLAME_OK, false);
        fl_lock_close(waiter, false);
    }
}

/* What the holder of the lock does before it lets go. */
static void write_note(void)
{
    char hash[FL_BESIDE_HASH_SIZE];
    struct fl_place place;
    int fd = fl_lockfile_open(AT_FDCWD);

    fl_beside_hash("file", hash);
    fl_lockfile_place(hash, &place);
    fl_note_write(fd, place.note, AT_FDCWD, "file", key_a);
    (void)close(fd);
}

/* A child that dies while it holds the lock; with `noted`, after the note. */
static void die_holding(bool noted, int ready, int go)
{
    struct fl_lock *lock = held(key_a);
    char c = 'r';

    if (!lock || write(ready, &c, 1) != 1 || read(go, &c, 1) != 1)
        _exit(1);
    if (noted) {
        put_result("hello");
        write_note();
    }
    (void)kill(getpid(), SIGKILL);
}

struct child {
    pid_t pid;
    int ready[2], go[2];
};

static struct child leader_that_dies(bool noted)
{
    struct child child;
    char c;

    cr_assert_eq(pipe(child.ready), 0);
    cr_assert_eq(pipe(child.go), 0);
    child.pid = fork();
    if (child.pid == 0)
        die_holding(noted, child.ready[1], child.go[0]);
    cr_assert_eq(read(child.ready[0], &c, 1), 1);
    return child;
}

static void let_die(struct child *child)
{
    int status;

    cr_assert_eq(write(child->go[1], "g", 1), 1);
    cr_assert_eq(waitpid(child->pid, &status, 0), child->pid);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    for (int i = 0; i < 2; i++) {
        (void)close(child->ready[i]);
        (void)close(child->go[i]);
    }
}

Test(publish_lock, the_death_of_the_holder_hands_it_to_a_waiter)
{
    struct child leader = leader_that_dies(false);
    struct fl_lock *waiter = prepared(key_a);
    struct fl_lock *third = prepared(key_a);

    expect_try(waiter, FLAME_ERR_LOCKED, false);
    let_die(&leader);
    expect_try(waiter, FLAME_OK, false);
    expect_try(third, FLAME_ERR_LOCKED, false);
    fl_lock_close(waiter, false);
    fl_lock_close(third, false);
    cr_expect_eq(count_entries("."), 0);
}

Test(publish_lock, a_note_whose_writer_died_holding_the_lock_is_for_those_who_waited)
{
    struct child leader = leader_that_dies(true);
    struct fl_lock *waiter = prepared(key_a);
    struct fl_lock *late;

    expect_try(waiter, FLAME_ERR_LOCKED, false);
    let_die(&leader);
    expect_try(waiter, FLAME_OK, true);
    fl_lock_close(waiter, false);
    leader = leader_that_dies(true);
    let_die(&leader);
    late = prepared(key_a);
    expect_try(late, FLAME_OK, false);
    fl_lock_close(late, false);
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_lock, an_old_note_says_nothing_to_who_began_to_wait_after_it)
{
    struct child leader = leader_that_dies(true);
    struct fl_lock *late, *waiter;

    let_die(&leader);
    late = prepared(key_a);
    expect_try(late, FLAME_OK, false);
    waiter = prepared(key_a);
    expect_try(waiter, FLAME_ERR_LOCKED, false);
    fl_lock_close(late, false);
    expect_try(waiter, FLAME_OK, false);
    fl_lock_close(waiter, false);
}

Test(publish_lock, an_old_note_is_not_revived_by_one_who_only_looked_in)
{
    struct child leader = leader_that_dies(true);
    struct fl_lock *late, *looker;

    let_die(&leader);
    late = prepared(key_a);
    looker = prepared(key_a);
    fl_lock_close(looker, false);
    expect_try(late, FLAME_OK, false);
    fl_lock_close(late, false);
}

Test(publish_lock, an_old_note_in_a_file_that_others_keep_is_not_revived_either)
{
    struct child leader = leader_that_dies(true);
    struct fl_destination destination = to("other");
    struct fl_publish *publish = opened(&destination);
    struct fl_lock *keeper = NULL;
    struct fl_lock *late;

    cr_assert_eq(fl_lock_open(publish, key_a, &keeper, NULL), FLAME_OK);
    expect_try(keeper, FLAME_OK, false);
    let_die(&leader);
    fl_lock_close(prepared(key_a), false);
    late = prepared(key_a);
    expect_try(late, FLAME_OK, false);
    fl_lock_close(late, false);
    fl_lock_close(keeper, false);
    fl_publish_free(publish);
}

Test(publish_lock, a_torn_note_is_none)
{
    struct fl_lock *leader = held(key_a);
    struct fl_lock *waiter = prepared(key_a);
    char hash[FL_BESIDE_HASH_SIZE];
    struct fl_place place;
    struct fl_note note;
    int fd = open(lock_name(), O_RDWR | O_CLOEXEC);

    fl_beside_hash("file", hash);
    fl_lockfile_place(hash, &place);
    expect_try(waiter, FLAME_ERR_LOCKED, false);
    put_result("hello");
    fl_lock_close(leader, true);
    fl_note_load(fd, place.note, &note);
    cr_assert_str_eq(note.magic, "flnote1");
    note.sum[31] ^= 1;
    cr_assert_eq(pwrite(fd, &note, sizeof(note), place.note), (ssize_t)sizeof(note));
    (void)close(fd);
    expect_try(waiter, FLAME_OK, false);
    fl_lock_close(waiter, false);
}

Test(publish_lock, a_file_that_others_wait_in_keeps_its_name)
{
    struct fl_lock *leader = held(key_a);
    struct fl_lock *waiter = prepared(key_a);

    expect_try(waiter, FLAME_ERR_LOCKED, false);
    fl_lock_close(leader, false);
    cr_expect_eq(count_entries("."), 1);
    fl_lock_close(waiter, false);
    cr_expect_eq(count_entries("."), 0, "who waited in vain takes it away");
}

Test(publish_lock, who_meets_a_file_that_is_being_taken_away_makes_another)
{
    int fd = fl_lockfile_open(AT_FDCWD);
    struct fl_lock *lock = prepared(key_a);

    cr_assert_eq(fl_lockfile_take_all(fd), 0);
    expect_try(lock, FLAME_ERR_LOCKED, false);
    cr_assert_eq(unlink(lock_name()), 0);
    expect_try(lock, FLAME_OK, false);
    (void)close(fd);
    fl_lock_close(lock, false);
    cr_expect_eq(count_entries("."), 0);
}

Test(publish_lock, the_file_of_another_lock_is_never_unlinked)
{
    struct fl_lock *first = held(key_a);
    struct fl_lock *second, *third;

    cr_assert_eq(unlink(lock_name()), 0, "somebody cleans up");
    second = held(key_a);
    fl_lock_close(first, true);
    third = prepared(key_a);
    expect_try(third, FLAME_ERR_LOCKED, false);
    fl_lock_close(third, false);
    fl_lock_close(second, false);
    cr_expect_eq(count_entries("."), 0);
}

static pthread_barrier_t together;

static void *hold_and_leave(void *hash)
{
    struct fl_place place;
    int fd = fl_lockfile_open(AT_FDCWD);

    fl_lockfile_place(hash, &place);
    if (fl_lockfile_take(fd, &place) != 0)
        return hash;
    (void)pthread_barrier_wait(&together);
    fl_lockfile_leave(AT_FDCWD, fd);
    return NULL;
}

Test(publish_lock, of_two_who_leave_at_once_one_takes_the_file_away)
{
    static char hashes[2][FL_BESIDE_HASH_SIZE] = {"0123456789abcdef", "fedcba9876543210"};

    for (int i = 0; i < 2000; i++) {
        pthread_t threads[2];
        void *refused = NULL;

        cr_assert_eq(pthread_barrier_init(&together, NULL, 2), 0);
        for (int j = 0; j < 2; j++)
            cr_assert_eq(pthread_create(&threads[j], NULL, hold_and_leave, hashes[j]), 0);
        for (int j = 0; j < 2; j++)
            cr_assert(pthread_join(threads[j], &refused) == 0 && !refused);
        (void)pthread_barrier_destroy(&together);
        cr_assert_eq(count_entries("."), 0, "after %d rounds", i);
    }
}

Test(publish_lock, each_user_has_a_file_of_his_own)
{
    struct fl_lock *ours;
    struct fl_lock *theirs;

    if (getuid() != 0)
        skip_loudly("only root can be two users");
    cr_assert_eq(chmod(".", 0777), 0);
    ours = held(key_a);
    cr_assert_eq(seteuid(65534), 0);
    theirs = held(key_a);
    fl_lock_close(theirs, false);
    cr_assert_eq(seteuid(0), 0);
    fl_lock_close(ours, false);
    cr_expect_eq(count_entries("."), 0);
}

static void put_fifo(void)
{
    cr_assert_eq(mkfifo(lock_name(), 0600), 0);
}

static void put_dangling(void)
{
    cr_assert_eq(symlink("elsewhere", lock_name()), 0);
}

static void put_link(void)
{
    put_file("victim", "precious");
    cr_assert_eq(symlink("victim", lock_name()), 0);
}

static void put_hard_link(void)
{
    put_file("victim", "precious");
    cr_assert_eq(link("victim", lock_name()), 0);
}

static void put_directory(void)
{
    cr_assert_eq(mkdir(lock_name(), 0700), 0);
}

static void put_foreign(void)
{
    put_file(lock_name(), "theirs");
    if (getuid() == 0)
        cr_assert_eq(chown(lock_name(), 65534, 65534), 0);
    else
        cr_assert_eq(chmod(lock_name(), 0), 0);
}

Test(publish_lock, what_an_enemy_puts_at_its_name_means_no_lock_and_no_harm)
{
    static void (*const traps[])(void) = {put_fifo,      put_dangling,  put_link,
                                          put_hard_link, put_directory, put_foreign};
    struct fl_destination destination = to("file");

    for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
        struct flame_error err = FLAME_INIT(flame_error);
        struct fl_publish *publish = opened(&destination);
        struct fl_lock *lock = NULL;

        traps[i]();
        cr_expect_eq(fl_lock_open(publish, key_a, &lock, &err), FLAME_ERR_UNSUPPORTED, "%zu: %s", i,
                     err.message);
        cr_expect_not_null(strstr(err.message, "no lock can be had beside 'file'"));
        cr_expect_null(lock);
        commit(publish);
        cr_expect_eq(access("elsewhere", F_OK), -1);
        if (access("victim", F_OK) == 0)
            expect_text("victim", "precious");
        (void)unlink("victim");
        cr_assert_eq(remove(lock_name()), 0, "it stays what it was");
    }
}

Test(publish_lock, a_trap_that_is_set_while_waiting_is_seen)
{
    for (int is_held_meanwhile = 0; is_held_meanwhile < 2; is_held_meanwhile++) {
        struct fl_lock *first = held(key_a);
        struct fl_lock *second = prepared(key_a);

        expect_try(second, FLAME_ERR_LOCKED, false);
        if (!is_held_meanwhile)
            fl_lock_close(first, false);
        cr_assert_eq(unlink(lock_name()), 0);
        put_fifo();
        if (is_held_meanwhile)
            fl_lock_close(first, false);
        expect_try(second, FLAME_ERR_UNSUPPORTED, false);
        fl_lock_close(second, false);
        cr_assert_eq(unlink(lock_name()), 0, "the trap stays what it was");
    }
}

#define PROCESSES 4
#define SECTIONS 1000

struct shared {
    atomic_int inside, overlaps, done, taken;
};

/* 0 = all sections were entered. */
static int contend(struct shared *shared, const uint8_t *key)
{
    for (int i = 0; i < SECTIONS;) {
        struct fl_lock *lock = prepared(key);
        bool is_made = false;
        int32_t status = FLAME_ERR_LOCKED;

        while (status == FLAME_ERR_LOCKED)
            if ((status = fl_lock_try(lock, &is_made, NULL)) == FLAME_ERR_LOCKED)
                (void)sched_yield();
        if (status != FLAME_OK)
            return 1;
        if (is_made) {
            shared->taken++;
        } else {
            if (shared->inside++ != 0)
                shared->overlaps++;
            if (i % 8 == 0)
                (void)sched_yield();
            shared->inside--;
            shared->done++;
            i++;
        }
        fl_lock_close(lock, i % 2 == 0);
    }
    return 0;
}

Test(publish_lock, of_4000_critical_sections_of_several_processes_no_two_overlap)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[PROCESSES];

    cr_assert_neq(shared, MAP_FAILED);
    put_file("file", "there all the time");
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(contend(shared, i % 2 ? key_a : key_b));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;

        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_expect_eq(status, 0);
    }
    cr_expect_eq(shared->done, PROCESSES * SECTIONS);
    cr_expect_eq(shared->overlaps, 0);
    cr_expect_leq(count_entries("."), 1);
}
