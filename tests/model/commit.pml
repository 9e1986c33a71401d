/* How an outcome is published once: two workers (daemon/outcome), Kafka, and the store between them.
 *
 * Each option of a loop is one step that nothing can come between. Between two steps anything may happen, faults
 * included, while the budget of faults lasts. What is modelled, what is not, and how to run it: README.md.
 */

#define NOBODY 7
#define BIT(n) (1 << (n))
#define HAS(set, n) (((set) & BIT(n)) != 0)

/* --- the case: which of three messages there are --- */

#define REQUEST(m) 0   /* the request that it speaks of */
#define ORIGIN(m) (m)  /* the message that its chain of retries began with */
#define RETRY(m) NOBODY /* the message that parks it */
#define LOG(m) BIT(m)  /* the messages of its topic and partition */
#define CANCEL NOBODY  /* the message that cancels request 0 */
#define PLACE_0 7      /* messages in partitions of index 0, which are at one worker */
#define PLACE_1 0
#define REQUESTS 1

#if defined(CASE_ONE) /* one request */
#define WRITTEN_FIRST 1
#elif defined(CASE_ORDER) /* two requests in one partition */
#define WRITTEN_FIRST 3
#undef REQUESTS
#define REQUESTS 2
#undef REQUEST
#define REQUEST(m) (m)
#undef LOG
#define LOG(m) 3
#elif defined(CASE_PARK) /* message 1 is the retry of message 0, message 2 that of message 1 */
#define WRITTEN_FIRST 1
#undef ORIGIN
#define ORIGIN(m) 0
#undef RETRY
#define RETRY(m) ((m) < 2 -> (m) + 1 : NOBODY)
#elif defined(CASE_TWICE) /* one request, written twice, to two partitions */
#define WRITTEN_FIRST 3
#undef PLACE_0
#define PLACE_0 1
#undef PLACE_1
#define PLACE_1 2
#elif defined(CASE_CANCEL) /* message 1 is the retry of message 0, message 2 cancels their request */
#define WRITTEN_FIRST 5
#undef ORIGIN
#define ORIGIN(m) 0
#undef RETRY
#define RETRY(m) ((m) == 0 -> 1 : NOBODY)
#undef CANCEL
#define CANCEL 2
#else
#error one of CASE_ONE, CASE_ORDER, CASE_PARK, CASE_TWICE, CASE_CANCEL
#endif

#ifdef SAME_ID
#define ID(i) 0 /* both workers have one transactional id */
#else
#define ID(i) (i)
#endif

/* --- Kafka --- */

byte written = WRITTEN_FIRST; /* messages that a read_committed consumer may see */
byte committed;               /* messages that the committed offsets (base and map) say are done */
byte ended;                   /* messages whose outcome is committed */
byte n_outcomes[2];           /* committed terminal events of a request */
byte published[2];            /* which */

mtype = { EMPTY, ONGOING, PREPARED };

typedef Transaction { /* of a transactional id, at its coordinator */
    mtype state = EMPTY;
    byte producer; /* the worker whose producer has the present epoch */
    byte logs;     /* pending offsets: of these partitions, */
    byte offsets;  /* these messages done */
    byte retries;  /* retry messages */
}
Transaction transaction[2];

/* The group. A membership (generation and member id) matters only by what the coordinator makes of it. */
mtype = { CURRENT, STALE, NO_MEMBER };
bool rebalancing;
byte members = 3; /* workers that the group counts as its members */
byte joined;      /* those that have joined the next generation */

/* --- the store: objects are whole and durable or not there; only receipts are seen a moment before --- */

byte accepted[2] = NOBODY; /* the origin in the record of acceptance */
byte bundles[2];           /* by attempt: one of worker 0, one of worker 1 */
byte receipts_seen[2];     /* by outcome */
byte receipts[2];          /* those that are durable */
bool cancelled;            /* the record of the cancel */
byte revoked;              /* bundles taken back by it */

/* an outcome is 0 or 1, completed by that worker's attempt, or one of these */
#define CANCELLED 2
#define REPEATED  3
#define PARKED    4
#define NOTED     5

