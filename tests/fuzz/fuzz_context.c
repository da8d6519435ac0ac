/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as flame.yaml: understood or refused with one line that names file and place, and what
 * was understood can be looked up and freed. */
#include "context/context.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_error(const struct flame_error *err, int32_t status)
{
    require(err->status == status);
    require(status == FLAME_ERR_INVALID || status == FLAME_ERR_LIMIT);
    require(strncmp(err->message, "fuzz.yaml:", 10) == 0 && !strpbrk(err->message, "\n\r\x1b"));
}

static void look_everything_up(const struct flame_context *context)
{
    require(flame_context_text(context, FLAME_CONTEXT_NAME) != NULL);
    for (uint32_t key = 0; key < FLAME_CONTEXT_KEY_COUNT; key++) {
        struct flame_context_value value = FLAME_INIT(flame_context_value);

        flame_context_get(context, key, &value);
        require((value.value != NULL) == (value.source != NULL));
        require(!value.value || (*value.value && !strpbrk(value.value, "\n\r\t\x1b")));
        require((value.values != NULL) == (key == FLAME_CONTEXT_PACKAGE_EXCLUDES));
    }
}

static void fill(const struct fl_document *document, const char *name)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = calloc(1, sizeof(*context));
    int32_t status;

    require(context != NULL);
    status =
        fl_context_fill(context, document, "fuzz.yaml", name, FLAME_CONTEXT_NO_ENVIRONMENT, &err);
    if (status == FLAME_OK)
        look_everything_up(context);
    else
        check_error(&err, status);
    flame_context_close(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_document *document = NULL;
    char *bytes = malloc(size ? size : 1);
    int32_t status;

    require(bytes != NULL);
    if (size)
        memcpy(bytes, data, size);
    status = fl_document_parse("fuzz.yaml", bytes, size, &document, &err);
    free(bytes); /* the document must not look at them any more */
    if (status != FLAME_OK) {
        check_error(&err, status);
        return 0;
    }
    fill(document, NULL);
    fill(document, "a");
    fl_document_free(document);
    return 0;
}
