/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the file plugin: local regular files as objects.
 *
 * call.c judges a request and decodes its path; path.c opens what that names, below the allowed
 * directories; version.c says whether it is a file we serve and which version of it; fetch.c,
 * store.c (with temp.c), remove.c and list.c are the slots. Everything a slot needs travels in a
 * struct fl_call. No state is shared between calls; any thread.
 *
 * A list names what a directory holds, not what lies deeper: regular files with all that stat
 * says, directories as prefixes with a slash at their end, in the order of their names' bytes.
 * Links, devices, pipes, sockets and our own hidden names are left out. An entry's URL is absolute
 * ("file:///...", the directory as the request spells it); the cursor is the last name reported,
 * escaped as in a URL. A file is the one entry of its own list. */
#ifndef FL_FILE_FILE_H
#define FL_FILE_FILE_H

#include <flame/plugin.h>

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much goes between two looks at cancelled(). */
#define FL_PIECE_BYTES (64ULL * 1024 * 1024)
#define FL_BUFFER_BYTES (1024ULL * 1024)

#define FL_OPTION_ROOTS "roots"

struct flame_instance {
    const struct flame_host *host;
};

/* One running slot. */
struct fl_call {
    const struct flame_host *host;
    const struct flame_request *request;
    struct flame_transfer *transfer;
    struct flame_error *err;
    char path[PATH_MAX]; /* decoded, absolute */
};

static inline void fl_cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#define fl_auto_fd __attribute__((cleanup(fl_cleanup_fd)))

/* ---- call.c ---- */

/* Judge what every slot must judge first, and decode the path. Fails with INVALID_URL, NOT_FOUND
 * (longer than any path), UNSUPPORTED (a flag we do not know). */
int32_t fl_call_begin(struct fl_call *call, const struct flame_instance *instance,
                      const struct flame_request *request, struct flame_transfer *transfer,
                      struct flame_error *err);

/* Decode one name, which holds no slash; false = it is none, or does not fit. */
bool fl_decode_name(const char *text, char *out, size_t capacity);

#define FL_ALLOW(condition) (1u << FLAME_WHEN_##condition)

/* UNSUPPORTED unless the request's condition is among these. */
int32_t fl_call_allows(const struct fl_call *call, uint32_t conditions);

/* State a failed system call. EACCES is IO here and not AUTH: no credential of a request would
 * change it. */
int32_t fl_fail_errno(const struct fl_call *call, int errnum, const char *what);

/* ---- path.c ---- */

/* Open an absolute path below the allowed directories, or anywhere when none are set; never through
 * a magic link of procfs. Fails with NOT_FOUND, POLICY, IO, NO_MEMORY, INVALID (the option). */
int32_t fl_path_open(const struct fl_call *call, const char *path, int flags, int *fd);

/* Is the value of the option a list of absolute directories? */
int32_t fl_roots_check(const struct flame_host *host, const char *roots, struct flame_error *err);

/* The directory of call->path, open for reading, and the last name in it. Fails as fl_path_open,
 * and with INVALID_URL (no name), UNSAFE_NAME (longer than any name). */
int32_t fl_place_open(const struct fl_call *call, int *dir, const char **name);

/* ---- version.c ---- */

/* What fstat knows of one version of a file. */
struct fl_version {
    struct stat status;
    bool strong;
    char validator[128];
};

/* Look at an open file (also O_PATH) and refuse what is not an ordinary regular file: POLICY. */
int32_t fl_version_of(const struct fl_call *call, int fd, struct fl_version *out);

/* The same for a name in a directory, links not followed. `*out` with st_mode 0: nothing is there;
 * what is no regular file is not refused. */
int32_t fl_version_at(const struct fl_call *call, int dir, const char *name,
                      struct fl_version *out);

/* POLICY, naming what it is. */
int32_t fl_fail_kind(const struct fl_call *call, mode_t mode);

/* Refuse what lies on a file system whose files are made up as they are read or written: POLICY. */
int32_t fl_judge_filesystem(const struct fl_call *call, int fd);

/* Is this certainly the version that the request names? */
bool fl_version_is(const struct fl_version *version, const char *validator);

/* Were these bytes left alone between two looks at one descriptor? */
bool fl_version_same(const struct stat *before, const struct stat *after);

/* An object with the size, the time and the validator of a version; it borrows the validator. */
struct flame_object fl_version_object(const struct fl_version *version);

/* ---- temp.c ---- */

/* A file that has no name yet in the directory where it will get one; or a hidden one. */
struct fl_temp {
    int dir; /* borrowed */
    int fd;
    char name[32]; /* "" = it has none */
};

int32_t fl_temp_open(const struct fl_call *call, int dir, struct fl_temp *out);
/* Give it its name, if nothing has it (else EXISTS), or whatever has it now. */
int32_t fl_temp_create(const struct fl_call *call, struct fl_temp *temp, const char *name);
int32_t fl_temp_replace(const struct fl_call *call, struct fl_temp *temp, const char *name);
/* Remove what has not got its name. Takes one that was never opened (fd -1). */
void fl_temp_done(struct fl_temp *temp);

/* Make names in a directory durable. Fails with DURABILITY_UNKNOWN: what was done is done. */
int32_t fl_sync_directory(const struct fl_call *call, int dir);

/* ---- the slots ---- */

int32_t fl_file_fetch(struct flame_instance *instance, const struct flame_request *request,
                      struct flame_transfer *transfer, struct flame_error *err);
int32_t fl_file_stat(struct flame_instance *instance, const struct flame_request *request,
                     struct flame_transfer *transfer, struct flame_error *err);
int32_t fl_file_store(struct flame_instance *instance, const struct flame_request *request,
                      struct flame_transfer *transfer, struct flame_error *err);
int32_t fl_file_remove(struct flame_instance *instance, const struct flame_request *request,
                       struct flame_transfer *transfer, struct flame_error *err);
int32_t fl_file_list(struct flame_instance *instance, const struct flame_request *request,
                     struct flame_transfer *transfer, struct flame_error *err);

#endif
