/* SPDX-License-Identifier: Apache-2.0 */
/* flame-fetch: any URL becomes a verified local file.
 *
 * A context (struct flame) holds the configuration and the plugins found. One task struct describes
 * any job; flame_run() does it. Errors go into a struct of the caller. The library prints nothing,
 * installs no signal handler and keeps no global state; its threads block all signals. After a
 * fork() a context of the parent is of no use in the child: every call fails with INTERNAL.
 *
 * Every struct is size-first: initialise it with FLAME_INIT. What it points at is borrowed until
 * the call returns. Zero in any member means "not said", which is the configured default; a bound
 * is switched off with all ones (UINT32_MAX, UINT64_MAX), never by accident.
 *
 * THREAD TAGS
 *  [any-thread]   callable from any thread, also at once on the same object
 *  [one-thread]   not at once on the same object
 *  [signal-safe]  also from a signal handler */
#ifndef FLAME_FETCH_H
#define FLAME_FETCH_H

#include <flame/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FLAME_API __attribute__((visibility("default")))
#define FLAME_CHECK __attribute__((warn_unused_result))
#else
#define FLAME_API
#define FLAME_CHECK
#endif

struct flame;        /* a context */
struct flame_cancel; /* a cancel token */

/* ---- context --------------------------------------------------------------------------------- */

#define FLAME_CONFIG_NO_ENVIRONMENT 0x1u /* a daemon: read neither FLAME_PLUGIN_PATH nor XDG_* */

struct flame_config {
    uint32_t struct_size;
    uint32_t flags;                 /* FLAME_CONFIG_* */
    const char *file;               /* JSON; NULL = the standard places; "" = none */
    const char *const *plugin_dirs; /* searched first, NULL-terminated; NULL = none */
    const char *const *options;     /* name, value, ..., NULL: go before the file's; NULL = none */
    /* Receives log lines up to log_level, from any thread, one at a time; NULL = nowhere. `text` is
     * one escaped line without secrets and line end, borrowed. Must not call the library. */
    void (*log)(void *data, uint32_t level, const char *plugin, const char *text);
    void *log_data;
    uint32_t log_level; /* enum flame_log_level of plugin.h; 0 = errors only */
    uint32_t workers;   /* requests under way at once, more wait their turn; 0 = 64 */
};

/* Read the configuration and look at the plugin directories; runs no plugin code.
 * *out: flame_close() it. `config` may be NULL.
 * Fails with INVALID (names file, line or key), IO, NO_MEMORY. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_open(const struct flame_config *config, struct flame **out,
                                         struct flame_error *err);

/* Free a context on which no call is under way any more. Takes NULL. [one-thread] */
FLAME_API void flame_close(struct flame *flame);

/* ---- a task ---------------------------------------------------------------------------------- */

enum flame_verb {
    FLAME_FETCH = 1, /* the body, to a destination */
    FLAME_STAT = 4,  /* what is known, without the body */
    FLAME_VERB_FORCE_32 = 0x7fffffff
};

enum flame_durability {
    FLAME_DURABILITY_DEFAULT = 0, /* as configured; full when nobody says */
    FLAME_DURABILITY_FULL = 1,    /* file and directory are synced before OK */
    FLAME_DURABILITY_FILE = 2,    /* the file only */
    FLAME_DURABILITY_NONE = 3,    /* for caches and benchmarks */
    FLAME_DURABILITY_FORCE_32 = 0x7fffffff
};

struct flame_progress {
    uint32_t struct_size;
    uint32_t phase;   /* enum flame_phase */
    uint64_t done;    /* body bytes taken over so far */
    uint64_t total;   /* 0 = unknown */
    uint32_t attempt; /* 1, 2, ... */
    uint32_t redirects;
};

#define FLAME_TASK_KEEP 0x1u            /* fetch: EXISTS instead of replacing what is there */
#define FLAME_TASK_REPLACE 0x2u         /* fetch again even if the digest already fits */
#define FLAME_TASK_ALLOW_UNPROVEN 0x4u  /* accept a body whose end nothing proves */
#define FLAME_TASK_SPOOL 0x8u           /* fd, write: nothing leaves before all is verified */
#define FLAME_TASK_REMOTE_TIME 0x10u    /* to a path: the file gets the object's mtime */
#define FLAME_TASK_REQUIRE_DIGEST 0x20u /* fail unless a digest was given and matched */
#define FLAME_TASK_CREATE_DIRS 0x40u    /* to a path: make missing parents, mode 0777 & ~umask */
#define FLAME_TASK_FD 0x80u             /* `fd` is meant (0 is a descriptor too) */

/* A destination is one of: path, fd (with FLAME_TASK_FD), write. Bytes for fd and write leave
 * before the end is verified, unless FLAME_TASK_SPOOL. */
