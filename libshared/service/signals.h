/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTERM and SIGINT ask for a stop; the second one, or an alarm, ends the process at once. One set per process. */
#pragma once

#include <stdint.h>

/* exit_status: of a process that is ended at once. Aborts where there are no descriptors. */
void signals_take(int exit_status);
void signals_close(void);

int signals_fd(void); /* readable when one has come */
/* The signal that asks for a stop; 0: none has. Nothing is readable afterwards. */
int signals_stop(void);
/* The process is ended when it is still there in left_ms, rounded up to the next second. */
void signals_end_within(int64_t left_ms);
