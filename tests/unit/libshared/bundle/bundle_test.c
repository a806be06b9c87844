/* SPDX-License-Identifier: Apache-2.0 */
/* Trees go in and come out the same; what is not ours to give does neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "bundle/bundle.h"

struct places {
    char top[40], tree[48], out[48];
    int fd; /* of the archive */
};

static void shell(const struct places *places, const char *script)
{
    AUTO(text_free) char *command = xasprintf("cd %s && { %s\n}", places->top, script);
    assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
    static struct places places;
    strcpy(places.top, "/tmp/verdict-bundle-XXXXXX");
    assert_non_null(mkdtemp(places.top));
    snprintf(places.tree, sizeof places.tree, "%s/tree", places.top);
    snprintf(places.out, sizeof places.out, "%s/out", places.top);
    shell(&places, "mkdir tree out");
    places.fd = open(places.top, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(places.fd >= 0);
    *state = &places;
    return 0;
}

static int tear_down(void **state)
{
    struct places *places = *state;
    assert_int_equal(chdir("/"), 0);
    shell(places, "cd / && rm -rf \"$OLDPWD\"");
    fd_close(&places->fd);
    return 0;
}

static int pack(const struct places *places, struct error *error)
{
    struct bundle_facts facts;
    return bundle_pack(places->tree, places->fd, &facts, error);
}

/* ---- trees -------------------------------------------------------------------------------------- */

static void a_tree_comes_out_as_it_went_in(void **state)
{
    const struct places *places = *state;
    struct bundle_facts facts;
    struct error error;
    shell(places, "cd tree; mkdir -p a/b empty .git; echo one >a/b/'s\303\274 \"x\"'; : >none\n"
                  "printf '#!/bin/sh\\n' >run; chmod 700 run; ln -s ../a/b a/link; ln -s none l\n"
                  "echo ref >.git/HEAD; mkfifo pipe; head -c 300000 /dev/urandom >big");

    assert_int_equal(bundle_pack(places->tree, places->fd, &facts, &error), 0);
    assert_int_equal(bundle_unpack(places->fd, places->out, &error), 0);

    shell(places,
          "rm -r tree/.git tree/pipe; diff -r --no-dereference tree out; cd out\n"
          "test -x run; test ! -x none; test -d empty; test \"$(readlink a/link)\" = ../a/b");
    assert_int_equal(facts.left_out, 1);
    assert_int_equal(facts.entries, 9);
}

static void the_same_tree_makes_the_same_bytes(void **state)
{
    struct places *places = *state;
    struct error error;
    char first[4096], second[4096];
    shell(places, "cd tree; echo b >b; echo a >a; mkdir c; echo c >c/c");
    assert_int_equal(pack(places, &error), 0);
    ssize_t length = pread(places->fd, first, sizeof first, 0);

    shell(places,
          "cp -r tree other; rm -r tree; mkdir tree; cd tree; cp -r ../other/c ../other/a .\n"
          "cp ../other/b .; touch -d 2001-01-01 b c; chmod 600 a");
    assert_int_equal(ftruncate(places->fd, 0), 0);
    assert_int_equal(lseek(places->fd, 0, SEEK_SET), 0);
    assert_int_equal(pack(places, &error), 0);

    assert_in_range(length, 100, sizeof first - 1);
    assert_int_equal(pread(places->fd, second, sizeof second, 0), length);
    assert_memory_equal(first, second, (size_t)length);
}

static void what_is_ignored_stays_out(void **state)
{
    const struct places *places = *state;
    struct error error;
    shell(places, "cd tree; mkdir -p a/deep node; touch a/x.o a/kept.o a/deep/x.o node/x y secret\n"
                  "printf '*.o\\nnode/\\n/secret\\n' >.gitignore; echo '!kept.o' >a/.gitignore");

    assert_int_equal(pack(places, &error), 0);
    assert_int_equal(bundle_unpack(places->fd, places->out, &error), 0);

    shell(places, "cd out; find . -type f | sort >../found; printf '%s\\n' ./.gitignore "
                  "./a/.gitignore ./a/kept.o ./y | diff - ../found");
}

static void our_own_list_decides_behind_gits(void **state)
{
    const struct places *places = *state;
    struct error error;
    shell(places, "cd tree; mkdir a; touch x.o x.c .env a/x; printf '*.o\n.env\n' >.gitignore\n"
                  "echo x >a/.gitignore; printf '*.c\n!x.o' >.verdictignore");

    assert_int_equal(pack(places, &error), 0);
    assert_int_equal(bundle_unpack(places->fd, places->out, &error), 0);

    shell(places, "cd out; test -f x.o; test ! -e x.c; test ! -e .env; test ! -e a/x");
}

static void gits_lists_further_down_take_nothing_back_from_ours(void **state)
{
    const struct places *places = *state;
    struct error error;
    shell(places, "cd tree; mkdir a b; touch a/prod.env a/kept b/prod.env\n"
                  "printf '*.env\n!kept\n' >.verdictignore; echo '!prod.env' >b/.verdictignore\n"
                  "printf '!prod.env\nkept\n' >a/.gitignore");

    assert_int_equal(pack(places, &error), 0);
    assert_int_equal(bundle_unpack(places->fd, places->out, &error), 0);

    shell(places, "cd out; test ! -e a/prod.env; test -f a/kept; test -f b/prod.env");
}

static void a_list_that_cannot_be_taken_whole_is_an_error(void **state)
{
    const struct places *places = *state;
    struct error error;
    shell(places, "cd tree; touch x; ln -s .gitignore .gitignore");
    assert_int_equal(pack(places, &error), -1);
    assert_non_null(strstr(error.text, ".gitignore"));

    shell(places, "cd tree; rm .gitignore; yes | head -c 1100000 >.verdictignore");
    assert_int_equal(pack(places, &error), -1);
    assert_true(error_is(&error, "too_large"));
}

static void a_link_that_leads_outside_is_not_packed(void **state)
{
    static const char *const links[] = {"ln -s / l", "ln -s .. l", "mkdir a; ln -s ../../x a/l",
                                        "mkdir a; ln -s . a/s; ln -s a/s/../.. l"};
    const struct places *places = *state;
    struct error error;
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        AUTO(text_free) char *script = xasprintf("rm -r tree; mkdir tree; cd tree; %s", links[i]);
        shell(places, script);
        assert_int_equal(pack(places, &error), -1);
        assert_true(error_is(&error, "invalid"));
        assert_non_null(strstr(error.text, "l is a link that leads outside"));
        assert_int_equal(lseek(places->fd, 0, SEEK_SET), 0);
    }
}

