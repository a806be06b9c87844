/* SPDX-License-Identifier: Apache-2.0 */
/* Spool files: appended, loaded again, torn, damaged, settled. */
#include "worker/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"

struct loaded {
    char name[100], header[100];
    struct spool_file *file;
    int count;
};

static int on_file(void *context, const char *name, const char *header, struct spool_file *file,
                   struct error *error)
{
    (void)error;
    struct loaded *loaded = context;
    snprintf(loaded->name, sizeof loaded->name, "%s", name);
    snprintf(loaded->header, sizeof loaded->header, "%s", header);
    loaded->file = file;
    loaded->count++;
    return 0;
}

static void join(void *context, int64_t seq, const char *item, size_t length)
{
    buffer_addf(context, "%lld:%.*s ", (long long)seq, (int)length, item);
}

static char *all_of(struct spool_file *file, int64_t first, int64_t last, size_t max_bytes)
{
    struct buffer text;
    buffer_init(&text, 4096);
    spool_file_read(file, first, last, max_bytes, join, &text);
    return buffer_take(&text);
}

struct fixture {
    char directory[64];
    struct spool *spool;
};

static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    struct error error;
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/spool-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(spool_open(fixture->directory, &fixture->spool, &error), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    AUTO(text_free) char *command = xasprintf("rm -rf '%s'", fixture->directory);
    spool_close(&fixture->spool);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static char *path_of(const struct fixture *fixture, const char *name)
{
    return xasprintf("%s/%s.spool", fixture->directory, name);
}

static void load(const struct fixture *fixture, struct loaded *loaded)
{
    struct error error;
    assert_int_equal(spool_load(fixture->spool, on_file, loaded, &error), 0);
}

static void fill(struct fixture *fixture, const char *name)
{
    struct spool_file *file = spool_file_create(fixture->spool, name, "header");
    assert_int_equal(spool_file_append(file, "one"), 1);
    assert_int_equal(spool_file_append(file, "two"), 2);
    assert_int_equal(spool_file_append(file, "three"), 3);
    spool_file_close(&file);
}

static void items_are_read_back_by_number(void **state)
{
    struct fixture *f = *state;
    struct spool_file *file = spool_file_create(f->spool, "a", "header");
    spool_file_append(file, "one");
    spool_file_append(file, "two");
    AUTO(text_free) char *all = all_of(file, 1, 99, 4096);
    AUTO(text_free) char *second = all_of(file, 2, 2, 4096);
    AUTO(text_free) char *bounded = all_of(file, 1, 2, 1);
    assert_string_equal(all, "1:one 2:two ");
    assert_string_equal(second, "2:two ");
    assert_string_equal(bounded, "1:one ");
    assert_int_equal(spool_file_count(file), 2);
    spool_file_close(&file);
}

static void another_life_finds_what_was_left(void **state)
{
    struct fixture *f = *state;
    struct loaded loaded = {.count = 0};
    fill(f, "d1");
    load(f, &loaded);
    assert_int_equal(loaded.count, 1);
    assert_string_equal(loaded.name, "d1");
    assert_string_equal(loaded.header, "header");
    AUTO(text_free) char *all = all_of(loaded.file, 1, 3, 4096);
    assert_string_equal(all, "1:one 2:two 3:three ");
    spool_file_close(&loaded.file);
}

static void a_torn_tail_is_cut_off_at_every_length(void **state)
{
    struct fixture *f = *state;
    AUTO(text_free) char *path = path_of(f, "d1");
    for (off_t lost = 1; lost <= 13; lost++) { /* the last record: 8 + 5 bytes */
        struct loaded loaded = {.count = 0};
        struct stat status;
        fill(f, "d1");
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(truncate(path, status.st_size - lost), 0);
        load(f, &loaded);
        assert_int_equal(spool_file_count(loaded.file), 2);
        assert_int_equal(spool_file_append(loaded.file, "again"), 3);
        AUTO(text_free) char *all = all_of(loaded.file, 1, 3, 4096);
        assert_string_equal(all, "1:one 2:two 3:again ");
        spool_file_close(&loaded.file);
    }
}

static void a_damaged_record_ends_the_file(void **state)
{
    struct fixture *f = *state;
    struct loaded loaded = {.count = 0};
    AUTO(text_free) char *path = path_of(f, "d1");
    fill(f, "d1");
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "X", 1, 14 + 11 + 8), 1); /* into "two" */
    load(f, &loaded);
    assert_int_equal(spool_file_count(loaded.file), 1);
    spool_file_close(&loaded.file);
}

