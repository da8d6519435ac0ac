/* SPDX-License-Identifier: Apache-2.0 */
#include "request/task.h"

#include <string.h>

#define FETCH_FLAGS                                                                                \
    (FLAME_TASK_KEEP | FLAME_TASK_REPLACE | FLAME_TASK_ALLOW_UNPROVEN | FLAME_TASK_SPOOL |         \
     FLAME_TASK_REMOTE_TIME | FLAME_TASK_REQUIRE_DIGEST | FLAME_TASK_CREATE_DIRS | FLAME_TASK_FD | \
     FLAME_TASK_NO_RESUME | FLAME_TASK_NO_LOCK)
#define ATTEMPTS_MAX 100
#define CONNECTIONS_MAX 16

static int32_t invalid(struct flame_error *err, const char *what)
{
    return fl_fail(err, FLAME_ERR_INVALID, "%s", what);
}

static int32_t check_destination(const struct flame_task *said, struct flame_error *err)
{
    uint32_t targets =
        (said->path != NULL) + (said->write != NULL) + ((said->flags & FLAME_TASK_FD) != 0);

    if (targets != 1)
        return invalid(err, "a fetch needs one destination: path, fd or write");
    if ((said->flags & FLAME_TASK_FD) && said->fd < 0)
        return invalid(err, "the destination's descriptor is negative");
    if (!said->path && (said->flags & FLAME_TASK_REMOTE_TIME))
        return invalid(err, "only a path can take over the remote time");
    if (!said->path && said->verify && !(said->flags & FLAME_TASK_SPOOL))
        return invalid(err, "verify needs a path or FLAME_TASK_SPOOL: nothing may leave before");
    return FLAME_OK;
}

static uint32_t flags_of(uint32_t verb)
{
    switch (verb) {
    case FLAME_FETCH:
        return FETCH_FLAGS;
    case FLAME_STORE:
        return FLAME_TASK_KEEP | FLAME_TASK_FD | FLAME_TASK_CREATE_DIRS;
    case FLAME_REMOVE:
        return FLAME_TASK_PREFIX;
    default:
        return 0;
    }
}

static int32_t check_flags(const struct flame_task *said, uint32_t verb, struct flame_error *err)
{
    uint32_t strange = said->flags & ~flags_of(verb);

    if (strange)
        return fl_fail(err, FLAME_ERR_INVALID, "this verb knows no task flags 0x%x", strange);
    if ((said->flags & FLAME_TASK_KEEP) && (said->flags & FLAME_TASK_REPLACE))
        return invalid(err, "keep and replace exclude each other");
    if (said->attempts > ATTEMPTS_MAX)
        return fl_fail(err, FLAME_ERR_INVALID, "more than %d attempts", ATTEMPTS_MAX);
    if (said->connections > CONNECTIONS_MAX)
        return fl_fail(err, FLAME_ERR_INVALID, "more than %d connections", CONNECTIONS_MAX);
    if (said->durability > FLAME_DURABILITY_NONE)
        return fl_fail(err, FLAME_ERR_INVALID, "unknown durability %u", said->durability);
    return FLAME_OK;
}

/* What no protocol can carry in a header, and what would start another one (RFC 9110 5.5). */
static bool is_header_text(const char *text, bool is_name)
{
    static const char separators[] = "\"(),/:;<=>?@[\\]{} ";

    if (is_name && !*text)
        return false;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool is_bad_name = *at <= ' ' || *at >= 0x7f || strchr(separators, *at);
        bool is_bad_value = (*at < ' ' && *at != '\t') || *at == 0x7f;

        if (is_name ? is_bad_name : is_bad_value)
            return false;
    }
    return true;
}

static int32_t check_headers(const char *const *headers, struct flame_error *err)
{
    for (size_t i = 0; headers && headers[i]; i += 2) {
        if (!is_header_text(headers[i], true))
            return fl_fail(err, FLAME_ERR_INVALID, "malformed header name '%s'", headers[i]);
        if (!headers[i + 1] || !is_header_text(headers[i + 1], false))
            return fl_fail(err, FLAME_ERR_INVALID, "malformed value of header '%s'", headers[i]);
    }
    return FLAME_OK;
}

static int32_t check_secrets(const char *const *secrets, struct flame_error *err)
{
    for (size_t i = 0; secrets && secrets[i]; i += 2) {
        if (!fl_is_secret(secrets[i]))
            return fl_fail(err, FLAME_ERR_INVALID, "unknown secret '%s'", secrets[i]);
        if (!secrets[i + 1])
            return fl_fail(err, FLAME_ERR_INVALID, "secret '%s' has no value", secrets[i]);
    }
    return FLAME_OK;
}

