/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a task that are to be kept: found when the tests have ended, and sent to the API by a thread of
 * their own, by a token that is good for their dispatch alone. Whatever goes wrong with that is said, and is no
 * fault of the tests. */
#pragma once

#include <stdbool.h>

#include "auth/mac.h"
#include "base/fields.h"
#include "base/uuid.h"
#include "service/loop.h"

struct artifacts;

struct artifacts_place {
    const char *directory;        /* where the tests run: paths are relative to it */
    const struct texts *patterns; /* of the suite, relative */
    const char *report_directory; /* where the pattern of reports begins … */
    const char *report_pattern;   /* … NULL: no file is a report */
};

struct artifacts_target {
    const char *api_url;
    struct uuid dispatch_id;
    const uint8_t *worker_key; /* MAC_KEY_BYTES */
    struct loop *loop;
    void (*on_done)(void *context); /* from the loop, once; may free them */
    void *context;
};

/* Before the tests begin: what lies there already, and stays as it is, is not theirs. */
struct artifacts *artifacts_new(const struct artifacts_place *place);
/* Ends what still goes on, within a second. */
void artifacts_free(struct artifacts **artifacts);

/* The tests have ended. False: there is nothing to send, and on_done is not called. The URL is borrowed. */
bool artifacts_send(struct artifacts *artifacts, const struct artifacts_target *target);
void artifacts_stop(struct artifacts *artifacts); /* on_done is called soon */
/* Of what was not kept, and why: for the run's log. When they are done, or were not sent. */
const struct texts *artifacts_words(const struct artifacts *artifacts);
