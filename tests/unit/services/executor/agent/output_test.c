/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to pieces of the log. */
#include "agent/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

struct kept {
    struct buffer text, marks;
    size_t largest, pieces;
};

static void keep(void *context, enum log_stream stream, const char *text)
{
    struct kept *kept = context;
    buffer_add_text(stream == LOG_VERDICT ? &kept->marks : &kept->text, text);
    kept->largest = strlen(text) > kept->largest ? strlen(text) : kept->largest;
    kept->pieces++;
}

struct fixture {
    struct masks *masks;
    struct output_budget budget;
    struct kept kept;
    struct output *output;
};

static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    fixture->masks = masks_new();
    fixture->budget.limit_bytes = 1000 * 1000;
    buffer_init(&fixture->kept.text, 8 * 1024 * 1024);
    buffer_init(&fixture->kept.marks, 4096);
    fixture->output =
        output_new(LOG_STDOUT, fixture->masks, &fixture->budget, keep, &fixture->kept);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    output_free(&fixture->output);
    masks_free(&fixture->masks);
    buffer_deinit(&fixture->kept.text);
    buffer_deinit(&fixture->kept.marks);
    free(fixture);
    return 0;
}

static void small_output_waits_for_its_time(void **state)
{
    struct fixture *f = *state;
    output_add(f->output, "hello", 5);
    int64_t now_ms = monotonic_ms(); /* not before what is timed has begun */
    assert_in_range(output_flush_due(f->output, now_ms), 1, OUTPUT_FLUSH_MS);
    assert_int_equal(f->kept.pieces, 0);
    assert_int_equal(output_flush_due(f->output, now_ms + OUTPUT_FLUSH_MS + 50), -1);
    assert_string_equal(buffer_text(&f->kept.text), "hello");
}

static void large_output_comes_in_bounded_pieces_of_whole_characters(void **state)
{
    struct fixture *f = *state;
    AUTO(text_free) char *text = xcalloc(1, 300001);
    for (int i = 0; i < 100000; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 3);
    for (size_t at = 0; at < 300000; at += 1000)
        output_add(f->output, text + at, 1000);
    output_finish(f->output);
    assert_string_equal(buffer_text(&f->kept.text), text);
    assert_true(f->kept.largest <= (size_t)LIMIT_LOG_CHUNK_BYTES);
}

static void a_character_cut_by_the_clock_stays_whole(void **state)
{
    struct fixture *f = *state;
    int64_t later_ms = monotonic_ms() + 10000;
    output_add(f->output, "a\xe2\x82", 3);
    output_flush_due(f->output, later_ms);
    output_add(f->output, "\xac", 1);
    output_finish(f->output);
    assert_string_equal(buffer_text(&f->kept.text), "a\xe2\x82\xac");
}

static void bytes_that_are_no_text_are_replaced_and_bounded(void **state)
{
    struct fixture *f = *state;
    AUTO(text_free) char *bytes = xcalloc(1, 200000);
    memset(bytes, 0xff, 200000);
    output_add(f->output, bytes, 200000);
    output_finish(f->output);
    assert_int_equal(f->kept.text.length, 600000);
    assert_true(f->kept.largest <= (size_t)LIMIT_LOG_CHUNK_BYTES);
}

static void beyond_the_limit_it_is_cut_with_one_mark(void **state)
{
    struct fixture *f = *state;
    f->budget.limit_bytes = 10;
    output_add(f->output, "0123456", 7);
    output_add(f->output, "789abc", 6);
    output_add(f->output, "more", 4);
    output_finish(f->output);
    assert_string_equal(buffer_text(&f->kept.text), "0123456789");
    assert_non_null(strstr(buffer_text(&f->kept.marks), "cut here, more than 10 bytes"));
    assert_true(f->budget.truncated);
    assert_int_equal(f->budget.seen_bytes, 17);
}

static void secrets_at_the_end_are_masked_too(void **state)
{
    struct fixture *f = *state;
    masks_add(f->masks, "hunter2");
    output_add(f->output, "it is hunt", 10);
    output_flush_due(f->output, monotonic_ms() + 10000);
    assert_string_equal(buffer_text(&f->kept.text), "it is ");
    output_add(f->output, "er2", 3);
    output_finish(f->output);
    assert_string_equal(buffer_text(&f->kept.text), "it is ***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_output_waits_for_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_output_comes_in_bounded_pieces_of_whole_characters,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_character_cut_by_the_clock_stays_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_replaced_and_bounded, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(beyond_the_limit_it_is_cut_with_one_mark, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(secrets_at_the_end_are_masked_too, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
