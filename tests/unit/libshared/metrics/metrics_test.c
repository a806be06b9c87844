/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/metrics.h"

enum { COUNTER, GAUGE, LABELLED, SECONDS };
static struct metric list[] = {
    [COUNTER] = {.name = "t_things_total", .type = METRIC_COUNTER, .help = "things"},
    [GAUGE] = {.name = "t_age_seconds", .type = METRIC_GAUGE, .help = "age"},
    [LABELLED] = {.name = "t_requests_total",
                  .type = METRIC_COUNTER,
                  .help = "requests",
                  .labels = {"method", "status"}},
    [SECONDS] = {.name = "t_took_seconds", .type = METRIC_HISTOGRAM, .help = "took"},
};

static char *print(void)
{
    struct buffer out;
    buffer_init(&out, (size_t)64 * 1024);
    metrics_print(&out);
    return buffer_take(&out);
}

static void expect_line(const char *line)
{
    AUTO(text_free) char *text = print();
    AUTO(text_free) char *whole = xasprintf("\n%s\n", line);
    if (strstr(text, whole) == NULL)
        fail_msg("%s is not in:\n%s", line, text);
}

static void families_are_there_before_anything_happened(void **state)
{
    (void)state;
    expect_line("# TYPE t_things_total counter");
    expect_line("# HELP t_age_seconds age");
    expect_line("t_things_total 0");
    expect_line("t_age_seconds 0");
    expect_line("t_took_seconds_count 0");
}

static void counters_add_and_gauges_are_set(void **state)
{
    (void)state;
    metric_add(&list[COUNTER], 2);
    metric_add(&list[COUNTER], 1);
    metric_set(&list[GAUGE], 4.5);
    metric_set(&list[GAUGE], 1.5);
    expect_line("t_things_total 3");
    expect_line("t_age_seconds 1.5");
}

static void each_set_of_labels_counts_for_itself(void **state)
{
    (void)state;
    metric_add_labelled(&list[LABELLED], 1, (const char *const[]){"GET", "200"});
    metric_add_labelled(&list[LABELLED], 1, (const char *const[]){"GET", "200"});
    metric_add_labelled(&list[LABELLED], 1, (const char *const[]){"GET", "404"});
    expect_line("t_requests_total{method=\"GET\",status=\"200\"} 2");
    expect_line("t_requests_total{method=\"GET\",status=\"404\"} 1");
}

static void buckets_hold_everything_up_to_their_bound(void **state)
{
    (void)state;
    metric_observe(&list[SECONDS], 0.004);
    metric_observe(&list[SECONDS], 0.25);
    metric_observe(&list[SECONDS], 100);
    expect_line("t_took_seconds_bucket{le=\"0.0025\"} 0");
    expect_line("t_took_seconds_bucket{le=\"0.005\"} 1");
    expect_line("t_took_seconds_bucket{le=\"0.25\"} 2");
    expect_line("t_took_seconds_bucket{le=\"60\"} 2");
    expect_line("t_took_seconds_bucket{le=\"+Inf\"} 3");
    expect_line("t_took_seconds_count 3");
}

static void *count_many(void *context)
{
    for (int i = 0; i < 10000; i++)
        metric_add(&list[COUNTER], 1);
    return context;
}

static void threads_lose_no_count(void **state)
{
    pthread_t threads[4];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    expect_line("t_things_total 40003");
}

static int set_up(void **state)
{
    (void)state;
    metrics_register(list, ARRAY_SIZE(list));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_are_there_before_anything_happened),
        cmocka_unit_test(counters_add_and_gauges_are_set),
        cmocka_unit_test(each_set_of_labels_counts_for_itself),
        cmocka_unit_test(buckets_hold_everything_up_to_their_bound),
        cmocka_unit_test(threads_lose_no_count),
    };
    return cmocka_run_group_tests_name("metrics", tests, set_up, NULL);
}