static int32_t check_source(const struct flame_task *said, struct flame_error *err)
{
    bool has_fd = (said->flags & FLAME_TASK_FD) != 0;

    if ((said->path != NULL) + has_fd != 1)
        return invalid(err, "a store needs one source: path or fd");
    if (has_fd && said->fd < 0)
        return invalid(err, "the source's descriptor is negative");
    if (said->digest || said->checksum_url)
        return invalid(err, "a store takes no digest");
    if ((said->flags & FLAME_TASK_KEEP) && said->validator)
        return invalid(err, "what shall be created has no validator yet");
    return FLAME_OK;
}

static int32_t check_for_verb(const struct fl_task *task, struct flame_error *err)
{
    switch (task->verb) {
    case FLAME_FETCH:
        return check_destination(&task->said, err);
    case FLAME_STORE:
        return check_source(&task->said, err);
    case FLAME_LIST:
        return task->said.entry ? FLAME_OK : invalid(err, "a list needs somebody to tell: entry");
    case FLAME_REMOVE:
    case FLAME_STAT:
        return FLAME_OK;
    default:
        return fl_fail(err, FLAME_ERR_INVALID, "unknown verb %u", task->verb);
    }
}

static int32_t check_said(const struct fl_task *task, struct flame_error *err)
{
    const struct flame_task *said = &task->said;
    int32_t status = check_for_verb(task, err);

    if (status == FLAME_OK)
        status = check_flags(said, task->verb, err);
    if (status == FLAME_OK && task->verb != FLAME_FETCH && said->mirrors && said->mirrors[0])
        status = invalid(err, "only a fetch has mirrors");
    if (status == FLAME_OK)
        status = check_headers(said->headers, err);
    if (status == FLAME_OK)
        status = check_secrets(said->secrets, err);
    return status;
}

/* "#sha256=<hex>" names the expected digest; any other fragment is for somebody else. */
static int32_t digest_of_fragment(const struct fl_url *url, struct fl_digest *out,
                                  struct flame_error *err)
{
    const char *fragment = url->fragment;

    if (!fragment || (strncmp(fragment, "sha256=", 7) != 0 && strncmp(fragment, "sha512=", 7) != 0))
        return FLAME_OK;
    if (fl_digest_parse(fragment, out, NULL) != FLAME_OK)
        return fl_fail(err, FLAME_ERR_INVALID_URL, "malformed digest in the fragment");
    return FLAME_OK;
}

static int32_t understand_digest(struct fl_task *task, struct flame_error *err)
{
    struct fl_digest in_url = {.kind = FL_DIGEST_NONE};
    int32_t status = digest_of_fragment(&task->url, &in_url, err);

    if (status == FLAME_OK && task->said.digest)
        status = fl_digest_parse(task->said.digest, &task->digest, err);
    if (status != FLAME_OK)
        return status;
    task->is_digest_in_url = task->digest.kind == FL_DIGEST_NONE;
    if (task->digest.kind == FL_DIGEST_NONE)
        task->digest = in_url;
    else if (in_url.kind != FL_DIGEST_NONE && !fl_digest_equal(&task->digest, &in_url))
        return invalid(err, "the url and the task ask for different digests");
    if ((task->said.flags & FLAME_TASK_REQUIRE_DIGEST) && task->digest.kind == FL_DIGEST_NONE &&
        !task->said.checksum_url)
        return invalid(err, "a digest is required and none was given");
    return FLAME_OK;
}

int32_t fl_task_init(struct fl_task *task, uint32_t verb, const struct flame_task *said,
                     uint32_t default_port, struct flame_error *err)
{
    size_t size = said->struct_size < sizeof(*said) ? said->struct_size : sizeof(*said);
    int32_t status;

    *task = (struct fl_task){.verb = verb};
    memcpy(&task->said, said, size);
    status = check_said(task, err);
    if (status == FLAME_OK)
        status = fl_url_parse(task->said.url, default_port, &task->url, err);
    if (status == FLAME_OK)
        status = understand_digest(task, err);
    return status;
}

