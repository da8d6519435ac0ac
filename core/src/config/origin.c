/* SPDX-License-Identifier: Apache-2.0 */
#include "config/origin.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#define SCHEME_MAX 31 /* bytes */
#define HOST_MAX 253  /* bytes: the longest name that the DNS has */
#define WILDCARD "*."

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool fl_is_scheme(const char *text, size_t size)
{
    if (size == 0 || size > SCHEME_MAX || !is_lower(text[0]))
        return false;
    for (size_t i = 1; i < size; i++)
        if (!is_lower(text[i]) && !is_digit(text[i]) && !strchr("+-.", text[i]))
            return false;
    return true;
}

static bool is_port(const char *text)
{
    unsigned port = 0;
    size_t size = strlen(text);

    if (size == 0 || size > 5 || text[0] == '0')
        return false;
    for (; *text; text++) {
        if (!is_digit(*text))
            return false;
        port = port * 10 + (unsigned)(*text - '0');
    }
    return port <= UINT16_MAX;
}

/* Labels of [a-z0-9_-], none of them empty. */
static bool is_name(const char *host)
{
    char previous = '.';

    for (; *host; host++) {
        if (*host == '.' ? previous == '.'
                         : !is_lower(*host) && !is_digit(*host) && *host != '-' && *host != '_')
            return false;
        previous = *host;
    }
    return previous != '.';
}

/* Would a URL parser take a name with this last label for an IPv4 address? */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *label = dot ? dot + 1 : host;

    return strspn(label, "0123456789") == strlen(label) ||
           (strncmp(label, "0x", 2) == 0 &&
            strspn(label + 2, "0123456789abcdef") == strlen(label + 2));
}

/* `host` is in brackets; its one spelling is the shortest, as inet_ntop(3) writes it. */
static bool is_ipv6(char *host)
{
    char spelling[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t size = strlen(host);

    if (size < 2 || host[size - 1] != ']')
        return false;
    host[size - 1] = '\0';
    return inet_pton(AF_INET6, host + 1, &address) == 1 &&
           inet_ntop(AF_INET6, &address, spelling, sizeof(spelling)) &&
           strcmp(spelling, host + 1) == 0;
}

static const char *host_fault(char *host)
{
    struct in_addr address;
    bool wildcard = strncmp(host, WILDCARD, strlen(WILDCARD)) == 0;
    const char *name = wildcard ? host + strlen(WILDCARD) : host;

    if (host[0] == '[')
        return is_ipv6(host) ? NULL : "no IPv6 address in its shortest form";
    if (!is_name(name))
        return "the host is malformed";
    if (!ends_in_number(name))
        return NULL;
    /* A pattern fails here too: addresses have no sub-domains. */
    return inet_pton(AF_INET, host, &address) == 1 ? NULL : "the host is malformed";
}

const char *fl_origin_fault(const char *key)
{
    const char *shape = "not of the form scheme://host:port";
    const char *host = strstr(key, "://");
    const char *port = strrchr(key, ':');
    char copy[HOST_MAX + sizeof("[]")];
    size_t size;

    for (const char *c = key; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            return "must be in lower case";
    if (!host || !fl_is_scheme(key, (size_t)(host - key)))
        return shape;
    host += strlen("://");
    if (port < host || !is_port(port + 1))
        return "does not end in a port";
    size = (size_t)(port - host);
    if (size > HOST_MAX)
        return "the host is too long";
    memcpy(copy, host, size);
    copy[size] = '\0';
    return host_fault(copy);
}

/* Where the host begins that stands for all its sub-domains, at the star; or NULL. */
static const char *find_star(const char *key)
{
    const char *host = strstr(key, "://");

    return host && strncmp(host + 3, WILDCARD, strlen(WILDCARD)) == 0 ? host + 3 : NULL;
}

bool fl_origin_is_wildcard(const char *key)
{
    return find_star(key) != NULL;
}

size_t fl_origin_fit(const char *key, const char *origin)
{
    const char *star = find_star(key);
    size_t head, tail, size;

    if (!star)
        return strcmp(key, origin) == 0 ? SIZE_MAX : 0;
    head = (size_t)(star - key);
    tail = strlen(star + 1);
    size = strlen(origin);
    /* The star stands for one byte at least: the suffix itself is no sub-domain. */
    if (size <= head + tail || memcmp(key, origin, head) != 0 ||
        memcmp(star + 1, origin + size - tail, tail) != 0)
        return 0;
    return tail;
}
