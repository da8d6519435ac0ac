/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define PEM_MAX (256u * 1024)
#define ROOTS_MAX (8u << 20)

/* Debian, Fedora, Alpine. */
static const char *const system_roots[] = {"/etc/ssl/certs/ca-certificates.crt",
                                           "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

/* ---- the pair -------------------------------------------------------------------------------- */

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* *out = the secret as text, or NULL when there is none. */
static int32_t read_secret(const struct fl_grpc_exchange *exchange, const char *name, char **out)
{
    char *text = malloc(PEM_MAX + 1);
    uint64_t size = 0;
    int32_t status;

    if (!text)
        return fl_grpc_fail_memory(exchange);
    status = exchange->host->secret_get(exchange->transfer, name, exchange->request->origin, text,
                                        PEM_MAX, &size);
    if (status == FLAME_OK) {
        text[size] = '\0';
        *out = text;
        return FLAME_OK;
    }
    free(text);
    if (status == FLAME_ERR_LIMIT)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID, "%s is too long", name);
    return FLAME_OK;
}

int fl_grpc_no_password(char *out, int size, int is_writing, void *context)
{
    (void)out, (void)size, (void)is_writing, (void)context;
    return -1;
}

/* gRPC would say "empty address list" of a pair that does not fit. */
static bool is_pair(const struct fl_grpc_identity *identity)
{
    BIO *certificate_bio = BIO_new_mem_buf(identity->certificate, -1);
    BIO *key_bio = BIO_new_mem_buf(identity->key, -1);
    X509 *certificate = certificate_bio
                            ? PEM_read_bio_X509(certificate_bio, NULL, fl_grpc_no_password, NULL)
                            : NULL;
    EVP_PKEY *key =
        key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, fl_grpc_no_password, NULL) : NULL;
    bool fits = certificate && key && X509_check_private_key(certificate, key) == 1;

    EVP_PKEY_free(key);
    X509_free(certificate);
    (void)BIO_free(key_bio);
    (void)BIO_free(certificate_bio);
    ERR_clear_error();
    return fits;
}

static int32_t read_pair(const struct fl_grpc_exchange *exchange, struct fl_grpc_identity *identity)
{
    int32_t status = read_secret(exchange, FLAME_SECRET_TLS_CERT, &identity->certificate);

    if (status == FLAME_OK)
        status = read_secret(exchange, FLAME_SECRET_TLS_KEY, &identity->key);
    if (status != FLAME_OK || (!identity->certificate && !identity->key))
        return status;
    if (!identity->key)
        return fl_grpc_fail(exchange, FLAME_ERR_INVALID, "a client certificate needs its key");
    if (!identity->certificate)
        return fl_grpc_fail(exchange, FLAME_ERR_INVALID, "a client key needs its certificate");
    if (!is_pair(identity))
        return fl_grpc_fail(
            exchange, FLAME_ERR_INVALID,
            "the client certificate and key cannot be used, or do not belong together");
    return FLAME_OK;
}

int32_t fl_grpc_identity_read(const struct fl_grpc_exchange *exchange,
                              struct fl_grpc_identity *identity)
{
    const char *verify = fl_grpc_option(exchange, FLAME_OPT_TLS_VERIFY);
    const char *lowest = fl_grpc_option(exchange, FLAME_OPT_TLS_MIN);
    const char *name = fl_grpc_option(exchange, FLAME_OPT_TLS_SERVER_NAME);

    identity->is_secure = fl_grpc_is_secure(exchange);
    if (!identity->is_secure)
        return FLAME_OK;
    if (fl_grpc_option(exchange, FLAME_OPT_TLS_PIN))
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED, "tls.pin: grpc cannot pin keys");
    if (lowest && strcmp(lowest, "1.3") == 0)
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED,
                            "tls.min: grpc cannot insist on more than 1.2");
    identity->is_unverified = verify && strcmp(verify, "0") == 0;
    identity->ca_path = fl_grpc_option(exchange, FLAME_OPT_TLS_CA);
    identity->server_name = name ? name : exchange->request->host;
    return read_pair(exchange, identity);
}

