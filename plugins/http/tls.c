/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEM_MAX (256u * 1024)

static int32_t invalid(const struct fl_exchange *exchange, const char *what)
{
    return exchange->host->fail(exchange->err, FLAME_ERR_INVALID, what);
}

/* Said at once and by name, not as a failed handshake: a file that holds no certificate. */
static bool has_certificate(const char *path)
{
    static const char marker[] = "-----BEGIN ";
    FILE *file = fopen(path, "re");
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file))
        found = strncmp(line, marker, sizeof(marker) - 1) == 0 && strstr(line, "CERTIFICATE");
    if (file)
        (void)fclose(file);
    return found;
}

/* "sha256//" and the base64 of 32 bytes; several with ';' between (RFC 7469 2.4 names the digest).
 */
static bool is_pin(const char *text)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    while (strncmp(text, "sha256//", 8) == 0 && strspn(text + 8, base64) == 43 && text[51] == '=') {
        text += 52;
        if (*text == '\0')
            return true;
        if (*text++ != ';')
            break;
    }
    return false;
}

static int32_t set_pin(struct fl_exchange *exchange)
{
    const char *pin = fl_http_option(exchange, FLAME_OPT_TLS_PIN);

    if (!pin)
        return FLAME_OK;
    if (!is_pin(pin))
        return invalid(exchange, "tls.pin: not of the form 'sha256//BASE64'");
    if (curl_easy_setopt(exchange->easy, CURLOPT_PINNEDPUBLICKEY, pin) != CURLE_OK)
        return invalid(exchange, "tls.pin: this libcurl cannot pin keys");
    return FLAME_OK;
}

static int32_t set_trust(struct fl_exchange *exchange)
{
    const char *ca = fl_http_option(exchange, FLAME_OPT_TLS_CA);
    const char *verify = fl_http_option(exchange, FLAME_OPT_TLS_VERIFY);
    const char *lowest = fl_http_option(exchange, FLAME_OPT_TLS_MIN);
    bool is_13 = lowest && strcmp(lowest, "1.3") == 0;
    long on = verify && strcmp(verify, "0") == 0 ? 0 : 1;
    CURL *easy = exchange->easy;

    if (ca && !has_certificate(ca))
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID,
                          "tls.ca: '%s' holds no certificate that can be read", ca);
    if (ca) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
        (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* these, and no others */
    }
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, on);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, on ? 2L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                           is_13 ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2);
    return set_pin(exchange);
}

/* libcurl copies the blob; ours is wiped. *found false = there is none. */
static int32_t set_blob(struct fl_exchange *exchange, const char *secret, CURLoption option,
                        bool *found)
{
    char *pem = malloc(PEM_MAX);
    uint64_t size = 0;
    int32_t status;

    if (!pem)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_NO_MEMORY, "out of memory");
    status = exchange->host->secret_get(exchange->transfer, secret, exchange->request->origin, pem,
                                        PEM_MAX, &size);
    *found = status == FLAME_OK;
    if (*found) {
        struct curl_blob blob = {.data = pem, .len = (size_t)size, .flags = CURL_BLOB_COPY};

        (void)curl_easy_setopt(exchange->easy, option, &blob);
    }
    if (*found)
        explicit_bzero(pem, (size_t)size);
    free(pem);
    if (status == FLAME_ERR_LIMIT)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID, "%s is too long",
                          secret);
    return FLAME_OK;
}

static int32_t set_identity(struct fl_exchange *exchange)
{
    bool has_certificates = false;
    bool has_key = false;
    int32_t status =
        set_blob(exchange, FLAME_SECRET_TLS_CERT, CURLOPT_SSLCERT_BLOB, &has_certificates);

    if (status == FLAME_OK)
        status = set_blob(exchange, FLAME_SECRET_TLS_KEY, CURLOPT_SSLKEY_BLOB, &has_key);
    if (status != FLAME_OK)
        return status;
    if (has_certificates != has_key)
        return invalid(exchange, has_key ? "a client key needs its certificate"
                                         : "a client certificate needs its key");
    (void)curl_easy_setopt(exchange->easy, CURLOPT_SSLCERTTYPE, "PEM");
    (void)curl_easy_setopt(exchange->easy, CURLOPT_SSLKEYTYPE, "PEM");
    return FLAME_OK;
}

int32_t fl_http_setup_tls(struct fl_exchange *exchange)
{
    int32_t status;

    if (fl_http_option(exchange, FLAME_OPT_TLS_SERVER_NAME))
        return exchange->host->fail(exchange->err, FLAME_ERR_UNSUPPORTED,
                                    "tls.server_name: libcurl checks the name in the url only; "
                                    "use that name with connect_to");
    status = set_trust(exchange);
    return status == FLAME_OK ? set_identity(exchange) : status;
}
