/* SPDX-License-Identifier: Apache-2.0 */
/* The list of readers, and the one that reads nothing. */
#include "report/reader.h"

#include <string.h>

#include "base/memory.h"

struct report_reader {
    char nothing;
};

static struct report_reader *null_open(const struct report_handlers *handlers)
{
    (void)handlers;
    return xcalloc(1, sizeof(struct report_reader));
}

static void null_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    (void)reader;
    (void)bytes;
    (void)length;
}

static enum report_wholeness null_finish(struct report_reader *reader, struct error *why_r)
{
    (void)reader;
    (void)why_r;
    return REPORT_WHOLE;
}

static void null_free(struct report_reader **reader)
{
    memory_free(reader);
}

const struct report_reader_ops null_reader = {
    .name = "null", .open = null_open, .feed = null_feed, .finish = null_finish, .free = null_free};

const struct report_reader_ops *const report_readers[] = {&junit_reader,
                                                          &tap_reader,
                                                          &cmocka_reader,
                                                          &ctrf_reader,
                                                          &go_json_reader,
                                                          &libtest_reader,
                                                          &surefire_reader,
                                                          &trx_reader,
                                                          &allure_reader,
                                                          &null_reader,
                                                          NULL};

const struct report_reader_ops *report_reader_find(const char *name)
{
    for (size_t i = 0; report_readers[i] != NULL; i++)
        if (strcmp(report_readers[i]->name, name) == 0)
            return report_readers[i];
    return NULL;
}
