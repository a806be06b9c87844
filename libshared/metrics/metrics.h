/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics in Prometheus' text format 0.0.4: base units, `_total` for counters, no ids as labels. One
 * table per program; counters are atomic and may be touched from any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* A family. Values with labels are made on first use and live until they are removed: label values come from
 * closed lists (states, routes); who takes them from users bounds them, and removes what is over. */
struct metric {
    const char *name; /* "verdict_results_ingested_total", "verdict_outbox_age_seconds" */
    enum metric_type type;
    const char *help;
    const char *labels[3];        /* names, NULL-ended */
    struct metric_values *values; /* managed by this library */
};

/* Registers the families of a static table; they appear in metrics_print with value 0 at once when they
 * have no labels. Call once per table at start, before threads. */
void metrics_register(struct metric *list, size_t count);

void metric_add(struct metric *metric, double amount); /* counter or gauge, no labels */
void metric_set(struct metric *metric, double value);  /* gauge, no labels */
void metric_add_labelled(struct metric *metric, double amount, const char *const values[]);
void metric_set_labelled(struct metric *metric, double value, const char *const values[]);
void metric_remove_labelled(struct metric *metric, const char *const values[]);
void metric_observe(struct metric *metric, double seconds); /* histogram: 1 ms … 60 s buckets */
void metric_observe_labelled(struct metric *metric, double seconds, const char *const values[]);

void metrics_print(struct buffer *out);
void metrics_print_markdown(FILE *out);
