/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/documents tests/data/allure/valid tests/data/ctrf/valid tests/data/junit/valid tests/data/tap/valid tests/data/trx/valid tests/data/go-json/valid */
/* What is uploaded: which format it has, and, where it is several documents one behind the other, where each ends. The
 * first bytes decide, whatever comes behind them; the same documents are there whatever the pieces they come in. */
#include "fuzz_reader.h"

#include "report/detect.h"
#include "results/documents.h"

static int64_t read_documents(const struct report_reader_ops *format, const uint8_t *bytes,
                              size_t length, size_t piece)
{
    int64_t cases = 0;
    const struct report_handlers handlers = {
        .on_case = fuzz_on_case, .context = &cases, .is_alone = true};
    struct report_reader *reader = format->open(&handlers);
    struct documents documents = {.depth = 0};
    for (size_t at = 0; at < length; at += piece)
        documents_feed(&documents, format, reader, (const char *)bytes + at,
                       length - at < piece ? length - at : piece);
    format->finish(reader, NULL);
    format->free(&reader);
    return cases;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t first = length < REPORT_DETECT_BYTES ? length : REPORT_DETECT_BYTES;
    const struct report_reader_ops *format = report_detect((const char *)bytes, first);
    assert(report_detect((const char *)bytes, length) == format);
    if (format == NULL)
        format = &allure_reader;
    assert(report_reader_find(format->name) == format);
    assert(read_documents(format, bytes, length, 3) ==
           read_documents(format, bytes, length, length + 1));
    return fuzz_reader(format, bytes, length);
}
