/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin ABI, version 1. Needs nothing but the C library; a plugin links nothing of ours.
 *
 * A plugin is a shared object with one ELF note (who am I, which schemes) and one exported
 * function. It moves bytes and states facts. The core owns everything else: destination, limits,
 * clocks, digests, retries, the redirect policy, the resume decision, the publish. A plugin never
 * sees a destination's path or descriptor.
 *
 * RULES FOR EVERYTHING BELOW
 *  Zero      Zero in any member means "not said", and not said is always the safe answer.
 *  Size      Every struct starts with struct_size and grows at its tail only; nothing is moved,
 *            retyped or reused. The host copies a plugin's structs, cut to the shorter size, into
 *            zeroed memory of its own before it looks. A plugin touches a member newer than 1.0
 *            only behind FLAME_REACHES or FLAME_HAS. struct flame_slice alone has no size: it is
 *            frozen for ever.
 *  Types     Fixed width only. Results are int32_t holding an enum flame_status.
 *  Strings   UTF-8, NUL-terminated, borrowed until the call that received them returns, in both
 *            directions, unless a comment says more. No memory is freed across the boundary.
 *  Process   Host and plugin may live in two processes, with each call a message. So nothing is
 *            compared by pointer or kept, and OK from report, metadata, sink_write, finish,
 *            progress, fail and log means "accepted": a refusal may come from a later call, and the
 *            host judges the whole when the slot has returned.
 *  Verdict   When a host call fails, stop and return its status. The host keeps its own reason.
 *  Errors    fail() (or flame_fail), then return the same status. The first message wins.
 *  Hygiene   A plugin does not print, exit, fork, touch signal handlers, working directory, umask,
 *            locale, environment, floating point mode or the allocator's settings (mallopt).
 *            Signals, SIGPIPE among them, are blocked on the host's threads; a plugin's own threads
 *            block them too and are joined in shutdown. A plugin is never unloaded.
 *  One try   A slot makes one attempt: no retry, no following of redirects, no clock of its own but
 *            keepalive, name lookup and the connect timeout that the request carries.
 *
 * THREAD TAGS
 *  [entry]     once, before anything else, on any thread; pure: no I/O, threads or allocation
 *  [init]      any number of times, also at once; each call makes an independent instance
 *  [worker]    any number at once, on threads of the host, also on one instance; may block
 *  [any]       any thread within the lifetime named; does not block
 *  [transfer]  any thread from the entry of the slot that got this transfer until it returns; may
 *              block; the calls for ONE transfer come one after another
 *  [shutdown]  once per instance, after every other slot of it has returned */
#ifndef FLAME_PLUGIN_H
#define FLAME_PLUGIN_H

#include <flame/status.h>

#include <stdarg.h>
#include <stdio.h>

#define FLAME_ABI_MAJOR 1 /* in the name of the entry symbol; another major is another symbol */
#define FLAME_ABI_MINOR 0 /* counts what was appended; for messages and for min_host only */

