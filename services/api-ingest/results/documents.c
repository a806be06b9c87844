/* SPDX-License-Identifier: Apache-2.0 */
#include "results/documents.h"

static void step(struct documents *documents, char byte)
{
    if (documents->in_text) {
        bool is_end = byte == '"' && !documents->is_escaped;
        documents->is_escaped = byte == '\\' && !documents->is_escaped;
        documents->in_text = !is_end;
        return;
    }
    if (byte == '"')
        documents->in_text = true;
    else if (byte == '{' || byte == '[')
        documents->depth++;
    else if (byte == '}' || byte == ']')
        documents->depth--;
    documents->has_ended = documents->has_ended || (documents->depth == 0 && byte == '}');
}

void documents_feed(struct documents *documents, const struct report_reader_ops *format,
                    struct report_reader *reader, const char *bytes, size_t length)
{
    size_t begin = 0;
    for (size_t i = 0; format->next != NULL && i < length; i++) {
        if (documents->has_ended && bytes[i] == '{') {
            format->feed(reader, bytes + begin, i - begin);
            format->next(reader);
            *documents = (struct documents){.depth = 0};
            begin = i;
        }
        step(documents, bytes[i]);
    }
    format->feed(reader, bytes + begin, length - begin);
}
