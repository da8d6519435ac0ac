/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include <grpc/grpc_security.h>

/* What --insecure asks for: any certificate will do. */
static grpc_channel_credentials *new_unverified(const struct fl_grpc_identity *identity)
{
    grpc_tls_credentials_options *options = grpc_tls_credentials_options_create();
    grpc_tls_certificate_verifier *verifier = grpc_tls_certificate_verifier_no_op_create();

    if (identity->certificate) {
        grpc_tls_identity_pairs *pairs = grpc_tls_identity_pairs_create();
        grpc_tls_certificate_provider *provider;

        grpc_tls_identity_pairs_add_pair(pairs, identity->key, identity->certificate);
        provider = grpc_tls_certificate_provider_static_data_create(NULL, pairs);
        grpc_tls_credentials_options_set_certificate_provider(options, provider);
        grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
        grpc_tls_certificate_provider_release(provider);
    }
    grpc_tls_credentials_options_set_verify_server_cert(options, 0);
    grpc_tls_credentials_options_set_check_call_host(options, 0);
    grpc_tls_credentials_options_set_certificate_verifier(options, verifier);
    grpc_tls_certificate_verifier_release(verifier);
    return grpc_tls_credentials_create(options);
}

struct grpc_channel_credentials *fl_grpc_credentials_new(const struct fl_grpc_identity *identity)
{
    grpc_ssl_pem_key_cert_pair pair = {identity->key, identity->certificate};

    if (!identity->is_secure)
        return grpc_insecure_credentials_create();
    if (identity->is_unverified)
        return new_unverified(identity);
    return grpc_ssl_credentials_create(identity->roots, identity->key ? &pair : NULL, NULL, NULL);
}
