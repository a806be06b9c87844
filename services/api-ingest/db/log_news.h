/* SPDX-License-Identifier: Apache-2.0 */
/* What has come of a run's output since: by dispatch, since those of one run grow side by side. */
#pragma once

#include <stdint.h>

#include "store/store.h"

/* A dispatch, and the last chunk of it that is had. */
struct log_had {
    struct uuid dispatch_id;
    int64_t seq;
};

/* Columns: dispatch, then those of a chunk. */
enum log_news_column {
    NEWS_DISPATCH,
    NEWS_TASK,
    NEWS_ORDINAL,
    NEWS_ATTEMPT,
    NEWS_SEQ,
    NEWS_STREAM,
    NEWS_AT,
    NEWS_TEXT
};
/* Of each dispatch in its order; task_id "": of all. */
int log_news_db_list(struct store *store, const struct uuid *run_id, const struct uuid *task_id,
                     const struct log_had *had, int had_count, int64_t limit, struct rows **rows_r,
                     struct error *error) WARN_UNUSED;
