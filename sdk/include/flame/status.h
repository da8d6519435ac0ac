/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong, in words that a plugin, a program and a shell script can act on.
 *
 * Shared by flame/plugin.h and flame/fetch.h; needs nothing but the C library. A code is chosen by
 * what its reader could do next, never by where it happened. The two tables below are the only
 * place where a code is described: the enum, the texts, the retry rule, the exit codes and the
 * documentation are made from them.
 *
 * Evolution: a released number keeps its meaning for ever; new ones are appended. A reader that
 * meets a number it does not know takes it for FLAME_ERR_INTERNAL. */
#ifndef FLAME_STATUS_H
#define FLAME_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* Outcomes that are not failures: X(name, number, exit code, retryable, text) */
#define FLAME_OUTCOME_TABLE(X)                                                                     \
    X(OK, 0, 0, 0, "done")                                                                         \
    X(NOT_MODIFIED, 1, 0, 0, "the caller's copy is still the current one")                         \
    X(REDIRECT, 2, 0, 0, "the peer names another place")                                           \
    X(ENOUGH, 3, 0, 0, "no further entry is wanted")

/* Failures: X(name, number, exit code, retryable, text). Exit codes below 100 are curl's, where
 * curl has one for the same meaning; 110 and above are ours (docs/errors.md). "retryable" is the
 * default when neither the plugin nor the peer has said. */
#define FLAME_FAILURE_TABLE(X)                                                                     \
    X(INVALID, 16, 2, 0, "malformed argument, option or configuration")                            \
    X(INVALID_URL, 17, 3, 0, "malformed url")                                                      \
    X(UNSUPPORTED, 18, 1, 0, "no plugin or peer can do this")                                      \
    X(NOT_FOUND, 19, 78, 0, "not found")                                                           \
    X(AUTH, 20, 67, 0, "credentials are missing or were refused")                                  \
    X(POLICY, 21, 116, 0, "refused by policy")                                                     \
    X(REMOTE, 22, 22, 0, "refused by the peer")                                                    \
    X(EXISTS, 23, 113, 0, "already exists")                                                        \
    X(CHANGED, 24, 36, 1, "changed meanwhile")                                                     \
    X(RANGE, 25, 33, 0, "behind the end")                                                          \
    X(LIMIT, 26, 63, 0, "over a limit")                                                            \
    X(BUSY, 27, 22, 1, "the peer asks for patience")                                               \
    X(NETWORK, 28, 56, 1, "network failure")                                                       \
    X(TLS, 29, 60, 0, "tls failure")                                                               \
    X(PROTOCOL, 30, 8, 0, "the peer broke its protocol")                                           \
    X(TRUNCATED, 31, 18, 1, "cut short")                                                           \
    X(UNPROVEN, 32, 119, 0, "nothing proves that this is all")                                     \
    X(DIGEST, 33, 110, 0, "digest mismatch")                                                       \
    X(SIGNATURE, 34, 111, 0, "signature refused")                                                  \
    X(TIMEOUT, 35, 28, 1, "timed out")                                                             \
    X(CANCELLED, 36, 42, 0, "cancelled")                                                           \
    X(UNSAFE_NAME, 37, 115, 0, "unsafe name")                                                      \
    X(STORE_REFUSED, 38, 118, 0, "the peer will not keep it")                                      \
    X(LOCKED, 39, 114, 1, "locked by another process")                                             \
    X(NO_SPACE, 40, 112, 0, "no space left")                                                       \
    X(IO, 41, 23, 0, "local input or output failure")                                              \
    X(NO_MEMORY, 42, 27, 0, "out of memory")                                                       \
    X(UNKNOWN_OUTCOME, 43, 120, 0, "it may or may not have happened")                              \
    X(DURABILITY_UNKNOWN, 44, 121, 0, "in place, but a power cut may lose it")                     \
    X(PLUGIN, 45, 117, 0, "plugin fault")                                                          \
    X(INTERNAL, 46, 125, 0, "internal error")

