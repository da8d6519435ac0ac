/* SPDX-License-Identifier: Apache-2.0 */
#include "context/document.h"

#include "context/bounds.h"
#include "context/file.h"

#include <string.h>

#define KEY_SHOWN 64 /* characters of a key that is in the way */

struct fl_document {
    char *path;
    yaml_document_t tree;
};

/* ---- nodes ----------------------------------------------------------------------------------- */

static const yaml_node_t *node_at(const struct fl_document *document, int node)
{
    return node > 0 ? document->tree.nodes.start + node - 1 : NULL;
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static bool is_scalar(const yaml_node_t *node, const char *text)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(text) &&
           memcmp(text_of(node), text, strlen(text)) == 0;
}

/* Null, in the spellings of YAML 1.1, and the empty text. */
static bool is_unset(const yaml_node_t *node)
{
    static const char *const words[] = {"~", "null", "Null", "NULL"};

    if (!node || is_scalar(node, ""))
        return true;
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (is_scalar(node, words[i]))
            return true;
    return false;
}

size_t fl_document_line(const struct fl_document *document, int node)
{
    const yaml_node_t *at = node_at(document, node);

    return at ? at->start_mark.line + 1 : 1;
}

int fl_document_root(const struct fl_document *document)
{
    return document->tree.nodes.top > document->tree.nodes.start ? 1 : 0;
}

int32_t fl_document_fail(const struct fl_document *document, int node, int32_t status,
                         const char *key, const char *problem, struct flame_error *err)
{
    return fl_fail(err, status, "%s:%zu: %s%s%s", document->path, fl_document_line(document, node),
                   key, *key ? ": " : "", problem);
}

static int32_t wrong_kind(const struct fl_document *document, int node, const char *key,
                          const char *wanted, struct flame_error *err)
{
    static const char *const kinds[] = {[YAML_SCALAR_NODE] = "text",
                                        [YAML_SEQUENCE_NODE] = "a list",
                                        [YAML_MAPPING_NODE] = "a mapping"};
    char problem[64];

    (void)snprintf(problem, sizeof(problem), "must be %s, not %s", wanted,
                   kinds[node_at(document, node)->type]);
    return fl_document_fail(document, node, FLAME_ERR_INVALID, key, problem, err);
}

/* ---- looking up ------------------------------------------------------------------------------ */

/* The value of a key; 0 = not there. */
static int member(const yaml_node_t *mapping, const char *key, size_t size,
                  const struct fl_document *document)
{
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

    for (; pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *at = node_at(document, pair->key);

        if (at->data.scalar.length == size && memcmp(text_of(at), key, size) == 0)
            return is_unset(node_at(document, pair->value)) ? 0 : pair->value;
    }
    return 0;
}

/* What was reached by the first `size` characters of a path is no mapping. */
static int32_t no_mapping(const struct fl_document *document, int node, const char *path,
                          size_t size, struct flame_error *err)
{
    char key[KEY_SHOWN];

    if (size == 0)
        return wrong_kind(document, node, path, "in a mapping", err);
    (void)snprintf(key, sizeof(key), "%.*s", (int)size - 1, path);
    return wrong_kind(document, node, key, "a mapping", err);
}

int32_t fl_document_find(const struct fl_document *document, int node, const char *path, int *out,
                         struct flame_error *err)
{
    const char *part = path;

    while (!is_unset(node_at(document, node))) {
        size_t size = strcspn(part, ".");

        if (node_at(document, node)->type != YAML_MAPPING_NODE)
            return no_mapping(document, node, path, (size_t)(part - path), err);
        node = member(node_at(document, node), part, size, document);
        if (!part[size]) {
            *out = node;
            return FLAME_OK;
        }
        part += size + 1;
    }
    *out = 0;
    return FLAME_OK;
}

bool fl_has_control(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned char next = i + 1 < size ? (unsigned char)text[i + 1] : 0;

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
            return true;
    }
    return false;
}

int32_t fl_document_text(const struct fl_document *document, int node, const char *key,
                         const char **out, struct flame_error *err)
{
    const yaml_node_t *at = node_at(document, node);

    if (is_unset(at)) {
        *out = NULL;
        return FLAME_OK;
    }
    if (at->type != YAML_SCALAR_NODE)
        return wrong_kind(document, node, key, "text", err);
    if (fl_has_control(text_of(at), at->data.scalar.length))
        return fl_document_fail(document, node, FLAME_ERR_INVALID, key,
                                "must not hold control characters", err);
    *out = text_of(at);
    return FLAME_OK;
}

int32_t fl_document_items(const struct fl_document *document, int node, const char *key,
                          struct fl_items *out, struct flame_error *err)
{
    const yaml_node_t *at = node_at(document, node);
    struct fl_items items = {0};

