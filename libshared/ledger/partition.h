/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the ledger: one owned partition and its life. Only libshared/ledger includes this. */
#pragma once

#include "base/backoff.h"
#include "ledger/fence.h"
#include "ledger/ledger.h"
#include "ledger/outbox.h"

/* Given by the group → TAKING → (epoch raised, state loaded) VERIFYING → OWNED. */
enum partition_state {
    PARTITION_IDLE,   /* not ours */
    PARTITION_TAKING, /* ours by the group; raising the epoch, as often as it takes */
    PARTITION_VERIFYING, /* loaded; reading the record before our offset, to see that the log is the same */
    PARTITION_OWNED,     /* taking records */
    PARTITION_RELOADING, /* memory was dropped after a failure: load again, same epoch */
    PARTITION_RESETTING, /* the log is another one: raise the epoch, start from its start, resync */
    PARTITION_RAISING,   /* a worker has heard of a higher epoch */
    PARTITION_FENCED,    /* another owner: wait for the group's word */
};

struct ledger_partition {
    struct ledger *ledger;
    int32_t number;
    enum partition_state state;
    struct backoff backoff;
    char reason[ERROR_TEXT_MAX]; /* why it is not OWNED */
    struct store *store;         /* its own connection: a transaction at a time */
    struct fence_row row;        /* as committed */
    bool loaded;                 /* the owner's state is in memory */
    bool in_transaction;
    void *user;
    struct record **pending; /* fetched, in order, from row.next_offset on */
    size_t pending_count, pending_capacity;
    size_t pending_bytes;
    int64_t single_until; /* records below this offset go one per transaction */
    int64_t end_at_take_over, log_end;
    int64_t seen_epoch; /* for RAISING */
    int64_t check_due_ms, state_since_ms;
    int64_t missing_since_ms; /* the broker has records that did not come; 0: it has none */
    bool failing;             /* its last batch was put back */
    bool judging; /* where the log begins and ends is asked, to see whether it is another one */
    bool stuck;   /* … since nothing came for too long */
    bool low_is_fresh; /* log_low was asked in this verification */
    int64_t log_low;
    int64_t asked_ms; /* since when an answer about the log's ends is waited for; 0: it is not */
    bool unheard;     /* the broker was asked for its log, and has not answered since */
    bool verified;    /* once since it was taken over */
};

struct ledger {
    struct ledger_settings settings;
    const struct ledger_handlers *handlers;
    struct fence *fence;
    struct outbox *outbox;
    struct store *store; /* for the outbox and for facts of the installation */
    struct backoff store_backoff;
    int epoll_fd; /* consumer's and outbox' descriptors behind one that never changes */
    struct consumer *consumer;
    struct consumer_handlers consumer_handlers;
    struct backoff consumer_backoff;
    bool consumer_lost;       /* close it and open it again, outside its callbacks */
    int64_t consumer_open_ms; /* when it was opened; the group's word follows */
    bool assigned_once;
    int64_t stopped_ms; /* 0: it is not stopping */
    char reason[ERROR_TEXT_MAX];
    struct installation_fact {
        char *name;
        int value;
    } * facts;
    size_t fact_count;
    struct ledger_partition *partitions;
    int partition_count;
};

/* partition.c: one step of its life; true when there is more to do at once. */
bool partition_step(struct ledger_partition *partition);
void partition_assign(struct ledger_partition *partition);
void partition_revoke(struct ledger_partition *partition);
void partition_on_record(struct ledger_partition *partition,
                         struct record *record); /* takes it over */
void partition_drop(struct ledger_partition *partition, enum partition_state next,
                    const struct error *why);
/* Asks the owner, when the reason is in the data: true when the cause is out of the way. */
bool partition_set_aside(struct ledger_partition *partition, const struct error *why);
bool partition_is_usable(const struct ledger_partition *partition);

/* For its steps (take_over.c, verify.c). */
void partition_enter(struct ledger_partition *partition, enum partition_state state);
void partition_clear_pending(struct ledger_partition *partition); /* it is fetched again */
/* The owner drops what it has loaded, if it has. */
void partition_forget_state(struct ledger_partition *partition);
/* Why it is not OWNED: said once per reason, not once per attempt. */
void partition_note(struct ledger_partition *partition, const char *what,
                    const struct error *error);

/* batch.c: takes the pending records of an OWNED partition in one transaction. */
void ledger_take_batch(struct ledger_partition *partition);
