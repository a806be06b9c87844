/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in whole texts and across the edges of chunks. */
#include "agent/masks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

static struct masks *with(const char *a, const char *b)
{
    struct masks *masks = masks_new();
    masks_add(masks, a);
    if (b != NULL)
        masks_add(masks, b);
    return masks;
}

/* As output.c does: what was kept back is given again in front of the next piece. */
static char *in_pieces(const struct masks *masks, const char *text, size_t piece)
{
    struct buffer raw, out;
    size_t length = strlen(text);
    buffer_init(&raw, 4096);
    buffer_init(&out, 4096);
    for (size_t at = 0; at < length; at += piece) {
        buffer_add(&raw, text + at, length - at < piece ? length - at : piece);
        size_t kept = masks_apply(masks, raw.data, raw.length, false, &out);
        buffer_remove_front(&raw, raw.length - kept);
    }
    masks_apply(masks, buffer_text(&raw), raw.length, true, &out);
    buffer_deinit(&raw);
    return buffer_take(&out);
}

static void secrets_are_found_across_chunks_of_any_size(void **state)
{
    AUTO(masks_free) struct masks *masks = with("hunter2", "hunter2-and-more");
    const char *text = "a hunter2 b hunter2-and-more c hunter2-and-m hunter";
    (void)state;
    for (size_t piece = 1; piece < strlen(text) + 1; piece++) {
        AUTO(text_free) char *masked = in_pieces(masks, text, piece);
        assert_string_equal(masked, "a *** b *** c ***-and-m hunter");
    }
}

static void lines_of_a_key_are_masked_one_by_one(void **state)
{
    AUTO(masks_free) struct masks *masks = with("-----BEGIN\nabcdef\n}\n", NULL);
    (void)state;
    AUTO(text_free) char *masked = masks_text(masks, "x abcdef } -----BEGIN");
    assert_string_equal(masked, "x *** } ***");
}

static void a_secret_is_masked_without_the_blanks_around_it_too(void **state)
{
    AUTO(masks_free) struct masks *masks = masks_new();
    (void)state;
    masks_add(masks, " hunter2-geheim \t");

    AUTO(text_free) char *masked = masks_cut_text(masks, "<hunter2-geheim>", "[cut]", 100);

    assert_string_equal(masked, "<***>");
}

static void nothing_is_kept_back_that_cannot_be_a_secret(void **state)
{
    AUTO(masks_free) struct masks *masks = with("secret", NULL);
    AUTO(buffer_deinit) struct buffer out;
    (void)state;
    buffer_init(&out, 100);
    assert_int_equal(masks_apply(masks, "see", 3, false, &out), 0);
    assert_int_equal(masks_apply(masks, "a se", 4, false, &out), 2);
}

static void the_beginning_of_a_secret_where_a_text_was_cut_is_masked(void **state)
{
    AUTO(masks_free) struct masks *masks = with("abcabc", NULL);
    static const struct {
        const char *text, *masked;
    } rows[] = {
        {"x abcab[cut]", "x ***[cut]"},
        {"x abcabc[cut]", "x ***[cut]"}, /* whole, and its end would begin it again */
        {"x abcabcab[cut]", "x ******[cut]"},
        {"x a[cut]", "x ***[cut]"},
        {"x [cut]", "x [cut]"},
        {"abcab", "abcab"},                   /* not cut */
        {"0123456789abcab", "0123456789***"}, /* as long as may be: it may have been cut */
        {"0123456789abcdef", "0123456789abcdef"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *masked = masks_cut_text(masks, rows[i].text, "[cut]", 16);
        assert_string_equal(masked, rows[i].masked);
    }
    assert_null(masks_cut_text(masks, NULL, "[cut]", 16));
}

static void without_secrets_texts_stay(void **state)
{
    AUTO(masks_free) struct masks *masks = masks_new();
    (void)state;
    masks_add(masks, "");
    AUTO(text_free) char *same = masks_text(masks, "plain");
    AUTO(text_free) char *none = masks_text(masks, NULL);
    assert_string_equal(same, "plain");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_found_across_chunks_of_any_size),
        cmocka_unit_test(lines_of_a_key_are_masked_one_by_one),
        cmocka_unit_test(a_secret_is_masked_without_the_blanks_around_it_too),
        cmocka_unit_test(nothing_is_kept_back_that_cannot_be_a_secret),
        cmocka_unit_test(the_beginning_of_a_secret_where_a_text_was_cut_is_masked),
        cmocka_unit_test(without_secrets_texts_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
