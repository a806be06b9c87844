/* SPDX-License-Identifier: Apache-2.0 */
#include "sources/bundle_fetch.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "blob/blob.h"
#include "bundle/bundle.h"
#include "http/client.h"
#include "model/limits.h"

#define FETCH_MS    ((int64_t)30 * 60 * 1000) /* the task's own time-out ends it before, mostly */
#define PATIENCE_MS 60000                     /* while the API is away */
#define PAUSE_MS    200
#define PAUSE_MAX   5000

struct fetching {
    int fd;
    int64_t bytes;
    struct error error; /* why on_data has ended it */
};

static int on_data(void *context, const char *data, size_t length)
{
    struct fetching *fetching = context;
    fetching->bytes += (int64_t)length;
    if (fetching->bytes > LIMIT_BUNDLE_BYTES)
        return error_set(&fetching->error, "too_large", "the bundle has more than %lld bytes",
                         (long long)LIMIT_BUNDLE_BYTES);
    while (length > 0) {
        ssize_t written = write(fetching->fd, data, length);
        if (written < 0)
            return error_set(&fetching->error, "unavailable", "the bundle cannot be kept: %s",
                             strerror(errno));
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

static int judge(const struct http_answer *answer, struct error *error)
{
    AUTO(json_free) json_t *problem = NULL;
    struct error ignored;
    if (answer->status == 200)
        return 0;
    const char *text = json_parse(answer->body, answer->length, &problem, &ignored) == 0
                           ? json_find_text(problem, "message")
                           : NULL;
    bool is_away = answer->status == 429 || (answer->status >= 502 && answer->status <= 504);
    return error_set(error, is_away ? "unreachable" : "refused", "the bundle: %s (%ld)",
                     text == NULL ? "it cannot be had" : text, answer->status);
}

static int fetch_once(struct http_client *client, const char *url, int fd, struct error *error)
{
    const char *token = getenv(BUNDLE_FETCH_TOKEN);
    AUTO(text_free)
    char *authorization = xasprintf("Authorization: Bearer %s", token == NULL ? "" : token);
    const char *const headers[] = {authorization, NULL};
    struct fetching fetching = {.fd = fd};
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .headers = headers,
                                         .timeout_ms = FETCH_MS,
                                         .on_data = on_data,
                                         .context = &fetching};
    struct http_answer answer;
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return error_set(error, "unavailable", "a temporary file: %s", strerror(errno));
    if (http_send(client, &request, &answer, error) < 0) {
        if (fetching.error.code[0] != '\0')
            *error = fetching.error;
        return -1;
    }
    int status = judge(&answer, error);
    http_answer_deinit(&answer);
    return status;
}

static int fetch(const char *url, int fd, struct error *error)
{
    AUTO(http_client_free) struct http_client *client = http_client_new();
    const int64_t deadline_ms = monotonic_ms() + PATIENCE_MS;
    struct backoff backoff;
    backoff_init(&backoff, PAUSE_MS, PAUSE_MAX);
    int status = fetch_once(client, url, fd, error);
    while (status < 0 && error_is(error, "unreachable") && monotonic_ms() < deadline_ms) {
        backoff_failed(&backoff);
        poll(NULL, 0, (int)backoff_wait_ms(&backoff) + 1);
        status = fetch_once(client, url, fd, error);
    }
    return status;
}

static int fetch_and_unpack(const char *url, const char *name, const char *directory,
                            struct error *error)
{
    AUTO(fd_close) int fd = -1;
    char is[BLOB_NAME_SIZE];
    int64_t bytes;
    if (blob_temporary(&fd, error) < 0 || fetch(url, fd, error) < 0 ||
        blob_name_of(fd, is, &bytes, error) < 0)
        return -1;
    if (strcmp(is, name) != 0)
        return error_set(error, "invalid", "the bundle came with other content: its SHA-256 is %s",
                         is);
    if (mkdir(directory, 0700) < 0)
        return error_set(error, "unavailable", "cannot make %s: %s", directory, strerror(errno));
    return bundle_unpack(fd, directory, error);
}

int bundle_fetch_main(int argc, char **argv)
{
    struct error error;
    setlocale(LC_CTYPE, "C.UTF-8"); /* names in archives by others are UTF-8 */
    if (argc != 5 || sodium_init() < 0) {
        fprintf(stderr, "%s URL SHA256 DIRECTORY: for the executor itself\n", BUNDLE_FETCH);
        return 2;
    }
    if (fetch_and_unpack(argv[2], argv[3], argv[4], &error) == 0)
        return 0;
    fprintf(stderr, "%s\n", error.text);
    return 1;
}
