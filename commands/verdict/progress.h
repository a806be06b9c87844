/* SPDX-License-Identifier: Apache-2.0 */
/* How a run goes, on stderr: one line that is drawn again in a terminal, a line per change elsewhere. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct progress;

struct progress *progress_new(bool is_quiet);
/* Takes the line off the screen as well. */
void progress_free(struct progress **progress);

/* Shows what is new; cheap when nothing is. To be called at least once a second: the line has a clock. */
void progress_show(struct progress *progress, const json_t *run);

/* "running, waits for a slot: 12 of 60, 1 failed": what is said of a run that goes on. Caller frees. */
char *progress_text(const json_t *run);
/* How many of its cases have a result. */
int64_t progress_counted(const json_t *run);
