/* SPDX-License-Identifier: Apache-2.0 */
#include "helper.h"

#include "clock.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 8
#define LOOK_MS 100 /* how often to look for a signal */
#define END_MS 2    /* how often to look whether it has ended */

extern char **environ;

/* FLAME_HELPER_DIR is relative to the directory that this program is in. */
static int32_t find(char **out, struct flame_error *err)
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    if (size < 0)
        return cli_fail(err, FLAME_ERR_IO, "cannot find '" CLI_HELPER_NAME "': /proc/self/exe: %s",
                        strerror(errno));
    self[size] = '\0';
    slash = strrchr(self, '/');
    *out = cli_format("%.*s/" FLAME_HELPER_DIR "/" CLI_HELPER_NAME, slash ? (int)(slash - self) : 0,
                      self);
    return *out ? FLAME_OK : cli_fail_memory(err);
}

static int32_t fail_to_run(const char *path, int errnum, struct flame_error *err)
{
    if (errnum == ENOENT || errnum == ENOTDIR)
        return cli_fail(err, FLAME_ERR_UNSUPPORTED,
                        "'" CLI_HELPER_NAME "' is not installed: "
                        "there is no '%s'",
                        path);
    if (errnum == ENOMEM)
        return cli_fail_memory(err);
    return cli_fail(err, FLAME_ERR_IO, "cannot run '%s': %s", path, strerror(errnum));
}

int32_t cli_helper_become(const char *verb, char **argv, struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    cli_auto_text char *path = NULL;
    int32_t status = find(&path, &reason);

    if (status == FLAME_OK) {
        (void)execv(path, argv);
        status = fail_to_run(path, errno, &reason);
    }
    return cli_fail(err, status, "cannot do '%s': %s", verb, reason.message);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int spawn(const char *path, const char *const *words, int output, pid_t *pid)
{
    char *argv[WORDS_MAX + 2] = {(char *)(uintptr_t)CLI_HELPER_NAME};
    posix_spawn_file_actions_t actions;
    int errnum = posix_spawn_file_actions_init(&actions);

    if (errnum != 0)
        return errnum;
    for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    errnum = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (errnum == 0)
        errnum = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (errnum == 0)
        errnum = posix_spawn(pid, path, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return errnum;
}

static uint64_t end_of_patience(void)
{
    return cli_now_ns() + CLI_HELPER_PATIENCE_MS * CLI_NS_PER_MS;
}

/* Is there still time, and does the user still want it? */
static int32_t check_patience(uint64_t end_ns, struct flame_error *err)
{
    if (cli_signals_caught() != 0)
        return cli_fail(err, FLAME_ERR_CANCELLED, "cancelled");
    if (cli_now_ns() >= end_ns)
        return cli_fail(err, FLAME_ERR_TIMEOUT,
                        "'" CLI_HELPER_NAME "' has not answered within %d s",
                        CLI_HELPER_PATIENCE_MS / 1000);
    return FLAME_OK;
}

/* Into `answer`, which has room for one byte more than there may be, and a NUL behind it. */
static int32_t read_answer(int fd, uint64_t end_ns, char *answer, size_t *size,
                           struct flame_error *err)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    int32_t status = FLAME_OK;

    while (status == FLAME_OK && *size <= CLI_HELPER_ANSWER_MAX) {
        ssize_t got = 0;

        if (poll(&waiting, 1, LOOK_MS) > 0) {
            got = read(fd, answer + *size, CLI_HELPER_ANSWER_MAX + 1 - *size);
            if (got == 0)
                return FLAME_OK;
            if (got < 0 && errno != EINTR)
                return cli_fail(err, FLAME_ERR_IO, "cannot read from '" CLI_HELPER_NAME "': %s",
                                strerror(errno));
        }
        *size += got > 0 ? (size_t)got : 0;
        status = check_patience(end_ns, err);
    }
    if (status != FLAME_OK)
        return status;
    return cli_fail(err, FLAME_ERR_LIMIT, "'" CLI_HELPER_NAME "' has said more than %zu MiB",
                    CLI_HELPER_ANSWER_MAX >> 20);
}

/* Nothing is left behind: whoever does not end is ended. */
static int32_t wait_for_end(pid_t pid, uint64_t end_ns, int32_t status, int *how,
                            struct flame_error *err)
{
    pid_t ended = 0;

    while (status == FLAME_OK && (ended = waitpid(pid, how, WNOHANG)) == 0) {
        (void)poll(NULL, 0, END_MS);
        status = check_patience(end_ns, err);
    }
    if (ended != pid) {
        (void)kill(pid, SIGKILL);
        while (waitpid(pid, how, 0) < 0 && errno == EINTR)
            continue;
    }
    return status;
}

static int32_t judge_end(int how, int *exit_code, struct flame_error *err)
{
    if (!WIFEXITED(how))
        return cli_fail(err, FLAME_ERR_INTERNAL, "'" CLI_HELPER_NAME "' was killed by signal %d",
                        WTERMSIG(how));
    *exit_code = WEXITSTATUS(how);
    return FLAME_OK;
}

static int32_t run(const char *const *words, char *answer, int *exit_code, struct flame_error *err)
{
    uint64_t end_ns = end_of_patience();
    cli_auto_text char *path = NULL;
    size_t size = 0;
    int ends[2];
    int how = 0;
    pid_t pid = 0;
    int errnum;
    int32_t status = find(&path, err);

    if (status != FLAME_OK)
        return status;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return cli_fail(err, FLAME_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    errnum = spawn(path, words, ends[1], &pid);
    (void)close(ends[1]);
    status = errnum == 0 ? read_answer(ends[0], end_ns, answer, &size, err)
                         : fail_to_run(path, errnum, err);
    if (errnum == 0)
        status = wait_for_end(pid, end_ns, status, &how, err);
    (void)close(ends[0]); /* not sooner: who is ended anyhow need not complain of it */
    if (status == FLAME_OK)
        status = judge_end(how, exit_code, err);
    if (status == FLAME_OK && strlen(answer) != size)
        status = cli_fail(err, FLAME_ERR_INTERNAL, "'" CLI_HELPER_NAME "' has said no text");
    return status;
}

int32_t cli_helper_ask(const char *const *words, char **out, int *exit_code,
                       struct flame_error *err)
{
    /* Not a growing buffer: realloc() would leave copies of secrets behind. */
    char *answer = calloc(1, CLI_HELPER_ANSWER_MAX + 2);
    int32_t status = answer ? run(words, answer, exit_code, err) : cli_fail_memory(err);

    if (status == FLAME_OK)
        *out = answer;
    else
        cli_wipe_free(answer);
    return status;
}
