/* SPDX-License-Identifier: Apache-2.0 */
#include "tiny_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define URLS_MAX 64

struct tiny_server {
    tiny_handler *handler;
    void *data;
    int listening;
    uint16_t port;
    atomic_uint connections;
    atomic_uint requests;
    pthread_t acceptor;
    pthread_mutex_t lock; /* guards all below */
    pthread_t threads[CONNECTIONS_MAX];
    int fds[CONNECTIONS_MAX]; /* -1 once closed */
    uint32_t count;
    char *urls[URLS_MAX];
    uint32_t url_count;
};

struct connection {
    struct tiny_server *server;
    uint32_t index;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* Read one request head; false at the end of the connection. */
static bool read_head(int fd, struct tiny_request *request)
{
    size_t used = 0;

    while (used < sizeof(request->head) - 1) {
        ssize_t size = recv(fd, request->head + used, 1, 0);

        if (size <= 0)
            return false;
        used++;
        request->head[used] = '\0';
        if (used >= 4 && strcmp(request->head + used - 4, "\r\n\r\n") == 0)
            return sscanf(request->head, "%15s %511s", request->method, request->path) == 2;
    }
    return false;
}

static void *serve(void *data)
{
    struct connection *connection = data;
    struct tiny_server *server = connection->server;
    uint32_t index = connection->index;
    struct tiny_request request = {.fd = server->fds[index]};

    free(connection);
    while (read_head(request.fd, &request)) {
        atomic_fetch_add(&server->requests, 1);
        if (!server->handler(server->data, &request))
            break;
    }
    (void)pthread_mutex_lock(&server->lock);
    (void)close(server->fds[index]);
    server->fds[index] = -1;
    (void)pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void take_connection(struct tiny_server *server, int fd)
{
    struct connection *connection = malloc(sizeof(*connection));

    must(connection != NULL, "malloc");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    atomic_fetch_add(&server->connections, 1);
    (void)pthread_mutex_lock(&server->lock);
    must(server->count < CONNECTIONS_MAX, "too many connections");
    *connection = (struct connection){server, server->count};
    server->fds[server->count] = fd;
    must(pthread_create(&server->threads[server->count], NULL, serve, connection) == 0, "thread");
    server->count++;
    (void)pthread_mutex_unlock(&server->lock);
}

static void *accept_all(void *data)
{
    struct tiny_server *server = data;

    for (;;) {
        int fd = accept4(server->listening, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            take_connection(server, fd);
        else if (errno != EINTR && errno != ECONNABORTED)
            return NULL;
    }
}

struct tiny_server *tiny_server_open(tiny_handler *handler, void *data)
{
    struct tiny_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    must(server != NULL, "calloc");
    server->handler = handler;
    server->data = data;
    (void)pthread_mutex_init(&server->lock, NULL);
    server->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->listening >= 0, "socket");
    must(bind(server->listening, (struct sockaddr *)&address, size) == 0, "bind");
    must(listen(server->listening, 512) == 0, "listen");
    must(getsockname(server->listening, (struct sockaddr *)&address, &size) == 0, "getsockname");
    server->port = ntohs(address.sin_port);
    must(pthread_create(&server->acceptor, NULL, accept_all, server) == 0, "thread");
    return server;
}

void tiny_server_close(struct tiny_server *server)
{
    (void)shutdown(server->listening, SHUT_RDWR);
    (void)pthread_join(server->acceptor, NULL);
    (void)close(server->listening);
    (void)pthread_mutex_lock(&server->lock);
    for (uint32_t i = 0; i < server->count; i++)
        if (server->fds[i] >= 0)
            (void)shutdown(server->fds[i], SHUT_RDWR);
    (void)pthread_mutex_unlock(&server->lock);
    for (uint32_t i = 0; i < server->count; i++)
        (void)pthread_join(server->threads[i], NULL);
    for (uint32_t i = 0; i < server->url_count; i++)
        free(server->urls[i]);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *tiny_server_url(struct tiny_server *server, const char *path)
{
    char **url;

    (void)pthread_mutex_lock(&server->lock);
    must(server->url_count < URLS_MAX, "too many urls");
    url = &server->urls[server->url_count++];
    must(asprintf(url, "http://127.0.0.1:%u%s", server->port, path) > 0, "asprintf");
    (void)pthread_mutex_unlock(&server->lock);
    return *url;
}

uint32_t tiny_server_connections(const struct tiny_server *server)
{
    return atomic_load(&server->connections);
}

uint32_t tiny_server_requests(const struct tiny_server *server)
{
    return atomic_load(&server->requests);
}

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool tiny_send(const struct tiny_request *request, const char *text)
{
    return send_all(request->fd, text, strlen(text));
}

bool tiny_answer(const struct tiny_request *request, const char *status, const void *body,
                 size_t size)
{
    char head[256];

    (void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status, size);
    return tiny_send(request, head) && send_all(request->fd, body, size);
}

const char *tiny_field(const struct tiny_request *request, const char *name, char value[256])
{
    size_t size = strlen(name);

    for (const char *line = strstr(request->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, size) != 0 || line[size] != ':')
            continue;
        line += size + 1 + strspn(line + size + 1, " ");
        (void)snprintf(value, 256, "%.*s", (int)strcspn(line, "\r"), line);
        return value;
    }
    return NULL;
}

bool tiny_receive(const struct tiny_request *request, void *body, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = recv(request->fd, (char *)body + done, size - done, 0);

        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

bool tiny_answer_object(const struct tiny_request *request, const struct tiny_object *object)
{
    char range[256];
    char version[256];
    char head[512];
    size_t first = 0;
    size_t last = object->size ? object->size - 1 : 0;
    size_t size = object->size;
    const char *status = "200 OK";
    bool is_same = !tiny_field(request, "If-Range", version) || strcmp(version, object->etag) == 0;

    if (is_same && tiny_field(request, "Range", range) &&
        sscanf(range, "bytes=%zu-%zu", &first, &last) >= 1) {
        if (first >= object->size)
            return tiny_answer(request, "416 Range Not Satisfiable", "", 0);
        last = last < object->size ? last : object->size - 1;
        size = last + 1 - first;
        status = "206 Partial Content";
    }
    (void)snprintf(head, sizeof(head),
                   "HTTP/1.1 %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\nContent-Length: %zu\r\n"
                   "Content-Range: bytes %zu-%zu/%zu\r\n",
                   status, object->etag, size, first, last, object->size);
    if (status[2] == '0') /* a whole has no place in itself */
        *strstr(head, "Content-Range") = '\0';
    if (!tiny_send(request, head) || !tiny_send(request, "\r\n"))
        return false;
    return strcmp(request->method, "HEAD") == 0 ||
           send_all(request->fd, object->body + first, size);
}
