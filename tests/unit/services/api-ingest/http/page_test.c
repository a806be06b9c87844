/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "http/cursor.h"
#include "http/page.h"
#include "http/response_parts.h"

static json_t *answer_of(const struct page *page, int items)
{
    struct response response;
    json_t *list = json_array(), *answer = NULL;
    for (int i = 0; i < items; i++)
        json_array_append_new(list, json_pack("{s:s}", "id", i == 0 ? "a" : "b"));
    response_init(&response);
    page_answer(&response, page, list);
    assert_int_equal(json_parse(response.bytes, response.length, &answer, NULL), 0);
    response_deinit(&response);
    return answer;
}

static void a_full_page_leads_on_and_the_last_does_not(void **state)
{
    const struct page page = {.limit = 1};
    (void)state;

    AUTO(json_free) json_t *full = answer_of(&page, 2);
    AUTO(json_free) json_t *last = answer_of(&page, 1);
    AUTO(json_free) json_t *empty = answer_of(&page, 0);

    AUTO(text_free) char *text = NULL;
    assert_int_equal(json_array_size(json_object_get(full, "items")), 1);
    assert_int_equal(cursor_decode(json_find_text(full, "next_cursor"), &text, NULL), 0);
    assert_string_equal(text, "a");
    assert_true(json_is_null(json_object_get(last, "next_cursor")));
    assert_int_equal(json_array_size(json_object_get(empty, "items")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_page_leads_on_and_the_last_does_not),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
