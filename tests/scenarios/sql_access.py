#!/usr/bin/env python3
"""How the sql engine gets into MariaDB and PostgreSQL, and what it says when it does not: credentials, TLS, sockets, servers
that are away, silent, full, or not what they say."""
import json
import os
import socket
import struct
import threading
import unittest

import databases
from databases import PASSWORD, collection, on_each, profile

ENCRYPTED = {"mariadb": "SELECT 7 AS owner, variable_value <> '' AS yes FROM information_schema.session_status "
                        "WHERE variable_name = 'Ssl_cipher' AND :id = 7",
             "postgresql": "SELECT 7 AS owner, CASE WHEN ssl THEN 1 ELSE 0 END AS yes FROM pg_stat_ssl "
                           "WHERE pid = pg_backend_pid() AND :id = 7"}


class Access(databases.Databases):
    tls = True

    def ask(self, server, settings, password=PASSWORD, sql=None):
        engine = self.engine(profile(collection("things", sql or ENCRYPTED[server.driver]),
                                     collection("more", "SELECT :id + 0 AS owner")), settings, password)
        self.assertIsNone(engine.refusal)
        return engine.fetch("things", "more")

    def expect(self, outcome, code, retryable):
        """So the first collection ends, and what is left with it where the code means that nobody need ask any more."""
        end = outcome.ends["things"]
        self.assertEqual((end.get("code"), end.get("retryable")), (code, retryable), outcome.texts())
        if code != "source_answer":
            self.assertEqual(outcome.code("more"), code)
        self.assertEqual(outcome.records.get("things"), None)
        self.assertNotIn(PASSWORD, outcome.texts())

    def expect_in(self, outcome, encrypted):
        self.assertIsNone(outcome.code("things"), outcome.texts())
        self.assertEqual([json.loads(each)["yes"] for each in outcome.records["things"]], [encrypted])

    @on_each
    def test_by_tcp_and_by_socket(self, server):
        self.expect_in(self.ask(server, server.settings()), 0)
        self.expect_in(self.ask(server, server.settings(host="localhost")), 0)
        self.expect_in(self.ask(server, server.socket_settings()), 0)

    @on_each
    def test_tls_with_the_servers_certificate_verified(self, server):
        verified = server.settings(host="localhost", tls="verify", ca_file=server.file("ca.pem"))
        self.expect_in(self.ask(server, verified), 1)
        for changes in ({"ca_file": server.file("stranger.pem")},  # of another authority
                        {"ca_file": None},                         # nor is it one of the system's
                        {"host": "127.0.0.1"},                     # the certificate is for another name
                        {"ca_file": server.file("none.pem")}):
            with self.subTest(**changes):
                self.expect(self.ask(server, databases.harness.merged(verified, changes)), "source_unreachable", True)

    @on_each
    def test_a_client_certificate(self, server):
        if server.driver == "mariadb":
            server.query(f"CREATE USER carded@'%' IDENTIFIED BY 'pw' REQUIRE X509; GRANT SELECT ON product.* TO carded@'%'")
        else:
            server.query("CREATE USER carded PASSWORD 'pw'")
            with open(os.path.join(server.data, "pg_hba.conf"), "r+", encoding="ascii") as rules:
                before = rules.read()
                rules.seek(0)
                rules.write("hostssl all carded all scram-sha-256 clientcert=verify-ca\n" + before)
            server.query("SELECT pg_reload_conf()")
        verified = server.settings(host="localhost", tls="verify", ca_file=server.file("ca.pem"), user="carded")
        self.expect(self.ask(server, verified, "pw"), "source_refused", False)
        self.expect_in(self.ask(server, dict(verified, client_cert_file=server.file("client.pem"),
                                             client_key_file=server.file("client.key")), "pw"), 1)

    @on_each
    def test_who_may_not_come_in_is_refused(self, server):
        for password in ("wrong", None):
            self.expect(self.ask(server, server.settings(), password), "source_refused", False)
        self.expect(self.ask(server, server.settings(user="nobody")), "source_refused", False)
        missing = server.settings(database="none")
        # MariaDB says to those who have no rights there that they have none
        self.expect(self.ask(server, missing), "source_refused" if server.driver == "mariadb" else "source_answer", False)

    @on_each
    def test_who_may_not_read_a_table_is_refused(self, server):
        server.do("CREATE TABLE secrets (owner INT)")
        server.query("REVOKE SELECT ON product.* FROM exporter@'%'" if server.driver == "mariadb" else
                     "REVOKE SELECT ON secrets FROM exporter", "product")
        try:
            outcome = self.ask(server, server.settings(), sql="SELECT owner FROM secrets WHERE owner = :id")
        finally:
            server.query("GRANT SELECT ON product.* TO exporter@'%'" if server.driver == "mariadb" else
                         "GRANT SELECT ON secrets TO exporter", "product")
        self.assertEqual((outcome.code("things"), outcome.ends["things"]["retryable"]), ("source_refused", False))

    @on_each
    def test_a_server_that_is_not_there(self, server):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and does not listen
            port = taken.getsockname()[1]
            self.expect(self.ask(server, server.settings(port=port)), "source_unreachable", True)
        self.expect(self.ask(server, dict(server.socket_settings(), socket=self.folder)), "source_unreachable", True)

    @on_each
    def test_a_server_that_says_nothing(self, server):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.expect(self.ask(server, server.settings(port=silent.getsockname()[1])), "source_unreachable", True)

    @on_each
    def test_a_server_that_is_full(self, server):
        limit = {"mariadb": "ALTER USER exporter@'%' WITH MAX_USER_CONNECTIONS {}",
                 "postgresql": "ALTER USER exporter CONNECTION LIMIT {}"}[server.driver]
        server.do("CREATE TABLE held (id INT, owner INT, text TEXT)")
        server.do("INSERT INTO held VALUES " + ",".join(f"({i}, 7, '{'x' * 60000}')" for i in range(100)))
        server.query(limit.format(1))
        holder = self.engine(profile(collection("things", "SELECT * FROM held WHERE owner = :id")), server.settings())
        holder.begin("things")
        outcome = databases.Outcome()
        while not outcome.records:
            outcome.take(*holder.peer.hear())
        try:
            self.expect(self.ask(server, server.settings()), "source_busy", True)
        finally:
            server.query(limit.format(0 if server.driver == "mariadb" else -1))
        self.assertEqual(len(holder.hear_all(outcome).records["things"]), 100)

    @on_each
    def test_a_server_that_goes_away(self, server):
        server.do("CREATE TABLE gone (id INT, owner INT, text TEXT)")
        server.do("INSERT INTO gone VALUES " + ",".join(f"({i}, 7, '{'x' * 60000}')" for i in range(400)))
        engine = self.engine(profile(collection("things", "SELECT * FROM gone WHERE owner = :id"),
                                     collection("more", "SELECT :id + 0 AS owner")), server.settings())
        engine.begin("things", "more")
        outcome = databases.Outcome()
        while not outcome.records:
            outcome.take(*engine.peer.hear())
        server.stop()
        try:
            engine.hear_all(outcome)
        finally:
            server.start()
        for name in ("things", "more"):
            self.assertEqual((outcome.code(name), outcome.ends[name]["retryable"]), ("source_unreachable", True))
        # the next fetch finds it again
        outcome = engine.fetch("things", "more")
        self.assertEqual((outcome.code("things"), len(outcome.records["things"])), (None, 400))

    @on_each
    def test_settings_that_cannot_be_are_refused(self, server):
        for changes in ({"host": None}, {"socket": "/run/x"}, {"database": None}, {"user": None}, {"port": 0}, {"port": 65536},
                        {"tls": "maybe"}, {"tls": "off", "ca_file": "/x"}, {"tls": "verify", "host": None, "socket": "/run/x"},
                        {"ca_file": "/x"}, {"client_cert_file": "/x"}, {"path": "/x"}, {"driver": "sqlite"},
                        {"driver": "oracle"}, {"timeout_ms": 0}, {"colour": "red"},
                        {"tls": "verify", "client_cert_file": "/x"}, {"driver": "sqlite", "host": None, "port": None,
                                                                      "database": None, "user": None, "path": "/x"}):
            engine = self.engine(profile(collection("things", "SELECT * FROM t WHERE owner = :id")), server.settings(**changes))
            self.assertEqual((engine.refusal or {}).get("code"), "bad_settings", changes)

    @on_each
    def test_the_profile_says_which_databases_it_is_for(self, server):
        other = {"mariadb": "postgresql", "postgresql": "mariadb"}[server.driver]
        things = collection("things", ENCRYPTED[server.driver])
        engine = self.engine(profile(things, drivers=["sqlite", other]), server.settings())
        self.assertEqual(engine.refusal["code"], "bad_settings")
        # the first of them when the settings say none
        engine = self.engine(profile(things, drivers=[server.driver, other]), server.settings(driver=None))
        self.assertIsNone(engine.fetch("things").code("things"))


