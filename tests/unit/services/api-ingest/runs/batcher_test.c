/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "runs/batcher.h"

static struct trigger make(const char *project, char *key, const char *run, uint8_t hash)
{
    struct trigger trigger = {.key = key, .body_hash = {hash}};
    strncpy(trigger.project_id.text, project, UUID_TEXT_SIZE - 1);
    strncpy(trigger.run_id.text, run, UUID_TEXT_SIZE - 1);
    return trigger;
}

static char key_a[] = "a", key_b[] = "b";

static void equal_keys_follow_the_first_that_came(void **state)
{
    struct trigger first = make("p", key_a, "1", 7), second = make("p", key_a, "2", 7),
                   other = make("p", key_b, "3", 7);
    struct trigger *list[] = {&second, &other, &first};
    (void)state;

    batch_fold(list, 3);

    assert_ptr_equal(second.same, &first);
    assert_null(first.same);
    assert_null(other.same);
    assert_int_equal(second.outcome, TRIGGER_OPEN);
}

static void an_equal_key_with_another_body_is_refused(void **state)
{
    struct trigger first = make("p", key_a, "1", 7), second = make("p", key_a, "2", 8);
    struct trigger *list[] = {&first, &second};
    (void)state;

    batch_fold(list, 2);

    assert_int_equal(first.outcome, TRIGGER_OPEN);
    assert_int_equal(second.outcome, TRIGGER_REFUSED);
    assert_true(error_is(&second.error, "unprocessable"));
}

static void keys_of_projects_and_triggers_without_one_stand_alone(void **state)
{
    struct trigger list_of[] = {make("p", NULL, "4", 7), make("q", key_a, "3", 7),
                                make("p", key_a, "2", 7), make("p", NULL, "1", 7)};
    struct trigger *list[] = {&list_of[0], &list_of[1], &list_of[2], &list_of[3]};
    (void)state;

    batch_fold(list, 4);

    for (size_t i = 0; i < ARRAY_SIZE(list_of); i++)
        assert_null(list_of[i].same);
    assert_ptr_equal(list[0], &list_of[2]); /* sorted by project and key, those without last */
    assert_ptr_equal(list[1], &list_of[1]);
    assert_ptr_equal(list[2], &list_of[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_follow_the_first_that_came),
        cmocka_unit_test(an_equal_key_with_another_body_is_refused),
        cmocka_unit_test(keys_of_projects_and_triggers_without_one_stand_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
