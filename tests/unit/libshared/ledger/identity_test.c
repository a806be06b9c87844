/* SPDX-License-Identifier: Apache-2.0 */
/* Is the log the log that it was? */
#include "ledger/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct record record_at(int64_t offset, const char *payload)
{
    return (struct record){.offset = offset,
                           .key = "k",
                           .key_length = 1,
                           .payload = payload,
                           .payload_length = strlen(payload),
                           .timestamp_ms = 1000};
}

static void the_same_record_is_the_same_log(void **state)
{
    struct record record = record_at(41, "a");
    struct record_hash stored = record_hash_make(&record);
    (void)state;
    assert_int_equal(log_identity_of_record(42, &stored, &record, 0), LOG_IS_SAME);
}

static void another_payload_key_or_time_is_another_log(void **state)
{
    struct record was = record_at(41, "a");
    struct record_hash stored = record_hash_make(&was);
    struct record payload = record_at(41, "b"), key = was, time = was;
    (void)state;
    key.key = "l";
    time.timestamp_ms = 1001;
    assert_int_equal(log_identity_of_record(42, &stored, &payload, 0), LOG_IS_OTHER);
    assert_int_equal(log_identity_of_record(42, &stored, &key, 0), LOG_IS_OTHER);
    assert_int_equal(log_identity_of_record(42, &stored, &time, 0), LOG_IS_OTHER);
}

static void what_was_never_read_cannot_differ(void **state)
{
    struct record record = record_at(7, "a");
    struct record_hash none = {.known = false};
    (void)state;
    assert_int_equal(log_identity_of_record(7, &none, &record, 0), LOG_IS_SAME);
    assert_int_equal(log_identity_of_record(7, &none, NULL, 0), LOG_IS_SAME);
}

static void nothing_read_yet_is_not_known(void **state)
{
    struct record record = record_at(41, "a");
    struct record_hash stored = record_hash_make(&record);
    (void)state;
    assert_int_equal(log_identity_of_record(42, &stored, NULL, 0), LOG_NOT_KNOWN);
}

static void gone_by_retention_is_the_same_log(void **state)
{
    struct record was = record_at(41, "a"), next = record_at(42, "b"), later = record_at(50, "c");
    struct record_hash stored = record_hash_make(&was);
    (void)state;
    assert_int_equal(log_identity_of_record(42, &stored, &next, 42), LOG_IS_SAME);
    assert_int_equal(log_identity_of_record(42, &stored, &later, 50), LOG_IS_OTHER);
    assert_int_equal(log_identity_of_range(42, 42, 42), LOG_IS_SAME);
    assert_int_equal(log_identity_of_range(42, 42, 100), LOG_IS_SAME);
}

static void an_offset_outside_the_log_is_another_log(void **state)
{
    (void)state;
    assert_int_equal(log_identity_of_range(42, 0, 41), LOG_IS_OTHER);
    assert_int_equal(log_identity_of_range(42, 0, 0), LOG_IS_OTHER);
    assert_int_equal(log_identity_of_range(42, 43, 100), LOG_IS_OTHER);
    assert_int_equal(log_identity_of_range(42, 0, 42), LOG_IS_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_record_is_the_same_log),
        cmocka_unit_test(another_payload_key_or_time_is_another_log),
        cmocka_unit_test(what_was_never_read_cannot_differ),
        cmocka_unit_test(nothing_read_yet_is_not_known),
        cmocka_unit_test(gone_by_retention_is_the_same_log),
        cmocka_unit_test(an_offset_outside_the_log_is_another_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
