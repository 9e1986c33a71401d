/* state: all there is. A set of messages, workers or outcomes is a byte with a bit for each. */

/* --- Kafka --- */

byte written = WRITTEN_FIRST; /* messages that a read_committed consumer may see */
byte committed;               /* messages that the committed offsets (base and map) say are done */
byte ended;                   /* messages whose outcome is committed */
byte n_outcomes[2];           /* committed terminal events of a request */
byte published[2];            /* the last of them */
bool told;                    /* the portal, that a bundle is no more */

mtype = { EMPTY, ONGOING, PREPARED };

typedef Transaction { /* of a transactional id, at its coordinator */
    mtype state = EMPTY;
    byte producer;   /* the worker whose producer has the present epoch */
    byte partitions; /* pending offsets: in the partitions of these messages */
    byte offsets;    /* these are done */
    byte retries;    /* messages that park others */
}
Transaction transaction[2];

/* The group. A membership (generation and member id) matters only by what the coordinator makes of it. */
mtype = { CURRENT, STALE, NO_MEMBER };
bool rebalancing;
byte members = 3; /* workers that the group counts as its members */
byte joined;      /* those that have joined the next generation */

/* --- the store: objects are whole and durable or not there; only receipts are seen a moment before --- */

byte accepted[2] = NOBODY; /* the origin in the record of acceptance */
byte bundles[2];           /* by attempt */
byte receipts_seen[2];     /* by outcome */
byte receipts[2];          /* those that are durable */
bool cancelled;            /* the cancel has come */
bool withdrawn;            /* and its record is stored */

/* An answer is the number of the attempt that completed the request, or one of these. Those up to CANCELLED are terminal. */
#define ATTEMPTS  63
#define CANCELLED 6
#define REPEATED  7
#define PARKED    8
#define NOTED     9
#define EXPIRED   10

/* --- the workers --- */

mtype = { DEAD, JOINING, ASSIGNED, OWNING };                                            /* poll thread */
mtype = { NONE, ACCEPTING, WORKING, BUNDLED, SEEN, DURABLE, WITHDRAWN, DONE };          /* item */
mtype = { IDLE, PRODUCED, OFFSETS_SENT, FATAL, RESOLVING };                             /* commit thread */

typedef Worker {
    mtype poll = OWNING;
    mtype member = CURRENT;     /* what librdkafka would tell */
    mtype membership = CURRENT; /* the snapshot of the last assignment */
    byte assigned;              /* messages of the partitions that it was given */
    byte delivered;             /* since the assignment */
    byte done;                  /* offsets: committed, as far as it knows */
    mtype item[3] = NONE;       /* by message */
    byte answer[3];
    byte orphans;
    byte aborted; /* done, and in a transaction before that was aborted */
    mtype commit = IDLE;
    byte batch; /* messages in the transaction in the making */
    byte batch_answer[3];
    byte batch_orphans;
    mtype batch_membership = STALE;
    byte partitions; /* what its commit says: as in Transaction */
    byte offsets;
    bool refused; /* by the group: no other try before the poll thread has heard why */
}
Worker worker[2];

byte faults = FAULTS;
