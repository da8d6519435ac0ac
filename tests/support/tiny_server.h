/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP/1.1 server on loopback, for tests that need to see connections and requests from
 * inside one process. A thread per connection; persistent connections; the handler writes the
 * answer itself, so that it can lie. Whatever goes wrong aborts. */
#ifndef TINY_SERVER_H
#define TINY_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tiny_request {
    char method[16];
    char path[512];
    char head[4096]; /* the request as it came, request line included */
    int fd;          /* where to answer */
};

struct tiny_server;

/* Return false to close the connection. */
typedef bool tiny_handler(void *data, const struct tiny_request *request);

struct tiny_server *tiny_server_open(tiny_handler *handler, void *data);
/* Close all connections, wait for the threads. */
void tiny_server_close(struct tiny_server *server);

/* "http://127.0.0.1:PORT<path>", valid until the server is closed. */
const char *tiny_server_url(struct tiny_server *server, const char *path);
uint32_t tiny_server_connections(const struct tiny_server *server); /* accepted so far */
uint32_t tiny_server_requests(const struct tiny_server *server);

/* A whole answer with a Content-Length. false = the peer is gone. */
bool tiny_answer(const struct tiny_request *request, const char *status, const void *body,
                 size_t size);
/* The same of one version of an object, with its ETag (quotes included): the part that a Range asks
 * for, if there is one and If-Range names this version. HEAD gets no body. */
struct tiny_object {
    const char *etag;
    const char *body;
    size_t size;
};
bool tiny_answer_object(const struct tiny_request *request, const struct tiny_object *object);
/* The value of a field of the request, or NULL; cut to 255 bytes, the caller's to copy. */
const char *tiny_field(const struct tiny_request *request, const char *name, char value[256]);
/* Receive a body of `size` bytes. false = the peer is gone. */
bool tiny_receive(const struct tiny_request *request, void *body, size_t size);
/* Raw text. */
bool tiny_send(const struct tiny_request *request, const char *text);

#endif