/* --- the workers --- */

mtype = { DEAD, JOINING, ASSIGNED, OWNING };                                     /* poll thread */
mtype = { NONE, ACCEPTING, WORKING, BUNDLED, SEEN, DURABLE, GIVEN_UP, DONE };    /* item */
mtype = { IDLE, PRODUCED, OFFSETS_SENT, FATAL, RESOLVING };                      /* commit thread */

typedef Worker {
    mtype poll = OWNING;
    mtype member = CURRENT;     /* what librdkafka would tell */
    mtype membership = CURRENT; /* the snapshot of the last assignment */
    byte assigned;              /* messages of the partitions that it was given */
    byte delivered;             /* since the assignment */
    byte done;                  /* offsets: committed, as far as it knows */
    mtype item[3] = NONE;
    byte answer[3];
    byte orphans;
    mtype commit = IDLE;
    byte batch;
    byte batch_answer[3];
    byte batch_orphans;
    mtype batch_membership = STALE;
    byte logs;
    byte offsets;
    bool refused; /* by the group: no other try before the poll thread has heard why */
}
Worker worker[2];

byte faults = FAULTS;

byte k = 3; /* scratch within one step; 3 after it */

#define EACH_MESSAGE for (k : 0 .. 2)

#ifdef WRONG_UNSTABLE_READ
#define STABLE(set) true
#else /* OffsetFetch with require_stable */
#define STABLE(set) (((transaction[0].logs | transaction[1].logs) & (set)) == 0)
#endif

/* --- what Kafka does by itself --- */

/* EndTxn(commit) has reached the coordinator: here the batch of worker i becomes history. */
inline commit_is_decided(i) {
    EACH_MESSAGE {
        if
        :: HAS(worker[i].batch, k) ->
            ended = ended | BIT(k);
            if
            :: worker[i].batch_answer[k] <= CANCELLED ->
                n_outcomes[REQUEST(k)]++;
                assert(n_outcomes[REQUEST(k)] == 1);
                published[REQUEST(k)] = worker[i].batch_answer[k];
                assert(HAS(receipts[REQUEST(k)], published[REQUEST(k)]));
                assert(published[REQUEST(k)] == CANCELLED || HAS(bundles[REQUEST(k)], published[REQUEST(k)]))
            :: worker[i].batch_answer[k] == PARKED ->
                transaction[ID(i)].retries = transaction[ID(i)].retries | BIT(RETRY(k))
            :: else
            fi
        :: else
        fi
    }
    transaction[ID(i)].state = PREPARED
}

inline transaction_is_aborted(id) { /* nobody can tell when its markers are written */
    transaction[id].logs = 0;
    transaction[id].offsets = 0;
    transaction[id].state = EMPTY
}

inline transaction_may_end(id) {
    if
    :: transaction[id].logs == 0 && transaction[id].retries == 0 -> transaction[id].state = EMPTY
    :: else
    fi
}

inline transaction_coordinator(id) {
    if
    :: d_step { /* the marker in __consumer_offsets */
        transaction[id].state == PREPARED && transaction[id].logs != 0 ->
        committed = (committed & ~transaction[id].logs) | transaction[id].offsets;
        transaction[id].logs = 0;
        transaction[id].offsets = 0;
        assert((committed & ~ended) == 0);
        transaction_may_end(id)
       }
    :: d_step { /* the markers in the topics */
        transaction[id].state == PREPARED && transaction[id].retries != 0 ->
        written = written | transaction[id].retries;
        transaction[id].retries = 0;
        transaction_may_end(id)
       }
    :: d_step { /* time-out: nobody is there to end it */
        transaction[id].state == ONGOING && transaction[id].producer != NOBODY &&
            worker[transaction[id].producer].poll == DEAD ->
        transaction[id].producer = NOBODY;
        transaction_is_aborted(id)
       }
    fi
}

inline membership_ends(i) {
    if :: worker[i].member == CURRENT -> worker[i].member = STALE :: else fi;
    if :: worker[i].membership == CURRENT -> worker[i].membership = STALE :: else fi;
    if :: worker[i].batch_membership == CURRENT -> worker[i].batch_membership = STALE :: else fi
}

