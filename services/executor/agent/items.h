/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes items of the job's stream: results, output, how many there will be. Secrets are masked here. */
#pragma once

#include "agent/job.h"

/* As handlers of reports and outputs; the context is the job. */
void items_on_result(void *job, const struct stream_result *result);
void items_on_planned(void *job, int64_t count);
void items_on_log(void *job, enum log_stream stream, const char *text);

/* A line of ours among the output. */
void items_say(struct job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));
