/* SPDX-License-Identifier: Apache-2.0 */
/* Options: the core's own table, and how the text of a value becomes its canonical form.
 *
 * Names with a dot are the core's: those below, and the shared ones of plugin.h. A name without a
 * dot is a plugin's own. Pure functions over constant tables, any thread. */
#ifndef FL_CONFIG_OPTION_H
#define FL_CONFIG_OPTION_H

#include "base/error.h"

#include <flame/plugin.h>

#include <stdbool.h>

/* The settings of the core itself. X(macro, name, type, default, range, help)
 * A range that ends in "|off" also takes "off", whose canonical form is "18446744073709551615". */
#define FL_CORE_OPTION_TABLE(X)                                                                    \
    X(TIME_CONNECT, "time.connect", DURATION, "30s", "1ms..1h|off",                                \
      "lookup, connect and handshake together")                                                    \
    X(TIME_FIRST_BYTE, "time.first_byte", DURATION, "60s", "1ms..24h|off",                         \
      "from the request to the first byte of the answer")                                          \
    X(TIME_STALL, "time.stall", DURATION, "30s", "1ms..24h|off", "without any byte")               \
    X(TIME_TOTAL, "time.total", DURATION, "off", "1ms..720h|off", "the whole task")                \
    X(TIME_SOURCE, "time.source", DURATION, "off", "1ms..720h|off",                                \
      "one of several sources, its retries included")                                              \
    X(TIME_LOCK, "time.lock", DURATION, "10m", "1ms..24h|off",                                     \
      "waiting for another process that fetches the same")                                         \
    X(RETRY_ATTEMPTS, "retry.attempts", INTEGER, "3", "1..100", "attempts at each source")         \
    X(RETRY_DELAY, "retry.delay", DURATION, "500ms", "1ms..30s",                                   \
      "the first pause before a retry; doubles up to 30 s")                                        \
    X(RETRY_MAX_TIME, "retry.max_time", DURATION, "off", "1ms..720h|off",                          \
      "no further attempt after so long")                                                          \
    X(RATE_LIMIT, "rate.limit", SIZE, "off", "1..1T|off", "bytes a second at most, each task")     \
    X(RATE_TOTAL, "rate.total", SIZE, "off", "1..1T|off", "the same, all tasks together")          \
    X(RATE_FLOOR, "rate.floor", SIZE, "1k", "1..1T|off", "bytes a second below which we give up")  \
    X(RATE_WINDOW, "rate.window", DURATION, "60s", "1s..1h", "the time rate.floor is measured in") \
    X(LIMIT_BYTES, "limit.bytes", SIZE, "16G", "1..8191P|off", "largest body")                     \
    X(LIMIT_REDIRECTS, "limit.redirects", INTEGER, "5", "0..100|off", "hops at most")              \
    X(LIMIT_ENTRIES, "limit.entries", INTEGER, "1000000", "1..1000000000|off",                     \
      "entries of one listing")                                                                    \
    X(PARTS_CONNECTIONS, "parts.connections", INTEGER, "1", "1..16",                               \
      "parts of a body to fetch at once")                                                          \
    X(PARTS_MIN_SIZE, "parts.min_size", SIZE, "4M", "64k..1G", "bytes of a part at least")         \
    X(DEST_ROOT, "dest.root", FILE, NULL, NULL, "no destination outside this directory")           \
    X(DEST_DURABILITY, "dest.durability", CHOICE, "full", "full|file|none",                        \
      "what is synced before a download is done")                                                  \
    X(DEST_RESERVE, "dest.reserve", SIZE, "0", "0..8191P", "space to leave free on the disk")      \
    X(ADDRESS_LOOPBACK, "address.loopback", SWITCH, "yes", NULL, "may we talk to this machine")    \
    X(ADDRESS_PRIVATE, "address.private", SWITCH, "yes", NULL, "may we talk to private networks")  \
    X(REDIRECT_SCHEMES, "redirect.schemes", SWITCH, "no", NULL,                                    \
      "may a plugin redirect to the other schemes that its manifest names")

#define FL_ROW_(macro, name, type, value, range, help) FL_OPT_##macro,
enum fl_core_option { FL_CORE_OPTION_TABLE(FL_ROW_) FL_OPT_COUNT };
#undef FL_ROW_

/* All options of the core, its own first, then the shared ones; NULL-terminated, constant. */
const struct flame_option *const *fl_options(void);

/* The core's own option by its number. */
const struct flame_option *fl_core_option(enum fl_core_option number);

/* Find an option by name in a NULL-terminated table (which may be NULL), or NULL. */
const struct flame_option *fl_option_find(const struct flame_option *const *table,
                                          const char *name);

/* Is `name` one of FLAME_SHARED_SECRET_TABLE? */
bool fl_is_secret(const char *name);

/* Check `text` against type and range; *out: its canonical form (plugin.h), to be freed.
 * Fails with INVALID, naming the option and what would be right; NO_MEMORY. */
int32_t fl_option_canonical(const struct flame_option *option, const char *text, char **out,
                            struct flame_error *err) FL_CHECK;

/* Canonical number -> uint64_t; for values that fl_option_canonical() has made. */
uint64_t fl_option_number(const char *canonical);

#endif
