/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin_host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define KEEP_BYTES (64 * 1024 * 1024)

static const char *const no_headers[] = {NULL};

/* Split "host:port", in place. */
static void split_authority(struct flame_request *request, char *authority)
{
    char *colon = strrchr(authority, ':');

    if (colon && !strchr(colon, ']')) {
        *colon = '\0';
        request->port = (uint32_t)strtoul(colon + 1, NULL, 10);
    }
    if (authority[0] == '[') {
        authority++;
        authority[strcspn(authority, "]")] = '\0';
    }
    request->host = authority;
}

/* run->text holds three copies of the URL: the whole, one to cut into parts, one for the origin. */
static void split_url(struct plugin_run *run, const char *url)
{
    struct flame_request *request = &run->request;
    size_t size = strlen(url) + 1;
    char *parts, *origin, *slashes, *path, *query;

    run->text = malloc(4 * size);
    if (!run->text)
        abort();
    memcpy(run->text, url, size);
    parts = memcpy(run->text + size, url, size);
    origin = memcpy(run->text + 2 * size, url, size);
    request->url = run->text;
    request->host = "";
    request->origin = origin;
    request->scheme = parts;

    query = strchr(parts, '?');
    if (query) {
        *query = '\0';
        request->query = query + 1;
    }
    slashes = parts + strcspn(parts, ":") + 1;
    slashes[-1] = '\0';
    request->path = slashes;
    if (strncmp(slashes, "//", 2) != 0) {
        origin[slashes - parts] = '\0';
        return;
    }
    path = slashes + 2 + strcspn(slashes + 2, "/");
    origin[path - parts] = '\0';
    request->path = strcpy(run->text + 3 * size, path);
    *path = '\0';
    split_authority(request, slashes + 2);
}

void plugin_run_init(struct plugin_run *run, struct plugin_host *host, const char *url)
{
    *run = (struct plugin_run){
        .host = host,
        .request = FLAME_INIT(flame_request),
        .limit_bytes = UINT64_MAX,
        .cancel_after_bytes = UINT64_MAX,
        .keep_bytes = KEEP_BYTES,
        .time_left_ms = INT64_MAX,
        .source_fd = -1,
        .status = -1,
    };
    run->request.headers = no_headers;
    run->request.max_bytes = UINT64_MAX;
    run->request.attempt = 1;
    run->request.connect_timeout_ms = 30000;
    run->request.stall_timeout_ms = 30000;
    split_url(run, url);
    plugin_failure_init(&run->failure);
    sha256_init(&run->hash);
    run->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (run->cancel_fd < 0)
        abort();
}

void plugin_run_done(struct plugin_run *run)
{
    for (size_t i = 0; i < run->object_count; i++) {
        free(run->objects[i].validator);
        free(run->objects[i].url);
    }
    for (size_t i = 0; i < run->metadata_count; i++)
        free(run->metadata[i]);
    free(run->objects);
    free(run->metadata);
    free(run->body);
    free(run->cursor);
    free(run->text);
    (void)close(run->cancel_fd);
    (void)pthread_mutex_destroy(&run->failure.lock);
}

typedef int32_t (*slot_function)(struct flame_instance *instance,
                                 const struct flame_request *request,
                                 struct flame_transfer *transfer, struct flame_error *err);

static int32_t call(struct plugin_run *run, slot_function slot)
{
    struct flame_instance *instance = plugin_host_instance(run->host);
    uint8_t digest[SHA256_DIGEST_SIZE];

    if (!slot)
        return run->status = FLAME_ERR_UNSUPPORTED;
    run->status = slot(instance, &run->request, (struct flame_transfer *)run, &run->failure.error);
    sha256_digest(&run->hash, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(run->sha256 + 2 * i, 3, "%02x", digest[i]);
    return run->status;
}

int32_t plugin_run_fetch(struct plugin_run *run)
{
    return call(run, plugin_host_plugin(run->host)->fetch);
}

int32_t plugin_run_store(struct plugin_run *run)
{
    return call(run, plugin_host_plugin(run->host)->store);
}

int32_t plugin_run_remove(struct plugin_run *run)
{
    return call(run, plugin_host_plugin(run->host)->remove);
}

int32_t plugin_run_stat(struct plugin_run *run)
{
    return call(run, plugin_host_plugin(run->host)->stat);
}

int32_t plugin_run_list(struct plugin_run *run)
{
    return call(run, plugin_host_plugin(run->host)->list);
}

void plugin_run_cancel(struct plugin_run *run, int32_t status)
{
    uint64_t one = 1;

    atomic_store(&run->cancel_status, status);
    if (write(run->cancel_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort();
}

const struct plugin_object *plugin_run_object(const struct plugin_run *run)
{
    return run->object_count ? &run->objects[run->object_count - 1] : NULL;
}

const char *plugin_run_metadata(const struct plugin_run *run, const char *key)
{
    for (size_t i = 0; i < run->metadata_count; i += 2)
        if (strcmp(run->metadata[i], key) == 0)
            return run->metadata[i + 1];
    return NULL;
}

bool plugin_run_saw(const struct plugin_run *run, uint32_t phase)
{
    return (run->phases & (1u << (phase / 10 % 32))) != 0;
}

int64_t plugin_run_detail(const struct plugin_run *run, uint32_t what, int64_t missing)
{
    return run->failure.has_detail[what] ? run->failure.detail[what] : missing;
}
