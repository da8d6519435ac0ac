/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/process.h"

#include "base/cleanup.h"
#include "base/read.h"

#include <fcntl.h>
#include <float.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Code built with -ffast-math switches them off as it is loaded. */
static bool has_subnormals(void)
{
    volatile double smallest = DBL_MIN;
    volatile double half = smallest / 2;

    return half != 0;
}

static void look_at_handlers(void **handlers)
{
    for (int number = 1; number < FL_PROCESS_SIGNALS; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) == 0)
            memcpy(&handlers[number], &action.sa_handler, sizeof(handlers[number]));
    }
}

/* From /proc: to ask umask() is to change it, under the feet of other threads. */
static void look_at_umask(char *out, size_t capacity)
{
    fl_auto_fd int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char text[256];
    const char *line;
    ssize_t size = fd < 0 ? -1 : fl_read_all(fd, text, sizeof(text) - 1);

    text[size < 0 ? 0 : size] = '\0';
    line = strstr(text, "\nUmask:\t");
    if (line)
        (void)snprintf(out, capacity, "%.*s", (int)strcspn(line + 8, "\n"), line + 8);
}

void fl_process_look(struct fl_process *process)
{
    const char *locale = setlocale(LC_ALL, NULL);

    *process = (struct fl_process){.rounding = fegetround()};
    (void)feholdexcept(&process->floats); /* the host may trap what the next line does */
    process->has_subnormals = has_subnormals();
    look_at_handlers(process->handlers);
    (void)stat(".", &process->directory);
    look_at_umask(process->umask, sizeof(process->umask));
    (void)snprintf(process->locale, sizeof(process->locale), "%s", locale ? locale : "");
}

static void add(char *list, size_t capacity, const char *name)
{
    size_t used = strlen(list);

    (void)snprintf(list + used, capacity - used, "%s%s", used > 0 ? ", " : "", name);
}

void fl_process_restore(const struct fl_process *before, char *changed, size_t capacity)
{
    struct fl_process now;

    fl_process_look(&now);
    (void)fesetenv(&before->floats);
    changed[0] = '\0';
    if (now.rounding != before->rounding || now.has_subnormals != before->has_subnormals)
        add(changed, capacity, "floating point mode (restored)");
    if (memcmp(now.handlers, before->handlers, sizeof(now.handlers)) != 0)
        add(changed, capacity, "signal handlers");
    if (now.directory.st_dev != before->directory.st_dev ||
        now.directory.st_ino != before->directory.st_ino)
        add(changed, capacity, "working directory");
    if (strcmp(now.umask, before->umask) != 0)
        add(changed, capacity, "umask");
    if (strcmp(now.locale, before->locale) != 0)
        add(changed, capacity, "locale");
}
