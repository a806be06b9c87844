/* SPDX-License-Identifier: Apache-2.0 */
#include "item.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"

/* Until the year 9999: what Postgres and every reader of ours can hold. */
#define TIME_MAX_MS ((int64_t)253402300799000)

static int64_t clamp(int64_t number, int64_t min, int64_t max)
{
    return number < min ? min : number > max ? max : number;
}

/* 0, "not known", for what is no time. */
static int64_t time_or_none(int64_t unix_ms)
{
    return unix_ms < 0 || unix_ms > TIME_MAX_MS ? 0 : unix_ms;
}

static int find_item(const json_t *json, struct stream_item *item_r, struct error *error)
{
    struct error why;
    const char *kind = json_find_text(json, "kind");
    json_t *body = json_object_get(json, "body");
    if (kind == NULL)
        return error_field(error, "kind", "kind is missing");
    if (names_parse(&item_kind_names, kind, &item_r->kind, &why) < 0)
        return error_field(error, "kind", "kind %s", why.text);
    if (!json_is_object(body))
        return error_field(error, "body", "body must be an object");
    item_r->body = body;
    return 0;
}

int items_find(const json_t *message, struct stream_item **list_r, size_t *count_r,
               struct error *error)
{
    const json_t *json = json_object_get(message, "items");
    size_t count = json_array_size(json); /* 0 for what is no list */
    if (count == 0 || count > STREAM_ITEMS_MAX)
        return error_field(error, "items", "items must be a list of 1 to %d", STREAM_ITEMS_MAX);
    struct stream_item *list = xcalloc(count, sizeof *list);
    for (size_t i = 0; i < count; i++)
        if (find_item(json_array_get(json, i), &list[i], error) < 0) {
            char path[32];
            snprintf(path, sizeof path, "items[%zu]", i);
            free(list);
            return error_in(error, path);
        }
    *list_r = list;
    *count_r = count;
    return 0;
}

/* ---- results ---------------------------------------------------------------------------------- */

static void bound_result(struct stream_result *result)
{
    result->duration_ms = clamp(result->duration_ms, 0, LIMIT_TIMEOUT_MAX_MS);
    result->started_at = time_or_none(result->started_at);
}

static int read_result(const json_t *body, struct stream_result *result_r, struct error *why)
{
    struct case_key key;
    struct stream_result result;
    if (fields_decode(&stream_result_fields, body, &result, why) < 0)
        return -1;
    if (case_key_parse(result.key, &key, why) < 0) {
        fields_free(&stream_result_fields, &result);
        return error_field(why, "key", "key must be 32 hex digits");
    }
    memcpy(result.key, key.hex, sizeof key.hex); /* canonical, and as long */
    bound_result(&result);
    *result_r = result;
    return 0;
}

static char *readable_name(const json_t *body, int64_t seq)
{
    const char *name = json_find_text(body, "name");
    if (name == NULL || *name == '\0')
        return xasprintf("result %" PRId64 " of its stream", seq);
    return xstrndup(name, utf8_cut(name, strlen(name), (size_t)LIMIT_CASE_NAME_BYTES));
}

/* The case did something that nobody can read any more: errored, under its own key where it has one. */
static void mend_result(const json_t *body, const char *stream, int64_t seq,
                        struct stream_result *result_r, const struct error *why)
{
    const char *key_text = json_find_text(body, "key");
    char number[24];
    struct case_key key;
    snprintf(number, sizeof number, "%" PRId64, seq);
    if (key_text == NULL || case_key_parse(key_text, &key, NULL) < 0)
        key = case_key_make(&(struct case_identity){.suite = stream, .name = number});
    int64_t try = json_find_int(body, "try", 1);
    *result_r = (struct stream_result){
        .key = xstrdup(key.hex),
        .name = readable_name(body, seq),
        .try = clamp(try, 1, 1000),
        .status = RESULT_ERRORED,
        .message = xasprintf("the worker's result was refused: %s", why->text),
    };
}

/* ---- the other kinds -------------------------------------------------------------------------- */

static int read_log(const json_t *body, struct stream_log *log_r, struct error *why)
{
    if (fields_decode(&stream_log_fields, body, log_r, why) < 0)
        return -1;
    log_r->at = time_or_none(log_r->at);
    return 0;
}

static void bound_finished(struct stream_finished *finished)
{
    int64_t *const counts[] = {&finished->passed,  &finished->failed,  &finished->errored,
                               &finished->skipped, &finished->blocked, &finished->log_bytes};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        *counts[i] = clamp(*counts[i], 0, INT32_MAX);
    finished->exit_status = clamp(finished->exit_status, -1, INT32_MAX);
    finished->signal = clamp(finished->signal, 0, INT32_MAX);
    finished->started_at = time_or_none(finished->started_at);
    finished->finished_at = time_or_none(finished->finished_at);
}

/* An end that cannot be read is an end all the same: waiting for a better one would last for ever. */
static void mend_finished(struct stream_finished *finished_r, const struct error *why)
{
    *finished_r = (struct stream_finished){
        .ending = ENDED_EXEC_FAILED,
        .exit_status = -1,
        .detail = xasprintf("the end that the worker reported was refused: %s", why->text),
        .report = REPORT_IS_MISSING,
    };
}

static enum item_fate read_finished(const json_t *body, struct stream_finished *finished_r,
                                    struct error *why)
{
    if (fields_decode(&stream_finished_fields, body, finished_r, why) < 0) {
        mend_finished(finished_r, why);
        return ITEM_IS_MENDED;
    }
    bound_finished(finished_r);
    return ITEM_IS_GOOD;
}

enum item_fate item_read(const struct stream_item *raw, const char *stream, int64_t seq,
                         struct item *item_r, struct error *why)
{
    *item_r = (struct item){.kind = raw->kind, .seq = seq};
    switch ((enum item_kind)raw->kind) {
    case ITEM_RESULT:
        if (read_result(raw->body, &item_r->result, why) == 0)
            return ITEM_IS_GOOD;
        mend_result(raw->body, stream, seq, &item_r->result, why);
        return ITEM_IS_MENDED;
    case ITEM_LOG:
        return read_log(raw->body, &item_r->log, why) == 0 ? ITEM_IS_GOOD : ITEM_IS_DROPPED;
    case ITEM_PLANNED:
        return fields_decode(&stream_planned_fields, raw->body, &item_r->planned, why) == 0
                   ? ITEM_IS_GOOD
                   : ITEM_IS_DROPPED;
    case ITEM_FINISHED:
        return read_finished(raw->body, &item_r->finished, why);
    }
    return ITEM_IS_DROPPED;
}

void item_free(struct item *item)
{
    static const struct fields *const by_kind[] = {[ITEM_RESULT] = &stream_result_fields,
                                                   [ITEM_LOG] = &stream_log_fields,
                                                   [ITEM_PLANNED] = &stream_planned_fields,
                                                   [ITEM_FINISHED] = &stream_finished_fields};
    fields_free(by_kind[item->kind], &item->result);
}
