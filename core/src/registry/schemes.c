/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/schemes.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/registry.h"

#include <string.h>

/* One plugin offers one scheme. */
struct claim {
    const char *scheme;
    struct fl_found *found;
};

/* All claims to one scheme, in order of search. */
struct contest {
    const struct claim *claims;
    size_t count;
    const char *owner; /* the id that alone may serve it; NULL = anyone */
    bool is_pinned;    /* it is the configuration that says so */
};

static int compare_claims(const void *one, const void *other)
{
    const struct claim *a = one;
    const struct claim *b = other;
    int order = strcmp(a->scheme, b->scheme);

    if (order != 0)
        return order;
    return a->found->order < b->found->order ? -1 : a->found->order > b->found->order;
}

static const char *builtin_id(const char *scheme)
{
    static const char *const rows[][2] = {
#define ROW(name, id) {name, id},
        FL_BUILTIN_TABLE(ROW)
#undef ROW
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(rows[i][0], scheme) == 0)
            return rows[i][1];
    return NULL;
}

/* Two in the directory that comes first: neither is better. */
static bool is_ambiguous(const struct contest *contest)
{
    return !contest->owner && contest->count > 1 &&
           contest->claims[0].found->directory == contest->claims[1].found->directory;
}

static struct fl_found *winner(const struct contest *contest)
{
    if (!contest->owner)
        return is_ambiguous(contest) ? NULL : contest->claims[0].found;
    for (size_t i = 0; i < contest->count; i++)
        if (strcmp(contest->claims[i].found->manifest.id, contest->owner) == 0)
            return contest->claims[i].found;
    return NULL;
}

static void explain_loss(const struct contest *contest, const struct claim *loser,
                         struct fl_refusal *refusal)
{
    const struct claim *first = contest->claims;
    const struct claim *rival = loser == first ? first + 1 : first;

    if (contest->is_pinned)
        (void)fl_refuse(refusal, FL_REJECT_DUP_SCHEME, "'%s' is pinned to '%s'", loser->scheme,
                        contest->owner);
    else if (contest->owner)
        (void)fl_refuse(refusal, FL_REJECT_BUILTIN_SCHEME,
                        "'%s' belongs to '%s' unless it is pinned", loser->scheme, contest->owner);
    else if (loser->found->directory == first->found->directory)
        (void)fl_refuse(refusal, FL_REJECT_DUP_SCHEME,
                        "'%s' is also offered by '%s' in the same directory", loser->scheme,
                        rival->found->path);
    else
        (void)fl_refuse(refusal, FL_REJECT_DUP_SCHEME, "'%s' is offered earlier by '%s'",
                        loser->scheme, first->found->path);
}

/* Why nobody serves the scheme. */
static char *explain_nobody(const struct contest *contest)
{
    const char *scheme = contest->claims[0].scheme;

    if (contest->is_pinned)
        return fl_format("the scheme '%s' is pinned to '%s', and no such plugin offers it", scheme,
                         contest->owner);
    if (contest->owner)
        return fl_format("the scheme '%s' belongs to the plugin '%s', which is not there, and is "
                         "pinned to no other",
                         scheme, contest->owner);
    return fl_format("the scheme '%s' is offered by '%.300s' and by '%.300s': pin one of them",
                     scheme, contest->claims[0].found->path, contest->claims[1].found->path);
}

static bool tell_losers(const struct contest *contest, const struct fl_found *best)
{
    for (size_t i = 0; i < contest->count; i++) {
        struct fl_refusal refusal = {.code = FL_ACCEPTED};

        if (contest->claims[i].found == best)
            continue;
        explain_loss(contest, &contest->claims[i], &refusal);
        if (!fl_found_refuse(contest->claims[i].found, &refusal))
            return false;
    }
    return true;
}

