/* SPDX-License-Identifier: Apache-2.0 */
/* kill_at NUMBER REPORT PROGRAM ARGUMENT...: run a program and kill it as it enters its NUMBERth
 * system call, counted over all its threads; 0 = let it run. Writes how many calls it saw into the
 * file REPORT and ends with the program's exit code, or 200 if it was killed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define KILLED 200

static unsigned long calls;

static void fail(const char *what)
{
    (void)fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
    exit(201);
}

static pid_t start(char **argv)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(202);
    (void)raise(SIGSTOP);
    (void)execv(argv[0], argv);
    _exit(203);
}

static int is_entry(pid_t thread)
{
    struct __ptrace_syscall_info info = {0};

    return ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) > 0 &&
           info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* What a stopped thread is to be given when it goes on: its own signal, none for our stops. */
static int signal_to_give(int status)
{
    int number = WSTOPSIG(status);

    return number == SYSCALL_STOP || number == SIGTRAP || number == SIGSTOP ? 0 : number;
}

static void follow(pid_t pid, unsigned long fatal, int *ended)
{
    int status;
    pid_t thread;

    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (thread == pid)
                *ended = status;
            continue;
        }
        if (WSTOPSIG(status) == SYSCALL_STOP && is_entry(thread) && ++calls == fatal)
            (void)kill(pid, SIGKILL);
        (void)ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(long)signal_to_give(status));
    }
}

static void report(const char *path)
{
    FILE *file = fopen(path, "w");

    if (!file || fprintf(file, "%lu\n", calls) < 0 || fclose(file) != 0)
        fail(path);
}

int main(int argc, char **argv)
{
    unsigned long fatal = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
    int ended = 0;
    pid_t pid;

    if (argc < 4) {
        (void)fputs("usage: kill_at NUMBER REPORT PROGRAM ARGUMENT...\n", stderr);
        return 2;
    }
    pid = start(argv + 3);
    if (waitpid(pid, &ended, 0) != pid)
        fail("waitpid");
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
               (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                        PTRACE_O_EXITKILL)) != 0)
        fail("ptrace");
    (void)ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    follow(pid, fatal, &ended);
    report(argv[2]);
    return WIFSIGNALED(ended) ? KILLED : WEXITSTATUS(ended);
}
