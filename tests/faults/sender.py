"""The portal of a run: signs and sends what the plan says, at its pace, and never lets too much be in hand."""
import collections
import hashlib
import heapq
import itertools
import json
import threading
import time
import zlib

import harness
import portal
import producer
import stage

# more than a worker holds, so that none idles; little enough to be answered soon after the end
IN_HAND_MAX = 100
# a broker may take a while to come back
PATIENCE_S = 90


Message = collections.namedtuple("Message", "what key value headers shift again", defaults=(0, False))


class Sender(threading.Thread):
    """Ends by itself when all of the plan is sent. `last`: {(topic, partition): the highest offset acknowledged}."""

    def __init__(self, at, watcher, asked):
        super().__init__(daemon=True)
        self.stage, self.watcher, self.history, self.keys = at, watcher, at.history, at.ground.keys
        self.producer = producer.Producer([each.address for each in at.ground.cluster.nodes])
        self.sent, self.last, self.error = set(), {}, None
        self.numbers, self.later = itertools.count(), []
        self.queue = ((each.at_s, next(self.numbers), self._ask, each) for each in asked)

    def run(self):
        try:
            self._run()
        except Exception as error:  # the run must not wait for it in vain
            self.error = error

    def _run(self):
        begun = time.monotonic()
        following = next(self.queue, None)
        while following or self.later:
            if following and (not self.later or following[:2] < self.later[0][:2]):
                at_s, _, send, what = following
                following = next(self.queue, None)
            else:
                at_s, _, send, what = heapq.heappop(self.later)
            time.sleep(max(0, begun + at_s - time.monotonic()))
            if send == self._ask:  # what had to wait delays all that follows: there is no burst afterwards
                begun += self._wait_for_room()
            send(at_s, what)

    def _wait_for_room(self):
        begun = time.monotonic()
        while len(self.sent) - len(self.watcher.answered) >= IN_HAND_MAX:
            time.sleep(0.02)
        return time.monotonic() - begun

    def _ask(self, at_s, asked):
        due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + stage.DUE_S))
        body = harness.request_for(asked.address, self.keys, locale=asked.locale, due_time=due)
        body["subject_request_id"] = asked.request
        value = json.dumps(body).encode()
        headers = self._signed(value, asked.request, portal.REQUEST_TYPE)
        self.history.add("sent", request=asked.request, person=asked.person, address=asked.address, due=due,
                         at=time.time())
        self.sent.add(asked.request)
        message = Message("requests", asked.request, value, headers)
        self._send(at_s, message)
        if asked.again_s is not None:
            self._put_off(at_s + asked.again_s, message._replace(shift=asked.shift, again=True))
        if asked.cancel_s is not None:
            cancel = json.dumps({"api_version": "2.0", "subject_request_id": asked.request,
                                 "body_sha256": hashlib.sha256(value).hexdigest()}).encode()
            signed = self._signed(cancel, asked.request, portal.CANCEL_TYPE)
            self._put_off(at_s + asked.cancel_s, Message("control", asked.request, cancel, signed))

    def _put_off(self, at_s, message):
        heapq.heappush(self.later, (at_s, next(self.numbers), self._send, message))

    def _signed(self, value, request, kind):
        key = self.keys.portal
        return {**portal.attributes(request, ce_type=kind),
                "dsar-signature": portal.sign(key, value, portal.claims(key, request, typ=kind))}

    def _send(self, _, message):
        partition = (zlib.crc32(message.key.encode()) + message.shift) % stage.PARTITIONS
        offset = self.producer.send(self.stage.topics[message.what], partition, message.key, message.value,
                                    message.headers, time.monotonic() + PATIENCE_S)
        self.last[message.what, partition] = max(offset, self.last.get((message.what, partition), -1))
        self.history.add("acked", request=message.key, topic=message.what, partition=partition, offset=offset,
                         again=message.again, at=time.time())