/* The task's own number, else the option in effect; milliseconds and hops fit 32 bits. */
static uint32_t settle_u32(uint32_t said, const struct fl_config *config,
                           const struct fl_scope *scope, enum fl_core_option option)
{
    uint64_t value = said ? said : fl_config_number(config, scope, option);

    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static void settle_limits(struct fl_task *task, const struct fl_config *config,
                          const struct fl_scope *scope)
{
    const struct flame_task *said = &task->said;
    struct fl_limits *limits = &task->limits;

    limits->max_bytes =
        said->max_bytes ? said->max_bytes : fl_config_number(config, scope, FL_OPT_LIMIT_BYTES);
    limits->max_redirects = settle_u32(said->max_redirects, config, scope, FL_OPT_LIMIT_REDIRECTS);
    limits->connect_ms = settle_u32(said->connect_timeout_ms, config, scope, FL_OPT_TIME_CONNECT);
    limits->first_byte_ms =
        settle_u32(said->first_byte_timeout_ms, config, scope, FL_OPT_TIME_FIRST_BYTE);
    limits->stall_ms = settle_u32(said->stall_timeout_ms, config, scope, FL_OPT_TIME_STALL);
    limits->total_ms = settle_u32(said->total_timeout_ms, config, scope, FL_OPT_TIME_TOTAL);
    limits->source_ms = settle_u32(said->source_timeout_ms, config, scope, FL_OPT_TIME_SOURCE);
    limits->rate_floor = fl_config_number(config, scope, FL_OPT_RATE_FLOOR);
    limits->rate_window_ms = settle_u32(0, config, scope, FL_OPT_RATE_WINDOW);
}

/* How hard, how wide and how fast. */
static void settle_effort(struct fl_task *task, const struct fl_config *config,
                          const struct fl_scope *scope)
{
    const struct flame_task *said = &task->said;

    task->retry.attempts = settle_u32(said->attempts, config, scope, FL_OPT_RETRY_ATTEMPTS);
    task->retry.delay_ms = settle_u32(said->retry_delay_ms, config, scope, FL_OPT_RETRY_DELAY);
    task->retry.max_ms = settle_u32(said->retry_max_ms, config, scope, FL_OPT_RETRY_MAX_TIME);
    task->lock_ms = settle_u32(said->lock_timeout_ms, config, scope, FL_OPT_TIME_LOCK);
    task->connections = settle_u32(said->connections, config, scope, FL_OPT_PARTS_CONNECTIONS);
    task->part_min_size = fl_config_number(config, scope, FL_OPT_PARTS_MIN_SIZE);
    task->max_entries = said->max_entries && said->max_entries != UINT32_MAX
                            ? said->max_entries
                            : fl_config_number(config, scope, FL_OPT_LIMIT_ENTRIES);
    task->bytes_per_second = said->bytes_per_second
                                 ? said->bytes_per_second
                                 : fl_config_number(config, scope, FL_OPT_RATE_LIMIT);
}

static uint32_t durability_named(const char *name)
{
    if (strcmp(name, "file") == 0)
        return FLAME_DURABILITY_FILE;
    return strcmp(name, "none") == 0 ? FLAME_DURABILITY_NONE : FLAME_DURABILITY_FULL;
}

static const char *core_value(const struct fl_config *config, const struct fl_scope *scope,
                              enum fl_core_option option)
{
    return fl_config_option(config, scope, fl_core_option(option)->name, NULL);
}

static void settle_policy(struct fl_task *task, const struct fl_config *config,
                          const struct fl_scope *scope)
{
    task->addresses.allow_loopback = fl_config_number(config, scope, FL_OPT_ADDRESS_LOOPBACK) != 0;
    task->addresses.allow_private = fl_config_number(config, scope, FL_OPT_ADDRESS_PRIVATE) != 0;
    task->may_cross_schemes = fl_config_number(config, scope, FL_OPT_REDIRECT_SCHEMES) != 0;
    task->space_reserve = fl_config_number(config, scope, FL_OPT_DEST_RESERVE);
    task->dest_root = core_value(config, scope, FL_OPT_DEST_ROOT);
    task->durability = task->said.durability;
    if (task->durability == FLAME_DURABILITY_DEFAULT)
        task->durability = durability_named(core_value(config, scope, FL_OPT_DEST_DURABILITY));
}

int32_t fl_task_settle(struct fl_task *task, const struct fl_config *config,
                       const struct flame_option *const *plugin_options, struct flame_error *err)
{
    struct fl_scope scope = {.origin = task->url.origin};
    int32_t status = fl_config_check_task(task->said.options, plugin_options, &task->options, err);

    if (status != FLAME_OK)
        return status;
    scope.task_options = fl_pairs_list(&task->options);
    settle_limits(task, config, &scope);
    settle_policy(task, config, &scope);
    settle_effort(task, config, &scope);
    return FLAME_OK;
}

void fl_task_done(struct fl_task *task)
{
    fl_url_done(&task->url);
    fl_pairs_done(&task->options, false);
}
