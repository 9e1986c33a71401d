/* answer: what becomes of one message at one worker, as in desk_put, answer_request, answer_control, desk_finish. */

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

/* The store makes durable what is to be seen. */
inline store_sync(m) {
#ifdef WRONG_UNSYNCED_RECEIPT
    skip
#else
    receipts[REQUEST(m)] = receipts_seen[REQUEST(m)]
#endif
}

inline receipt_store(m, outcome) {
    receipts_seen[REQUEST(m)] = receipts_seen[REQUEST(m)] | BIT(outcome);
    receipts[REQUEST(m)] = receipts[REQUEST(m)] | BIT(outcome)
}

/* A receipt without a bundle is renamed into place, unless there is one: it is made durable afterwards. */
inline receipt_take(m, outcome) {
    if
    :: receipts_seen[REQUEST(m)] == 0 -> receipts_seen[REQUEST(m)] = BIT(outcome)
    :: else
    fi
}

/* Of a set of outcomes. */
#define FIRST(set)                                                                                             \
    (HAS(set, 6) -> 6 : (HAS(set, 0) -> 0 : (HAS(set, 1) -> 1 : (HAS(set, 2) -> 2 : (HAS(set, 3) -> 3          \
     : (HAS(set, 4) -> 4 : 5))))))

inline end_by_store(i, m) {
    if
    :: receipts_seen[REQUEST(m)] != 0 ->
        store_sync(m);
        worker[i].answer[m] = FIRST(receipts_seen[REQUEST(m)]);
        worker[i].item[m] = DURABLE
    :: receipts_seen[REQUEST(m)] == 0 && withdrawn -> worker[i].item[m] = WITHDRAWN
    :: else -> worker[i].item[m] = WORKING
    fi
}

inline acceptance_take(i, m) { /* the record is created, unless there is one */
    if
    :: accepted[REQUEST(m)] == NOBODY -> accepted[REQUEST(m)] = ORIGIN(m)
    :: else
    fi;
    if
    :: accepted[REQUEST(m)] == ORIGIN(m) -> end_by_store(i, m)
    :: else -> finishes(i, m, REPEATED)
    fi
}

/* The receipt of an attempt is renamed into place. */
inline receipt_is_seen(i, m) {
    worker[i].answer[m] = ATTEMPT(i, m);
#ifndef WRONG_RECEIPT_OF_EACH_ATTEMPT /* unless there is one: then that is the outcome, whosever it is */
    if
    :: receipts_seen[REQUEST(m)] != 0 ->
        worker[i].answer[m] = FIRST(receipts_seen[REQUEST(m)]);
        bundles[REQUEST(m)] = bundles[REQUEST(m)] & ~BIT(ATTEMPT(i, m)) /* there is none of this attempt */
    :: else
    fi;
#endif
#ifdef WRONG_RECEIPT_BEFORE_BUNDLE
    bundles[REQUEST(m)] = bundles[REQUEST(m)] | BIT(ATTEMPT(i, m));
#endif
    receipts_seen[REQUEST(m)] = receipts_seen[REQUEST(m)] | BIT(worker[i].answer[m])
}

inline is_adopted(i, m) { /* an orphan whose message comes back is taken up where it is */
    d_step {
        worker[i].poll == OWNING && HAS(worker[i].assigned & written & ~worker[i].delivered & worker[i].orphans, m) ->
        printf("worker %d: message %d comes back, its work goes on\n", i, m);
        worker[i].delivered = worker[i].delivered | BIT(m);
        worker[i].orphans = worker[i].orphans & ~BIT(m)
    }
}

#define COMES(i, m)                                                                                            \
    (worker[i].poll == OWNING && worker[i].item[m] == NONE &&                                                  \
     HAS(worker[i].assigned & written & ~worker[i].delivered, m))

