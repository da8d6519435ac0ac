/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool held, const char *what)
{
    if (held)
        return;
    perror(what);
    abort();
}

void scratch_open(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");

    *scratch = (struct scratch){.texts = NULL};
    (void)snprintf(scratch->dir, sizeof(scratch->dir), "%s/flame-test-XXXXXX",
                   base && *base ? base : "/tmp");
    must(mkdtemp(scratch->dir) != NULL, "mkdtemp");
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void scratch_close(struct scratch *scratch)
{
    must(nftw(scratch->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0, "nftw");
    for (size_t i = 0; i < scratch->text_count; i++)
        free(scratch->texts[i]);
    free(scratch->texts);
}

static char *keep(struct scratch *scratch, size_t size)
{
    char *text = malloc(size);
    char **texts = realloc(scratch->texts, (scratch->text_count + 1) * sizeof(*texts));

    must(text && texts, "malloc");
    scratch->texts = texts;
    scratch->texts[scratch->text_count++] = text;
    return text;
}

const char *scratch_path(struct scratch *scratch, const char *name)
{
    size_t size = strlen(scratch->dir) + strlen(name) + 2;
    char *path = keep(scratch, size);

    (void)snprintf(path, size, "%s/%s", scratch->dir, name);
    return path;
}

const char *scratch_url(struct scratch *scratch, const char *name)
{
    const char *path = scratch_path(scratch, name);
    char *url = keep(scratch, 8 + 3 * strlen(path));
    size_t size = (size_t)sprintf(url, "file://");

    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;

        if (isalnum(c) || strchr("/-._~", c))
            url[size++] = (char)c;
        else
            size += (size_t)sprintf(url + size, "%%%02X", c);
    }
    url[size] = '\0';
    return url;
}

const char *scratch_write(struct scratch *scratch, const char *name, const void *data, size_t size)
{
    const char *path = scratch_path(scratch, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    must(fd >= 0, path);
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, (const char *)data + done, size - done);

        must(written > 0, path);
        done += (size_t)written;
    }
    must(close(fd) == 0, path);
    return path;
}

const char *scratch_fill(struct scratch *scratch, const char *name, size_t size)
{
    uint8_t *data = malloc(size + 1);
    const char *path;

    must(data != NULL, "malloc");
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i % 251 + i / 65521);
    path = scratch_write(scratch, name, data, size);
    free(data);
    return path;
}

/* The contents of a file, with its size. */
static uint8_t *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rbe");
    struct stat status;
    uint8_t *data;

    must(file && fstat(fileno(file), &status) == 0, path);
    data = malloc((size_t)status.st_size + 1);
    must(data != NULL, "malloc");
    *size = fread(data, 1, (size_t)status.st_size, file);
    (void)fclose(file);
    return data;
}

bool scratch_holds(const char *path, const void *data, size_t size)
{
    size_t found = 0;
    uint8_t *bytes = slurp(path, &found);
    bool equal = found == size && (size == 0 || memcmp(bytes, data, size) == 0);

    free(bytes);
    return equal;
}

bool scratch_equal(const char *a, const char *b)
{
    size_t size = 0;
    uint8_t *bytes = slurp(a, &size);
    bool equal = scratch_holds(b, bytes, size);

    free(bytes);
    return equal;
}

size_t scratch_count(const struct scratch *scratch)
{
    DIR *dir = opendir(scratch->dir);
    size_t count = 0;

    must(dir != NULL, scratch->dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(dir);
    return count;
}
