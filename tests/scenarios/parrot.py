#!/usr/bin/env python3
"""A connector that says what a file tells it: parrot.py FILE.

FILE is JSON: {"hello": {…}, "resolve": [message, …], "fetch": [message, …]}. A `payload` in a message is sent as the bytes
behind it. Without "resolve" or "fetch", that question is left without an answer. {"sleep": SECONDS} instead of a message waits.
A list of such lists answers the first try, the second, and so on, the last also all that follow; FILE.asked counts them.
"""
import json
import sys
import time


def say(message):
    if "sleep" in message:
        time.sleep(message["sleep"])
        return
    payload = message.pop("payload", "").encode()
    if payload:
        message["bytes"] = len(payload)
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n" + payload)
    sys.stdout.buffer.flush()


def answers_to(heard, script):
    answers = script.get(heard, [])
    if not answers or not isinstance(answers[0], list):
        return answers
    with open(sys.argv[1] + ".asked", "ab") as asked:
        asked.write(b"x")
        asked.flush()
        return answers[min(asked.tell(), len(answers)) - 1]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    say(json.loads(text)["hello"])
    for line in sys.stdin.buffer:
        heard = json.loads(line)["type"]
        for answer in [{"type": "ready"}] if heard == "configure" else answers_to(heard, json.loads(text)):
            say(answer)


main()
