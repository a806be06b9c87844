/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message/task_stream.h"
#include "migration_checks.h"
#include "model/endings.h"
#include "model/states.h"

static const struct {
    const char *table, *column;
    const struct names *names;
    int first;
} checks[] = {
    {"scheduling.run_state", "state", &run_state_names, 0},
    {"scheduling.run_state", "reason", &reason_names, REASON_NONE + 1},
    {"scheduling.task", "state", &task_state_names, 0},
    {"scheduling.task", "kind", &task_kind_names, 0},
    {"results.result", "status", &result_status_names, 0},
    {"results.task_record", "ending", &ending_kind_names, 0},
    {"results.task_record", "report", &report_state_names, 0},
    {"results.log_chunk", "stream", &log_stream_names, 0},
};

static void the_checks_of_the_migrations_are_the_tables_in_c(void **state)
{
    AUTO(text_free) char *sql = migrations_read();
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
        assert_check_is(sql, checks[i].table, checks[i].column, checks[i].names, checks[i].first);
}

/* A run has an end exactly when its state is final. */
static void final_states_are_the_same_there(void **state)
{
    AUTO(text_free) char *sql = migrations_read();
    AUTO(text_free) char *finals = xstrdup("");
    (void)state;
    for (int value = 0; value < run_state_names.count; value++) {
        AUTO(text_free) char *before = TAKE(finals);
        const char *name = names_get(&run_state_names, value);
        if (run_state_is_final((enum run_state)value))
            finals = xasprintf("%s%s'%s'", before, before[0] == '\0' ? "" : ", ", name);
        else
            finals = TAKE(before);
    }
    AUTO(text_free)
    char *check = xasprintf("CHECK ((state IN (%s)) = (finished_at IS NOT NULL))", finals);
    assert_non_null(strstr(sql, check));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checks_of_the_migrations_are_the_tables_in_c),
        cmocka_unit_test(final_states_are_the_same_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
