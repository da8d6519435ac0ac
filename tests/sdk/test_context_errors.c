/* SPDX-License-Identifier: Apache-2.0 */
/* What flame.yaml is refused for: one line that names the file, the line and the key. */
#include "context/document.h"
#include "context/file.h"
#include "context_fixture.h"

#include <fcntl.h>
#include <time.h>

#define MIB (1u << 20)

TestSuite(context_errors, .init = enter_home, .fini = leave_home);

#define refused_with(text, message) cr_expect_str_eq(refused(text), message)

/* ---- which context --------------------------------------------------------------------------- */

Test(context_errors, current_context_is_missing)
{
    refused_with("contexts: [{name: a}]\n", "1: current-context: is missing");
    refused_with("# nothing\ncontexts: [{name: a}]\n", "2: current-context: is missing");
    refused_with("current-context: ~\n", "1: current-context: is missing");
    refused_with("", "1: current-context: is missing");
    refused_with("---\n", "2: current-context: is missing");
}

Test(context_errors, a_context_that_is_not_in_the_list)
{
    refused_with("contexts: [{name: a}]\ncurrent-context: b\n",
                 "2: current-context: there is no context 'b'");
    refused_with("current-context: b\n", "1: current-context: there is no context 'b'");
    refused_with("current-context: b\ncontexts:\n", "1: current-context: there is no context 'b'");
}

Test(context_errors, contexts_that_are_no_list)
{
    refused_with("current-context: a\ncontexts:\n  name: a\n",
                 "3: contexts: must be a list, not a mapping");
    refused_with("current-context: a\ncontexts: a\n", "2: contexts: must be a list, not text");
}

Test(context_errors, an_entry_without_a_name_even_if_it_is_not_the_one)
{
    refused_with("current-context: a\ncontexts:\n- name: a\n- cache: {}\n",
                 "4: contexts[].name: is missing");
    refused_with("current-context: a\ncontexts:\n- name: a\n-\n", "4: contexts[].name: is missing");
    refused_with("current-context: a\ncontexts:\n- name: ''\n", "3: contexts[].name: is missing");
}

Test(context_errors, an_entry_that_is_no_mapping)
{
    refused_with("current-context: a\ncontexts:\n- a\n", "3: name: must be in a mapping, not text");
    refused_with("current-context: a\ncontexts:\n- [a]\n",
                 "3: name: must be in a mapping, not a list");
}

Test(context_errors, a_file_that_is_no_mapping)
{
    refused_with("- a\n", "1: current-context: must be in a mapping, not a list");
    refused_with("hello\n", "1: current-context: must be in a mapping, not text");
}

/* ---- types ----------------------------------------------------------------------------------- */

Test(context_errors, text_where_a_mapping_is_wanted)
{
    refused_with(SAMPLE_HEAD "  cache: grpc://a:1\n", "4: cache: must be a mapping, not text");
    refused_with(SAMPLE_HEAD "  cache:\n    tls: /ca.pem\n",
                 "5: cache.tls: must be a mapping, not text");
    refused_with(SAMPLE_HEAD "  runner: [a]\n", "4: runner: must be a mapping, not a list");
}

Test(context_errors, a_mapping_where_text_is_wanted)
{
    refused_with(SAMPLE_HEAD "  cluster:\n    endpoint: {url: a}\n",
                 "5: cluster.endpoint: must be text, not a mapping");
    refused_with("current-context: {a: b}\n", "1: current-context: must be text, not a mapping");
    refused_with("current-context: a\ncontexts:\n- name: {a: b}\n",
                 "3: contexts[].name: must be text, not a mapping");
}

Test(context_errors, a_list_where_text_is_wanted)
{
    refused_with(SAMPLE_HEAD "  cache: {tls: {ca_file: [a, b]}}\n",
                 "4: cache.tls.ca_file: must be text, not a list");
    refused_with("current-context: [a]\n", "1: current-context: must be text, not a list");
}

Test(context_errors, a_wrong_type_shows_even_where_a_variable_goes_before_it)
{
    cr_assert_eq(setenv("FLAME_CACHE_ENDPOINT", "grpc://a:1", 1), 0);
    refused_with(SAMPLE_HEAD "  cache: {endpoint: [a]}\n",
                 "4: cache.endpoint: must be text, not a list");
}

Test(context_errors, excludes_that_are_no_list_of_texts)
{
    refused_with(SAMPLE_HEAD "  package: {excludes: '*.log'}\n",
                 "4: package.excludes: must be a list, not text");
    refused_with(SAMPLE_HEAD "  package:\n    excludes:\n    - a\n    - [b]\n",
                 "7: package.excludes: must be text, not a list");
    refused_with(SAMPLE_HEAD "  package:\n    excludes:\n    - a\n    -\n",
                 "7: package.excludes: an item is empty");
}

/* ---- text ------------------------------------------------------------------------------------ */

