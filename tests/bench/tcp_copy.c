/* SPDX-License-Identifier: Apache-2.0 */
/* The least that bringing a file over loopback costs: no protocol at all, for the bench.
 *
 *  tcp_copy serve FILE    prints its port; sends FILE to each who connects, until it is killed
 *  tcp_copy get PORT FILE receives until the end, and writes
 *
 * The server reads and sends as a gRPC server has to; sendfile() would be cheaper than any protocol
 * with frames can be. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)

static char chunk[CHUNK];

static struct sockaddr_in loopback(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static bool send_all(int to, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(to, chunk + at, size - at, MSG_NOSIGNAL);

        if (sent < 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

static void send_file(const char *path, int to)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    while ((got = read(from, chunk, sizeof(chunk))) > 0)
        if (!send_all(to, (size_t)got))
            break;
    (void)close(from);
}

static int serve(const char *path)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return 1;
    (void)printf("%u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    for (;;) {
        int peer = accept(listener, NULL, NULL);

        if (peer < 0)
            return 1;
        send_file(path, peer);
        (void)close(peer);
    }
}

/* As much as there is until the chunk is full. */
static size_t fill(int from)
{
    size_t size = 0;
    ssize_t got;

    while (size < sizeof(chunk) && (got = recv(from, chunk + size, sizeof(chunk) - size, 0)) > 0)
        size += (size_t)got;
    return size;
}

static int get(unsigned port, const char *path)
{
    struct sockaddr_in address = loopback(port);
    int from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    off_t at = 0;
    size_t size;

    if (connect(from, (struct sockaddr *)&address, sizeof(address)) != 0)
        return 1;
    while ((size = fill(from)) > 0) {
        if (pwrite(to, chunk, size, at) != (ssize_t)size)
            return 1;
        at += (off_t)size;
    }
    return close(to) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 4 && strcmp(argv[1], "get") == 0)
        return get((unsigned)strtoul(argv[2], NULL, 10), argv[3]);
    (void)fprintf(stderr, "usage: tcp_copy serve FILE | get PORT FILE\n");
    return 2;
}