static void what_is_too_much_or_nothing_is_not_packed(void **state)
{
    const struct places *places = *state;
    struct error error;
    assert_int_equal(pack(places, &error), -1);
    assert_true(error_is(&error, "empty"));

    shell(places, "truncate -s 5G tree/x");
    assert_int_equal(pack(places, &error), -1);
    assert_true(error_is(&error, "too_large"));

    shell(places, "rm tree/x; cd tree; for i in $(seq 130); do mkdir d; cd d; done");
    assert_int_equal(pack(places, &error), -1);
    assert_true(error_is(&error, "too_large"));
}

/* ---- hostile archives --------------------------------------------------------------------------- */

struct entry {
    const char *path;
    mode_t mode;
    const char *link, *hard_link;
};

static void add_entry(struct archive *archive, const struct entry *given)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, given->path);
    archive_entry_set_mode(entry, given->mode);
    if (S_ISREG(given->mode) && given->hard_link == NULL)
        archive_entry_set_size(entry, 1);
    if (given->link != NULL)
        archive_entry_set_symlink(entry, given->link);
    if (given->hard_link != NULL)
        archive_entry_set_hardlink(entry, given->hard_link);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (S_ISREG(given->mode) && given->hard_link == NULL)
        assert_int_equal(archive_write_data(archive, "x", 1), 1);
    archive_entry_free(entry);
}