inline is_removed(i) {
    members = members & ~BIT(i);
    joined = joined & ~BIT(i);
    rebalancing = true;
    membership_ends(i)
}

inline is_assigned(i, set) {
    membership_ends(i);
    if
    :: worker[i].poll == JOINING ->
        worker[i].poll = ASSIGNED;
        worker[i].member = CURRENT;
        worker[i].assigned = set
    :: else
    fi
}

/* A generation begins: index 0 goes to worker a, index 1 to worker b. */
inline generation_begins(a, b) {
    d_step {
        rebalancing && members != 0 && joined == members && HAS(members, a) && HAS(members, b) ->
        rebalancing = false;
        joined = 0;
        is_assigned(0, ((a == 0 -> PLACE_0 : 0) | (b == 0 -> PLACE_1 : 0)));
        is_assigned(1, ((a == 1 -> PLACE_0 : 0) | (b == 1 -> PLACE_1 : 0)))
    }
}

inline group_coordinator() {
    if
    :: generation_begins(0, 0)
    :: generation_begins(1, 1)
#if PLACE_1
    :: generation_begins(0, 1)
    :: generation_begins(1, 0)
#endif
    /* session time-out of the dead */
    :: d_step { HAS(members, 0) && worker[0].poll == DEAD -> is_removed(0) }
    :: d_step { HAS(members, 1) && worker[1].poll == DEAD -> is_removed(1) }
    fi
}

proctype kafka()
{
end:
    do
    :: transaction_coordinator(0)
    :: transaction_coordinator(1)
    :: group_coordinator()
    od
}

/* --- a worker's poll thread: intake/consumer.c, desk_assign, desk_revoke --- */

/* What is done or waits is dropped, what is going on becomes an orphan. */
inline drop(i) {
    EACH_MESSAGE {
        if
        :: worker[i].item[k] == DONE ->
            worker[i].item[k] = NONE;
            worker[i].answer[k] = 0
        :: worker[i].item[k] == NONE
        :: else -> worker[i].orphans = worker[i].orphans | BIT(k)
        fi
    }
    worker[i].batch_orphans = worker[i].batch
}

inline joins(i) {
    members = members | BIT(i);
    joined = joined | BIT(i);
    rebalancing = true;
    worker[i].poll = JOINING
}

inline gives_up_partitions(i) { /* whether or not what is done has been committed */
    drop(i);
    worker[i].assigned = 0;
    worker[i].delivered = 0;
    worker[i].done = 0;
    worker[i].refused = false;
    joins(i)
}

/* InitProducerId settles what the id left open; a transaction that is to be committed is waited for. */
#define MAY_INIT(i) (transaction[ID(i)].state != PREPARED)

inline init_transactions(i) {
    transaction_is_aborted(ID(i));
    transaction[ID(i)].producer = i
}

#ifdef WRONG_EMPTY_MEMBERSHIP
#define IS_MEMBERSHIP(member) true
#else
#define IS_MEMBERSHIP(member) ((member) != NO_MEMBER)
#endif

proctype poll_thread(byte i)
{
end:
    do
    :: d_step { /* a new process with the same transactional id */
        worker[i].poll == DEAD && MAY_INIT(i) ->
        init_transactions(i);
        joins(i)
       }
    :: d_step { /* a heartbeat is refused while the callback waits: librdkafka forgets who it was */
        worker[i].poll == ASSIGNED && worker[i].member == STALE -> worker[i].member = NO_MEMBER
       }
    :: d_step { /* rd_kafka_committed, the snapshot of the membership, desk_assign */
        worker[i].poll == ASSIGNED && STABLE(worker[i].assigned) && IS_MEMBERSHIP(worker[i].member) ->
        worker[i].done = committed & worker[i].assigned;
        worker[i].delivered = worker[i].done;
        worker[i].membership = worker[i].member;
        worker[i].poll = OWNING
       }
    :: d_step { /* the membership was over before it began */
        worker[i].poll == ASSIGNED && !IS_MEMBERSHIP(worker[i].member) -> gives_up_partitions(i)
       }
    :: d_step { /* a heartbeat told: it was removed, or the others join again */
        worker[i].poll == OWNING && (worker[i].member != CURRENT || (rebalancing && !HAS(joined, i))) ->
        gives_up_partitions(i)
       }
    od
}

