/* SPDX-License-Identifier: Apache-2.0 */
/* flame-fetch: any URL becomes a verified local file.
 *
 * A context (struct flame) holds the configuration and the plugins found. One task struct describes
 * any job; flame_run() does it. Errors go into a struct of the caller. The library prints nothing,
 * installs no signal handler and keeps no global state; its threads block all signals. Settings of
 * the whole process stay yours: docs/grpc.md says which mallopt() is worth having. After a fork() a
 * context of the parent is of no use in the child: every call fails with INTERNAL.
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
struct flame_job;    /* a task in the background, counted references */
struct flame_cancel; /* a cancel token */
struct flame_result;

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

/* Cancel the jobs that still run, wait for them, free; their callbacks do not run any more. No
 * other call may be under way. Jobs that were not released stay valid. Takes NULL. [one-thread] */
FLAME_API void flame_close(struct flame *flame);

/* Read the configuration again and look at the plugin directories again. What runs goes on with the
 * old ones, what begins later gets the new ones; after a failure nothing has changed.
 * Fails as flame_open() does. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_reload(struct flame *flame, struct flame_error *err);

struct flame_counters {
    uint32_t struct_size;
    uint32_t running;     /* tasks under way now */
    uint64_t waiting;     /* tasks that wait for a thread or for another task's transfer, now */
    uint64_t succeeded;   /* since flame_open(): tasks that ended well ... */
    uint64_t failed;      /* ... and otherwise */
    uint64_t joined;      /* of the former: by another task's transfer */
    uint64_t retries;     /* attempts after the first */
    uint64_t transferred; /* body bytes, both ways */
};

/* [any-thread] */
FLAME_API void flame_counters_read(struct flame *flame, struct flame_counters *out);

/* ---- a task ---------------------------------------------------------------------------------- */

enum flame_verb {
    FLAME_FETCH = 1,  /* the body, to a destination */
    FLAME_STORE = 2,  /* a source, to the url */
    FLAME_REMOVE = 3, /* delete the object */
    FLAME_STAT = 4,   /* what is known, without the body */
    FLAME_LIST = 5,   /* the objects below the url */
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
    uint32_t phase; /* enum flame_phase */
    uint64_t done;  /* body bytes held (fetch) or sent (store), those of an earlier run included */
    uint64_t total; /* 0 = unknown */
    uint64_t resumed; /* of `done`: from an earlier run */
    uint32_t attempt; /* 1, 2, ... */
    uint32_t redirects;
    uint32_t waiting_ms; /* until the next try; 0 = at work */
    uint32_t source;     /* 0 = url, 1 = the first mirror, ... */
};

enum flame_event_kind {
    FLAME_EVENT_REDIRECT = 1, /* from, to */
    FLAME_EVENT_RETRY = 2,    /* to: the same place again; attempt, wait_ms, reason */
    FLAME_EVENT_MIRROR = 3,   /* from, to: the next source; reason */
    FLAME_EVENT_RESUME = 4,   /* to, offset: what an earlier run had brought is used */
    FLAME_EVENT_RESTART = 5,  /* to: what came so far is dropped: another version, or wrong */
    FLAME_EVENT_LOCKED = 6,   /* another process fetches the same; we wait for it */
    FLAME_EVENT_FORCE_32 = 0x7fffffff
};

/* Something that a user may want to know, borrowed. URLs are redacted. */
struct flame_event {
    uint32_t struct_size;
    uint32_t kind; /* enum flame_event_kind */
    const char *from;
    const char *to;
    const struct flame_error *reason; /* or NULL */
    uint64_t offset;
    uint32_t attempt; /* the next one: 2, 3, ... */
    uint32_t wait_ms; /* until it begins */
};

#define FLAME_TASK_KEEP 0x1u            /* EXISTS instead of replacing: fetch, store */
#define FLAME_TASK_REPLACE 0x2u         /* fetch again even if the digest already fits */
#define FLAME_TASK_ALLOW_UNPROVEN 0x4u  /* accept a body whose end nothing proves */
#define FLAME_TASK_SPOOL 0x8u           /* fd, write: nothing leaves before all is verified */
#define FLAME_TASK_REMOTE_TIME 0x10u    /* to a path: the file gets the object's mtime */
#define FLAME_TASK_REQUIRE_DIGEST 0x20u /* fail unless digest or checksum_url gave one */
#define FLAME_TASK_CREATE_DIRS 0x40u    /* to a path, store: make missing folders; they stay */
#define FLAME_TASK_FD 0x80u             /* `fd` is meant (0 is a descriptor too) */
#define FLAME_TASK_NO_RESUME 0x100u     /* to a path: neither use nor leave a partial file */
#define FLAME_TASK_NO_LOCK 0x200u       /* to a path: join nobody, wait for nobody */
#define FLAME_TASK_PREFIX 0x400u        /* remove: everything that begins with the url */

