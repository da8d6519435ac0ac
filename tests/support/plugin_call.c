/* SPDX-License-Identifier: Apache-2.0 */
/* One slot of a plugin for tests that are not written in C, with the host in memory:
 *
 *     plugin_call PLUGIN.so VERB URL [KEY=VALUE ...]
 *
 * prints what the plugin said as lines "key=value" and an empty line, for each of `times` runs on
 * one instance. The source is `fill` bytes that never repeat at a power of two (see
 * scratch_fill()), in a file of which `size` bytes are promised; `stream` promises nothing. A key
 * "later.KEY" is not taken before the first run is over. */
#include "plugin_host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LATER "later."

struct call {
    struct plugin_host *host;
    const char *verb, *url;
    const char *validator;
    uint64_t fill, size, offset, length, max_bytes, cancel_at, grow_at, step, times;
    uint64_t keep_bytes, cancel_ms, cancel_body, connect_ms, max_entries, pause_ms;
    atomic_bool is_reached; /* so much of the body has come */
    const char *cursor;
    const char *refused[2]; /* an address that the policy refuses */
    uint32_t condition, flags;
    bool has_size, is_stream;
    struct timespec cancelled_at;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "plugin_call: %s\n", what);
    exit(2);
}

static int make_source(uint64_t size)
{
    int fd = memfd_create("source", MFD_CLOEXEC);
    static uint8_t block[65521];

    for (uint64_t at = 0; at < size; at += sizeof(block)) {
        size_t count = size - at < sizeof(block) ? (size_t)(size - at) : sizeof(block);

        for (size_t i = 0; i < count; i++)
            block[i] = (uint8_t)((at + i) % 251 + (at + i) / 65521);
        if (write(fd, block, count) != (ssize_t)count)
            die("cannot make the source");
    }
    return fd;
}

/* ---- what to do ---- */

static uint32_t condition_of(const char *text)
{
    static const char *const names[] = {"always", "changed", "same", "absent"};

    for (uint32_t i = 0; i < 4; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return (uint32_t)strtoul(text, NULL, 0);
}

static bool take_number(struct call *call, const char *key, const char *value)
{
    const struct {
        const char *key;
        uint64_t *out;
    } numbers[] = {
        {"fill", &call->fill},
        {"size", &call->size},
        {"offset", &call->offset},
        {"length", &call->length},
        {"max_bytes", &call->max_bytes},
        {"cancel_at", &call->cancel_at},
        {"grow_at", &call->grow_at},
        {"step", &call->step},
        {"times", &call->times},
        {"keep_bytes", &call->keep_bytes},
        {"cancel_ms", &call->cancel_ms},
        {"cancel_body", &call->cancel_body},
        {"connect_ms", &call->connect_ms},
        {"max_entries", &call->max_entries},
        {"pause_ms", &call->pause_ms},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(numbers[i].key, key) != 0)
            continue;
        *numbers[i].out = strtoull(value, NULL, 0);
        return true;
    }
    return false;
}

/* "VALUE ORIGIN" */
static void take_secret(struct call *call, const char *name, char *value)
{
    char *origin = strrchr(value, ' ');

    if (!origin)
        die("a secret without its origin");
    *origin++ = '\0';
    plugin_host_secret(call->host, name, origin, value);
}

static void take(struct call *call, char *key)
{
    char *value = strchr(key, '=');

    if (!value)
        die("not KEY=VALUE");
    *value++ = '\0';
    call->has_size = call->has_size || strcmp(key, "size") == 0;
    if (strncmp(key, "option.", 7) == 0)
        plugin_host_option(call->host, key + 7, value);
    else if (strcmp(key, "condition") == 0)
        call->condition = condition_of(value);
    else if (strcmp(key, "validator") == 0)
        call->validator = value;
    else if (strcmp(key, "cursor") == 0)
        call->cursor = value;
    else if (strcmp(key, "refuse") == 0)
        call->refused[0] = value;
    else if (strcmp(key, "flags") == 0)
        call->flags = (uint32_t)strtoul(value, NULL, 0);
    else if (strcmp(key, "stream") == 0)
        call->is_stream = true;
    else if (strncmp(key, "secret.", 7) == 0)
        take_secret(call, key + 7, value);
    else if (!take_number(call, key, value))
        die("unknown key");
}

