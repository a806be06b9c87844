/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus text format 0.0.4. Values are found by their labels under one lock: they are few. */
#include "metrics/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define TABLES_MAX 16
#define LABELS_MAX 3

static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                0.5,   1,      2.5,   5,    10,    30,   60};
#define BOUNDS (sizeof bounds / sizeof bounds[0])

struct metric_value {
    char *labels[LABELS_MAX];
    double value; /* of a histogram: the sum */
    uint64_t count, buckets[BOUNDS];
};

struct metric_values {
    struct metric_value *list;
    size_t count, capacity;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct metric *list;
    size_t count;
} tables[TABLES_MAX];
static size_t table_count;

static size_t label_count(const struct metric *metric)
{
    size_t count = 0;
    while (count < LABELS_MAX && metric->labels[count] != NULL)
        count++;
    return count;
}

static struct metric_value *add_value(struct metric *metric, const char *const values[])
{
    struct metric_values *all = metric->values;
    all->list = array_reserve(all->list, &all->capacity, all->count, sizeof *all->list);
    struct metric_value *value = &all->list[all->count++];
    *value = (struct metric_value){0};
    for (size_t i = 0; i < label_count(metric); i++)
        value->labels[i] = xstrdup(values[i]);
    return value;
}

static size_t index_of(const struct metric *metric, const char *const values[])
{
    size_t labels = label_count(metric), i = 0;
    assert(metric->values != NULL);
    for (; i < metric->values->count; i++) {
        const struct metric_value *value = &metric->values->list[i];
        size_t same = 0;
        while (same < labels && strcmp(value->labels[same], values[same]) == 0)
            same++;
        if (same == labels)
            break;
    }
    return i;
}

static struct metric_value *find_value(struct metric *metric, const char *const values[])
{
    size_t i = index_of(metric, values);
    return i < metric->values->count ? &metric->values->list[i] : add_value(metric, values);
}

void metrics_register(struct metric *list, size_t count)
{
    pthread_mutex_lock(&lock);
    assert(table_count < TABLES_MAX);
    for (size_t i = 0; i < count; i++) {
        assert(list[i].name != NULL);
        if (list[i].values == NULL)
            list[i].values = xcalloc(1, sizeof *list[i].values);
        if (label_count(&list[i]) == 0 && list[i].values->count == 0)
            add_value(&list[i], NULL);
    }
    tables[table_count].list = list;
    tables[table_count++].count = count;
    pthread_mutex_unlock(&lock);
}

void metric_add_labelled(struct metric *metric, double amount, const char *const values[])
{
    pthread_mutex_lock(&lock);
    find_value(metric, values)->value += amount;
    pthread_mutex_unlock(&lock);
}

void metric_set_labelled(struct metric *metric, double value, const char *const values[])
{
    pthread_mutex_lock(&lock);
    find_value(metric, values)->value = value;
    pthread_mutex_unlock(&lock);
}

void metric_remove_labelled(struct metric *metric, const char *const values[])
{
    pthread_mutex_lock(&lock);
    struct metric_values *all = metric->values;
    size_t i = index_of(metric, values);
    if (i < all->count) {
        for (size_t l = 0; l < label_count(metric); l++)
            free(all->list[i].labels[l]);
        all->list[i] = all->list[--all->count];
    }
    pthread_mutex_unlock(&lock);
}

void metric_add(struct metric *metric, double amount)
{
    metric_add_labelled(metric, amount, NULL);
}

void metric_set(struct metric *metric, double value)
{
    metric_set_labelled(metric, value, NULL);
}

void metric_observe(struct metric *metric, double seconds)
{
    metric_observe_labelled(metric, seconds, NULL);
}

void metric_observe_labelled(struct metric *metric, double seconds, const char *const values[])
{
    assert(metric->type == METRIC_HISTOGRAM);
    pthread_mutex_lock(&lock);
    struct metric_value *value = find_value(metric, values);
    value->value += seconds;
    value->count++;
    for (size_t i = 0; i < BOUNDS; i++)
        if (seconds <= bounds[i])
            value->buckets[i]++;
    pthread_mutex_unlock(&lock);
}

static const char *type_name(const struct metric *metric)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};
    return names[metric->type];
}

/* Backslash, quote and line feed are escaped, as the format wants it. */
static void print_label(struct buffer *out, const char *name, const char *value)
{
    buffer_addf(out, "%s=\"", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\\' || *c == '"')
            buffer_add_char(out, '\\');
        if (*c == '\n')
            buffer_add_text(out, "\\n");
        else
            buffer_add_char(out, *c);
    }
    buffer_add_char(out, '"');
}

/* name_suffix{label="value",le="0.5"} */
static void print_name(struct buffer *out, const struct metric *metric,
                       const struct metric_value *value, const char *suffix, const char *le)
{
    size_t labels = label_count(metric);
    buffer_addf(out, "%s%s", metric->name, suffix);
    if (labels == 0 && le == NULL)
        return;
    buffer_add_char(out, '{');
    for (size_t i = 0; i < labels; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        print_label(out, metric->labels[i], value->labels[i]);
    }
    if (le != NULL)
        buffer_addf(out, "%sle=\"%s\"", labels > 0 ? "," : "", le);
    buffer_add_char(out, '}');
}

static void print_histogram(struct buffer *out, const struct metric *metric,
                            const struct metric_value *value)
{
    for (size_t i = 0; i <= BOUNDS; i++) {
        AUTO(text_free) char *le = i < BOUNDS ? xasprintf("%g", bounds[i]) : xstrdup("+Inf");
        print_name(out, metric, value, "_bucket", le);
        buffer_addf(out, " %llu\n",
                    (unsigned long long)(i < BOUNDS ? value->buckets[i] : value->count));
    }
    print_name(out, metric, value, "_sum", NULL);
    buffer_addf(out, " %.17g\n", value->value);
    print_name(out, metric, value, "_count", NULL);
    buffer_addf(out, " %llu\n", (unsigned long long)value->count);
}

static void print_metric(struct buffer *out, const struct metric *metric)
{
    buffer_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                type_name(metric));
    for (size_t i = 0; i < metric->values->count; i++) {
        const struct metric_value *value = &metric->values->list[i];
        if (metric->type == METRIC_HISTOGRAM) {
            print_histogram(out, metric, value);
            continue;
        }
        print_name(out, metric, value, "", NULL);
        buffer_addf(out, " %.17g\n", value->value);
    }
}

void metrics_print(struct buffer *out)
{
    pthread_mutex_lock(&lock);
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            print_metric(out, &tables[t].list[i]);
    pthread_mutex_unlock(&lock);
}

void metrics_print_markdown(FILE *out)
{
    fprintf(out, "| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for (size_t t = 0; t < table_count; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct metric *metric = &tables[t].list[i];
            fprintf(out, "| `%s` | %s | ", metric->name, type_name(metric));
            for (size_t l = 0; l < label_count(metric); l++)
                fprintf(out, "%s%s", l > 0 ? ", " : "", metric->labels[l]);
            fprintf(out, " | %s |\n", metric->help);
        }
    }
}
