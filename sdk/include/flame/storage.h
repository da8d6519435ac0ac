/* SPDX-License-Identifier: Apache-2.0 */
/* Where packages are kept, as flamepy's create_storage_backend() has it: one folder for each
 * application in any place whose plugin can store.
 *
 * A package is <base>/<application>/pkg/<name>, in every kind of place. A name is one part: what
 * is empty, ".", "..", has a '/', a control character or is not UTF-8 is refused, and everything
 * else is percent-encoded, so that ' ', '%', '#' and '?' are letters like others.
 *
 * A `task` says how, as in flame/object.h; its url is NULL.
 *
 * Thread tags as in flame/fetch.h. */
#ifndef FLAME_STORAGE_H
#define FLAME_STORAGE_H

#include <flame/context.h>

#ifdef __cplusplus
extern "C" {
#endif

struct flame_storage;

/* Packages of `app` below `base`, the URL of a folder: file, http, https, grpc, grpcs or a scheme
 * of another plugin. NULL = the context's cache, or flamepy's default one. `context` may be NULL;
 * it and `flame` outlive this. A folder of this machine must be there.
 * *out: flame_storage_close() it. Fails with INVALID (app, base, and who said it), INVALID_URL,
 * UNSUPPORTED (no plugin has the scheme), NOT_FOUND, IO, NO_MEMORY. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_storage_open(struct flame *flame,
                                                 const struct flame_context *context,
                                                 const char *base, const char *app,
                                                 struct flame_storage **out,
                                                 struct flame_error *err);
/* No call may be under way. Takes NULL. [one-thread] */
FLAME_API void flame_storage_close(struct flame_storage *storage);

/* Base, application and "pkg", with '/' at the end. Borrowed. [any-thread] */
FLAME_API const char *flame_storage_url(const struct flame_storage *storage);

/* Store the task's path or fd under a name. What is there is replaced, or with FLAME_TASK_KEEP
 * the call fails with EXISTS; it is never skipped. Where the place knows no "create only" (the
 * object cache), somebody has to look first, and two writers at once may both be told OK.
 * OK means stored and looked at. result->url is the package's URL, for any fetch.
 * Fails with UNSAFE_NAME, or as flame_run() does. [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_storage_upload(struct flame_storage *storage, const char *name,
                                                   const struct flame_task *task,
                                                   struct flame_result *result,
                                                   struct flame_error *err);

/* Fetch a package to the task's path, fd or write. Fails as flame_storage_upload(). [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_storage_download(struct flame_storage *storage,
                                                     const char *name,
                                                     const struct flame_task *task,
                                                     struct flame_result *result,
                                                     struct flame_error *err);

/* Remove a package; one that is not there is removed. Fails as flame_storage_upload(). [any-thread]
 */
FLAME_API FLAME_CHECK int32_t flame_storage_remove(struct flame_storage *storage, const char *name,
                                                   const struct flame_task *task,
                                                   struct flame_error *err);

/* Is it there? *exists becomes 1 or 0. Fails as flame_storage_upload(). [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_storage_exists(struct flame_storage *storage, const char *name,
                                                   const struct flame_task *task, int32_t *exists,
                                                   struct flame_error *err);

/* One package of a listing, borrowed; the size is UINT64_MAX where the place does not say.
 * Non-zero: enough. */
typedef int32_t flame_storage_visit(void *data, const char *name, uint64_t size);

/* Visit the packages of the application; none where nothing was stored yet. Fails with UNSUPPORTED
 * (http has no listing), or as flame_storage_upload(). [any-thread] */
FLAME_API FLAME_CHECK int32_t flame_storage_list(struct flame_storage *storage,
                                                 const struct flame_task *task,
                                                 flame_storage_visit *visit, void *data,
                                                 struct flame_error *err);

#ifdef __cplusplus
}
#endif

#endif
