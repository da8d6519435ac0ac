/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define PATIENCE 2

/* A handler is given nothing but a number, so what it needs has to stand somewhere. */
static struct flame_cancel *volatile token;
static volatile sig_atomic_t first;
static volatile sig_atomic_t times;

static void handle(int number)
{
    int errnum = errno;

    if (times == PATIENCE)
        _exit(128 + number);
    times++;
    if (first == 0)
        first = number;
    flame_cancel_set(token);
    errno = errnum;
}

void cli_signals_catch(struct flame_cancel *cancel)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    struct sigaction caught = {.sa_handler = handle, .sa_flags = SA_RESTART};

    token = cancel;
    (void)sigemptyset(&caught.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        struct sigaction old;

        (void)sigaddset(&caught.sa_mask, numbers[i]);
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &caught, NULL);
    }
    (void)sigaction(SIGPIPE, &ignored, NULL);
}

int cli_signals_caught(void)
{
    return first;
}