#ifdef __cplusplus
extern "C" {
#endif

struct flame_error;    /* the host's; opaque to plugins, may be NULL */
struct flame_transfer; /* the host's; one running request, opaque */
struct flame_instance; /* the plugin's; whatever init makes, opaque to the host */

/* ---- what a request asks --------------------------------------------------------------------- */

/* What `validator` in a request is for. */
enum flame_condition {
    FLAME_WHEN_ALWAYS = 0,
    FLAME_WHEN_CHANGED = 1, /* fetch, stat: unless it still is `validator`; else NOT_MODIFIED */
    FLAME_WHEN_SAME = 2,    /* fetch with offset or length: that part if it still is `validator`,
                               else the whole from 0. store, remove: only if it still is
                               `validator`, else ERR_CHANGED */
    FLAME_WHEN_ABSENT = 3,  /* store: create only, else ERR_EXISTS */
    FLAME_CONDITION_FORCE_32 = 0x7fffffff
};

#define FLAME_REQUEST_SOURCE_SIZE 0x1u /* store: source_size is known (a pipe's is not) */
#define FLAME_REQUEST_FRESH 0x2u       /* go past caches on the way: a digest did not match */
#define FLAME_REQUEST_PREFIX 0x4u      /* remove: the URL is a prefix and the caller means it */
#define FLAME_REQUEST_CREATE_DIRS 0x8u /* store: make missing folders, if that is yours to do */
/* A flag among these bits that the plugin does not know: fail with UNSUPPORTED. The lower sixteen
 * are advice and may be ignored. */
#define FLAME_REQUEST_MUST_UNDERSTAND 0xffff0000u

/* Made by the host, constant until the slot returns. The host has parsed, judged and normalised the
 * URL once; a plugin uses the parts and parses nothing again, since two parsers that disagree are a
 * hole. Parts are spelled as in the URL (percent-encoded), without userinfo and fragment. */
struct flame_request {
    uint32_t struct_size;
    uint32_t flags;              /* FLAME_REQUEST_* */
    const char *url;             /* the whole, normalised */
    const char *scheme;          /* lower case; one of the manifest's */
    const char *origin;          /* "scheme://host:port"; "scheme:" without authority */
    const char *host;            /* lower case, no brackets; "" without authority */
    const char *path;            /* "" or "/..."; without authority all behind the colon */
    const char *query;           /* behind the '?'; NULL = there is no '?' */
    const char *const *headers;  /* name, value, name, value, ..., NULL; never NULL itself. From the
                                    caller, for `origin` only, to be treated as secret */
    const char *validator;       /* from an earlier flame_object of THIS plugin, or NULL */
    const char *cursor;          /* list: from an earlier flame_end, or NULL = from the start */
    uint64_t offset;             /* fetch: first byte wanted */
    uint64_t length;             /* fetch: bytes wanted from there; 0 = to the end */
    uint64_t max_bytes;          /* refuse early what is larger; UINT64_MAX = no bound */
    uint64_t source_size;        /* store: see FLAME_REQUEST_SOURCE_SIZE */
    uint32_t condition;          /* enum flame_condition */
    uint32_t port;               /* 0 = neither the URL nor the manifest names one */
    uint32_t max_entries;        /* list: stop after so many; 0 = the host will say ENOUGH */
    uint32_t attempt;            /* 1, 2, ...; for messages only */
    uint32_t connect_timeout_ms; /* lookup + connect + handshake; UINT32_MAX = none. The host runs
                                    this clock too: for libraries that want a number */
    uint32_t stall_timeout_ms;   /* the same for silence */
};

/* ---- what a plugin states -------------------------------------------------------------------- */

#define FLAME_OBJECT_SIZE 0x1u      /* total_size is known */
#define FLAME_OBJECT_BODY_SIZE 0x2u /* body_size is known; the host counts and insists on it */
#define FLAME_OBJECT_MTIME 0x4u     /* mtime_ns is known */
#define FLAME_OBJECT_STRONG 0x8u    /* equal validator = equal bytes. Without it: no resume */
#define FLAME_OBJECT_RANGES 0x10u   /* the peer says that it serves parts of this object */
#define FLAME_OBJECT_PREFIX 0x20u   /* list: no object, but a name that others begin with */

/* One remote object, as the peer describes it. fetch: the body that follows; stat: the answer;
 * list: one entry; store: what was made; with REDIRECT: where to go (`url`), and a total size and
 * `repr-digest` said there bind what the target delivers. */
struct flame_object {
    uint32_t struct_size;
    uint32_t flags;        /* FLAME_OBJECT_* */
    uint64_t total_size;   /* of the whole object, whatever part of it follows */
    uint64_t offset;       /* fetch: where the body's first byte belongs: request->offset when the
                              peer honoured it, 0 when it began again; anything else is refused */
    uint64_t body_size;    /* fetch: bytes that follow */
    int64_t mtime_ns;      /* since 1970, UTC */
    const char *validator; /* the plugin's text for "this version"; the host compares, stores and
                              hands it back, and never reads it. NULL = none */
    const char *url;       /* absolute, or relative to the request's: final, stored, entry's, or
                              where a redirect leads. NULL = as asked */
};

/* What stands behind "that was all". */
enum flame_proof {
    FLAME_PROOF_NONE = 0,     /* the peer stopped talking, or accepted without confirming */
    FLAME_PROOF_COMPLETE = 1, /* the protocol said so: a length reached, an end marker, a final
                                 status. store, remove: confirmed. list: no entry is missing */
    FLAME_PROOF_VERIFIED = 2, /* store: COMPLETE, and the plugin has asked since and found what was
                                 sent; the host need not look again */
    FLAME_PROOF_FORCE_32 = 0x7fffffff
};

struct flame_end {
    uint32_t struct_size;
    uint32_t proof;     /* enum flame_proof */
    const char *cursor; /* list: how to go on; NULL = nothing is left */
};

/* A struct iovec on every Linux ABI; frozen. */
struct flame_slice {
    const void *data;
    uint64_t size;
};

/* ---- options --------------------------------------------------------------------------------- */

/* How the user writes it -> what option_get returns. */
enum flame_option_type {
    FLAME_OPTION_TEXT = 0,
    FLAME_OPTION_INTEGER = 1,  /* -> decimal */
    FLAME_OPTION_SWITCH = 2,   /* yes no true false on off 1 0 -> "1" or "0" */
    FLAME_OPTION_SIZE = 3,     /* 64k 1G (1024s) -> bytes, decimal */
    FLAME_OPTION_DURATION = 4, /* 30s 500ms 2m, plain = seconds -> milliseconds, decimal */
    FLAME_OPTION_CHOICE = 5,   /* one of the range "a|b|c" */
    FLAME_OPTION_FILE = 6,     /* absolute path; in a sandbox exactly this file is readable */
    FLAME_OPTION_SECRET = 7,   /* only ever from secret_get; never logged */
    FLAME_OPTION_FORCE_32 = 0x7fffffff
};

/* One setting of a plugin: for help texts, for checking the configuration, for the sandbox. Set in
 * the configuration under plugins.<id>.<name>, or per task. */
struct flame_option {
    uint32_t struct_size;
    uint32_t type;     /* enum flame_option_type; unknown = TEXT */
    const char *name;  /* [a-z][a-z0-9_]*; a name with a dot belongs to the core */
    const char *value; /* default, as a user would write it, or NULL */
    const char *help;  /* one line, lower case, no full stop */
    const char *range; /* INTEGER, SIZE, DURATION: "min..max"; CHOICE: "a|b|c"; else NULL */
};

#define FLAME_OPT_TLS_CA "tls.ca"
#define FLAME_OPT_TLS_MIN "tls.min"
#define FLAME_OPT_TLS_PIN "tls.pin"
#define FLAME_OPT_TLS_SERVER_NAME "tls.server_name"
#define FLAME_OPT_TLS_VERIFY "tls.verify"
#define FLAME_OPT_NET_PROXY "net.proxy"
#define FLAME_OPT_NET_IP "net.ip"
#define FLAME_OPT_NET_USER_AGENT "net.user_agent"
#define FLAME_OPT_NET_NETRC "net.netrc"

/* Settings that every scheme shares: the user sets them once, the core resolves them for the
 * transfer's origin, the plugin asks by name. New names need no new ABI.
 * X(name, type, default, range, help) */
#define FLAME_SHARED_OPTION_TABLE(X)                                                               \
    X(FLAME_OPT_TLS_CA, FILE, NULL, NULL, "certificate authorities to trust, PEM")                 \
    X(FLAME_OPT_TLS_MIN, CHOICE, "1.2", "1.2|1.3", "lowest TLS version")                           \
    X(FLAME_OPT_TLS_PIN, TEXT, NULL, NULL, "sha256//base64 of the peer's public key")              \
    X(FLAME_OPT_TLS_SERVER_NAME, TEXT, NULL, NULL, "name the peer's certificate must carry")       \
    X(FLAME_OPT_TLS_VERIFY, SWITCH, "yes", NULL, "check the peer's certificate")                   \
    X(FLAME_OPT_NET_PROXY, TEXT, NULL, NULL, "proxy url without userinfo; unset = none")           \
    X(FLAME_OPT_NET_IP, CHOICE, "any", "any|4|6", "address family to use")                         \
    X(FLAME_OPT_NET_USER_AGENT, TEXT, "flame-fetch", NULL, "how to introduce ourselves")           \
    X(FLAME_OPT_NET_NETRC, FILE, NULL, NULL, "netrc file; for the task's own origin only")

#define FLAME_SECRET_TLS_CERT "tls.cert_pem"
#define FLAME_SECRET_TLS_KEY "tls.key_pem"
#define FLAME_SECRET_BEARER "auth.bearer"
#define FLAME_SECRET_BASIC "auth.basic"
#define FLAME_SECRET_PROXY "net.proxy_auth"

/* Secrets that every scheme shares, for secret_get(). X(name, help) */
#define FLAME_SHARED_SECRET_TABLE(X)                                                               \
    X(FLAME_SECRET_TLS_CERT, "client certificate chain, PEM contents")                             \
    X(FLAME_SECRET_TLS_KEY, "its private key, PEM contents, not encrypted")                        \
    X(FLAME_SECRET_BEARER, "bearer token")                                                         \
    X(FLAME_SECRET_BASIC, "user:password")                                                         \
    X(FLAME_SECRET_PROXY, "user:password for the proxy; asked for with the proxy's origin")

/* Keys for metadata(); others are welcome. `version` and `flight.*` are what a reference to an
 * object in Flame's cache is built from. */
#define FLAME_META_VERSION "version"
#define FLAME_META_FLIGHT_ENDPOINT "flight.endpoint"
#define FLAME_META_FLIGHT_KEY "flight.key"
#define FLAME_META_REPR_DIGEST "repr-digest" /* RFC 9530 */
#define FLAME_META_CONTENT_TYPE "content-type"
#define FLAME_META_FILENAME "filename" /* advice only */
#define FLAME_META_HTTP_STATUS "http.status"

/* ---- what the host offers -------------------------------------------------------------------- */

enum flame_log_level {
    FLAME_LOG_ERROR = 1,
    FLAME_LOG_WARN = 2,
    FLAME_LOG_INFO = 3,
    FLAME_LOG_DEBUG = 4,
    FLAME_LOG_TRACE = 5, /* what goes over the wire, still without secrets */
    FLAME_LOG_FORCE_32 = 0x7fffffff
};

/* Numbers that go with a failure; unknown ones are ignored. */
enum flame_detail {
    FLAME_DETAIL_ERRNO = 1,
    FLAME_DETAIL_HTTP = 2,
    FLAME_DETAIL_GRPC = 3,
    FLAME_DETAIL_RETRY_AFTER_MS = 4, /* implies retryable */
    FLAME_DETAIL_RETRYABLE = 5,      /* 1 yes, 0 no; not said: judged by status and phase */
    FLAME_DETAIL_CURL = 6,           /* a CURLcode */
    FLAME_DETAIL_X509 = 7,           /* an X509_V_ERR_* */
    FLAME_DETAIL_FORCE_32 = 0x7fffffff
};

/* Given to init, valid until shutdown has returned. In 1.0 no pointer is NULL; whatever is appended
 * later may be. `host` is always the table itself. */
struct flame_host {
    uint32_t struct_size;
    uint32_t abi_minor; /* for messages only */
    void *impl;         /* the host's own */

    /* Would a message of this level (enum flame_log_level) be kept? 1 or 0. Cheap: ask before
     * formatting. [any] until shutdown has returned */
    int32_t (*log_enabled)(const struct flame_host *host, uint32_t level);

    /* Log `size` bytes of text: one line, no secret, no line end. Cut, escaped and tagged by the
     * host. `transfer` may be NULL. One way. [any] until shutdown has returned */
    void (*log)(const struct flame_host *host, struct flame_transfer *transfer, uint32_t level,
                const char *text, uint64_t size);

    /* The checked, canonical value of an option: the plugin's own ("name") or a shared one ("a.b"),
     * for this transfer's origin; transfer NULL: without one. NULL = neither set nor defaulted.
     * Borrowed until the current slot returns. Never a secret. [any] */
    const char *(*option_get)(const struct flame_host *host, struct flame_transfer *transfer,
                              const char *name);

    /* Copy a secret for use at `origin` ("scheme://host:port": where it is about to be SENT);
     * *size = its length, no NUL is added. The host answers only for origins its owner allowed, so
     * a redirect cannot carry it away. NOT_FOUND: there is none. POLICY: not for that origin.
     * LIMIT: *size is what it needs. The plugin wipes the buffer and never logs it. [transfer] */
    int32_t (*secret_get)(struct flame_transfer *transfer, const char *name, const char *origin,
                          void *buffer, uint64_t capacity, uint64_t *size);

    /* State why the current slot is about to fail: one line, lower case, no full stop, no URL.
     * Remote bytes may be in it: the host escapes and redacts. The first call wins. Returns
     * `status`. One way. Any thread until the slot returns; `err` may be NULL */
    int32_t (*fail)(struct flame_error *err, int32_t status, const char *message);

    /* Attach a number (enum flame_detail) to the failure, before or after fail(). One way. Any
     * thread until the slot returns; `err` may be NULL */
    void (*fail_detail)(struct flame_error *err, uint32_t what, int64_t value);

    /* State what the peer described. fetch: once, before the first byte, also of an empty body;
     * never calling it means: from 0, size unknown. list: once per entry. OK: go on. ENOUGH (list):
     * finish and return OK. LIMIT, CHANGED: the host does not want it; return that. The refusal may
     * also come from the next sink_write only. [transfer] */
    int32_t (*report)(struct flame_transfer *transfer, const struct flame_object *object);

    /* Metadata of the object last reported, or about to be: lower-case key. Bounded and escaped by
     * the host. One way. [transfer] */
    void (*metadata)(struct flame_transfer *transfer, const char *key, const char *value);

    /* Append `count` slices, all or nothing: there are no short writes. Blocks for back-pressure.
     * The slices are free again when it returns; none, or empty ones, are allowed. Fails with
     * CANCELLED, TIMEOUT, LIMIT, CHANGED, NO_SPACE, IO, PROTOCOL (more than body_size).
     * [transfer] */
    int32_t (*sink_write)(struct flame_transfer *transfer, const struct flame_slice *slices,
                          uint32_t count);

    /* Let the HOST copy `size` bytes from `offset` of the plugin's descriptor of a REGULAR file, by
     * reflink, copy_file_range or read. *copied = how many, less than `size` only at the end of the
     * file. The file position does not move. UNSUPPORTED: read and sink_write instead.
     * [transfer] */
    int32_t (*sink_copy)(struct flame_transfer *transfer, int32_t fd, uint64_t offset,
                         uint64_t size, uint64_t *copied);

    /* store: read up to `capacity` bytes of the source at `offset`. *size = 0 only at its end; less
     * than asked at any time. Going back is allowed on files; on a stream it is UNSUPPORTED.
     * [transfer] */
    int32_t (*source_read)(struct flame_transfer *transfer, uint64_t offset, void *buffer,
                           uint64_t capacity, uint64_t *size);

    /* store: a read-only descriptor of the source, the plugin's to close; -1 = there is none, use
     * source_read. It shares the file position: pread. Before mapping it, copy it to a private
     * O_TMPFILE, since a source that shrinks under a mapping is SIGBUS. [transfer] */
    int32_t (*source_fd)(struct flame_transfer *transfer);

    /* Say "that was all" and what proves it: the last call for the body. A slot that returns OK
     * without it has proven nothing. OK means accepted. [transfer] */
    int32_t (*finish)(struct flame_transfer *transfer, const struct flame_end *end);

    /* Where we are (enum flame_phase) and how many bytes the wire has carried so far, both ways (0:
     * the library does not count). Starts and stops the host's connect and first-byte clocks, and
     * each call feeds the stall clock: call it only while data arrives that cannot be delivered
     * yet, or while keepalive proves the peer alive. Cheap. One way. [transfer] */
    void (*progress)(struct flame_transfer *transfer, uint32_t phase, uint64_t wire_bytes);

    /* OK while wanted, else CANCELLED or TIMEOUT. Cheap. [any] until the slot returns */
    int32_t (*cancelled)(struct flame_transfer *transfer);

    /* A descriptor that becomes readable (POLLIN or POLLHUP) when the transfer is no longer wanted,
     * for poll beside sockets. The host's: never read, write or close it. [any] until the slot
     * returns */
    int32_t (*cancel_fd)(struct flame_transfer *transfer);

    /* Milliseconds until the host will give up by itself; INT64_MAX = never; 0 = now. [any] until
     * the slot returns */
    int64_t (*time_left_ms)(struct flame_transfer *transfer);

    /* A table of further services by id, "flame.NAME/REV" or a vendor's reverse-DNS id; NULL = not
     * here. Size first, append-only, as this one. [any] until shutdown has returned */
    const void *(*get_extension)(const struct flame_host *host, const char *id);
    /* -- append here -- */
};

/* ---- what a plugin offers -------------------------------------------------------------------- */

#define FLAME_CAN_RANGE 0x1u          /* fetch: offset and length */
#define FLAME_CAN_CHANGED 0x2u        /* fetch, stat: WHEN_CHANGED */
#define FLAME_CAN_SAME 0x4u           /* fetch with offset or length: WHEN_SAME */
#define FLAME_CAN_STORE_ABSENT 0x8u   /* store: WHEN_ABSENT */
#define FLAME_CAN_STORE_SAME 0x10u    /* store, remove: WHEN_SAME */
#define FLAME_CAN_STORE_STREAM 0x20u  /* store: a source of unknown size */
#define FLAME_CAN_REMOVE_PREFIX 0x40u /* remove: FLAME_REQUEST_PREFIX */

/* The plugin's table, static and constant. init, shutdown and fetch are required; for the others
 * NULL means that the host answers UNSUPPORTED. */
struct flame_plugin {
    uint32_t struct_size;
    uint32_t max_concurrency; /* slots at once that still help; 0 = no limit of its own */
    uint64_t caps;            /* FLAME_CAN_*: the host never asks for what is not here */
    const char *manifest;     /* the text in the note: those very bytes, inside this object */
    const struct flame_option *const *options; /* NULL-terminated, or NULL */

    /* Make an instance. Connects nowhere, is done within a second, reads what it wants of
     * `host->option_get`. Fails with INVALID (an option), NO_MEMORY, UNSUPPORTED; then *instance
     * is not used and shutdown not called. `host` stays valid until shutdown returns. [init] */
    int32_t (*init)(const struct flame_host *host, struct flame_instance **instance,
                    struct flame_error *err);

    /* Drop connections, join threads, free the instance. No host call after it. [shutdown] */
    void (*shutdown)(struct flame_instance *instance);

    /* Deliver request->url into the transfer: report, sink_write (or sink_copy) ..., finish.
     * A redirect is reported (object.url) and returned as REDIRECT: the host judges the target,
     * drops headers and secrets, and calls again. Returns OK, NOT_MODIFIED, REDIRECT or a failure.
     * [worker] */
    int32_t (*fetch)(struct flame_instance *instance, const struct flame_request *request,
                     struct flame_transfer *transfer, struct flame_error *err);

    /* Send the source to request->url: source_read ..., report what was made, finish. Without
     * PROOF_COMPLETE or VERIFIED the host says UNKNOWN_OUTCOME. Returns OK, REDIRECT or a failure.
     * [worker] */
    int32_t (*store)(struct flame_instance *instance, const struct flame_request *request,
                     struct flame_transfer *transfer, struct flame_error *err);

    /* Delete request->url; everything below it only with FLAME_REQUEST_PREFIX. Proof as for store.
     * Returns OK, REDIRECT or a failure: NOT_FOUND when it is not there. [worker] */
    int32_t (*remove)(struct flame_instance *instance, const struct flame_request *request,
                      struct flame_transfer *transfer, struct flame_error *err);

    /* Report what is known of request->url, without its body. finish is not needed. Returns as
     * fetch does. [worker] */
    int32_t (*stat)(struct flame_instance *instance, const struct flame_request *request,
                    struct flame_transfer *transfer, struct flame_error *err);

    /* Report each object below request->url from request->cursor on, in the peer's order; finish
     * with the cursor where it stopped. Returns OK, REDIRECT or a failure. [worker] */
    int32_t (*list)(struct flame_instance *instance, const struct flame_request *request,
                    struct flame_transfer *transfer, struct flame_error *err);

    /* A static table of further slots by id, or NULL; rules as for the host's. [any] after init */
    const void *(*get_extension)(struct flame_instance *instance, const char *id);
    /* -- append here -- */
};

/* The first extension of the host, and the pattern for others: may this transfer talk to that
 * address? A plugin that resolves names asks with each address before it connects. */
#define FLAME_EXT_NET_POLICY "flame.net-policy/1"
struct flame_net_policy {
    uint32_t struct_size;
    uint32_t flags; /* none yet */
    /* `address` is numeric, as inet_ntop(3) writes it. OK, or POLICY, which is then the verdict.
     * [transfer] */
    int32_t (*check)(struct flame_transfer *transfer, const char *address, uint32_t port);
    /* Equal numbers = equal answers: part of the key of a connection pool. [any] until the slot
     * returns */
    uint64_t (*id)(struct flame_transfer *transfer);
};

/* ---- making a plugin ------------------------------------------------------------------------- */

#if !defined(__GNUC__)
#error "flame plugins need a compiler that can name an ELF section (gcc, clang)"
#endif

#define FLAME_ENTRY_SYMBOL "flame_plugin_entry_v1"
#define FLAME_NOTE_SECTION ".note.flame.plugin"
#define FLAME_NOTE_NAME "Flame"
#define FLAME_NOTE_TYPE 1u

#define FLAME_EXPORT_ __attribute__((visibility("default")))
#define FLAME_NOTE_ATTR_ __attribute__((used, aligned(4), section(FLAME_NOTE_SECTION)))
#define FLAME_STR_(x) #x
#define FLAME_STR(x) FLAME_STR_(x)
#ifdef __cplusplus
#define FLAME_EXTERN_C_ extern "C"
#else
#define FLAME_EXTERN_C_ extern
#endif

/* The text of the note: "key=value" lines. */
/* clang-format off */
#define FLAME_MANIFEST_(id, version, schemes, summary, min_host, redirects)                        \
    "abi=" FLAME_STR(FLAME_ABI_MAJOR) "." FLAME_STR(FLAME_ABI_MINOR) "\n"                          \
    "min_host=" FLAME_STR(min_host) "\n"                                                           \
    "id=" id "\n"                                                                                  \
    "version=" version "\n"                                                                        \
    "schemes=" schemes "\n"                                                                        \
    "summary=" summary "\n"                                                                        \
    "redirects=" redirects "\n"
/* clang-format on */

/* Write the note and the entry function; the block that follows names the slots:
 *
 *     FLAME_PLUGIN("org.example.data", "1.0", "data", "data urls (RFC 2397)")
 *     {
 *         plugin->init = data_init;
 *         plugin->shutdown = data_shutdown;
 *         plugin->fetch = data_fetch;
 *     }
 *
 * schemes: separated by one blank, each may carry its default port: "http:80 https:443". A scheme
 * with a default port needs a host in its URLs. Good for C99 and C++11 and up. */
#define FLAME_PLUGIN(id, version, schemes, summary)                                                \
    FLAME_PLUGIN_FULL(id, version, schemes, summary, 0, "")

/* The same for a plugin that needs a host of at least 1.`min_host`, or that redirects to schemes
 * that are not its own (`redirects`: separated by one blank). */
#define FLAME_PLUGIN_FULL(id, version, schemes, summary, min_host, redirects)                      \
    static const struct {                                                                          \
        uint32_t name_size, text_size, type;                                                       \
        char name[8];                                                                              \
        char text[(sizeof(FLAME_MANIFEST_(id, version, schemes, summary, min_host, redirects)) +   \
                   3) /                                                                            \
                  4 * 4];                                                                          \
    } flame_note_ FLAME_NOTE_ATTR_ = {                                                             \
        sizeof(FLAME_NOTE_NAME),                                                                   \
        sizeof(FLAME_MANIFEST_(id, version, schemes, summary, min_host, redirects)),               \
        FLAME_NOTE_TYPE, FLAME_NOTE_NAME,                                                          \
        FLAME_MANIFEST_(id, version, schemes, summary, min_host, redirects)};                      \
    static void flame_plugin_slots_(struct flame_plugin *plugin);                                  \
    FLAME_EXTERN_C_ FLAME_EXPORT_ const struct flame_plugin *flame_plugin_entry_v1(void);          \
    const struct flame_plugin *flame_plugin_entry_v1(void)                                         \
    {                                                                                              \
        static struct flame_plugin table;                                                          \
        table.struct_size = (uint32_t)sizeof(table);                                               \
        table.manifest = flame_note_.text;                                                         \
        flame_plugin_slots_(&table);                                                               \
        return &table;                                                                             \
    }                                                                                              \
    static void flame_plugin_slots_(struct flame_plugin *plugin)

/* Format a message, fail() with it, return `status`. */
__attribute__((format(printf, 4, 5))) FLAME_UNUSED_ static inline int32_t
flame_fail(const struct flame_host *host, struct flame_error *err, int32_t status,
           const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return host->fail(err, status, message);
}

/* sink_write() of one piece of memory. */
FLAME_UNUSED_ static inline int32_t flame_write(const struct flame_host *host,
                                                struct flame_transfer *transfer, const void *data,
                                                uint64_t size)
{
    struct flame_slice slice;

    slice.data = data;
    slice.size = size;
    return host->sink_write(transfer, &slice, 1);
}

/* finish() with nothing but a proof (enum flame_proof). */
FLAME_UNUSED_ static inline int32_t flame_finish(const struct flame_host *host,
                                                 struct flame_transfer *transfer, uint32_t proof)
{
    struct flame_end end;

    end.struct_size = (uint32_t)sizeof(end);
    end.proof = proof;
    end.cursor = NULL;
    return host->finish(transfer, &end);
}

#ifdef __cplusplus
}
#endif

#endif
