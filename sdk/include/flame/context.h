/* SPDX-License-Identifier: Apache-2.0 */
/* The user's Flame context: what ~/.flame/flame.yaml and the FLAME_* variables say, as flamepy and
 * flmctl read them, and where each value came from.
 *
 * Read once, at flame_context_open(), with bounds; the context never changes afterwards. Nothing is
 * guessed: a key that is there with a wrong type is an error that names file, line and key, and a
 * key that nobody knows is ignored, as Flame does. docs/context.md has the whole table.
 *
 * Thread tags as in flame/fetch.h. */
#ifndef FLAME_CONTEXT_H
#define FLAME_CONTEXT_H

#include <flame/fetch.h>

#ifdef __cplusplus
extern "C" {
#endif

struct flame_context;

/* The keys of a context: X(name, path in flame.yaml, kind, variable, default, help). `name` makes
 * FLAME_CONTEXT_<NAME>. The kinds:
 *   TEXT  a variable that is set and not empty goes before the file
 *   FILE  a file of TLS: Flame takes the variable only where flame.yaml is silent
 *   LIST  of texts: those of the file come after the default's, which a blank parts; each once */
#define FLAME_CONTEXT_TABLE(X)                                                                     \
    X(NAME, "current-context", TEXT, NULL, NULL, "the context that applies")                       \
    X(CLUSTER_ENDPOINT, "cluster.endpoint", TEXT, "FLAME_ENDPOINT", "http://127.0.0.1:8080",       \
      "where the session manager is")                                                              \
    X(CLUSTER_CA, "cluster.tls.ca_file", FILE, "FLAME_CA_FILE", NULL,                              \
      "authorities trusted for it")                                                                \
    X(CLUSTER_CERT, "cluster.tls.cert_file", FILE, "FLAME_CERT_FILE", NULL,                        \
      "our certificate there")                                                                     \
    X(CLUSTER_KEY, "cluster.tls.key_file", FILE, "FLAME_KEY_FILE", NULL, "its private key")        \
    X(CACHE_ENDPOINT, "cache.endpoint", TEXT, "FLAME_CACHE_ENDPOINT", NULL,                        \
      "where the object cache is")                                                                 \
    X(CACHE_CA, "cache.tls.ca_file", FILE, "FLAME_CA_FILE", NULL, "authorities trusted for it")    \
    X(CACHE_CERT, "cache.tls.cert_file", FILE, "FLAME_CERT_FILE", NULL, "our certificate there")   \
    X(CACHE_KEY, "cache.tls.key_file", FILE, "FLAME_KEY_FILE", NULL, "its private key")            \
    X(CACHE_STORAGE, "cache.storage", TEXT, "FLAME_CACHE_STORAGE", NULL,                           \
      "where flamepy keeps objects of its own; not used here")                                     \
    X(PACKAGE_STORAGE, "package.storage", TEXT, NULL, NULL,                                        \
      "where packages go; the cache if unset")                                                     \
    X(PACKAGE_EXCLUDES, "package.excludes", LIST, NULL, ".venv __pycache__ .gitignore *.pyc",      \
      "patterns that stay out of a package")                                                       \
    X(RUNNER_TEMPLATE, "runner.template", TEXT, NULL, "flmrun",                                    \
      "the application runners start from")

/* clang-format off */
enum flame_context_key {
#define FLAME_ROW_(name, path, kind, variable, fallback, help) FLAME_CONTEXT_##name,
    FLAME_CONTEXT_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    FLAME_CONTEXT_KEY_COUNT,
    FLAME_CONTEXT_KEY_FORCE_32 = 0x7fffffff
};
/* clang-format on */

/* The cache that flamepy takes when nobody has named one. */
#define FLAME_CONTEXT_DEFAULT_CACHE "grpc://127.0.0.1:9090"

#define FLAME_CONTEXT_NO_ENVIRONMENT 0x1u /* a daemon: read no FLAME_* variable */

struct flame_context_config {
    uint32_t struct_size;
    uint32_t flags;   /* FLAME_CONTEXT_NO_ENVIRONMENT */
    const char *file; /* NULL = ~/.flame/flame.yaml (HOME, else the user database), which may be
                         missing; "" = none */
    const char *name; /* which of its contexts; NULL = its current-context */
};

/* Read the context. `config` may be NULL. Without a file, variables and defaults are all there is.
 * *out: flame_context_close() it.
 * Fails with INVALID (names file, line and key), NOT_FOUND (a file that was asked for by name),
 * LIMIT (docs/context.md has the bounds), IO, NO_MEMORY. The environment must not be changed
 * meanwhile. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_context_open(const struct flame_context_config *config,
                                                 struct flame_context **out,
                                                 struct flame_error *err);

/* Takes NULL. [one-thread] */
FLAME_API void flame_context_close(struct flame_context *context);

struct flame_context_value {
    uint32_t struct_size;
    uint32_t key;      /* enum flame_context_key */
    const char *name;  /* "cache.tls.ca_file" */
    const char *value; /* NULL = unset; of a list, its items with a blank between: to show */
    const char *const *values; /* of a list, NULL-terminated; NULL = it is none */
    const char *source;        /* "FLAME_CA_FILE", "/home/me/.flame/flame.yaml:7", "default"; NULL =
                                  unset */
    const char *help;
};

/* One value, borrowed from the context. A number that is no key is unset. [any-thread] */
FLAME_API void flame_context_get(const struct flame_context *context, uint32_t key,
                                 struct flame_context_value *out);

/* Shorthand for its text; NULL = unset. [any-thread] */
FLAME_API const char *flame_context_text(const struct flame_context *context, uint32_t key);

/* What a task for this URL gets from the context: options and secrets for flame_task, whose own go
 * before them. Only grpcs and grpc+tls URLs get any: the authorities of cache.tls always, the
 * client certificate where those authorities vouch for the server, or at the cache itself. The
 * files are read anew each time: a certificate that was renewed counts for the next task.
 * `out`: initialise it with FLAME_INIT, flame_settings_done() it; a text that is no URL gets
 * nothing, for the task will say so. Fails with INVALID (one of certificate and key is missing, or
 * its file holds no text), IO (names the key and the file), LIMIT (a file over 1 MiB), NO_MEMORY.
 * [any-thread] */
struct flame_settings {
    uint32_t struct_size;
    uint32_t reserved;
    const char *const *options; /* name, value, ..., NULL; or NULL */
    const char *const *secrets; /* likewise; overwritten when done */
    void *owner;
};
FLAME_API FLAME_CHECK int32_t flame_context_settings(const struct flame_context *context,
                                                     const char *url, struct flame_settings *out,
                                                     struct flame_error *err);
/* Takes NULL. [one-thread] */
FLAME_API void flame_settings_done(struct flame_settings *settings);

#ifdef __cplusplus
}
#endif

#endif
