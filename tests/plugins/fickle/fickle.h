/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin "fickle" answers: it lies to the core as it is told, so that the core's own
 * checks are seen. A test loads the plugin, finds `fickle_script` in it by name, and writes there
 * before it asks; the answers are read while fetches run, the counters may be read at any time. */
#ifndef FICKLE_H
#define FICKLE_H

#include <stdatomic.h>
#include <stdint.h>

#define FICKLE_ANSWERS 8
#define FICKLE_STRETCH_MAX 4096
#define FICKLE_SYMBOL "fickle_script"

#define FICKLE_DEAF 0x1u       /* a part whatever the condition says */
#define FICKLE_WHOLE 0x2u      /* the whole, whatever part was asked for */
#define FICKLE_WEAK 0x4u       /* the validator is not strong */
#define FICKLE_SIZELESS 0x8u   /* no size is said */
#define FICKLE_TOTALLESS 0x10u /* only that of the body is said */
#define FICKLE_SILENT 0x20u    /* nothing is reported */
#define FICKLE_STRONG 0x40u    /* called strong, even if there is no validator */
#define FICKLE_ELSEWHERE 0x80u /* a redirect, to the same with a "+" */

/* One answer; the bytes are the test's. */
struct fickle_answer {
    const char *bytes;
    uint64_t size;
    const char *validator; /* or NULL */
    uint32_t flags;        /* FICKLE_* */
    int32_t shift;         /* a part begins so many bytes behind where it should */
    int32_t stretch;       /* a part has so many bytes more, wrong ones; below 0 fewer */
    uint64_t cut;          /* the line breaks after so many bytes of the body; 0 = it does not */
    const char *digest;    /* said of the whole as its Repr-Digest; or NULL */
};

/* The n-th call gets the n-th answer, later ones the last. */
struct fickle_script {
    struct fickle_answer answers[FICKLE_ANSWERS];
    uint32_t count;
    atomic_uint asked;
    atomic_uint rests; /* of these: from behind the first byte on */
    atomic_uint bare;  /* of those: of whatever version is there */
};

#endif
