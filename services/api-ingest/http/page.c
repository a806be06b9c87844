/* SPDX-License-Identifier: Apache-2.0 */
#include "http/page.h"

#include <sodium.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/limits.h"

#define CURSOR_MAX 4096
#define VARIANT    sodium_base64_VARIANT_URLSAFE_NO_PADDING

char *cursor_encode(const char *text)
{
    size_t length = strlen(text), size = sodium_base64_ENCODED_LEN(length, VARIANT);
    char *cursor = xcalloc(size, 1);
    return sodium_bin2base64(cursor, size, (const unsigned char *)text, length, VARIANT);
}

int cursor_decode(const char *cursor, char **text_r, struct error *error)
{
    size_t length = strlen(cursor), decoded = 0;
    AUTO(text_free) char *text = xcalloc(length + 1, 1);
    const char *end = NULL;
    if (length > CURSOR_MAX ||
        sodium_base642bin((unsigned char *)text, length, cursor, length, NULL, &decoded, &end,
                          VARIANT) != 0 ||
        end != cursor + length || strlen(text) != decoded)
        return error_field(error, "cursor", "cursor must be one that an earlier page gave");
    *text_r = TAKE(text);
    return 0;
}

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
            return error_field(error, "cursor", "cursor must be one that an earlier page gave");
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