static bool decide(const struct contest *contest, struct fl_served *out)
{
    struct fl_found *best = winner(contest);

    out->name = contest->claims[0].scheme;
    out->plugin = best ? best->plugin : NULL;
    out->reason = best ? NULL : explain_nobody(contest);
    return (best || out->reason) && tell_losers(contest, best);
}

/* The claims to the scheme of the first of `claims`. */
static struct contest next_contest(const struct claim *claims, size_t count,
                                   const struct fl_config *config)
{
    const char *scheme = claims[0].scheme;
    const char *pin = fl_config_pin(config, scheme);
    struct contest contest = {
        .claims = claims, .owner = pin ? pin : builtin_id(scheme), .is_pinned = pin != NULL};

    while (contest.count < count && strcmp(claims[contest.count].scheme, scheme) == 0)
        contest.count++;
    return contest;
}

static size_t count_claims(const struct fl_found_list *list)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].plugin ? list->items[i].manifest.schemes.count : 0;
    return count;
}

static void collect_claims(struct fl_found_list *list, struct claim *claims)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct fl_found *found = &list->items[i];

        for (uint32_t j = 0; found->plugin && j < found->manifest.schemes.count; j++)
            claims[count++] = (struct claim){found->manifest.schemes.items[j].name, found};
    }
}

/* The schemes that `found` won, separated by one blank. */
static bool list_won(const struct fl_schemes *schemes, struct fl_found *found)
{
    size_t capacity = (size_t)found->manifest.schemes.count * (FL_SCHEME_MAX + 1) + 1;
    char *text = calloc(1, capacity);
    size_t used = 0;

    if (!text)
        return false;
    for (uint32_t i = 0; found->plugin && i < found->manifest.schemes.count; i++) {
        const char *name = found->manifest.schemes.items[i].name;
        size_t size = strlen(name);

        if (fl_schemes_find(schemes, name)->plugin != found->plugin)
            continue;
        if (used > 0)
            text[used++] = ' ';
        memcpy(text + used, name, size);
        used += size;
    }
    found->schemes = text;
    return true;
}

static bool list_all_won(const struct fl_schemes *schemes, struct fl_found_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].manifest.text && !list_won(schemes, &list->items[i]))
            return false;
    return true;
}

int32_t fl_schemes_settle(struct fl_found_list *list, const struct fl_config *config,
                          struct fl_schemes *out, struct flame_error *err)
{
    size_t count = count_claims(list);
    fl_auto_free struct claim *claims = calloc(count + 1, sizeof(*claims));

    *out = (struct fl_schemes){.items = calloc(count + 1, sizeof(*out->items))};
    if (!claims || !out->items)
        return fl_fail_memory(err);
    collect_claims(list, claims);
    qsort(claims, count, sizeof(*claims), compare_claims);
    for (size_t at = 0; at < count;) {
        struct contest contest = next_contest(claims + at, count - at, config);

        if (!decide(&contest, &out->items[out->count++]))
            return fl_fail_memory(err);
        at += contest.count;
    }
    return list_all_won(out, list) ? FLAME_OK : fl_fail_memory(err);
}

void fl_schemes_done(struct fl_schemes *schemes)
{
    for (size_t i = 0; i < schemes->count; i++)
        free(schemes->items[i].reason);
    free(schemes->items);
    *schemes = (struct fl_schemes){.items = NULL};
}

static int compare_name(const void *key, const void *item)
{
    return strcmp(key, ((const struct fl_served *)item)->name);
}

const struct fl_served *fl_schemes_find(const struct fl_schemes *schemes, const char *name)
{
    return bsearch(name, schemes->items, schemes->count, sizeof(*schemes->items), compare_name);
}

void fl_schemes_text(const struct fl_schemes *schemes, char *out, size_t capacity)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < schemes->count; i++) {
        const char *name = schemes->items[i].name;

        if (!schemes->items[i].plugin)
            continue;
        if (used + strlen(name) + 3 > capacity)
            return;
        used += (size_t)sprintf(out + used, "%s%s", used > 0 ? ", " : "", name);
    }
}
