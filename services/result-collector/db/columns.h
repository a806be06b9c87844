/* SPDX-License-Identifier: Apache-2.0 */
/* Array parameters for one set-wise statement: a column each, filled row by row. */
#pragma once

#include "store/store.h"

#define COLUMNS_MAX 24

struct columns {
    struct array_param *list[COLUMNS_MAX];
    int count;
};

struct columns *columns_new(int count);
void columns_free(struct columns **columns);

void columns_text(struct columns *columns, int column, const char *text); /* NULL is SQL NULL */
void columns_int(struct columns *columns, int column, int64_t number);
void columns_int_or_null(struct columns *columns, int column, int64_t number, bool is_there);

/* The parameters $1, $2 … in order; valid until more is added. */
void columns_params(struct columns *columns, struct param params[COLUMNS_MAX]);
