/* SPDX-License-Identifier: Apache-2.0 */
/* The CHECK constraints of the migrations allow exactly what the tables in C know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "message/task_stream.h"
#include "model/endings.h"
#include "model/states.h"

#define SQL_MAX ((size_t)1024 * 1024)

static const struct {
    const char *table, *column;
    const struct names *names;
} rows[] = {
    {"scheduling.run_state", "state", &run_state_names},
    {"scheduling.run_state", "reason", &reason_names},
    {"scheduling.task", "state", &task_state_names},
    {"scheduling.task", "kind", &task_kind_names},
    {"results.result", "status", &result_status_names},
    {"results.task_record", "ending", &ending_kind_names},
    {"results.task_record", "report", &report_state_names},
};

/* All migrations, one behind the other. */
static char *read_migrations(void)
{
    struct buffer sql;
    glob_t found;
    buffer_init(&sql, SQL_MAX);
    assert_int_equal(glob("migrations/*.sql", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char part[4096];
        size_t length;
        FILE *file = fopen(found.gl_pathv[i], "re");
        assert_non_null(file);
        while ((length = fread(part, 1, sizeof part, file)) > 0)
            buffer_add(&sql, part, length);
        fclose(file);
    }
    globfree(&found);
    assert_false(sql.overflowed);
    return buffer_take(&sql);
}

/* What stands in "CHECK (column IN (…))" of the table. Caller frees. */
static char *find_check(const char *sql, const char *table, const char *column)
{
    AUTO(text_free) char *create = xasprintf("CREATE TABLE %s (", table);
    AUTO(text_free) char *check = xasprintf("CHECK (%s IN (", column);
    const char *begin = strstr(sql, create);
    if (begin == NULL)
        fail_msg("there is no table %s", table);
    const char *end = strstr(begin, "\n)");
    const char *list = strstr(begin, check);
    if (list == NULL || end == NULL || list > end)
        fail_msg("%s.%s has no check", table, column);
    list += strlen(check);
    return xstrndup(list, strcspn(list, ")"));
}

static int count_words(const char *list)
{
    int quotes = 0;
    for (const char *c = list; *c != '\0'; c++)
        quotes += *c == '\'';
    return quotes / 2;
}

static void the_database_allows_what_the_code_knows(void **state)
{
    AUTO(text_free) char *sql = read_migrations();
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *list = find_check(sql, rows[i].table, rows[i].column);
        int known = 0;
        for (int value = 0; value < rows[i].names->count; value++) {
            AUTO(text_free) char *quoted = xasprintf("'%s'", names_get(rows[i].names, value));
            if (strcmp(quoted, "''") == 0) /* no reason is NULL there */
                continue;
            known++;
            if (strstr(list, quoted) == NULL)
                fail_msg("%s.%s does not allow %s", rows[i].table, rows[i].column, quoted);
        }
        if (count_words(list) != known)
            fail_msg("%s.%s allows what the code does not know", rows[i].table, rows[i].column);
    }
}

/* A run has an end exactly when its state is final. */
static void final_states_are_the_same_there(void **state)
{
    AUTO(text_free) char *sql = read_migrations();
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
        cmocka_unit_test(the_database_allows_what_the_code_knows),
        cmocka_unit_test(final_states_are_the_same_there),
    };
    return cmocka_run_group_tests_name("SQL and C", tests, NULL, NULL);
}
