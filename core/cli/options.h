/* SPDX-License-Identifier: Apache-2.0 */
/* The options and verbs of the command: one table, from which the parser, the help, the man page
 * and the completion are made. Constant tables and pure functions. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "text.h"

enum cli_verb {
    CLI_GET,
    CLI_PUT,
    CLI_RM,
    CLI_STAT,
    CLI_LS,
    CLI_VERIFY,
    CLI_CLEAN,
    CLI_PLUGINS,
    CLI_CONFIG,
    CLI_CONTEXT, /* this one and those behind it are the helper's: see helper.h */
    CLI_PUBLISH,
    CLI_OBJECTS,
    CLI_VERB_COUNT
};

struct cli_verb_row {
    const char *name;
    const char *words; /* what follows, for the help */
    const char *help;
};

extern const struct cli_verb_row cli_verbs[CLI_VERB_COUNT];

enum cli_option_id {
    CLI_OUTPUT,
    CLI_REMOTE_NAME,
    CLI_OUTPUT_DIR,
    CLI_CREATE_DIRS,
    CLI_INPUT_FILE,
    CLI_PARALLEL,
    CLI_OVERWRITE,
    CLI_REMOTE_TIME,
    CLI_SPOOL,
    CLI_DURABILITY,
    CLI_CHECKSUM,
    CLI_CHECKSUM_FILE,
    CLI_REQUIRE_DIGEST,
    CLI_VERIFY_SIG,
    CLI_TRUSTED_KEY,
    CLI_ALLOW_UNPROVEN,
    CLI_ETAG,
    CLI_CONTINUE,
    CLI_NO_LOCK,
    CLI_LOCK_TIMEOUT,
    CLI_MIRROR,
    CLI_SOURCE_TIMEOUT,
    CLI_RETRY,
    CLI_RETRY_DELAY,
    CLI_RETRY_MAX_TIME,
    CLI_CONNECTIONS,
    CLI_MIN_SPLIT,
    CLI_LIMIT_RATE,
    CLI_CONNECT_TIMEOUT,
    CLI_FIRST_BYTE_TIMEOUT,
    CLI_STALL_TIMEOUT,
    CLI_MAX_TIME,
    CLI_MAX_FILESIZE,
    CLI_MAX_REDIRS,
    CLI_RECURSIVE,
    CLI_MAX_ENTRIES,
    CLI_CURSOR,
    CLI_OLDER_THAN,
    CLI_HEADER,
    CLI_USER_AGENT,
    CLI_USER,
    CLI_OAUTH2_BEARER,
    CLI_NETRC,
    CLI_NETRC_FILE,
    CLI_CACERT,
    CLI_CERT,
    CLI_KEY,
    CLI_PINNEDPUBKEY,
    CLI_INSECURE,
    CLI_PROXY,
    CLI_RESOLVE,
    CLI_CONNECT_TO,
    CLI_IPV4,
    CLI_IPV6,
    CLI_HTTP1_1,
    CLI_HTTP2,
    CLI_OPTION,
    CLI_PLUGIN_DIR,
    CLI_CONFIG_FILE,
    CLI_NO_CONFIG,
    CLI_QUIET,
    CLI_VERBOSE,
    CLI_PROGRESS,
    CLI_JSON,
    CLI_WHY,
    CLI_CHECK,
    CLI_HELP,
    CLI_VERSION,
    CLI_OPTION_COUNT
};

/* What a given option does; the last one given counts where it is not a list. */
enum cli_effect {
    CLI_OWN,        /* the command asks for it by its id */
    CLI_SETS,       /* option `target` of the library = the argument, or `fixed` */
    CLI_SETS_PATH,  /* the same; the argument is a file that has to be readable */
    CLI_COLLECTS,   /* option `target` of the plugin = all arguments, separated by blanks */
    CLI_TASK_FLAG,  /* `task_flag` */
    CLI_SECRET,     /* secret `target` = the argument, or what the file behind '@' holds */
    CLI_SECRET_PEM, /* secret `target` = what the file holds */
};

struct cli_option {
    const char *name;     /* without its dashes */
    const char *argument; /* what the help calls it; NULL = it takes none */
    const char *help;
    const char *target;
    const char *fixed;
    const char *choices; /* the words it may be, "a|b|c"; NULL = any */
    uint32_t verbs;      /* a bit for each enum cli_verb */
    uint32_t task_flag;
    enum cli_effect effect;
    char letter;              /* or 0 */
    const char *letter_means; /* the letter takes no argument but means this one; or NULL */
};

extern const struct cli_option cli_options[CLI_OPTION_COUNT];

/* One option of a command line. `value` is NULL where it takes none, borrowed from argv else. */
struct cli_given {
    const struct cli_option *option;
    char *value;
};

struct cli_args {
    enum cli_verb verb;
    bool has_verb; /* it was said */
    struct cli_given *given;
    size_t given_count;
    char **words; /* behind the verb, which is not among them; borrowed from argv */
    size_t word_count;
    bool had_secret; /* there was one among what is not here, and it is hidden already */
};

/* Is it a verb of flame-fetch-sdk, which also understands the rest of the command line? */
bool cli_is_of_helper(enum cli_verb verb);

/* Understand a command line. The first word is the verb if it is one, else the verb is get. Behind
 * a verb of the helper nothing is read.
 * *out: cli_args_done() it, also after a failure. Fails with INVALID, NO_MEMORY. */
int32_t cli_args_parse(int argc, char **argv, struct cli_args *out,
                       struct flame_error *err) CLI_MUST_USE;
void cli_args_done(struct cli_args *args);

/* Add what was read, `value` NULL where the option takes none: borrowed from argv. Fails with
 * INVALID (the value is none of its choices, or empty where a place is named), NO_MEMORY. */
int32_t cli_args_add(struct cli_args *args, const struct cli_option *option, char *value,
                     struct flame_error *err) CLI_MUST_USE;
int32_t cli_args_add_word(struct cli_args *args, char *word, struct flame_error *err) CLI_MUST_USE;

bool cli_is_given(const struct cli_args *args, enum cli_option_id id);
uint32_t cli_times_given(const struct cli_args *args, enum cli_option_id id);
/* The last value given for it, or NULL. */
const char *cli_value(const struct cli_args *args, enum cli_option_id id);

#endif
