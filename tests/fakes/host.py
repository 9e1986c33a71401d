#!/usr/bin/env python3
"""The example host: WHMCS, WHM/cPanel and Mautic on free loopback ports and a phpBB database, for tests and the demo.

  host.py --dir DIR [--big N]

Makes DIR/phpbb.sqlite and DIR/secrets/NAME (0600), prints one line of JSON that says where everything is, and runs
until its standard input ends or SIGTERM. --big adds N tickets and N e-mails to Alice's.
"""
import argparse
import json
import os
import secrets
import signal
import sqlite3
import sys
import threading

import people
from mautic import Mautic
from panel import Panel
from stub import Stub
from whmcs import Whmcs


def make_forum(path):
    if os.path.exists(path):
        os.unlink(path)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "phpbb.sql"), encoding="utf-8") as ddl:
        script = ddl.read()
    forum = sqlite3.connect(path)
    forum.executescript(script)
    for table, rows in people.PHPBB.items():
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            forum.execute(f"INSERT INTO phpbb_{table} ({names}) VALUES ({marks})", tuple(row.values()))
    forum.commit()
    forum.close()


def keep_secret(folder, name, value):
    path = os.path.join(folder, name)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    return path


class Host:
    """The example host inside this process; close() ends it. `where` is what host.py prints."""

    def __init__(self, folder, big=0):
        people.big(big)
        vault = os.path.join(folder, "secrets")
        os.makedirs(vault, mode=0o700, exist_ok=True)
        forum = os.path.join(os.path.abspath(folder), "phpbb.sqlite")
        make_forum(forum)
        secret = {name: secrets.token_hex(16)
                  for name in ("whmcs_identifier", "whmcs_secret", "cpanel_token", "mautic_password")}
        file = {name: keep_secret(os.path.abspath(vault), name, value) for name, value in secret.items()}
        self.stubs = {"whmcs": Stub(Whmcs(secret["whmcs_identifier"], secret["whmcs_secret"])),
                      "cpanel": Stub(Panel("root", secret["cpanel_token"])),
                      "mautic": Stub(Mautic("exporter", secret["mautic_password"]))}
        self.where = {
            "whmcs": {"url": self.stubs["whmcs"].url, "identifier": secret["whmcs_identifier"],
                      "identifier_file": file["whmcs_identifier"], "secret": secret["whmcs_secret"],
                      "secret_file": file["whmcs_secret"], "withheld_custom_fields": str(people.CVV_FIELD)},
            "cpanel": {"url": self.stubs["cpanel"].url, "user": "root", "token": secret["cpanel_token"],
                       "token_file": file["cpanel_token"]},
            "mautic": {"url": self.stubs["mautic"].url, "user": "exporter", "password": secret["mautic_password"],
                       "password_file": file["mautic_password"]},
            "phpbb": {"path": forum},
        }

    def close(self):
        for stub in self.stubs.values():
            stub.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True, help="a folder of its own, made if it is not there")
    parser.add_argument("--big", type=int, default=0, metavar="N", help="so many more tickets and e-mails for Alice")
    arguments = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    host = Host(arguments.dir, arguments.big)
    print(json.dumps(host.where), flush=True)

    def wait_for_end():
        while os.read(0, 4096):
            pass
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    ended.wait()
    host.close()


if __name__ == "__main__":
    main()