inline request_at(i, m) {
    if
    :: is_adopted(i, m)
    :: d_step {
        COMES(i, m) ->
        printf("worker %d: takes message %d and looks what the store knows\n", i, m);
        worker[i].delivered = worker[i].delivered | BIT(m);
#ifdef WRONG_ACCEPT_IN_TWO_STEPS
        if
        :: accepted[REQUEST(m)] == NOBODY -> worker[i].item[m] = ACCEPTING
        :: else -> acceptance_take(i, m)
        fi
       }
    :: d_step {
        worker[i].item[m] == ACCEPTING ->
        printf("worker %d: stores that the request is message %d\n", i, m);
        accepted[REQUEST(m)] = ORIGIN(m);
        end_by_store(i, m)
#else
        acceptance_take(i, m)
#endif
       }
    :: d_step {
        worker[i].item[m] == WORKING && RETRY(m) != NOBODY ->
        printf("worker %d: cannot answer message %d now\n", i, m);
        finishes(i, m, PARKED)
       }
    :: d_step {
        worker[i].item[m] == WORKING && withdrawn ->
        printf("worker %d: notices during the work that message %d is cancelled\n", i, m);
        worker[i].item[m] = WITHDRAWN
       }
    :: d_step {
        worker[i].item[m] == WORKING ->
#ifdef WRONG_RECEIPT_BEFORE_BUNDLE
        printf("worker %d: stores a receipt for message %d\n", i, m);
        receipt_store(m, ATTEMPT(i, m));
#else
        printf("worker %d: stores a bundle for message %d\n", i, m);
        bundles[REQUEST(m)] = bundles[REQUEST(m)] | BIT(ATTEMPT(i, m));
#endif
        worker[i].item[m] = BUNDLED
       }
    :: d_step {
        worker[i].item[m] == BUNDLED && !HAS(bundles[REQUEST(m)], ATTEMPT(i, m)) && withdrawn ->
        printf("worker %d: its bundle for message %d is gone already\n", i, m);
        worker[i].item[m] = WITHDRAWN
       }
    :: d_step {
        worker[i].item[m] == BUNDLED ->
#ifdef WRONG_EVENT_BEFORE_RECEIPT
        printf("worker %d: hands the outcome of message %d over\n", i, m);
        worker[i].answer[m] = ATTEMPT(i, m);
        finishes(i, m, worker[i].answer[m])
       }
    :: d_step {
        HAS(bundles[REQUEST(m)], ATTEMPT(i, m)) && (worker[i].item[m] == DONE || HAS(worker[i].batch, m)) &&
            !HAS(receipts_seen[REQUEST(m)], ATTEMPT(i, m)) ->
        printf("worker %d: stores a receipt for message %d\n", i, m);
        receipt_store(m, ATTEMPT(i, m))
#else
        printf("worker %d: a receipt for message %d is to be seen\n", i, m);
        receipt_is_seen(i, m);
        worker[i].item[m] = SEEN
#endif
       }
    :: d_step {
        worker[i].item[m] == SEEN ->
        printf("worker %d: the receipt for message %d is durable\n", i, m);
        receipts[REQUEST(m)] = receipts_seen[REQUEST(m)];
        worker[i].item[m] = DURABLE
       }
    :: d_step {
        worker[i].item[m] == DURABLE ->
        printf("worker %d: hands the outcome of message %d over\n", i, m);
        finishes(i, m, worker[i].answer[m])
       }
    :: d_step {
        worker[i].item[m] == WITHDRAWN ->
        printf("worker %d: takes a receipt that message %d is cancelled\n", i, m);
        receipt_take(m, CANCELLED);
        worker[i].answer[m] = FIRST(receipts_seen[REQUEST(m)]);
        worker[i].item[m] = SEEN
       }
    fi
}

/* The request is known, and not in hand, whether it is worked on, done, or in a transaction: then it is waited for. */
#define IN_HAND(i, m) (worker[i].item[m] != NONE || HAS(worker[i].batch, m))
#define MAY_REVOKE(i) (!IN_HAND(i, 0) && !IN_HAND(i, 1))

inline cancel_at(i, m) {
    if
    :: is_adopted(i, m)
    :: d_step {
        COMES(i, m) ->
        printf("worker %d: takes the cancel and stores its record\n", i);
        worker[i].delivered = worker[i].delivered | BIT(m);
#ifndef WRONG_CANCEL_STORES_NO_RECORD
        withdrawn = true;
#endif
        cancelled = true;
        worker[i].item[m] = WORKING
       }
    :: d_step {
        worker[i].item[m] == WORKING && accepted[0] == NOBODY ->
        printf("worker %d: knows no request yet that the cancel is about\n", i);
        finishes(i, m, NOTED)
       }
#ifdef WRONG_CANCEL_PUBLISHES
    :: d_step {
        worker[i].item[m] == WORKING && accepted[0] != NOBODY && receipts_seen[0] == 0 ->
        printf("worker %d: stores a receipt that the request is cancelled, and publishes it itself\n", i);
        receipt_store(m, CANCELLED);
        finishes(i, m, CANCELLED)
       }
#endif
#ifdef WRONG_CANCEL_ONLY_LOOKS
    :: d_step {
        worker[i].item[m] == WORKING && accepted[0] != NOBODY && receipts_seen[0] == 0 && MAY_REVOKE(i) ->
        printf("worker %d: finds no receipt of the cancelled request\n", i);
        finishes(i, m, NOTED)
       }
#else
    :: d_step {
        worker[i].item[m] == WORKING && accepted[0] != NOBODY && receipts_seen[0] == 0 ->
        printf("worker %d: takes a receipt that the request is cancelled\n", i);
        receipt_take(m, CANCELLED)
       }
#endif
    :: d_step {
        worker[i].item[m] == WORKING && HAS(receipts_seen[0], CANCELLED) ->
        printf("worker %d: the request has ended as cancelled\n", i);
        store_sync(m);
        finishes(i, m, NOTED)
       }
    :: d_step {
        worker[i].item[m] == WORKING && MAY_REVOKE(i) && (receipts_seen[0] & ATTEMPTS) != 0 ->
        printf("worker %d: finds that the cancelled request was completed, removes its bundle, and tells so\n", i);
        store_sync(m);
        bundles[0] = 0;
        finishes(i, m, EXPIRED)
       }
    fi
}

proctype worker_threads(byte i)
{
end:
    do
    :: request_at(i, 0)
    :: request_at(i, 1)
#if CANCEL == 2
    :: cancel_at(i, 2)
#else
    :: request_at(i, 2)
#endif
    od
}
