/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "report/coverage.h"

static const struct {
    const char *text;
    int64_t covered, total; /* total -1: it is none */
} reports[] = {
    {"TN:\nSF:a.c\nDA:1,1\nDA:2,0\nLF:2\nLH:1\nend_of_record\nSF:b.c\nDA:1,9\nend_of_record\n", 2,
     3},
    {"SF:a.c\r\nDA:1,1\r\nend_of_record\r\n", 1, 1},
    {"SF:a.c\nDA:1,1\nend_of_record", 1, 1},
    {"SF:a.c\nDA:1,1\n", 0, -1}, /* cut */
    {"SF:a.c\nDA:1,1\nLF:x\nLH:-1\nend_of_record\n", 1, 1},
    {"SF:a.c\nDA:1,1\nLF:1\nLH:5\nend_of_record\n", 1, 1}, /* sums that cannot be */
    {"TAP version 13\n1..1\nok 1\n", 0, -1},
    {"<?xml version='1.0'?><coverage line-rate='0.5' lines-covered='1' lines-valid='2'/>", 1, 2},
    {"<!DOCTYPE coverage SYSTEM 'x'><coverage line-rate='1'><packages><class><methods><method><lines>"
     "<line number='1' hits='1'/></lines></method></methods><lines><line number='1' hits='1'/>"
     "<line number='2' hits='00'/></lines></class></packages></coverage>",
     1, 2},
    {"<coverage line-rate='1' lines-covered='3' lines-valid='2'/>", 0, 0},
    {"<coverage line-rate='0.5' lines-covered='1' lines-valid='2'>", 0, -1}, /* cut */
    {"<coverage generated='1' clover='3'/>", 0, -1},
    {"<testsuite/>", 0, -1},
    {"<!DOCTYPE c [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><c>&b;</c>", 0, -1},
    {"\xef\xbb\xbf\n <coverage line-rate='1' lines-covered='0' lines-valid='0'/>", 0, 0},
    {"\xef\xbb<coverage line-rate='1' lines-covered='1' lines-valid='1'/>", 0, -1},
    {"\xefTN:\nSF:a.c\nDA:1,1\nend_of_record\n", 0, -1},
    {"", 0, -1},
    {"  ", 0, -1},
    {"\x89PNG", 0, -1},
};

static void check(size_t i, size_t piece)
{
    struct coverage_reader *reader = coverage_open();
    const char *text = reports[i].text, *end = text + strlen(text);
    for (; text < end; text += piece)
        coverage_feed(reader, text, (size_t)(end - text) < piece ? (size_t)(end - text) : piece);
    struct coverage coverage = coverage_finish(reader);
    coverage_free(&reader);
    if (coverage.is_one != (reports[i].total >= 0) ||
        (coverage.is_one && (coverage.lines_covered != reports[i].covered ||
                             coverage.lines_total != reports[i].total)))
        fail_msg("report %zu: %d %d/%d", i, coverage.is_one, (int)coverage.lines_covered,
                 (int)coverage.lines_total);
}

static void reports_are_read_to_their_figure(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
        check(i, 1000);
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
        check(i, 7);
}

static void a_byte_order_mark_is_skipped_in_pieces_too(void **state)
{
    static const char *const texts[] = {
        "\xef\xbb\xbfTN:\nSF:a.c\nDA:1,5\nDA:2,0\nend_of_record\n",
        "\xef\xbb\xbf\n <coverage line-rate='1' lines-covered='1' lines-valid='2'/>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t piece = 1; piece < 5; piece++) {
            size_t length = strlen(texts[i]);
            struct coverage_reader *reader = coverage_open();
            for (size_t at = 0; at < length; at += piece)
                coverage_feed(reader, texts[i] + at, length - at < piece ? length - at : piece);
            struct coverage coverage = coverage_finish(reader);
            coverage_free(&reader);
            assert_true(coverage.is_one);
            assert_int_equal(coverage.lines_covered, 1);
            assert_int_equal(coverage.lines_total, 2);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_read_to_their_figure),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(a_byte_order_mark_is_skipped_in_pieces_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
