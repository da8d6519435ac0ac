/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/object.h"

#include <string.h>

#define MAX_OPTIONS 256u

/* Bytes of an option as version 1.0 knows it. */
#define OPTION_MIN                                                                                 \
    (offsetof(struct flame_option, range) + sizeof(((struct flame_option *)NULL)->range))
#define OPTION_MAX 4096u

/* [a-z][a-z0-9_]*: a dot would reach into the core's own options. */
static bool is_name(const char *name)
{
    if (!name || *name < 'a' || *name > 'z')
        return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static enum fl_reject count(const struct fl_object *object,
                            const struct flame_option *const *theirs, size_t *out,
                            struct fl_refusal *refusal)
{
    size_t number = 0;

    while (number <= MAX_OPTIONS && fl_object_holds(object, &theirs[number], sizeof(*theirs))) {
        if (!theirs[number]) {
            *out = number;
            return FL_ACCEPTED;
        }
        number++;
    }
    return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "'options' has no end, or over %u items",
                     MAX_OPTIONS);
}

static enum fl_reject copy_one(const struct fl_object *object, const struct flame_option *theirs,
                               struct flame_option *out, struct fl_refusal *refusal)
{
    uint32_t size;

    if (!fl_object_holds(object, theirs, OPTION_MIN))
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "an option lies outside the plugin");
    size = theirs->struct_size;
    if (size < OPTION_MIN || size > OPTION_MAX || !fl_object_holds(object, theirs, size))
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "the struct_size of an option is %u", size);
    memcpy(out, theirs, size < sizeof(*out) ? size : sizeof(*out));
    out->struct_size = (uint32_t)sizeof(*out);
    if (!is_name(out->name))
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "'%.80s' is no name for an option",
                         out->name ? out->name : "");
    if (!out->help)
        out->help = "";
    return FL_ACCEPTED;
}

enum fl_reject fl_object_options(const struct fl_object *object,
                                 const struct flame_option *const *theirs,
                                 const struct flame_option ***out, bool *memory,
                                 struct fl_refusal *refusal)
{
    fl_auto_free void *block = NULL;
    const struct flame_option **list;
    struct flame_option *copies;
    size_t number = 0;
    enum fl_reject reject = theirs ? count(object, theirs, &number, refusal) : FL_ACCEPTED;

    *memory = true;
    *out = NULL;
    if (reject != FL_ACCEPTED || !theirs)
        return reject;
    block = calloc(1, (number + 1) * sizeof(*list) + number * sizeof(*copies));
    *memory = block != NULL;
    if (!block)
        return FL_ACCEPTED;
    list = block;
    copies = (void *)(list + number + 1);
    for (size_t i = 0; reject == FL_ACCEPTED && i < number; i++) {
        reject = copy_one(object, theirs[i], &copies[i], refusal);
        list[i] = &copies[i];
    }
    if (reject == FL_ACCEPTED)
        *out = fl_take(block);
    return reject;
}