/* fetch: the destination is one of path, fd (with FLAME_TASK_FD), write. Bytes for fd and write
 * leave before the end is verified, unless FLAME_TASK_SPOOL; a retry then goes on at exactly that
 * byte of the same version, or fails.
 * store: the source is one of path, fd (a pipe has no size and no second try). */
struct flame_task {
    uint32_t struct_size;
    uint32_t flags; /* FLAME_TASK_* */
    const char *url;
    const char *const
        *mirrors;             /* fetch: further URLs of the same bytes, NULL-terminated, or NULL */
    const char *path;         /* fetch: destination, replaced as a whole. store: source */
    const char *digest;       /* "sha256:<hex>" or "sha512:<hex>" of the whole; or NULL */
    const char *checksum_url; /* fetch: a file of checksums, GNU or BSD form, absolute or relative
                                 to the url, that has the digest; or NULL */
    const char *validator;    /* of an earlier result. fetch, stat: NOT_MODIFIED if it still is
                                 that version. store, remove: CHANGED unless; or NULL */
    const char *cursor;       /* list: of an earlier result; or NULL */
    const char *const *headers; /* name, value, ..., NULL: for the url's own origin only; or NULL */
    const char *const *options; /* name, value, ..., NULL: go before the context's; or NULL */
    const char *const *secrets; /* name, value, ..., NULL: for the url's own origin only; or NULL */
    int32_t fd;                 /* written or read in order; the caller's to close */
    uint32_t durability;        /* enum flame_durability */
    uint64_t max_bytes;
    uint64_t bytes_per_second; /* at most; off by default */
    uint32_t max_redirects;
    uint32_t max_entries;           /* list: at most; off by default */
    uint32_t connect_timeout_ms;    /* lookup, connect, handshake */
    uint32_t first_byte_timeout_ms; /* from there until the answer begins */
    uint32_t stall_timeout_ms;      /* without any byte */
    uint32_t total_timeout_ms;      /* off by default */
    uint32_t source_timeout_ms;     /* for one of several sources, its retries included */
    uint32_t lock_timeout_ms;       /* waiting for another process that fetches the same: LOCKED */
    uint32_t attempts;              /* at each source, the first one included */
    uint32_t retry_delay_ms;        /* the first pause; doubles, each is drawn at random below it */
    uint32_t retry_max_ms;          /* no further attempt after so long; off by default */
    uint32_t connections;           /* fetch: parts at once, where plugin and peer can; 0 = 1 */
    struct flame_cancel *cancel;    /* or NULL */
    void *data;                     /* first argument of the callbacks below */
    /* At most ten times a second, and once when the last byte is there. Non-zero cancels. */
    int32_t (*progress)(void *data, const struct flame_progress *progress);
    /* To a path: the last word over the complete, unpublished bytes (a signature, a scan). `fd` is
     * read-only and borrowed. Not OK: nothing is published, and the task fails with SIGNATURE, or,
     * when no verdict could be reached, with the CANCELLED, IO, UNSUPPORTED or NO_MEMORY returned;
     * the message is the one put into `err`. A file that is there already is not taken for it. */
    int32_t (*verify)(void *data, int32_t fd, uint64_t size, struct flame_error *err);
    /* The bytes, in order. Non-zero: stop, CANCELLED. */
    int32_t (*write)(void *data, const void *bytes, uint64_t size);
    /* list: one entry. Non-zero: enough; the result's cursor goes on behind it. */
    int32_t (*entry)(void *data, const struct flame_result *entry);
    /* What happens on the way. Told, never asked. */
    void (*event)(void *data, const struct flame_event *event);
};

#define FLAME_RESULT_SIZE 0x1u      /* size is known */
#define FLAME_RESULT_MTIME 0x2u     /* mtime_ns is known */
#define FLAME_RESULT_STRONG 0x4u    /* equal validator = equal bytes */
#define FLAME_RESULT_PROVEN 0x8u    /* the protocol proved the end */
#define FLAME_RESULT_VERIFIED 0x10u /* the expected digest was that of the bytes written */
#define FLAME_RESULT_CACHED 0x20u   /* the destination was already right; no body was transferred */
#define FLAME_RESULT_JOINED 0x40u   /* another task's or process's transfer brought it */
#define FLAME_RESULT_PREFIX 0x80u   /* list: no object, but a name that others begin with */

/* What is known after OK or NOT_MODIFIED. The strings belong to the result: flame_result_done(). */
struct flame_result {
    uint32_t struct_size;
    uint32_t flags;       /* FLAME_RESULT_* */
    uint64_t size;        /* of the object */
    uint64_t transferred; /* body bytes that went over the wire in this run, all attempts */
    uint64_t resumed;     /* bytes that an earlier run had brought */
    int64_t mtime_ns;     /* since 1970, UTC */
    uint64_t duration_ns;
    const char *url;             /* final, stored, or the entry's; redacted */
    const char *digest;          /* "sha256:<hex>" of the bytes written, when one was computed */
    const char *digest_from;     /* what it was compared with: "caller", "url" (its fragment),
                                    "checksum-file", "redirect", "header" (advice); or NULL */
    const char *validator;       /* the plugin's text for this version; or NULL */
    const char *plugin;          /* id of the plugin that served it; or NULL (CACHED, JOINED) */
    const char *cursor;          /* list: how to go on; NULL = nothing is left */
    const char *const *metadata; /* key, value, ..., NULL; never NULL after OK */
    void *owner;                 /* the library's */
    uint32_t attempts;
    uint32_t redirects;
    uint32_t source; /* 0 = url, 1 = the first mirror, ... */
    uint32_t connections;
};