static void write_archive(const struct places *places, const struct entry *entries, size_t count)
{
    struct archive *archive = archive_write_new();
    assert_int_equal(ftruncate(places->fd, 0), 0);
    assert_int_equal(lseek(places->fd, 0, SEEK_SET), 0);
    archive_write_set_format_gnutar(archive);
    archive_write_add_filter_gzip(archive);
    assert_int_equal(archive_write_open_fd(archive, places->fd), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++)
        add_entry(archive, &entries[i]);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

static void what_would_reach_outside_is_refused(void **state)
{
    static const struct {
        struct entry entries[3];
        size_t count;
    } hostile[] = {
        {{{"../out2", S_IFREG | 0644, NULL, NULL}}, 1},
        {{{"a/../../out2", S_IFREG | 0644, NULL, NULL}}, 1},
        {{{"..", S_IFDIR | 0755, NULL, NULL}}, 1},
        {{{"./../out2", S_IFREG | 0644, NULL, NULL}}, 1},
        {{{"/tmp/verdict-bundle-out", S_IFREG | 0644, NULL, NULL}}, 1},
        {{{".//tmp/../../out2", S_IFREG | 0644, NULL, NULL}}, 1},
        {{{"l", S_IFLNK | 0777, "/etc", NULL}}, 1},
        {{{"l", S_IFLNK | 0777, "..", NULL}}, 1},
        {{{"a/l", S_IFLNK | 0777, "../../x", NULL}}, 1},
        {{{"s", S_IFLNK | 0777, ".", NULL}, {"l", S_IFLNK | 0777, "s/../x", NULL}}, 2},
        {{{"d", S_IFDIR | 0755, NULL, NULL},
          {"s", S_IFLNK | 0777, "d", NULL},
          {"s/x", S_IFREG | 0644, NULL, NULL}},
         3},
        {{{"h", S_IFREG | 0644, NULL, "/etc/passwd"}}, 1},
        {{{"h", S_IFREG | 0644, NULL, "../tree/x"}}, 1},
        {{{"x", S_IFREG | 0644, NULL, NULL}, {"h", S_IFREG | 0644, NULL, "x"}}, 2},
        {{{"null", S_IFCHR | 0666, NULL, NULL}}, 1},
        {{{"disk", S_IFBLK | 0666, NULL, NULL}}, 1},
        {{{"pipe", S_IFIFO | 0666, NULL, NULL}}, 1},
    };
    const struct places *places = *state;
    struct error error;
    for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
        write_archive(places, hostile[i].entries, hostile[i].count);
        shell(places, "rm -rf out; mkdir out");
        if (bundle_unpack(places->fd, places->out, &error) != -1)
            fail_msg("%s came out", hostile[i].entries[0].path);
        assert_true(error_is(&error, "invalid"));
        shell(places,
              "test \"$(ls)\" = \"$(printf 'out\\ntree')\"; test ! -e /tmp/verdict-bundle-out\n"
              "test -z \"$(find out ! -type d ! -type f ! -type l)\"; test ! -e out/d/x");
    }
}

static void rights_are_not_the_archives_to_give(void **state)
{
    static const struct entry entries[] = {{"./d/", S_IFDIR | 07777, NULL, NULL},
                                           {"./d/root", S_IFREG | 06755, NULL, NULL},
                                           {"./plain", S_IFREG | 0666, NULL, NULL}};
    const struct places *places = *state;
    struct error error;
    umask(022);
    write_archive(places, entries, ARRAY_SIZE(entries));

    assert_int_equal(bundle_unpack(places->fd, places->out, &error), 0);

    shell(places,
          "test \"$(stat -c %a out/d out/d/root out/plain | tr '\\n' ' ')\" = '755 755 644 '");
}

/* A header of tar that says this of a file, and nothing behind it. */
static void write_header(const struct places *places, const char *octal_size)
{
    char header[512] = "bomb";
    unsigned sum = 0;
    strcpy(header + 100, "0000644");
    strcpy(header + 108, "0000000");
    strcpy(header + 116, "0000000");
    memcpy(header + 124, octal_size, 11);
    strcpy(header + 136, "00000000000");
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    assert_int_equal(pwrite(places->fd, header, sizeof header, 0), sizeof header);
}

static void a_bomb_is_refused_before_it_goes_off(void **state)
{
    const struct places *places = *state;
    struct error error;
    write_header(places, "77777777777");

    assert_int_equal(bundle_unpack(places->fd, places->out, &error), -1);

    assert_true(error_is(&error, "too_large"));
    shell(places, "test -z \"$(ls out)\"");
}

static void what_is_damaged_is_refused(void **state)
{
    const struct places *places = *state;
    struct error error;
    struct stat status;
    shell(places, "head -c 100000 /dev/urandom >tree/x");
    assert_int_equal(pack(places, &error), 0);
    assert_int_equal(fstat(places->fd, &status), 0);
    assert_int_equal(ftruncate(places->fd, status.st_size / 2), 0);

    assert_int_equal(bundle_unpack(places->fd, places->out, &error), -1);
    assert_true(error_is(&error, "invalid"));
    assert_int_equal(ftruncate(places->fd, 0), 0);
    assert_int_equal(pwrite(places->fd, "no archive", 10, 0), 10);
    assert_int_equal(bundle_unpack(places->fd, places->out, &error), -1);
    assert_true(error_is(&error, "invalid"));
}

int main(void)
{
#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_tree_comes_out_as_it_went_in),
        TREE_TEST(the_same_tree_makes_the_same_bytes),
        TREE_TEST(what_is_ignored_stays_out),
        TREE_TEST(our_own_list_decides_behind_gits),
        TREE_TEST(gits_lists_further_down_take_nothing_back_from_ours),
        TREE_TEST(a_list_that_cannot_be_taken_whole_is_an_error),
        TREE_TEST(a_link_that_leads_outside_is_not_packed),
        TREE_TEST(what_is_too_much_or_nothing_is_not_packed),
        TREE_TEST(what_would_reach_outside_is_refused),
        TREE_TEST(rights_are_not_the_archives_to_give),
        TREE_TEST(a_bomb_is_refused_before_it_goes_off),
        TREE_TEST(what_is_damaged_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
