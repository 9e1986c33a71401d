"""Just enough of Kafka's wire protocol to ask a broker whether it is there, to make topics and to look around.

A tool of Kafka's own would cost a JVM's start for each question. The versions used are the oldest that Kafka 4 speaks
(https://kafka.apache.org/protocol)."""
import socket
import struct
import time

METADATA, OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, CREATE_TOPICS = 3, 8, 9, 10, 19
LEAVE_GROUP, DESCRIBE_GROUPS, DELETE_RECORDS, INIT_PRODUCER_ID = 13, 15, 21, 22
GROUP, TRANSACTION = 0, 1  # what FindCoordinator is asked for
COORDINATOR_LOADING, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR = 14, 15, 16
TOPIC_EXISTS, CONCURRENT_TRANSACTIONS = 36, 51
ANSWER_MAX = 16 << 20


def text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        length = self.take("h")
        if length < 0:
            return None
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def array(self, take):
        return [take() for _ in range(self.take("i"))]


def ask(address, key, version, body, timeout_s, client="dsard-tests"):
    """One request on a connection of its own. Raises OSError."""
    request = struct.pack(">hhi", key, version, 1) + text(client) + body
    with socket.create_connection(address, timeout=timeout_s) as peer:
        peer.sendall(struct.pack(">i", len(request)) + request)
        length, = struct.unpack(">i", _read(peer, 4))
        if not 4 <= length <= ANSWER_MAX:
            raise OSError(f"an answer of {length} bytes")
        return Reader(_read(peer, length)[4:])


def _read(peer, length):
    data = b""
    while len(data) < length:
        piece = peer.recv(length - len(data))
        if not piece:
            raise OSError("the broker closed the connection")
        data += piece
    return data


def cluster(address, topics=None, timeout_s=5):
    """({node: its address}, {topic: {partition: (leader, replicas in sync)}}); every topic when `topics` is None. A
    partition without a leader is left out."""
    body = struct.pack(">i", -1) if topics is None else array([text(name) for name in topics])
    answer = ask(address, METADATA, 1, body, timeout_s)

    def broker():
        node, host, port, _ = answer.take("i"), answer.text(), answer.take("i"), answer.text()
        return node, (host, port)

    def partition():
        error, number, leader = answer.take("h"), answer.take("i"), answer.take("i")
        answer.array(lambda: answer.take("i"))
        in_sync = answer.array(lambda: answer.take("i"))
        return (number, (leader, len(in_sync))) if error == 0 and leader >= 0 else None

    def topic():
        _, name, _ = answer.take("h"), answer.text(), answer.take("b")
        return name, dict(filter(None, answer.array(partition)))

    brokers = dict(answer.array(broker))
    answer.take("i")
    return brokers, dict(answer.array(topic))


def metadata(address, topics=None, timeout_s=5):
    """({node: its address}, {topic: partitions that have a leader}); every topic when `topics` is None."""
    brokers, found = cluster(address, topics, timeout_s)
    return brokers, {name: len(partitions) for name, partitions in found.items()}


def create_topics(address, topics, replicas=1, settings=None, timeout_s=15):
    """topics: {name: partitions}. A topic that is there is left as it is. Raises OSError."""
    pairs = [text(name) + text(str(value)) for name, value in (settings or {}).items()]
    body = array([text(name) + struct.pack(">ih", partitions, replicas) + array([]) + array(pairs)
                  for name, partitions in topics.items()])
    answer = ask(address, CREATE_TOPICS, 2, body + struct.pack(">ib", int(timeout_s * 1000), 0), timeout_s + 5)
    answer.take("i")
    for name, error, why in answer.array(lambda: (answer.text(), answer.take("h"), answer.text())):
        if error not in (0, TOPIC_EXISTS):
            raise OSError(f"topic {name}: error {error}: {why}")


def coordinator(address, key, kind=GROUP, timeout_s=5):
    """(node, address) of the broker that coordinates a group or, with kind 1, a transactional id. Raises OSError."""
    deadline = time.monotonic() + timeout_s
    error = COORDINATOR_NOT_AVAILABLE  # until the topic that it keeps its state in is there
    while error == COORDINATOR_NOT_AVAILABLE and time.monotonic() < deadline:
        answer = ask(address, FIND_COORDINATOR, 1, text(key) + struct.pack(">b", kind), timeout_s)
        _, error, _ = answer.take("i"), answer.take("h"), answer.text()
        time.sleep(0.05 if error else 0)
    if error:
        raise OSError(f"coordinator of {key}: error {error}")
    return answer.take("i"), (answer.text(), answer.take("i"))


