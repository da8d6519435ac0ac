/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define OFF_CANONICAL "18446744073709551615"
#define FRACTION_DIGITS_MAX 6
#define BOUND_MAX 32 /* characters of one side of a range, with the NUL */

struct unit {
    const char *suffix;
    int64_t factor;
};

static const struct unit plain_units[] = {{"", 1}, {NULL, 0}};
static const struct unit size_units[] = {
    {"", 1},          {"k", 1LL << 10}, {"K", 1LL << 10}, {"m", 1LL << 20},
    {"M", 1LL << 20}, {"g", 1LL << 30}, {"G", 1LL << 30}, {"t", 1LL << 40},
    {"T", 1LL << 40}, {"p", 1LL << 50}, {"P", 1LL << 50}, {NULL, 0},
};
static const struct unit duration_units[] = {
    {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0},
};

/* How the numeric types are written, and what to say of something else. */
struct notation {
    const struct unit *units;
    const char *sample;
    int64_t least;
    int fraction_digits;
};

static const struct notation integer_notation = {plain_units, "a whole number", INT64_MIN, 0};
static const struct notation size_notation = {size_units, "a size such as 64k or 1G", 0, 0};
static const struct notation duration_notation = {
    duration_units, "a duration such as 500ms, 30s or 2m", 0, FRACTION_DIGITS_MAX};

struct range {
    int64_t min;
    int64_t max;
    bool off;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Read digits, at most `most` of them; moves *text behind them. false = none, or too large. */
static bool read_digits(const char **text, size_t most, int64_t *out)
{
    const char *start = *text;
    int64_t number = 0;

    while (is_digit(**text) && (size_t)(*text - start) < most) {
        if (__builtin_mul_overflow(number, (int64_t)10, &number) ||
            __builtin_add_overflow(number, (int64_t)(**text - '0'), &number))
            return false;
        (*text)++;
    }
    *out = number;
    return *text > start;
}

/* The ".25" of a number as *part / *whole; 0 / 1 when there is none. */
static bool read_fraction(const char **text, int most, int64_t *part, int64_t *whole)
{
    const char *digits = *text + 1;

    *part = 0;
    *whole = 1;
    if (most == 0 || **text != '.')
        return true;
    *text = digits;
    if (!read_digits(text, (size_t)most, part))
        return false;
    for (; digits < *text; digits++)
        *whole *= 10;
    return true;
}

static int64_t unit_factor(const struct unit *units, const char *suffix)
{
    for (; units->suffix; units++)
        if (strcmp(units->suffix, suffix) == 0)
            return units->factor;
    return 0;
}

static bool read_number(const struct notation *notation, const char *text, int64_t *out)
{
    bool negative = notation->least < 0 && *text == '-';
    int64_t number, part, whole, factor;

    text += negative;
    if (!read_digits(&text, SIZE_MAX, &number) ||
        !read_fraction(&text, notation->fraction_digits, &part, &whole))
        return false;
    factor = unit_factor(notation->units, text);
    if (factor == 0 || part * factor % whole != 0)
        return false;
    if (__builtin_mul_overflow(number, factor, &number) ||
        __builtin_add_overflow(number, part * factor / whole, &number))
        return false;
    *out = negative ? -number : number;
    return true;
}

static bool read_bound(const struct notation *notation, const char *text, size_t size, int64_t *out)
{
    char bound[BOUND_MAX];

    if (size >= sizeof(bound))
        return false;
    memcpy(bound, text, size);
    bound[size] = '\0';
    return read_number(notation, bound, out);
}

/* "min..max" or "min..max|off"; false = the table is wrong. */
static bool read_range(const struct notation *notation, const char *text, struct range *range)
{
    const char *dots = text ? strstr(text, "..") : NULL;
    const char *end;

    *range = (struct range){notation->least, INT64_MAX, false};
    if (!text)
        return true;
    if (!dots)
        return false;
    end = dots + strcspn(dots, "|");
    range->off = strcmp(end, "|off") == 0;
    return (range->off || *end == '\0') &&
           read_bound(notation, text, (size_t)(dots - text), &range->min) &&
           read_bound(notation, dots + 2, (size_t)(end - dots - 2), &range->max);
}

static int32_t refuse(const struct fl_place *place, const char *must, const char *text,
                      struct flame_error *err)
{
    char where[FL_PLACE_MAX];

