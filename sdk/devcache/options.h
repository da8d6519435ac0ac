/* SPDX-License-Identifier: Apache-2.0 */
/* The options of flame-devcache: one table, from which the parser and the help are made. Pure. */
#ifndef FL_CACHE_OPTIONS_H
#define FL_CACHE_OPTIONS_H

#include "faults.h"

#include <stdio.h>

/* Texts are borrowed from argv; NULL = not given. Choices hold the index of their word. */
struct fl_cache_options {
    const char *host;
    uint64_t port; /* 0 = any */
    const char *endpoint;
    const char *storage;
    bool is_durable;
    uint64_t max_bytes;
    const char *certificate;
    const char *key;
    const char *authority;
    uint64_t dialect; /* enum fl_cache_dialect */
    uint64_t layout;  /* enum fl_cache_layout */
    uint64_t body;    /* enum fl_flight_codec */
    uint64_t threads;
    uint64_t max_calls;
    uint64_t memory;
    uint64_t fault; /* enum fl_cache_fault_kind */
    uint64_t fault_after;
    const char *fault_status;
    const char *fault_method;
    uint64_t fault_times;
    uint64_t stall_ms;
    bool is_verbose;
    bool wants_help;
    bool wants_version;
};

enum fl_cache_option_type {
    FL_CACHE_OPTION_TEXT,
    FL_CACHE_OPTION_NUMBER,
    FL_CACHE_OPTION_SIZE, /* 4096, 64k, 1M, 2G */
    FL_CACHE_OPTION_CHOICE,
    FL_CACHE_OPTION_FLAG,
};

struct fl_cache_option {
    const char *name;     /* without its dashes */
    const char *argument; /* what the help calls it; the words "a|b|c" of a choice */
    const char *help;
    enum fl_cache_option_type type;
    size_t offset; /* in struct fl_cache_options */
    uint64_t least;
    uint64_t most;
};

extern const struct fl_cache_option fl_cache_options[];
extern const size_t fl_cache_option_count;

/* Defaults, then argv. INVALID_ARGUMENT: one line that names the option. */
bool fl_cache_options_parse(int argc, char **argv, struct fl_cache_options *out,
                            struct fl_cache_status *status);

void fl_cache_options_help(FILE *out);

#endif
