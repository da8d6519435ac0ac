/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl passes over an item of CONNECT_TO that it cannot read, and would go to the very place
 * that the caller wanted to avoid: what is written here is read here first. */
#include "http.h"

#include <string.h>

#define DIGITS "0123456789"
#define ITEM_MAX 1024

static int32_t invalid(const struct fl_exchange *exchange, const char *what)
{
    return exchange->host->fail(exchange->err, FLAME_ERR_INVALID, what);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* Behind "HOST:PORT", either of which may be empty; NULL = it is something else. */
static const char *skip_place(const char *at)
{
    const char *bracket = *at == '[' ? strchr(at, ']') : NULL;
    const char *colon = bracket ? bracket + 1 : at + strcspn(at, ":[");

    return *colon == ':' ? colon + 1 + strspn(colon + 1, DIGITS) : NULL;
}

/* HOST:PORT:HOST:PORT */
static bool is_connect_to(const char *item)
{
    const char *at = skip_place(item);

    if (!at || *at != ':')
        return false;
    at = skip_place(at + 1);
    return at && *at == '\0';
}

/* HOST:PORT:ADDRESS, with the signs that libcurl knows ("+" to let it expire, "-" to forget). */
static bool is_resolve(const char *item)
{
    const char *at = skip_place(item + (*item == '+' || *item == '-'));

    if (!at || at[-1] == ':')
        return false;
    return *item == '-' ? *at == '\0' : *at == ':' && at[1] != '\0';
}

struct list {
    bool (*is_item)(const char *item);
    const char *complaint;
    struct curl_slist **items;
};

static int32_t add_item(struct fl_exchange *exchange, const struct list *list, const char *text,
                        size_t size)
{
    char item[ITEM_MAX];
    struct curl_slist *grown;

    if (size >= sizeof(item))
        return invalid(exchange, list->complaint);
    memcpy(item, text, size);
    item[size] = '\0';
    if (!list->is_item(item))
        return invalid(exchange, list->complaint);
    grown = curl_slist_append(*list->items, item);
    if (!grown)
        return exchange->host->fail(exchange->err, FLAME_ERR_NO_MEMORY, "out of memory");
    *list->items = grown;
    return FLAME_OK;
}

/* Items are separated by blanks or line ends. */
static int32_t split(struct fl_exchange *exchange, const struct list *list, const char *text)
{
    int32_t status = FLAME_OK;

    for (text = text ? text : ""; *text && status == FLAME_OK;) {
        size_t size = strcspn(text, " \n");

        if (size > 0)
            status = add_item(exchange, list, text, size);
        text += size + (text[size] != '\0');
    }
    return status;
}

/* ---- the way --------------------------------------------------------------------------------- */

bool fl_http_is_proxy(const char *url)
{
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    bool is_known = false;

    if (parsed &&
        curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) ==
            CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK)
        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
            is_known = is_known || strcmp(schemes[i], scheme) == 0;
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return is_known;
}

static void set_family(const struct fl_exchange *exchange)
{
    const char *ip = fl_http_option(exchange, FLAME_OPT_NET_IP);

    if (ip && strcmp(ip, "any") != 0)
        (void)curl_easy_setopt(exchange->easy, CURLOPT_IPRESOLVE,
                               strcmp(ip, "4") == 0 ? (long)CURL_IPRESOLVE_V4
                                                    : (long)CURL_IPRESOLVE_V6);
}

int32_t fl_http_setup_route(struct fl_exchange *exchange)
{
    const struct list resolve = {is_resolve, "resolve: not of the form 'HOST:PORT:ADDRESS'",
                                 &exchange->resolve};
    const struct list connect_to = {
        is_connect_to, "connect_to: not of the form 'HOST:PORT:HOST:PORT'", &exchange->connect_to};
    const char *path = fl_http_option(exchange, "unix_socket");
    int32_t status = split(exchange, &resolve, fl_http_option(exchange, "resolve"));

    if (status == FLAME_OK)
        status = split(exchange, &connect_to, fl_http_option(exchange, "connect_to"));
    (void)curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, exchange->resolve);
    (void)curl_easy_setopt(exchange->easy, CURLOPT_CONNECT_TO, exchange->connect_to);
    if (path)
        (void)curl_easy_setopt(exchange->easy, CURLOPT_UNIX_SOCKET_PATH, path);
    set_family(exchange);
    return status;
}
