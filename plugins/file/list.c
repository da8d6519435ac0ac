/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX                                                                                  \
    1000000             /* of one directory: 40 MB where they are short, 270 where they are long */
#define LOOK_EVERY 1024 /* names between two looks at cancelled() */

/* What publishing and storing leave beside a file until it has its name. */
#define HIDDEN_PREFIX ".flame-"

struct names {
    char **at;
    size_t count;
    size_t room;
};

/* Where a listing stands. */
struct list {
    struct fl_call call;
    struct names names; /* behind the cursor, in the order of their bytes */
    uint32_t reported;
    const char *last; /* the name that was reported last */
    bool is_full;     /* no further entry is wanted */
};

static void close_list(struct list *list)
{
    for (size_t i = 0; i < list->names.count; i++)
        free(list->names.at[i]);
    free(list->names.at);
}

static int32_t fail_memory(const struct fl_call *call)
{
    return flame_fail(call->host, call->err, FLAME_ERR_NO_MEMORY, "out of memory");
}

/* ---- urls ------------------------------------------------------------------------------------ */

/* Append a name, escaped but for what stands for itself everywhere (RFC 3986 2.3); returns the
 * end. Three bytes for each of the name are enough. */
static char *put_escaped(char *out, const char *name)
{
    static const char digits[] = "0123456789ABCDEF";

    for (const unsigned char *at = (const unsigned char *)name; *at; at++) {
        bool is_plain = (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= 'a' && *at <= 'z') || strchr("-._~", *at);

        if (is_plain) {
            *out++ = (char)*at;
            continue;
        }
        *out++ = '%';
        *out++ = digits[*at >> 4];
        *out++ = digits[*at & 15];
    }
    *out = '\0';
    return out;
}

/* The request's own spelling, and the name below it; NULL = no memory. */
static char *url_of(const struct flame_request *request, const char *name, bool is_prefix)
{
    size_t size = strlen(request->path);
    const char *slash = size > 0 && request->path[size - 1] == '/' ? "" : "/";
    char *url = malloc(sizeof("file://") + strlen(request->host) + size + 3 * strlen(name) + 3);
    char *end;

    if (!url)
        return NULL;
    end = url + sprintf(url, "file://%s%s%s", request->host, request->path, slash);
    end = put_escaped(end, name);
    if (is_prefix)
        (void)strcpy(end, "/");
    return url;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_listed(const char *name, const char *cursor)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (strncmp(name, HIDDEN_PREFIX, strlen(HIDDEN_PREFIX)) == 0)
        return false;
    return strcmp(name, cursor) > 0;
}

static int32_t add_name(const struct fl_call *call, struct names *names, const char *name)
{
    if (names->count == NAMES_MAX)
        return flame_fail(call->host, call->err, FLAME_ERR_LIMIT,
                          "the directory holds more than %d names", NAMES_MAX);
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        char **grown = realloc(names->at, room * sizeof(*grown));

        if (!grown)
            return fail_memory(call);
        names->at = grown;
        names->room = room;
    }
    names->at[names->count] = strdup(name);
    if (!names->at[names->count])
        return fail_memory(call);
    names->count++;
    return FLAME_OK;
}

