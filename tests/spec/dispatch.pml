/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch, lease and fence: one run with one task, two schedulers that lose and take its partition, two
 * workers. Results come into the ledger in one step; how they do is stream.pml. README.md maps this to the code. */
#include "ledger.pml"

#ifndef EPOCHS
#define EPOCHS 3
#endif

/* ---- the ledger: what is committed, and who locks which row ------------------------------------ */

byte offset_epoch, offset_row; /* the partition's inbox_offset */
byte attempt, task_row;        /* scheduling.task; its lock stands for that of results.run_totals as well */
byte selected[ATTEMPTS + 1];   /* scheduling.dispatch, by attempt: its cases */
byte received[ATTEMPTS + 1];   /* results.task_record */
bool finished[ATTEMPTS + 1];
byte recorded, verdict;        /* results.result, and what was told at the end */
bool closed;

/* ---- the workers: attempt 1 is the first one's, attempt 2 the second one's ----------------------- */

chan lane[2] = [2] of {byte, byte}; /* worker.sync: epoch, the attempt that is to run or 0 */
bool known[2];                      /* has begun it: what heartbeats list */
byte running[2];
byte sent[ATTEMPTS + 1];            /* of its stream, in the log */
bool may_crash = true;              /* a worker */

/* ---- scheduler --------------------------------------------------------------------------------- */

#define SET_OF(w) ((m_attempt == (w) + 1 && !m_closed) -> m_attempt : 0)

#ifdef UNLOCKED_FENCE
#define BEGIN(is_fenced)                                                                           \
    if                                                                                             \
    :: offset_epoch != epoch -> goto away                                                          \
    :: else                                                                                        \
    fi
#else
#define BEGIN(is_fenced)                                                                           \
    atomic { offset_row == 0 ->                                                                    \
        if                                                                                         \
        :: is_fenced && offset_epoch != epoch -> goto away                                         \
        :: else -> offset_row = _pid + 1                                                           \
        fi }
#endif

#ifdef NO_FENCE
#define CLOSE_IS_FENCED false
#else
#define CLOSE_IS_FENCED true
#endif
#if defined(NO_FENCE) || defined(LEASE_WITHOUT_EPOCH)
#define LEASE_IS_FENCED false
#else
#define LEASE_IS_FENCED true
#endif

inline end_transaction()
{
    UNLOCK(offset_row);
    UNLOCK(task_row);
    left = 0
}

/* Memory is as the ledger says at every COMMIT: nobody decides on what another has changed. */
inline check_memory()
{
    assert(m_attempt == attempt && !closed)
}

proctype Scheduler()
{
    byte epoch, m_attempt, left;
    bool m_closed;
away:
    atomic { epoch = 0; m_attempt = 0; m_closed = false };
end_away:
    atomic { offset_epoch < EPOCHS && offset_row == 0 -> offset_epoch++; epoch = offset_epoch };
    atomic { m_attempt = attempt; m_closed = closed };
end:
    do
    /* The first dispatch; or a lease is over, rightly or wrongly, at any time. */
    :: !m_closed && m_attempt < ATTEMPTS && !finished[m_attempt] ->
        BEGIN(LEASE_IS_FENCED);
        LOCK(task_row, left = ALL & ~recorded);
        if
        :: atomic { offset_epoch < EPOCHS -> end_transaction(); goto away } /* killed, or its session ended */
        :: atomic { left != 0 ->
            check_memory();
            m_attempt++;
            attempt = m_attempt;
            selected[m_attempt] = left;
            end_transaction() }
        :: atomic { left == 0 -> end_transaction() } /* all is there: closed below */
        fi
    /* The full set, until heartbeats say that it was heard. A zombie sends its own. */
    :: atomic { empty(lane[0]) && (SET_OF(0) -> !known[0] : running[0]) -> lane[0]!epoch, SET_OF(0) }
    :: atomic { empty(lane[1]) && (SET_OF(1) -> !known[1] : running[1]) -> lane[1]!epoch, SET_OF(1) }
    :: !m_closed && m_attempt > 0 && (finished[m_attempt] || recorded == ALL) ->
        BEGIN(CLOSE_IS_FENCED);
        LOCK(task_row, skip);
        if
        :: atomic { offset_epoch < EPOCHS -> end_transaction(); goto away }
        :: atomic { true ->
            check_memory();
            verdict = recorded;
            closed = true;
            m_closed = true;
            end_transaction() }
        fi
    od
}

/* ---- executor ---------------------------------------------------------------------------------- */

inline obey(set)
{
    if
    :: running[me] && set != running[me] ->
        /* An attempt that counts is never ended by what a former owner has said. */
        assert(closed || attempt != running[me]);
        running[me] = 0
    :: else
    fi;
    if
    :: set && !known[me] -> known[me] = true; running[me] = set
    :: else
    fi
}

proctype Executor(byte me)
{
    byte heard, epoch, set;
end:
    do
    :: atomic { lane[me]?epoch, set ->
        if
#ifndef LANE_WITHOUT_EPOCH
        :: epoch < heard
#endif
        :: else -> heard = epoch; obey(set)
        fi;
        epoch = 0;
        set = 0 }
    :: atomic { running[me] ->
        sent[running[me]]++;
        if
        :: sent[running[me]] == LAST_OF(selected[running[me]]) -> running[me] = 0
        :: else
        fi }
    :: atomic { running[me] && running[me] < ATTEMPTS && may_crash -> may_crash = false; running[me] = 0 }
    od
}

/* ---- result-collector: in one step ---------------------------------------------------------------- */

inline take(which)
{
    received[which]++;
    if
    :: received[which] == LAST_OF(selected[which]) -> finished[which] = true
    :: else ->
        if
        :: !closed && attempt == which -> recorded = recorded | CASE_OF(selected[which], received[which])
        :: else /* late or stale: kept apart */
        fi
    fi;
    assert(!closed || verdict == recorded) /* what was told stays true */
}

proctype Collector()
{
end:
    do
    :: atomic { task_row == 0 && received[1] < sent[1] -> take(1) }
    :: atomic { task_row == 0 && received[2] < sent[2] -> take(2) }
    od
}

/* The only one that may not wait for ever: every run becomes final. */
proctype Waiter()
{
    closed;
#ifdef WITNESS /* the way that has everything in it is among those that were searched */
    assert(!(attempt == ATTEMPTS && recorded == ALL && COUNT(selected[ATTEMPTS]) == 1 &&
             sent[1] == LAST_OF(ALL) && offset_epoch == EPOCHS))
#endif
}

init
{
    atomic {
        run Scheduler();
        run Scheduler();
        run Executor(0);
        run Executor(1);
        run Collector();
        run Waiter()
    }
}
