/* SPDX-License-Identifier: Apache-2.0 */
/* --verify-sig: the signature is fetched before the download, which it then has to fit. One thread
 * at a time. */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include "app.h"

struct cli_trust {
    const struct cli_app *app;
    struct cli_minisig signature;
    size_t size;
    char text[CLI_MINISIG_TEXT_MAX]; /* of the signature */
};

/* Get the signature of what `url` is about. *out: to be freed. Fails as a download does, with
 * SIGNATURE (it is none), UNSUPPORTED (they cannot be checked here); `err` says where. */
int32_t cli_trust_open(struct cli_app *app, const char *url, struct cli_trust **out,
                       struct flame_error *err) CLI_MUST_USE;

/* As flame_task.verify wants it. */
int32_t cli_trust_judge(const struct cli_trust *trust, int32_t fd, uint64_t size,
                        struct flame_error *err) CLI_MUST_USE;

#endif
