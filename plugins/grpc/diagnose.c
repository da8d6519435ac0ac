/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose.h"

#include "deadline.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 3000
#define ALERT_MS 500 /* for the word of a server that has seen our certificate */

struct question {
    struct fl_grpc_exchange *exchange;
    const struct fl_grpc_place *place;
    int64_t deadline_ms;
    int fd;
    SSL *ssl;
    bool is_asked; /* for a client certificate */
};

static const struct {
    long code;
    const char *text;
} certificate_faults[] = {
    {X509_V_ERR_CERT_NOT_YET_VALID,
     "the server's certificate is not valid yet; is the clock right?"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "the server's certificate has expired; is the clock right?"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "the server's certificate is self-signed"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
     "the server's certificate is signed by an unknown authority"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "the server's certificate is signed by an unknown authority"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "the server's certificate is signed by an unknown authority"},
    {X509_V_ERR_INVALID_PURPOSE, "the server's certificate is not made for servers"},
    {X509_V_ERR_HOSTNAME_MISMATCH, "the server's certificate is for another name"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "the server's certificate is for another name"},
};

/* ---- sockets --------------------------------------------------------------------------------- */

/* false = it is late, or we are not wanted. */
static bool wait_for(struct question *question, short events)
{
    const struct flame_host *host = question->exchange->host;
    struct pollfd fds[] = {{.fd = question->fd, .events = events},
                           {.fd = host->cancel_fd(question->exchange->transfer), .events = POLLIN}};
    int64_t left = fl_grpc_left_ms(question->deadline_ms);

    return left > 0 && poll(fds, 2, (int)left) > 0 && fds[0].revents && !fds[1].revents;
}

static bool connect_to(struct question *question)
{
    const struct fl_grpc_address *address = question->place->address;
    in_port_t port = htons((in_port_t)question->exchange->request->port);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
    const struct sockaddr *at = address->is_v6 ? (const void *)&v6 : (const void *)&v4;
    socklen_t size = address->is_v6 ? sizeof(v6) : sizeof(v4);

    (void)inet_pton(at->sa_family, address->text,
                    address->is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr);
    question->fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (question->fd < 0)
        return false;
    (void)connect(question->fd, at, size);
    return wait_for(question, POLLOUT);
}

/* ---- the handshake --------------------------------------------------------------------------- */

static void trust(SSL_CTX *context, const char *roots)
{
    BIO *bio = BIO_new_mem_buf(roots, -1);
    X509 *root;

    while (bio && (root = PEM_read_bio_X509_AUX(bio, NULL, fl_grpc_no_password, NULL))) {
        (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root);
        X509_free(root);
    }
    (void)BIO_free(bio);
}

/* The rest of our chain, which gRPC sends too. */
static void add_chain(SSL_CTX *context, BIO *bio)
{
    X509 *next;

    while ((next = PEM_read_bio_X509(bio, NULL, fl_grpc_no_password, NULL)))
        if (SSL_CTX_add_extra_chain_cert(context, next) != 1)
            X509_free(next);
}

static void show(SSL_CTX *context, const struct fl_grpc_identity *identity)
{
    BIO *bio = BIO_new_mem_buf(identity->certificate, -1);
    BIO *key_bio = BIO_new_mem_buf(identity->key, -1);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, fl_grpc_no_password, NULL) : NULL;
    EVP_PKEY *key =
        key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, fl_grpc_no_password, NULL) : NULL;

    if (certificate && key) {
        (void)SSL_CTX_use_certificate(context, certificate);
        (void)SSL_CTX_use_PrivateKey(context, key);
        add_chain(context, bio);
    }
    EVP_PKEY_free(key);
    X509_free(certificate);
    (void)BIO_free(key_bio);
    (void)BIO_free(bio);
}

static int note_question(SSL *ssl, void *question)
{
    (void)ssl;
    ((struct question *)question)->is_asked = true;
    return 1;
}

static SSL_CTX *new_context(const struct fl_grpc_identity *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!context)
        return NULL;
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, identity->is_unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (identity->roots)
        trust(context, identity->roots);
    if (identity->certificate)
        show(context, identity);
    return context;
}

static bool new_session(struct question *question, SSL_CTX *context)
{
    static const unsigned char h2[] = "\2h2";
    const char *name = question->place->identity->server_name;
    bool is_address;

    question->ssl = SSL_new(context);
    if (!question->ssl)
        return false;
    is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(question->ssl), name) == 1;
    if (!is_address) {
        (void)SSL_set1_host(question->ssl, name);
        (void)SSL_set_tlsext_host_name(question->ssl, name);
    }
    (void)SSL_set_alpn_protos(question->ssl, h2, sizeof(h2) - 1);
    SSL_set_cert_cb(question->ssl, note_question, question);
    return SSL_set_fd(question->ssl, question->fd) == 1;
}

/* One step of OpenSSL's until it is done, or has failed. */
static int drive(struct question *question, int (*step)(SSL *ssl))
{
    for (;;) {
        int result;
        int error;

        ERR_clear_error();
        result = step(question->ssl);
        error = SSL_get_error(question->ssl, result);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return error;
        if (!wait_for(question, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
            return error;
    }
}

static int read_one(SSL *ssl)
{
    char byte;

    return SSL_read(ssl, &byte, 1);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static const char *certificate_fault(long code)
{
    for (size_t i = 0; i < sizeof(certificate_faults) / sizeof(*certificate_faults); i++)
        if (certificate_faults[i].code == code)
            return certificate_faults[i].text;
    return NULL;
}

/* The server has ended it, after it had asked who we are. */
static const char *blame_ours(const struct question *question)
{
    if (!question->is_asked)
        return NULL;
    return question->place->identity->certificate ? "the server refuses our client certificate"
                                                  : "the server wants a client certificate";
}

/* By the server: not by our clock, nor because we are not wanted any more. */
static bool is_ended(int error)
{
    return error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN;
}

static const char *ask(struct question *question, long *x509)
{
    int error = drive(question, SSL_connect);
    const char *text = NULL;

    *x509 = SSL_get_verify_result(question->ssl);
    if (*x509 != X509_V_OK && !question->place->identity->is_unverified)
        text = certificate_fault(*x509);
    if (text)
        return text;
    *x509 = 0;
    if (error == SSL_ERROR_NONE) {
        question->deadline_ms = fl_grpc_now_ms() + ALERT_MS;
        error = drive(question, read_one);
    }
    return is_ended(error) ? blame_ours(question) : NULL;
}

const char *fl_grpc_diagnose(struct fl_grpc_exchange *exchange, const struct fl_grpc_place *place,
                             long *x509)
{
    struct question question = {.exchange = exchange, .place = place, .fd = -1};
    int64_t left = fl_grpc_left_ms(place->deadline_ms);
    SSL_CTX *context = new_context(place->identity);
    const char *text = NULL;

    *x509 = 0;
    question.deadline_ms = fl_grpc_now_ms() + (left < PATIENCE_MS ? left : PATIENCE_MS);
    if (context && connect_to(&question) && new_session(&question, context))
        text = ask(&question, x509);
    SSL_free(question.ssl);
    SSL_CTX_free(context);
    if (question.fd >= 0)
        (void)close(question.fd);
    ERR_clear_error();
    return text;
}
