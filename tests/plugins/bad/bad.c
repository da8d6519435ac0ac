/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that is right in all that CMakeLists.txt does not spoil by a macro. */
#include <flame/plugin.h>

#include "foreign.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef ID
#define ID "org.example.bad"
#endif
#ifndef SCHEMES
#define SCHEMES "bad"
#endif
#ifndef SUMMARY
#define SUMMARY "for tests"
#endif
#ifndef MIN_HOST
#define MIN_HOST 0
#endif
#ifndef REDIRECTS
#define REDIRECTS ""
#endif
#ifndef AT_INIT
#define AT_INIT return FLAME_OK
#endif
#ifndef SLOTS
#define SLOTS
#endif

int32_t not_there(void);

#ifdef AT_LOAD
/* What the test wants to happen in the middle of loading. */
static inline void call_test(void)
{
    const char *address = getenv("FLAME_TEST_HOOK");
    uintptr_t number = address ? strtoull(address, NULL, 16) : 0;
    void (*hook)(void);

    memcpy(&hook, &number, sizeof(hook));
    if (hook)
        hook();
}

__attribute__((constructor)) static void at_load(void)
{
    AT_LOAD;
}
#endif

#ifdef BIG_TLS
static __thread volatile char big[1 << 20] __attribute__((tls_model("initial-exec")));
#define FETCH_STATUS (big[sizeof(big) - 1] ? FLAME_ERR_INTERNAL : FLAME_OK)
#else
#define FETCH_STATUS FLAME_OK
#endif

#ifdef TEXT_RELOCATION
__asm__(".text\n.globl text_target\n.hidden text_target\ntext_target:\n.quad text_target\n");
#endif

#ifdef SECOND_NOTE
static const struct {
    uint32_t sizes[3];
    char name[8];
    char text[4];
} second_note FLAME_NOTE_ATTR_ = {
    {sizeof(FLAME_NOTE_NAME), 4, FLAME_NOTE_TYPE}, FLAME_NOTE_NAME, "a=\n"};
#endif

/* The host sees each call as a question for an extension of that name. */
static int32_t bad_init(const struct flame_host *host, struct flame_instance **instance,
                        struct flame_error *err)
{
    (void)err;
    (void)host->get_extension(host, "test.init");
    *instance = (struct flame_instance *)(uintptr_t)host;
    AT_INIT;
}

static void bad_shutdown(struct flame_instance *instance)
{
    const struct flame_host *host = (const struct flame_host *)instance;

    (void)host->get_extension(host, "test.shutdown");
}

static int32_t bad_fetch(struct flame_instance *instance, const struct flame_request *request,
                         struct flame_transfer *transfer, struct flame_error *err)
{
    (void)instance;
    (void)request;
    (void)transfer;
    (void)err;
    return FETCH_STATUS;
}

#ifdef OPTION
static const struct flame_option option = OPTION;
static const struct flame_option *const options[] = {&option, NULL};
#else
static const struct flame_option *const options[] = {NULL};
#endif

#if defined(NO_ENTRY) || defined(TABLE)
#define flame_plugin_entry_v1 entry_elsewhere
#endif

FLAME_PLUGIN_FULL(ID, "1.0", SCHEMES, SUMMARY, MIN_HOST, REDIRECTS)
{
    plugin->init = bad_init;
    plugin->shutdown = bad_shutdown;
    plugin->fetch = bad_fetch;
    plugin->options = options;
    SLOTS;
}

#ifdef TABLE
#undef flame_plugin_entry_v1
FLAME_EXPORT_ const struct flame_plugin *flame_plugin_entry_v1(void);
const struct flame_plugin *flame_plugin_entry_v1(void)
{
    return TABLE;
}
#endif
