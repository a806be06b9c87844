/* SPDX-License-Identifier: Apache-2.0 */
/* One dispatch on this worker: accepted → source → running → reports → finished, and then its stream until
 * the scheduler calls it settled. */
#pragma once

#include <uthash.h>

#include "agent/exclusive.h"
#include "executor.h"
#include "message/task_dispatch.h"
#include "worker/stream.h"

enum job_state {
    JOB_ACCEPTED, /* waits for a slot, or as an exclusive one for the scheduler to hear that it is here */
    JOB_RUNNING,  /* takes a slot: its source is fetched, its tests run */
    JOB_READING,  /* its processes are gone, its reports are read */
    JOB_KEEPING,  /* … files that they left are sent to be kept */
    JOB_FINISHED, /* its stream is complete; the slot is free */
};

struct job {
    struct uuid dispatch_id;
    uint32_t number; /* within this life of the executor: part of producer tags */
    struct executor *executor;
    enum job_state state;
    bool recovered;     /* of an earlier life: only its stream is left */
    bool whole;         /* its stream has its last item */
    int64_t listed_seq; /* the first heartbeat that named it; 0: none yet */
    struct exclusive exclusive;
    struct stream stream;
    struct work *work; /* all that running it takes; NULL when finished */
    UT_hash_handle hh;
};

/* Starts it as soon as there is a slot; what goes wrong is told by the stream. */
void job_accept(struct executor *executor, const struct task_dispatch *dispatch);
/* Hands it back untouched. */
void job_refuse(struct executor *executor, const struct task_dispatch *dispatch,
                const char *detail);
/* Files that an earlier life of this executor left: a spool_on_file. */
int job_recover(struct executor *executor, const char *name, const char *header,
                struct spool_file *file, struct error *error) WARN_UNUSED;

struct job *job_find(const struct executor *executor, const char *dispatch_id);
#define JOB_OWN_GRACE (-1)
/* ending: an enum ending_kind. grace_ms between TERM and KILL; JOB_OWN_GRACE: the dispatch's. */
void job_stop(struct job *job, int ending, const char *detail, int64_t grace_ms);
void job_settle(struct job **job); /* its spool file goes, and it with it */
/* The ledger has never heard of it: its spool file is kept for people for some days. */
void job_put_aside(struct job **job);
void job_free(struct job **job);

/* What is due: time-outs, output, reports. Returns ms until the next. */
int64_t job_work(struct job *job);
bool job_is_open(const struct job *job); /* its stream has not ended */
