#!/usr/bin/env python3
"""The transcripts of include/dsar/PROTOCOL.md, and both sides of them.

As a program it is a connector that plays them: transcripts.py FOLDER. In FOLDER lie `transcripts.json`, as made by save(), and,
when it has left, `played`: the names of those that were played to their ends, a line each, or `unexpected`: what it heard instead.
`waiting` appears when the last line before a cancel was heard.
"""
import json
import os
import re
import subprocess
import sys

HEARD, SAID = "►", "◄"
FOLDER = "/srv/shop"


def read(text):
    """({name: [(mark, bytes)]}, {name of a file: bytes}) of the document. The bytes of an end are empty."""
    transcripts, files, hello = {}, {}, None
    for kind, name, block in re.findall(r"^```(transcript|jsonl) (.+)\n((?s:.*?))^```$", text, re.MULTILINE):
        if kind == "jsonl":
            files[name] = block.encode()
            continue
        transcripts[name] = steps = []
        for line in block.splitlines():
            if line[:1] not in (HEARD, SAID):
                steps[-1] = (steps[-1][0], steps[-1][1] + line.encode() + b"\n")
                continue
            steps.append((line[0], line[2:].encode() + b"\n" if line[2:] else b""))
        for at, (mark, data) in enumerate(steps):
            if b'"bytes":' in data.split(b"\n")[0]:  # the newline behind the last line of a payload is the document's
                steps[at] = (mark, data[:-1])
        hello = hello or steps[0][1]
        steps[0] = (SAID, hello) if steps[0][1] == b"hello\n" else steps[0]
    return transcripts, files


def moved(transcripts, folder):
    """The same, about another folder."""
    return {name: [(mark, data.replace(FOLDER.encode(), folder.encode())) for mark, data in steps]
            for name, steps in transcripts.items()}


def save(transcripts, folder):
    with open(os.path.join(folder, "transcripts.json"), "w", encoding="utf-8") as file:
        json.dump({name: [(mark, data.decode()) for mark, data in steps] for name, steps in transcripts.items()}, file)


def replay(argv, steps, timeout_s=60):
    """Says dsard's side to a connector. None, or what it said instead, and where."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}) as process:
        try:
            for at, (mark, data) in enumerate(steps):
                if mark == SAID and not data:
                    status = process.wait(timeout_s)
                    if status != 0:
                        return f"step {at + 1}: status {status}"
                elif mark == SAID:
                    said = process.stdout.read(len(data))
                    if said != data:
                        return f"step {at + 1}: expected {data}, found {said}"
                elif not data:
                    process.stdin.close()
                elif steps[at - 1][0] == SAID:  # what comes behind a line that dsard says is said in one piece with it
                    together = [data]
                    while steps[at + len(together)][0] == HEARD and steps[at + len(together)][1]:
                        together.append(steps[at + len(together)][1])
                    process.stdin.write(b"".join(together))
                    process.stdin.flush()
        finally:
            process.kill()
        more = process.stdout.read()
        return f"said more: {more}" if more else None


def note(folder, name, data):
    with open(os.path.join(folder, name), "ab") as file:
        file.write(data)


def play(folder):
    """Follows all transcripts that agree with what was heard so far; they must agree on what is to be said."""
    with open(os.path.join(folder, "transcripts.json"), encoding="utf-8") as file:
        left = {name: [(mark, data.encode()) for mark, data in steps] for name, steps in json.load(file).items()}
    at = 0
    while True:
        mark = {steps[at][0] for steps in left.values()}
        if mark == {SAID}:
            said = {steps[at][1] for steps in left.values()}
            if said == {b""}:
                return note(folder, "played", "".join(name + "\n" for name in left).encode())
            assert len(said) == 1, sorted(left)
            sys.stdout.buffer.write(said.pop())
            sys.stdout.buffer.flush()
        else:
            assert mark == {HEARD}, sorted(left)
            if any(b'"cancel"' in steps[at][1] for steps in left.values()):
                note(folder, "waiting", b".")
            heard = sys.stdin.buffer.readline()
            left = {name: steps for name, steps in left.items() if steps[at][1] == heard}
            if not left:
                note(folder, "unexpected", heard + b"\n")
                sys.exit(3)
        at += 1


if __name__ == "__main__":
    play(sys.argv[1])