/* Free what a result owns and leave it initialised. Takes NULL. [one-thread] */
FLAME_API void flame_result_done(struct flame_result *result);

/* Do one task (enum flame_verb) and return when it is done. fetch to a path: the path appears
 * complete, verified and durable, or stays as it was. Tasks for the same bytes, to the same path,
 * at the same time, share one transfer. Callbacks run on the calling thread. `result` and `err` may
 * be NULL; `result` is untouched on failure. Returns OK, NOT_MODIFIED or a failure;
 * DURABILITY_UNKNOWN is a failure after which the complete file is in place, UNKNOWN_OUTCOME one
 * after which nobody knows whether the peer did what it was asked (store, remove). [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_run(struct flame *flame, uint32_t verb,
                                        const struct flame_task *task, struct flame_result *result,
                                        struct flame_error *err);

/* ---- in the background ----------------------------------------------------------------------- */

/* Begin one task and return at once; the task is copied with all that it points at, but for `data`
 * and `cancel`. At most flame_config.workers tasks run at a time, at most FLAME_PER_ORIGIN of one
 * origin; the others wait without a thread. All callbacks, `done` among them, run in
 * flame_dispatch(); a task waits for each of them.
 * `done` (or NULL) is told once how it ended: `result` NULL unless OK or NOT_MODIFIED, both
 * borrowed. `data` of the task is its first argument.
 * *out: flame_job_release() it; `out` may be NULL. Fails with INVALID, INVALID_URL, UNSUPPORTED,
 * NO_MEMORY, IO. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_submit(struct flame *flame, uint32_t verb,
                                           const struct flame_task *task,
                                           void (*done)(void *data, int32_t status,
                                                        const struct flame_result *result,
                                                        const struct flame_error *err),
                                           struct flame_job **out, struct flame_error *err);

#define FLAME_PER_ORIGIN 16

/* A descriptor that is readable while callbacks wait for flame_dispatch(): for poll() in any event
 * loop. The library's to read and close. [any-thread] */
FLAME_API int32_t flame_fd(const struct flame *flame);

/* Run the callbacks that wait, on this thread; wait up to `timeout_ms` for the first (0 = do not,
 * UINT32_MAX = for ever). Returns how many ran. A callback must not call it. [any-thread] */
FLAME_API uint32_t flame_dispatch(struct flame *flame, uint32_t timeout_ms);

enum flame_job_state {
    FLAME_JOB_WAITING = 1,
    FLAME_JOB_RUNNING = 2,
    FLAME_JOB_ENDED = 3,
    FLAME_JOB_FORCE_32 = 0x7fffffff
};

/* enum flame_job_state. [any-thread] */
FLAME_API uint32_t flame_job_state(struct flame_job *job);

/* Wait at most `timeout_ms` (UINT32_MAX = for ever) for the end and return the state then. A task
 * with callbacks ends only when somebody dispatches. [any-thread] */
FLAME_API uint32_t flame_job_wait(struct flame_job *job, uint32_t timeout_ms);

/* How an ended job ended; BUSY while it has not. `result` (or NULL) gets a copy of its own after OK
 * and NOT_MODIFIED, `err` (or NULL) after a failure. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_job_outcome(struct flame_job *job, struct flame_result *result,
                                                struct flame_error *err);

/* Stop it as a token would; the job ends with CANCELLED unless it was done. [any-thread] */
FLAME_API void flame_job_cancel(struct flame_job *job);

/* Give the reference back; does not cancel. Takes NULL. [any-thread] */
FLAME_API void flame_job_release(struct flame_job *job);

/* A token that stops every task that names it, within 100 ms with the shipped plugins; a disk write
 * or sync that already runs is waited for. NULL without memory or descriptors. [any-thread] */
FLAME_API struct flame_cancel *flame_cancel_new(void);
FLAME_API void flame_cancel_set(struct flame_cancel *cancel); /* for good [signal-safe] */
/* After the last task that names it has returned. Takes NULL. [one-thread] */
FLAME_API void flame_cancel_free(struct flame_cancel *cancel);

/* ---- tidying up ------------------------------------------------------------------------------ */

/* Remove what killed runs have left in a directory: hidden names and partial files of ours that are
 * older than `min_age_s` and that nobody holds. `told` (or NULL) hears of each, with its size.
 * Fails with NOT_FOUND, IO. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_clean(const char *directory, uint64_t min_age_s,
                                          void (*told)(void *data, const char *name, uint64_t size),
                                          void *data, struct flame_error *err);

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
FLAME_API void flame_plugins(struct flame *flame,
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
