/* cases: which messages there are, at most three. */

#if defined(CASE_ONE) /* one request */
#define WRITTEN_FIRST 1

#elif defined(CASE_ORDER) /* two requests in one partition, which end in any order */
#define WRITTEN_FIRST 3
#define REQUESTS      2
#define REQUEST(m)    (m)
#define PARTITION(m)  3

#elif defined(CASE_PARK) /* message 1 is the retry of message 0, message 2 that of message 1 */
#define WRITTEN_FIRST 1
#define ORIGIN(m)     0
#define ATTEMPT(i, m) ((i) + 2 * (m))
#define RETRY(m)      ((m) < 2 -> (m) + 1 : NOBODY)

#elif defined(CASE_TWICE) /* one request, written twice, to two partitions that may be at two workers */
#define WRITTEN_FIRST 3
#define INDEX_0       1
#define INDEX_1       2

#elif defined(CASE_CANCEL) /* message 2 cancels the request of message 0 */
#define WRITTEN_FIRST 5
#define CANCEL        2

#elif defined(CASE_CANCEL_PARKED) /* the same, and message 1 is the retry of message 0 */
#define WRITTEN_FIRST 5
#define ORIGIN(m)     0
#define ATTEMPT(i, m) ((i) + 2 * (m))
#define RETRY(m)      ((m) == 0 -> 1 : NOBODY)
#define CANCEL        2

#else
#error define one of CASE_ONE, CASE_ORDER, CASE_PARK, CASE_TWICE, CASE_CANCEL, CASE_CANCEL_PARKED
#endif

#ifndef REQUESTS
#define REQUESTS 1
#endif
#ifndef REQUEST /* that a message speaks of */
#define REQUEST(m) 0
#endif
#ifndef ORIGIN /* the message with which its chain of retries began */
#define ORIGIN(m) (m)
#endif
#ifndef ATTEMPT /* the number of worker i's attempt at it, among all of its request */
#define ATTEMPT(i, m) (i)
#endif
#ifndef RETRY /* the message that parks it */
#define RETRY(m) NOBODY
#endif
#ifndef PARTITION /* all messages of its topic and partition */
#define PARTITION(m) BIT(m)
#endif
#ifndef INDEX_0 /* messages in partitions of index 0, in whichever topic: they are at one worker */
#define INDEX_0 7
#define INDEX_1 0
#endif
#ifndef CANCEL
#define CANCEL NOBODY
#endif

#ifdef SAME_ID /* both workers have one transactional id */
#define ID(i) 0
#else
#define ID(i) (i)
#endif
