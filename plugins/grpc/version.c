/* SPDX-License-Identifier: Apache-2.0 */
#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void fl_grpc_version_write(uint64_t version, char out[FL_GRPC_VERSION_SIZE])
{
    (void)snprintf(out, FL_GRPC_VERSION_SIZE, "%" PRIu64, version);
}

static bool read_version(const char *text, uint64_t *version)
{
    size_t size = strlen(text);

    if (size == 0 || size > 20 || strspn(text, "0123456789") != size || *text == '0')
        return false;
    errno = 0;
    *version = strtoull(text, NULL, 10);
    return errno == 0;
}

int32_t fl_grpc_version_asked(const struct fl_grpc_exchange *exchange, uint64_t *version)
{
    const struct flame_request *request = exchange->request;

    if (request->condition == FLAME_WHEN_ALWAYS) {
        *version = 0;
        return FLAME_OK;
    }
    if (request->condition != FLAME_WHEN_CHANGED)
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED,
                            "the object cache knows no such condition");
    if (!request->validator || !read_version(request->validator, version))
        return fl_grpc_fail(exchange, FLAME_ERR_INVALID,
                            "the validator is not one of this plugin's");
    return FLAME_OK;
}