def committed(address, group, topic, partitions, timeout_s=5):
    """{partition: (offset, metadata)} of what a consumer group has committed; offset -1 where it has nothing. `address`
    is any broker's. Raises OSError."""
    numbers = array([struct.pack(">i", number) for number in range(partitions)])
    answer = ask(coordinator(address, group)[1], OFFSET_FETCH, 1, text(group) + array([text(topic) + numbers]),
                 timeout_s)

    def partition():
        number, offset, metadata, error = answer.take("i"), answer.take("q"), answer.text(), answer.take("h")
        if error:
            raise OSError(f"group {group}, partition {number}: error {error}")
        return number, (offset, metadata)

    return dict(each for topic_partitions in answer.array(lambda: (answer.text(), answer.array(partition))[1])
                for each in topic_partitions)


def commit(address, group, topic, partition, offset, metadata, timeout_s=5):
    """Commits an offset for a group without members, with any text as its metadata. Raises OSError."""
    body = (text(group) + struct.pack(">i", -1) + text("") + struct.pack(">q", -1)
            + array([text(topic) + array([struct.pack(">iq", partition, offset) + text(metadata)])]))
    deadline = time.monotonic() + timeout_s
    error = NOT_COORDINATOR  # for a moment after the group is first heard of
    while error in (COORDINATOR_LOADING, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR) and time.monotonic() < deadline:
        answer = ask(coordinator(address, group)[1], OFFSET_COMMIT, 2, body, timeout_s)
        (error,), = answer.array(lambda: (answer.text(),
                                          answer.array(lambda: (answer.take("i"), answer.take("h"))[1]))[1])
        time.sleep(0.05 if error else 0)
    if error:
        raise OSError(f"group {group}: error {error}")


def expel(address, group, timeout_s=5):
    """Removes all members of a group, as when their sessions time out. Raises OSError."""
    where = coordinator(address, group)[1]
    answer = ask(where, DESCRIBE_GROUPS, 0, array([text(group)]), timeout_s)

    def member():
        name, _, _ = answer.text(), answer.text(), answer.text()
        for _ in ("metadata", "assignment"):
            answer.at += answer.take("i")
        return name

    def members():
        error, *_ = answer.take("h"), answer.text(), answer.text(), answer.text(), answer.text()
        if error:
            raise OSError(f"group {group}: error {error}")
        return answer.array(member)

    for name in answer.array(members)[0]:
        error = ask(where, LEAVE_GROUP, 0, text(group) + text(name), timeout_s).take("h")
        if error:
            raise OSError(f"group {group}, member {name}: error {error}")


def fence(address, transactional_id, timeout_s=5):
    """Does what a second producer with the same transactional id does when it begins: ends the open transaction and
    fences off whoever has it. Raises OSError."""
    where = coordinator(address, transactional_id, TRANSACTION)[1]
    deadline = time.monotonic() + timeout_s
    error = CONCURRENT_TRANSACTIONS  # for as long as the open transaction is being ended
    while error == CONCURRENT_TRANSACTIONS and time.monotonic() < deadline:
        answer = ask(where, INIT_PRODUCER_ID, 0, text(transactional_id) + struct.pack(">i", 60000), timeout_s)
        _, error = answer.take("i"), answer.take("h")
        time.sleep(0.05 if error else 0)
    if error:
        raise OSError(f"transactional id {transactional_id}: error {error}")


def delete_records(address, topic, partition, before, timeout_s=5):
    """Does what retention does: deletes what lies before an offset. `address` is the leader's. Raises OSError."""
    body = array([text(topic) + array([struct.pack(">iq", partition, before)])]) + struct.pack(">i", timeout_s * 1000)
    answer = ask(address, DELETE_RECORDS, 1, body, timeout_s + 5)
    answer.take("i")

    def result():
        return answer.take("i"), answer.take("q"), answer.take("h")

    errors = answer.array(lambda: (answer.text(), answer.array(result))[1])
    if [each[2] for each in errors[0]] != [0]:
        raise OSError(f"topic {topic}: error {errors[0][0][2]}")