static void a_file_without_a_header_is_put_aside(void **state)
{
    struct fixture *f = *state;
    struct loaded loaded = {.count = 0};
    AUTO(text_free) char *path = path_of(f, "bad");
    AUTO(text_free) char *aside = xasprintf("%s/aside/bad.spool", f->directory);
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "rubbish", 7), 7);
    load(f, &loaded);
    assert_int_equal(loaded.count, 0);
    assert_int_equal(access(aside, F_OK), 0);
    spool_clean_aside(f->spool, 3600);
    assert_int_equal(access(aside, F_OK), 0);
    spool_clean_aside(f->spool, -10);
    assert_int_equal(access(aside, F_OK), -1);
}

static void settled_is_gone(void **state)
{
    struct fixture *f = *state;
    struct loaded loaded = {.count = 0};
    struct spool_file *file = spool_file_create(f->spool, "d1", "header");
    spool_file_append(file, "one");
    assert_true(spool_bytes(f->spool) > 0);
    spool_file_remove(&file);
    assert_int_equal(spool_bytes(f->spool), 0);
    load(f, &loaded);
    assert_int_equal(loaded.count, 0);
}

static void a_second_executor_is_kept_out(void **state)
{
    struct fixture *f = *state;
    struct spool *other = NULL;
    struct error error;
    assert_int_equal(spool_open(f->directory, &other, &error), -1);
    assert_non_null(strstr(error.text, "VERDICT_SPOOL_DIR"));
    AUTO(text_free) char *holder = xasprintf("another executor that runs (process %d)", getpid());
    assert_non_null(strstr(error.text, holder));
}

/* A descriptor that is free now: the next one that anything opens. */
static int next_fd(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void a_file_at_rest_holds_no_descriptor(void **state)
{
    struct fixture *f = *state;
    int before = next_fd();
    struct spool_file *file = spool_file_create(f->spool, "d1", "header");
    assert_int_equal(spool_file_append(file, "one"), 1);
    spool_file_rest(file);
    assert_int_equal(next_fd(), before);
    assert_int_equal(spool_file_append(file, "two"), 2);
    spool_file_rest(file);
    AUTO(text_free) char *all = all_of(file, 1, 2, 4096);
    assert_string_equal(all, "1:one 2:two ");
    assert_int_equal(spool_file_written(file), 2);
    spool_file_rest(file);
    assert_int_equal(next_fd(), before);
    spool_file_close(&file);
}

static void a_file_that_was_loaded_is_at_rest(void **state)
{
    struct fixture *f = *state;
    struct loaded loaded = {.count = 0};
    int before = next_fd();
    fill(f, "d1");
    load(f, &loaded);
    assert_int_equal(next_fd(), before);
    spool_file_close(&loaded.file);
}

/* Leaves `free` descriptors to the process; returns what the limit was. */
static rlim_t leave_descriptors(int free)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)(next_fd() + free);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void give_descriptors_back(rlim_t before)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void a_file_that_cannot_be_opened_now_is_kept_and_said(void **state)
{
    struct fixture *f = *state;
    struct loaded loaded = {.count = 0};
    struct error error;
    AUTO(text_free) char *path = path_of(f, "d1");
    fill(f, "d1");
    rlim_t before = leave_descriptors(1); /* for the directory */
    int status = spool_load(f->spool, on_file, &loaded, &error);
    give_descriptors_back(before);
    assert_int_equal(status, -1);
    assert_non_null(strstr(error.text, "d1.spool"));
    assert_non_null(strstr(error.text, strerror(EMFILE)));
    assert_int_equal(access(path, F_OK), 0);
    load(f, &loaded);
    assert_int_equal(loaded.count, 1);
    spool_file_close(&loaded.file);
}

static void without_descriptors_items_wait_and_the_spool_says_why(void **state)
{
    struct fixture *f = *state;
    rlim_t before = leave_descriptors(0);
    struct spool_file *file = spool_file_create(f->spool, "d1", "header");
    int64_t number = spool_file_append(file, "one");
    bool is_full = spool_is_full(f->spool);
    give_descriptors_back(before);
    assert_int_equal(number, 1);
    assert_true(is_full);
    assert_non_null(strstr(spool_why_full(f->spool), strerror(EMFILE)));
    assert_true(spool_file_retry(file));
    assert_int_equal(spool_file_written(file), 1);
    spool_file_close(&file);
}

