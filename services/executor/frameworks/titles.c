/* SPDX-License-Identifier: Apache-2.0 */
/* Files and an expression out of selectors. */
#include "frameworks/titles.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

#define BETWEEN        " > "
#define EXPRESSION_MAX ((size_t)100 * 1024) /* an argument may have 128 kB */

/* Tools join titles by a space; one that holds what stands between ours is met as well. */
static void add_alternative(struct buffer *expression, const char *titles)
{
    buffer_add_text(expression, expression->length == 0 ? "^(?:" : "|");
    for (const char *c = titles; *c != '\0'; c++) {
        if (text_starts(c, BETWEEN)) {
            buffer_add_text(expression, "(?: | > )");
            c += strlen(BETWEEN) - 1;
            continue;
        }
        if (strchr("\\.+*?()|[]{}^$/", *c) != NULL)
            buffer_add_char(expression, '\\');
        buffer_add_char(expression, *c);
    }
}

int titles_select(const struct framework_task *task, struct process_plan *plan,
                  struct titles *titles_r, struct error *error)
{
    const struct framework_facts *facts = framework_find(task->suite->framework);
    AUTO(buffer_deinit) struct buffer expression;
    bool is_whole = false;
    if (cases_list(task, plan, error) < 0)
        return -1;
    *titles_r = (struct titles){.expression = NULL};
    buffer_init(&expression, EXPRESSION_MAX);
    for (size_t i = 0; i < task->case_count; i++) {
        AUTO(text_free) char *file = NULL, *class = NULL, *name = NULL, *parameters = NULL;
        facts->read_selector(task->cases[i].selector, &file, &class, &name, &parameters);
        texts_add(&titles_r->files, file);
        add_alternative(&expression, name);
        is_whole |= strcmp(file, name) == 0;
    }
    texts_keep_each_once(&titles_r->files);
    buffer_add_text(&expression, ")$");
    if (!is_whole && !expression.overflowed)
        titles_r->expression = buffer_take(&expression);
    return 0;
}

void titles_deinit(struct titles *titles)
{
    texts_deinit(&titles->files);
    text_free(&titles->expression);
}
