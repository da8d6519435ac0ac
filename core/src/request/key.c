/* SPDX-License-Identifier: Apache-2.0 */
#include "request/key.h"

#include "request/secret.h"

#include <string.h>

/* Flags that change what a destination ends up with. */
#define FLAGS_THAT_COUNT                                                                           \
    (FLAME_TASK_KEEP | FLAME_TASK_REPLACE | FLAME_TASK_ALLOW_UNPROVEN | FLAME_TASK_REMOTE_TIME |   \
     FLAME_TASK_REQUIRE_DIGEST | FLAME_TASK_CREATE_DIRS | FLAME_TASK_NO_LOCK |                     \
     FLAME_TASK_NO_RESUME)

/* With its end, so that "ab" "c" and "a" "bc" differ; NULL differs from "". */
static void add_text(struct fl_hash *hash, const char *text)
{
    if (text)
        fl_hash_update(hash, text, strlen(text) + 1);
    else
        fl_hash_update(hash, "\xff", 1);
}

static void add_list(struct fl_hash *hash, const char *const *items)
{
    for (size_t i = 0; items && items[i]; i++)
        add_text(hash, items[i]);
    add_text(hash, NULL);
}

static void add_secrets(struct fl_hash *hash, const struct fl_task *task,
                        const struct fl_config *config)
{
    static const char *const names[] = {
#define FL_ROW_(name, help) name,
        FLAME_SHARED_SECRET_TABLE(FL_ROW_)
#undef FL_ROW_
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = NULL;

        (void)!fl_secret_find(task, config, names[i], task->url.origin, &value);
        add_text(hash, value);
    }
}

void fl_task_key(const struct fl_task *task, const struct fl_config *config,
                 uint8_t key[FL_KEY_BYTES])
{
    const struct flame_task *said = &task->said;
    uint32_t flags = said->flags & FLAGS_THAT_COUNT;
    char digest[FL_DIGEST_TEXT_MAX] = "";
    struct fl_digest result;
    struct fl_hash hash;

    if (task->digest.kind != FL_DIGEST_NONE)
        fl_digest_format(&task->digest, digest);
    fl_hash_init(&hash, FL_DIGEST_SHA256);
    add_text(&hash, task->url.text);
    add_list(&hash, said->mirrors);
    add_text(&hash, digest);
    add_text(&hash, said->checksum_url);
    add_text(&hash, said->validator);
    add_list(&hash, said->headers);
    add_list(&hash, said->secrets);
    add_list(&hash, said->options);
    add_secrets(&hash, task, config);
    fl_hash_update(&hash, &flags, sizeof(flags));
    fl_hash_update(&hash, &task->durability, sizeof(task->durability));
    fl_hash_update(&hash, &task->limits.max_bytes, sizeof(task->limits.max_bytes));
    fl_hash_final(&hash, &result);
    memcpy(key, result.bytes, FL_KEY_BYTES);
}
