/* SPDX-License-Identifier: Apache-2.0 */
/* A host in memory, for tests of plugins: it loads a plugin, gives it the whole host table, keeps
 * all that the plugin says, and can be told to misbehave. It judges nothing but the order of the
 * calls (plugin_run.misuse): what a plugin's facts are worth is the core's business.
 *
 *     struct plugin_host *host = plugin_host_load(FLAME_TEST_PLUGIN_DIR "/file.so");
 *     struct plugin_run run;
 *
 *     plugin_run_init(&run, host, "file:///etc/hostname");
 *     cr_assert_eq(plugin_run_fetch(&run), FLAME_OK);
 *     plugin_run_done(&run);
 *     plugin_host_close(host);
 *
 * Whatever goes wrong in the host itself aborts the program. Runs of one host may go on at once, on
 * threads of the test; a run belongs to one thread, plugin_run_cancel() apart. */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include <flame/plugin.h>

#include <nettle/sha2.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

struct plugin_host;

/* ---- one failure, as the plugin tells it ---- */

#define PLUGIN_DETAILS 16

struct plugin_failure {
    struct flame_error error; /* first: what the plugin gets as its `err` */
    pthread_mutex_t lock;
    bool has_detail[PLUGIN_DETAILS]; /* by enum flame_detail */
    int64_t detail[PLUGIN_DETAILS];
};

/* ---- the host ---- */

/* dlopen() and call the entry; aborts with the linker's text. */
struct plugin_host *plugin_host_load(const char *path);
/* The same for a table that is linked in. */
struct plugin_host *plugin_host_new(const struct flame_plugin *plugin);
/* shutdown() if it was started, free. */
void plugin_host_close(struct plugin_host *host);

const struct flame_plugin *plugin_host_plugin(const struct plugin_host *host);
const struct flame_host *plugin_host_table(const struct plugin_host *host);

/* A canonical value ("1", "65536"), for every run; NULL unsets it, also where there is a default.
 * Unset options have the default of the shared table or of the plugin's own. */
void plugin_host_option(struct plugin_host *host, const char *name, const char *value);
/* secret_get() answers for this origin only; for another one it says POLICY. */
void plugin_host_secret(struct plugin_host *host, const char *name, const char *origin,
                        const char *value);

/* init(); the first run does it where the test does not. `failure` may be NULL. */
int32_t plugin_host_start(struct plugin_host *host, struct plugin_failure *failure);

/* Does a line of the log contain `text`? */
bool plugin_host_logged(struct plugin_host *host, const char *text);
/* All lines of the log, a space after each instead of its end. */
void plugin_host_print_log(struct plugin_host *host, FILE *out);

void plugin_failure_init(struct plugin_failure *failure);

/* ---- one request ---- */

/* One reported object; the strings are copies. */
struct plugin_object {
    struct flame_object object;
    char *validator;
    char *url;
};

struct plugin_run {
    struct plugin_host *host;
    struct flame_request request; /* from the URL; the test sets what else it needs */

    /* How the host behaves; set between init and the call. */
    uint64_t limit_bytes;        /* LIMIT for the write that goes over it; UINT64_MAX = none */
    uint64_t cancel_after_bytes; /* cancel once so many have arrived; UINT64_MAX = never */
    uint64_t keep_bytes;         /* of the body, for `body`; the rest is counted and hashed only */
    int64_t time_left_ms;
    int32_t report_answer; /* what report() returns */
    bool refuse_copy;      /* sink_copy() is UNSUPPORTED */
    bool hide_source_fd;   /* source_fd() answers -1 */
    int source_fd;         /* store: the source, -1 = `source` */
    const void *source;
    uint64_t source_size;
    bool is_stream;                       /* source_read() never goes back */
    uint64_t source_step;                 /* source_read() gives no more at once; 0 = all */
    const char *const *options;           /* name, value, ..., NULL: go before the host's */
    const char *const *refused_addresses; /* NULL-terminated: net-policy says POLICY */
    void *data;                           /* for the hooks */
    /* Called with the body's size after each piece of it has arrived. */
    void (*on_body)(struct plugin_run *run, uint64_t size);
    /* Called after each source_read(), with the offset behind what it gave. */
    void (*on_source)(struct plugin_run *run, uint64_t offset);

    /* What was seen. */
    int32_t status;
    struct plugin_failure failure;
    struct plugin_object *objects; /* in order */
    size_t object_count;
    char **metadata; /* key, value, ..., NULL-terminated; NULL while empty */
    size_t metadata_count;
    uint8_t *body;
    uint64_t body_size;
    uint64_t body_kept;
    uint64_t largest_piece;
    uint32_t writes; /* calls of sink_write() that brought bytes */
    uint32_t copies; /* the same for sink_copy() */
    char sha256[2 * SHA256_DIGEST_SIZE + 1];
    uint32_t finishes;
    uint32_t proof;
    char *cursor;
    uint32_t phases; /* bit phase / 10 for each phase seen */
    uint32_t progress_calls;
    uint64_t wire_bytes;       /* the highest number told */
    uint32_t addresses_asked;  /* calls of net-policy */
    char last_address[64];     /* of those */
    atomic_uint cancel_checks; /* calls of cancelled() */
    char misuse[160];          /* the first break of the contract, "" = none */

    /* The host's own. */
    atomic_int cancel_status;
    int cancel_fd;
    struct sha256_ctx hash;
    uint64_t stream_at; /* of a stream: what was read */
    char *text;         /* the parts of the URL */
};

/* `url` is split here, without checks: "scheme://host:port/path?query" or "scheme:path". */
void plugin_run_init(struct plugin_run *run, struct plugin_host *host, const char *url);
void plugin_run_done(struct plugin_run *run);

/* Call a slot; UNSUPPORTED where the plugin has none. Each returns run->status. */
int32_t plugin_run_fetch(struct plugin_run *run);
int32_t plugin_run_store(struct plugin_run *run);
int32_t plugin_run_remove(struct plugin_run *run);
int32_t plugin_run_stat(struct plugin_run *run);
int32_t plugin_run_list(struct plugin_run *run);

/* From any thread: the transfer is no longer wanted, for CANCELLED or TIMEOUT. */
void plugin_run_cancel(struct plugin_run *run, int32_t status);

/* The last reported object; NULL = there was none. */
const struct plugin_object *plugin_run_object(const struct plugin_run *run);
const char *plugin_run_metadata(const struct plugin_run *run, const char *key);
bool plugin_run_saw(const struct plugin_run *run, uint32_t phase);
/* The value of a detail of the failure; `missing` when it was not said. */
int64_t plugin_run_detail(const struct plugin_run *run, uint32_t what, int64_t missing);

/* ---- between the files of the host ---- */

extern const struct flame_host plugin_run_table; /* the services; impl is filled by the host */
int32_t plugin_host_secret_get(struct plugin_host *host, const char *name, const char *origin,
                               const char **value);
struct flame_instance *plugin_host_instance(struct plugin_host *host);
const char *plugin_host_option_get(const struct plugin_host *host, const char *name);
void plugin_host_log(struct plugin_host *host, uint32_t level, const char *text, uint64_t size);

#endif
