/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "flpart1"
#define SLOTS 2
#define SLOT_BYTES 4096 /* a page, and a block: a write into one tears no other */
#define BOOT_PATH "/proc/sys/kernel/random/boot_id"
#define MOUNT_UNIQUE 0x4000U /* STATX_MNT_ID_UNIQUE, since Linux 6.8 */

_Static_assert(sizeof(struct fl_partial) == 2 * FL_PARTIAL_TEXT_MAX + FL_PARTIAL_DIGEST_MAX + 3 * 8,
               "no padding: it would be summed");
_Static_assert(sizeof(struct fl_state) ==
                   8 + 5 * 8 + FL_STATE_BOOT_SIZE + sizeof(struct fl_partial) + FL_BESIDE_SUM_BYTES,
               "no padding: it would be summed");
_Static_assert(sizeof(struct fl_state) <= SLOT_BYTES, "a record fits into its slot");

static void read_boot(char out[FL_STATE_BOOT_SIZE])
{
    fl_auto_fd int fd = TEMP_FAILURE_RETRY(open(BOOT_PATH, O_RDONLY | O_CLOEXEC));
    ssize_t size = fd < 0 ? 0 : TEMP_FAILURE_RETRY(read(fd, out, FL_STATE_BOOT_SIZE - 1));

    memset(out + (size < 0 ? 0 : size), 0, FL_STATE_BOOT_SIZE - (size_t)(size < 0 ? 0 : size));
}

int fl_state_describe(int fd, struct fl_state *out)
{
    struct statx found;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME | MOUNT_UNIQUE, &found) != 0)
        return -1;
    out->inode = found.stx_ino;
    out->birth_s = found.stx_mask & STATX_BTIME ? (uint64_t)found.stx_btime.tv_sec : 0;
    out->birth_ns = found.stx_mask & STATX_BTIME ? found.stx_btime.tv_nsec : 0;
    out->mount = found.stx_mask & MOUNT_UNIQUE ? found.stx_mnt_id : 0;
    read_boot(out->boot);
    return 0;
}

static bool is_text(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static bool is_valid(const struct fl_state *state)
{
    const struct fl_partial *partial = &state->partial;
    uint8_t sum[FL_BESIDE_SUM_BYTES];

    fl_beside_sum(state, offsetof(struct fl_state, sum), sum);
    return memcmp(state->magic, MAGIC, sizeof(MAGIC)) == 0 &&
           memcmp(state->sum, sum, sizeof(sum)) == 0 && is_text(state->boot, sizeof(state->boot)) &&
           is_text(partial->validator, sizeof(partial->validator)) &&
           is_text(partial->origin, sizeof(partial->origin)) &&
           is_text(partial->digest, sizeof(partial->digest));
}

static bool is_blank(const struct fl_state *state)
{
    static const struct fl_state blank;

    return memcmp(state, &blank, sizeof(blank)) == 0;
}

/* Beside a torn record the older one may promise too much for this boot (a prefix that was given
 * up), but its durable bytes stay durable. */
int fl_state_read(int fd, struct fl_state *out)
{
    struct fl_state slots[SLOTS];
    const struct fl_state *newest = NULL;
    bool is_torn = false;

    memset(slots, 0, sizeof(slots));
    for (int i = 0; i < SLOTS; i++) {
        struct fl_state *slot = &slots[i];

        if (TEMP_FAILURE_RETRY(pread(fd, slot, sizeof(*slot), (off_t)i * SLOT_BYTES)) < 0)
            return -1;
        if (is_valid(slot))
            newest = newest && newest->sequence > slot->sequence ? newest : slot;
        else if (!is_blank(slot))
            is_torn = true;
    }
    if (!newest) {
        errno = EBADMSG;
        return -1;
    }
    *out = *newest;
    if (is_torn)
        out->boot[0] = '\0';
    return 0;
}

int fl_state_write(int fd, struct fl_state *state)
{
    off_t offset;
    ssize_t written;

    memset(state->magic, 0, sizeof(state->magic));
    memcpy(state->magic, MAGIC, sizeof(MAGIC));
    state->sequence++;
    fl_beside_sum(state, offsetof(struct fl_state, sum), state->sum);
    offset = (off_t)(state->sequence % SLOTS) * SLOT_BYTES;
    written = TEMP_FAILURE_RETRY(pwrite(fd, state, sizeof(*state), offset));
    if (written < 0)
        return -1;
    if (written == (ssize_t)sizeof(*state))
        return 0;
    errno = ENOSPC;
    return -1;
}

static bool is_same_run_of_the_disk(const struct fl_state *a, const struct fl_state *b)
{
    return a->boot[0] != '\0' && strcmp(a->boot, b->boot) == 0 && a->mount == b->mount;
}

/* A file that is shorter than what was durable is not as it was left. */
uint64_t fl_state_usable(const struct fl_state *state, const struct fl_state *now, uint64_t size)
{
    const struct fl_partial *partial = &state->partial;
    uint64_t good = partial->durable;

    if (state->inode != now->inode || state->birth_s != now->birth_s ||
        state->birth_ns != now->birth_ns || size < partial->durable)
        return 0;
    if (is_same_run_of_the_disk(state, now) && partial->prefix > good)
        good = partial->prefix;
    good = good < size ? good : size;
    return partial->total != 0 && good > partial->total ? 0 : good;
}
