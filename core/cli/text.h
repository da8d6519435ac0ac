/* SPDX-License-Identifier: Apache-2.0 */
/* Text of the command: what it owns, what it may print, lists for the library. No state. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <flame/status.h>

#include <stdbool.h>
#include <stddef.h>

#define CLI_MUST_USE __attribute__((warn_unused_result))
#define CLI_PRINTF(string, first) __attribute__((format(printf, string, first)))

void cli_cleanup_text(char **text);
void cli_cleanup_fd(const int *fd);
#define cli_auto_text __attribute__((cleanup(cli_cleanup_text)))
#define cli_auto_fd __attribute__((cleanup(cli_cleanup_fd)))

/* The text moves to the caller. */
char *cli_take(char **text);

/* State a failure; the message is escaped. Returns `status`. */
int32_t cli_fail(struct flame_error *err, int32_t status, const char *format, ...) CLI_PRINTF(3, 4);
int32_t cli_fail_memory(struct flame_error *err);

/* NULL = no memory. */
char *cli_format(const char *format, ...) CLI_PRINTF(1, 2);

/* A copy that takes no harm to a terminal: what is not printable UTF-8 stands there as \xNN. */
char *cli_escaped(const char *text);

/* Is it UTF-8 as RFC 3629 has it? */
bool cli_is_utf8(const char *text);

/* "2024-01-31T12:00:00Z"; the seconds may have a fraction. NULL = no memory, or no such time. */
char *cli_time_text(int64_t since_1970_ns);

/* "17", "1.5k", "340M": units of 1024. Fits CLI_AMOUNT_MAX. */
#define CLI_AMOUNT_MAX 24
void cli_amount_text(uint64_t bytes, char *out);

/* A whole number of digits only, at most `most`. */
bool cli_number(const char *text, uint64_t most, uint64_t *out);

/* A growing NULL-terminated list that owns its strings and overwrites them at its end. {0} is
 * empty. */
struct cli_list {
    char **items;
    size_t count;
};

int32_t cli_list_add(struct cli_list *list, const char *text, struct flame_error *err) CLI_MUST_USE;
int32_t cli_list_add_pair(struct cli_list *list, const char *name, const char *value,
                          struct flame_error *err) CLI_MUST_USE;
/* In a list of pairs: replace the value of `name`, or add the pair. */
int32_t cli_list_set(struct cli_list *list, const char *name, const char *value,
                     struct flame_error *err) CLI_MUST_USE;
/* In a list of pairs: lengthen the value of `name` by a blank and `value`, or add the pair. */
int32_t cli_list_join(struct cli_list *list, const char *name, const char *value,
                      struct flame_error *err) CLI_MUST_USE;
/* NULL while it is empty. */
const char *const *cli_list_get(const struct cli_list *list);
void cli_list_done(struct cli_list *list);

/* Overwrite, then free; takes NULL. */
void cli_wipe_free(char *text);

#endif
