/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of a report that says at its end what they are: kept in a temporary file, in the order of their coming. */
#pragma once

#include "report/reader.h"

struct kept_cases;

struct kept_cases *kept_cases_new(void);
void kept_cases_free(struct kept_cases **kept);
/* Its number is the count before. */
int kept_cases_add(struct kept_cases *kept, const struct reported_case *reported,
                   struct error *error) WARN_UNUSED;
size_t kept_cases_count(const struct kept_cases *kept);
/* Its texts are valid until the next call. */
int kept_cases_get(struct kept_cases *kept, size_t number, struct reported_case *reported_r,
                   struct error *error) WARN_UNUSED;
