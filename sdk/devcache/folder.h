/* SPDX-License-Identifier: Apache-2.0 */
/* Where drafts and objects are files: a directory, or nothing but memory.
 *
 * A key never becomes a path: an object's file is named by a digest of its key, with what is
 * harmless of the object's own name before it, for people who look. So nothing that a client sends
 * can lead out of the directory. A draft has a hidden name until it takes the object's name in one
 * step; a server that is killed leaves it, the next one to open the directory removes it. One
 * server at a time may have a directory open. Without a directory files are anonymous memory.
 * Any thread, after it was opened. */
#ifndef FL_CACHE_FOLDER_H
#define FL_CACHE_FOLDER_H

#include "key.h"
#include "status.h"

#define FL_CACHE_NAME_MAX 128

struct fl_cache_folder {
    int fd; /* -1 = memory */
    bool is_durable;
};

/* `path` NULL = memory; it is made if it is missing. Fails where it is none, cannot be opened
 * to read, cannot be locked, or another server has it open. */
bool fl_cache_folder_open(struct fl_cache_folder *folder, const char *path,
                          struct fl_cache_status *status);
void fl_cache_folder_close(struct fl_cache_folder *folder);

/* The name of an object's file. Pure. */
void fl_cache_folder_name(const struct fl_flight_key *key, char name[FL_CACHE_NAME_MAX]);

/* A new empty file, open to read and write; `name` is where it is, "" in memory. -1 = failed. */
int fl_cache_folder_create(const struct fl_cache_folder *folder, char name[FL_CACHE_NAME_MAX],
                           struct fl_cache_status *status);

/* Where durability is wanted: what was written so far survives a power cut. */
bool fl_cache_folder_flush(const struct fl_cache_folder *folder, int fd,
                           struct fl_cache_status *status);

/* The draft `fd`, `draft` becomes `name`, in place of what is there, flushed first. Nothing in
 * memory. */
bool fl_cache_folder_publish(const struct fl_cache_folder *folder, int fd, const char *draft,
                             const char *name, struct fl_cache_status *status);

/* Where durability is wanted: what was named and removed survives a power cut too. `otherwise` is
 * what to say if that fails. */
bool fl_cache_folder_settle(const struct fl_cache_folder *folder, const char *otherwise,
                            struct fl_cache_status *status);

/* Remove a file, "" and one that is not there are nothing. */
bool fl_cache_folder_remove(const struct fl_cache_folder *folder, const char *name,
                            struct fl_cache_status *status);

/* Open an object's file to read. -1 = failed. */
int fl_cache_folder_read(const struct fl_cache_folder *folder, const char *name,
                         struct fl_cache_status *status);

/* Call `found` with the name of each object's file; it returns false to stop. Drafts are removed
 * on the way. */
bool fl_cache_folder_scan(const struct fl_cache_folder *folder,
                          bool (*found)(void *context, const char *name), void *context,
                          struct fl_cache_status *status);

#endif