Test(context_errors, a_control_character_in_a_value)
{
    static const char *const values[] = {"\"a\\x1b[2J\"", "\"a\\0b\"", "\"a\\tb\"",
                                         "\"a\\x7f\"",    "\"a\\N\"",  "|\n      a"};
    char text[256];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        (void)snprintf(text, sizeof(text), SAMPLE_HEAD "  cache:\n    endpoint: %s\n", values[i]);
        refused_with(text, "5: cache.endpoint: must not hold control characters");
    }
}

Test(context_errors, a_control_character_as_it_is)
{
    cr_expect_str_eq(refused_bytes("a: b\nc: \x1b[2J\n", 12, FLAME_ERR_INVALID),
                     "2: not YAML: control characters are not allowed");
    cr_expect_str_eq(refused_bytes("a: b\nc: \0\n", 10, FLAME_ERR_INVALID),
                     "2: not YAML: control characters are not allowed");
}

Test(context_errors, bytes_that_are_no_utf8)
{
    refused_with("a: b\n\nc: \xff\n", "3: not YAML: invalid leading UTF-8 octet");
    refused_with("a: \xc3(\n", "1: not YAML: invalid trailing UTF-8 octet");
}

Test(context_errors, utf16_is_not_guessed)
{
    cr_expect_str_eq(refused_bytes("\xff\xfe"
                                   "a\0",
                                   4, FLAME_ERR_INVALID),
                     "1: not YAML: invalid leading UTF-8 octet");
}

Test(context_errors, a_key_in_an_error_cannot_play_with_the_terminal)
{
    refused_with("\"\\e[2J\": 1\n\"\\e[2J\": 2\n", "2: \\x1b[2J: the same key twice");
}

/* ---- YAML ------------------------------------------------------------------------------------ */

Test(context_errors, broken_yaml_names_the_line)
{
    refused_with("current-context: a\ncontexts: [\n",
                 "3: not YAML: did not find expected node content while parsing a flow node");
    refused_with("a: b\nc: 'd\n",
                 "3: not YAML: found unexpected end of stream while scanning a quoted scalar");
    refused_with("a: b\n c: d\n", "2: not YAML: mapping values are not allowed in this context");
    refused_with("a: *b\n", "1: not YAML: found undefined alias");
}

Test(context_errors, a_key_twice_anywhere)
{
    refused_with("current-context: a\ncontexts: []\ncurrent-context: b\n",
                 "3: current-context: the same key twice");
    refused_with(SAMPLE_HEAD "  cache:\n    endpoint: a\n    x: y\n    endpoint: b\n",
                 "7: endpoint: the same key twice");
    refused_with(SAMPLE_HEAD "elsewhere:\n- [{a: 1, b: 2, 'a': 3}]\n", "5: a: the same key twice");
}

Test(context_errors, several_documents)
{
    refused_with("---\na: b\n---\nc: d\n", "3: a second document");
}

Test(context_errors, merge_keys)
{
    refused_with("base: &base {a: b}\nuser:\n  <<: *base\n", "3: <<: merge keys are not supported");
}

Test(context_errors, tags)
{
    refused_with(SAMPLE_HEAD "  cache: {endpoint: !!python/name:os.system x}\n",
                 "4: tags are not supported");
    refused_with("a: !!set {b}\n", "1: tags are not supported");
    refused_with("a: !x [b]\n", "1: tags are not supported");
}

Test(context_errors, a_key_that_is_no_text)
{
    refused_with("a: b\n? [c]\n: d\n", "2: a key must be text");
}

/* ---- bounds ---------------------------------------------------------------------------------- */

/* A text of `count` times `piece`. */
static char *repeated(const char *piece, size_t count, size_t *size)
{
    size_t length = strlen(piece);
    char *text = malloc(length * count + 1);

    cr_assert_not_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, piece, length);
    text[length * count] = '\0';
    *size = length * count;
    return text;
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* What a file of `count` times `piece` is refused with, within reasonable time. */
static const char *refused_many(const char *piece, size_t count, int32_t status)
{
    double start = cpu_seconds();
    size_t size;
    char *text = repeated(piece, count, &size);
    const char *message = refused_bytes(text, size, status);

    free(text);
    cr_expect_lt(cpu_seconds() - start, 20.0, "%s", message);
    return message;
}

Test(context_errors, ten_mib_of_brackets)
{
    const char *message = refused_many("[", 10 * MIB, FLAME_ERR_LIMIT);

    cr_expect_not_null(strstr(message, "is larger than 256 KiB"), "%s", message);
}

Test(context_errors, a_file_of_256_kib_is_read_and_one_byte_more_is_not)
{
    size_t size;
    char *filler = repeated("#", FL_DOCUMENT_MAX, &size);
    struct flame_context *context;
    const char *message;

    memcpy(filler, SAMPLE_HEAD, strlen(SAMPLE_HEAD));
    context = opened(filler);
    is_text(context, NAME, "home");
    flame_context_close(context);
    free(filler);
    message = refused_many("#", FL_DOCUMENT_MAX + 1, FLAME_ERR_LIMIT);
    cr_expect_not_null(strstr(message, "is larger than 256 KiB"), "%s", message);
}

