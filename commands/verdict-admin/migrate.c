/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: numbered SQL files, forward only. One advisory lock over all of it, a transaction per file,
 * and a checksum of each that was applied: one that was changed or lost afterwards is refused by name. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "migrations.h"

#define FILE_BYTES_MAX (4 * 1024 * 1024)

/* ---- files ------------------------------------------------------------------------------------ */

static int is_migration(const struct dirent *entry)
{
    const char *name = entry->d_name;
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)name[i]))
            return 0;
    return name[4] == '_' && text_ends(name, ".sql");
}

static int read_whole(const char *path, char **text_r, struct error *error)
{
    struct buffer text;
    char part[8192];
    size_t length;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, "io", "%s: %s", path, strerror(errno));
    buffer_init(&text, FILE_BYTES_MAX);
    while ((length = fread(part, 1, sizeof part, file)) > 0)
        buffer_add(&text, part, length);
    fclose(file);
    if (buffer_check(&text, path, error) < 0) {
        buffer_deinit(&text);
        return -1;
    }
    *text_r = buffer_take(&text);
    return 0;
}

static int load_one(const char *directory, const char *name, struct migration *migration,
                    struct error *error)
{
    AUTO(text_free) char *path = xasprintf("%s/%s", directory, name);
    uint8_t hash[crypto_hash_sha256_BYTES];
    if (read_whole(path, &migration->sql, error) < 0)
        return -1;
    migration->number = atoi(name);
    migration->name = xstrdup(name);
    crypto_hash_sha256(hash, (const uint8_t *)migration->sql, strlen(migration->sql));
    sodium_bin2hex(migration->sha256, sizeof migration->sha256, hash, sizeof hash);
    return 0;
}

int migrations_load(const char *directory, struct migrations *migrations, struct error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_migration, alphasort), status = 0;
    if (count < 0)
        return error_set(error, "io", "%s: %s", directory, strerror(errno));
    migrations->list = xcalloc((size_t)count, sizeof *migrations->list);
    for (int i = 0; i < count; i++) {
        if (status == 0 && load_one(directory, entries[i]->d_name,
                                    &migrations->list[migrations->count], error) == 0)
            migrations->count++;
        else
            status = -1;
        free(entries[i]);
    }
    free(entries);
    if (status == 0 && migrations->count == 0)
        return error_set(error, "io", "%s holds no migrations (0001_name.sql …)", directory);
    return status == 0 ? migrations_check_order(migrations, error) : -1;
}

void migrations_deinit(struct migrations *migrations)
{
    for (size_t i = 0; i < migrations->count; i++) {
        free(migrations->list[i].name);
        free(migrations->list[i].sql);
    }
    free(migrations->list);
    *migrations = (struct migrations){0};
}

int migrations_check_order(const struct migrations *migrations, struct error *error)
{
    for (size_t i = 0; i < migrations->count; i++)
        if (migrations->list[i].number != (int)i + 1)
            return error_set(error, "invalid", "migration %04zu is missing: the next file is %s",
                             i + 1, migrations->list[i].name);
    return 0;
}

/* Installed: PREFIX/bin beside PREFIX/share/verdict/migrations. In a source tree: build/bin, ./migrations. */
char *migrations_directory(const struct admin_options *options)
{
    static const char *const beside[] = {"../share/verdict/migrations", "../../migrations"};
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (options->directory != NULL)
        return xstrdup(options->directory);
    program[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(program, '/');
    for (size_t i = 0; slash != NULL && i < ARRAY_SIZE(beside); i++) {
        char *path = xasprintf("%.*s/%s", (int)(slash - program), program, beside[i]);
        if (access(path, R_OK | X_OK) == 0)
            return path;
        free(path);
    }
    return xstrdup("migrations");
}

/* ---- the database ----------------------------------------------------------------------------- */

static int prepare(struct store *store, struct error *error)
{
    if (store_query(store, "SELECT pg_advisory_lock(hashtext('verdict.migrate'))", NO_PARAMS, NULL,
                    error) < 0)
        return -1;
    return store_query(store,
                       "CREATE TABLE IF NOT EXISTS public.schema_migration ("
                       "number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, "
                       "applied_at timestamptz NOT NULL DEFAULT now())",
                       NO_PARAMS, NULL, error);
}

int migrations_compare(struct store *store, const struct migrations *migrations, size_t *applied_r,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store,
                    "SELECT number, name, sha256 FROM public.schema_migration ORDER BY number",
                    NO_PARAMS, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        if ((size_t)i >= migrations->count)
            return error_set(
                error, "invalid",
                "the database has migration %s, which is not here: this version is older",
                rows_text(rows, i, 1));
        const struct migration *migration = &migrations->list[i];
        if (strcmp(migration->name, rows_text(rows, i, 1)) != 0)
            return error_set(error, "invalid", "migration %s was applied, but the file here is %s",
                             rows_text(rows, i, 1), migration->name);
        if (strcmp(migration->sha256, rows_text(rows, i, 2)) != 0)
            return error_set(error, "invalid", "migration %s was changed after it had been applied",
                             migration->name);
    }
    *applied_r = (size_t)rows_count(rows);
    return 0;
}

static int apply(struct store *store, const struct migration *migration, struct error *error)
{
    if (store_begin(store, error) < 0 || store_script(store, migration->sql, error) < 0 ||
        store_query(
            store, "INSERT INTO public.schema_migration (number, name, sha256) VALUES ($1, $2, $3)",
            PARAMS(param_int(migration->number), param_text(migration->name),
                   param_text(migration->sha256)),
            NULL, error) < 0 ||
        store_commit(store, error) < 0) {
        store_rollback(store);
        return error_wrap(error, "%s", migration->name);
    }
    printf("applied %s\n", migration->name);
    return 0;
}

int run_migrate(const struct admin_options *options, struct error *error)
{
    AUTO(text_free) char *directory = migrations_directory(options);
    AUTO(migrations_deinit) struct migrations migrations = {0};
    AUTO(store_close) struct store *store = NULL;
    size_t applied = 0;
    if (migrations_load(directory, &migrations, error) < 0 ||
        admin_store(options, &store, error) < 0 || prepare(store, error) < 0 ||
        migrations_compare(store, &migrations, &applied, error) < 0)
        return -1;
    for (size_t i = applied; i < migrations.count; i++)
        if (apply(store, &migrations.list[i], error) < 0)
            return -1;
    printf("%zu migrations, %zu of them new\n", migrations.count, migrations.count - applied);
    return 0;
}