/* --- one message at one worker: desk_put, desk_take, answer_item, desk_finish --- */

inline finishes(i, m, outcome) {
    if
    :: HAS(worker[i].orphans, m) ->
        worker[i].item[m] = NONE;
        worker[i].answer[m] = 0;
        worker[i].orphans = worker[i].orphans & ~BIT(m)
    :: else ->
        worker[i].item[m] = DONE;
        worker[i].answer[m] = outcome
    fi
}

#define UNDER_WAY(i, m) (worker[i].item[m] != NONE && worker[i].item[m] != DONE)
#define TWINS(m, n) ((m) != (n) && REQUEST(m) == REQUEST(n) && (m) != CANCEL && (n) != CANCEL)
#define TWIN_UNDER_WAY(i, m)                                                                                   \
    ((TWINS(m, 0) && UNDER_WAY(i, 0)) || (TWINS(m, 1) && UNDER_WAY(i, 1)) || (TWINS(m, 2) && UNDER_WAY(i, 2)))

/* Any receipt that is there, made durable before it is used. */
inline receipt_find(i, m) {
    if
    :: receipts_seen[REQUEST(m)] == 0 -> worker[i].item[m] = WORKING
    :: else ->
        if
        :: HAS(receipts_seen[REQUEST(m)], CANCELLED) -> worker[i].answer[m] = CANCELLED
        :: else -> worker[i].answer[m] = (HAS(receipts_seen[REQUEST(m)], i) -> i : 1 - i)
        fi;
#ifndef WRONG_UNSYNCED_RECEIPT
        receipts[REQUEST(m)] = receipts[REQUEST(m)] | BIT(worker[i].answer[m]);
#endif
        worker[i].item[m] = DURABLE
    fi
}

inline receipt_store(m, outcome) {
    receipts_seen[REQUEST(m)] = receipts_seen[REQUEST(m)] | BIT(outcome);
    receipts[REQUEST(m)] = receipts[REQUEST(m)] | BIT(outcome)
}

inline accept(i, m) { /* the record of acceptance is created, unless there is one */
    if
    :: accepted[REQUEST(m)] == NOBODY -> accepted[REQUEST(m)] = ORIGIN(m)
    :: else
    fi;
    if
    :: accepted[REQUEST(m)] == ORIGIN(m) -> receipt_find(i, m)
    :: else -> finishes(i, m, REPEATED)
    fi
}

