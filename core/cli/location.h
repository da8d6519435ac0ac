/* SPDX-License-Identifier: Apache-2.0 */
/* URLs and paths as the user wrote them. Only as much is understood as the command itself needs to
 * show a URL, to hide a password and to name a file: parsing is the library's. No state. */
#ifndef CLI_LOCATION_H
#define CLI_LOCATION_H

#include "text.h"

/* The URL as it may be shown, also one that cannot be parsed: without userinfo, query values and
 * fragment, escaped. NULL = no memory. */
char *cli_shown_url(const char *url);

/* Where the userinfo of `url` stands; *size = 0 when there is none. */
const char *cli_userinfo(const char *url, size_t *size);

/* A copy without its percent-encodings, which are undone once; NUL-terminated, and *size says how
 * long it is, as one of them may be a NUL. NULL = no memory. */
char *cli_percent_decoded(const char *text, size_t length, size_t *size);

/* The name that a download of `url` gets when nobody says another: its last segment, decoded once.
 * Never empty, "." or "..", at most 255 bytes without '/' and control bytes, never one of the names
 * that the library keeps its own files under.
 * *out: to be freed. Fails with UNSAFE_NAME, NO_MEMORY. */
int32_t cli_name_of_url(const char *url, char **out, struct flame_error *err) CLI_MUST_USE;

/* Why `path`, which a list of downloads names, may not be used below the output directory: it is
 * absolute, leads out, or has a name that cli_name_of_url() would refuse. NULL = it may. */
const char *cli_unsafe_below(const char *path);

/* Do two urls begin with the same scheme and authority, letter by letter? */
bool cli_is_same_origin(const char *one, const char *other);

/* What an entry of a list is called: its url behind the listed one, decoded; the last segment where
 * they are the same; else the url itself. NULL = no memory. */
char *cli_name_in_list(const char *listed, const char *entry);

/* The path from the root, its links untouched. *out: to be freed. Fails with IO, NO_MEMORY. */
int32_t cli_absolute(const char *path, char **out, struct flame_error *err) CLI_MUST_USE;

/* The file:// URL of an existing file, links resolved. *out: to be freed.
 * Fails with NOT_FOUND, IO (of the source), NO_MEMORY. */
int32_t cli_file_url(const char *path, char **out, struct flame_error *err) CLI_MUST_USE;

#endif
