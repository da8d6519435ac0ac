/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/manifest.h"

#include "base/text.h"

#include <flame/plugin.h>

#include <string.h>

#define VERSION_MAX 64
#define SUMMARY_MAX 256
#define LINE_MAX_BYTES 4096

enum key { ABI, MIN_HOST, ID, VERSION, SCHEMES, SUMMARY, REDIRECTS, KEY_COUNT };

static const char *const key_names[KEY_COUNT] = {"abi",     "min_host", "id",       "version",
                                                 "schemes", "summary",  "redirects"};

/* A stretch of the manifest, without NUL. */
struct piece {
    const char *text; /* NULL = not there */
    size_t size;
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Cut the piece up to `separator` (or all) off the front of `rest`. */
static struct piece cut(struct piece *rest, char separator)
{
    const char *end = memchr(rest->text, separator, rest->size);
    struct piece front = {rest->text, end ? (size_t)(end - rest->text) : rest->size};
    size_t gone = end ? front.size + 1 : front.size;

    rest->text += gone;
    rest->size -= gone;
    return front;
}

/* Decimal, without sign or leading zeros. */
static bool read_number(struct piece digits, uint32_t most, uint32_t *out)
{
    uint64_t value = 0;

    if (digits.size == 0 || digits.size > 9 || (digits.size > 1 && digits.text[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (!is_digit(digits.text[i]))
            return false;
        value = value * 10 + (uint64_t)(digits.text[i] - '0');
    }
    if (value > most)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* Escaping changes what is not printable UTF-8, and nothing else. */
static bool is_printable(struct piece text)
{
    char escaped[LINE_MAX_BYTES * 4];

    return text.size < LINE_MAX_BYTES &&
           fl_escape(text.text, text.size, escaped, sizeof(escaped)) == text.size;
}

static int key_number(struct piece key)
{
    for (int i = 0; i < KEY_COUNT; i++)
        if (strlen(key_names[i]) == key.size && memcmp(key_names[i], key.text, key.size) == 0)
            return i;
    return KEY_COUNT;
}

static bool is_key(struct piece key)
{
    if (key.size == 0 || !is_lower(key.text[0]))
        return false;
    for (size_t i = 0; i < key.size; i++)
        if (!is_lower(key.text[i]) && !is_digit(key.text[i]) && key.text[i] != '_')
            return false;
    return true;
}

static enum fl_reject read_line(struct piece line, struct piece *values, struct fl_refusal *refusal)
{
    struct piece value = line;
    struct piece key = cut(&value, '=');
    int number;

    if (key.size == line.size || !is_key(key))
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "a line of its note is not key=value");
    if (!is_printable(value))
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "the '%.*s' of its note is not printable",
                         (int)key.size, key.text);
    number = key_number(key);
    if (number == KEY_COUNT)
        return FL_ACCEPTED;
    if (values[number].text)
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "its note says '%s' twice",
                         key_names[number]);
    values[number] = value;
    return FL_ACCEPTED;
}

static enum fl_reject read_lines(const char *text, struct piece *values, struct fl_refusal *refusal)
{
    struct piece rest = {text, strlen(text)};

    if (rest.size == 0 || text[rest.size - 1] != '\n')
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "the last line of its note has no end");
    while (rest.size > 0) {
        enum fl_reject reject = read_line(cut(&rest, '\n'), values, refusal);

        if (reject != FL_ACCEPTED)
            return reject;
    }
    return FL_ACCEPTED;
}

/* The abi comes first: another major may spell all else differently. */
static enum fl_reject check_abi(const struct piece *values, struct fl_refusal *refusal)
{
    struct piece minor_text = values[ABI];
    uint32_t major;
    uint32_t minor;
    uint32_t min_host;

    if (!minor_text.text || !read_number(cut(&minor_text, '.'), 65535, &major) ||
        !read_number(minor_text, 65535, &minor))
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "its note does not say its abi");
    if (major != FLAME_ABI_MAJOR)
        return fl_refuse(refusal, FL_REJECT_ABI_MAJOR, "is built for abi %u.%u, this host is %u.%u",
                         major, minor, FLAME_ABI_MAJOR, FLAME_ABI_MINOR);
    if (!values[MIN_HOST].text || !read_number(values[MIN_HOST], 65535, &min_host))
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "its note does not say its min_host");
    if (min_host > FLAME_ABI_MINOR)
        return fl_refuse(refusal, FL_REJECT_ABI_MINOR, "needs a host of abi %u.%u, this is %u.%u",
                         FLAME_ABI_MAJOR, min_host, FLAME_ABI_MAJOR, FLAME_ABI_MINOR);
    return FL_ACCEPTED;
}

/* "org.example.name": two labels at least, each of lower case letters, digits, '-' and '_', that
 * begins with a letter or a digit, the first one with a letter. */
static bool is_id(struct piece id)
{
    bool at_start = true;
    bool dotted = false;

    if (id.size == 0 || id.size > FL_ID_MAX || !is_lower(id.text[0]))
        return false;
    for (size_t i = 0; i < id.size; i++) {
        char c = id.text[i];
        bool inner = c == '-' || c == '_' || c == '.';

        if (!is_lower(c) && !is_digit(c) && (!inner || at_start))
            return false;
        at_start = c == '.';
        dotted = dotted || at_start;
    }
    return dotted && !at_start;
}

/* The grammar of RFC 3986, lower case. */
static bool is_scheme(struct piece name)
{
    if (name.size == 0 || name.size > FL_SCHEME_MAX || !is_lower(name.text[0]))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (!is_lower(name.text[i]) && !is_digit(name.text[i]) && !strchr("+-.", name.text[i]))
            return false;
    return true;
}

