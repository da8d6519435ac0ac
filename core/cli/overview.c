/* SPDX-License-Identifier: Apache-2.0 */
#include "overview.h"

#include "clock.h"
#include "text.h"

#define BAR_DELAY_NS (300 * CLI_NS_PER_MS)
#define BAR_PERIOD_NS (100 * CLI_NS_PER_MS)
#define LINE_PERIOD_NS (30 * CLI_NS_PER_S)
#define FACTS_MAX 160

void cli_overview_begin(struct cli_overview *overview, size_t count)
{
    overview->count = count;
    overview->started_ns = overview->shown_ns = cli_now_ns();
    if (overview->kind == CLI_PROGRESS_LINE)
        (void)fprintf(overview->out, "%zu urls: begin\n", count);
}

static uint64_t rate_of(const struct cli_overview *overview, uint64_t now_ns)
{
    uint64_t fresh = overview->done > overview->resumed ? overview->done - overview->resumed : 0;
    double seconds = (double)(now_ns - overview->started_ns) / (double)CLI_NS_PER_S;

    return seconds > 0 ? (uint64_t)((double)fresh / seconds) : 0;
}

/* "3 of 20 done, 120M of 1.2G, 35M/s": the sum of the sizes is known once all of them are. */
static void write_facts(const struct cli_overview *overview, uint64_t now_ns, char *out)
{
    char done[CLI_AMOUNT_MAX];
    char total[CLI_AMOUNT_MAX];
    char rate[CLI_AMOUNT_MAX];
    bool has_total = overview->sized == overview->count;

    cli_amount_text(overview->done, done);
    cli_amount_text(overview->total, total);
    cli_amount_text(rate_of(overview, now_ns), rate);
    (void)snprintf(out, FACTS_MAX, "%zu of %zu done, %s%s%s, %s/s", overview->ended,
                   overview->count, done, has_total ? " of " : "", has_total ? total : "", rate);
}

static void draw(struct cli_overview *overview, uint64_t now_ns)
{
    char facts[FACTS_MAX];

    if (now_ns - overview->started_ns < BAR_DELAY_NS || now_ns - overview->shown_ns < BAR_PERIOD_NS)
        return;
    overview->shown_ns = now_ns;
    write_facts(overview, now_ns, facts);
    (void)fprintf(overview->out, "\r%.*s\033[K", (int)cli_terminal_width(overview->out) - 1, facts);
    (void)fflush(overview->out);
    overview->is_drawn = true;
}

static void write_line(struct cli_overview *overview, uint64_t now_ns)
{
    uint64_t tenth = overview->ended * 10 / overview->count;
    char facts[FACTS_MAX];

    if (tenth <= overview->shown_tenth && now_ns - overview->shown_ns < LINE_PERIOD_NS)
        return;
    overview->shown_tenth = tenth;
    overview->shown_ns = now_ns;
    write_facts(overview, now_ns, facts);
    (void)fprintf(overview->out, "%zu urls: %s\n", overview->count, facts);
}

static void show(struct cli_overview *overview)
{
    uint64_t now_ns = cli_now_ns();

    if (overview->kind == CLI_PROGRESS_BAR)
        draw(overview, now_ns);
    else if (overview->kind == CLI_PROGRESS_LINE)
        write_line(overview, now_ns);
}

void cli_overview_update(struct cli_overview *overview, const struct flame_progress *before,
                         const struct flame_progress *now)
{
    overview->done += now->done - before->done;
    overview->resumed += now->resumed - before->resumed;
    overview->total += now->total - before->total;
    overview->sized += (size_t)(now->total > 0) - (size_t)(before->total > 0);
    show(overview);
}

void cli_overview_ended(struct cli_overview *overview)
{
    overview->ended++;
    show(overview);
}

void cli_overview_clear(struct cli_overview *overview)
{
    if (overview->is_drawn)
        (void)fprintf(overview->out, "\r\033[K");
    overview->is_drawn = false;
}
