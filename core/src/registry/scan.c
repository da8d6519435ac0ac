/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/scan.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Names, sorted; never more than twice the limit at once, however many there are. */
struct names {
    char **items;
    size_t count;
    size_t seen;
};

struct directory {
    const char *path; /* as configured */
    const char *real; /* resolved */
    size_t number;
};

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static void names_keep_first(struct names *names)
{
    qsort(names->items, names->count, sizeof(*names->items), compare);
    while (names->count > FL_SCAN_MAX_FILES)
        free(names->items[--names->count]);
}

static void names_done(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static bool is_candidate(const char *name)
{
    size_t size = strlen(name);

    return name[0] != '.' && size > 3 && strcmp(name + size - 3, ".so") == 0;
}

static bool names_add(struct names *names, const char *name)
{
    if (names->count == 2 * (size_t)FL_SCAN_MAX_FILES)
        names_keep_first(names);
    names->items[names->count] = strdup(name);
    if (!names->items[names->count])
        return false;
    names->count++;
    names->seen++;
    return true;
}

static int32_t names_read(struct names *names, DIR *stream, struct flame_error *err)
{
    const struct dirent *entry;

    names->items = calloc(2 * (size_t)FL_SCAN_MAX_FILES, sizeof(*names->items));
    if (!names->items)
        return fl_fail_memory(err);
    for (entry = readdir(stream); entry; entry = readdir(stream))
        if (is_candidate(entry->d_name) && !names_add(names, entry->d_name))
            return fl_fail_memory(err);
    names_keep_first(names);
    return FLAME_OK;
}

static bool reserve(struct fl_found_list *list)
{
    size_t capacity = list->capacity ? list->capacity * 2 : 16;
    struct fl_found *grown;

    if (list->count < list->capacity)
        return true;
    grown = realloc(list->items, capacity * sizeof(*grown));
    if (!grown)
        return false;
    list->items = grown;
    list->capacity = capacity;
    return true;
}

/* Append one item; NULL without memory. Takes `path` over. */
static struct fl_found *append(struct fl_found_list *list, size_t directory, char *path)
{
    if (!path || !reserve(list)) {
        free(path);
        return NULL;
    }
    list->items[list->count] =
        (struct fl_found){.path = path, .order = list->count, .directory = directory};
    return &list->items[list->count++];
}

/* What is wrong with the directory is an item of its own. */
static int32_t tell(struct fl_found_list *list, const struct directory *directory,
                    const struct fl_refusal *refusal, struct flame_error *err)
{
    struct fl_found *found = append(list, directory->number, strdup(directory->path));

    if (!found || !fl_found_refuse(found, refusal))
        return fl_fail_memory(err);
    return FLAME_OK;
}

static int32_t tell_too_many(struct fl_found_list *list, const struct directory *directory,
                             size_t seen, struct flame_error *err)
{
    struct fl_refusal refusal = {.code = FL_ACCEPTED};

    if (seen <= FL_SCAN_MAX_FILES)
        return FLAME_OK;
    (void)fl_refuse(&refusal, FL_REJECT_TOO_MANY,
                    "holds %zu files, only the first %u are looked at", seen, FL_SCAN_MAX_FILES);
    return tell(list, directory, &refusal, err);
}

static int32_t scan_names(struct fl_found_list *list, const struct directory *directory,
                          const struct names *names, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    for (size_t i = 0; status == FLAME_OK && i < names->count; i++) {
        struct fl_found *found =
            append(list, directory->number, fl_format("%s/%s", directory->path, names->items[i]));

        status = found ? fl_scan_file(directory->real, found, err) : fl_fail_memory(err);
    }
    return status == FLAME_OK ? tell_too_many(list, directory, names->seen, err) : status;
}

static int32_t scan_stream(struct fl_found_list *list, const struct directory *directory,
                           DIR *stream, struct flame_error *err)
{
    struct names names = {.items = NULL};
    int32_t status = names_read(&names, stream, err);

    if (status == FLAME_OK)
        status = scan_names(list, directory, &names, err);
    names_done(&names);
    return status;
}

static int32_t tell_errno(struct fl_found_list *list, const struct directory *directory,
                          struct flame_error *err)
{
    struct fl_refusal refusal = {.code = FL_ACCEPTED};
    int errnum = errno;

    if (errnum == ENOMEM)
        return fl_fail_memory(err);
    (void)fl_refuse(&refusal, FL_REJECT_OPEN, "cannot be opened: %s", strerror(errnum));
    return tell(list, directory, &refusal, err);
}

int32_t fl_scan(const char *path, size_t number, struct fl_found_list *list,
                struct flame_error *err)
{
    fl_auto_free char *real = realpath(path, NULL);
    const struct directory directory = {path, real, number};
    struct fl_refusal refusal = {.code = FL_ACCEPTED};
    int32_t status;
    DIR *stream;

    if (!real)
        return errno == ENOENT ? FLAME_OK : tell_errno(list, &directory, err);
    stream = opendir(real);
    if (!stream)
        return errno == ENOENT ? FLAME_OK : tell_errno(list, &directory, err);
    if (fl_trust_directory(real, &refusal) != FL_ACCEPTED)
        status = tell(list, &directory, &refusal, err);
    else
        status = scan_stream(list, &directory, stream, err);
    (void)closedir(stream);
    return status;
}
