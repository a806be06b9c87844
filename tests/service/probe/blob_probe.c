/* SPDX-License-Identifier: Apache-2.0 */
/* The store of files from a command line: blob_probe put FILE…, get NAME, remove NAME. Names and bytes go to
 * stdout, the code of an error to stderr. Settings are those of api-ingest. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "blob/blob.h"

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

static int put(struct blob_store *store, const char *path, struct error *error)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char name[BLOB_NAME_SIZE];
    int64_t bytes;
    if (blob_name_of(fd, name, &bytes, error) < 0 || blob_put(store, name, fd, bytes, error) < 0)
        return -1;
    printf("%s\n", name);
    return 0;
}

static int get(struct blob_store *store, const char *name, struct error *error)
{
    AUTO(fd_close) int fd = -1;
    char piece[4096];
    ssize_t length;
    if (blob_get(store, name, &fd, error) < 0)
        return -1;
    while ((length = read(fd, piece, sizeof piece)) > 0)
        fwrite(piece, 1, (size_t)length, stdout);
    return 0;
}

static int perform(struct blob_store *store, const char *verb, const char *what,
                   struct error *error)
{
    if (strcmp(verb, "put") == 0)
        return put(store, what, error);
    return strcmp(verb, "get") == 0 ? get(store, what, error) : blob_remove(store, what, error);
}

int main(int argc, char **argv)
{
    const struct blob_settings settings = {.url = setting("VERDICT_BLOB_URL"),
                                           .region = "us-east-1",
                                           .key_id = setting("VERDICT_BLOB_KEY_ID"),
                                           .secret = setting("VERDICT_BLOB_SECRET")};
    AUTO(blob_store_close) struct blob_store *store = NULL;
    struct error error;
    int status = blob_store_open(&settings, &store, &error);
    for (int i = 2; i < argc && status == 0; i++)
        status = perform(store, argv[1], argv[i], &error);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", error.code, error.text);
    return status < 0;
}
