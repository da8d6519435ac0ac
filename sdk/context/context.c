/* SPDX-License-Identifier: Apache-2.0 */
#include "context/context.h"

#include "base/text.h"
#include "context/environment.h"

#include <string.h>

enum kind { KIND_TEXT, KIND_FILE, KIND_LIST };

struct row {
    const char *path;
    const char *variable;
    const char *fallback;
    const char *help;
    enum kind kind;
};

static const struct row rows[] = {
#define FLAME_ROW_(name, path, kind, variable, fallback, help)                                     \
    [FLAME_CONTEXT_##name] = {path, variable, fallback, help, KIND_##kind},
    FLAME_CONTEXT_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
};

/* What is being read. */
struct reading {
    const struct fl_document *document; /* NULL = there is no file */
    const char *path;
    int entry; /* the node of the context that applies */
    bool environment;
};

/* ---- one value ------------------------------------------------------------------------------- */

static int32_t keep(struct fl_context_value *value, char *text, char *source,
                    struct flame_error *err)
{
    value->text = text;
    value->source = source;
    return text && source ? FLAME_OK : fl_fail_memory(err);
}

static int32_t keep_copy(struct fl_context_value *value, const char *text, const char *source,
                         struct flame_error *err)
{
    return keep(value, strdup(text), strdup(source), err);
}

static char *place_of(const struct reading *reading, int node)
{
    return fl_format("%s:%zu", reading->path, fl_document_line(reading->document, node));
}

static int32_t find(const struct reading *reading, const struct row *row, int *out,
                    struct flame_error *err)
{
    *out = 0;
    if (!reading->document)
        return FLAME_OK;
    return fl_document_find(reading->document, reading->entry, row->path, out, err);
}

static int32_t check_variable(const struct row *row, const char *value, struct flame_error *err)
{
    if (value && fl_has_control(value, strlen(value)))
        return fl_fail(err, FLAME_ERR_INVALID, "%s: must not hold control characters",
                       row->variable);
    return FLAME_OK;
}

static int32_t read_text(const struct reading *reading, const struct row *row,
                         struct fl_context_value *out, struct flame_error *err)
{
    const char *variable = reading->environment ? fl_environment(row->variable) : NULL;
    const char *said = NULL;
    int node;
    int32_t status = find(reading, row, &node, err);

    if (status == FLAME_OK && node)
        status = fl_document_text(reading->document, node, row->path, &said, err);
    if (status != FLAME_OK)
        return status;
    if (said && (row->kind == KIND_FILE || !variable))
        return keep(out, strdup(said), place_of(reading, node), err);
    status = check_variable(row, variable, err);
    if (status == FLAME_OK && variable)
        return keep_copy(out, variable, row->variable, err);
    if (status == FLAME_OK && row->fallback)
        return keep_copy(out, row->fallback, "default", err);
    return status;
}

static int32_t add_item(const struct reading *reading, const struct row *row, int node,
                        struct fl_patterns *patterns, struct flame_error *err)
{
    const char *text = NULL;
    int32_t status = fl_document_text(reading->document, node, row->path, &text, err);

    if (status != FLAME_OK)
        return status;
    if (!text)
        return fl_document_fail(reading->document, node, FLAME_ERR_INVALID, row->path,
                                "an item is empty", err);
    return fl_patterns_add(patterns, text) ? FLAME_OK : fl_fail_memory(err);
}

static int32_t read_list(const struct reading *reading, const struct row *row,
                         struct fl_context_value *out, struct flame_error *err)
{
    struct fl_items items = {0};
    int node;
    int32_t status = find(reading, row, &node, err);

    if (status == FLAME_OK && !fl_patterns_add_words(&out->patterns, row->fallback))
        status = fl_fail_memory(err);
    if (status == FLAME_OK && node)
        status = fl_document_items(reading->document, node, row->path, &items, err);
    for (size_t i = 0; status == FLAME_OK && i < items.count; i++)
        status = add_item(reading, row, items.nodes[i], &out->patterns, err);
    if (status != FLAME_OK)
        return status;
    return keep(out, fl_patterns_join(&out->patterns),
                node ? place_of(reading, node) : strdup("default"), err);
}

/* ---- which context --------------------------------------------------------------------------- */

static int32_t read_name(const struct fl_document *document, int entry, int *node,
                         const char **name, struct flame_error *err)
{
    int32_t status = fl_document_find(document, entry, "name", node, err);

    if (status == FLAME_OK)
        status = fl_document_text(document, *node, "contexts[].name", name, err);
    if (status == FLAME_OK && !*name)
        return fl_document_fail(document, entry, FLAME_ERR_INVALID, "contexts[].name", "is missing",
                                err);
    return status;
}

/* The first entry with that name, as in Flame; *entry = 0 if there is none. All are looked at, so
 * that a broken one shows whichever is chosen. */
static int32_t find_entry(const struct fl_document *document, const char *name, int *entry,
                          int *line_node, struct flame_error *err)
{
    struct fl_items items = {0};
    int list;
    int32_t status = fl_document_find(document, fl_document_root(document), "contexts", &list, err);

    if (status == FLAME_OK)
        status = fl_document_items(document, list, "contexts", &items, err);
    for (size_t i = 0; status == FLAME_OK && i < items.count; i++) {
        const char *found = NULL;
        int node;

        status = read_name(document, items.nodes[i], &node, &found, err);
        if (status == FLAME_OK && *entry == 0 && strcmp(found, name) == 0) {
            *entry = items.nodes[i];
            *line_node = *line_node ? *line_node : node;
        }
    }
    return status;
}

static int32_t choose(struct reading *reading, const char *name, struct fl_context_value *out,
                      struct flame_error *err)
{
    const struct fl_document *document = reading->document;
    const char *key = rows[FLAME_CONTEXT_NAME].path;
    int root = fl_document_root(document);
    int node = 0;
    int32_t status = FLAME_OK;

    if (!name) {
        status = fl_document_find(document, root, key, &node, err);
        if (status == FLAME_OK)
            status = fl_document_text(document, node, key, &name, err);
        if (status == FLAME_OK && !name)
            status = fl_document_fail(document, root, FLAME_ERR_INVALID, key, "is missing", err);
    }
    if (status == FLAME_OK)
        status = find_entry(document, name, &reading->entry, &node, err);
    if (status == FLAME_OK && reading->entry == 0)
        return fl_fail(err, FLAME_ERR_INVALID, "%s:%zu: %s: there is no context '%s'",
                       reading->path, fl_document_line(document, node), key, name);
    if (status != FLAME_OK)
        return status;
    return keep(out, strdup(name), place_of(reading, node), err);
}

int32_t fl_context_fill(struct flame_context *context, const struct fl_document *document,
                        const char *path, const char *name, uint32_t flags, struct flame_error *err)
{
    struct reading reading = {
        .document = document, .path = path, .environment = !(flags & FLAME_CONTEXT_NO_ENVIRONMENT)};
    int32_t status = FLAME_OK;

    if (document)
        status = choose(&reading, name, &context->values[FLAME_CONTEXT_NAME], err);
    else if (name)
        status =
            fl_fail(err, FLAME_ERR_INVALID, "there is no context '%s', for there is no file", name);
    for (uint32_t key = FLAME_CONTEXT_NAME + 1; status == FLAME_OK && key < FLAME_CONTEXT_KEY_COUNT;
         key++)
        status = rows[key].kind == KIND_LIST
                     ? read_list(&reading, &rows[key], &context->values[key], err)
                     : read_text(&reading, &rows[key], &context->values[key], err);
    return status;
}

/* ---- the API --------------------------------------------------------------------------------- */

static int32_t read_config(const struct flame_context_config *config,
                           struct flame_context_config *out, struct flame_error *err)
{
    *out = FLAME_INIT(flame_context_config);
    if (!config)
        return FLAME_OK;
    if (!FLAME_REACHES(config, flags))
        return fl_fail(err, FLAME_ERR_INVALID, "the configuration struct was not initialised");
    if (config->flags & ~FLAME_CONTEXT_NO_ENVIRONMENT)
        return fl_fail(err, FLAME_ERR_INVALID, "the configuration has an unknown flag");
    out->flags = config->flags;
    out->file = FLAME_REACHES(config, file) ? config->file : NULL;
    out->name = FLAME_REACHES(config, name) ? config->name : NULL;
    return FLAME_OK;
}

/* The document at ~/.flame/flame.yaml; *out = NULL where there is none. */
static int32_t read_default(char **path, struct fl_document **out, struct flame_error *err)
{
    struct flame_error missing = FLAME_INIT(flame_error);
    int32_t status;

    if (!fl_default_file(path))
        return fl_fail_memory(err);
    status = *path ? fl_document_read(*path, out, &missing) : FLAME_OK;
    if (status == FLAME_ERR_NOT_FOUND)
        return FLAME_OK;
    if (status != FLAME_OK)
        *err = missing;
    return status;
}

static int32_t open_it(const struct flame_context_config *config, struct flame_context *context,
                       struct flame_error *err)
{
    struct flame_context_config said;
    struct fl_document *document = NULL;
    fl_auto_free char *own_path = NULL;
    int32_t status = read_config(config, &said, err);

    if (status == FLAME_OK && !said.file)
        status = read_default(&own_path, &document, err);
    else if (status == FLAME_OK && *said.file)
        status = fl_document_read(said.file, &document, err);
    if (status == FLAME_OK)
        status = fl_context_fill(context, document, said.file ? said.file : own_path, said.name,
                                 said.flags, err);
    fl_document_free(document);
    return status;
}

int32_t flame_context_open(const struct flame_context_config *config, struct flame_context **out,
                           struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame_context *context = calloc(1, sizeof(*context));
    int32_t status = context ? open_it(config, context, &own) : fl_fail_memory(&own);

    if (status == FLAME_OK) {
        *out = context;
        return FLAME_OK;
    }
    flame_context_close(context);
    fl_error_export(&own, err);
    return status;
}

void flame_context_close(struct flame_context *context)
{
    if (!context)
        return;
    for (size_t i = 0; i < FLAME_CONTEXT_KEY_COUNT; i++) {
        free(context->values[i].text);
        free(context->values[i].source);
        fl_patterns_done(&context->values[i].patterns);
    }
    free(context);
}

void flame_context_get(const struct flame_context *context, uint32_t key,
                       struct flame_context_value *out)
{
    struct flame_context_value now = {.struct_size = out->struct_size, .key = key};
    size_t size = out->struct_size < sizeof(now) ? out->struct_size : sizeof(now);

    if (key < FLAME_CONTEXT_KEY_COUNT) {
        const struct fl_context_value *value = &context->values[key];

        now.name = rows[key].path;
        now.value = value->text;
        now.values = (const char *const *)value->patterns.items;
        now.source = value->source;
        now.help = rows[key].help;
    }
    memcpy(out, &now, size);
}

const char *flame_context_text(const struct flame_context *context, uint32_t key)
{
    return key < FLAME_CONTEXT_KEY_COUNT ? context->values[key].text : NULL;
}
