/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "new_file.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/verdict-new-file-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) < 0 ? -1 : 0;
}

/* Fails when something else than `target` and `link` is left in it. */
static int remove_folder(void **state)
{
    (void)state;
    unlink("target");
    unlink("link");
    return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_holds(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    (void)!fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_string_equal(text, expected);
}

static void open_with(const char *path, const char *text, struct new_file **file)
{
    struct error error;
    assert_int_equal(new_file_open(path, file, &error), 0);
    fputs(text, new_file_out(*file));
}

static void what_is_there_stays_until_the_commit(void **state)
{
    struct new_file *file;
    struct error error;
    struct stat status;
    (void)state;
    put("target", "old");
    assert_int_equal(chmod("target", 0640), 0);

    open_with("target", "new", &file);
    fflush(new_file_out(file));
    assert_holds("target", "old");
    assert_int_equal(new_file_commit(&file, &error), 0);

    assert_null(file);
    assert_holds("target", "new");
    assert_int_equal(stat("target", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void what_is_discarded_leaves_nothing(void **state)
{
    struct new_file *file;
    (void)state;
    open_with("target", "half", &file);
    new_file_discard(&file);
    assert_int_equal(access("target", F_OK), -1);
}

static void a_link_stays_one(void **state)
{
    struct new_file *file;
    struct error error;
    struct stat status;
    (void)state;
    put("target", "old");
    assert_int_equal(symlink("target", "link"), 0);

    open_with("link", "new", &file);
    assert_int_equal(new_file_commit(&file, &error), 0);

    assert_holds("target", "new");
    assert_int_equal(lstat("link", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

/* Only what was killed leaves one. */
static void remove_temporary(void)
{
    glob_t found;
    assert_int_equal(glob("target.*.part", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    assert_int_equal(unlink(found.gl_pathv[0]), 0);
    globfree(&found);
}

static void what_was_left_behind_is_in_nobodys_way(void **state)
{
    struct new_file *left, *file;
    struct error error;
    (void)state;
    open_with("target", "left", &left);

    open_with("target", "new", &file);
    assert_int_equal(new_file_commit(&file, &error), 0);
    assert_holds("target", "new");

    remove_temporary();
    new_file_discard(&left);
}

static void what_cannot_be_renamed_is_copied(void **state)
{
    struct new_file *file;
    struct error error;
    (void)state;
    put("target", "old, and longer");
    open_with("target", "new", &file);
    remove_temporary();

    assert_int_equal(new_file_commit(&file, &error), 0);
    assert_holds("target", "new");
}

/* As in a folder that cannot be written: beside so long a name no other one can be made. */
static void where_no_file_can_be_made_beside_it_it_is_written_at_the_commit(void **state)
{
    struct new_file *file;
    struct error error;
    char name[NAME_MAX + 1] = "";
    (void)state;
    memset(name, 'n', NAME_MAX);
    put(name, "old, and longer");

    open_with(name, "new", &file);
    fflush(new_file_out(file));
    assert_holds(name, "old, and longer");
    assert_int_equal(new_file_commit(&file, &error), 0);
    assert_holds(name, "new");

    open_with(name, "half", &file);
    new_file_discard(&file);
    assert_holds(name, "new");
    unlink(name);
}

static void a_device_is_never_replaced(void **state)
{
    struct new_file *file;
    struct error error;
    struct stat status;
    (void)state;
    open_with("/dev/null", "gone", &file);
    assert_int_equal(new_file_commit(&file, &error), 0);
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct new_file *file = NULL;
    struct error error;
    (void)state;
    assert_int_equal(new_file_open("nowhere/target", &file, &error), -1);
    assert_non_null(strstr(error.text, "nowhere/target"));
    assert_null(file);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(what_is_there_stays_until_the_commit),
        IN_A_FOLDER(what_is_discarded_leaves_nothing),
        IN_A_FOLDER(a_link_stays_one),
        IN_A_FOLDER(what_was_left_behind_is_in_nobodys_way),
        IN_A_FOLDER(what_cannot_be_renamed_is_copied),
        IN_A_FOLDER(where_no_file_can_be_made_beside_it_it_is_written_at_the_commit),
        IN_A_FOLDER(a_device_is_never_replaced),
        IN_A_FOLDER(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("new files", tests, NULL, NULL);
}
