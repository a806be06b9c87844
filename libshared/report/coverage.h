/* SPDX-License-Identifier: Apache-2.0 */
/* How many lines tests have covered, by what tools write: Cobertura's XML and LCOV's text. Streaming, and in
 * little memory, like the report readers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct coverage {
    bool is_one; /* false: this is no coverage report, or not a whole one */
    int64_t lines_covered, lines_total;
};

struct coverage_reader;

struct coverage_reader *coverage_open(void);
void coverage_free(struct coverage_reader **reader);
void coverage_feed(struct coverage_reader *reader, const char *bytes, size_t length);
bool coverage_is_other(const struct coverage_reader *reader); /* nothing more needs to be fed */
struct coverage coverage_finish(struct coverage_reader *reader);
