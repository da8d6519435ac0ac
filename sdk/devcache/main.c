/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"
#include "server.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define HEAP_KEPT (32 << 20)
#define HEAP_STEP (4 << 20)

/* Signals are waited for, so that ending is ordinary code; and each object in memory is a
 * descriptor. The heap keeps what was freed: messages of a MiB come and go, and giving their pages
 * back each time costs more than everything else. */
static void prepare_process(sigset_t *ends)
{
    struct rlimit files;

    (void)sigemptyset(ends);
    (void)sigaddset(ends, SIGINT);
    (void)sigaddset(ends, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, ends, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    (void)mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
    (void)mallopt(M_TOP_PAD, HEAP_STEP);
    (void)mallopt(M_ARENA_MAX, 1);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* ---- from options ---------------------------------------------------------------------------- */

static bool find_method(const char *name, uint32_t *method)
{
    for (uint32_t i = 0; i < FL_CACHE_METHODS; i++) {
        if (strcmp(fl_cache_method_name((enum fl_cache_method)i), name) == 0) {
            *method = i;
            return true;
        }
    }
    return false;
}

static bool set_faults(const struct fl_cache_options *options, struct fl_cache_faults *faults,
                       struct fl_cache_status *status)
{
    faults->kind = (enum fl_cache_fault_kind)options->fault;
    faults->method = FL_CACHE_METHODS;
    faults->after = options->fault_after;
    faults->times = options->fault_times;
    faults->stall_ms = options->stall_ms;
    faults->code = FL_CACHE_UNAVAILABLE;
    if (options->fault_status && !fl_cache_code_find(options->fault_status, &faults->code))
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "option '--fault-status' needs CODE, not '%s'", options->fault_status);
    if (options->fault_method && !find_method(options->fault_method, &faults->method))
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "option '--fault-method' needs NAME, not '%s'", options->fault_method);
    return true;
}

static struct fl_cache_server_config server_config(const struct fl_cache_options *options,
                                                   struct fl_cache_faults *faults)
{
    return (struct fl_cache_server_config){.host = options->host,
                                           .port = (uint16_t)options->port,
                                           .certificate = options->certificate,
                                           .key = options->key,
                                           .authority = options->authority,
                                           .threads = (uint32_t)options->threads,
                                           .max_calls = (uint32_t)options->max_calls,
                                           .memory = options->memory,
                                           .faults = faults,
                                           .is_verbose = options->is_verbose};
}

/* Where it listens, for people and for clients. Nobody can come to "all addresses": then it is the
 * machine's name. */
static void name_endpoint(const struct fl_cache_options *options, uint16_t port,
                          char url[FL_CACHE_ENDPOINT_MAX + 1])
{
    bool is_wild = strcmp(options->host, "0.0.0.0") == 0 || strcmp(options->host, "::") == 0;
    bool has_colon = !is_wild && strchr(options->host, ':');
    char name[256] = "localhost";

    if (is_wild)
        (void)gethostname(name, sizeof(name) - 1);
    (void)snprintf(url, FL_CACHE_ENDPOINT_MAX + 1, "%s://%s%s%s:%u",
                   options->certificate ? "grpc+tls" : "grpc", has_colon ? "[" : "",
                   is_wild ? name : options->host, has_colon ? "]" : "", port);
}

/* ---- the program ----------------------------------------------------------------------------- */

static bool serve(const struct fl_cache_options *options, struct fl_cache_service *service,
                  struct fl_cache_faults *faults, const sigset_t *ends,
                  struct fl_cache_status *status)
{
    struct fl_cache_server_config config = server_config(options, faults);
    char url[FL_CACHE_ENDPOINT_MAX + 1];
    struct fl_cache_server *server;
    bool done;
    int signal;

    if (!fl_cache_server_open(&server, &config, status))
        return false;
    name_endpoint(options, fl_cache_server_port(server), url);
    (void)snprintf(service->endpoint, sizeof(service->endpoint), "%s",
                   options->endpoint ? options->endpoint : url);
    done = fl_cache_server_start(server, service, status);
    if (done) {
        (void)printf("%s\n", url);
        (void)fflush(stdout);
        (void)sigwait(ends, &signal);
        /* Who does not want to wait for the calls sends another one. */
        (void)pthread_sigmask(SIG_UNBLOCK, ends, NULL);
    }
    fl_cache_server_stop(server);
    return done;
}

static bool run(const struct fl_cache_options *options, struct fl_cache_status *status)
{
    struct fl_cache_store_config config = {options->storage, options->is_durable,
                                           options->max_bytes};
    struct fl_cache_service service = {.dialect = (enum fl_cache_dialect)options->dialect,
                                       .layout = (enum fl_cache_layout)options->layout,
                                       .body = (enum fl_flight_codec)options->body};
    struct fl_cache_faults faults = {.kind = FL_CACHE_FAULT_NONE};
    uint32_t passed_over = 0;
    sigset_t ends;
    bool done;

    prepare_process(&ends);
    if (!set_faults(options, &faults, status) ||
        !fl_cache_store_open(&service.store, &config, &passed_over, status))
        return false;
    if (passed_over > 0)
        (void)fprintf(stderr, "flame-devcache: %u files in the storage are no objects\n",
                      passed_over);
    done = serve(options, &service, &faults, &ends, status);
    fl_cache_store_close(service.store);
    return done;
}

/* gRPC's threads are still there (see fl_cache_server_stop()), and what ends with a process would
 * be taken from under them: end without. A leak check that would run then runs now. */
static _Noreturn void end_process(int code)
{
    (void)fflush(NULL);
#ifdef __SANITIZE_ADDRESS__
    __lsan_do_leak_check();
#endif
    _exit(code);
}

static int run_program(int argc, char **argv)
{
    struct fl_cache_status status = {FL_CACHE_OK, ""};
    struct fl_cache_options options;

    if (fl_cache_options_parse(argc, argv, &options, &status)) {
        if (options.wants_help || options.wants_version) {
            if (options.wants_help)
                fl_cache_options_help(stdout);
            else
                (void)puts("flame-devcache " FLAME_VERSION);
            return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
        }
        if (run(&options, &status))
            return 0;
    }
    (void)fprintf(stderr, "flame-devcache: %s\n", status.text);
    return status.code == FL_CACHE_INVALID_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    end_process(run_program(argc, argv));
}
