/* SPDX-License-Identifier: Apache-2.0 */
/* ListFlights: list and stat.
 *
 * The cache lists all that it has, whatever it is asked for, so what is wanted is picked out as it
 * streams by. Nothing is kept: memory is one entry. The number of entries looked at is bounded by
 * `list_max`, and since each one counts as bytes of the wire, the host's clocks bound the time.
 * A cursor is how many of the wanted entries were told of before; the order is the cache's. */
#include "call.h"
#include "flight/messages.h"
#include "message.h"
#include "proof.h"
#include "slot.h"
#include "status.h"
#include "version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct listing {
    struct fl_grpc_exchange *exchange;
    struct fl_flight_buffer message;
    char prefix[FL_FLIGHT_KEY_MAX + 2]; /* what a listed key begins with; "" = any */
    bool is_one;                        /* stat: the prefix is the key */
    uint64_t skip;                      /* of those wanted, told of before */
    uint64_t wanted;                    /* seen, those skipped included */
    uint64_t told;
    uint64_t seen;
    uint64_t unnamed; /* keys that no url can have */
    uint64_t wire;
    bool is_enough;
};

/* ---- one entry ------------------------------------------------------------------------------- */

static bool is_wanted(const struct listing *listing, const char *key)
{
    size_t size = strlen(listing->prefix);

    if (strncmp(key, listing->prefix, size) != 0)
        return false;
    return size == 0 || key[size] == '\0' || key[size] == '/';
}

static int32_t tell(struct listing *listing, const struct fl_flight_key *key, int64_t size)
{
    const struct fl_grpc_exchange *exchange = listing->exchange;
    struct flame_object object = FLAME_INIT(flame_object);
    struct fl_flight_buffer path = {.size = 0};
    int32_t status;

    if (!fl_flight_key_encode(key, &path) || !fl_flight_buffer_add(&path, "", 1)) {
        fl_flight_buffer_done(&path);
        return fl_grpc_fail_memory(exchange);
    }
    if (size >= 0) {
        object.flags = FLAME_OBJECT_SIZE;
        object.total_size = (uint64_t)size;
    }
    object.url = (const char *)path.data;
    status = exchange->host->report(exchange->transfer, &object);
    fl_flight_buffer_done(&path);
    listing->told++;
    listing->is_enough = listing->is_one || status == FLAME_ENOUGH ||
                         listing->told == exchange->request->max_entries;
    return status == FLAME_ENOUGH ? FLAME_OK : status;
}

static int32_t judge_entry(struct listing *listing)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_info info;
    struct fl_flight_key key;
    uint64_t version;

    if (!fl_flight_read_info(fl_flight_buffer_view(&listing->message), &info, &fault))
        return fl_grpc_fail_fault(listing->exchange, &fault);
    if (info.endpoints == 0 ||
        !fl_flight_ticket_parse(info.endpoint[0].ticket, &key, &version, &fault)) {
        listing->unnamed++;
        return FLAME_OK;
    }
    if (!is_wanted(listing, key.text) || listing->wanted++ < listing->skip)
        return FLAME_OK;
    return tell(listing, &key, info.total_bytes);
}

static int32_t take_entry(struct listing *listing)
{
    struct fl_grpc_exchange *exchange = listing->exchange;
    uint64_t most = fl_grpc_number(exchange, "list_max");

    listing->wire += listing->message.size;
    exchange->host->progress(exchange->transfer, FLAME_PHASE_BODY, listing->wire);
    if (++listing->seen > most)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_LIMIT,
                          "the cache lists more than %" PRIu64 " objects (list_max)", most);
    return judge_entry(listing);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int32_t run(struct listing *listing, struct fl_grpc_call *call)
{
    struct fl_grpc_exchange *exchange = listing->exchange;
    int32_t status = FLAME_OK;

    while (status == FLAME_OK && !listing->is_enough) {
        switch (fl_grpc_call_gather(call, &listing->message)) {
        case FL_GRPC_DONE:
            status = take_entry(listing);
            break;
        case FL_GRPC_OVER:
            return fl_grpc_call_end(call)->code == 0
                       ? FLAME_OK
                       : fl_grpc_fail_end(exchange, fl_grpc_call_end(call), listing->seen > 0);
        case FL_GRPC_STOPPED:
            return exchange->refused;
        case FL_GRPC_REFUSED:
            return fl_grpc_fail(exchange, FLAME_ERR_LIMIT, "an entry of the cache is too long");
        }
    }
    return status;
}

static int32_t stream(struct listing *listing)
{
    struct fl_flight_buffer criteria = {.size = 0};
    struct fl_grpc_call *call = NULL;
    int32_t status;

    fl_flight_write_single(&criteria, (struct fl_flight_bytes){NULL, 0});
    status = fl_grpc_call_ask(listing->exchange, "ListFlights", &criteria, &call);
    if (status == FLAME_OK)
        status = run(listing, call);
    fl_grpc_call_free(call);
    fl_flight_buffer_done(&listing->message);
    return status;
}

