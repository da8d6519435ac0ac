/* SPDX-License-Identifier: Apache-2.0 */
/* Answers without a server: gRPC may hold a message for longer than anything else is there. */
#include "answer.h"

#include <criterion/criterion.h>
#include <string.h>

#define TICKET "a/b/c:0"
#define BYTES "the bytes of an object"

static struct fl_cache_store *store_with_an_object(void)
{
    struct fl_cache_store_config config = {.directory = NULL};
    struct fl_cache_status status = {FL_CACHE_OK, ""};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct flame_slice slice = {BYTES, strlen(BYTES)};
    struct fl_cache_store *store = NULL;
    struct fl_cache_draft *draft;
    struct fl_flight_key key;
    uint32_t passed_over;
    uint64_t version;

    cr_assert(fl_flight_key_parse(&key, fl_flight_text("a/b/c"), FL_FLIGHT_KEY_OBJECT, &fault));
    cr_assert(fl_cache_store_open(&store, &config, &passed_over, &status), "%s", status.text);
    draft = fl_cache_draft_new(store, &status);
    cr_assert(draft && fl_cache_draft_write(draft, &slice, 1, &status) &&
                  fl_cache_draft_part(draft, false, &status) &&
                  fl_cache_store_put(store, draft, &key, &version, &status),
              "%s", status.text);
    fl_cache_draft_free(draft);
    return store;
}

static bool has_piece(const struct fl_cache_message *message, const char *bytes)
{
    for (uint32_t i = 0; i < message->pieces; i++) {
        if (message->piece[i].size == strlen(bytes) &&
            memcmp(message->piece[i].data, bytes, strlen(bytes)) == 0)
            return true;
    }
    return false;
}

Test(answer, a_message_outlives_its_answer_and_the_store)
{
    for (int layout = FL_CACHE_LAYOUT_ONE; layout <= FL_CACHE_LAYOUT_BATCHES; layout++) {
        struct fl_cache_service service = {.store = store_with_an_object(),
                                           .layout = (enum fl_cache_layout)layout};
        struct fl_cache_status status = {FL_CACHE_OK, ""};
        struct fl_cache_message schema = {.pieces = 0};
        struct fl_cache_message row = {.pieces = 0};
        struct fl_cache_answer *answer;

        answer = fl_cache_answer_new(&service, fl_flight_text(TICKET), &status);
        cr_assert_not_null(answer, "%s", status.text);
        cr_assert_eq(fl_cache_answer_next(answer, &schema, &status), FL_CACHE_STEP_MESSAGE);
        cr_assert_eq(fl_cache_answer_next(answer, &row, &status), FL_CACHE_STEP_MESSAGE);
        fl_cache_answer_free(answer);
        fl_cache_store_close(service.store);
        cr_expect(has_piece(&row, BYTES));
        fl_cache_message_done(&schema);
        fl_cache_message_done(&row);
    }
}
