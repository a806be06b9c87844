/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cases.h"

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/case_history.h"
#include "http/cursor.h"
#include "http/page.h"
#include "model/limits.h"
#include "model/states.h"
#include "tenancy.h"

/* A page that is full ends at its last run, another at the last one that was looked at. */
static char *next_of(const json_t *items, int64_t runs, int64_t limit, const struct uuid *scanned)
{
    const json_t *last = json_array_get(items, json_array_size(items) - 1);
    if (runs == limit)
        return cursor_encode(json_find_text(json_object_get(last, "run"), "id"));
    return uuid_is_null(scanned) ? NULL : cursor_encode(scanned->text);
}

static int64_t count_runs(const json_t *items)
{
    int64_t count = 0;
    int64_t last = 0;
    size_t i;
    json_t *item;
    json_array_foreach (items, i, item) {
        int64_t number = json_find_int(json_object_get(item, "run"), "number", 0);
        count += number != last ? 1 : 0;
        last = number;
    }
    return count;
}

static int answer_case(struct store *store, const struct case_runs *of, const struct page *page,
                       json_t *about, struct response *response, struct error *error)
{
    AUTO(text_free) char *next = NULL;
    json_t *items, *flakiness, *durations;
    struct uuid scanned;
    if (case_db_figures(store, of, &flakiness, &durations, error) < 0)
        return -1;
    json_object_set_new(about, "flakiness", flakiness);
    json_object_set_new(about, "durations", durations);
    if (case_db_history(store, of, &page->after, page->limit, &items, &scanned, error) < 0)
        return -1;
    next = next_of(items, count_runs(items), page->limit, &scanned);
    response_json(
        response, 200,
        json_pack("{s:O, s:o, s:s?}", "case", about, "items", items, "next_cursor", next));
    return 0;
}

int cases_get(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "key");
    AUTO(json_free) json_t *about = NULL;
    AUTO(text_free) char *suite = NULL;
    struct project_ref project;
    struct case_key key;
    struct store *store;
    struct page page;
    if (case_key_parse(name, &key, NULL) < 0)
        return no_such("case", name, error);
    if (page_read(request, &page, error) < 0 ||
        tenancy_project_or_bound(request, request_query(request, "project"), &project, error) < 0 ||
        request_store(request, &store, error) < 0 ||
        case_db_get(store, &project.id, &key, &about, &suite, error) < 0)
        return -1;
    if (about == NULL)
        return no_such("case", name, error);
    return answer_case(store,
                       &(struct case_runs){.project_id = &project.id,
                                           .suite = suite,
                                           .key = &key,
                                           .branch = request_query(request, "branch")},
                       &page, about, response, error);
}

/* ---- those of a project --------------------------------------------------------------------------- */

static int read_cursor(const struct request *request, struct case_key *after_r, struct error *error)
{
    const char *cursor = request_query(request, "cursor");
    AUTO(text_free) char *text = NULL;
    after_r->hex[0] = '\0';
    if (cursor == NULL)
        return 0;
    if (cursor_decode(cursor, &text, error) < 0)
        return -1;
    return case_key_parse(text, after_r, NULL) < 0 ? cursor_refuse(error) : 0;
}

static void answer_list(struct response *response, json_t *items, int64_t limit)
{
    AUTO(text_free) char *next = NULL;
    if ((int64_t)json_array_size(items) > limit) {
        json_array_remove(items, (size_t)limit);
        next = cursor_encode(json_find_text(json_array_get(items, (size_t)limit - 1), "case_key"));
    }
    response_json(response, 200, json_pack("{s:o, s:s?}", "items", items, "next_cursor", next));
}

int cases_list(struct request *request, struct response *response, struct error *error)
{
    const struct case_filter filter = {.status = request_query(request, "status"),
                                       .suite = request_query(request, "suite"),
                                       .search = request_query(request, "search")};
    struct project_ref project;
    struct case_key after;
    struct store *store;
    int64_t limit;
    json_t *items;
    if (request_query_int(request, "limit", 1, LIMIT_PAGE_ENTRIES, PAGE_DEFAULT, &limit, error) <
            0 ||
        read_cursor(request, &after, error) < 0 ||
        check_choices("status", filter.status, &result_status_names, error) < 0 ||
        check_search(filter.search, error) < 0 ||
        tenancy_project_or_bound(request, request_query(request, "project"), &project, error) < 0 ||
        request_store(request, &store, error) < 0 ||
        case_db_list(store, &project.id, &filter, after.hex, limit + 1, &items, error) < 0)
        return -1;
    answer_list(response, items, limit);
    return 0;
}
