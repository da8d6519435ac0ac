/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of Flame's object cache, as flamepy's upload_object() and download_object() have them.
 *
 * A key is <application>/<session>/<object>. Two parts name a session, with '*' for the session a
 * whole application; both only where a function says so. The transfers are tasks of the core: same
 * clocks, limits, retries, errors, progress and cancel. Connections are shared by everything that
 * runs on one struct flame.
 *
 * A `task` says how: path or fd, progress, cancel, limits, digest, ...; NULL where nothing is to be
 * said. Its url is NULL: this is what these functions are for.
 *
 * Thread tags as in flame/fetch.h. */
#ifndef FLAME_OBJECT_H
#define FLAME_OBJECT_H

#include <flame/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- keys ------------------------------------------------------------------------------------ */

#define FLAME_OBJECT_KEY_MAX 1024 /* bytes */

#define FLAME_KEY_OBJECT 0x1u      /* three parts */
#define FLAME_KEY_SESSION 0x2u     /* two parts */
#define FLAME_KEY_APPLICATION 0x4u /* two parts, the second is "*" */

/* Which of FLAME_KEY_* a key is, if `wanted` (those ORed) has it. Refused are empty parts, "..",
 * '\', what a ticket has no room for (':'), '*' elsewhere, control characters, what is not UTF-8.
 * Fails with INVALID. `kind` may be NULL. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_key_check(const char *key, uint32_t wanted,
                                                     uint32_t *kind, struct flame_error *err);

/* Does a key of any kind name this object, given as three parts? 1 or 0. [any-thread] */
FLAME_API int32_t flame_object_key_covers(const char *key, const char *object);

/* ---- references ------------------------------------------------------------------------------ */

#define FLAME_OBJECT_ENDPOINT_MAX 512 /* bytes */
#define FLAME_OBJECT_REF_MAX 2048     /* bytes of an encoded reference */

/* Where an object is. A plain value: copied with `=`. */
struct flame_object_ref {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t version;                             /* from 1; 0 = whichever is there */
    char endpoint[FLAME_OBJECT_ENDPOINT_MAX + 8]; /* with room to a multiple of 8 */
    char key[FLAME_OBJECT_KEY_MAX + 8];
};

/* As the cache and flamepy write it: a BSON document {endpoint, key, version}. `out` has room for
 * *size bytes; *size becomes its length. Fails with INVALID (the key), LIMIT (no room),
 * NO_MEMORY. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_ref_encode(const struct flame_object_ref *ref, void *out,
                                                      size_t *size, struct flame_error *err);

/* The reverse, of foreign bytes. Fails with INVALID, LIMIT; *out is untouched then. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_ref_decode(const void *bytes, size_t size,
                                                      struct flame_object_ref *out,
                                                      struct flame_error *err);

/* From what a store has told: a result's metadata, and nothing else. Fails with INVALID.
 * [any-thread]
 */
FLAME_API FLAME_CHECK int32_t flame_object_ref_of(const struct flame_result *result,
                                                  struct flame_object_ref *out,
                                                  struct flame_error *err);

/* The URL that fetches it: grpc or grpcs, percent-encoded. *out: free() it. Fails with INVALID,
 * NO_MEMORY. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_ref_url(const struct flame_object_ref *ref, char **out,
                                                   struct flame_error *err);

/* ---- a cache --------------------------------------------------------------------------------- */

struct flame_objects;

/* Objects of one cache. `endpoint` NULL: the context's, and without one there flamepy's default,
 * FLAME_CONTEXT_DEFAULT_CACHE. `context` may be NULL; it and `flame` outlive this. Connects to
 * nothing. *out: flame_objects_close() it.
 * Fails with INVALID (an endpoint that is none, and who said it), NO_MEMORY. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_objects_open(struct flame *flame,
                                                 const struct flame_context *context,
                                                 const char *endpoint, struct flame_objects **out,
                                                 struct flame_error *err);
/* No call may be under way. Takes NULL. [one-thread] */
FLAME_API void flame_objects_close(struct flame_objects *objects);

/* "grpc://host:9090". Borrowed. [any-thread] */
FLAME_API const char *flame_objects_endpoint(const struct flame_objects *objects);

/* Store the task's path or fd under a key, or below a session (two parts): then the cache names
 * it. Replaces what is there. OK means that the cache has this version. *out may be NULL.
 * Fails as flame_run() does; the message names file, endpoint and what the cache said. [any-thread]
 */
FLAME_API FLAME_CHECK int32_t flame_object_upload(struct flame_objects *objects, const char *key,
                                                  const struct flame_task *task,
                                                  struct flame_object_ref *out,
                                                  struct flame_error *err);

/* Fetch an object to the task's path, fd or write. It comes from ref's endpoint; an empty one means
 * the cache of `objects`. As flamepy does, the version there now is fetched, whatever ref says;
 * result->validator says which that was. Fails as flame_run() does. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_download(struct flame_objects *objects,
                                                    const struct flame_object_ref *ref,
                                                    const struct flame_task *task,
                                                    struct flame_result *result,
                                                    struct flame_error *err);

/* Remove one object, a key of three parts. The cache says OK whether it was there or not.
 * Fails as flame_run() does. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_remove(struct flame_objects *objects, const char *key,
                                                  const struct flame_task *task,
                                                  struct flame_error *err);

/* Remove everything in a session, or with '*' in an application: a key of two parts.
 * Fails as flame_run() does. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_remove_all(struct flame_objects *objects,
                                                      const char *key,
                                                      const struct flame_task *task,
                                                      struct flame_error *err);

/* One object of a listing, borrowed. Non-zero: enough. */
typedef int32_t flame_object_visit(void *data, const char *key, uint64_t size);

/* Visit what a key of any kind names; NULL = all that the cache has. The order is the cache's.
 * Fails as flame_run() does. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_object_list(struct flame_objects *objects, const char *key,
                                                const struct flame_task *task,
                                                flame_object_visit *visit, void *data,
                                                struct flame_error *err);

#ifdef __cplusplus
}
#endif

#endif
