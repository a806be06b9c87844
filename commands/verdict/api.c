/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the API. */
#include "api.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/uuid.h"
#include "http/client.h"

#define CALL_TIMEOUT_MS   90000 /* a long-poll takes up to 60 s */
#define FILE_TIMEOUT_MS   ((int64_t)30 * 60 * 1000)
#define STREAM_TIMEOUT_MS ((int64_t)60 * 60 * 1000)
#define FILE_PATIENCE_MS  ((int64_t)10 * 60 * 1000)
#define PATIENCE_MS       5000  /* for a server that has not answered yet */
#define PATIENCE_KNOWN_MS 60000 /* for one that has: it is being restarted */
#define RETRY_AFTER_MAX_S 10
#define DEADLINE_GRACE_MS 1000 /* for an answer that is on its way when the time is over */

volatile sig_atomic_t api_interrupted;

static void on_signal(int number)
{
    (void)number;
    api_interrupted = 1;
}

void api_watch_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

char *api_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    char *copy = xstrdup(escaped == NULL ? "" : escaped);
    curl_free(escaped);
    return copy;
}

char *api_path(const char *format, const char *argument)
{
    AUTO(text_free) char *escaped = api_escape(argument);
    const char *hole = strstr(format, "%s");
    return xasprintf("%.*s%s%s", (int)(hole - format), format, escaped, hole + 2);
}

void api_add_query(char **path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    AUTO(text_free) char *escaped = api_escape(value);
    char *longer =
        xasprintf("%s%c%s=%s", *path, strchr(*path, '?') == NULL ? '?' : '&', name, escaped);
    text_free(path);
    *path = longer;
}

char *api_absolute(const struct cli *cli, const char *path)
{
    size_t length = strlen(cli->options.url);
    if (text_starts(path, "http://") || text_starts(path, "https://"))
        return xstrdup(path);
    while (length > 0 && cli->options.url[length - 1] == '/')
        length--;
    return xasprintf("%.*s%s", (int)length, cli->options.url, path);
}

/* Wrong input is wrong usage. A server that is overloaded or broken is as good as out of reach: asking again
 * may help, which it never does after a refusal. */
static const char *refusal_code(long status)
{
    static const long input[] = {400, 413, 414, 422};
    for (size_t i = 0; i < ARRAY_SIZE(input); i++)
        if (input[i] == status)
            return "usage";
    if (status == 404)
        return "not_found";
    return status == 429 || status >= 500 ? "unreachable" : "refused";
}

/* The problem document's own words, with the fields that it names. */
static int refused(long status, const char *path, const json_t *problem, struct error *error)
{
    const char *message = json_find_text(problem, "message");
    const json_t *details = json_object_get(problem, "errors"), *detail;
    size_t index;
    error_set(error, refusal_code(status), "%s (status %ld from %s)",
              message == NULL || message[0] == '\0' ? "the server refuses" : message, status, path);
    json_array_foreach ((json_t *)(uintptr_t)details, index, detail) {
        const char *field = json_find_text(detail, "field");
        if (index == 0 && field != NULL)
            text_format(error->field, sizeof error->field, "%s", field);
        const char *text = json_find_text(detail, "message");
        size_t length = strlen(error->text);
        if (text == NULL || (message != NULL && strcmp(text, message) == 0))
            continue;
        snprintf(error->text + length, sizeof error->text - length, "\n  %s: %s",
                 field == NULL ? "" : field, text);
    }
    return -1;
}

struct call {
    const char *method, *path, *key, *accept, *last_event;
    const json_t *body;
    const int *file; /* instead: the body is this file */
    int64_t file_bytes;
    bool is_repeatable;       /* a POST that may arrive twice */
    struct http_client *http; /* NULL: the command's */
    int64_t timeout_ms;       /* 0: of a call whose answer is kept */
    int (*on_data)(void *context, const char *bytes, size_t length); /* NULL: it is kept */
    int (*on_tick)(void *context);
    void *context;
};

static int write_out(void *context, const char *data, size_t length)
{
    FILE *out = context;
    return fwrite(data, 1, length, out) == length ? 0 : -1;
}

/* How long there is until the command's deadline; never negative. */
static int64_t left_ms(const struct cli *cli)
{
    int64_t left = cli->deadline_ms - monotonic_ms();
    if (cli->deadline_ms == 0)
        return INT64_MAX / 2;
    return left > 0 ? left : 0;
}

static int64_t timeout_ms(const struct cli *cli, const struct call *call)
{
    int64_t timeout = call->timeout_ms == 0 ? CALL_TIMEOUT_MS : call->timeout_ms;
    int64_t left = left_ms(cli) + DEADLINE_GRACE_MS;
    return left < timeout ? left : timeout;
}