    return fl_fail(err, FLAME_ERR_INVALID, "%s: must be %.120s, not '%.100s'",
                   fl_place_text(place, where), must, text);
}

static int32_t fault(const struct fl_place *place, const char *reason, struct flame_error *err)
{
    char where[FL_PLACE_MAX];

    return fl_fail(err, FLAME_ERR_INVALID, "%s: %s", fl_place_text(place, where), reason);
}

static int32_t hand_out(char *value, char **out, struct flame_error *err)
{
    if (!value)
        return fl_fail_memory(err);
    *out = value;
    return FLAME_OK;
}

/* What a value is checked against, and where it stands. */
struct subject {
    const struct flame_option *option;
    const struct fl_place *place;
    const char *text;
};

static int32_t canonical_number(const struct subject *subject, const struct notation *notation,
                                char **out, struct flame_error *err)
{
    const char *range_text = subject->option->range;
    struct range range;
    int64_t number;

    if (!read_range(notation, range_text, &range))
        return fault(subject->place, "its table names a range that cannot be read", err);
    if (range.off && strcmp(subject->text, "off") == 0)
        return hand_out(strdup(OFF_CANONICAL), out, err);
    if (!read_number(notation, subject->text, &number))
        return refuse(subject->place, notation->sample, subject->text, err);
    if (number < range.min || number > range.max)
        return refuse(subject->place, range_text ? range_text : notation->sample, subject->text,
                      err);
    return hand_out(fl_format("%" PRId64, number), out, err);
}

static int32_t canonical_switch(const struct subject *subject, char **out, struct flame_error *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(words[i], subject->text) == 0)
            return hand_out(strdup(i % 2 ? "1" : "0"), out, err);
    return refuse(subject->place, "yes or no", subject->text, err);
}

static int32_t canonical_choice(const struct subject *subject, char **out, struct flame_error *err)
{
    const char *range = subject->option->range ? subject->option->range : "";
    size_t size = strlen(subject->text);

    for (const char *choice = range; *choice; choice += *choice == '|') {
        size_t length = strcspn(choice, "|");

        if (length == size && memcmp(choice, subject->text, size) == 0)
            return hand_out(strdup(subject->text), out, err);
        choice += length;
    }
    return refuse(subject->place, range, subject->text, err);
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static int32_t canonical_text(const struct subject *subject, char **out, struct flame_error *err)
{
    if (has_control(subject->text))
        return fault(subject->place, "must not hold control characters", err);
    /* Options are shown and logged. The value is not repeated: it is a password by mistake. */
    if (strcmp(subject->option->name, FLAME_OPT_NET_PROXY) == 0 && strchr(subject->text, '@'))
        return fault(subject->place,
                     "must not hold a user or password, which are the secret " FLAME_SECRET_PROXY,
                     err);
    return hand_out(strdup(subject->text), out, err);
}

static int32_t canonical_file(const struct subject *subject, char **out, struct flame_error *err)
{
    if (subject->text[0] != '/')
        return refuse(subject->place, "an absolute path", subject->text, err);
    return hand_out(strdup(subject->text), out, err);
}

int32_t fl_value_canonical(const struct flame_option *option, const char *text,
                           const struct fl_place *place, char **out, struct flame_error *err)
{
    struct subject subject = {option, place, text};

    switch (option->type) {
    case FLAME_OPTION_INTEGER:
        return canonical_number(&subject, &integer_notation, out, err);
    case FLAME_OPTION_SIZE:
        return canonical_number(&subject, &size_notation, out, err);
    case FLAME_OPTION_DURATION:
        return canonical_number(&subject, &duration_notation, out, err);
    case FLAME_OPTION_SWITCH:
        return canonical_switch(&subject, out, err);
    case FLAME_OPTION_CHOICE:
        return canonical_choice(&subject, out, err);
    case FLAME_OPTION_FILE:
        return canonical_file(&subject, out, err);
    case FLAME_OPTION_SECRET:
        return fault(place, "is a secret and cannot be set as an option", err);
    default:
        return canonical_text(&subject, out, err);
    }
}

int32_t fl_option_canonical(const struct flame_option *option, const char *text, char **out,
                            struct flame_error *err)
{
    struct fl_place place = {.name = option->name};

    return fl_value_canonical(option, text, &place, out, err);
}
