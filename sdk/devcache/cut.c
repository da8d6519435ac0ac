/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <grpc/support/alloc.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PEER_MAX 128

/* As gRPC spells peers: "ipv4:127.0.0.1:5000", "ipv6:%5B::1%5D:5000". */
static void spell(const struct sockaddr_storage *address, char out[PEER_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";

    out[0] = '\0';
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof(in));
        (void)inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
        (void)snprintf(out, PEER_MAX, "ipv4:%s:%u", host, ntohs(in.sin_port));
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 in;
        bool is_mapped;

        memcpy(&in, address, sizeof(in));
        is_mapped = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr);
        (void)inet_ntop(is_mapped ? AF_INET : AF_INET6,
                        is_mapped ? (const void *)&in.sin6_addr.s6_addr[12] : &in.sin6_addr, host,
                        sizeof(host));
        (void)snprintf(out, PEER_MAX, is_mapped ? "ipv4:%s:%u" : "ipv6:%%5B%s%%5D:%u", host,
                       ntohs(in.sin6_port));
    }
}

static void cut_if_peer(int fd, const char *peer)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    char spelled[PEER_MAX];

    if (getpeername(fd, (struct sockaddr *)&address, &size) != 0)
        return;
    spell(&address, spelled);
    if (strcmp(spelled, peer) == 0)
        (void)shutdown(fd, SHUT_RDWR);
}

void fl_cache_cut(grpc_call *call)
{
    char *peer = grpc_call_get_peer(call);
    DIR *fds = opendir("/proc/self/fd");
    struct dirent *entry;

    while (fds && (entry = readdir(fds))) {
        if (entry->d_name[0] != '.')
            cut_if_peer((int)strtol(entry->d_name, NULL, 10), peer);
    }
    if (fds)
        (void)closedir(fds);
    gpr_free(peer);
}