static void take_later(struct call *call, char **argv)
{
    for (; *argv; argv++)
        if (strncmp(*argv, LATER, strlen(LATER)) == 0)
            take(call, *argv + strlen(LATER));
}

/* ---- while it runs ---- */

static void watch_source(struct plugin_run *run, uint64_t offset)
{
    const struct call *call = run->data;

    if (offset >= call->cancel_at)
        plugin_run_cancel(run, FLAME_ERR_CANCELLED);
    if (offset >= call->grow_at && ftruncate(run->source_fd, (off_t)call->fill + 1) != 0)
        die("cannot grow the source");
}

static void watch_body(struct plugin_run *run, uint64_t size)
{
    struct call *call = run->data;

    if (size >= call->cancel_body)
        atomic_store(&call->is_reached, true);
}

/* After so long from the beginning of the call, or from so much of the body on. */
static void *cancel_later(void *data)
{
    struct plugin_run *run = data;
    struct call *call = run->data;
    struct timespec pause = {.tv_sec = (time_t)(call->cancel_ms / 1000),
                             .tv_nsec = (long)(call->cancel_ms % 1000 * 1000000)};

    while (!atomic_load(&call->is_reached))
        (void)usleep(1000);
    (void)nanosleep(&pause, NULL);
    (void)clock_gettime(CLOCK_MONOTONIC, &call->cancelled_at);
    plugin_run_cancel(run, FLAME_ERR_CANCELLED);
    return NULL;
}

/* ---- what was seen ---- */

static void print_object(const struct plugin_run *run)
{
    const struct plugin_object *object = plugin_run_object(run);

    (void)printf("objects=%zu\nurls=", run->object_count);
    for (size_t i = 0; i < run->object_count; i++)
        (void)printf("%s%s", i ? " " : "", run->objects[i].url ? run->objects[i].url : "");
    (void)printf("\n");
    if (!object)
        return;
    (void)printf("flags=%u\ntotal_size=%llu\noffset=%llu\nbody_size=%llu\nmtime_ns=%lld\n",
                 object->object.flags, (unsigned long long)object->object.total_size,
                 (unsigned long long)object->object.offset,
                 (unsigned long long)object->object.body_size, (long long)object->object.mtime_ns);
    if (object->validator)
        (void)printf("validator=%s\n", object->validator);
    if (object->url)
        (void)printf("url=%s\n", object->url);
}

