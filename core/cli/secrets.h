/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a command line: read from files, taken out of urls, overwritten where ps shows them.
 */
#ifndef CLI_SECRETS_H
#define CLI_SECRETS_H

#include "options.h"

/* The contents of a file: text of at most 1 MiB. "-" is standard input.
 * *out: to be cli_wipe_free()d. Fails with INVALID (naming `option` and file), NO_MEMORY. */
int32_t cli_secret_file(const struct cli_option *option, const char *path, char **out,
                        struct flame_error *err) CLI_MUST_USE;

/* The secret that `text` means: itself, or without its last line end what the file behind "@"
 * holds. *out and failures as above. */
int32_t cli_secret_text(const struct cli_option *option, const char *text, char **out,
                        struct flame_error *err) CLI_MUST_USE;

/* Can others than its owner read or change this file? */
bool cli_is_open_to_others(const char *path);

/* Split "scheme://user:password@host" into the url without its userinfo and "user:password",
 * decoded; *secret = NULL when there is none. Both to be freed. */
int32_t cli_secret_split(const char *url, char **plain, char **secret,
                         struct flame_error *err) CLI_MUST_USE;

/* Overwrite the userinfo of a url. Returns whether there was one. */
bool cli_secret_hide_userinfo(char *url);

/* Overwrite in argv every secret that was typed in full; to be called when all has been copied.
 * Returns whether there was one. */
bool cli_secrets_hide(const struct cli_args *args);

#endif
