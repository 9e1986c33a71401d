"""A fault proxy between clients and brokers of Kafka. It cuts, stalls and delays connections, and stops at exact steps.

  with proxy.Proxy() as between, kafka.Broker(folder, proxy=between) as broker:
      between.bootstrap                                    # a client that starts here stays behind the proxy
      cut = between.cut(client="worker-1")                 # by prefix of the client id; heal() ends it
      lost = between.when(proxy.END_TXN, nth=2, answered=lambda step: proxy.CLOSE)
      lost.wait(30)                                        # the broker has done it, the client was never told

Bytes are passed on as they come. Only while there are rules are requests looked at, and only those are held that a rule
is for. Two threads carry a connection, so a callback may take its time: it holds up nothing but its own connection.
"""
import collections
import socket
import struct
import threading
import time

PRODUCE, FETCH, METADATA, OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR = 0, 1, 3, 8, 9, 10
JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, SYNC_GROUP = 11, 12, 13, 14
INIT_PRODUCER_ID, ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT = 22, 24, 25, 26, 28

# what a callback may return; None is FORWARD
FORWARD, SWALLOW, CLOSE = "forward", "swallow", "close"

CHUNK = 64 << 10
FRAME_MAX = 128 << 20
REQUEST_HEAD = struct.Struct(">ihhi")  # length, api key, api version, correlation id; then the client id
ANSWER_HEAD = struct.Struct(">ii")  # length, correlation id

# A request that a rule is for. `request` is its whole frame; `answer` the answer's, once it has come.
Step = collections.namedtuple("Step", "api version correlation client node request answer")


class Closed(OSError):
    """The connection is to be closed."""


class Rule:
    """What happens when the nth request of its kind passes. Made by Proxy.when()."""

    def __init__(self, proxy, api, client, node, nth, where, callbacks):
        self.proxy, self.api, self.client, self.node, self.where = proxy, api, client, node, where
        self.left, self.callbacks = nth, callbacks
        self.last = [name for name, call in callbacks.items() if call or name == "before"][-1]
        self.happened, self.error = threading.Event(), None

    def concerns(self, step):
        return (step.api == self.api and step.client.startswith(self.client) and self.node in (None, step.node)
                and (self.where is None or self.where(step)))

    def call(self, moment, step):
        """Runs the callback of a moment ("before", "sent", "answered"), if there is one, and obeys CLOSE."""
        verdict = None
        try:
            if self.callbacks[moment]:
                verdict = self.callbacks[moment](step)
        except Exception as error:  # of a test's own code: wait() hands it to the test
            self.error, verdict = error, CLOSE
        if moment == self.last or verdict in (SWALLOW, CLOSE):
            self.happened.set()
        if verdict == CLOSE:
            raise Closed("a rule")
        return verdict

    def drop(self):
        """It is not to happen any more."""
        with self.proxy.changed:
            self.proxy.rules = [each for each in self.proxy.rules if each is not self]

    def wait(self, timeout_s):
        """Returns when the last callback has returned; raises what a callback raised, or TimeoutError."""
        if not self.happened.wait(timeout_s):
            raise TimeoutError(f"no request of kind {self.api} came that far within {timeout_s} s")
        if self.error:
            raise self.error


class Trouble:
    """What connections suffer until heal(). Made by Proxy.cut(), stall() and delay()."""

    def __init__(self, proxy, kind, client, node, delay_s=0.0):
        self.proxy, self.kind, self.client, self.node, self.delay_s = proxy, kind, client, node, delay_s

    def concerns(self, connection):
        return self.node in (None, connection.node) and (
            not self.client or (connection.client is not None and connection.client.startswith(self.client)))

    def heal(self):
        with self.proxy.changed:
            if self in self.proxy.troubles:
                self.proxy.troubles.remove(self)
            self.proxy.changed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.heal()


class Proxy:
    def __init__(self):
        self.changed = threading.Condition(threading.RLock())  # guards what follows; `rules` is never changed
        self.listeners, self.targets = {}, {}
        self.connections, self.rules, self.troubles = set(), [], []
        self.closed = False

    def listen(self, node, target):
        """Begins to pass connections on to a node's address; again to change it. Returns where the proxy listens."""
        with self.changed:
            self.targets[node] = target
            if node not in self.listeners:
                self.listeners[node] = socket.create_server(("127.0.0.1", 0), backlog=128)
                threading.Thread(target=self._accept, args=(node,), daemon=True).start()
            return self.listeners[node].getsockname()

    @property
    def bootstrap(self):
        with self.changed:
            return ",".join("%s:%d" % each.getsockname() for each in self.listeners.values())

    def when(self, api, client="", node=None, nth=1, where=None, before=None, sent=None, answered=None):
        """A Rule for the nth request of this kind from now on, of a client id that begins with `client`, to `node`, and
        of which where(step) is true. Callbacks get the Step:
          before     it has not been passed on: SWALLOW and CLOSE keep it from the broker
          sent       it has been passed on, and its answer, if there is one yet, is held
          answered   the answer is here: SWALLOW and CLOSE keep it from the client"""
        rule = Rule(self, api, client, node, nth, where, {"before": before, "sent": sent, "answered": answered})
        with self.changed:
            self.rules = [*self.rules, rule]
        return rule

    def cut(self, client="", node=None):
        """Drops connections and refuses new ones."""
        trouble = self._trouble(Trouble(self, "cut", client, node))
        with self.changed:
            concerned = [each for each in self.connections if trouble.concerns(each)]
        for connection in concerned:
            connection.close()
        return trouble

    def stall(self, client="", node=None):
        """Passes nothing on and closes nothing, as a network does that loses every packet. What was held goes on at
        heal()."""
        return self._trouble(Trouble(self, "stall", client, node))

    def delay(self, delay_s, client="", node=None):
        """Holds each piece for so long."""
        return self._trouble(Trouble(self, "delay", client, node, delay_s))

    def _trouble(self, trouble):
        with self.changed:
            self.troubles.append(trouble)
        return trouble

    def heal(self):
        """Ends all troubles."""
        with self.changed:
            self.troubles.clear()
            self.changed.notify_all()

    def close(self):
        with self.changed:
            self.closed = True
            listeners, connections = list(self.listeners.values()), list(self.connections)
            self.changed.notify_all()
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in connections:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self, node):
        while True:
            try:
                client = self.listeners[node].accept()[0]
            except OSError:
                return
            try:
                broker = socket.create_connection(self.targets[node], timeout=5)
            except OSError:
                client.close()
                continue
            connection = _Connection(self, node, client, broker)
            with self.changed:
                self.connections.add(connection)
                refused = any(each.kind == "cut" and each.concerns(connection) for each in self.troubles)
            if refused:
                connection.close()
            connection.start()

    def passing(self, connection):
        """Returns when bytes of this connection may pass; raises Closed when they may not."""
        if not self.troubles:
            return
        with self.changed:
            while True:
                kinds = {each.kind for each in self.troubles if each.concerns(connection)}
                if "cut" in kinds or self.closed:
                    raise Closed("cut")
                if "stall" not in kinds:
                    break
                self.changed.wait()
            delay_s = sum(each.delay_s for each in self.troubles if each.concerns(connection))
        time.sleep(delay_s)

    def rule_for(self, step):
        """The rule whose moment this request is. Counts for the others."""
        with self.changed:
            for rule in [each for each in self.rules if each.concerns(step)]:
                rule.left -= 1
                if rule.left == 0:
                    rule.drop()
                    return rule
        return None


