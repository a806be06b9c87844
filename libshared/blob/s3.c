/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs in a bucket of anything that speaks S3, by path (HOST/BUCKET/PREFIX/ab/NAME) and signed by libcurl.
 * The name is what S3 wants to be told of the body as well: the server refuses bytes that are not the
 * blob's. No query is ever sent: libcurl 7.88 does not sign queries as S3 does. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "blob/backend.h"
#include "http/client.h"

#define SCHEME     "s3+"
#define EMPTY_NAME "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define IDLE_MAX   8
#define TIMEOUT_MS 120000
#define ANSWER_MAX ((size_t)64 * 1024) /* of what an error says */

struct s3 {
    char *base; /* https://HOST/BUCKET/PREFIX, without a slash at its end */
    char *region, *key_id, *secret;
    pthread_mutex_t lock;
    struct http_client *idle[IDLE_MAX]; /* under the lock, as is: */
    int idle_count;
};

static void close_store(void *state)
{
    struct s3 *store = state;
    for (int i = 0; i < store->idle_count; i++)
        http_client_free(&store->idle[i]);
    pthread_mutex_destroy(&store->lock);
    free(store->base);
    free(store->region);
    free(store->key_id);
    free(store->secret);
    free(store);
}

static int open_store(const struct blob_settings *settings, void **state_r, struct error *error)
{
    const char *base = settings->url + strlen(SCHEME);
    const char *host = text_starts(base, "https://")  ? base + 8
                       : text_starts(base, "http://") ? base + 7
                                                      : NULL;
    const char *bucket = host == NULL ? NULL : strchr(host, '/');
    size_t length = strlen(base);
    if (bucket == NULL || bucket[1] == '\0' || strpbrk(base, "?#@ ") != NULL)
        return error_set(error, "invalid",
                         "VERDICT_BLOB_URL must be s3+https://HOST[:PORT]/BUCKET[/PREFIX]");
    if (settings->key_id[0] == '\0' || settings->secret[0] == '\0')
        return error_set(error, "invalid",
                         "VERDICT_BLOB_KEY_ID and VERDICT_BLOB_SECRET are needed for S3");
    while (base[length - 1] == '/')
        length--;
    struct s3 *store = xcalloc(1, sizeof *store);
    *store = (struct s3){.base = xstrndup(base, length),
                         .region = xstrdup(settings->region),
                         .key_id = xstrdup(settings->key_id),
                         .secret = xstrdup(settings->secret)};
    pthread_mutex_init(&store->lock, NULL);
    *state_r = store;
    return 0;
}

static struct http_client *take_client(struct s3 *store)
{
    struct http_client *client = NULL;
    pthread_mutex_lock(&store->lock);
    if (store->idle_count > 0)
        client = store->idle[--store->idle_count];
    pthread_mutex_unlock(&store->lock);
    return client == NULL ? http_client_new() : client;
}

static void give_back(struct s3 *store, struct http_client *client)
{
    pthread_mutex_lock(&store->lock);
    if (store->idle_count < IDLE_MAX)
        store->idle[store->idle_count++] = TAKE(client);
    pthread_mutex_unlock(&store->lock);
    http_client_free(&client);
}

/* What the server says, without its markup: <Error><Code>NoSuchBucket</Code>… */
static void read_code(const struct http_answer *answer, char code_r[64])
{
    const char *code = answer->body == NULL ? NULL : strstr(answer->body, "<Code>");
    code_r[0] = '\0';
    if (code != NULL)
        snprintf(code_r, 64, "%.*s", (int)strcspn(code + 6, "<"), code + 6);
}

static int judge(const struct http_answer *answer, struct error *error)
{
    char code[64];
    if (answer->status >= 200 && answer->status < 300)
        return 0;
    read_code(answer, code);
    if (answer->status == 404 && strcmp(code, "NoSuchBucket") != 0)
        return error_set(error, "not_found", "the file is not in the store any more");
    bool is_full = answer->status == 507 || strstr(code, "Quota") != NULL ||
                   strstr(code, "StorageFull") != NULL || strstr(code, "StorageLimit") != NULL;
    return error_set(error, is_full ? "no_room" : "unavailable",
                     "the store of files answers %ld %s", answer->status, code);
}

struct body {
    const int *fd; /* NULL: none */
    int64_t bytes;
    int (*on_data)(void *context, const char *data, size_t length); /* of the answer */
    void *context;
};

static int ask(struct s3 *store, const char *method, const char *name, const struct body *body,
               struct error *error)
{
    AUTO(text_free) char *url = xasprintf("%s/%.2s/%s", store->base, name, name);
    AUTO(text_free)
    char *digest = xasprintf("x-amz-content-sha256: %s", body->fd == NULL ? EMPTY_NAME : name);
    const char *const headers[] = {digest, NULL};
    const struct http_signer signer = {store->region, store->key_id, store->secret};
    const struct http_request request = {.method = method,
                                         .url = url,
                                         .headers = headers,
                                         .body_fd = body->fd,
                                         .body_length = (size_t)body->bytes,
                                         .signer = &signer,
                                         .timeout_ms = TIMEOUT_MS,
                                         .answer_max = ANSWER_MAX,
                                         .on_data = body->on_data,
                                         .context = body->context};
    struct http_client *client = take_client(store);
    struct http_answer answer = {.status = 0};
    int status = http_send(client, &request, &answer, error);
    give_back(store, client);
    if (status < 0)
        return error_set(error, "unavailable", "the store of files cannot be reached");
    status = judge(&answer, error);
    http_answer_deinit(&answer);
    return status;
}

static int put(void *state, const char *name, int fd, int64_t bytes, struct error *error)
{
    const struct body there = {.fd = NULL}, body = {.fd = &fd, .bytes = bytes};
    struct error missing;
    if (ask(state, "HEAD", name, &there, &missing) == 0)
        return 0;
    return ask(state, "PUT", name, &body, error);
}

static int write_piece(void *context, const char *data, size_t length)
{
    const int *fd = context;
    while (length > 0) {
        ssize_t written = write(*fd, data, length);
        if (written < 0)
            return -1;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

static int get(void *state, const char *name, int *fd_r, struct error *error)
{
    AUTO(fd_close) int fd = -1;
    const struct body body = {.on_data = write_piece, .context = &fd};
    if (blob_temporary(&fd, error) < 0 || ask(state, "GET", name, &body, error) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_set(error, "unavailable", "a temporary file: %s", strerror(errno));
    *fd_r = fd;
    fd = -1;
    return 0;
}

static int remove_blob(void *state, const char *name, struct error *error)
{
    const struct body body = {.fd = NULL};
    if (ask(state, "DELETE", name, &body, error) == 0 || error_is(error, "not_found"))
        return 0;
    return -1;
}

const struct blob_backend blob_s3 = {
    .scheme = SCHEME,
    .open = open_store,
    .close = close_store,
    .put = put,
    .get = get,
    .remove = remove_blob,
};
