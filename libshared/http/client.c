/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's easy interface with limits. */
#include "http/client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "http/loopback.h"

#define CONNECT_TIMEOUT_MS 10000L
#define ANSWER_MAX_DEFAULT ((size_t)64 * 1024 * 1024)

struct http_client {
    CURL *curl;
};

struct transfer {
    const struct http_request *request;
    CURL *curl;
    struct buffer body;
    off_t sent; /* of body_fd */
    bool stopped;
};

static void init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_once);
    struct http_client *client = xcalloc(1, sizeof *client);
    client->curl = curl_easy_init();
    if (client->curl == NULL)
        abort();
    return client;
}

void http_client_free(struct http_client **client)
{
    if (*client != NULL)
        curl_easy_cleanup((*client)->curl);
    memory_free(client);
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->request->on_data != NULL && status < 400) {
        transfer->stopped =
            transfer->request->on_data(transfer->request->context, data, length) != 0;
        return transfer->stopped ? 0 : length;
    }
    buffer_add(&transfer->body, data, length);
    return transfer->body.overflowed ? 0 : length;
}

static int on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up)
{
    struct transfer *transfer = context;
    const struct http_request *request = transfer->request;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up;
    transfer->stopped |= request->stop != NULL && *request->stop != 0;
    if (!transfer->stopped && request->on_tick != NULL)
        transfer->stopped = request->on_tick(request->context) != 0;
    return transfer->stopped;
}

static size_t on_read(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    ssize_t length = pread(*transfer->request->body_fd, data, size * count, transfer->sent);
    if (length < 0)
        return CURL_READFUNC_ABORT;
    transfer->sent += length;
    return (size_t)length;
}

/* A connection that had died is opened again, and the body begins anew. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct transfer *transfer = context;
    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->sent = offset;
    return CURL_SEEKFUNC_OK;
}

static struct curl_slist *make_headers(const struct http_request *request)
{
    /* libcurl 7.88 signs a header that is taken away as if it were sent. */
    struct curl_slist *list = request->signer == NULL ? curl_slist_append(NULL, "Expect:") : NULL;
    for (const char *const *header = request->headers; header != NULL && *header != NULL; header++)
        list = curl_slist_append(list, *header);
    return list;
}

static void send_bytes(CURL *curl, const struct http_request *request)
{
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
}

static void send_file(CURL *curl, struct transfer *transfer)
{
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->request->body_length);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
}

static void sign(CURL *curl, const struct http_signer *signer)
{
    AUTO(text_free) char *scope = xasprintf("aws:amz:%s:s3", signer->region);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, scope);
    curl_easy_setopt(curl, CURLOPT_USERNAME, signer->key_id);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, signer->secret);
}

static void prepare(CURL *curl, struct transfer *transfer, struct curl_slist *headers, char *reason)
{
    const struct http_request *request = transfer->request;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "verdict");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    /* A time-out and a stop do not wait for the resolver; its thread ends by itself. */
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    if (url_is_loopback(request->url)) /* proxies of the environment are for others */
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (request->stop != NULL || request->on_tick != NULL) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (request->signer != NULL)
        sign(curl, request->signer);
    if (request->body_fd != NULL)
        send_file(curl, transfer);
    else if (request->body != NULL)
        send_bytes(curl, request);
}

/* It gives whole seconds. */
static int64_t date_of(CURL *curl)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    return curl_getdate(header->value, NULL);
}

static void take_answer(CURL *curl, struct transfer *transfer, struct http_answer *answer_r)
{
    const char *type = NULL;
    curl_off_t retry_after = 0;
    *answer_r = (struct http_answer){.retry_after_s = -1, .date_s = date_of(curl)};
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer_r->status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    answer_r->content_type = xstrdup(type == NULL ? "" : type);
    if (retry_after > 0)
        answer_r->retry_after_s = (long)retry_after;
    answer_r->length = transfer->body.length;
    answer_r->body = buffer_take(&transfer->body);
}

static int failed(const struct transfer *transfer, CURLcode code, const char *reason,
                  struct error *error)
{
    if (transfer->stopped)
        return error_set(error, "stopped", "ended by the reader");
    if (transfer->body.overflowed)
        return error_set(error, "too_large", "%s: the answer has more than %zu bytes",
                         transfer->request->url, transfer->body.max_bytes);
    return error_set(error, "unreachable", "%s: %s", transfer->request->url,
                     reason[0] != '\0' ? reason : curl_easy_strerror(code));
}

int http_send(struct http_client *client, const struct http_request *request,
              struct http_answer *answer_r, struct error *error)
{
    struct transfer transfer = {.request = request, .curl = client->curl};
    char reason[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = make_headers(request);
    buffer_init(&transfer.body, request->answer_max > 0 ? request->answer_max : ANSWER_MAX_DEFAULT);
    prepare(client->curl, &transfer, headers, reason);
    CURLcode code = curl_easy_perform(client->curl);
    int status = 0;
    if (code == CURLE_OK)
        take_answer(client->curl, &transfer, answer_r);
    else
        status = failed(&transfer, code, reason, error);
    curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    buffer_deinit(&transfer.body);
    return status;
}

void http_answer_deinit(struct http_answer *answer)
{
    free(answer->body);
    free(answer->content_type);
    *answer = (struct http_answer){0};
}