def packet(number, content):
    return struct.pack("<I", len(content))[:3] + bytes([number]) + content


def read_packet(connection):
    """Its number and content; nothing at the end."""
    head = connection.recv(4, socket.MSG_WAITALL).ljust(4, b"\0")
    return head[3], connection.recv(int.from_bytes(head[:3], "little"), socket.MSG_WAITALL)


class Impostor(databases.harness.Scenario):
    """Somebody who answers in the place of a MariaDB, without TLS."""

    def heard_by(self, *answers):
        """What the engine says to a server that greets it and then answers so; and how its fetch ends."""
        heard = []
        capabilities = 0x00080000 | 0x00008000 | 0x00000200 | 0x00000080 | 0x00000008 | 0x00000001
        greeting = (b"\x0a10.11.0-MariaDB\0" + struct.pack("<I", 1) + b"saltsalt\0" +
                    struct.pack("<HBHHB", capabilities & 0xffff, 45, 2, capabilities >> 16, 21) + bytes(10) +
                    b"saltsaltsalt\0" + b"mysql_native_password\0")

        def serve(listening):
            connection = listening.accept()[0]
            with connection:
                connection.sendall(packet(0, greeting))
                for answer in answers:
                    number, said = read_packet(connection)
                    heard.append(said)
                    connection.sendall(packet(number + 1, answer))
                heard.append(read_packet(connection)[1])

        with socket.create_server(("127.0.0.1", 0)) as listening:
            impostor = threading.Thread(target=serve, args=(listening,))
            impostor.start()
            engine = databases.Engine(self.folder, profile(collection("things", "SELECT * FROM t WHERE owner = :id")), {
                "driver": "mariadb", "host": "127.0.0.1", "port": listening.getsockname()[1], "database": "product",
                "user": "exporter"})
            self.addCleanup(engine.close)
            outcome = engine.fetch("things")
            impostor.join()
        self.assertIn(b"exporter", heard[0])
        return b"".join(heard), outcome

    def test_a_server_that_wants_the_password_in_clear_does_not_get_it(self):
        heard, outcome = self.heard_by(b"\xfemysql_clear_password\0")
        self.assertEqual(outcome.code("things"), "source_refused", outcome.texts())
        self.assertNotIn(PASSWORD.encode(), heard)

    def test_a_server_that_names_a_key_for_the_password_does_not_get_it(self):
        heard, outcome = self.heard_by(b"\xfecaching_sha2_password\0" + b"salt" * 5 + b"\0")
        self.assertEqual(outcome.code("things"), "source_refused", outcome.texts())
        self.assertIn("caching_sha2_password", outcome.texts())

    def test_a_server_that_wants_a_file_of_ours_does_not_get_it(self):
        path = self.path("secret")
        with open(path, "w", encoding="ascii") as file:
            file.write("canary-secret")
        heard, outcome = self.heard_by(b"\0\0\0\2\0\0\0", b"\xfb" + path.encode())
        self.assertIn(b"SET SESSION", heard)
        self.assertNotIn(b"canary-secret", heard)
        self.assertEqual(outcome.ends["things"]["status"], "failed")


class Plain(databases.Databases):
    """Servers without TLS."""

    @on_each
    def test_where_tls_is_wanted_there_is_no_connection_without(self, server):
        engine = self.engine(profile(collection("things", "SELECT :id + 0 AS owner")),
                             server.settings(host="localhost", tls="verify"))
        outcome = engine.fetch("things")
        self.assertEqual(outcome.code("things"), "source_unreachable", outcome.texts())


if __name__ == "__main__":
    unittest.main()
