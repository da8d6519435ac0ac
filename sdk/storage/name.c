/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/name.h"

#include "base/text.h"

#include <string.h>

#define OURS ".flame-" /* hidden names of the core, which it removes when they are old */

/* Would it be shown as it is? What is not UTF-8 or not printable becomes \xNN there. */
static bool is_printable(const char *name)
{
    char shown[4 * SDK_NAME_MAX + 1];

    (void)fl_escape(name, strlen(name), shown, sizeof(shown));
    return strcmp(name, shown) == 0;
}

static const char *what_is_wrong(const char *name)
{
    if (!name || !name[0])
        return "is empty";
    if (strlen(name) > SDK_NAME_MAX)
        return "is longer than a file's";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "is a folder's";
    if (strchr(name, '/'))
        return "has a '/'";
    if (strncmp(name, OURS, strlen(OURS)) == 0)
        return "begins as our own hidden ones do";
    return is_printable(name) ? NULL : "has letters that cannot be shown";
}

int32_t sdk_name_check(const char *name, const char *what, int32_t status, struct flame_error *err)
{
    const char *wrong = what_is_wrong(name);

    if (!wrong)
        return FLAME_OK;
    return fl_fail(err, status, "the %s '%s' %s", what, name ? name : "", wrong);
}

char *sdk_name_encode(const char *name)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char hex[] = "0123456789ABCDEF";
    char *encoded = malloc(3 * strlen(name) + 1);
    char *end = encoded;

    if (!encoded)
        return NULL;
    for (; *name; name++) {
        unsigned byte = (unsigned char)*name;

        if (strchr(plain, *name)) {
            *end++ = *name;
            continue;
        }
        *end++ = '%';
        *end++ = hex[byte >> 4];
        *end++ = hex[byte & 15];
    }
    *end = '\0';
    return encoded;
}
