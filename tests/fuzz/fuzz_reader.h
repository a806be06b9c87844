/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes through a report reader, whole and in pieces: the same number of cases, every text within its
 * limit and valid UTF-8. */
#pragma once

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void fuzz_check_text(const char *text, int64_t max_bytes)
{
    if (text == NULL)
        return;
    AUTO(text_free) char *clean = utf8_clean(text, strlen(text));
    assert(strcmp(clean, text) == 0);
    assert(strlen(text) <= (size_t)max_bytes);
}

static void fuzz_on_case(void *context, const struct reported_case *reported)
{
    ++*(int64_t *)context;
    assert(reported->name != NULL);
    fuzz_check_text(reported->suite, LIMIT_CASE_NAME_BYTES);
    fuzz_check_text(reported->file, LIMIT_CASE_NAME_BYTES);
    fuzz_check_text(reported->class, LIMIT_CASE_NAME_BYTES);
    fuzz_check_text(reported->name, LIMIT_CASE_NAME_BYTES);
    fuzz_check_text(reported->message, LIMIT_RESULT_MESSAGE_BYTES);
    fuzz_check_text(reported->trace, LIMIT_RESULT_TRACE_BYTES);
}

static int64_t fuzz_read(const struct report_reader_ops *ops, const uint8_t *bytes, size_t length,
                         size_t piece)
{
    int64_t cases = 0;
    const struct report_handlers handlers = {.on_case = fuzz_on_case, .context = &cases};
    struct report_reader *reader = ops->open(&handlers);
    for (size_t at = 0; at < length; at += piece)
        ops->feed(reader, (const char *)bytes + at, length - at < piece ? length - at : piece);
    ops->finish(reader, NULL);
    ops->free(&reader);
    return cases;
}

static int fuzz_reader(const struct report_reader_ops *ops, const uint8_t *bytes, size_t length)
{
    int64_t whole = fuzz_read(ops, bytes, length, length + 1);
    assert(fuzz_read(ops, bytes, length, 3) == whole);
    return 0;
}
