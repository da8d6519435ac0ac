/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include "deadline.h"
#include "runtime.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)256 * 1024)

/* Shared by who asks and the thread that looks; freed by the last of both. */
struct lookup {
    atomic_int users;
    int done_fd; /* readable once `result` counts */
    int family;
    int result; /* EAI_* */
    struct addrinfo *found;
    char host[NI_MAXHOST];
};

static void drop(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->users, 1) > 1)
        return;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    (void)close(lookup->done_fd);
    free(lookup);
}

static void look(struct lookup *lookup, int flags)
{
    struct addrinfo hints = {
        .ai_family = lookup->family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};

    lookup->result = getaddrinfo(lookup->host, NULL, &hints, &lookup->found);
}

static void *look_aside(void *data)
{
    struct lookup *lookup = data;
    uint64_t one = 1;

    (void)pthread_setname_np(pthread_self(), "flame-lookup");
    look(lookup, AI_ADDRCONFIG);
    (void)!write(lookup->done_fd, &one, sizeof(one));
    drop(lookup);
    return NULL;
}

static bool start_thread(struct lookup *lookup)
{
    pthread_attr_t attributes;
    sigset_t before;
    pthread_t thread;
    int failed;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    atomic_fetch_add(&lookup->users, 1);
    fl_grpc_signals_block(&before);
    failed = pthread_create(&thread, &attributes, look_aside, lookup);
    fl_grpc_signals_restore(&before);
    (void)pthread_attr_destroy(&attributes);
    if (failed)
        drop(lookup);
    return failed == 0;
}

static int32_t wait_for(struct fl_grpc_exchange *exchange, const struct lookup *lookup,
                        int64_t deadline_ms)
{
    struct pollfd fds[] = {{.fd = lookup->done_fd, .events = POLLIN},
                           {.fd = exchange->host->cancel_fd(exchange->transfer), .events = POLLIN}};
    uint64_t count;

    while (fl_grpc_is_wanted(exchange)) {
        int64_t left = fl_grpc_left_ms(deadline_ms);

        if (left == 0)
            return fl_grpc_fail(exchange, FLAME_ERR_TIMEOUT,
                                "the host's name was not looked up in time");
        (void)poll(fds, 2, left > INT_MAX ? -1 : (int)left);
        if (read(lookup->done_fd, &count, sizeof(count)) > 0)
            return FLAME_OK;
    }
    return exchange->refused;
}

/* ---- what was found -------------------------------------------------------------------------- */

static void add(struct fl_grpc_addresses *out, const struct addrinfo *found)
{
    const struct sockaddr_in *v4 = (const void *)found->ai_addr;
    const struct sockaddr_in6 *v6 = (const void *)found->ai_addr;
    struct fl_grpc_address *address = &out->address[out->count];
    bool is_v6 = found->ai_family == AF_INET6;
    const void *bytes = is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr;

    if (out->count == FL_GRPC_ADDRESS_MAX || (!is_v6 && found->ai_family != AF_INET))
        return;
    if (!inet_ntop(found->ai_family, bytes, address->text, sizeof(address->text)))
        return;
    address->is_v6 = is_v6;
    out->count++;
}

static int32_t take(struct fl_grpc_exchange *exchange, const struct lookup *lookup,
                    struct fl_grpc_addresses *out)
{
    struct fl_grpc_addresses found = {.count = 0};

    if (lookup->result == EAI_MEMORY)
        return fl_grpc_fail_memory(exchange);
    if (lookup->result != 0)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_NETWORK,
                          "the host's name could not be looked up: %s",
                          gai_strerror(lookup->result));
    for (const struct addrinfo *at = lookup->found; at; at = at->ai_next)
        add(&found, at);
    if (found.count == 0)
        return fl_grpc_fail(exchange, FLAME_ERR_NETWORK, "the host's name has no address");
    *out = found;
    return FLAME_OK;
}

static int family_of(const struct fl_grpc_exchange *exchange)
{
    const char *ip = fl_grpc_option(exchange, FLAME_OPT_NET_IP);

    if (ip && strcmp(ip, "4") == 0)
        return AF_INET;
    return ip && strcmp(ip, "6") == 0 ? AF_INET6 : AF_UNSPEC;
}

static struct lookup *new_lookup(const struct fl_grpc_exchange *exchange)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (!lookup)
        return NULL;
    atomic_store(&lookup->users, 1);
    lookup->family = family_of(exchange);
    lookup->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)strncpy(lookup->host, exchange->request->host, sizeof(lookup->host) - 1);
    if (lookup->done_fd >= 0)
        return lookup;
    free(lookup);
    return NULL;
}

int32_t fl_grpc_resolve(struct fl_grpc_exchange *exchange, int64_t deadline_ms,
                        struct fl_grpc_addresses *out)
{
    struct lookup *lookup = new_lookup(exchange);
    int32_t status = FLAME_OK;

    if (!lookup)
        return fl_grpc_fail_memory(exchange);
    fl_grpc_progress(exchange, FLAME_PHASE_RESOLVE);
    look(lookup, AI_NUMERICHOST);
    if (lookup->result == EAI_NONAME) {
        if (start_thread(lookup))
            status = wait_for(exchange, lookup, deadline_ms);
        else
            status = fl_grpc_fail_memory(exchange);
    }
    if (status == FLAME_OK)
        status = take(exchange, lookup, out);
    drop(lookup);
    return status;
}
