/* SPDX-License-Identifier: Apache-2.0 */
/* Handles with their connections, kept for the next request of the same kind.
 *
 * libcurl must not share a connection cache between threads, so each handle (a multi with one easy)
 * keeps its own single connection, and the pool hands out the one that was used last. The key names
 * all that a connection depends on: origin, TLS identity, proxy, address policy. At most
 * FL_POOL_PER_KEY handles of one key exist; who comes later waits. Idle ones are dropped after a
 * minute, or when there are too many. DNS answers and TLS sessions are shared by all handles
 * (libcurl matches sessions by their TLS settings), but not by requests that bring addresses of
 * their own. The lock guards the lists. Any thread. */
#ifndef FL_HTTP_POOL_H
#define FL_HTTP_POOL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#define FL_POOL_PER_KEY 16
#define FL_POOL_IDLE_MAX 64
#define FL_POOL_IDLE_S 60

struct fl_http_pool;

struct fl_http_handle {
    struct fl_http_handle *next;
    char *key;
    CURLM *multi;
    CURL *easy; /* reset; added to the multi by its user */
    uint64_t idle_since_s;
    bool was_silent; /* for its user: how its connection ended */
};

/* NULL = no memory. */
struct fl_http_pool *fl_http_pool_new(void);
void fl_http_pool_free(struct fl_http_pool *pool); /* nothing handed out any more; takes NULL */

/* A handle for `key`; waits while all of that key are in use, as long as `wanted(data)`. `shares`:
 * with the common DNS and TLS session caches. NULL = no memory, or not wanted any more. */
struct fl_http_handle *fl_http_pool_take(struct fl_http_pool *pool, const char *key, bool shares,
                                         bool (*wanted)(void *data), void *data);

/* Give it back. `is_good` false: it is destroyed with its connection. */
void fl_http_pool_give(struct fl_http_pool *pool, struct fl_http_handle *handle, bool is_good);

#endif
