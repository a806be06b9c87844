/* SPDX-License-Identifier: Apache-2.0 */
/* Lists come in pages: ?limit= and an opaque ?cursor=, which says behind which id the next page begins. */
#pragma once

#include "http/request.h"
#include "http/response.h"

#define PAGE_DEFAULT 50

struct page {
    int64_t limit;     /* read one more, to know whether there is more */
    struct uuid after; /* "": from the start */
};

int page_read(const struct request *request, struct page *page_r, struct error *error) WARN_UNUSED;
/* Answers {"items": […], "next_cursor": "…" or null} from up to limit + 1 items, each with an "id".
 * Takes the reference. */
void page_answer(struct response *response, const struct page *page, json_t *items);
/* … and one member more, about the whole list. Takes both references. */
void page_answer_with(struct response *response, const struct page *page, json_t *items,
                      const char *name, json_t *value);

/* The same for other kinds of answers: cuts off what is beyond the page, and returns the cursor behind it, or
 * NULL. Caller frees. */
char *page_cut(const struct page *page, json_t *items);
