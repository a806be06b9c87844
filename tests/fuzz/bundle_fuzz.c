/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/bundle */
/* An archive, unpacked: what comes of it lies inside of its directory, leads nowhere outside, and has no rights but
 * ours. Checksums of headers are made right before, or nearly every input would end at the first of them. */
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "bundle/bundle.h"

#define BLOCK    512
#define MAGIC_AT 257
#define SUM_AT   148
#define SUM_SIZE 8
#define OPEN_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Beside `tree` there is nothing, before and afterwards. */
static char top[] = "/tmp/verdict-unpack-XXXXXX";
static char tree[sizeof top + sizeof "/tree"];

static void make_top(void)
{
    if (tree[0] != '\0')
        return;
    assert(mkdtemp(top) != NULL);
    snprintf(tree, sizeof tree, "%s/tree", top);
}

static void seal(uint8_t *block)
{
    unsigned sum = 0;
    char text[SUM_SIZE];
    memset(block + SUM_AT, ' ', SUM_SIZE);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf(text, sizeof text, "%06o", sum);
    memcpy(block + SUM_AT, text, sizeof text - 1);
}

static int archive_of(const uint8_t *bytes, size_t length)
{
    AUTO(memory_free) uint8_t *sealed = xcalloc(length + 1, 1);
    memcpy(sealed, bytes, length);
    for (size_t at = 0; at + BLOCK <= length; at += BLOCK)
        if (memcmp(sealed + at + MAGIC_AT, "ustar", 5) == 0)
            seal(sealed + at);
    int fd = memfd_create("archive", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, sealed, length) == (ssize_t)length);
    return fd;
}

static int check_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)kind;
    (void)place;
    assert(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode) || S_ISLNK(status->st_mode));
    assert(S_ISLNK(status->st_mode) || (status->st_mode & 07022) == 0);
    assert(S_ISDIR(status->st_mode) || status->st_nlink == 1);
    AUTO(text_free) char *real = realpath(path, NULL);
    assert(real == NULL || text_starts(real, tree));
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct error error;
    AUTO(fd_close) int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(fd_close) int fd = archive_of(bytes, length);
    make_top();
    assert((mkdir(top, 0700) == 0 || access(top, F_OK) == 0) && mkdir(tree, 0755) == 0);
    if (bundle_unpack(fd, tree, &error) < 0)
        assert(error.code[0] != '\0' && error.text[0] != '\0');
    assert(fchdir(before) == 0);
    assert(nftw(tree, check_entry, OPEN_MAX, FTW_PHYS) == 0);
    assert(nftw(tree, remove_entry, OPEN_MAX, FTW_PHYS | FTW_DEPTH) == 0);
    assert(rmdir(top) == 0);
    return 0;
}
