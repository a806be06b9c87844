/* SPDX-License-Identifier: Apache-2.0 */
#include "http/page.h"

#include "base/json.h"
#include "base/memory.h"
#include "http/cursor.h"
#include "model/limits.h"

int page_read(const struct request *request, struct page *page_r, struct error *error)
{
    struct page page = {.limit = PAGE_DEFAULT};
    const char *cursor = request_query(request, "cursor");
    if (request_query_int(request, "limit", 1, LIMIT_PAGE_ENTRIES, PAGE_DEFAULT, &page.limit,
                          error) < 0)
        return -1;
    if (cursor != NULL) {
        AUTO(text_free) char *text = NULL;
        if (cursor_decode(cursor, &text, error) < 0)
            return -1;
        if (uuid_parse(text, &page.after, NULL) < 0)
            return cursor_refuse(error);
    }
    *page_r = page;
    return 0;
}

void page_answer(struct response *response, const struct page *page, json_t *items)
{
    page_answer_with(response, page, items, NULL, NULL);
}

char *page_cut(const struct page *page, json_t *items)
{
    if (json_array_size(items) <= (size_t)page->limit)
        return NULL;
    json_array_remove(items, (size_t)page->limit);
    const json_t *last = json_array_get(items, (size_t)page->limit - 1);
    return cursor_encode(json_find_text(last, "id"));
}

void page_answer_with(struct response *response, const struct page *page, json_t *items,
                      const char *name, json_t *value)
{
    AUTO(text_free) char *next = page_cut(page, items);
    json_t *answer = json_pack("{s:o, s:s?}", "items", items, "next_cursor", next);
    if (name != NULL)
        json_object_set_new(answer, name, value);
    response_json(response, 200, answer);
}