inline message_at(i, m) {
    if
    :: d_step { /* from the consumer to a worker thread, which looks what the store knows of it */
        worker[i].poll == OWNING && HAS(worker[i].assigned & written & ~worker[i].delivered, m) &&
            worker[i].item[m] == NONE && !TWIN_UNDER_WAY(i, m) ->
        worker[i].delivered = worker[i].delivered | BIT(m);
        if
        :: m == CANCEL ->
            cancelled = true;
            worker[i].item[m] = WORKING
#ifdef WRONG_ACCEPT_IN_TWO_STEPS
        :: m != CANCEL && accepted[REQUEST(m)] == NOBODY -> worker[i].item[m] = ACCEPTING
        :: m != CANCEL && accepted[REQUEST(m)] != NOBODY -> accept(i, m)
#else
        :: else -> accept(i, m)
#endif
        fi
       }
#ifdef WRONG_ACCEPT_IN_TWO_STEPS
    :: d_step {
        worker[i].item[m] == ACCEPTING ->
        accepted[REQUEST(m)] = ORIGIN(m);
        receipt_find(i, m)
       }
#endif
    :: d_step { /* an orphan whose message comes back is taken up where it is */
        worker[i].poll == OWNING && HAS(worker[i].assigned & written & ~worker[i].delivered & worker[i].orphans, m) ->
        worker[i].delivered = worker[i].delivered | BIT(m);
        worker[i].orphans = worker[i].orphans & ~BIT(m)
       }
    :: d_step { /* an orphan is told to end, and does, without an outcome */
        HAS(worker[i].orphans, m) && worker[i].item[m] == WORKING ->
#ifdef WRONG_ADOPT_GIVEN_UP
        worker[i].item[m] = GIVEN_UP
       }
    :: d_step {
        worker[i].item[m] == GIVEN_UP ->
#endif
        worker[i].item[m] = NONE;
        worker[i].orphans = worker[i].orphans & ~BIT(m)
       }
    :: d_step { /* it cannot be answered now */
        worker[i].item[m] == WORKING && RETRY(m) != NOBODY -> finishes(i, m, PARKED)
       }
    :: d_step { /* the cancel is noticed during the work */
        worker[i].item[m] == WORKING && m != CANCEL && cancelled ->
        receipt_store(m, CANCELLED);
        finishes(i, m, CANCELLED)
       }
    :: d_step { /* the bundle is stored */
        worker[i].item[m] == WORKING && m != CANCEL ->
#ifdef WRONG_RECEIPT_BEFORE_BUNDLE
        receipt_store(m, i);
#else
        bundles[REQUEST(m)] = bundles[REQUEST(m)] | BIT(i);
#endif
        worker[i].item[m] = BUNDLED
       }
    :: d_step { /* the receipt is renamed into place */
        worker[i].item[m] == BUNDLED ->
        worker[i].answer[m] = i;
#ifdef WRONG_RECEIPT_BEFORE_BUNDLE
        bundles[REQUEST(m)] = bundles[REQUEST(m)] | BIT(i);
#endif
#ifdef WRONG_EVENT_BEFORE_RECEIPT
        finishes(i, m, worker[i].answer[m])
#else
        receipts_seen[REQUEST(m)] = receipts_seen[REQUEST(m)] | BIT(worker[i].answer[m]);
        worker[i].item[m] = SEEN
#endif
       }
#ifdef WRONG_EVENT_BEFORE_RECEIPT
    :: d_step { /* after it was handed to the commit thread */
        HAS(bundles[REQUEST(m)], i) && !HAS(receipts_seen[REQUEST(m)], i) &&
            (worker[i].item[m] == DONE || HAS(worker[i].batch, m)) ->
        receipt_store(m, i)
       }
#endif
    :: d_step { /* the receipt's folder is synced */
        worker[i].item[m] == SEEN ->
        receipts[REQUEST(m)] = receipts[REQUEST(m)] | BIT(worker[i].answer[m]);
        worker[i].item[m] = DURABLE
       }
    :: d_step { /* the last look for a cancel, after the receipt */
        worker[i].item[m] == DURABLE ->
        if
#ifndef WRONG_CANCEL_LOOKED_FOR_BEFORE
        :: cancelled && worker[i].answer[m] != CANCELLED ->
            revoked = revoked | BIT(worker[i].answer[m]);
            receipt_store(m, CANCELLED);
            finishes(i, m, CANCELLED)
#endif
        :: else -> finishes(i, m, worker[i].answer[m])
        fi
       }
    :: d_step { /* a cancel: its record is stored, and now the bundles whose receipts are there are taken back */
        worker[i].item[m] == WORKING && m == CANCEL ->
        revoked = revoked | (receipts_seen[REQUEST(m)] & ~BIT(CANCELLED));
#ifdef WRONG_CANCEL_PUBLISHES
        if
        :: receipts_seen[REQUEST(m)] == 0 ->
            receipt_store(m, CANCELLED);
            finishes(i, m, CANCELLED)
        :: else -> finishes(i, m, NOTED)
        fi
#else
        finishes(i, m, NOTED)
#endif
       }
    fi
}

proctype worker_threads(byte i)
{
end:
    do
    :: message_at(i, 0)
    :: message_at(i, 1)
    :: message_at(i, 2)
    od
}

