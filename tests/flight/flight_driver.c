/* SPDX-License-Identifier: Apache-2.0 */
/* The wire formats for the tests in Python.
 *   flight_driver decode FRAMES OUT [PIECE]   bytes of the file to OUT, what it was to stdout, JSON
 *   flight_driver encode FILE OUT CODEC ROW_SIZE VERSION [kind] [bitmaps] [wide]   frames to OUT
 *   flight_driver info FRAMES                 the FlightInfos of a listing, a line each */
#include "fixture.h"
#include "messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void save(const char *path, const struct fl_flight_buffer *bytes)
{
    FILE *file = fopen(path, "wb");

    if (!file || (bytes->size && fwrite(bytes->data, 1, bytes->size, file) != bytes->size) ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static int decode(int argc, char **argv)
{
    struct feeding how = {.piece = argc > 4 ? strtoul(argv[4], NULL, 10) : 0};
    struct fl_flight_buffer frames = read_file(argv[2]);
    struct outcome outcome;

    feed(fl_flight_buffer_view(&frames), &how, &outcome);
    (void)printf("{\"code\": \"%s\", \"why\": \"%s\", \"version\": %" PRIu64 ", \"bytes\": %" PRIu64
                 ", \"rows\": %" PRIu64 ", \"kind\": %s, \"codec\": \"%s\"}\n",
                 fl_flight_code_name(outcome.code), outcome.why ? outcome.why : "",
                 outcome.summary.version, outcome.summary.bytes, outcome.summary.rows,
                 outcome.summary.has_kind ? "true" : "false",
                 fl_flight_codec_name(outcome.summary.codec));
    save(argv[3], &outcome.bytes);
    outcome_done(&outcome);
    fl_flight_buffer_done(&frames);
    return 0;
}

static int encode(int argc, char **argv)
{
    struct fl_flight_buffer file = read_file(argv[2]);
    struct fl_flight_buffer frames = {.size = 0};
    struct answer answer = {.row_size = strtoull(argv[5], NULL, 10),
                            .version = strtoull(argv[6], NULL, 10),
                            .file = fl_flight_buffer_view(&file)};

    if (!fl_flight_codec_find(argv[4], &answer.format.codec))
        return 2;
    for (int i = 7; i < argc; i++) {
        answer.format.has_kind |= strcmp(argv[i], "kind") == 0;
        answer.format.has_bitmaps |= strcmp(argv[i], "bitmaps") == 0;
        answer.format.wide_data |= strcmp(argv[i], "wide") == 0;
    }
    write_answer(&frames, &answer);
    save(argv[3], &frames);
    fl_flight_buffer_done(&frames);
    fl_flight_buffer_done(&file);
    return 0;
}

static int show_info(char **argv)
{
    struct fl_flight_buffer frames = read_file(argv[2]);
    struct fl_flight_bytes left = fl_flight_buffer_view(&frames);
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_bytes message;
    struct fl_flight_info info;

    while (next_frame(&left, &message)) {
        const struct fl_flight_endpoint *first = &info.endpoint[0];

        if (!fl_flight_read_info(message, &info, &fault) || info.endpoints != 1)
            return 1;
        (void)printf("%.*s %.*s %" PRId64 " %" PRId64 "\n", (int)first->ticket.size,
                     (const char *)first->ticket.data, (int)first->location[0].size,
                     (const char *)first->location[0].data, info.total_records, info.total_bytes);
    }
    fl_flight_buffer_done(&frames);
    return left.size == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "decode") == 0)
        return decode(argc, argv);
    if (argc >= 7 && strcmp(argv[1], "encode") == 0)
        return encode(argc, argv);
    if (argc == 3 && strcmp(argv[1], "info") == 0)
        return show_info(argv);
    return 2;
}
