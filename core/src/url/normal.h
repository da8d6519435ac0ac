/* SPDX-License-Identifier: Apache-2.0 */
/* Normalising the parts of a URL (RFC 3986 6.2.2). Private to the parser. */
#ifndef FL_URL_NORMAL_H
#define FL_URL_NORMAL_H

#include "base/error.h"

/* Which bytes a part may hold as they are, beside unreserved ones and sub-delims. */
#define FL_PATH_EXTRA ":@/"
#define FL_QUERY_EXTRA ":@/?"
#define FL_USERINFO_EXTRA ":"

/* Copy `size` bytes, percent-encodings in upper case, unreserved characters decoded. Fails with
 * INVALID_URL for a byte that `extra` does not allow, a broken percent-encoding, %00. */
int32_t fl_normal_text(const char *text, size_t size, const char *extra, char **out,
                       struct flame_error *err) FL_CHECK;

/* Remove "." and ".." segments (RFC 3986 5.2.4), in place. */
void fl_normal_dots(char *path);

#endif
