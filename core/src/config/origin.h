/* SPDX-License-Identifier: Apache-2.0 */
/* The keys below "origins": which are well-formed, and which origins they mean. Pure functions.
 * Internal to the module. */
#ifndef FL_CONFIG_ORIGIN_H
#define FL_CONFIG_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* Why `key` is neither "scheme://host:port" nor that with a host "*.suffix"; NULL = it is. */
const char *fl_origin_fault(const char *key);

/* Does a well-formed key mean more than one origin? */
bool fl_origin_is_wildcard(const char *key);

/* How well does a well-formed key fit? 0: not. Larger fits better; the very origin fits best. */
size_t fl_origin_fit(const char *key, const char *origin);

/* A lower-case scheme of RFC 3986, as the manifests of plugins write them? */
bool fl_is_scheme(const char *text, size_t size);

#endif