/* getrusage() would count in what the parent had before it called exec(). */
static long peak_kib(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long kib = 0;

    while (status && fgets(line, sizeof(line), status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (status)
        (void)fclose(status);
    return kib;
}

static void print_run(struct plugin_run *run)
{
    static const char *const details[] = {"",          "errno", "http", "grpc", "retry_after",
                                          "retryable", "curl",  "x509"};

    (void)printf("status=%s\nmessage=%s\n", flame_status_name(run->status),
                 run->failure.error.message);
    (void)printf("misuse=%s\nfinishes=%u\nproof=%u\nphases=%u\nwire=%llu\nbody=%llu\nprogress=%u\n",
                 run->misuse, run->finishes, run->proof, run->phases,
                 (unsigned long long)run->wire_bytes, (unsigned long long)run->body_size,
                 run->progress_calls);
    (void)printf("sha256=%s\naddresses=%u\n", run->sha256, run->addresses_asked);
    if (run->cursor)
        (void)printf("cursor=%s\n", run->cursor);
    for (uint32_t i = 1; i < sizeof(details) / sizeof(details[0]); i++)
        if (run->failure.has_detail[i])
            (void)printf("%s=%lld\n", details[i], (long long)run->failure.detail[i]);
    for (size_t i = 0; i < run->metadata_count; i += 2)
        (void)printf("%s=%s\n", run->metadata[i], run->metadata[i + 1]);
    print_object(run);
    if (plugin_host_logged(run->host, "create-only"))
        (void)printf("warned=1\n");
    (void)printf("log=");
    plugin_host_print_log(run->host, stdout);
    (void)printf("\nrss_kib=%ld\n\n", peak_kib());
    (void)fflush(stdout);
}

static void call_slot(const struct call *call, struct plugin_run *run)
{
    static const struct {
        const char *name;
        int32_t (*slot)(struct plugin_run *run);
    } slots[] = {{"fetch", plugin_run_fetch},
                 {"store", plugin_run_store},
                 {"remove", plugin_run_remove},
                 {"stat", plugin_run_stat},
                 {"list", plugin_run_list}};

    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        if (strcmp(slots[i].name, call->verb) != 0)
            continue;
        (void)slots[i].slot(run);
        return;
    }
    die("unknown verb");
}

/* Cancelled on the way; prints how long the slot went on. */
static void call_and_cancel(struct call *call, struct plugin_run *run)
{
    struct timespec end;
    pthread_t thread;

    atomic_store(&call->is_reached, call->cancel_body == 0);
    if (pthread_create(&thread, NULL, cancel_later, run) != 0)
        die("cannot start a thread");
    call_slot(call, run);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    atomic_store(&call->is_reached, true); /* whatever came of it, the thread ends */
    (void)pthread_join(thread, NULL);
    (void)printf("late_ms=%lld\n", (long long)(end.tv_sec - call->cancelled_at.tv_sec) * 1000 +
                                       (end.tv_nsec - call->cancelled_at.tv_nsec) / 1000000);
}

static void run_once(struct call *call)
{
    struct plugin_run run;

    plugin_run_init(&run, call->host, call->url);
    run.data = call;
    run.on_source = watch_source;
    run.on_body = watch_body;
    run.source_step = call->step;
    run.is_stream = call->is_stream;
    run.hide_source_fd = true;
    run.source_fd = make_source(call->fill);
    run.request.condition = call->condition;
    run.request.validator = call->validator;
    run.request.offset = call->offset;
    run.request.length = call->length;
    run.request.max_bytes = call->max_bytes;
    run.request.source_size = call->is_stream ? 0 : call->has_size ? call->size : call->fill;
    run.request.flags = call->flags | (call->is_stream ? 0 : FLAME_REQUEST_SOURCE_SIZE);
    run.request.cursor = call->cursor;
    run.request.max_entries = (uint32_t)call->max_entries;
    run.request.connect_timeout_ms = (uint32_t)call->connect_ms;
    run.keep_bytes = call->keep_bytes;
    run.refused_addresses = call->refused[0] ? call->refused : NULL;
    if (call->cancel_ms)
        call_and_cancel(call, &run);
    else
        call_slot(call, &run);
    print_run(&run);
    (void)close(run.source_fd);
    plugin_run_done(&run);
}

int main(int argc, char **argv)
{
    struct call call = {.max_bytes = UINT64_MAX,
                        .cancel_at = UINT64_MAX,
                        .grow_at = UINT64_MAX,
                        .times = 1,
                        .keep_bytes = 1 << 20,
                        .connect_ms = 30000};

    if (argc < 4)
        die("usage: plugin_call PLUGIN.so VERB URL [KEY=VALUE ...]");
    call.host = plugin_host_load(argv[1]);
    call.verb = argv[2];
    call.url = argv[3];
    for (int i = 4; i < argc; i++)
        if (strncmp(argv[i], LATER, strlen(LATER)) != 0)
            take(&call, argv[i]);
    for (uint64_t i = 0; i < call.times; i++) {
        if (i == 1)
            take_later(&call, argv + 4);
        if (i > 0)
            (void)usleep((useconds_t)call.pause_ms * 1000);
        run_once(&call);
    }
    plugin_host_close(call.host);
    return 0;
}
