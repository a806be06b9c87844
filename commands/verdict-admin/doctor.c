/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at every part that the services need, and says what to do. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/clock.h"
#include "base/memory.h"
#include "bus/admin.h"
#include "bus/topics.h"
#include "migrations.h"

#define TIMEOUT_MS        5000
#define CLOCK_DRIFT_MS    2000
#define REDIS_PORT        6379
#define REDIS_HOST_LENGTH 256

struct patient {
    const struct admin_options *options;
    struct store *store; /* NULL when Postgres is not there */
};

static int check_postgres(struct patient *patient, char *good, size_t size, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (admin_store(patient->options, &patient->store, error) < 0 ||
        store_query(patient->store, "SHOW server_version", NO_PARAMS, &rows, error) < 0)
        return error_wrap(error, "set VERDICT_POSTGRES_URL, and see that the server runs");
    snprintf(good, size, "version %s", rows_text(rows, 0, 0));
    return 0;
}

static int need_postgres(const struct patient *patient, struct error *error)
{
    return patient->store != NULL
               ? 0
               : error_set(error, "unavailable", "not looked at: Postgres is not there");
}

static int check_migrations(struct patient *patient, char *good, size_t size, struct error *error)
{
    AUTO(text_free) char *directory = migrations_directory(patient->options);
    AUTO(migrations_deinit) struct migrations migrations = {0};
    size_t applied = 0;
    if (need_postgres(patient, error) < 0 || migrations_load(directory, &migrations, error) < 0)
        return -1;
    if (migrations_compare(patient->store, &migrations, &applied, error) < 0)
        return error_wrap(error, "run verdict-admin migrate");
    if (applied < migrations.count)
        return error_set(error, "behind", "run verdict-admin migrate: %zu of %zu are applied",
                         applied, migrations.count);
    snprintf(good, size, "all %zu applied", applied);
    return 0;
}

static int check_clock(struct patient *patient, char *good, size_t size, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (need_postgres(patient, error) < 0 ||
        store_query(patient->store, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
                    NO_PARAMS, &rows, error) < 0)
        return -1;
    long long drift_ms = (long long)(wall_ms() - rows_int(rows, 0, 0));
    if (llabs(drift_ms) > CLOCK_DRIFT_MS)
        return error_set(
            error, "drift",
            "this clock and Postgres' differ by %lld ms: let both follow one time server",
            drift_ms);
    snprintf(good, size, "%lld ms from Postgres'", drift_ms);
    return 0;
}

static int check_topic(const struct bus_settings *bus, const char *name, int stored,
                       struct error *error)
{
    int actual;
    if (bus_topic_partitions(bus, name, TIMEOUT_MS, &actual, error) < 0)
        return error_wrap(error, "set VERDICT_KAFKA_BROKERS, and see that a broker runs");
    if (actual == 0)
        return error_set(error, "missing", "run verdict-admin topics: %s is missing", name);
    if (actual != stored)
        return error_set(error, "changed",
                         "%s has %d partitions, but was made with %d: make it again", name, actual,
                         stored);
    return 0;
}

static int check_topics(struct patient *patient, char *good, size_t size, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct bus_settings bus = admin_bus(patient->options);
    if (need_postgres(patient, error) < 0)
        return -1;
    if (bus.brokers == NULL)
        return error_set(error, "missing", "set VERDICT_KAFKA_BROKERS");
    if (store_query(patient->store,
                    "SELECT i.name, i.value, p.id FROM api.installation i LEFT JOIN api.pool p ON "
                    "i.name = 'lanes'",
                    NO_PARAMS, &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "missing", "run verdict-admin topics: no topic was made");
    for (int i = 0; i < rows_count(rows); i++) {
        for (int topic = 0; topic < TOPIC_COUNT; topic++) {
            char name[TOPIC_NAME_SIZE];
            if (strcmp(topics[topic].installation_key, rows_text(rows, i, 0)) != 0)
                continue;
            topic_name((enum topic)topic, patient->options->topic_prefix,
                       topic == TOPIC_LANES ? rows_text(rows, i, 2) : NULL, name);
            if (check_topic(&bus, name, (int)rows_int(rows, i, 1), error) < 0)
                return -1;
        }
    }
    snprintf(good, size, "%d there, with the right partitions", rows_count(rows));
    return 0;
}

/* redis://[…@]host[:port][/db] */
static int redis_address(const char *url, char host[REDIS_HOST_LENGTH], int *port_r)
{
    const char *at = strstr(url, "://");
    if (at == NULL)
        return -1;
    at += 3;
    const char *credentials = strrchr(at, '@');
    at = credentials == NULL ? at : credentials + 1;
    size_t length = strcspn(at, ":/");
    if (length == 0 || length >= REDIS_HOST_LENGTH)
        return -1;
    memcpy(host, at, length);
    host[length] = '\0';
    *port_r = at[length] == ':' ? atoi(at + length + 1) : REDIS_PORT;
    return 0;
}

static int check_redis(struct patient *patient, char *good, size_t size, struct error *error)
{
    char host[REDIS_HOST_LENGTH];
    int port;
    const struct timeval timeout = {.tv_sec = 2};
    if (patient->options->redis_url == NULL)
        return error_set(error, "missing",
                         "set VERDICT_REDIS_URL (reads are slower without it, nothing else)");
    if (redis_address(patient->options->redis_url, host, &port) < 0)
        return error_set(error, "invalid", "VERDICT_REDIS_URL must be redis://host:port");
    redisContext *redis = redisConnectWithTimeout(host, port, timeout);
    if (redis == NULL || redis->err != 0) {
        error_set(error, "unavailable", "see that Redis runs at %s:%d: %s", host, port,
                  redis == NULL ? "no memory" : redis->errstr);
        redisFree(redis);
        return -1;
    }
    redisSetTimeout(redis, timeout);
    redisReply *reply = redisCommand(redis, "PING"); /* that it wants a password is an answer too */
    if (reply == NULL)
        error_set(error, "unavailable", "what listens at %s:%d does not answer as Redis does: %s",
                  host, port, redis->errstr);
    else
        snprintf(good, size, "answers at %s:%d", host, port);
    bool answers = reply != NULL;
    freeReplyObject(reply);
    redisFree(redis);
    return answers ? 0 : -1;
}

static const struct {
    const char *what;
    int (*check)(struct patient *, char *good, size_t size, struct error *error);
} checks[] = {{"postgres", check_postgres},
              {"migrations", check_migrations},
              {"clock", check_clock},
              {"topics", check_topics},
              {"redis", check_redis}};

int run_doctor(const struct admin_options *options, struct error *error)
{
    struct admin_options impatient = *options;
    struct patient patient = {.options = &impatient};
    int bad = 0;
    impatient.wait_ms = 0;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        struct error why;
        char good[200] = "";
        bool ok = checks[i].check(&patient, good, sizeof good, &why) == 0;
        printf("%-5s %-12s %s\n", ok ? "ok" : "BAD", checks[i].what, ok ? good : why.text);
        bad += ok ? 0 : 1;
    }
    store_close(&patient.store);
    return bad == 0 ? 0
                    : error_set(error, "unwell", "%d of %zu parts need attention", bad,
                                ARRAY_SIZE(checks));
}
