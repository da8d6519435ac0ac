/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include "cleanup.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc_security.h>
#include <string.h>
#include <sys/stat.h>

#define PEM_MAX (1 << 20)

/* A whole file as a text, to be wiped and freed; NULL = failed. */
static char *read_pem(const char *path, struct fl_cache_status *status)
{
    fl_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    char *text;

    if (fd < 0 || fstat(fd, &file) != 0) {
        (void)fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "could not read '%s': %s", path,
                            strerror(errno));
        return NULL;
    }
    if (!S_ISREG(file.st_mode) || file.st_size == 0 || file.st_size > PEM_MAX) {
        (void)fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "'%s' is no file of certificates",
                            path);
        return NULL;
    }
    text = calloc(1, (size_t)file.st_size + 1);
    if (text && fl_cache_read_at(fd, 0, text, (size_t)file.st_size))
        return text;
    free(text);
    (void)fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "could not read '%s'", path);
    return NULL;
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

grpc_server_credentials *fl_cache_credentials(const struct fl_cache_server_config *config,
                                              struct fl_cache_status *status)
{
    char *certificate = NULL;
    char *key = NULL;
    char *authority = NULL;
    grpc_server_credentials *credentials = NULL;

    if (!config->certificate)
        return grpc_insecure_server_credentials_create();
    certificate = read_pem(config->certificate, status);
    key = certificate ? read_pem(config->key, status) : NULL;
    authority = key && config->authority ? read_pem(config->authority, status) : NULL;
    if (key && (authority || !config->authority)) {
        grpc_ssl_pem_key_cert_pair pair = {key, certificate};

        credentials = grpc_ssl_server_credentials_create_ex(
            authority, &pair, 1,
            authority ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                      : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
            NULL);
        if (!credentials)
            (void)fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                                "the certificate cannot be used");
    }
    wipe(certificate);
    wipe(key);
    free(authority);
    return credentials;
}
