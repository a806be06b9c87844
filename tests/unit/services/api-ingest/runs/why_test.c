/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "runs/why.h"

static void add_worker(struct why_workers *workers, const char *requirement, const char *state,
                       json_t *labels, int64_t slots, int64_t busy)
{
    AUTO(json_free) json_t *list = json_pack("[s]", requirement);
    AUTO(json_free) json_t *owned = labels;
    AUTO(requirements_free) struct requirements *requirements = NULL;
    assert_int_equal(requirements_parse(list, &requirements, NULL), 0);
    why_workers_add(workers, requirements, state, owned, slots, busy);
}

static const char *class_at(const json_t *reasons, size_t index)
{
    return json_find_text(json_array_get(reasons, index), "class");
}

static const char *text_at(const json_t *reasons, size_t index)
{
    return json_find_text(json_array_get(reasons, index), "text");
}

static void workers_are_counted_by_the_label_that_they_lack(void **state)
{
    struct why_workers workers = {.total = 0};
    (void)state;

    add_worker(&workers, "gpu=cuda", "online", json_pack("{s:s}", "gpu", "cuda"), 4, 1);
    add_worker(&workers, "gpu=cuda", "online", json_object(), 2, 0);
    add_worker(&workers, "gpu=cuda", "suspect", json_object(), 2, 0);
    add_worker(&workers, "gpu=cuda", "lost", json_pack("{s:s}", "gpu", "cuda"), 9, 0);

    assert_int_equal(workers.total, 4);
    assert_int_equal(workers.reachable, 3);
    assert_int_equal(workers.capable, 1);
    assert_int_equal(workers.free_slots, 3);
    assert_int_equal(json_find_int(workers.unmet, "gpu=cuda", 0), 2);
    json_free(&workers.unmet);
}

static void a_pool_without_a_scheduler_is_said_to_be(void **state)
{
    AUTO(json_free)
    json_t *run = json_pack("{s:s, s:{s:s, s:s, s:s}}", "state", "queued", "wait", "class",
                            "not_seen", "text", "no scheduler has read it yet", "since", "then");
    struct why_workers workers = {.total = 0};
    const struct why_facts facts = {.run = run,
                                    .owner_is_known = true,
                                    .pool = "default",
                                    .owner_alive_at = "10:00",
                                    .workers = &workers,
                                    .ahead_other_projects = 2};
    (void)state;

    AUTO(json_free) json_t *reasons = why_reasons(&facts);

    assert_string_equal(class_at(reasons, 0), "not_seen");
    assert_string_equal(class_at(reasons, 1), "no_scheduler");
    assert_string_equal(text_at(reasons, 1), "no scheduler has owned the pool default since 10:00");
    assert_string_equal(class_at(reasons, 2), "no_worker");
    assert_string_equal(text_at(reasons, 3), "2 runs of other projects go first in the pool");
}

static void a_final_run_says_how_it_ended(void **state)
{
    AUTO(json_free)
    json_t *run =
        json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "state", "cancelled", "reason", "cancelled",
                  "reason_text", "cancelled", "reason_detail", "by hand", "actor", "name", "ci");
    const struct why_facts facts = {.run = run, .is_final = true};
    (void)state;

    AUTO(json_free) json_t *reasons = why_reasons(&facts);

    assert_int_equal(json_array_size(reasons), 1);
    assert_string_equal(text_at(reasons, 0), "it is over: cancelled, by ci: by hand");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_are_counted_by_the_label_that_they_lack),
        cmocka_unit_test(a_pool_without_a_scheduler_is_said_to_be),
        cmocka_unit_test(a_final_run_says_how_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