struct flame_task {
    uint32_t struct_size;
    uint32_t flags; /* FLAME_TASK_* */
    const char *url;
    const char *path;           /* fetch: destination, replaced as a whole */
    const char *digest;         /* "sha256:<hex>" or "sha512:<hex>" of the whole; or NULL */
    const char *const *headers; /* name, value, ..., NULL: for the url's own origin only; or NULL */
    const char *const *options; /* name, value, ..., NULL: go before the context's; or NULL */
    const char *const *secrets; /* name, value, ..., NULL: for the url's own origin only; or NULL */
    int32_t fd;                 /* fetch: written in order; the caller's to close */
    uint32_t durability;        /* enum flame_durability */
    uint64_t max_bytes;
    uint32_t max_redirects;
    uint32_t connect_timeout_ms;    /* lookup, connect, handshake */
    uint32_t first_byte_timeout_ms; /* from there until the answer begins */
    uint32_t stall_timeout_ms;      /* without any byte */
    uint32_t total_timeout_ms;      /* off by default */
    uint32_t reserved_zero;         /* 0 */
    struct flame_cancel *cancel;    /* or NULL */
    void *data;                     /* first argument of the callbacks below */
    /* At most ten times a second, and once when the last byte is there. Non-zero cancels. */
    int32_t (*progress)(void *data, const struct flame_progress *progress);
    /* To a path: the last word over the complete, unpublished bytes (a signature, a scan). `fd` is
     * read-only and borrowed. Not OK: nothing is published, the task fails with SIGNATURE. */
    int32_t (*verify)(void *data, int32_t fd, uint64_t size, struct flame_error *err);
    /* The bytes, in order. Non-zero: stop, CANCELLED. */
    int32_t (*write)(void *data, const void *bytes, uint64_t size);
    /* Told once before each redirect is followed, and never asked: `from` and `to` are redacted. */
    void (*redirected)(void *data, const char *from, const char *to);
};

#define FLAME_RESULT_SIZE 0x1u      /* size is known */
#define FLAME_RESULT_MTIME 0x2u     /* mtime_ns is known */
#define FLAME_RESULT_STRONG 0x4u    /* equal validator = equal bytes */
#define FLAME_RESULT_PROVEN 0x8u    /* the protocol proved the end */
#define FLAME_RESULT_VERIFIED 0x10u /* the expected digest was that of the bytes written */
#define FLAME_RESULT_CACHED 0x20u   /* the destination was already right; no body was transferred */

/* What is known after OK. The strings belong to the result: flame_result_done(). */
struct flame_result {
    uint32_t struct_size;
    uint32_t flags;       /* FLAME_RESULT_* */
    uint64_t size;        /* of the object */
    uint64_t transferred; /* body bytes received in this run */
    int64_t mtime_ns;     /* since 1970, UTC */
    uint64_t duration_ns;
    const char *url;             /* final, redacted */
    const char *digest;          /* "sha256:<hex>" of the bytes written, when one was computed */
    const char *validator;       /* the plugin's text for this version; or NULL */
    const char *plugin;          /* id of the plugin that served it; or NULL (CACHED) */
    const char *const *metadata; /* key, value, ..., NULL; never NULL after OK */
    void *owner;                 /* the library's */
    uint32_t attempts;
    uint32_t redirects;
};

/* Free what a result owns and leave it initialised. Takes NULL. [one-thread] */
FLAME_API void flame_result_done(struct flame_result *result);

/* Do one task (enum flame_verb) and return when it is done. fetch to a path: the path appears
 * complete, verified and durable, or stays as it was. Callbacks run on the calling thread.
 * `result` and `err` may be NULL; `result` is untouched on failure.
 * Returns OK or a failure; DURABILITY_UNKNOWN is a failure after which the complete file is in
 * place. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_run(struct flame *flame, uint32_t verb,
                                        const struct flame_task *task, struct flame_result *result,
                                        struct flame_error *err);

/* A token that stops every task that names it, within 100 ms with the shipped plugins; a disk write
 * or sync that already runs is waited for. NULL without memory or descriptors. [any-thread] */
FLAME_API struct flame_cancel *flame_cancel_new(void);
FLAME_API void flame_cancel_set(struct flame_cancel *cancel); /* for good [signal-safe] */
/* After the last task that names it has returned. Takes NULL. [one-thread] */
FLAME_API void flame_cancel_free(struct flame_cancel *cancel);

/* ---- what is there --------------------------------------------------------------------------- */

struct flame_plugin_info { /* one file looked at; from its note, without running it */
    uint32_t struct_size;
    uint32_t accepted; /* 1 or 0 */
    const char *path;
    const char *id;      /* NULL when it could not be read */
    const char *version; /* likewise, with schemes and summary */
    const char *schemes; /* those it serves here, separated by one blank */
    const char *summary;
    const char *tier;   /* where it runs: "in-process" */
    const char *code;   /* refused, or partly so: "DUP_SCHEME", ... (docs/errors.md); else NULL */
    const char *reason; /* the same in one line; else NULL */
};

/* Call `visit` for each file in the plugin directories, in order of search; non-zero stops.
 * [any-thread] */
FLAME_API void flame_plugins(const struct flame *flame,
                             int32_t (*visit)(void *data, const struct flame_plugin_info *info),
                             void *data);

struct flame_option_info {
    uint32_t struct_size;
    uint32_t type;      /* enum flame_option_type of plugin.h */
    const char *name;   /* "tls.ca"; a plugin's own "org.example.x: depth" is just "depth" */
    const char *plugin; /* its plugin's id, or NULL when every scheme shares it */
    const char *value;  /* in effect, as the user would write it; NULL = unset; "***" for secrets */
    const char *source; /* "default", "option", or the file that says so */
    const char *help;
    const char *range; /* or NULL */
};

/* Call `visit` for each option of the core; with `plugin_id` for each of that plugin's own, which
 * loads it, and checks what the configuration says of them. Non-zero from `visit` stops.
 * Fails with INVALID (a value), UNSUPPORTED (no such plugin), PLUGIN. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_options(struct flame *flame, const char *plugin_id,
                                            int32_t (*visit)(void *data,
                                                             const struct flame_option_info *info),
                                            void *data, struct flame_error *err);

#ifdef __cplusplus
}
#endif

#endif