/* One exchange; *answer is the caller's to free on success. */
static int exchange(struct cli *cli, const struct call *call, struct http_answer *answer,
                    struct error *error)
{
    if (config_check(cli, error) < 0)
        return -1;
    AUTO(text_free) char *url = api_absolute(cli, call->path);
    AUTO(text_free)
    char *authorization = xasprintf("Authorization: Bearer %s", cli->options.token);
    AUTO(text_free)
    char *accept =
        xasprintf("Accept: %s", call->accept == NULL ? "application/json" : call->accept);
    AUTO(text_free)
    char *key = xasprintf("Idempotency-Key: %s", call->key == NULL ? "" : call->key);
    AUTO(text_free)
    char *last = xasprintf("Last-Event-ID: %s", call->last_event == NULL ? "" : call->last_event);
    AUTO(text_free) char *body = call->body == NULL ? NULL : json_text(call->body);
    const char *const headers[] = {authorization, accept,
                                   call->file == NULL ? "Content-Type: application/json"
                                                      : "Content-Type: application/octet-stream",
                                   call->key != NULL          ? key
                                   : call->last_event != NULL ? last
                                                              : NULL,
                                   NULL};
    const struct http_request request = {.method = call->method,
                                         .url = url,
                                         .headers = headers,
                                         .body = body,
                                         .body_length = call->file != NULL
                                                            ? (size_t)call->file_bytes
                                                        : body == NULL ? 0
                                                                       : strlen(body),
                                         .body_fd = call->file,
                                         .timeout_ms = timeout_ms(cli, call),
                                         .on_data = call->on_data,
                                         .on_tick = call->on_tick,
                                         .context = call->context,
                                         .stop = &api_interrupted};
    if (http_send(call->http == NULL ? cli->http : call->http, &request, answer, error) < 0)
        return -1;
    cli->has_answered = true;
    cli->last_status = answer->status;
    cli->last_date_s = answer->date_s;
    return 0;
}

static bool may_be_repeated(const struct call *call)
{
    bool is_safe = strcmp(call->method, "POST") != 0 || call->key != NULL || call->is_repeatable;
    return call->on_data == NULL && is_safe;
}

static bool wants_again(const struct http_answer *answer)
{
    return answer->status == 429 || answer->status == 502 || answer->status == 503;
}

static int64_t pause_ms(struct backoff *backoff, const struct http_answer *answer)
{
    backoff_failed(backoff);
    if (answer != NULL && answer->retry_after_s > 0 && answer->retry_after_s <= RETRY_AFTER_MAX_S)
        return answer->retry_after_s * 1000;
    return backoff_wait_ms(backoff) + 1;
}

/* Tries again while the server is away or asks for patience. */
static int call_patiently(struct cli *cli, const struct call *call, struct http_answer *answer,
                          struct error *error)
{
    int64_t patience_ms = call->file != NULL && cli->has_answered ? FILE_PATIENCE_MS
                          : cli->has_answered                     ? PATIENCE_KNOWN_MS
                                                                  : PATIENCE_MS;
    int64_t deadline_ms = monotonic_ms() + patience_ms;
    struct backoff backoff;
    backoff_init(&backoff, 100, 2000);
    for (;;) {
        int status = exchange(cli, call, answer, error);
        bool again = status < 0 ? error_is(error, "unreachable") : wants_again(answer);
        int64_t wait_ms = pause_ms(&backoff, status < 0 ? NULL : answer), left = left_ms(cli);
        /* The last attempt is at the very end of the time. */
        wait_ms = wait_ms < left ? wait_ms : left;
        bool has_patience =
            !cli->is_impatient && may_be_repeated(call) && monotonic_ms() + wait_ms <= deadline_ms;
        if (!again || (left > 0 && !has_patience))
            return status;
        if (status == 0)
            http_answer_deinit(answer);
        if (left == 0)
            return error_set(error, "wait_over", "no answer in time from %s", cli->options.url);
        poll(NULL, 0, (int)wait_ms);
        if (api_interrupted)
            return error_set(error, "stopped", "interrupted");
    }
}

static int take(const struct call *call, struct http_answer *answer, json_t **json_r,
                struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    struct error ignored;
    if (answer->length > 0 && json_parse(answer->body, answer->length, &json, &ignored) < 0)
        json = NULL;
    if (answer->status >= 400)
        return refused(answer->status, call->path, json, error);
    if (json_r == NULL)
        return 0;
    if (json == NULL)
        return error_set(error, "unreachable",
                         "%s: the answer is not JSON: is VERDICT_URL the right one?", call->path);
    *json_r = TAKE(json);
    return 0;
}