static int32_t gather(struct list *list, DIR *dir, const char *cursor)
{
    const struct fl_call *call = &list->call;
    int32_t status = FLAME_OK;

    for (size_t seen = 0; status == FLAME_OK; seen++) {
        struct dirent *entry;

        if (seen % LOOK_EVERY == 0)
            status = call->host->cancelled(call->transfer);
        errno = 0;
        entry = status == FLAME_OK ? readdir(dir) : NULL;
        if (!entry && errno != 0)
            return fl_fail_errno(call, errno, "cannot read the directory");
        if (!entry)
            break;
        if (is_listed(entry->d_name, cursor))
            status = add_name(call, &list->names, entry->d_name);
    }
    return status;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* ---- entries --------------------------------------------------------------------------------- */

static int32_t report_entry(struct list *list, const char *name, const struct fl_version *version)
{
    const struct fl_call *call = &list->call;
    bool is_prefix = S_ISDIR(version->status.st_mode);
    struct flame_object object = FLAME_INIT(flame_object);
    char *url = url_of(call->request, name, is_prefix);
    int32_t status;

    if (!url)
        return fail_memory(call);
    if (is_prefix)
        object.flags = FLAME_OBJECT_PREFIX;
    else
        object = fl_version_object(version);
    object.url = url;
    status = call->host->report(call->transfer, &object);
    free(url);
    list->last = name;
    list->reported++;
    list->is_full = status == FLAME_ENOUGH || list->reported == call->request->max_entries;
    return status == FLAME_ENOUGH ? FLAME_OK : status;
}

/* After the last entry that is wanted, go on to the next one that there is: only then is it known
 * whether anything is left. */
static int32_t report_all(struct list *list, int dir, bool *is_more)
{
    const struct fl_call *call = &list->call;
    int32_t status = FLAME_OK;

    for (size_t i = 0; i < list->names.count && status == FLAME_OK; i++) {
        struct fl_version version;
        mode_t mode;

        status = call->host->cancelled(call->transfer);
        if (status == FLAME_OK)
            status = fl_version_at(call, dir, list->names.at[i], &version);
        if (status != FLAME_OK)
            break;
        mode = version.status.st_mode; /* 0: it is gone meanwhile */
        if (!S_ISREG(mode) && !S_ISDIR(mode))
            continue;
        *is_more = list->is_full;
        if (*is_more)
            break;
        status = report_entry(list, list->names.at[i], &version);
    }
    return status;
}

static int32_t finish(const struct list *list, bool is_more)
{
    const struct fl_call *call = &list->call;
    struct flame_end end = FLAME_INIT(flame_end);
    char *cursor = is_more ? malloc(3 * strlen(list->last) + 1) : NULL;
    int32_t status;

    if (is_more && !cursor)
        return fail_memory(call);
    if (cursor)
        (void)put_escaped(cursor, list->last);
    end.proof = FLAME_PROOF_COMPLETE;
    end.cursor = cursor;
    status = call->host->finish(call->transfer, &end);
    free(cursor);
    return status;
}

/* ---- the slot -------------------------------------------------------------------------------- */

static int32_t list_directory(struct list *list, const char *cursor)
{
    const struct fl_call *call = &list->call;
    bool is_more = false;
    int fd = -1;
    DIR *dir;
    int32_t status = fl_path_open(call, call->path, O_RDONLY | O_DIRECTORY | O_NOCTTY, &fd);

    if (status != FLAME_OK)
        return status;
    dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return fail_memory(call);
    }
    status = fl_judge_filesystem(call, fd);
    if (status == FLAME_OK)
        status = gather(list, dir, cursor);
    if (status == FLAME_OK && list->names.count > 0)
        qsort(list->names.at, list->names.count, sizeof(*list->names.at), compare);
    if (status == FLAME_OK)
        status = report_all(list, fd, &is_more);
    (void)closedir(dir);
    return status == FLAME_OK ? finish(list, is_more) : status;
}

/* A file is the one entry of its own list, under the name that was asked for. */
static int32_t list_file(struct list *list, int handle)
{
    const struct fl_call *call = &list->call;
    struct fl_version version;
    struct flame_object object;
    int32_t status = fl_version_of(call, handle, &version);

    if (status == FLAME_OK && call->request->cursor)
        status =
            flame_fail(call->host, call->err, FLAME_ERR_CHANGED, "it is no directory any more");
    if (status != FLAME_OK)
        return status;
    object = fl_version_object(&version);
    object.url = call->request->url;
    status = call->host->report(call->transfer, &object);
    if (status != FLAME_OK && status != FLAME_ENOUGH)
        return status;
    return finish(list, false);
}

static int32_t read_cursor(const struct fl_call *call, char *out, size_t capacity)
{
    const char *cursor = call->request->cursor;
    bool is_name = fl_decode_name(cursor ? cursor : "", out, capacity);

    if (!is_name || (cursor && !*cursor))
        return flame_fail(call->host, call->err, FLAME_ERR_INVALID, "the cursor is no name");
    return FLAME_OK;
}

int32_t fl_file_list(struct flame_instance *instance, const struct flame_request *request,
                     struct flame_transfer *transfer, struct flame_error *err)
{
    __attribute__((cleanup(close_list))) struct list list = {.reported = 0};
    struct stat there;
    char cursor[PATH_MAX];
    fl_auto_fd int handle = -1;
    int32_t status = fl_call_begin(&list.call, instance, request, transfer, err);

    if (status == FLAME_OK)
        status = fl_call_allows(&list.call, FL_ALLOW(ALWAYS));
    if (status == FLAME_OK)
        status = read_cursor(&list.call, cursor, sizeof(cursor));
    if (status == FLAME_OK)
        status = fl_path_open(&list.call, list.call.path, O_PATH, &handle);
    if (status != FLAME_OK)
        return status;
    if (fstat(handle, &there) != 0)
        return fl_fail_errno(&list.call, errno, "cannot look at it");
    return S_ISDIR(there.st_mode) ? list_directory(&list, cursor) : list_file(&list, handle);
}
