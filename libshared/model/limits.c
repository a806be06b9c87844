/* SPDX-License-Identifier: Apache-2.0 */
/* The limits as a table, for docs. */
#include "model/limits.h"

const struct limit limits[LIMIT_COUNT] = {
#define X(name, unit, text) [LIMIT_ID_##name] = {#name, LIMIT_##name, unit, text},
    LIMITS(X)
#undef X
};
