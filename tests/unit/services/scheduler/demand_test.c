/* SPDX-License-Identifier: Apache-2.0 */
/* The gauge of wanted slots, when users make more classes up than there are places. */
#include "demand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

static struct metric gauge[] = {
    {.name = "t_demand", .type = METRIC_GAUGE, .help = "wanted", .labels = {"class"}}};

static char *print(void)
{
    struct buffer out;
    buffer_init(&out, (size_t)64 * 1024);
    metrics_print(&out);
    return buffer_take(&out);
}

/* What the gauge says of a class; -1: nothing. */
static int shown(const char *class)
{
    AUTO(text_free) char *text = print(), *head = xasprintf("t_demand{class=\"%s\"} ", class);
    const char *line = strstr(text, head);
    return line == NULL ? -1 : atoi(line + strlen(head));
}

static int shown_sum(void)
{
    AUTO(text_free) char *text = print();
    int sum = 0;
    for (const char *line = text; (line = strstr(line, "\"} ")) != NULL; line++)
        sum += atoi(line + 3);
    return sum;
}

static int set_up(void **state)
{
    *state = demand_new(gauge);
    return 0;
}

static int tear_down(void **state)
{
    struct demand *demand = *state;
    demand_begin(demand, 0);
    demand_free(&demand);
    for (int i = 0; i < 2 * DEMAND_CLASSES; i++) {
        AUTO(text_free) char *class = xasprintf("throwaway-%d", i);
        metric_remove_labelled(gauge, (const char *const[]){class});
    }
    metric_remove_labelled(gauge, (const char *const[]){"other"});
    return 0;
}

static void add_throwaways(struct demand *demand, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        AUTO(text_free) char *class = xasprintf("throwaway-%d", i);
        demand_add(demand, class, 1);
    }
}

static void what_is_not_wanted_any_more_falls_to_0(void **state)
{
    struct demand *demand = *state;
    demand_begin(demand, 1000);
    demand_add(demand, "throwaway-1", 2);
    demand_add(demand, "throwaway-1", 3);
    demand_show(demand);
    assert_int_equal(shown("throwaway-1"), 5);

    demand_begin(demand, 2000);
    demand_show(demand);

    assert_int_equal(shown("throwaway-1"), 0);
    assert_int_equal(shown("other"), 0);
}

static void what_has_no_place_is_counted_together(void **state)
{
    struct demand *demand = *state;
    demand_begin(demand, 1000);
    add_throwaways(demand, 0, DEMAND_CLASSES + 7);
    demand_add(demand, "other", 2); /* somebody's own label */
    demand_show(demand);

    assert_int_equal(shown("throwaway-49"), 1);
    assert_int_equal(shown("throwaway-50"), -1);
    assert_int_equal(shown("other"), 9);
    assert_int_equal(shown_sum(), DEMAND_CLASSES + 9);
}

static void idle_classes_give_their_places_to_later_ones_the_idlest_first(void **state)
{
    struct demand *demand = *state;
    demand_begin(demand, 1000);
    add_throwaways(demand, 0, DEMAND_CLASSES);
    demand_show(demand);
    demand_begin(demand, 2000);
    add_throwaways(demand, 1, DEMAND_CLASSES - 1); /* number 0 is idle */
    demand_show(demand);

    demand_begin(demand, 1000 + DEMAND_IDLE_MS - 1);
    add_throwaways(demand, DEMAND_CLASSES, 1);
    demand_show(demand);
    assert_int_equal(shown("throwaway-50"), -1);
    assert_int_equal(shown("other"), 1);

    demand_begin(demand, 1000 + DEMAND_IDLE_MS);
    add_throwaways(demand, DEMAND_CLASSES, 2);
    demand_show(demand);
    assert_int_equal(shown("throwaway-0"), -1);
    assert_int_equal(shown("throwaway-50"), 1);
    assert_int_equal(shown("throwaway-1"), 0);
    assert_int_equal(shown("other"), 1);
    assert_int_equal(shown_sum(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_wanted_any_more_falls_to_0, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_place_is_counted_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            idle_classes_give_their_places_to_later_ones_the_idlest_first, set_up, tear_down),
    };
    metrics_register(gauge, ARRAY_SIZE(gauge));
    return cmocka_run_group_tests_name("demand", tests, NULL, NULL);
}