/* --- a worker's commit thread: desk_batch, publisher_commit, desk_settle --- */

/* What the base and the map of a commit say. */
inline offsets_say(i) {
    worker[i].offsets = worker[i].done | worker[i].batch;
#ifdef WRONG_HIGHEST_OFFSET
    if :: LOG(0) == 3 && HAS(worker[i].offsets, 1) -> worker[i].offsets = worker[i].offsets | 1 :: else fi;
#endif
#ifdef WRONG_NO_MAP
    if :: LOG(0) == 3 && !HAS(worker[i].offsets, 0) -> worker[i].offsets = worker[i].offsets & ~2 :: else fi;
#endif
    worker[i].offsets = worker[i].offsets & worker[i].logs
}

inline batch_is_taken(i) {
    EACH_MESSAGE {
        if
        :: worker[i].item[k] == DONE ->
            worker[i].item[k] = NONE;
            worker[i].batch = worker[i].batch | BIT(k);
            worker[i].batch_answer[k] = worker[i].answer[k];
            worker[i].answer[k] = 0;
            worker[i].logs = worker[i].logs | LOG(k)
        :: else
        fi
    }
    offsets_say(i);
    worker[i].batch_membership = worker[i].membership
}

/* Those of `set` are committed, the rest of the batch is done again; what has become an orphan is dropped. */
inline settles(i, set) {
    EACH_MESSAGE {
        if
        :: HAS(worker[i].batch & ~worker[i].batch_orphans, k) && HAS(set, k) ->
            worker[i].done = worker[i].done | BIT(k)
        :: HAS(worker[i].batch & ~worker[i].batch_orphans, k) && !HAS(set, k) ->
            worker[i].item[k] = DONE;
            worker[i].answer[k] = worker[i].batch_answer[k]
        :: else
        fi;
        worker[i].batch_answer[k] = 0
    }
    worker[i].batch = 0;
    worker[i].batch_orphans = 0;
    worker[i].batch_membership = STALE;
    worker[i].logs = 0;
    worker[i].offsets = 0;
    worker[i].commit = IDLE
}

inline aborts(i) {
    transaction_is_aborted(ID(i));
    settles(i, 0)
}

#ifdef WRONG_METADATA_REREAD
#define MEMBERSHIP(i) worker[i].member
#else
#define MEMBERSHIP(i) worker[i].batch_membership
#endif

#define FENCED(i) (transaction[ID(i)].producer != i)

proctype commit_thread(byte i)
{
end:
    do
    :: d_step { /* desk_batch, begin and produce */
        worker[i].commit == IDLE && !worker[i].refused && (FENCED(i) || transaction[ID(i)].state == EMPTY) &&
            (worker[i].item[0] == DONE || worker[i].item[1] == DONE || worker[i].item[2] == DONE) ->
        batch_is_taken(i);
        if
        :: FENCED(i) -> worker[i].commit = FATAL
        :: else ->
            transaction[ID(i)].state = ONGOING;
            worker[i].commit = PRODUCED
        fi;
#ifdef WRONG_PARK_OUTSIDE_TRANSACTION
        if
        :: RETRY(0) != NOBODY && worker[i].batch_answer[0] == PARKED -> written = written | BIT(RETRY(0))
        :: else
        fi
#endif
       }
    :: d_step { /* send_offsets */
        worker[i].commit == PRODUCED ->
        if
        :: FENCED(i) -> worker[i].commit = FATAL
        :: !FENCED(i) && MEMBERSHIP(i) == STALE ->
            worker[i].refused = (worker[i].batch_orphans == 0);
            aborts(i)
        :: else ->
            transaction[ID(i)].logs = worker[i].logs;
            transaction[ID(i)].offsets = worker[i].offsets;
            worker[i].commit = OFFSETS_SENT
        fi
       }
    :: d_step { /* the same, and the answer is lost: the call is made again */
        worker[i].commit == PRODUCED && !FENCED(i) && MEMBERSHIP(i) != STALE && faults > 0 &&
            transaction[ID(i)].logs == 0 ->
        faults--;
        transaction[ID(i)].logs = worker[i].logs;
        transaction[ID(i)].offsets = worker[i].offsets
       }
    :: d_step { /* EndTxn(commit); when that is decided already, an answer was lost */
        worker[i].commit == OFFSETS_SENT ->
        if
        :: FENCED(i) -> worker[i].commit = FATAL
        :: else ->
            if :: transaction[ID(i)].state == ONGOING -> commit_is_decided(i) :: else fi;
            settles(i, worker[i].batch)
        fi
       }
    :: d_step { /* the same, and the answer is lost */
        worker[i].commit == OFFSETS_SENT && !FENCED(i) && transaction[ID(i)].state == ONGOING && faults > 0 ->
        faults--;
        commit_is_decided(i)
       }
    :: d_step { /* RESOLVE: a new producer with the same id */
        worker[i].commit == FATAL && MAY_INIT(i) ->
        init_transactions(i);
        worker[i].commit = RESOLVING
       }
    :: d_step { /* what was committed is known only from the offsets */
        worker[i].commit == RESOLVING && STABLE(worker[i].logs) ->
#ifdef WRONG_RESOLVE_BLIND
        settles(i, 0)
#else
        settles(i, committed)
#endif
       }
    od
}

