/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/coverage */
/* Cobertura and LCOV, whole and in pieces: the same figure, which is one. */
#include <assert.h>
#include <stdint.h>

#include "report/coverage.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct coverage read_in(const uint8_t *bytes, size_t length, size_t piece)
{
    struct coverage_reader *reader = coverage_open();
    for (size_t at = 0; at < length; at += piece)
        coverage_feed(reader, (const char *)bytes + at, length - at < piece ? length - at : piece);
    struct coverage coverage = coverage_finish(reader);
    coverage_free(&reader);
    return coverage;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct coverage whole = read_in(bytes, length, length + 1), pieces = read_in(bytes, length, 3);
    assert(whole.is_one == pieces.is_one);
    if (whole.is_one) {
        assert(whole.lines_covered == pieces.lines_covered);
        assert(whole.lines_total == pieces.lines_total);
        assert(whole.lines_covered >= 0 && whole.lines_covered <= whole.lines_total);
    }
    return 0;
}
