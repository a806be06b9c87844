/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/checks.h"
#include "api/run_lookup.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/result.h"
#include "http/cursor.h"
#include "http/page.h"
#include "http/range.h"
#include "http/response.h"
#include "model/case_key.h"
#include "model/limits.h"
#include "model/states.h"

#define TASKS_PAGE 1000
#define KEY_DIGITS (CASE_KEY_HEX_SIZE - 1)
#define LOG_PAGE   256 /* chunks */
enum tries { TRIES_LAST, TRIES_ALL };
static const char *const tries_list[] = {"last", "all"};
static const struct names tries_names = NAMES("choice of tries", tries_list);

enum log_format { LOG_TEXT, LOG_JSON, LOG_BY_ACCEPT };
static const char *const log_format_list[] = {"text", "json"};
static const struct names log_format_names = NAMES("format of logs", log_format_list);

#define LOG_TEXT_TYPE  "text/plain; charset=utf-8"
#define LOG_TEXT_BYTES ((int64_t)256 * 1024 * 1024)

static int open_run(struct request *request, struct store **store_r, struct run_ref *run_r,
                    struct error *error)
{
    if (request_store(request, store_r, error) < 0)
        return -1;
    return run_lookup(request, *store_r, run_r, error);
}

/* Answers the items and the cursor (NULL: this was the last page). */
static void answer_page(struct response *response, json_t *items, const char *cursor_text)
{
    AUTO(text_free) char *cursor = cursor_text == NULL ? NULL : cursor_encode(cursor_text);
    response_json(response, 200, json_pack("{s:o, s:s?}", "items", items, "next_cursor", cursor));
}

/* One more than the page holds was read: true when there is more. */
static bool cut_page(json_t *items, int64_t limit)
{
    if ((int64_t)json_array_size(items) <= limit)
        return false;
    json_array_remove(items, (size_t)limit);
    return true;
}

static const json_t *last_of(const json_t *items)
{
    return json_array_get(items, json_array_size(items) - 1);
}

/* ---- results -------------------------------------------------------------------------------------- */

static void position_deinit(struct result_position *position)
{
    text_free(&position->variant);
}

/* "<case key>.<try>.<variant>" */
static int read_result_cursor(const struct request *request, struct result_position *position,
                              struct error *error)
{
    const char *cursor = request_query(request, "cursor");
    static const int64_t max[] = {INT32_MAX};
    AUTO(text_free) char *text = NULL;
    const char *variant;
    if (cursor == NULL)
        return 0;
    if (cursor_decode(cursor, &text, error) < 0)
        return -1;
    if (strspn(text, "0123456789abcdef") != KEY_DIGITS || text[KEY_DIGITS] != '.')
        return cursor_refuse(error);
    if (cursor_numbers(text + KEY_DIGITS + 1, 0, max, 1, &position->try, &variant, error) < 0)
        return -1;
    memcpy(position->case_key, text, KEY_DIGITS);
    position->variant = xstrdup(variant);
    return 0;
}

static int read_result_filter(const struct request *request, struct result_filter *filter_r,
                              struct error *error)
{
    const char *task = request_query(request, "task");
    struct result_filter filter = {.status = request_query(request, "status"),
                                   .search = request_query(request, "search")};
    int tries;
    if (check_choices("status", filter.status, &result_status_names, error) < 0 ||
        check_search(filter.search, error) < 0 ||
        request_query_choice(request, "tries", &tries_names, TRIES_LAST, &tries, error) < 0)
        return -1;
    if (task != NULL && uuid_parse(task, &filter.task_id, NULL) < 0)
        return error_field(error, "task", "task must be an id");
    filter.all_tries = tries == TRIES_ALL;
    *filter_r = filter;
    return 0;
}

static void answer_results(struct response *response, json_t *items, int64_t limit)
{
    AUTO(text_free) char *next = NULL;
    if (cut_page(items, limit)) {
        const json_t *last = last_of(items);
        next = xasprintf("%s.%lld.%s", json_find_text(last, "case_key"),
                         (long long)json_find_int(last, "try", 0), json_find_text(last, "variant"));
    }
    answer_page(response, items, next);
}

