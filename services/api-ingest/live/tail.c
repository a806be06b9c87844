/* SPDX-License-Identifier: Apache-2.0 */
#include "live/tail.h"

#include "base/backoff.h"
#include "base/memory.h"
#include "log/log.h"

#define ASK_MS 500 /* for a watermark; meanwhile nobody is answered */

struct tail {
    struct bus_settings bus;
    struct installation *installation;
    struct reader *reader; /* NULL: not made yet */
    int32_t assigned;      /* partitions */
    bool is_open;          /* all of them */
    struct backoff reopen;
};

struct tail *tail_new(const struct bus_settings *bus, struct installation *installation)
{
    struct tail *tail = xcalloc(1, sizeof *tail);
    tail->bus = *bus;
    tail->installation = installation;
    backoff_init(&tail->reopen, 200, 10000);
    return tail;
}

void tail_free(struct tail **tail)
{
    if (*tail != NULL)
        reader_close(&(*tail)->reader);
    memory_free(tail);
}

/* Goes on where the last attempt ended. */
static int assign(struct tail *tail, int partitions, struct error *error)
{
    char topic[TOPIC_NAME_SIZE];
    installation_topic(tail->installation, TOPIC_EVENTS, NULL, topic);
    for (; tail->assigned < partitions; tail->assigned++) {
        int64_t low, high;
        if (reader_watermarks(tail->reader, topic, tail->assigned, ASK_MS, &low, &high, error) <
                0 ||
            reader_assign(tail->reader, topic, tail->assigned, high, error) < 0)
            return -1;
    }
    return 0;
}

static int open_reader(struct tail *tail, struct store *store, struct error *error)
{
    int partitions;
    if (installation_partitions(tail->installation, store, TOPIC_EVENTS, &partitions, error) < 0 ||
        (tail->reader == NULL && reader_open(&tail->bus, &tail->reader, error) < 0))
        return -1;
    return assign(tail, partitions, error);
}

bool tail_work(struct tail *tail, struct store *store)
{
    struct error error;
    if (tail->is_open || store == NULL || !backoff_is_due(&tail->reopen))
        return false;
    if (open_reader(tail, store, &error) < 0) {
        backoff_failed(&tail->reopen);
        log_failure(LOG_LEVEL_WARNING, "live events are not read", &error);
        return false;
    }
    backoff_succeeded(&tail->reopen);
    tail->is_open = true;
    return true;
}

bool tail_is_open(const struct tail *tail)
{
    return tail->is_open;
}

int tail_fd(const struct tail *tail)
{
    return tail->reader == NULL ? -1 : reader_fd(tail->reader);
}

struct record *tail_poll(struct tail *tail)
{
    return tail->reader == NULL ? NULL : reader_poll(tail->reader);
}