/* ---- authorities ----------------------------------------------------------------------------- */

/* NULL also where there is more than we take: authorities shall not vanish without a word. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = file ? malloc(ROOTS_MAX) : NULL;
    size_t size = text ? fread(text, 1, ROOTS_MAX - 1, file) : 0;
    bool is_whole = text && !ferror(file) && size < ROOTS_MAX - 1;
    char *fitting;

    if (file)
        (void)fclose(file);
    if (!is_whole) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    fitting = realloc(text, size + 1);
    return fitting ? fitting : text;
}

static bool has_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *first = bio ? PEM_read_bio_X509_AUX(bio, NULL, fl_grpc_no_password, NULL) : NULL;

    X509_free(first);
    (void)BIO_free(bio);
    ERR_clear_error();
    return first != NULL;
}

int32_t fl_grpc_identity_read_roots(const struct fl_grpc_exchange *exchange,
                                    struct fl_grpc_identity *identity)
{
    if (!identity->is_secure || identity->roots)
        return FLAME_OK;
    if (identity->ca_path)
        identity->roots = read_file(identity->ca_path);
    for (size_t i = 0; !identity->ca_path && !identity->roots && i < 3; i++)
        identity->roots = read_file(system_roots[i]);
    if (identity->roots && has_certificate(identity->roots))
        return FLAME_OK;
    if (identity->is_unverified && !identity->ca_path)
        return FLAME_OK;
    if (!identity->ca_path)
        return fl_grpc_fail(exchange, FLAME_ERR_INVALID,
                            "this system has no file of certificate authorities: set tls.ca");
    return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID,
                      "tls.ca: '%s' holds no certificate that can be read", identity->ca_path);
}

void fl_grpc_identity_done(struct fl_grpc_identity *identity)
{
    wipe(identity->certificate);
    wipe(identity->key);
    free(identity->roots);
    *identity = (struct fl_grpc_identity){.is_secure = false};
}

/* ---- the key --------------------------------------------------------------------------------- */

static bool mix(EVP_MD_CTX *digest, const char *text)
{
    /* With its end, so that two texts are not one. */
    return EVP_DigestUpdate(digest, text ? text : "", text ? strlen(text) + 1 : 0) == 1 &&
           EVP_DigestUpdate(digest, "\n", 1) == 1;
}

static bool mix_all(EVP_MD_CTX *digest, const struct fl_grpc_exchange *exchange,
                    const struct fl_grpc_identity *identity)
{
    static const char *const options[] = {FLAME_OPT_NET_IP, FLAME_OPT_NET_USER_AGENT, "keepalive",
                                          "keepalive_timeout", "message_max"};
    const struct flame_net_policy *policy = exchange->instance->policy;
    uint64_t policy_id = policy ? policy->id(exchange->transfer) : 0;
    bool ok = mix(digest, exchange->request->origin) &&
              EVP_DigestUpdate(digest, &policy_id, sizeof(policy_id)) == 1;

    for (size_t i = 0; ok && i < sizeof(options) / sizeof(*options); i++)
        ok = mix(digest, fl_grpc_option(exchange, options[i]));
    return ok && mix(digest, identity->is_unverified ? "unverified" : NULL) &&
           mix(digest, identity->ca_path) && mix(digest, identity->server_name) &&
           mix(digest, identity->certificate) && mix(digest, identity->key);
}

bool fl_grpc_identity_key(const struct fl_grpc_exchange *exchange,
                          const struct fl_grpc_identity *identity, char key[FL_GRPC_KEY_SIZE])
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
              mix_all(digest, exchange, identity) && EVP_DigestFinal_ex(digest, bytes, &size) == 1;

    EVP_MD_CTX_free(digest);
    for (unsigned i = 0; ok && i < (FL_GRPC_KEY_SIZE - 1) / 2; i++)
        (void)snprintf(key + 2 * i, 3, "%02x", bytes[i]);
    return ok;
}
