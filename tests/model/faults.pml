/* faults: as many as the budget has. Answers that are lost are in publish.pml. */

inline crashes(i) {
    worker[i].batch_orphans = worker[i].batch;
    settles(i, 0);
    EACH_MESSAGE {
        worker[i].item[k] = NONE;
        worker[i].answer[k] = 0
    }
    worker[i].orphans = 0;
    worker[i].aborted = 0;
    worker[i].assigned = 0;
    worker[i].delivered = 0;
    worker[i].done = 0;
    worker[i].refused = false;
    worker[i].poll = DEAD;
    membership_ends(i)
}

inline fault_of(i) {
    if
    :: d_step {
        faults > 0 && worker[i].poll != DEAD ->
        printf("fault: worker %d crashes\n", i);
        faults--;
        crashes(i)
       }
    :: d_step {
        faults > 0 && HAS(members, i) && (worker[i].poll == ASSIGNED || worker[i].poll == OWNING) ->
        printf("fault: worker %d sleeps, and the group goes on without it\n", i);
        faults--;
        is_removed(i)
       }
    :: d_step {
        faults > 0 && (worker[i].commit == PRODUCED || worker[i].commit == OFFSETS_SENT) ->
        printf("fault: the producer of worker %d can do no more\n", i);
        faults--;
        worker[i].commit = FATAL
       }
    :: d_step {
        faults > 0 && worker[i].commit == PRODUCED && !FENCED(i) ->
        printf("fault: a message of worker %d is not written in time, it aborts\n", i);
        faults--;
        aborts(i)
       }
    :: d_step {
        faults > 0 && transaction[i].state == ONGOING ->
        printf("fault: the transaction of id %d times out\n", i);
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
    :: d_step {
        faults > 0 && !rebalancing && members != 0 ->
        printf("fault: a rebalance\n");
        faults--;
        rebalancing = true
       }
    :: d_step {
        faults > 0 && (receipts_seen[0] != receipts[0] || receipts_seen[1] != receipts[1]) ->
        printf("fault: the power fails, what is not durable is gone\n");
        faults--;
        receipts_seen[0] = receipts[0];
        receipts_seen[1] = receipts[1];
        crashes(0);
        crashes(1)
       }
    :: d_step {
        faults > 0 ->
        printf("no more faults\n");
        faults = 0
       }
    od
}