    if (is_unset(at)) {
        *out = items;
        return FLAME_OK;
    }
    if (at->type != YAML_SEQUENCE_NODE)
        return wrong_kind(document, node, key, "a list", err);
    items.nodes = at->data.sequence.items.start;
    items.count = (size_t)(at->data.sequence.items.top - at->data.sequence.items.start);
    if (items.count > FL_DOCUMENT_ITEMS)
        return fl_document_fail(document, node, FLAME_ERR_LIMIT, key, "more than 1024 items", err);
    *out = items;
    return FLAME_OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static int compare_keys(const void *a, const void *b)
{
    const yaml_node_t *left = *(const yaml_node_t *const *)a;
    const yaml_node_t *right = *(const yaml_node_t *const *)b;
    size_t size = left->data.scalar.length;

    if (left == right)
        return 0;
    if (size != right->data.scalar.length)
        return size < right->data.scalar.length ? -1 : 1;
    return memcmp(text_of(left), text_of(right), size);
}

/* The later one of two that are the same. */
static const yaml_node_t *twice(const yaml_node_t **keys, size_t count)
{
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count; i++)
        if (compare_keys(keys + i - 1, keys + i) == 0)
            return keys[i] > keys[i - 1] ? keys[i] : keys[i - 1];
    return NULL;
}

static int32_t fail_key(const struct fl_document *document, const yaml_node_t *key,
                        const char *problem, struct flame_error *err)
{
    char shown[KEY_SHOWN] = "";

    if (key->type == YAML_SCALAR_NODE)
        (void)snprintf(shown, sizeof(shown), "%s", text_of(key));
    return fl_document_fail(document, (int)(key - document->tree.nodes.start) + 1,
                            FLAME_ERR_INVALID, shown, problem, err);
}

static int32_t check_mapping(const struct fl_document *document, const yaml_node_t *mapping,
                             struct flame_error *err)
{
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
    size_t count = (size_t)(mapping->data.mapping.pairs.top - pair);
    fl_auto_free const yaml_node_t **keys = calloc(count + 1, sizeof(*keys));
    const yaml_node_t *doubled;

    if (!keys)
        return fl_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *key = node_at(document, pair[i].key);

        if (key->type != YAML_SCALAR_NODE)
            return fail_key(document, key, "a key must be text", err);
        if (is_scalar(key, "<<") && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
            return fail_key(document, key, "merge keys are not supported", err);
        keys[i] = key;
    }
    doubled = twice(keys, count);
    return doubled ? fail_key(document, doubled, "the same key twice", err) : FLAME_OK;
}

static int32_t check_keys(const struct fl_document *document, struct flame_error *err)
{
    const yaml_node_t *node = document->tree.nodes.start;
    int32_t status = FLAME_OK;

    for (; status == FLAME_OK && node < document->tree.nodes.top; node++)
        if (node->type == YAML_MAPPING_NODE)
            status = check_mapping(document, node, err);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int32_t load(const struct fl_source *source, yaml_document_t *out, struct flame_error *err)
{
    yaml_parser_t parser;
    int32_t status = fl_source_parser(source, &parser, err);

    if (status != FLAME_OK)
        return status;
    if (!yaml_parser_load(&parser, out))
        status = fl_source_fail(source, &parser, err);
    yaml_parser_delete(&parser);
    return status;
}

int32_t fl_document_parse(const char *path, const char *bytes, size_t size,
                          struct fl_document **out, struct flame_error *err)
{
    const struct fl_source source = {path, bytes, size};
    struct fl_document *document;
    int32_t status = fl_bounds_check(&source, err);

    if (status != FLAME_OK)
        return status;
    document = calloc(1, sizeof(*document));
    if (!document || !(document->path = strdup(path)))
        status = fl_fail_memory(err);
    if (status == FLAME_OK)
        status = load(&source, &document->tree, err);
    if (status == FLAME_OK)
        status = check_keys(document, err);
    if (status == FLAME_OK)
        *out = document;
    else
        fl_document_free(document);
    return status;
}

int32_t fl_document_read(const char *path, struct fl_document **out, struct flame_error *err)
{
    fl_auto_fd int fd = fl_small_file_open(path);
    struct fl_small_file file;
    int32_t status;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return fl_fail(err, FLAME_ERR_NOT_FOUND, "there is no file '%s'", path);
    if (fd < 0)
        return fl_fail_errno(err, errno, "cannot read '%s'", path);
    status = fl_small_file_read(fd, FL_DOCUMENT_MAX, "", path, &file, err);
    if (status != FLAME_OK)
        return status;
    status = fl_document_parse(path, file.bytes, file.size, out, err);
    fl_small_file_done(&file);
    return status;
}

void fl_document_free(struct fl_document *document)
{
    if (!document)
        return;
    yaml_document_delete(&document->tree); /* bears one that was never filled */
    free(document->path);
    free(document);
}