/* /dev/full has no room for anything; then there is room again. */
static void a_full_disk_loses_nothing(void **state)
{
    struct fixture *f = *state;
    AUTO(text_free) char *path = path_of(f, "d1");
    assert_int_equal(symlink("/dev/full", path), 0);
    struct spool_file *file = spool_file_create(f->spool, "d1", "header");
    assert_int_equal(spool_file_append(file, "one"), 1);
    assert_true(spool_is_full(f->spool));
    assert_string_equal(spool_why_full(f->spool), "the spool's disk is full");
    assert_false(spool_file_retry(file));
    assert_int_equal(spool_file_written(file), 0);
    assert_int_equal(spool_file_count(file), 1);
    spool_file_close(&file);
    assert_false(spool_is_full(f->spool));
}

static void expect_content(const struct fixture *f, const char *expected)
{
    struct loaded loaded = {.count = 0};
    load(f, &loaded);
    assert_int_equal(loaded.count, 1);
    assert_string_equal(loaded.header, "header");
    AUTO(text_free) char *all = all_of(loaded.file, 1, 99, 4096);
    assert_string_equal(all, expected);
    spool_file_close(&loaded.file);
}

/* As a kernel does that could not write and takes its pages for clean: what was behind the last flush is
 * not on the disk, and the next flush has nothing to do. */
static void lose(const struct fixture *f, const char *name, off_t from)
{
    AUTO(text_free) char *path = path_of(f, name);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, from), 0);
    assert_int_equal(truncate(path, status.st_size), 0);
}

static void what_a_failed_flush_has_lost_is_written_once_more(void **state)
{
    struct fixture *f = *state;
    struct spool_file *file = spool_file_create(f->spool, "d1", "header");
    spool_file_append(file, "one");
    spool_file_flushed(file, 1);
    int64_t durable_bytes = spool_bytes(f->spool);
    spool_file_append(file, "two");
    spool_file_append(file,
                      "three"); /* after the flush was asked for: it may be lost all the same */
    int64_t bytes = spool_bytes(f->spool);
    lose(f, "d1", (off_t)durable_bytes);

    spool_file_flush_failed(file);
    assert_int_equal(spool_file_written(file), 1);
    assert_int_equal(spool_file_count(file), 3);
    assert_int_equal(spool_bytes(f->spool), durable_bytes);
    assert_true(spool_is_full(f->spool));
    assert_int_equal(spool_file_append(file, "four"), 4);
    assert_true(spool_file_retry(file));

    assert_int_equal(spool_file_written(file), 4);
    assert_true(spool_bytes(f->spool) > bytes);
    assert_true(spool_is_full(f->spool)); /* until it is known to be there */
    assert_non_null(strstr(spool_why_full(f->spool), "did not reach its disk"));
    expect_content(f, "1:one 2:two 3:three 4:four ");
    spool_file_flushed(file, 4);
    assert_false(spool_is_full(f->spool));
    spool_file_close(&file);
}

static void a_first_flush_that_fails_loses_not_even_the_header(void **state)
{
    struct fixture *f = *state;
    struct spool_file *file = spool_file_create(f->spool, "d1", "header");
    spool_file_append(file, "one");
    for (int i = 0; i < 3; i++) {
        lose(f, "d1", 0);
        spool_file_flush_failed(file);
        assert_int_equal(spool_file_written(file), 0);
        assert_true(spool_file_retry(file));
    }
    expect_content(f, "1:one ");
    spool_file_flush_failed(file);
    spool_file_close(&file);
    assert_false(spool_is_full(f->spool)); /* one that is gone fails no more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_are_read_back_by_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_life_finds_what_was_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_tail_is_cut_off_at_every_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_record_ends_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_a_header_is_put_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settled_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_executor_is_kept_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_at_rest_holds_no_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_loaded_is_at_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened_now_is_kept_and_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_descriptors_items_wait_and_the_spool_says_why,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_failed_flush_has_lost_is_written_once_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_first_flush_that_fails_loses_not_even_the_header, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
