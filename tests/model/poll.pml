/* poll: a worker's poll thread, as in intake/consumer.c, desk_assign and desk_revoke. */

/* What is done is dropped, what is going on becomes an orphan. */
inline drop(i) {
    EACH_MESSAGE {
        if
        :: worker[i].item[k] == DONE ->
            worker[i].item[k] = NONE;
            worker[i].aborted = worker[i].aborted & ~BIT(k);
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

inline gives_up_partitions(i) { /* whether or not what is done has been committed: more than the wait allows for */
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
    :: d_step {
        worker[i].poll == DEAD && MAY_INIT(i) ->
        printf("worker %d: a new process with the same transactional id joins\n", i);
        init_transactions(i);
        joins(i)
       }
    :: d_step {
        worker[i].poll == ASSIGNED && worker[i].member == STALE ->
        printf("worker %d: a heartbeat is refused while the callback waits, librdkafka forgets who it was\n", i);
        worker[i].member = NO_MEMBER
       }
    :: d_step {
        worker[i].poll == ASSIGNED && STABLE(worker[i].assigned) && IS_MEMBERSHIP(worker[i].member) ->
        printf("worker %d: reads committed offsets, remembers its membership, owns its partitions\n", i);
        worker[i].done = committed & worker[i].assigned;
        worker[i].delivered = worker[i].done;
        worker[i].membership = worker[i].member;
        worker[i].poll = OWNING
       }
    :: d_step {
        worker[i].poll == ASSIGNED && !IS_MEMBERSHIP(worker[i].member) ->
        printf("worker %d: has been removed before it owned anything, joins again\n", i);
        gives_up_partitions(i)
       }
    :: d_step {
        worker[i].poll == OWNING && (worker[i].member != CURRENT || (rebalancing && !HAS(joined, i))) ->
        printf("worker %d: is told by a heartbeat, gives up its partitions, joins again\n", i);
        gives_up_partitions(i)
       }
    od
}