const struct fl_scheme *fl_scheme_find(const struct fl_scheme_list *list, const char *name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

/* "name" or "name:port". */
static bool read_scheme(struct piece item, struct fl_scheme *out)
{
    struct piece port = item;
    struct piece name = cut(&port, ':');

    *out = (struct fl_scheme){.default_port = 0};
    if (!is_scheme(name))
        return false;
    memcpy(out->name, name.text, name.size);
    return name.size == item.size ||
           (read_number(port, 65535, &out->default_port) && out->default_port > 0);
}

static enum fl_reject check_scheme(const struct fl_scheme_list *list, struct piece item,
                                   struct fl_scheme *out, struct fl_refusal *refusal)
{
    if (!read_scheme(item, out))
        return fl_refuse(refusal, FL_REJECT_BAD_SCHEME, "'%.*s' is no scheme", (int)item.size,
                         item.text);
    if (fl_scheme_find(list, out->name))
        return fl_refuse(refusal, FL_REJECT_BAD_SCHEME, "names the scheme '%s' twice", out->name);
    if (list->count == FL_SCHEMES_MAX)
        return fl_refuse(refusal, FL_REJECT_BAD_SCHEME, "names more than %d schemes",
                         FL_SCHEMES_MAX);
    return FL_ACCEPTED;
}

/* A blank at the end promises one more, and that one is empty. */
static bool next_item(struct piece *rest, struct piece *item)
{
    if (!rest->text)
        return false;
    *item = cut(rest, ' ');
    if (item->text + item->size == rest->text)
        rest->text = NULL;
    return true;
}

static enum fl_reject read_schemes(struct piece rest, struct fl_scheme_list *list, bool *memory,
                                   struct fl_refusal *refusal)
{
    struct piece item;

    while (next_item(&rest, &item)) {
        struct fl_scheme scheme;
        struct fl_scheme *grown;
        enum fl_reject reject = check_scheme(list, item, &scheme, refusal);

        if (reject != FL_ACCEPTED)
            return reject;
        grown = realloc(list->items, (list->count + 1) * sizeof(*grown));
        *memory = grown != NULL;
        if (!grown)
            return FL_ACCEPTED;
        list->items = grown;
        grown[list->count++] = scheme;
    }
    return FL_ACCEPTED;
}

static enum fl_reject read_both_lists(const struct piece *values, struct fl_manifest *out,
                                      bool *memory, struct fl_refusal *refusal)
{
    struct piece redirects = values[REDIRECTS];
    enum fl_reject reject;

    if (!values[SCHEMES].text || values[SCHEMES].size == 0)
        return fl_refuse(refusal, FL_REJECT_BAD_SCHEME, "names no scheme");
    reject = read_schemes(values[SCHEMES], &out->schemes, memory, refusal);
    if (reject != FL_ACCEPTED || !*memory || !redirects.text || redirects.size == 0)
        return reject;
    if (memchr(redirects.text, ':', redirects.size))
        return fl_refuse(refusal, FL_REJECT_BAD_SCHEME, "redirects to a scheme with a port");
    return read_schemes(redirects, &out->redirects, memory, refusal);
}

static enum fl_reject check_texts(const struct piece *values, struct fl_refusal *refusal)
{
    if (!values[ID].text || !is_id(values[ID]))
        return fl_refuse(refusal, FL_REJECT_BAD_ID, "'%.*s' is no id such as 'org.example.name'",
                         (int)values[ID].size, values[ID].text ? values[ID].text : "");
    if (!values[VERSION].text || values[VERSION].size == 0 || values[VERSION].size > VERSION_MAX)
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "its version is missing or over %d bytes",
                         VERSION_MAX);
    if (!values[SUMMARY].text || values[SUMMARY].size > SUMMARY_MAX)
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "its summary is missing or over %d bytes",
                         SUMMARY_MAX);
    return FL_ACCEPTED;
}

/* What a list of plugins shows, also of one that is refused. */
static bool copy_texts(const struct piece *values, struct fl_manifest *out)
{
    const struct {
        const struct piece *value;
        char **copy;
    } rows[] = {{&values[ID], &out->id},
                {&values[VERSION], &out->version},
                {&values[SUMMARY], &out->summary}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!rows[i].value->text)
            continue;
        *rows[i].copy = strndup(rows[i].value->text, rows[i].value->size);
        if (!*rows[i].copy)
            return false;
    }
    return true;
}

enum fl_reject fl_manifest_read(char *text, struct fl_manifest *out, bool *memory,
                                struct fl_refusal *refusal)
{
    struct piece values[KEY_COUNT] = {{NULL, 0}};
    enum fl_reject reject;

    *out = (struct fl_manifest){.text = text};
    reject = read_lines(text, values, refusal);
    *memory = copy_texts(values, out);
    if (reject == FL_ACCEPTED)
        reject = check_abi(values, refusal);
    if (reject == FL_ACCEPTED)
        reject = check_texts(values, refusal);
    if (reject == FL_ACCEPTED && *memory)
        reject = read_both_lists(values, out, memory, refusal);
    return reject;
}

void fl_manifest_done(struct fl_manifest *manifest)
{
    free(manifest->text);
    free(manifest->id);
    free(manifest->version);
    free(manifest->summary);
    free(manifest->schemes.items);
    free(manifest->redirects.items);
    *manifest = (struct fl_manifest){.text = NULL};
}
