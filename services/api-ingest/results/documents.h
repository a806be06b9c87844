/* SPDX-License-Identifier: Apache-2.0 */
/* Reports that are a file a case (Allure) come one behind the other, as from `cat`: where one ends and the next begins. */
#pragma once

#include "report/reader.h"

struct documents {
    int depth;
    bool in_text, is_escaped, has_ended;
};

/* Feeds the reader, and tells it of each further document where its format has such. */
void documents_feed(struct documents *documents, const struct report_reader_ops *format,
                    struct report_reader *reader, const char *bytes, size_t length);
