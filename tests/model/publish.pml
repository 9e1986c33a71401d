/* publish: a worker's commit thread, as in desk_batch, publisher_commit, desk_settle and committer.c. */

/* What the base and the map of a commit say: in the end, that a set of messages is done. */
inline offsets_say(i) {
    worker[i].offsets = worker[i].done | worker[i].batch;
#ifdef WRONG_HIGHEST_OFFSET
    if :: PARTITION(0) == 3 && HAS(worker[i].offsets, 1) -> worker[i].offsets = worker[i].offsets | 1 :: else fi;
#endif
#ifdef WRONG_NO_MAP
    if :: PARTITION(0) == 3 && !HAS(worker[i].offsets, 0) -> worker[i].offsets = worker[i].offsets & ~2 :: else fi;
#endif
    worker[i].offsets = worker[i].offsets & worker[i].partitions
}

inline batch_is_taken(i, set) {
    EACH_MESSAGE {
        if
        :: worker[i].item[k] == DONE && HAS(set, k) ->
            worker[i].item[k] = NONE;
            worker[i].aborted = worker[i].aborted & ~BIT(k);
            worker[i].batch = worker[i].batch | BIT(k);
            worker[i].batch_answer[k] = worker[i].answer[k];
            worker[i].answer[k] = 0;
            worker[i].partitions = worker[i].partitions | PARTITION(k)
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
            worker[i].aborted = worker[i].aborted | BIT(k);
            worker[i].answer[k] = worker[i].batch_answer[k]
        :: else
        fi;
        worker[i].batch_answer[k] = 0
    }
    worker[i].batch = 0;
    worker[i].batch_orphans = 0;
    worker[i].batch_membership = STALE;
    worker[i].partitions = 0;
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

#define IS_DONE(i, m) (worker[i].item[m] == DONE)
#define IS_FRESH(i, m) (IS_DONE(i, m) && !HAS(worker[i].aborted, m))

inline publishes(i, ready, set) { /* desk_batch, begin and produce */
    d_step {
        worker[i].commit == IDLE && !worker[i].refused && (FENCED(i) || transaction[ID(i)].state == EMPTY) && ready ->
        printf("worker %d: begins a transaction and produces what is done\n", i);
        batch_is_taken(i, set);
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
}

inline offsets_are_pending(i) {
    transaction[ID(i)].partitions = worker[i].partitions;
    transaction[ID(i)].offsets = worker[i].offsets
}

proctype commit_thread(byte i)
{
end:
    do
    /* all that is done and was never aborted, or one that was */
    :: publishes(i, (IS_FRESH(i, 0) || IS_FRESH(i, 1) || IS_FRESH(i, 2)), ~worker[i].aborted)
    :: publishes(i, (IS_DONE(i, 0) && !IS_FRESH(i, 0)), BIT(0))
    :: publishes(i, (IS_DONE(i, 1) && !IS_FRESH(i, 1)), BIT(1))
    :: publishes(i, (IS_DONE(i, 2) && !IS_FRESH(i, 2)), BIT(2))
    :: d_step {
        worker[i].commit == PRODUCED && FENCED(i) ->
        printf("worker %d: sends its offsets, and is fenced\n", i);
        worker[i].commit = FATAL
       }
    :: d_step {
        worker[i].commit == PRODUCED && !FENCED(i) && MEMBERSHIP(i) == STALE ->
        printf("worker %d: sends its offsets, the group refuses its membership, it aborts\n", i);
        worker[i].refused = (worker[i].batch_orphans == 0);
        aborts(i)
       }
    :: d_step {
        worker[i].commit == PRODUCED && !FENCED(i) && MEMBERSHIP(i) != STALE ->
        printf("worker %d: sends its offsets\n", i);
        offsets_are_pending(i);
        worker[i].commit = OFFSETS_SENT
       }
    :: d_step {
        worker[i].commit == PRODUCED && !FENCED(i) && MEMBERSHIP(i) != STALE && faults > 0 &&
            transaction[ID(i)].partitions == 0 ->
        printf("fault: worker %d sends its offsets, and the answer is lost\n", i);
        faults--;
        offsets_are_pending(i)
       }
    :: d_step {
        worker[i].commit == OFFSETS_SENT && FENCED(i) ->
        printf("worker %d: EndTxn, and it is fenced\n", i);
        worker[i].commit = FATAL
       }
    :: d_step {
        worker[i].commit == OFFSETS_SENT && !FENCED(i) ->
        printf("worker %d: EndTxn\n", i);
        if
        :: transaction[ID(i)].state == ONGOING -> commit_is_decided(i)
        :: else /* by the call whose answer was lost */
        fi;
        settles(i, worker[i].batch)
       }
    :: d_step {
        worker[i].commit == OFFSETS_SENT && !FENCED(i) && transaction[ID(i)].state == ONGOING && faults > 0 ->
        printf("fault: worker %d: EndTxn, and the answer is lost\n", i);
        faults--;
        commit_is_decided(i)
       }
    :: d_step {
        worker[i].commit == FATAL && MAY_INIT(i) ->
        printf("worker %d: has a new producer with the same id\n", i);
        init_transactions(i);
        worker[i].commit = RESOLVING
       }
    :: d_step {
        worker[i].commit == RESOLVING && STABLE(worker[i].partitions) ->
        printf("worker %d: learns from the offsets what became of its transaction\n", i);
#ifdef WRONG_RESOLVE_BLIND
        settles(i, 0)
#else
        settles(i, committed)
#endif
       }
    od
}
