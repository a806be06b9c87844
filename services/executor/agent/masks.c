/* SPDX-License-Identifier: Apache-2.0 */
/* Finds secrets in a stream of bytes; the longest that begins at a place wins. */
#include "agent/masks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define UTF8_BYTES_MAX 4
#define BLANKS         " \t\r\n"
#define LINE_BYTES_MIN 4 /* shorter lines of a secret of many lines ("}") are no secret */

struct secret {
    char *text;
    size_t length;
};

struct masks {
    struct secret *list; /* longest first */
    size_t count, capacity;
    bool first_bytes[256];
};

struct masks *masks_new(void)
{
    return xcalloc(1, sizeof(struct masks));
}

void masks_free(struct masks **masks)
{
    if (*masks == NULL)
        return;
    for (size_t i = 0; i < (*masks)->count; i++)
        free((*masks)->list[i].text);
    free((*masks)->list);
    memory_free(masks);
}

static void add_one(struct masks *masks, const char *text, size_t length)
{
    if (length == 0)
        return;
    masks->list = array_reserve(masks->list, &masks->capacity, masks->count, sizeof *masks->list);
    size_t at = masks->count++;
    for (; at > 0 && masks->list[at - 1].length < length; at--)
        masks->list[at] = masks->list[at - 1];
    masks->list[at] = (struct secret){.text = xstrndup(text, length), .length = length};
    masks->first_bytes[(unsigned char)text[0]] = true;
}

void masks_add(struct masks *masks, const char *secret)
{
    const char *first = secret + strspn(secret, BLANKS);
    size_t whole = strlen(first);
    while (whole > 0 && strchr(BLANKS, first[whole - 1]) != NULL)
        whole--;
    add_one(masks, first, whole); /* as tests show it that strip what they read */
    if (strchr(secret, '\n') == NULL)
        return;
    for (const char *line = secret; *line != '\0';) {
        size_t length = strcspn(line, "\r\n");
        if (length >= LINE_BYTES_MIN)
            add_one(masks, line, length);
        line += length + strspn(line + length, "\r\n");
    }
}

/* Length of the secret that begins here, 0 when none does. */
static size_t secret_at(const struct masks *masks, const char *bytes, size_t left)
{
    for (size_t i = 0; i < masks->count; i++) {
        const struct secret *secret = &masks->list[i];
        if (secret->length <= left && memcmp(bytes, secret->text, secret->length) == 0)
            return secret->length;
    }
    return 0;
}

/* All that is left could be the beginning of a longer secret. */
static bool may_begin_secret(const struct masks *masks, const char *bytes, size_t left)
{
    for (size_t i = 0; i < masks->count; i++)
        if (masks->list[i].length > left && memcmp(bytes, masks->list[i].text, left) == 0)
            return true;
    return false;
}

size_t masks_apply(const struct masks *masks, const char *bytes, size_t length, bool is_end,
                   struct buffer *out)
{
    size_t plain = 0; /* where what is not yet copied begins */
    for (size_t i = 0; i < length;) {
        if (!masks->first_bytes[(unsigned char)bytes[i]]) {
            i++;
            continue;
        }
        if (!is_end && may_begin_secret(masks, bytes + i, length - i)) {
            buffer_add(out, bytes + plain, i - plain);
            return length - i;
        }
        size_t found = secret_at(masks, bytes + i, length - i);
        if (found > 0) {
            buffer_add(out, bytes + plain, i - plain);
            buffer_add_text(out, MASK_TEXT);
            plain = i + found;
        }
        i += found > 0 ? found : 1;
    }
    buffer_add(out, bytes + plain, length - plain);
    return 0;
}

char *masks_text(const struct masks *masks, const char *text)
{
    struct buffer out;
    if (text == NULL)
        return NULL;
    if (masks->count == 0)
        return xstrdup(text);
    buffer_init(&out, (strlen(text) + 1) * sizeof MASK_TEXT);
    masks_apply(masks, text, strlen(text), true, &out);
    return out.data == NULL ? xstrdup("") : buffer_take(&out);
}

/* How many bytes at the end begin a secret: the most that do. */
static size_t begun_at_end(const struct masks *masks, const char *bytes, size_t length)
{
    size_t longest = masks->count == 0 ? 0 : masks->list[0].length - 1;
    for (size_t begun = longest < length ? longest : length; begun > 0; begun--)
        if (may_begin_secret(masks, bytes + length - begun, begun))
            return begun;
    return 0;
}

/* Whole secrets first: the end of one may look like the beginning of the same. */
char *masks_cut_text(const struct masks *masks, const char *text, const char *mark,
                     size_t max_bytes)
{
    if (text == NULL)
        return NULL;
    bool has_mark = text_ends(text, mark);
    size_t length = strlen(text) - (has_mark ? strlen(mark) : 0);
    if (!has_mark && length + UTF8_BYTES_MAX <= max_bytes)
        return masks_text(masks, text);
    AUTO(text_free) char *kept = xstrndup(text, length);
    AUTO(text_free) char *masked = masks_text(masks, kept);
    size_t shown = strlen(masked), begun = begun_at_end(masks, masked, shown);
    masked[shown - begun] = '\0';
    return xasprintf("%s%s%s", masked, begun > 0 ? MASK_TEXT : "", has_mark ? mark : "");
}
