"""What a run does, made from its seed before it begins: which requests are sent when, and which faults come when."""
import collections
import random
import uuid

WORKERS = ("one", "two", "three")
NODES = (0, 1, 2)
PRODUCTS = ("whmcs", "cpanel", "mautic")

# Whom requests ask for: the people of the example host, and addresses that look like theirs and that nobody has.
PEOPLE = ("alice", "malice", "bob", "carol", "dave")
NOBODY = ("lice@example.test", "alices@example.test", "alice+1@example.test", "alice@sub.example.test",
          "alice@example-test.example", "bob.alice@example.test", "caro1@example.test")

Kind = collections.namedtuple("Kind", "name targets shortest_s longest_s")
# Beyond the time-outs of the group's session (6 s) where something stops.
KINDS = (
    Kind("worker killed", WORKERS, 1, 4),
    Kind("worker stopped", WORKERS, 8, 12),
    Kind("worker told to leave", WORKERS, 1, 4),
    Kind("worker killed in a commit", WORKERS, 2, 5),
    Kind("answer of a commit lost", WORKERS, 2, 5),
    Kind("worker cut off", WORKERS, 4, 10),
    Kind("worker's network stalled", WORKERS, 8, 12),
    Kind("broker killed", NODES, 2, 6),
    Kind("broker stopped", NODES, 5, 10),
    Kind("source down", PRODUCTS, 3, 9),
    Kind("source busy", PRODUCTS, 3, 9),
    Kind("source slow", PRODUCTS, 3, 9),
    Kind("source cuts its answers", PRODUCTS, 3, 9),
    Kind("disk full", ("store and spool",), 3, 8),
)
FIRST_FAULT_S = 4  # what a run without faults achieves is measured until then, too
PAUSE_S = (2, 5)
OVERLAPPING = 0.2  # so many faults begin while the one before goes on, at another kind of target

Fault = collections.namedtuple("Fault", "kind target begin_s end_s")
# One request: `again_s` and `cancel_s`, if not None, are how long after it the same message, `shift` partitions further,
# and its cancel are sent.
Asked = collections.namedtuple("Asked", "request at_s person address locale again_s shift cancel_s")
AGAIN = (0.08, 3)  # share, and mean time after the request
CANCEL = (0.1, 2)


def faults(seed, seconds):
    """The faults of a run, by their beginning. All have ended when the time is up. At most two go on at a time, and then
    at targets of different kinds. Each kind comes once before any comes again."""
    chance = random.Random(f"{seed}/faults")
    planned, deck, alone, begin_s = [], [], None, FIRST_FAULT_S
    while True:
        if not deck:
            deck = chance.sample(KINDS, len(KINDS))
        kind = deck.pop()
        overlaps = chance.random() < OVERLAPPING and alone and alone.targets != kind.targets
        if overlaps:
            begin_s = chance.uniform(planned[-1].begin_s, planned[-1].end_s)
        end_s = begin_s + chance.uniform(kind.shortest_s, kind.longest_s)
        if end_s > seconds:
            return planned
        planned.append(Fault(kind.name, chance.choice(kind.targets), round(begin_s, 1), round(end_s, 1)))
        begin_s = max(each.end_s for each in planned[-2:]) + chance.uniform(*PAUSE_S)
        alone = None if overlaps else kind


def requests(seed, seconds, per_second):
    """The requests of a run, in the order of their time."""
    chance = random.Random(f"{seed}/requests")
    at_s = 0
    while (at_s := at_s + chance.expovariate(per_second)) < seconds:
        person = chance.choice((*PEOPLE, None))
        again_s, cancel_s = (chance.expovariate(1 / mean_s) if chance.random() < share else None
                             for share, mean_s in (AGAIN, CANCEL))
        yield Asked(request=str(uuid.UUID(int=chance.getrandbits(128), version=4)), at_s=round(at_s, 3), person=person,
                    address=f"{person}@example.test" if person else chance.choice(NOBODY),
                    locale=chance.choice(("en", "fr", "de")), again_s=again_s, shift=chance.choice((0, 0, 1)),
                    cancel_s=cancel_s)
