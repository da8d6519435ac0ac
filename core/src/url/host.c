/* SPDX-License-Identifier: Apache-2.0 */
#include "url/host.h"

#include "base/text.h"
#include "url/ascii.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#define HOST_MAX 253 /* bytes; RFC 1035 */

static int32_t bad_host(struct flame_error *err, const char *why)
{
    return fl_fail(err, FLAME_ERR_INVALID_URL, "malformed host: %s", why);
}

static int32_t canonical_ipv6(const char *text, char **out, struct flame_error *err)
{
    char spelling[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (strchr(text, '%') || inet_pton(AF_INET6, text, &address) != 1)
        return bad_host(err, "not an ipv6 address");
    if (!inet_ntop(AF_INET6, &address, spelling, sizeof(spelling)))
        return fl_fail_memory(err);
    *out = strdup(spelling);
    return *out ? FLAME_OK : fl_fail_memory(err);
}

static bool is_host_byte(char c)
{
    return fl_ascii_is_letter(c) || fl_ascii_is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* Would some parser take this for an IPv4 number? Then only one spelling is allowed. The rule is
 * the WHATWG's "ends in a number": the last label is decimal, or 0x and hex. */
static bool ends_in_a_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;
    bool is_hex = strncmp(last, "0x", 2) == 0;

    return *last && strspn(last + (is_hex ? 2 : 0), is_hex ? "0123456789abcdef" : "0123456789") ==
                        strlen(last) - (is_hex ? 2 : 0);
}

/* inet_pton(3) takes exactly four decimal numbers without leading zeros. */
static bool is_strict_ipv4(const char *host)
{
    struct in_addr address;
    char spelling[INET_ADDRSTRLEN];

    return inet_pton(AF_INET, host, &address) == 1 &&
           inet_ntop(AF_INET, &address, spelling, sizeof(spelling)) && strcmp(host, spelling) == 0;
}

static int32_t canonical_name(char *host, struct flame_error *err)
{
    for (char *at = host; *at; at++) {
        if (!is_host_byte(*at))
            return bad_host(err, "only letters, digits, '-', '.' and '_' are allowed");
        *at = fl_ascii_lower(*at);
    }
    /* A trailing dot makes another origin of the same host: one spelling only. */
    if (host[0] == '.' || strstr(host, "..") || (host[0] && host[strlen(host) - 1] == '.'))
        return bad_host(err, "an empty label");
    if (ends_in_a_number(host) && !is_strict_ipv4(host))
        return bad_host(err, "an ipv4 address has four decimal numbers without leading zeros");
    return FLAME_OK;
}

int32_t fl_host_canonical(const char *text, size_t size, char **out, struct flame_error *err)
{
    bool is_ipv6 = size > 0 && text[0] == '[';
    fl_auto_free char *host = NULL;
    int32_t status;

    if (size > HOST_MAX)
        return bad_host(err, "too long");
    if (is_ipv6 && (size < 2 || text[size - 1] != ']'))
        return bad_host(err, "a bracket is missing");
    host = is_ipv6 ? strndup(text + 1, size - 2) : strndup(text, size);
    if (!host)
        return fl_fail_memory(err);
    if (is_ipv6)
        return canonical_ipv6(host, out, err);
    status = canonical_name(host, err);
    if (status == FLAME_OK)
        *out = fl_take(host);
    return status;
}
