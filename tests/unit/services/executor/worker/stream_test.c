/* SPDX-License-Identifier: Apache-2.0 */
/* The book-keeping of a stream: what is on the disk, what was sent, what the broker has. */
#include "worker/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

#define RUN      "01890000-0000-7000-8000-000000000001"
#define TASK     "01890000-0000-7000-8000-000000000002"
#define DISPATCH "11111111-2222-4333-8444-555555555555"

struct fixture {
    char directory[64];
    struct spool *spool;
    struct stream stream;
};

static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    struct error error;
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/stream-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(spool_open(fixture->directory, &fixture->spool, &error), 0);
    fixture->stream.file = spool_file_create(fixture->spool, DISPATCH, "header");
    backoff_init(&fixture->stream.retry, 10000, 10000);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    AUTO(text_free) char *command = xasprintf("rm -rf '%s'", fixture->directory);
    spool_file_close(&fixture->stream.file);
    spool_close(&fixture->spool);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void the_header_says_what_the_stream_belongs_to(void **state)
{
    struct stream stream = {.attempt = 3, .partition = 2}, read = {.attempt = 0};
    struct error error;
    (void)state;
    assert_int_equal(uuid_parse(RUN, &stream.run_id, &error), 0);
    assert_int_equal(uuid_parse(TASK, &stream.task_id, &error), 0);
    assert_int_equal(uuid_parse(DISPATCH, &stream.dispatch_id, &error), 0);

    AUTO(text_free) char *header = stream_header(&stream);

    assert_int_equal(stream_read_header(header, &read, &error), 0);
    assert_string_equal(read.run_id.text, RUN);
    assert_string_equal(read.task_id.text, TASK);
    assert_string_equal(read.dispatch_id.text, DISPATCH);
    assert_int_equal(read.attempt, 3);
    assert_int_equal(read.partition, 2);
}

static void a_header_that_names_nothing_is_refused(void **state)
{
    static const char *const headers[] = {"",
                                          "{",
                                          "[]",
                                          "{}",
                                          "{\"run_id\":\"" RUN "\",\"task_id\":\"" TASK "\"}",
                                          "{\"run_id\":\"" RUN "\",\"task_id\":\"" TASK
                                          "\",\"dispatch_id\":\"x\"}"};
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        struct stream read = {.attempt = 7};
        struct error error;
        assert_int_equal(stream_read_header(headers[i], &read, &error), -1);
        assert_int_equal(read.attempt, 7); /* written on success alone */
    }
}

static void a_stream_is_delivered_when_the_broker_has_its_last_item(void **state)
{
    struct stream *stream = &((struct fixture *)*state)->stream;
    const struct stream_planned planned = {.count = 1};
    stream_add(stream, ITEM_PLANNED, &planned);
    stream_add(stream, ITEM_PLANNED, &planned);

    stream_on_delivery(stream, 1, DELIVERY_OK);
    assert_false(stream_is_delivered(stream));
    stream_on_delivery(stream, 2, DELIVERY_OK);

    assert_true(stream_is_delivered(stream));
    stream_add(stream, ITEM_PLANNED, &planned);
    assert_false(stream_is_delivered(stream));
}

static void what_was_not_delivered_is_sent_again_from_there(void **state)
{
    struct stream *stream = &((struct fixture *)*state)->stream;
    stream->sent = 30;
    stream_on_delivery(stream, 10, DELIVERY_OK);

    stream_on_delivery(stream, 20, DELIVERY_FAILED);

    assert_int_equal(stream->delivered, 10);
    assert_int_equal(stream->sent, 10);
    assert_false(backoff_is_due(&stream->retry));
}

static void a_report_of_an_earlier_item_takes_nothing_back(void **state)
{
    struct stream *stream = &((struct fixture *)*state)->stream;
    stream->sent = 30;

    stream_on_delivery(stream, 30, DELIVERY_OK);
    stream_on_delivery(stream, 10, DELIVERY_OK);

    assert_int_equal(stream->delivered, 30);
    assert_int_equal(stream->sent, 30);
}

static void sending_again_begins_with_the_first_item(void **state)
{
    struct stream *stream = &((struct fixture *)*state)->stream;
    const struct stream_planned planned = {.count = 1};
    stream_add(stream, ITEM_PLANNED, &planned);
    stream->sent = 1;
    stream_on_delivery(stream, 1, DELIVERY_OK);

    stream_send_again(stream);

    assert_int_equal(stream->sent, 0);
    assert_false(stream_is_delivered(stream));
}

static void what_did_not_reach_the_disk_is_asked_for_again(void **state)
{
    struct stream *stream = &((struct fixture *)*state)->stream;
    stream->flush_asked = 5;

    stream_on_flushed(stream, 3, true);
    stream_on_flushed(stream, 5, false);

    assert_int_equal(stream->durable, 3);
    assert_int_equal(stream->flush_asked, 3);
    assert_true(stream->new_name); /* its name as well */
}

static void an_older_flush_takes_nothing_back(void **state)
{
    struct stream *stream = &((struct fixture *)*state)->stream;

    stream_on_flushed(stream, 5, true);
    stream_on_flushed(stream, 3, true);

    assert_int_equal(stream->durable, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_says_what_the_stream_belongs_to),
        cmocka_unit_test(a_header_that_names_nothing_is_refused),
        TEST(a_stream_is_delivered_when_the_broker_has_its_last_item),
        TEST(what_was_not_delivered_is_sent_again_from_there),
        TEST(a_report_of_an_earlier_item_takes_nothing_back),
        TEST(sending_again_begins_with_the_first_item),
        TEST(what_did_not_reach_the_disk_is_asked_for_again),
        TEST(an_older_flush_takes_nothing_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
