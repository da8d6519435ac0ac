/* SPDX-License-Identifier: Apache-2.0 */
/* One plugin directory: what lies in it, and what the files say of themselves. Runs none of their
 * code. Internal to the module; keeps nothing, any thread. */
#ifndef FL_REGISTRY_SCAN_H
#define FL_REGISTRY_SCAN_H

#include "registry/manifest.h"
#include "registry/refusal.h"

#include <flame/status.h>

#include <stddef.h>
#include <sys/stat.h>

#define FL_SCAN_MAX_FILES 4096u        /* *.so in one directory */
#define FL_SCAN_MAX_BYTES (256u << 20) /* of one file */

/* Which file it was, and in which state. */
struct fl_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec mtime;
};

struct fl_plugin;

/* One file looked at, or a directory that could not be. */
struct fl_found {
    char *path;   /* as found: directory and name */
    char *real;   /* resolved; NULL for what is refused */
    size_t order; /* of search, over all directories */
    size_t directory;
    struct fl_identity identity;
    struct fl_manifest manifest; /* empty where there was none to read */
    enum fl_reject code;         /* why it is refused, or (accepted) loses a scheme */
    char *reason;                /* NULL = none */
    char *schemes;               /* those it serves here */
    struct fl_plugin *plugin;    /* NULL = refused */
};

struct fl_found_list {
    struct fl_found *items; /* moves while it grows */
    size_t count;
    size_t capacity;
};

/* Append the files *.so of `directory`, sorted bytewise (hidden ones left out, as the shell does);
 * one that does not exist is skipped. Whatever is wrong with it or a file is told by an item.
 * Fails with NO_MEMORY; what was appended stays. */
int32_t fl_scan(const char *directory, size_t number, struct fl_found_list *list,
                struct flame_error *err) FL_CHECK;

/* Look at the one file found->path: kind, trust, ELF and note. `directory`: its directory,
 * resolved and trusted; NULL = neither is known yet. Fails with NO_MEMORY. */
int32_t fl_scan_file(const char *directory, struct fl_found *found,
                     struct flame_error *err) FL_CHECK;

struct fl_identity fl_identity_of(const struct stat *file);
/* The same file, and not written to since? */
bool fl_identity_same(const struct fl_identity *one, const struct fl_identity *other);

/* Keep the first refusal of an item. false = no memory. */
bool fl_found_refuse(struct fl_found *found, const struct fl_refusal *refusal) FL_CHECK;

void fl_found_done(struct fl_found *found);
void fl_found_list_done(struct fl_found_list *list);

#endif
