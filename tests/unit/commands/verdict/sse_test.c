/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "sse.h"

static struct buffer seen; /* "type=data;" of each event */

static void on_event(void *context, const char *type, const char *data)
{
    (void)context;
    buffer_addf(&seen, "%s=%s;", type, data);
}

/* In pieces of `size` bytes; the reader's last id, and what was seen in `seen`. */
static int64_t read_in_pieces(const char *text, size_t size)
{
    struct sse_reader reader;
    size_t length = strlen(text);
    buffer_init(&seen, SSE_EVENT_BYTES * 2);
    sse_reader_init(&reader, on_event, NULL);
    for (size_t at = 0; at < length; at += size)
        sse_reader_feed(&reader, text + at, length - at < size ? length - at : size);
    int64_t id = reader.last_id;
    sse_reader_deinit(&reader);
    return id;
}

static void events_are_the_same_in_pieces_of_any_size(void **state)
{
    static const char text[] = "retry: 1000\n\nid: 3\nevent: run.started\ndata: {\"a\":1}\n\n:\n\n"
                               "event: run.progress\r\ndata:{}\r\n\r\ndata: one\ndata: two\n\n";
    (void)state;
    for (size_t size = 1; size < sizeof text; size++) {
        assert_int_equal(read_in_pieces(text, size), 3);
        assert_string_equal(buffer_text(&seen),
                            "run.started={\"a\":1};run.progress={};message=one\ntwo;");
        buffer_deinit(&seen);
    }
}

static void an_event_without_data_or_end_is_none(void **state)
{
    (void)state;
    assert_int_equal(read_in_pieces("event: a\n\nid: x\nevent: b\ndata: 1\n", 1000), -1);
    assert_string_equal(buffer_text(&seen), "");
    buffer_deinit(&seen);
}

static void what_is_too_long_is_left_out_whole(void **state)
{
    (void)state;
    AUTO(text_free) char *text = xcalloc(1, SSE_EVENT_BYTES + 200);
    strcpy(text, "event: big\ndata: ");
    memset(text + strlen(text), 'x', SSE_EVENT_BYTES);
    strcat(text, "\ndata: more\n\nevent: small\ndata: 1\n\n");

    read_in_pieces(text, 4096);

    assert_string_equal(buffer_text(&seen), "small=1;");
    buffer_deinit(&seen);
}

static void only_the_format_speaks(void **state)
{
    static const struct {
        const char *text;
        bool speaks;
    } cases[] = {{"<html>\n\n<p>Sign in</p>\n", false}, {":\n\n", true}, {"retry: 1\n", true}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sse_reader reader;
        sse_reader_init(&reader, on_event, NULL);
        sse_reader_feed(&reader, cases[i].text, strlen(cases[i].text));
        assert_int_equal(reader.has_spoken, cases[i].speaks);
        sse_reader_deinit(&reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_the_same_in_pieces_of_any_size),
        cmocka_unit_test(an_event_without_data_or_end_is_none),
        cmocka_unit_test(what_is_too_long_is_left_out_whole),
        cmocka_unit_test(only_the_format_speaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
