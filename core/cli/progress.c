/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "clock.h"
#include "text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#define BAR_DELAY_NS (300 * CLI_NS_PER_MS) /* what is done sooner needs no bar */
#define EVENT_PERIOD_NS CLI_NS_PER_S
#define LINE_PERIOD_NS (30 * CLI_NS_PER_S)
#define DEFAULT_WIDTH 80
#define BAR_CELLS 20
#define FACTS_MAX 128

void cli_progress_begin(struct cli_progress *progress, const char *name)
{
    progress->name = name;
    progress->started_ns = cli_now_ns();
    progress->shown_ns = progress->started_ns;
    progress->shown_tenth = 0;
    progress->last = FLAME_INIT(flame_progress);
    progress->is_drawn = false;
    if (progress->kind == CLI_PROGRESS_LINE)
        (void)fprintf(progress->out, "%s: begins\n", name);
}

static uint64_t rate_of(const struct cli_progress *progress, uint64_t now_ns)
{
    const struct flame_progress *at = &progress->last;
    uint64_t fresh = at->done > at->resumed ? at->done - at->resumed : 0;
    double seconds = (double)(now_ns - progress->started_ns) / (double)CLI_NS_PER_S;

    return seconds > 0 ? (uint64_t)((double)fresh / seconds) : 0;
}

static uint64_t share_of(const struct flame_progress *at, uint64_t parts)
{
    if (at->total == 0 || at->done >= at->total)
        return at->total == 0 ? 0 : parts;
    return (uint64_t)((double)at->done / (double)at->total * (double)parts);
}

/* "  45%  12M of 27M, 3.1M/s, 0:05 left" */
static void write_facts(const struct cli_progress *progress, uint64_t rate, char *out)
{
    const struct flame_progress *at = &progress->last;
    char done[CLI_AMOUNT_MAX];
    char total[CLI_AMOUNT_MAX];
    char speed[CLI_AMOUNT_MAX];

    cli_amount_text(at->done, done);
    cli_amount_text(at->total, total);
    cli_amount_text(rate, speed);
    if (at->total == 0) {
        (void)snprintf(out, FACTS_MAX, "%s, %s/s", done, speed);
    } else if (rate == 0 || at->done >= at->total) {
        (void)snprintf(out, FACTS_MAX, "%3" PRIu64 "%%  %s of %s, %s/s", share_of(at, 100), done,
                       total, speed);
    } else {
        uint64_t left_s = (at->total - at->done) / rate;

        (void)snprintf(out, FACTS_MAX,
                       "%3" PRIu64 "%%  %s of %s, %s/s, %" PRIu64 ":%02" PRIu64 " left",
                       share_of(at, 100), done, total, speed, left_s / 60, left_s % 60);
    }
}

size_t cli_terminal_width(FILE *out)
{
    struct winsize size;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return DEFAULT_WIDTH;
    return size.ws_col;
}

/* The first bytes of `text` that are at most `most`, cut where a character begins. */
static int cut_at_character(const char *text, size_t most)
{
    size_t size = strlen(text);

    if (size <= most)
        return (int)size;
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return (int)most;
}

/* "[########            ] ", or nothing where the end is not known. */
static void write_bar(const struct flame_progress *at, char *out)
{
    size_t filled = (size_t)share_of(at, BAR_CELLS);

    out[0] = '\0';
    if (at->total == 0)
        return;
    out[0] = '[';
    memset(out + 1, '#', filled);
    memset(out + 1 + filled, ' ', BAR_CELLS - filled);
    (void)strcpy(out + 1 + BAR_CELLS, "] ");
}

static void draw(struct cli_progress *progress, uint64_t now_ns)
{
    char bar[BAR_CELLS + 4];
    char facts[FACTS_MAX];
    size_t width = cli_terminal_width(progress->out) - 1;
    size_t used;
    size_t room;

    write_bar(&progress->last, bar);
    write_facts(progress, rate_of(progress, now_ns), facts);
    used = strlen(bar) + strlen(facts) + 1;
    room = width > used ? width - used : 0;
    (void)fprintf(progress->out, "\r%.*s %s%s\033[K", cut_at_character(progress->name, room),
                  progress->name, room > 0 ? bar : "", facts);
    (void)fflush(progress->out);
    progress->is_drawn = true;
}

static void update_line(struct cli_progress *progress, uint64_t now_ns)
{
    uint64_t tenth = share_of(&progress->last, 10);
    char facts[FACTS_MAX];

    if (tenth <= progress->shown_tenth && now_ns - progress->shown_ns < LINE_PERIOD_NS)
        return;
    progress->shown_tenth = tenth;
    progress->shown_ns = now_ns;
    write_facts(progress, rate_of(progress, now_ns), facts);
    (void)fprintf(progress->out, "%s: %s\n", progress->name, facts);
}

static void update_events(struct cli_progress *progress, uint64_t now_ns)
{
    const struct flame_progress *at = &progress->last;
    bool is_all = at->total > 0 && at->done >= at->total;

    if (!is_all && now_ns - progress->shown_ns < EVENT_PERIOD_NS)
        return;
    progress->shown_ns = now_ns;
    cli_event_progress(progress->events, at, rate_of(progress, now_ns));
}

void cli_progress_update(struct cli_progress *progress, const struct flame_progress *now)
{
    uint64_t now_ns = cli_now_ns();

    progress->last = *now;
    switch (progress->kind) {
    case CLI_PROGRESS_BAR:
        if (now_ns - progress->started_ns >= BAR_DELAY_NS)
            draw(progress, now_ns);
        break;
    case CLI_PROGRESS_LINE:
        update_line(progress, now_ns);
        break;
    case CLI_PROGRESS_EVENTS:
        update_events(progress, now_ns);
        break;
    case CLI_PROGRESS_NONE:
        break;
    }
}

void cli_progress_end(struct cli_progress *progress, bool is_done)
{
    if (progress->is_drawn)
        (void)fprintf(progress->out, "\r\033[K");
    progress->is_drawn = false;
    if (progress->kind == CLI_PROGRESS_LINE && is_done)
        (void)fprintf(progress->out, "%s: done\n", progress->name);
}
