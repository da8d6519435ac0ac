/* SPDX-License-Identifier: Apache-2.0 */
/* The one URL parser of the program: strict RFC 3986, normalising. What it refuses nobody sees;
 * what it accepts is split once, so that policy, plugin and library never disagree about a host.
 *
 * Refused (INVALID_URL): raw bytes outside RFC 3986 (controls, blank, '\', non-ASCII, '<' ...),
 * bad percent-encodings and %00, a host that is not a lower-casable reg-name of letters, digits,
 * '-', '.', '_' without empty labels (also at the end), a strict dotted IPv4, or a bracketed IPv6
 * without zone; anything that some parser reads as an IPv4 number (octal, hex, fewer than four
 * parts); port 0 or over 65535; more than 8 KiB; a scheme with a default port but without a host.
 * Normalised (RFC 3986 6.2.2): case of scheme, host and percent-encodings, unreserved characters
 * decoded, dot segments removed from a path that begins with '/', default port dropped, "/" for an
 * empty path where the scheme has a default port.
 *
 * Pure functions, no state, any thread. */
#ifndef FL_URL_URL_H
#define FL_URL_URL_H

#include "base/error.h"

#include <stdbool.h>

#define FL_URL_MAX 8192  /* bytes */
#define FL_SCHEME_MAX 32 /* bytes with the NUL */

struct fl_url {
    char *text;     /* the whole, normalised; without userinfo and fragment */
    char *scheme;   /* lower case */
    char *origin;   /* "scheme://host:port", IPv6 in brackets, port 0 left out; "scheme:" without
                       authority */
    char *host;     /* no brackets; "" without authority or with an empty one */
    char *path;     /* percent-encoded; without authority all behind the colon, up to '?' */
    char *query;    /* behind '?', or NULL */
    char *userinfo; /* percent-DECODED "user:password" or "user"; a secret; or NULL */
    char *fragment; /* behind '#', or NULL */
    uint32_t port;  /* said, or the default, or 0 */
    bool has_authority;
};

/* Copy the lower-cased scheme of `text` into `scheme` (FL_SCHEME_MAX bytes).
 * Fails with INVALID_URL, also for text that is no absolute URL. */
int32_t fl_url_scheme(const char *text, char *scheme, struct flame_error *err) FL_CHECK;

/* Parse an absolute URL. `default_port`: the scheme's, 0 = it has none. `out` is untouched on
 * failure; else fl_url_done() it. Fails with INVALID_URL, NO_MEMORY. */
int32_t fl_url_parse(const char *text, uint32_t default_port, struct fl_url *out,
                     struct flame_error *err) FL_CHECK;

/* Resolve a reference, absolute or relative (RFC 3986 5.2, strict), against a parsed URL into
 * absolute text, which still has to be parsed. The base's userinfo and fragment do not come along.
 * *out: to be freed. Fails with INVALID_URL, NO_MEMORY. */
int32_t fl_url_resolve(const struct fl_url *base, const char *reference, char **out,
                       struct flame_error *err) FL_CHECK;

/* Is there no doubt that both name the same scheme, host and port? */
bool fl_url_same_origin(const struct fl_url *a, const struct fl_url *b);

/* The text that may be shown: without userinfo, query values ("?***") and fragment. Also for text
 * that does not parse: of that, nothing in front of an '@' but "scheme://". Not escaped. NULL = no
 * memory. */
char *fl_url_redact(const char *text);

/* Decode the percent-encodings of `size` bytes into a new string; NULL when it would hold a NUL or
 * there is no memory. */
char *fl_url_decode(const char *text, size_t size);

/* The last segment of the path, decoded once, if it can be a file name in the working directory:
 * not empty, not "." or "..", no '/', NUL or control byte, at most 255 bytes, no leading
 * ".flame-". *out: to be freed. Fails with UNSAFE_NAME, NO_MEMORY. */
int32_t fl_url_file_name(const struct fl_url *url, char **out, struct flame_error *err) FL_CHECK;

/* Free what it owns, userinfo wiped; leaves zeros. */
void fl_url_done(struct fl_url *url);

#endif