/* Where the phase or a flag of the error says more than the status:
 * X(status, flag that must be set, from phase, to phase, exit code), first match wins. */
#define FLAME_EXIT_TABLE(X)                                                                        \
    X(FLAME_ERR_NETWORK, 0u, FLAME_PHASE_RESOLVE, FLAME_PHASE_RESOLVE, 6)                          \
    X(FLAME_ERR_NETWORK, 0u, FLAME_PHASE_CONNECT, FLAME_PHASE_CONNECT, 7)                          \
    X(FLAME_ERR_LIMIT, FLAME_ERROR_REDIRECTS, FLAME_PHASE_START, FLAME_PHASE_PUBLISH, 47)          \
    X(FLAME_ERR_IO, FLAME_ERROR_SOURCE, FLAME_PHASE_START, FLAME_PHASE_PUBLISH, 26)

/* Function results travel as int32_t: the width of an enum is the compiler's choice. */
/* clang-format off */
enum flame_status {
#define FLAME_ROW_(name, number, exit_code, retryable, text) FLAME_##name = number,
    FLAME_OUTCOME_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
#define FLAME_ROW_(name, number, exit_code, retryable, text) FLAME_ERR_##name = number,
    FLAME_FAILURE_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    FLAME_STATUS_FORCE_32 = 0x7fffffff
};
/* clang-format on */

/* The first number that means failure. */
#define FLAME_FIRST_FAILURE 16

/* How far a transfer had come. Ordered: a later phase is a larger number. */
enum flame_phase {
    FLAME_PHASE_START = 0,    /* waiting for a lock, a thread, a worker or the next try */
    FLAME_PHASE_RESOLVE = 10, /* looking a name up */
    FLAME_PHASE_CONNECT = 20, /* connecting */
    FLAME_PHASE_SECURE = 30,  /* TLS handshake */
    FLAME_PHASE_WAIT = 40,    /* request sent, nothing of the answer seen */
    FLAME_PHASE_BODY = 50,    /* bytes flow, either way */
    FLAME_PHASE_FINISH = 60,  /* last byte seen, waiting for the peer's last word */
    FLAME_PHASE_VERIFY = 70,  /* length, digest, signature: the core's own work */
    FLAME_PHASE_PUBLISH = 80, /* sync and rename: the core's own work */
    FLAME_PHASE_FORCE_32 = 0x7fffffff
};

#define FLAME_ERROR_RETRYABLE 0x1u   /* the same request may succeed later */
#define FLAME_ERROR_RETRY_AFTER 0x2u /* retry_after_ms holds the peer's wish */
#define FLAME_ERROR_HAS_HTTP 0x4u    /* http_status is set */
#define FLAME_ERROR_HAS_GRPC 0x8u    /* grpc_status is set (0 is a value there) */
#define FLAME_ERROR_HAS_NATIVE 0x10u /* native_code is set; native_domain says whose it is */
#define FLAME_ERROR_SOURCE 0x20u     /* IO: reading the local source, not writing the destination */
#define FLAME_ERROR_REDIRECTS 0x40u  /* LIMIT: the bound that was hit is the one on redirects */
#define FLAME_ERROR_RESUMABLE 0x80u  /* what came was kept: the same fetch again goes on from it */

/* Everything known about one failure. Owned by the caller, filled by the core, no pointer inside:
 * it outlives every context and is copied with `=`. Plugins get an opaque handle under the same
 * tag and fill it through the host table only. */
struct flame_error {
    uint32_t struct_size;   /* set by FLAME_INIT; the core writes no byte behind it */
    int32_t status;         /* enum flame_status; the first failure wins */
    uint32_t flags;         /* FLAME_ERROR_* */
    uint32_t phase;         /* enum flame_phase: how far it had come */
    int64_t retry_after_ms; /* as the peer said it, not capped */
    int64_t native_code;    /* a library's own number */
    int32_t errno_code;     /* 0 = none */
    int32_t http_status;
    int32_t grpc_status;
    uint32_t attempts;      /* how often it was tried */
    char native_domain[16]; /* "curl", "x509", ... */
    char plugin[80];        /* id of the plugin, "" when none was involved */
    char message[1024];     /* one line of UTF-8; remote bytes escaped, secrets removed */
    char url[1024];         /* the URL it happened at, without userinfo and without query */
};

