/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "report/markup.h"

struct page {
    char *text;
    size_t length;
    FILE *out;
};

static FILE *begin(struct page *page)
{
    page->out = open_memstream(&page->text, &page->length);
    assert_non_null(page->out);
    return page->out;
}

static void ends_as(struct page *page, const char *wanted)
{
    fclose(page->out);
    assert_string_equal(page->text, wanted);
    free(page->text);
}

static void markup_is_escaped_and_what_xml_forbids_is_replaced(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"plain é ✓", "plain é ✓"},
        {"<a b=\"c\" d='e'>&</a>", "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;&lt;/a&gt;"},
        {"]]>", "]]&gt;"},
        {"a\x01\x1b[31m\tb\nc\r", "a\xef\xbf\xbd\xef\xbf\xbd[31m\tb\nc&#13;"},
        {"x\xef\xbf\xbey\xef\xbf\xbf", "x\xef\xbf\xbdy\xef\xbf\xbd"},
        {"\xef\xbf\xbd stays", "\xef\xbf\xbd stays"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct page page;
        markup_text(begin(&page), cases[i].text);
        ends_as(&page, cases[i].wanted);
    }
}

static void an_attribute_keeps_its_line_ends(void **state)
{
    struct page page;
    (void)state;
    markup_attribute(begin(&page), "message", "a\nb\t\"c\"");
    ends_as(&page, " message=\"a&#10;b&#9;&quot;c&quot;\"");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    struct page page;
    (void)state;
    markup_cut(begin(&page), "aéé", 4);
    ends_as(&page, "aé\n… 2 more bytes");
}

static void json_cannot_end_its_script(void **state)
{
    struct page page;
    AUTO(json_free) json_t *json = json_pack("[s]", "</script><!-- & -->");
    (void)state;
    markup_script_json(begin(&page), json);
    ends_as(&page, "[\"\\u003c/script\\u003e\\u003c!-- \\u0026 --\\u003e\"]");
}

static void durations_are_for_people(void **state)
{
    static const struct {
        int64_t ms;
        const char *wanted;
    } cases[] = {{0, "0 ms"},
                 {999, "999 ms"},
                 {1234, "1.2 s"},
                 {65000, "1 min 5 s"},
                 {3720000, "1 h 2 min"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct page page;
        markup_duration(begin(&page), cases[i].ms);
        ends_as(&page, cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_escaped_and_what_xml_forbids_is_replaced),
        cmocka_unit_test(an_attribute_keeps_its_line_ends),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(json_cannot_end_its_script),
        cmocka_unit_test(durations_are_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
