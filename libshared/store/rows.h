/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are made by the store alone. */
#pragma once

#include <libpq-fe.h>

#include "store/store.h"

/* Takes the result over. */
struct rows *rows_new(PGresult *result);