static int perform(struct cli *cli, const struct call *call, json_t **answer_r, struct error *error)
{
    struct http_answer answer;
    if (call_patiently(cli, call, &answer, error) < 0)
        return -1;
    int status = take(call, &answer, answer_r, error);
    http_answer_deinit(&answer);
    return status;
}

int api_call(struct cli *cli, const char *method, const char *path, const json_t *body,
             json_t **answer_r, struct error *error)
{
    const struct call call = {.method = method, .path = path, .body = body};
    return perform(cli, &call, answer_r, error);
}

int api_post_repeatable(struct cli *cli, const char *path, const json_t *body, json_t **answer_r,
                        struct error *error)
{
    const struct call call = {.method = "POST", .path = path, .body = body, .is_repeatable = true};
    return perform(cli, &call, answer_r, error);
}

int api_trigger(struct cli *cli, const char *path, const json_t *body, json_t **answer_r,
                struct error *error)
{
    struct uuid made = uuid_random();
    const char *key = cli->options.idempotency_key;
    const struct call call = {
        .method = "POST", .path = path, .body = body, .key = key == NULL ? made.text : key};
    return perform(cli, &call, answer_r, error);
}

int api_upload(struct cli *cli, const char *path, int fd, int64_t bytes, struct error *error)
{
    const struct call call = {.method = "PUT",
                              .path = path,
                              .file = &fd,
                              .file_bytes = bytes,
                              .timeout_ms = FILE_TIMEOUT_MS};
    return perform(cli, &call, NULL, error);
}

int api_post_file(struct cli *cli, const char *path, int fd, int64_t bytes, json_t **answer_r,
                  struct error *error)
{
    const struct call call = {.method = "POST",
                              .path = path,
                              .file = &fd,
                              .file_bytes = bytes,
                              .is_repeatable = true,
                              .timeout_ms = FILE_TIMEOUT_MS};
    return perform(cli, &call, answer_r, error);
}

int api_download(struct cli *cli, const char *path, const char *accept, FILE *out,
                 struct error *error)
{
    const struct call call = {.method = "GET",
                              .path = path,
                              .accept = accept,
                              .timeout_ms = FILE_TIMEOUT_MS,
                              .on_data = write_out,
                              .context = out};
    struct http_answer answer;
    if (call_patiently(cli, &call, &answer, error) < 0)
        return -1;
    int status = take(&call, &answer, NULL, error);
    http_answer_deinit(&answer);
    if (status < 0)
        return -1;
    return fflush(out) == 0 ? 0 : error_set(error, "usage", "the output cannot be written");
}

int api_stream(struct cli *cli, const char *path, const struct api_stream *stream,
               struct error *error)
{
    AUTO(http_client_free) struct http_client *http = http_client_new();
    AUTO(text_free)
    char *last = stream->last_id < 0 ? NULL : xasprintf("%" PRId64, stream->last_id);
    const struct call call = {.method = "GET",
                              .path = path,
                              .accept = "text/event-stream",
                              .last_event = last,
                              .http = http,
                              .timeout_ms = STREAM_TIMEOUT_MS,
                              .on_data = stream->on_data,
                              .on_tick = stream->on_tick,
                              .context = stream->context};
    struct http_answer answer;
    if (exchange(cli, &call, &answer, error) < 0)
        return -1;
    int status = take(&call, &answer, NULL, error);
    http_answer_deinit(&answer);
    return status;
}

int api_list(struct cli *cli, const char *path, size_t most, json_t **items_r, struct error *error)
{
    AUTO(json_free) json_t *items = json_array();
    AUTO(text_free) char *cursor = NULL;
    const char *mark = strchr(path, '?') == NULL ? "?" : "&";
    do {
        AUTO(json_free) json_t *page = NULL;
        AUTO(text_free) char *escaped = api_escape(cursor == NULL ? "" : cursor);
        AUTO(text_free)
        char *url =
            xasprintf("%s%slimit=200%s%s", path, mark, cursor == NULL ? "" : "&cursor=", escaped);
        if (api_call(cli, "GET", url, NULL, &page, error) < 0)
            return -1;
        const char *next = json_find_text(page, "next_cursor");
        json_array_extend(items, json_object_get(page, "items"));
        text_free(&cursor);
        cursor = next == NULL || next[0] == '\0' ? NULL : xstrdup(next);
    } while (cursor != NULL && (most == 0 || json_array_size(items) < most));
    while (most > 0 && json_array_size(items) > most)
        json_array_remove(items, json_array_size(items) - 1);
    *items_r = TAKE(items);
    return 0;
}