class _Connection:
    def __init__(self, proxy, node, client_socket, broker_socket):
        self.proxy, self.node, self.client = proxy, node, None
        self.to_client, self.to_broker = client_socket, broker_socket
        self.awaited = {}  # correlation id: (rule, step, event: its callback `sent` has returned)
        for each in (client_socket, broker_socket):
            each.settimeout(None)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.carriers = [
            threading.Thread(target=self._run, args=carrier, daemon=True)
            for carrier in ((client_socket, broker_socket, REQUEST_HEAD, self._for_request),
                            (broker_socket, client_socket, ANSWER_HEAD, self._for_answer))]

    def start(self):
        for each in tuple(self.carriers):  # one that has ended takes itself out
            each.start()

    def close(self):
        """Wakes whoever waits for a socket; they are released when both directions have ended."""
        for each in (self.to_client, self.to_broker):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _run(self, source, sink, head, handler_for):
        try:
            self._carry(source, sink, head, handler_for)
        except OSError:
            pass
        finally:
            self.close()
            with self.proxy.changed:
                self.carriers.remove(threading.current_thread())
                if not self.carriers:
                    self.proxy.connections.discard(self)
                    self.to_client.close()
                    self.to_broker.close()

    def _carry(self, source, sink, head, handler_for):
        """Passes bytes on; a frame for which there is a handler is collected and left to it."""
        buffer = bytearray(CHUNK)
        view = memoryview(buffer)
        filled = left = 0  # bytes in the buffer; bytes of the last frame that are still to come
        while received := source.recv_into(view[filled:]):
            filled += received
            begin, at = 0, min(left, filled)
            left -= at
            while filled - at >= head.size:
                fields = head.unpack_from(buffer, at)
                end = at + 4 + fields[0]
                if not head.size - 4 <= fields[0] <= FRAME_MAX:
                    raise Closed("not a frame of Kafka")
                handler = handler_for(*fields[1:])
                if handler:
                    self._pass(sink, view[begin:at])
                    frame = bytes(view[at:min(end, filled)])
                    handler(frame + _receive(source, end - at - len(frame)))
                    begin = min(end, filled)
                else:
                    left = max(0, end - filled)
                at = min(end, filled)
            self._pass(sink, view[begin:at])
            buffer[:filled - at] = buffer[at:filled]
            filled -= at

    def _pass(self, sink, data):
        if data:
            self.proxy.passing(self)
            sink.sendall(data)

    def _for_request(self, api, *_):
        if self.client is None or any(each.api == api for each in self.proxy.rules):
            return self._request
        return None

    def _for_answer(self, correlation):
        return self._answer if correlation in self.awaited else None

    def _request(self, frame):
        _, api, version, correlation = REQUEST_HEAD.unpack_from(frame)
        if self.client is None:
            length, = struct.unpack_from(">h", frame, REQUEST_HEAD.size)
            start = REQUEST_HEAD.size + 2
            self.client = frame[start:start + max(0, length)].decode("utf-8", "replace")
        step = Step(api, version, correlation, self.client, self.node, frame, None)
        rule = self.proxy.rule_for(step)
        if not rule:
            return self._pass(self.to_broker, frame)
        verdict = rule.call("before", step)
        if verdict == SWALLOW:
            return None
        sent = threading.Event()
        self.awaited[correlation] = rule, step, sent
        self._pass(self.to_broker, frame)
        try:
            rule.call("sent", step)
        except Closed:
            self.close()
            raise
        finally:
            sent.set()

    def _answer(self, frame):
        rule, step, sent = self.awaited.pop(ANSWER_HEAD.unpack_from(frame)[1])
        sent.wait()
        if rule.call("answered", step._replace(answer=frame)) != SWALLOW:
            self._pass(self.to_client, frame)


def _receive(source, length):
    data = bytearray(length)
    view = memoryview(data)
    while view:
        received = source.recv_into(view)
        if not received:
            raise Closed("in the middle of a frame")
        view = view[received:]
    return bytes(data)