int run_results(struct request *request, struct response *response, struct error *error)
{
    AUTO(position_deinit) struct result_position after = {.case_key = ""};
    struct result_filter filter;
    struct store *store;
    struct run_ref run;
    int64_t limit;
    json_t *items;
    if (request_query_int(request, "limit", 1, LIMIT_PAGE_ENTRIES, PAGE_DEFAULT, &limit, error) <
            0 ||
        read_result_filter(request, &filter, error) < 0 ||
        read_result_cursor(request, &after, error) < 0 ||
        open_run(request, &store, &run, error) < 0)
        return -1;
    if (result_db_list(store, &run.id, &filter, &after, limit + 1, &items, error) < 0)
        return -1;
    answer_results(response, items, limit);
    return 0;
}

/* ---- tasks ---------------------------------------------------------------------------------------- */

static int read_number_cursor(const struct request *request, int64_t *number_r, struct error *error)
{
    const char *cursor = request_query(request, "cursor");
    static const int64_t max[] = {INT32_MAX};
    AUTO(text_free) char *text = NULL;
    *number_r = -1;
    if (cursor == NULL)
        return 0;
    if (cursor_decode(cursor, &text, error) < 0)
        return -1;
    return cursor_numbers(text, 0, max, 1, number_r, NULL, error);
}

int run_tasks(struct request *request, struct response *response, struct error *error)
{
    AUTO(text_free) char *next = NULL;
    struct store *store;
    struct run_ref run;
    int64_t limit, after;
    json_t *items;
    if (request_query_int(request, "limit", 1, TASKS_PAGE, LIMIT_PAGE_ENTRIES, &limit, error) < 0 ||
        read_number_cursor(request, &after, error) < 0 ||
        open_run(request, &store, &run, error) < 0 ||
        task_db_list(store, &run.id, after, limit + 1, &items, error) < 0)
        return -1;
    if (cut_page(items, limit))
        next = xasprintf("%lld", (long long)json_find_int(last_of(items), "ordinal", 0));
    answer_page(response, items, next);
    return 0;
}

/* ---- logs ----------------------------------------------------------------------------------------- */

/* "<ordinal>.<attempt>.<seq>" */
static int read_log_cursor(const struct request *request, struct log_position *position_r,
                           struct error *error)
{
    const char *cursor = request_query(request, "cursor");
    static const int64_t max[] = {INT32_MAX, INT32_MAX, INT64_MAX};
    AUTO(text_free) char *text = NULL;
    int64_t numbers[ARRAY_SIZE(max)];
    *position_r = (struct log_position){-1, -1, -1};
    if (cursor == NULL)
        return 0;
    if (cursor_decode(cursor, &text, error) < 0)
        return -1;
    /* -1: before the first */
    if (cursor_numbers(text, -1, max, ARRAY_SIZE(max), numbers, NULL, error) < 0)
        return -1;
    *position_r = (struct log_position){numbers[0], numbers[1], numbers[2]};
    return 0;
}

static struct log_position position_of(const json_t *chunk)
{
    return (struct log_position){json_find_int(chunk, "ordinal", 0),
                                 json_find_int(chunk, "attempt", 0),
                                 json_find_int(chunk, "seq", 0)};
}

/* While the run goes on there is always a next page: whoever follows asks for it again. */
static int answer_chunks(struct request *request, struct store *store, const struct run_ref *run,
                         const struct uuid *task_id, int64_t limit, struct response *response,
                         struct error *error)
{
    AUTO(text_free) char *next = NULL;
    struct log_position after;
    json_t *items;
    if (read_log_cursor(request, &after, error) < 0 ||
        log_db_list(store, &run->id, task_id, &after, limit + 1, &items, error) < 0)
        return -1;
    bool has_more = cut_page(items, limit);
    if (json_array_size(items) > 0)
        after = position_of(last_of(items));
    if (has_more || !run->is_final)
        next = xasprintf("%lld.%lld.%lld", (long long)after.ordinal, (long long)after.attempt,
                         (long long)after.seq);
    answer_page(response, items, next);
    return 0;
}

