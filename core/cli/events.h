/* SPDX-License-Identifier: Apache-2.0 */
/* --json: one object per line, made for programs. Names are curl's where curl has one. Every line
 * has v (1), ev, id (the url's number, from 1) and t (milliseconds since the start); a reader
 * ignores names that it does not know.
 *
 * Without a stream every function does nothing. One thread at a time. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include <flame/fetch.h>

#include <stdbool.h>
#include <stdio.h>

struct cli_events {
    FILE *out; /* NULL = nobody listens */
    uint64_t started_ns;
    uint32_t id;
    bool is_incomplete; /* a line could not be written */
    bool had_no_memory; /* a line could not be made */
};

/* One task, as its events tell it. Texts are shown ones: redacted and escaped. */
struct cli_subject {
    const char *url;
    const char *path; /* as it is; "-" = standard output; NULL = none */
};

void cli_events_open(struct cli_events *events, FILE *out);

void cli_event_start(struct cli_events *events, const struct cli_subject *subject);
/* Redirects, retries and the like. */
void cli_event_news(struct cli_events *events, const struct flame_event *event);
/* `rate` in bytes a second. */
void cli_event_progress(struct cli_events *events, const struct flame_progress *progress,
                        uint64_t rate);
void cli_event_done(struct cli_events *events, const struct cli_subject *subject,
                    const struct flame_result *result);
void cli_event_stat(struct cli_events *events, const struct cli_subject *subject,
                    const struct flame_result *result);
/* The caller's version is still the current one. */
void cli_event_not_modified(struct cli_events *events, const struct cli_subject *subject,
                            const struct flame_result *result);
void cli_event_stored(struct cli_events *events, const struct cli_subject *subject,
                      const struct flame_result *result);
void cli_event_removed(struct cli_events *events, const struct cli_subject *subject,
                       const struct flame_result *result);
/* One of a list; `name` as ls shows it. */
void cli_event_entry(struct cli_events *events, const char *name, const struct flame_result *entry);
void cli_event_listed(struct cli_events *events, const struct cli_subject *subject,
                      const struct flame_result *result, uint64_t entries);
void cli_event_cleaned(struct cli_events *events, const char *directory, const char *name,
                       uint64_t size);
void cli_event_error(struct cli_events *events, const char *url, const struct flame_error *err,
                     int exit_code);
void cli_event_plugin(struct cli_events *events, const struct flame_plugin_info *info);
void cli_event_option(struct cli_events *events, const struct flame_option_info *info);

/* The name of enum flame_phase, or of the last phase before an unknown number. */
const char *cli_phase_name(uint32_t phase);

/* What the peer's metadata say under `key`, or NULL. */
const char *cli_metadata(const struct flame_result *result, const char *key);

#endif
