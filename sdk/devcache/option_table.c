/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#define AT(member) offsetof(struct fl_cache_options, member)
#define TEXT(member) .type = FL_CACHE_OPTION_TEXT, .offset = AT(member)
#define FLAG(member) .type = FL_CACHE_OPTION_FLAG, .offset = AT(member)
#define CHOICE(member) .type = FL_CACHE_OPTION_CHOICE, .offset = AT(member)
#define SIZE(member, from)                                                                         \
    .type = FL_CACHE_OPTION_SIZE, .offset = AT(member), .least = (from), .most = UINT64_MAX
#define NUMBER(member, from, to)                                                                   \
    .type = FL_CACHE_OPTION_NUMBER, .offset = AT(member), .least = (from), .most = (to)

#define MEMORY_LEAST ((uint64_t)16 << 20) /* some connections, messages as clients send them */

#define FAULT_WORD_(name, word, help) "|" word
#define FAULT_HELP_(name, word, help) "\n  " word ": " help

/* The order is that of the help. */
const struct fl_cache_option fl_cache_options[] = {
    {"host", "ADDRESS", "listen there; default 127.0.0.1", TEXT(host)},
    {"port", "NUMBER", "listen there; 0 = any that is free; default 9090", NUMBER(port, 0, 65535)},
    {"endpoint", "URL", "what clients are told to come back to;\ndefault: where it listens",
     TEXT(endpoint)},
    {"storage", "DIR", "keep objects in files there; default: in memory", TEXT(storage)},
    {"sync", NULL, "survive power cuts too, not kills alone", FLAG(is_durable)},
    {"max-bytes", "SIZE", "refuse what would make all objects larger; default: no bound",
     SIZE(max_bytes, 0)},
    {"cert", "FILE", "speak TLS with this certificate (PEM, with its chain)", TEXT(certificate)},
    {"key", "FILE", "its private key (PEM)", TEXT(key)},
    {"cacert", "FILE", "let only clients in that have a certificate of these (PEM)",
     TEXT(authority)},
    {"dialect", "0.6|0.5", "answer as flame-object-cache of that version; default 0.6",
     CHOICE(dialect)},
    {"layout", "one|batches",
     "one message with one row for an object, as the real\ncache sends, or 1 MiB each; default one",
     CHOICE(layout)},
    {"body", "none|lz4|zstd", "compress what is sent, but tables; default zstd, as the real\ncache",
     CHOICE(body)},
    {"threads", "NUMBER", "serve with so many threads; default 4", NUMBER(threads, 1, 64)},
    {"max-calls", "NUMBER", "so many calls at once, others wait; default 256",
     NUMBER(max_calls, 1, 65536)},
    {"memory", "SIZE",
     "of all connections together, about, from 16M; calls that need\nmore fail; default 4G",
     SIZE(memory, MEMORY_LEAST)},
    {"fault", &FL_CACHE_FAULT_TABLE(FAULT_WORD_)[1], "for tests:" FL_CACHE_FAULT_TABLE(FAULT_HELP_),
     CHOICE(fault)},
    {"fault-after", "SIZE", "of the message that would exceed so many bytes; default 0",
     SIZE(fault_after, 0)},
    {"fault-status", "CODE", "by name or number; default UNAVAILABLE", TEXT(fault_status)},
    {"fault-method", "NAME", "only for that method, \"DoGet\"; default: any", TEXT(fault_method)},
    {"fault-times", "NUMBER", "only for the first calls; default: all",
     NUMBER(fault_times, 0, UINT64_MAX)},
    {"stall-ms", "NUMBER", "how long a stall takes; default 0 = for ever",
     NUMBER(stall_ms, 0, UINT32_MAX)},
    {"verbose", NULL, "a line for each call to standard error", FLAG(is_verbose)},
    {"help", NULL, "show this", FLAG(wants_help)},
    {"version", NULL, "show the version", FLAG(wants_version)},
};

const size_t fl_cache_option_count = sizeof(fl_cache_options) / sizeof(fl_cache_options[0]);
