/* How an outcome is published once: two workers (daemon/outcome), Kafka, and the store between them.
 *
 * Each option of a loop is one step that nothing can come between. Between two steps anything may happen, faults
 * included, while the budget of faults lasts. What is modelled, what is not, and how to run it: README.md.
 */

#define NOBODY 7
#define BIT(n) (1 << (n))
#define HAS(set, n) (((set) & BIT(n)) != 0)

#include "cases.pml"
#include "state.pml"

byte k = 3; /* scratch within one step, and 3 after it */

#define EACH_MESSAGE for (k : 0 .. 2)

#include "kafka.pml"
#include "poll.pml"
#include "answer.pml"
#include "publish.pml"
#include "faults.pml"

init {
    atomic {
        transaction[1].producer = ID(1);
        worker[0].assigned = INDEX_0;
        worker[1].assigned = INDEX_1;
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
        assert(n_outcomes[0] > 0);
        assert(REQUESTS == 1 || n_outcomes[1] > 0);
        assert(receipts[0] == BIT(published[0]));
        assert(REQUESTS == 1 || receipts[1] == BIT(published[1]));
        assert(!cancelled || published[0] == CANCELLED || !HAS(bundles[0], published[0]));
        assert(!cancelled || (bundles[0] & receipts[0]) == 0);
        assert(!cancelled || published[0] == CANCELLED || told)
    }
}