Test(context_errors, nesting_below_the_size)
{
    cr_expect_str_eq(refused_many("[", 200 << 10, FLAME_ERR_LIMIT),
                     "1: nested deeper than 32 levels");
    cr_expect_str_eq(refused_many("{a: ", 60 << 10, FLAME_ERR_LIMIT),
                     "1: nested deeper than 32 levels");
    cr_expect_str_eq(refused_many("- ", 120 << 10, FLAME_ERR_LIMIT),
                     "1: nested deeper than 32 levels");
    cr_expect_str_eq(refused_many("? ", 120 << 10, FLAME_ERR_LIMIT),
                     "1: nested deeper than 32 levels");
}

Test(context_errors, thirty_two_levels_are_not_too_many)
{
    struct flame_context *context = opened(SAMPLE_HEAD "x: "
                                                       "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                                                       "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n");

    is_text(context, NAME, "home");
    flame_context_close(context);
    cr_expect_str_eq(refused_bytes("x: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 35, FLAME_ERR_LIMIT),
                     "1: nested deeper than 32 levels");
}

Test(context_errors, anchors_and_aliases_without_end)
{
    char piece[32];
    char *text = calloc(1, 64 << 10);
    char *end = text;

    cr_assert_not_null(text);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(piece, sizeof(piece), "- &a%d x\n", i);
        end = stpcpy(end, piece);
    }
    cr_expect_str_eq(refused_bytes(text, strlen(text), FLAME_ERR_LIMIT),
                     "257: more than 256 anchors");
    end = stpcpy(text, "- &a x\n");
    for (int i = 0; i < 1100; i++)
        end = stpcpy(end, "- *a\n");
    cr_expect_str_eq(refused_bytes(text, strlen(text), FLAME_ERR_LIMIT),
                     "1026: more than 1024 aliases");
    free(text);
}

Test(context_errors, many_keys_and_many_items_take_reasonable_time)
{
    char *text = malloc(FL_DOCUMENT_MAX + 1);
    size_t used = 0;
    double start = cpu_seconds();

    cr_assert_not_null(text);
    for (int i = 0; used + 16 < FL_DOCUMENT_MAX; i++)
        used += (size_t)snprintf(text + used, 16, "k%d:\n", i);
    cr_expect_str_eq(refused_bytes(text, used, FLAME_ERR_INVALID),
                     "1: current-context: is missing");
    free(text);
    cr_expect_lt(cpu_seconds() - start, 20.0);
    (void)refused_many("- {}\n", 50 << 10, FLAME_ERR_INVALID);
    (void)refused_many("- []\n", 50 << 10, FLAME_ERR_INVALID);
}

Test(context_errors, a_list_of_more_than_1024_items)
{
    size_t size;
    char *items = repeated("- {name: home}\n", 1025, &size);
    char *text = malloc(size + 64);

    cr_assert_not_null(text);
    (void)snprintf(text, size + 64, "current-context: home\ncontexts:\n%s", items);
    cr_expect_str_eq(refused_bytes(text, strlen(text), FLAME_ERR_LIMIT),
                     "3: contexts: more than 1024 items");
    free(text);
    free(items);
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char *refused_file(const char *path)
{
    static struct flame_error err;
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_context *context = NULL;

    err = FLAME_INIT(flame_error);
    config.file = path;
    cr_assert_eq(flame_context_open(&config, &context, &err), FLAME_ERR_IO, "%s", err.message);
    return err.message;
}

Test(context_errors, a_fifo_is_refused_and_not_waited_for, .timeout = 10)
{
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    cr_expect_str_eq(refused_file("pipe"), "cannot read 'pipe': not a regular file");
}

Test(context_errors, a_directory_and_a_device_are_refused)
{
    cr_expect_str_eq(refused_file("."), "cannot read '.': not a regular file");
    cr_expect_str_eq(refused_file("/dev/zero"), "cannot read '/dev/zero': not a regular file");
}

Test(context_errors, a_file_that_may_not_be_read)
{
    if (geteuid() == 0)
        return; /* root may */
    (void)scratch_write(&scratch, "secret.yaml", "a: b\n", 5);
    cr_assert_eq(chmod("secret.yaml", 0), 0);
    cr_expect_str_eq(refused_file("secret.yaml"), "cannot read 'secret.yaml': Permission denied");
}

Test(context_errors, no_child_inherits_the_descriptor)
{
    int fd = fl_small_file_open("/dev/null");

    cr_assert_geq(fd, 0);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_assert_eq(close(fd), 0);
}

Test(context_errors, a_refusal_leaves_no_descriptor_behind)
{
    int before = dup(0);

    cr_assert_geq(before, 0);
    cr_assert_eq(close(before), 0);
    (void)refused("[");
    (void)refused_file("/dev/zero");
    cr_expect_eq(dup(0), before);
}
