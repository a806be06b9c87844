/* SPDX-License-Identifier: Apache-2.0 */
/* Values of JSON by their paths. */
#include "report/json_texts.h"

#include <string.h>

void json_texts_init(struct cut_text *texts, const struct json_text *table, int count)
{
    for (int i = 0; i < count; i++)
        cut_text_init(&texts[i], table[i].max_bytes);
}

void json_texts_deinit(struct cut_text *texts, int count)
{
    for (int i = 0; i < count; i++)
        cut_text_deinit(&texts[i]);
}

void json_texts_clear(struct cut_text *texts, int count)
{
    for (int i = 0; i < count; i++)
        cut_text_clear(&texts[i]);
}

struct cut_text *json_texts_begin(struct cut_text *texts, const struct json_text *table, int count,
                                  const char *path)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(path, table[i].path) != 0)
            continue;
        cut_text_clear(&texts[i]);
        return &texts[i];
    }
    return NULL;
}
