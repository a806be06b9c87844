/* SPDX-License-Identifier: Apache-2.0 */
/* What all of the operator's commands have in common: their options, Postgres, Kafka, exit codes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bus/bus.h"
#include "store/store.h"

enum admin_exit { ADMIN_OK = 0, ADMIN_FAILED = 1, ADMIN_USAGE = 2 };

/* Every option that any command takes; NULL or 0 when not given. Texts belong to argv. */
struct admin_options {
    const char *postgres_url;  /* VERDICT_POSTGRES_URL */
    const char *kafka_brokers; /* VERDICT_KAFKA_BROKERS */
    const char *redis_url;     /* VERDICT_REDIS_URL */
    const char *topic_prefix;  /* VERDICT_TOPIC_PREFIX, or "verdict" */
    const char *directory;
    const char *partitions;
    const char *pool, *project, *name, *title, *scopes, *expires, *output, *id;
    int64_t wait_ms;
};

struct admin_command {
    const char *words;   /* "pool join-token" */
    const char *options; /* names of its options, separated by blanks: "pool output" */
    const char *text;    /* one line for --help */
    int (*run)(const struct admin_options *options, struct error *error);
};

extern const struct admin_command admin_commands[];
extern const size_t admin_commands_count;

struct admin_option {
    const char *name, *value; /* "dir", "DIR" */
    const char *text;
};

extern const struct admin_option admin_option_facts[];
extern const size_t admin_option_facts_count;
bool admin_takes(const struct admin_command *command, const char *option);

/* The commands, one file each. */
int run_migrate(const struct admin_options *options, struct error *error);
int run_topics(const struct admin_options *options, struct error *error);
int run_pool_list(const struct admin_options *options, struct error *error);
int run_pool_create(const struct admin_options *options, struct error *error);
int run_pool_grant(const struct admin_options *options, struct error *error);
int run_pool_join_token(const struct admin_options *options, struct error *error);
int run_token_create(const struct admin_options *options, struct error *error);
int run_token_list(const struct admin_options *options, struct error *error);
int run_token_revoke(const struct admin_options *options, struct error *error);
int run_doctor(const struct admin_options *options, struct error *error);
int run_manual(const struct admin_options *options, struct error *error);

/* Opens Postgres, trying again until options->wait_ms is over. */
int admin_store(const struct admin_options *options, struct store **store_r,
                struct error *error) WARN_UNUSED;
/* The same, speaking as api-ingest's role, which owns what the command writes. */
int admin_api_store(const struct admin_options *options, struct store **store_r,
                    struct error *error) WARN_UNUSED;
struct bus_settings admin_bus(const struct admin_options *options);
