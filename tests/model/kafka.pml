/* kafka: what the coordinators of transactions and of the group do by themselves. */

#ifdef WRONG_UNSTABLE_READ
#define STABLE(set) true
#else /* OffsetFetch with require_stable waits for what is pending */
#define STABLE(set) (((transaction[0].partitions | transaction[1].partitions) & (set)) == 0)
#endif

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
#ifdef ORDERLY
                assert(published[REQUEST(k)] == CANCELLED || !told);
#endif
                assert(HAS(receipts[REQUEST(k)], published[REQUEST(k)]));
                assert(cancelled || HAS(bundles[REQUEST(k)], published[REQUEST(k)]))
            :: worker[i].batch_answer[k] == PARKED ->
                transaction[ID(i)].retries = transaction[ID(i)].retries | BIT(RETRY(k))
            :: worker[i].batch_answer[k] == EXPIRED -> told = true
            :: else
            fi
        :: else
        fi
    }
    transaction[ID(i)].state = PREPARED
}

inline transaction_is_aborted(id) { /* at once: whoever reads would wait for its markers */
    transaction[id].partitions = 0;
    transaction[id].offsets = 0;
    transaction[id].state = EMPTY
}

inline transaction_may_end(id) {
    if
    :: transaction[id].partitions == 0 && transaction[id].retries == 0 -> transaction[id].state = EMPTY
    :: else
    fi
}

inline transaction_coordinator(id) {
    if
    :: d_step {
        transaction[id].state == PREPARED && transaction[id].partitions != 0 ->
        printf("transaction of id %d: the marker in __consumer_offsets is written\n", id);
        committed = (committed & ~transaction[id].partitions) | transaction[id].offsets;
        transaction[id].partitions = 0;
        transaction[id].offsets = 0;
        assert((committed & ~ended) == 0);
        transaction_may_end(id)
       }
    :: d_step {
        transaction[id].state == PREPARED && transaction[id].retries != 0 ->
        printf("transaction of id %d: the marker in the topic of retries is written\n", id);
        written = written | transaction[id].retries;
        transaction[id].retries = 0;
        transaction_may_end(id)
       }
    :: d_step {
        transaction[id].state == ONGOING && transaction[id].producer != NOBODY &&
            worker[transaction[id].producer].poll == DEAD ->
        printf("transaction of id %d: times out, its worker is dead\n", id);
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

inline generation_begins(a, b) {
    d_step {
        rebalancing && members != 0 && joined == members && HAS(members, a) && HAS(members, b) ->
        printf("group: a generation begins, index 0 goes to worker %d, index 1 to worker %d\n", a, b);
        rebalancing = false;
        joined = 0;
        is_assigned(0, ((a == 0 -> INDEX_0 : 0) | (b == 0 -> INDEX_1 : 0)));
        is_assigned(1, ((a == 1 -> INDEX_0 : 0) | (b == 1 -> INDEX_1 : 0)))
    }
}

inline session_times_out(i) {
    d_step {
        HAS(members, i) && worker[i].poll == DEAD ->
        printf("group: the session of worker %d times out, it is dead\n", i);
        is_removed(i)
    }
}

proctype kafka()
{
end:
    do
    :: transaction_coordinator(0)
    :: transaction_coordinator(1)
    :: generation_begins(0, 0)
    :: generation_begins(1, 1)
#if INDEX_1
    :: generation_begins(0, 1)
    :: generation_begins(1, 0)
#endif
    :: session_times_out(0)
    :: session_times_out(1)
    od
}