/* --- faults: as many as the budget has --- */

inline crashes(i) {
    worker[i].batch_orphans = worker[i].batch;
    settles(i, 0);
    EACH_MESSAGE {
        worker[i].item[k] = NONE;
        worker[i].answer[k] = 0
    }
    worker[i].orphans = 0;
    worker[i].assigned = 0;
    worker[i].delivered = 0;
    worker[i].done = 0;
    worker[i].refused = false;
    worker[i].poll = DEAD;
    membership_ends(i)
}

inline fault_of(i) {
    if
    :: d_step { faults > 0 && worker[i].poll != DEAD -> faults--; crashes(i) }
    :: d_step { /* it sleeps, and the group goes on without it */
        faults > 0 && HAS(members, i) && (worker[i].poll == ASSIGNED || worker[i].poll == OWNING) ->
        faults--;
        is_removed(i)
       }
    :: d_step { /* an error that no further call mends */
        faults > 0 && (worker[i].commit == PRODUCED || worker[i].commit == OFFSETS_SENT) ->
        faults--;
        worker[i].commit = FATAL
       }
    :: d_step { /* one that ends the transaction: a message timed out */
        faults > 0 && worker[i].commit == PRODUCED && !FENCED(i) -> faults--; aborts(i)
       }
    :: d_step { /* transaction.timeout.ms */
        faults > 0 && transaction[i].state == ONGOING ->
        faults--;
        transaction[i].producer = NOBODY;
        transaction_is_aborted(i)
       }
    fi
}

proctype fault()
{
end:
    do
    :: fault_of(0)
    :: fault_of(1)
    :: d_step { faults > 0 && !rebalancing && members != 0 -> faults--; rebalancing = true }
    :: d_step { /* the power fails: what is not durable is gone */
        faults > 0 && (receipts_seen[0] != receipts[0] || receipts_seen[1] != receipts[1]) ->
        faults--;
        receipts_seen[0] = receipts[0];
        receipts_seen[1] = receipts[1];
        crashes(0);
        crashes(1)
       }
    :: d_step { faults > 0 -> faults = 0 } /* no more of them */
    od
}

init {
    atomic {
        transaction[1].producer = ID(1);
        worker[0].assigned = PLACE_0;
        worker[1].assigned = PLACE_1;
        run kafka();
        run poll_thread(0);
        run poll_thread(1);
        run worker_threads(0);
        run worker_threads(1);
        run commit_thread(0);
        run commit_thread(1);
        run fault()
    }
end:
    timeout -> /* nothing can move any more, and no fault is to come */
    d_step {
        assert(written == committed);
        assert(n_outcomes[0] == 1);
        assert(REQUESTS == 1 || n_outcomes[1] == 1);
        assert(!cancelled || published[0] == CANCELLED || HAS(revoked, published[0]))
    }
}
