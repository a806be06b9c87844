/* SPDX-License-Identifier: Apache-2.0 */
/* Why a run is not further: the closed list of classes that `why` answers with. */
#pragma once

#include "base/names.h"

enum wait_class {
    WAIT_NOT_SEEN,     /* the scheduler has not read it yet (there is no run_state) */
    WAIT_NO_SCHEDULER, /* no scheduler has owned its pool since … */
    WAIT_PLANNING,     /* about to be cut into tasks */
    WAIT_NO_WORKER,    /* the pool has no worker at all */
    WAIT_NO_CAPABLE, /* no worker of the pool fulfils its requirements: names the first unmet one */
    WAIT_BUSY,       /* capable workers have no free slot */
    WAIT_BEHIND,     /* others go first: priority or fair share */
    WAIT_ACKNOWLEDGEMENT, /* sent to a worker that has not answered yet */
    WAIT_WORKERS_SILENT,  /* most of the pool is silent: no decisions until it is heard again */
    WAIT_TESTS,           /* tests are running */
    WAIT_RESULTS,         /* all tests have ended, their results are being recorded */
    WAIT_CANCEL,          /* cancelled, the processes are being ended */
    WAIT_UPLOADS, /* its results are uploaded: for more of them, or for the word that it is all */
};

extern const struct names wait_class_names;
