"""A producer for tests that may send for hours while brokers come and go: no process a message, as kcat would be.

It speaks Produce 3 with record batches of version 2 (https://kafka.apache.org/protocol), one message a request, which
is acknowledged by all replicas in sync. It is not idempotent: what was sent again after a lost answer may be there twice.
"""
import struct
import time

import wire

PRODUCE = 0
ALL = -1
NO_PRODUCER = (-1, -1, -1)


def _crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC32C = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _varint(value):
    value = value << 1 ^ value >> 63
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def _sized(data):
    return _varint(len(data)) + data


def batch(key, value, headers, time_ms):
    """A record batch of one record."""
    record = b"\0" + _varint(0) + _varint(0) + _sized(key) + _sized(value) + _varint(len(headers))
    for name, content in headers.items():
        record += _sized(name.encode()) + _sized(content.encode())
    body = struct.pack(">hiqqqhii", 0, 0, time_ms, time_ms, *NO_PRODUCER, 1) + _sized(record)
    body = struct.pack(">I", crc32c(body)) + body
    return struct.pack(">qiib", 0, len(body) + 5, -1, 2) + body


class Producer:
    """`addresses`: of all brokers."""

    def __init__(self, addresses, client="portal", timeout_s=2):
        self.addresses, self.client, self.timeout_s = list(addresses), client, timeout_s

    def _leader(self, topic, partition):
        address = self.addresses[0]
        try:
            brokers, topics = wire.cluster(address, [topic], self.timeout_s)
            return brokers[topics[topic][partition][0]]
        except KeyError:
            raise OSError(f"topic {topic}, partition {partition}: no leader") from None
        finally:
            self.addresses.append(self.addresses.pop(0))

    def send_once(self, topic, partition, key, value, headers):
        """The offset. Raises OSError; then the message may be there or not."""
        records = batch(key.encode(), value, headers, int(time.time() * 1000))
        data = wire.array([wire.text(topic) + wire.array([struct.pack(">ii", partition, len(records)) + records])])
        body = struct.pack(">hhi", -1, ALL, int(self.timeout_s * 1000)) + data
        answer = wire.ask(self._leader(topic, partition), PRODUCE, 3, body, self.timeout_s, self.client)
        answer.take("i")
        answer.text()
        answer.take("i")
        _, error, offset = answer.take("i"), answer.take("h"), answer.take("q")
        if error:
            raise OSError(f"topic {topic}, partition {partition}: error {error}")
        return offset

    def send(self, topic, partition, key, value, headers, deadline):
        """Sends until it is acknowledged; the offset. Raises OSError when time.monotonic() is past the deadline."""
        while True:
            try:
                return self.send_once(topic, partition, key, value, headers)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
