/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/labels.h"
#include "model/limits.h"

static json_t *worker(void)
{
    return json_pack("{s:s, s:i, s:b, s:b, s:s}", "os", "linux", "memory_mb", 8192, "gpu", 1,
                     "display", 0, "python", "3.11");
}

static void predicates_hold_as_they_are_written(void **state)
{
    static const struct {
        const char *text;
        bool holds;
    } rows[] = {
        {"os=linux", true},
        {"os=darwin", false},
        {"os!=darwin", true},
        {"os!=linux", false},
        {"memory_mb>=8192", true},
        {"memory_mb>=8193", false},
        {"memory_mb>8192", false},
        {"memory_mb<=8192", true},
        {"memory_mb<8192", false},
        {"memory_mb=8192", true},
        {"memory_mb=8192.0", true},
        {"memory_mb!=1", true},
        {"gpu", true},
        {"!gpu", false},
        {"gpu=true", true},
        {"display", false},
        {"!display", true},
        {"display=false", true},
        {"browser", false},
        {"!browser", true},
        {"browser=firefox", false},
        {"browser!=safari", true},
        {"browser>=2", false},
        {"python>=3.9", false},
        {"python=3.11", true},
        {"python=3.110", true},
        {"os>=1", false},
    };
    AUTO(json_free) json_t *labels = worker();
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct predicate *predicate = NULL;
        struct error error;
        assert_int_equal(predicate_parse(rows[i].text, &predicate, &error), 0);
        if (predicate_holds(predicate, labels) != rows[i].holds)
            fail_msg("%s", rows[i].text);
        predicate_free(&predicate);
    }
}

static void what_is_no_predicate_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "=", "=x", "gpu=", "!gpu=cuda", "a b=c", "cpu>=two", "memory_mb<", "ä=1", "!", ">=5"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct predicate *predicate = NULL;
        struct error error;
        if (predicate_parse(texts[i], &predicate, &error) == 0)
            fail_msg("\"%s\" was taken", texts[i]);
        assert_string_equal(error.code, "invalid");
    }
}

static struct requirements *parse(const char *text)
{
    struct requirements *requirements = NULL;
    struct error error;
    AUTO(json_free) json_t *list = json_loads(text, 0, NULL);
    assert_int_equal(requirements_parse(list, &requirements, &error), 0);
    return requirements;
}

static void the_order_of_requirements_makes_no_other_class(void **state)
{
    AUTO(requirements_free) struct requirements *one = parse("[\"gpu=cuda\", \"os=linux\"]");
    AUTO(requirements_free) struct requirements *other = parse("[\"os=linux\", \"gpu=cuda\"]");
    AUTO(requirements_free) struct requirements *third = parse("[\"os=linux\"]");
    (void)state;
    assert_string_equal(requirements_class(one), requirements_class(other));
    assert_string_not_equal(requirements_class(one), requirements_class(third));
}

static void the_unmet_requirement_is_named(void **state)
{
    AUTO(json_free) json_t *labels = worker();
    AUTO(requirements_free) struct requirements *met = parse("[\"os=linux\", \"gpu\"]");
    AUTO(requirements_free) struct requirements *unmet = parse("[\"os=linux\", \"gpu=cuda\"]");
    (void)state;
    assert_null(requirements_unmet(met, labels));
    assert_true(requirements_hold(met, labels));
    assert_string_equal(requirements_unmet(unmet, labels), "gpu=cuda");
    assert_false(requirements_hold(unmet, labels));
}

static void no_requirements_are_always_met(void **state)
{
    AUTO(requirements_free) struct requirements *none = parse("[]");
    (void)state;
    assert_true(requirements_hold(none, NULL));
    assert_string_equal(requirements_class(none), "");
}

static void a_bad_entry_is_named(void **state)
{
    AUTO(json_free) json_t *list = json_pack("[s, s]", "os=linux", "gpu=");
    AUTO(json_free) json_t *numbers = json_pack("[i]", 1);
    struct requirements *requirements = NULL;
    struct error error;
    (void)state;
    assert_int_equal(requirements_parse(list, &requirements, &error), -1);
    assert_string_equal(error.field, "requirements[1]");
    assert_int_equal(requirements_parse(numbers, &requirements, &error), -1);
    assert_string_equal(error.field, "requirements[0]");
}

static void too_many_are_refused_with_the_bound(void **state)
{
    AUTO(json_free) json_t *list = json_array();
    struct requirements *requirements = NULL;
    struct error error;
    (void)state;
    for (int i = 0; i <= LIMIT_REQUIREMENTS; i++)
        json_array_append_new(list, json_string("gpu"));
    assert_int_equal(requirements_parse(list, &requirements, &error), -1);
    assert_non_null(strstr(error.text, "32"));
}

static void labels_are_texts_numbers_and_booleans(void **state)
{
    AUTO(json_free) json_t *good = worker();
    AUTO(json_free) json_t *nested = json_pack("{s:{}}", "gpu");
    AUTO(json_free) json_t *name = json_pack("{s:s}", "a b", "c");
    AUTO(json_free) json_t *list = json_array();
    struct error error;
    (void)state;
    assert_int_equal(labels_check(good, &error), 0);
    assert_int_equal(labels_check(nested, &error), -1);
    assert_non_null(strstr(error.text, "labels.gpu"));
    assert_int_equal(labels_check(name, &error), -1);
    assert_int_equal(labels_check(list, &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predicates_hold_as_they_are_written),
        cmocka_unit_test(what_is_no_predicate_is_refused),
        cmocka_unit_test(the_order_of_requirements_makes_no_other_class),
        cmocka_unit_test(the_unmet_requirement_is_named),
        cmocka_unit_test(no_requirements_are_always_met),
        cmocka_unit_test(a_bad_entry_is_named),
        cmocka_unit_test(too_many_are_refused_with_the_bound),
        cmocka_unit_test(labels_are_texts_numbers_and_booleans),
    };
    return cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
