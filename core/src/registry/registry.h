/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: which plugin serves which scheme, and the plugin's code once it is needed.
 *
 * Opening it looks at every *.so of the plugin directories (sorted, not recursive): trust of file
 * and parents (trust.h), ELF preflight and note (note.h), manifest (manifest.h). No plugin code
 * runs. The first request for a scheme loads its plugin (loader.h). Nothing is ever unloaded.
 *
 * Directories: those of the configuration in order, then the shipped one: <dir of
 * libflame-fetch.so>/flame/plugins. A directory that does not exist is skipped.
 *
 * Who serves a scheme: the plugin that a pin names; else, for the built-in schemes
 * (FL_BUILTIN_TABLE) only the plugin with the built-in id; else the one in the earliest directory.
 * Two in one directory make that scheme ambiguous, and nothing else. An id seen before is SHADOWED,
 * a file (device, inode) seen before is an ALIAS.
 *
 * The tables are constant after fl_registry_open(). Each plugin has a state of its own (idle,
 * loading, ready, failed) under its own lock; no lock is held over dlopen() or over plugin code.
 * Any thread. */
#ifndef FL_REGISTRY_REGISTRY_H
#define FL_REGISTRY_REGISTRY_H

#include "config/config.h"
#include "registry/reject.h"

#include <flame/plugin.h>

/* X(scheme, id): schemes that other plugins get by an explicit pin only. */
#define FL_BUILTIN_TABLE(X)                                                                        \
    X("file", "org.flame.file")                                                                    \
    X("http", "org.flame.http")                                                                    \
    X("https", "org.flame.http")                                                                   \
    X("grpc", "org.flame.grpc")                                                                    \
    X("grpcs", "org.flame.grpc")                                                                   \
    X("grpc+tls", "org.flame.grpc")                                                                \
    X("grpc+tcp", "org.flame.grpc")

struct fl_registry;
struct fl_plugin; /* one accepted file */

/* What a loaded plugin sees as its host: a copy of the core's table whose `impl` is this struct.
 * `table` first, so that the core finds its way from struct flame_host to plugin and context. */
struct fl_plugin_host {
    struct flame_host table;
    void *core;                     /* what fl_registry_open() was given */
    const struct fl_plugin *plugin; /* for its id and options */
};

/* Scan. `config` must outlive the registry. `host` is the template of the table that plugins get,
 * `core` goes into their fl_plugin_host. `shipped_dir` NULL = beside the library.
 * A bad plugin or directory is no failure: it is listed. Fails with NO_MEMORY. */
int32_t fl_registry_open(struct fl_config *config, const char *shipped_dir,
                         const struct flame_host *host, void *core, struct fl_registry **out,
                         struct flame_error *err) FL_CHECK;

/* Shut down the instances that were made, and free; the code stays mapped. Takes NULL. */
void fl_registry_close(struct fl_registry *registry);

/* The plugin for a scheme (lower case). Fails with UNSUPPORTED: no plugin (the message lists the
 * schemes that are there), or an ambiguous scheme (names both files). */
int32_t fl_registry_find(struct fl_registry *registry, const char *scheme, struct fl_plugin **out,
                         struct flame_error *err) FL_CHECK;

/* A plugin by id, or NULL. */
struct fl_plugin *fl_registry_by_id(struct fl_registry *registry, const char *id);

/* Call `visit` for each file looked at, in order of search; non-zero stops. */
void fl_registry_visit(const struct fl_registry *registry,
                       int32_t (*visit)(void *data, const struct flame_plugin_info *info),
                       void *data);

/* From the manifest, without loading. */
const char *fl_plugin_id(const struct fl_plugin *plugin);
uint32_t fl_plugin_default_port(const struct fl_plugin *plugin, const char *scheme); /* 0 = none */
bool fl_plugin_may_redirect(const struct fl_plugin *plugin, const char *scheme); /* `redirects=` */

/* Load if need be, wait while another thread loads, make the instance.
 * *table: the host's own copy, missing tail zero, valid for ever. *instance: shared by all threads.
 * Fails with PLUGIN (the reject's code and line; a failed plugin stays failed), INVALID (its
 * options), whatever init said, PLUGIN "REENTRANT" when the plugin's own loading asks for it. */
int32_t fl_plugin_use(struct fl_plugin *plugin, const struct flame_plugin **table,
                      struct flame_instance **instance, struct flame_error *err) FL_CHECK;

/* The plugin's own options; NULL before it is loaded. */
const struct flame_option *const *fl_plugin_options(const struct fl_plugin *plugin);

#endif