/* Zero is the safe default of every member of every struct, so there is one initialiser:
 *     struct flame_error err = FLAME_INIT(flame_error);
 * The second form is for C++, which has no C99 compound literals. */
#ifdef __cplusplus
template <class T> inline T flame_init_() noexcept
{
    T t = T();
    t.struct_size = static_cast<uint32_t>(sizeof(T));
    return t;
}
#define FLAME_INIT(tag) flame_init_<struct tag>()
#else
#define FLAME_INIT(tag) ((struct tag){.struct_size = (uint32_t)sizeof(struct tag)})
#endif

/* Does the struct at `ptr`, made by somebody with another header, reach as far as `member`?
 * Reads struct_size only, so it is safe on a shorter, older struct. */
#define FLAME_REACHES(ptr, member)                                                                 \
    ((size_t)((const char *)&(ptr)->member - (const char *)(ptr)) + sizeof((ptr)->member) <=       \
     (size_t)(ptr)->struct_size)

/* The same, and the pointer there is not NULL: the only right test for an optional function. */
#define FLAME_HAS(ptr, member) (FLAME_REACHES(ptr, member) && (ptr)->member != NULL)

#if defined(__GNUC__)
#define FLAME_UNUSED_ __attribute__((unused))
#else
#define FLAME_UNUSED_
#endif

/* The line of the table for `status`; never NULL. [any-thread] */
FLAME_UNUSED_ static inline const char *flame_status_text(int32_t status)
{
    switch (status) {
#define FLAME_ROW_(name, number, exit_code, retryable, text)                                       \
    case number:                                                                                   \
        return text;
        FLAME_OUTCOME_TABLE(FLAME_ROW_)
        FLAME_FAILURE_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    default:
        return "unknown status";
    }
}

/* The name in the table, "NOT_FOUND"; "UNKNOWN" for a number it does not have. [any-thread] */
FLAME_UNUSED_ static inline const char *flame_status_name(int32_t status)
{
    switch (status) {
#define FLAME_ROW_(name, number, exit_code, retryable, text)                                       \
    case number:                                                                                   \
        return #name;
        FLAME_OUTCOME_TABLE(FLAME_ROW_)
        FLAME_FAILURE_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    default:
        return "UNKNOWN";
    }
}

/* Would the same request be worth another try, as far as the status alone tells? [any-thread] */
FLAME_UNUSED_ static inline int flame_status_retryable(int32_t status)
{
    switch (status) {
#define FLAME_ROW_(name, number, exit_code, retryable, text)                                       \
    case number:                                                                                   \
        return retryable;
        FLAME_OUTCOME_TABLE(FLAME_ROW_)
        FLAME_FAILURE_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    default:
        return 0;
    }
}

/* What a program should exit with after `err`: FLAME_EXIT_TABLE, then the status's own code.
 * A number that the tables do not have exits like INTERNAL. [any-thread] */
FLAME_UNUSED_ static inline int flame_exit_code(const struct flame_error *err)
{
#define FLAME_ROW_(code, flag, from, to, exit_code)                                                \
    if (err->status == (int32_t)(code) && (err->flags & (flag)) == (flag) &&                       \
        err->phase + 1 > (uint32_t)(from) && err->phase <= (uint32_t)(to))                         \
        return exit_code;
    FLAME_EXIT_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    switch (err->status) {
#define FLAME_ROW_(name, number, exit_code, retryable, text)                                       \
    case number:                                                                                   \
        return exit_code;
        FLAME_OUTCOME_TABLE(FLAME_ROW_)
        FLAME_FAILURE_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    default:
        return 125;
    }
}

#endif
