/* SPDX-License-Identifier: Apache-2.0 */
/* Stream and close: the results of one task, whose first attempt may be given up at any time, come through the
 * log to two collectors that lose and take its partition. One scheduler; dispatch.pml has two. README.md maps
 * this to the code. */
#include "ledger.pml"

#ifndef EPOCHS
#define EPOCHS 3
#endif
#define LOG_MAX 7 /* two streams of three items, and one item out of turn */
#ifndef AHEAD
#define AHEAD 2 /* items in the log that are not yet in the ledger */
#endif

/* ---- the ledger: what is committed, and who locks which row ------------------------------------ */

byte offset_epoch, next_offset, offset_row; /* the partition's inbox_offset */
byte attempt = 1, task_row;                 /* scheduling.task */
byte selected[ATTEMPTS + 1];                /* scheduling.dispatch, by attempt: its cases */
byte received[ATTEMPTS + 1];                /* results.task_record */
bool finished[ATTEMPTS + 1];
byte recorded;                              /* results.result */
byte totals, verdict, totals_row;           /* results.run_totals, and what was told at the end */
bool closed, may_cancel;

/* ---- the log ------------------------------------------------------------------------------------- */

byte log_attempt[LOG_MAX], log_seq[LOG_MAX], log_end;

#define HAS_ROOM (log_end < next_offset + AHEAD)

inline append(which, seq)
{
    log_attempt[log_end] = which;
    log_seq[log_end] = seq;
    log_end++
}

/* ---- scheduler --------------------------------------------------------------------------------- */

inline end_decision()
{
    UNLOCK(totals_row);
    UNLOCK(task_row);
    left = 0;
    counted = 0
}

proctype Scheduler()
{
    byte left, counted;
end:
    do
    /* The lease is over, rightly or wrongly, at any time. */
    :: !closed && attempt < ATTEMPTS && !finished[attempt] ->
#if defined(REMAINING_BEFORE_LOCK)
        left = ALL & ~recorded;
        LOCK(totals_row, skip);
        LOCK(task_row, skip);
#elif defined(LOCKS_OUT_OF_ORDER)
        LOCK(task_row, skip);
        LOCK(totals_row, left = ALL & ~recorded);
#else
        LOCK(totals_row, skip);
        LOCK(task_row, left = ALL & ~recorded);
#endif
        atomic {
            assert(left == (ALL & ~recorded)); /* the next attempt has exactly the rest: nobody waits for ever */
            if
            :: left != 0 -> attempt++; selected[attempt] = left
            :: left != 0 -> attempt++; selected[attempt] = ALL /* a framework that cannot select */
            :: else
            fi;
            end_decision() }
    :: !closed && (finished[attempt] || recorded == ALL || may_cancel) ->
#ifndef CLOSE_WITHOUT_TOTALS_LOCK
        LOCK(totals_row, skip);
#endif
        counted = totals;
        atomic {
            verdict = counted;
            closed = true;
            assert(verdict == totals);
            end_decision() }
    od
}

/* ---- the workers of both attempts --------------------------------------------------------------- */

inline send(which)
{
    sent[which]++;
    append(which, sent[which])
}

proctype Executors()
{
    byte sent[ATTEMPTS + 1];
    bool is_dead, out_of_turn;
end:
    do
    :: atomic { HAS_ROOM && !is_dead && sent[1] < LAST_OF(selected[1]) -> send(1) }
    :: atomic { HAS_ROOM && selected[2] && sent[2] < LAST_OF(selected[2]) -> send(2) }
    :: atomic { !is_dead -> is_dead = true } /* the first one's: its stream has no end */
    :: atomic { HAS_ROOM && !out_of_turn && (sent[1] > 0 || sent[2] > 0 || !is_dead) -> /* one item out of turn: once more, or over a gap */
        out_of_turn = true;
        if
        :: sent[1] > 0 -> append(1, 1)
        :: !is_dead && sent[1] + 2 <= LAST_OF(ALL) -> append(1, sent[1] + 2)
        :: sent[2] > 0 -> append(2, sent[2])
        fi }
    od
}

/* ---- result-collector --------------------------------------------------------------------------- */

#define OF  log_attempt[offset]
#define SEQ log_seq[offset]

inline count_result()
{
    if
    :: !is_closed && current == OF ->
        assert(attempt == OF && !closed); /* a stale attempt never counts, nor what is late */
#ifdef TOTALS_BY_MESSAGES
        totals++;
#else
        totals = totals + ((recorded & CASE_OF(selected[OF], SEQ)) -> 0 : 1);
#endif
        recorded = recorded | CASE_OF(selected[OF], SEQ)
    :: else /* late or stale: kept apart */
    fi
}

inline take_record()
{
    if
#ifdef STREAM_WITHOUT_NUMBERS
    :: true ->
#else
    :: SEQ == received[OF] + 1 ->
#endif
        received[OF] = SEQ;
        if
        :: SEQ == LAST_OF(selected[OF]) ->
            finished[OF] = true;
            /* Its end is in the ledger only behind all that came before it. */
            assert(attempt != OF || is_closed || recorded == ALL)
        :: else -> count_result()
        fi
    :: else /* a duplicate, or a gap: it comes again */
    fi
}

inline end_batch()
{
    UNLOCK(offset_row);
    UNLOCK(totals_row);
    UNLOCK(task_row);
    current = 0;
    is_closed = false
}

proctype Collector()
{
    byte epoch, offset, current;
    bool is_closed;
away:
    atomic { epoch = 0; offset = 0 };
end_away:
    atomic { offset_epoch < EPOCHS && offset_row == 0 -> offset_epoch++; epoch = offset_epoch; offset = next_offset };
end:
    do
    :: offset < log_end ->
        atomic { offset_row == 0 ->
            if
#ifndef NO_FENCE
            :: offset_epoch != epoch || next_offset != offset -> goto away
#endif
            :: else -> offset_row = _pid + 1
            fi };
#ifdef OFFSET_OUTSIDE
        atomic { next_offset = offset + 1; UNLOCK(offset_row) };
#endif
#ifdef NO_LOCK
        atomic { is_closed = closed; current = attempt };
#else
        LOCK(totals_row, is_closed = closed);
        LOCK(task_row, current = attempt);
#endif
        if
        :: atomic { offset_epoch < EPOCHS -> end_batch(); goto away } /* killed, or its session ended */
        :: atomic { true ->
#ifndef OFFSET_OUTSIDE
            assert(next_offset == offset); /* each record is taken by one transaction */
            next_offset = offset + 1;
#endif
            take_record();
            assert(totals == COUNT(recorded));    /* never lost, never doubled */
            assert(!closed || verdict == totals); /* what was told stays true */
            end_batch();
            log_attempt[offset] = 0; /* nobody reads it again: the fewer states */
            log_seq[offset] = 0;
            offset++ }
        fi
    od
}

/* The only one that may not wait for ever: every run becomes final. */
proctype Waiter()
{
    closed;
#ifdef WITNESS /* the way that has everything in it is among those that were searched */
    assert(!(attempt == ATTEMPTS && recorded == ALL && finished[ATTEMPTS] && COUNT(selected[ATTEMPTS]) == 1 &&
             received[1] > 1 && offset_epoch == EPOCHS && !may_cancel))
#endif
}

init
{
    atomic {
        selected[1] = ALL;
        if
        :: may_cancel = true
        :: true
        fi;
        run Scheduler();
        run Executors();
        run Collector();
        run Collector();
        run Waiter()
    }
}
