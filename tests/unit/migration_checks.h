/* SPDX-License-Identifier: Apache-2.0 */
/* Closed lists stand twice: in a C table and in a CHECK of a migration. This compares them. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/text.h"

#define MIGRATIONS_BYTES_MAX (4 * 1024 * 1024)

static int is_sql(const struct dirent *entry)
{
    return text_ends(entry->d_name, ".sql");
}

/* All migrations, in order, as one text; caller frees. Tests run in the top folder. */
static char *migrations_read(void)
{
    struct dirent **entries;
    struct buffer text;
    buffer_init(&text, MIGRATIONS_BYTES_MAX);
    int count = scandir("migrations", &entries, is_sql, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char part[8192];
        size_t length;
        AUTO(text_free) char *path = xasprintf("migrations/%s", entries[i]->d_name);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        while ((length = fread(part, 1, sizeof part, file)) > 0)
            buffer_add(&text, part, length);
        fclose(file);
        free(entries[i]);
    }
    free(entries);
    return buffer_take(&text);
}

/* The CHECK of the column in the statement at `at`, which ends by `end`; NULL: it has none. */
static const char *find_check(const char *at, const char *end, const char *check)
{
    const char *limit = strstr(at, end), *found = strstr(at, check);
    return found == NULL || found > limit ? NULL : found + strlen(check);
}

/* Of "CREATE TABLE <table> (… CHECK (<column> IN ('a', 'b'))", or of the last ALTER TABLE that gives it a
 * new one, the list "'a', 'b'"; caller frees. */
static char *check_list(const char *sql, const char *table, const char *column)
{
    AUTO(text_free) char *create = xasprintf("CREATE TABLE %s (", table);
    AUTO(text_free) char *check = xasprintf("CHECK (%s IN (", column);
    AUTO(text_free) char *alter = xasprintf("ALTER TABLE %s\n", table);
    const char *at = strstr(sql, create), *list = NULL;
    if (at == NULL)
        fail_msg("no table %s in the migrations", table);
    list = find_check(at, "\n);", check);
    while ((at = strstr(at + 1, alter)) != NULL) {
        const char *newer = find_check(at, ";\n", check);
        list = newer != NULL ? newer : list;
    }
    if (list == NULL)
        fail_msg("%s has no CHECK (%s IN (…", table, column);
    return xstrndup(list, strcspn(list, ")"));
}

/* The names from `first` on (a table may begin with "none") are those of the CHECK, in any order. */
static void assert_check_is(const char *sql, const char *table, const char *column,
                            const struct names *names, int first)
{
    AUTO(text_free) char *list = check_list(sql, table, column);
    char *state = NULL;
    int found = 0;
    for (char *part = strtok_r(list, "', \n", &state); part != NULL;
         part = strtok_r(NULL, "', \n", &state), found++)
        if (names_find(names, part) < first)
            fail_msg("%s.%s may be %s, which is no %s in C", table, column, part, names->what);
    if (found != names->count - first)
        fail_msg("%s.%s may be %d values, C knows %d as %s", table, column, found,
                 names->count - first, names->what);
}
