/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "blob/blob.h"

static char *make_store(struct blob_store **store_r)
{
    char *path = xstrdup("/tmp/verdict-blob-XXXXXX");
    struct error error;
    assert_non_null(mkdtemp(path));
    AUTO(text_free) char *url = xasprintf("file://%s", path);
    const struct blob_settings settings = {.url = url};
    assert_int_equal(blob_store_open(&settings, store_r, &error), 0);
    return path;
}

static void remove_all(char **path, struct blob_store **store)
{
    AUTO(text_free) char *command = xasprintf("rm -rf %s", *path);
    blob_store_close(store);
    assert_int_equal(system(command), 0);
    text_free(path);
}

static int make_file(const char *content, char name[BLOB_NAME_SIZE])
{
    struct error error;
    int64_t bytes;
    int fd;
    assert_int_equal(blob_temporary(&fd, &error), 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(blob_name_of(fd, name, &bytes, &error), 0);
    assert_int_equal(bytes, strlen(content));
    return fd;
}

static void a_file_that_became_shorter_is_not_kept(void **state)
{
    struct blob_store *store;
    char name[BLOB_NAME_SIZE];
    struct error error;
    int got;
    (void)state;
    char *path = make_store(&store);
    int fd = make_file("content", name);

    assert_int_equal(blob_put(store, name, fd, 8, &error), -1);

    assert_true(error_is(&error, "unavailable"));
    assert_int_equal(blob_get(store, name, &got, &error), -1);
    assert_true(error_is(&error, "not_found"));
    close(fd);
    remove_all(&path, &store);
}

/* What was cut short, by whatever hand, is written again: the name is right, the size is not. */
static void a_half_file_is_replaced(void **state)
{
    struct blob_store *store;
    char name[BLOB_NAME_SIZE], content[16] = "";
    struct error error;
    int got;
    (void)state;
    char *path = make_store(&store);
    int fd = make_file("content", name);
    assert_int_equal(blob_put(store, name, fd, 7, &error), 0);
    AUTO(text_free) char *file = xasprintf("%s/%.2s/%s", path, name, name);
    assert_int_equal(truncate(file, 3), 0);

    assert_int_equal(blob_put(store, name, fd, 7, &error), 0);

    assert_int_equal(blob_get(store, name, &got, &error), 0);
    assert_int_equal(read(got, content, sizeof content), 7);
    assert_string_equal(content, "content");
    close(got);
    close(fd);
    remove_all(&path, &store);
}

static void names_are_sixty_four_small_hex_digits(void **state)
{
    (void)state;
    assert_true(
        blob_name_is_valid("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    assert_false(blob_name_is_valid("../../etc/passwd"));
    assert_false(
        blob_name_is_valid("E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    assert_false(blob_name_is_valid(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_became_shorter_is_not_kept),
        cmocka_unit_test(a_half_file_is_replaced),
        cmocka_unit_test(names_are_sixty_four_small_hex_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