/* Says whose output begins, once there is more than one. */
static void write_heading(FILE *out, const json_t *chunk, struct log_position *last)
{
    const struct log_position now = position_of(chunk);
    bool is_first = last->ordinal < 0;
    bool is_other = now.ordinal != last->ordinal || now.attempt != last->attempt;
    if (is_other && (!is_first || now.ordinal > 0 || now.attempt > 1))
        fprintf(out, "%s==> task %lld, attempt %lld <==\n", is_first ? "" : "\n",
                (long long)now.ordinal, (long long)now.attempt);
    *last = now;
}

static int write_log(struct store *store, const struct run_ref *run, const struct uuid *task_id,
                     FILE *out, struct error *error)
{
    struct log_position last = {-1, -1, -1};
    int64_t written = 0;
    size_t count;
    do {
        AUTO(json_free) json_t *items = NULL;
        if (log_db_list(store, &run->id, task_id, &last, LOG_PAGE, &items, error) < 0)
            return -1;
        count = json_array_size(items);
        for (size_t i = 0; i < count; i++) {
            const json_t *chunk = json_array_get(items, i);
            const char *text = json_find_text(chunk, "text");
            write_heading(out, chunk, &last);
            fputs(text, out);
            written += (int64_t)strlen(text);
        }
    } while (count == LOG_PAGE && written < LOG_TEXT_BYTES);
    if (count == LOG_PAGE)
        fputs("\n==> cut here: ask for one task, or page by page with format=json <==\n", out);
    return 0;
}

static int file_failed(struct error *error)
{
    return error_set(error, "internal", "a temporary file: %s", strerror(errno));
}

/* The text has no validator that If-Range could name: with one, all is answered. Takes the fd. */
static int answer_range(const struct request *request, struct response *response, int fd,
                        int64_t size, struct error *error)
{
    const char *range =
        request_header(request, "If-Range") == NULL ? request_header(request, "Range") : NULL;
    int64_t first = 0, length = 0;
    response_header(response, "Accept-Ranges", "bytes");
    switch (range_read(range, size, &first, &length)) {
    case RANGE_BEYOND:
        fd_close(&fd);
        response_headerf(response, "Content-Range", "bytes */%lld", (long long)size);
        return error_set(error, "range_not_satisfiable",
                         "Range: nothing is there, the log has %lld bytes so far", (long long)size);
    case RANGE_PART:
        response_file_part(response, LOG_TEXT_TYPE, fd, first, length, size);
        return 0;
    case RANGE_WHOLE:
        break;
    }
    response_file(response, LOG_TEXT_TYPE, fd);
    return 0;
}

static int answer_text(const struct request *request, struct store *store,
                       const struct run_ref *run, const struct uuid *task_id,
                       struct response *response, struct error *error)
{
    FILE *out = tmpfile();
    if (out == NULL)
        return file_failed(error);
    int status = write_log(store, run, task_id, out, error);
    int64_t size = 0;
    int fd = -1;
    if (status == 0 &&
        (fflush(out) != 0 || (size = ftello(out)) < 0 || (fd = dup(fileno(out))) < 0))
        status = file_failed(error);
    fclose(out);
    return status < 0 ? -1 : answer_range(request, response, fd, size, error);
}

static bool wants_json(const struct request *request, int format)
{
    const char *accept = request_header(request, "Accept");
    if (format != LOG_BY_ACCEPT)
        return format == LOG_JSON;
    return accept != NULL && strstr(accept, "application/json") != NULL;
}

int run_logs(struct request *request, struct response *response, struct error *error)
{
    const char *task = request_query(request, "task");
    struct uuid task_id = {""};
    struct store *store;
    struct run_ref run;
    int64_t limit;
    int format;
    if (request_query_choice(request, "format", &log_format_names, LOG_BY_ACCEPT, &format, error) <
            0 ||
        request_query_int(request, "limit", 1, LIMIT_PAGE_ENTRIES, PAGE_DEFAULT, &limit, error) < 0)
        return -1;
    if (task != NULL && uuid_parse(task, &task_id, NULL) < 0)
        return no_such("task", task, error);
    if (open_run(request, &store, &run, error) < 0)
        return -1;
    if (wants_json(request, format) || request_query(request, "cursor") != NULL)
        return answer_chunks(request, store, &run, &task_id, limit, response, error);
    return answer_text(request, store, &run, &task_id, response, error);
}
