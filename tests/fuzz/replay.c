/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz target fed with its seeds alone, as a unit test: build/…/replay/<name>_test reads the folders that the
 * second line of <name>_fuzz.c here names, as `run` does. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"

#define SEED_BYTES ((size_t)64 * 1024 * 1024)
#define TEST       "_test"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void replay(const char *path)
{
    AUTO(memory_free) uint8_t *bytes = xcalloc(SEED_BYTES, 1);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, SEED_BYTES, file);
    assert_true(feof(file));
    fclose(file);
    /* Of its very length, so that the sanitizer sees what is read behind it. */
    AUTO(memory_free) uint8_t *seed = xcalloc(length == 0 ? 1 : length, 1);
    memcpy(seed, bytes, length);
    assert_int_equal(LLVMFuzzerTestOneInput(seed, length), 0);
}

static int replay_folder(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        AUTO(text_free) char *path = xasprintf("%s/%s", folder, entry->d_name);
        if (entry->d_type != DT_REG)
            continue;
        replay(path);
        count++;
    }
    closedir(dir);
    return count;
}

static void the_target_takes_its_seeds(void **state)
{
    (void)state;
    char line[1024], *rest = NULL;
    const char *name = program_invocation_short_name;
    AUTO(text_free)
    char *source = xasprintf("tests/fuzz/%.*s_fuzz.c", (int)(strlen(name) - strlen(TEST)), name);
    FILE *file = fopen(source, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    char *folders = strstr(line, "seeds: ");
    assert_non_null(folders);
    int replayed = 0;
    for (char *folder = strtok_r(folders + strlen("seeds: "), " *\n", &rest); folder != NULL;
         folder = strtok_r(NULL, " *\n", &rest))
        if (strcmp(folder, "/") != 0) {
            assert_true(replay_folder(folder) > 0);
            replayed++;
        }
    assert_true(replayed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_target_takes_its_seeds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