/* ---- list ------------------------------------------------------------------------------------ */

static void warn_of_unnamed(const struct listing *listing)
{
    const struct flame_host *host = listing->exchange->host;
    char text[96];
    int size;

    if (listing->unnamed == 0)
        return;
    size = snprintf(text, sizeof(text), "%" PRIu64 " objects have a key that no url can have",
                    listing->unnamed);
    host->log(host, listing->exchange->transfer, FLAME_LOG_WARN, text, (uint64_t)size);
}

static int32_t finish(const struct listing *listing)
{
    const struct fl_grpc_exchange *exchange = listing->exchange;
    struct flame_end end = FLAME_INIT(flame_end);
    char cursor[24];

    warn_of_unnamed(listing);
    end.proof = FLAME_PROOF_COMPLETE;
    if (listing->is_enough) {
        (void)snprintf(cursor, sizeof(cursor), "%" PRIu64, listing->skip + listing->told);
        end.cursor = cursor;
    }
    return exchange->host->finish(exchange->transfer, &end);
}

/* "/", "/app", "/app/session", with or without a '/' at the end; or an object. */
static int32_t read_prefix(struct listing *listing)
{
    const char *path = listing->exchange->request->path;
    size_t size = strlen(path);
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_key key;
    char whole[3 * FL_FLIGHT_KEY_MAX + 8];
    int filler; /* of the parts that are missing, so that one rule judges all */

    while (size > 0 && path[size - 1] == '/')
        size--;
    if (size == 0)
        return FLAME_OK;
    if (size > sizeof(whole) - 8)
        return fl_grpc_fail(listing->exchange, FLAME_ERR_INVALID_URL, "the key is too long");
    (void)snprintf(whole, sizeof(whole), "%.*s/x/x", (int)size, path);
    for (filler = 4; filler >= 0; filler -= 2) {
        whole[size + (size_t)filler] = '\0';
        fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL}; /* of a filler, it would mislead */
        if (fl_flight_key_decode(&key, whole, FL_FLIGHT_KEY_OBJECT, &fault))
            break;
    }
    if (filler < 0)
        return fl_grpc_fail_fault(listing->exchange, &fault);
    (void)snprintf(listing->prefix, sizeof(listing->prefix), "%.*s",
                   (int)(strlen(key.text) - (size_t)filler), key.text);
    return FLAME_OK;
}

static int32_t read_cursor(struct listing *listing)
{
    const char *cursor = listing->exchange->request->cursor;

    if (!cursor)
        return FLAME_OK;
    if (!*cursor || strlen(cursor) > 19 || strspn(cursor, "0123456789") != strlen(cursor))
        return fl_grpc_fail(listing->exchange, FLAME_ERR_INVALID,
                            "the cursor is not one of this plugin's");
    listing->skip = strtoull(cursor, NULL, 10);
    return FLAME_OK;
}

int32_t fl_grpc_list(struct fl_grpc_exchange *exchange)
{
    struct listing listing = {.exchange = exchange};
    int32_t status = read_prefix(&listing);

    if (status == FLAME_OK)
        status = read_cursor(&listing);
    if (status == FLAME_OK)
        status = stream(&listing);
    return status == FLAME_OK ? finish(&listing) : status;
}

/* ---- stat ------------------------------------------------------------------------------------ */

/* A listing tells no versions. */
static int32_t ask_version(struct fl_grpc_exchange *exchange, const struct fl_flight_key *key,
                           uint64_t version)
{
    enum fl_grpc_proof proof = FL_GRPC_NO_ANSWER;
    int32_t status = fl_grpc_prove(exchange, key, version, &proof);

    return status == FLAME_OK && proof == FL_GRPC_HAS_IT ? FLAME_NOT_MODIFIED : status;
}

int32_t fl_grpc_stat(struct fl_grpc_exchange *exchange)
{
    struct listing listing = {.exchange = exchange, .is_one = true};
    struct fl_flight_key key;
    uint64_t have = 0;
    int32_t status = fl_grpc_key_read(exchange, FL_FLIGHT_KEY_OBJECT, &key);

    if (status == FLAME_OK)
        status = fl_grpc_version_asked(exchange, &have);
    if (status == FLAME_OK && have)
        status = ask_version(exchange, &key, have);
    if (status != FLAME_OK)
        return status;
    (void)snprintf(listing.prefix, sizeof(listing.prefix), "%s", key.text);
    status = stream(&listing);
    if (status == FLAME_OK && listing.told == 0)
        return fl_grpc_fail(exchange, FLAME_ERR_NOT_FOUND, "not found");
    return status;
}
