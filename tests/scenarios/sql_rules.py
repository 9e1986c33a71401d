#!/usr/bin/env python3
"""What the sql engine never does on real MariaDB and PostgreSQL servers: ask for nobody, give somebody else's rows, write,
mix two states of the database, lose a row between pages, wait without end."""
import json
import time
import unittest

import databases
from databases import collection, on_each, profile

PAGED = "SELECT id, owner, text FROM {} WHERE owner = :id AND id > :after ORDER BY id LIMIT :n"
# look-alikes: 70 and 77 hold what a careless comparison would take for 7's
ROWS = [(-5, 7), (0, 7), (1, 70), (2, 7), (3, 77), (4, 7), (5, 8), (6, 7), (7, 7), (8, 7)]
OWN = [number for number, owner in ROWS if owner == 7]
SLOW = {"mariadb": "SELECT SLEEP(20) AS s, :id + 0 AS owner", "postgresql": "SELECT pg_sleep(20), CAST(:id AS int) AS owner"}


def make_things(server, name):
    server.do(f"CREATE TABLE {name} (id INT PRIMARY KEY, owner INT, text VARCHAR(40));" + "".join(
        f"INSERT INTO {name} VALUES ({number}, {owner}, 'thing-{number}');" for number, owner in ROWS))


def ids(outcome, name="things"):
    return [json.loads(each)["id"] for each in outcome.records.get(name, [])]


class Rules(databases.Databases):
    @on_each
    def test_the_persons_rows_and_no_look_alikes(self, server):
        make_things(server, "things")
        self.assertEqual(server.do("SELECT COUNT(*) FROM things WHERE owner = 7").strip(), str(len(OWN)))
        for rows in range(1, 9):
            with self.subTest(page=rows):
                engine = self.engine(profile(collection("things", PAGED.format("things"), page={"after": "id", "n": rows}),
                                             collection("whole", "SELECT * FROM things WHERE owner = :id ORDER BY id")),
                                     server.settings())
                outcome = engine.fetch("things", "whole")
                self.assertEqual((outcome.code("things"), ids(outcome)), (None, OWN))
                self.assertEqual((outcome.code("whole"), ids(outcome, "whole")), (None, OWN))

    @on_each
    def test_an_answer_with_everybody_fails_the_collection(self, server):
        make_things(server, "crowd")
        wrong = collection("wrong", "SELECT * FROM crowd WHERE :id > 0 ORDER BY id")
        engine = self.engine(profile(wrong, collection("right", "SELECT * FROM crowd WHERE owner = :id ORDER BY id")),
                             server.settings())
        outcome = engine.fetch("wrong", "right")
        self.assertEqual((outcome.code("wrong"), outcome.ends["wrong"]["status"]), ("ownership", "failed"))
        self.assertNotIn("thing-", outcome.texts())
        # rows that nobody read are no reason to lose the snapshot
        self.assertEqual((outcome.code("right"), ids(outcome, "right")), (None, OWN))

    @on_each
    def test_a_view_without_the_filter_fails_the_collection(self, server):
        """The server itself answers with everybody: a view that has lost its condition."""
        make_things(server, "base")
        server.do("CREATE VIEW view_of_one AS SELECT id, 7 AS claimed, owner FROM base")
        engine = self.engine(profile(collection("things", "SELECT * FROM view_of_one WHERE claimed = :id ORDER BY id")),
                             server.settings())
        outcome = engine.fetch("things")
        self.assertEqual(outcome.code("things"), "ownership")

    @on_each
    def test_nothing_is_asked_without_a_value(self, server):
        make_things(server, "nobodys")
        engine = self.engine(profile(collection("things", "SELECT * FROM nobodys WHERE owner = :id")), server.settings())
        for identities, code in (([], "empty_bind"), ([("id", "")], "empty_bind"), ([("id", "\u2003")], "empty_bind"),
                                 ([("email", "x")], "empty_bind"),
                                 ([("id", "7 OR 1=1")], "bad_identity"), ([("id", "1")], "bad_identity")):
            outcome = engine.fetch("things", identities=identities)
            self.assertEqual((outcome.code("things"), outcome.records), (code, {}), identities)

    @on_each
    def test_values_are_bound_and_never_text(self, server):
        make_things(server, "bound")
        server.do("CREATE TABLE people (id INT PRIMARY KEY, email VARCHAR(100));"
                  "INSERT INTO people VALUES (7, 'alice@example.test'), (70, 'malice@example.test'), (8, '1 OR 1=1 --')")
        step = {"needs": {"email": "text"}, "sql": "SELECT id, email FROM people WHERE LOWER(email) = LOWER(:email)",
                "assert": [{"column": "email", "equals_identity": "email", "ignore_case": True}],
                "yields": {"id": {"column": "id", "type": "uint>1"}}, "evidence": "exact match"}
        engine = self.engine(profile(collection("things", "SELECT * FROM bound WHERE owner = :id"), resolve=[step]),
                             server.settings())
        for email, found in (("Alice@Example.test", ["7"]), ("alice@example.test' OR '1'='1", []), ("%@example.test", []),
                             ("' OR 1=1 --", []), ("1 OR 1=1 --", ["8"]), ("\\' OR 1=1 --", []), ("$1 ? :id", [])):
            values, done = engine.resolve(("email", email))
            self.assertEqual(([value for _, value in values], done["status"]), (found, "ok" if found else "not_found"), email)

    def test_what_a_collation_takes_for_equal_is_not_the_person(self):
        server, = (each for each in self.servers if each.driver == "mariadb")
        server.do("CREATE TABLE loose (id INT PRIMARY KEY, email VARCHAR(100)) COLLATE utf8mb4_unicode_ci;"
                  "INSERT INTO loose VALUES (7, 'alice@example.test'), (8, 'álice@example.test')")

        def resolve(condition):
            step = {"needs": {"email": "text"}, "sql": f"SELECT id, email FROM loose WHERE {condition} ORDER BY id DESC",
                    "assert": [{"column": "email", "equals_identity": "email", "ignore_case": True}],
                    "yields": {"id": {"column": "id", "type": "uint>1"}}, "evidence": "exact match"}
            engine = self.engine(profile(collection("things", "SELECT :id + 0 AS owner"), resolve=[step]), server.settings())
            found, done = engine.resolve(("email", "Alice@example.test"))
            return [value for _, value in found], done.get("code")

        self.assertEqual(resolve("email = :email"), ([], "ownership"))
        self.assertEqual(resolve("BINARY LOWER(email) = LOWER(:email)"), (["7"], None))

    @on_each
    def test_a_fetch_reads_one_state_of_the_database(self, server):
        server.do("CREATE TABLE moving (id INT PRIMARY KEY, owner INT, text TEXT)")
        server.do("INSERT INTO moving VALUES " + ",".join(f"({2 * i}, 7, '{'x' * 20000}')" for i in range(1, 201)))
        engine = self.engine(profile(collection("things", PAGED.format("moving"), page={"after": "id", "n": 5}),
                                     collection("later", "SELECT id, owner FROM moving WHERE owner = :id ORDER BY id")),
                             server.settings())
        engine.begin("things", "later")
        outcome = databases.Outcome()
        # 4 MB do not fit into a pipe: it is between two pages, or within one
        while not outcome.records:
            outcome.take(*engine.peer.hear())
        server.do("INSERT INTO moving SELECT id + 1, owner, 'late' FROM moving; DELETE FROM moving WHERE id > 300;"
                  "UPDATE moving SET owner = 8, text = 'late' WHERE id > 100")
        engine.hear_all(outcome)
        expected = list(range(2, 401, 2))
        self.assertEqual((outcome.code("things"), ids(outcome)), (None, expected))
        self.assertEqual((outcome.code("later"), ids(outcome, "later")), (None, expected))
        self.assertNotIn("late", "".join(outcome.records["things"]))
        # and the next fetch the next
        self.assertEqual(ids(engine.fetch("later"), "later"), list(range(2, 101)))

    @on_each
    def test_what_writes_is_refused_by_the_server(self, server):
        """By a user who may write, so that it is the session that refuses."""
        make_things(server, "written")
        if server.driver == "mariadb":
            server.do("CREATE SEQUENCE s; GRANT ALL ON *.* TO exporter@'%';\nDELIMITER //\n"
                      "CREATE FUNCTION wipe() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM written; RETURN 1; END//")
            statements = {"SELECT wipe() AS w, :id + 0 AS owner": "bad_profile",
                          "SELECT 1, :id + 0 INTO OUTFILE '%s'" % server.file("data/out"): "bad_profile",
                          "WITH x AS (SELECT :id AS i) DELETE FROM written WHERE owner = 7": "source_answer",
                          "SELECT NEXTVAL(s) AS w, :id + 0 AS owner": "bad_profile"}
        else:
            server.do("CREATE SEQUENCE s; ALTER USER exporter SUPERUSER;"
                      "CREATE FUNCTION wipe() RETURNS INT LANGUAGE SQL AS 'DELETE FROM written; SELECT 1'")
            statements = {"SELECT wipe() AS w, CAST(:id AS int) AS owner": "bad_profile",
                          "WITH x AS (DELETE FROM written WHERE owner = :id RETURNING *) SELECT * FROM x": "bad_profile",
                          "SELECT owner INTO stolen FROM written WHERE owner = :id": "bad_profile",
                          "SELECT owner FROM written WHERE owner = :id FOR UPDATE": "bad_profile",
                          "SELECT nextval('s') AS w, CAST(:id AS int) AS owner": "bad_profile",
                          "SELECT set_config('transaction_read_only', 'off', false) AS s, CAST(:id AS int) AS owner":
                          "source_answer"}
        names = [f"c{i}" for i in range(len(statements))]
        engine = self.engine(profile(*(collection(name, sql) for name, sql in zip(names, statements)),
                                     collection("things", "SELECT * FROM written WHERE owner = :id ORDER BY id")),
                             server.settings())
        outcome = engine.fetch(*names, "things")
        self.assertEqual({sql: outcome.code(name) for name, sql in zip(names, statements)}, statements)
        self.assertEqual(set(outcome.records), {"things"})
        self.assertEqual((outcome.code("things"), ids(outcome)), (None, OWN))
        self.assertEqual(server.do("SELECT COUNT(*) FROM written").strip(), str(len(ROWS)))

    @on_each
    def test_a_profile_that_writes_is_refused_at_the_start(self, server):
        for sql in ("DELETE FROM things WHERE owner = :id", "CALL wipe(:id)", "SELECT * FROM things WHERE owner = :id; COMMIT",
                    "SET @x = :id", "SELECT * FROM things", "SELECT * FROM things WHERE owner = :id AND x = :unbound"):
            self.assertIsNone(self.engine(profile(collection("things", sql)), server.settings()).hello, sql)
        for more in ({"colour": "red"}, {"drivers": []}, {"drivers": ["oracle"]}, {"drivers": "mariadb"}):
            self.assertIsNone(self.engine(profile(collection("things", "SELECT * FROM t WHERE owner = :id"), **more),
                                          server.settings()).hello, more)

    @on_each
    def test_a_statement_that_fails_leaves_the_others(self, server):
        make_things(server, "survivor")
        engine = self.engine(profile(collection("missing", "SELECT * FROM no_such_table WHERE owner = :id"),
                                     collection("broken", "SELECT owner FROM survivor WHERE owner = :id AND 1 / (id - id) > 0"
                                                if server.driver == "postgresql" else
                                                "SELECT owner, (SELECT id FROM survivor) FROM survivor WHERE owner = :id"),
                                     collection("things", "SELECT * FROM survivor WHERE owner = :id ORDER BY id")),
                             server.settings())
        outcome = engine.fetch("missing", "broken", "things")
        self.assertEqual([outcome.code(each) for each in ("missing", "broken")], ["source_answer"] * 2)
        self.assertIn("no_such_table", outcome.ends["missing"]["text"])
        self.assertEqual((outcome.code("things"), ids(outcome)), (None, OWN))

    @on_each
    def test_a_statement_that_takes_too_long_is_ended_alone(self, server):
        make_things(server, "patient")
        engine = self.engine(profile(collection("slow", SLOW[server.driver]),
                                     collection("things", "SELECT * FROM patient WHERE owner = :id ORDER BY id")),
                             server.settings(timeout_ms=300))
        begun = time.monotonic()
        outcome = engine.fetch("slow", "things")
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual((outcome.code("slow"), outcome.ends["slow"]["retryable"]), ("source_timeout", True))
        self.assertIn("timeout_ms", outcome.texts())
        self.assertEqual((outcome.code("things"), ids(outcome)), (None, OWN))

    @on_each
    def test_a_server_that_falls_silent_is_given_up(self, server):
        engine = self.engine(profile(collection("slow", SLOW[server.driver]), collection("more", SLOW[server.driver])),
                             server.settings(timeout_ms=4000))
        engine.begin("slow", "more")
        self.wait_until_it_runs(server)
        server.suspend()
        self.addCleanup(server.resume)
        outcome = engine.hear_all()
        self.assertEqual((outcome.code("slow"), outcome.ends["slow"]["retryable"]), ("source_timeout", True))
        self.assertEqual(outcome.code("more"), "source_unreachable", outcome.texts())
        server.resume()

    def wait_until_it_runs(self, server):
        """Asks the server, over another connection, whether a statement of the engine's is at work."""
        running = {"mariadb": "SELECT COUNT(*) FROM information_schema.processlist "
                              "WHERE user = 'exporter' AND state LIKE 'User%'",
                   "postgresql": "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'exporter' AND state = 'active'"}
        databases.harness.wait_for(lambda: server.query(running[server.driver]).strip() == "1", "the statement runs")

    @on_each
    def test_a_cancel_is_heard_at_work(self, server):
        engine = self.engine(profile(collection("slow", SLOW[server.driver])), server.settings())
        engine.begin("slow")
        self.wait_until_it_runs(server)
        begun = time.monotonic()
        engine.peer.say(type="cancel")
        outcome = engine.hear_all()
        self.assertLess(time.monotonic() - begun, 4)
        self.assertEqual((outcome.done["status"], outcome.done["code"]), ("failed", "cancelled"))

    @on_each
    def test_a_cancel_is_heard_while_rows_are_passed_over(self, server):
        """Behind one that is not the person's, which nobody wants; each takes the server a second."""
        make_things(server, "sluggish")
        server.do("INSERT INTO sluggish VALUES " + ",".join(f"({1000 + i}, 8, '')" for i in range(60)))
        sleep, padding = {"mariadb": ("SLEEP(1)", "REPEAT('x', 60000)"),
                          "postgresql": ("pg_sleep(1)", "repeat('x', 60000)")}[server.driver]
        engine = self.engine(profile(collection("things", f"SELECT 8 AS owner, {sleep} AS s, {padding} AS p FROM sluggish "
                                                          "WHERE :id > 0")), server.settings())
        engine.begin("things")
        self.wait_until_it_runs(server)
        time.sleep(2)
        begun = time.monotonic()
        engine.peer.say(type="cancel")
        outcome = engine.hear_all()
        self.assertLess(time.monotonic() - begun, 4)
        self.assertEqual(outcome.done["status"], "failed")

    @on_each
    def test_a_reader_that_is_slow_loses_nothing(self, server):
        server.do("CREATE TABLE wide (id INT PRIMARY KEY, owner INT, text TEXT)")
        server.do("INSERT INTO wide VALUES " + ",".join(f"({i}, 7, '{'x' * 60000}')" for i in range(1, 201)))
        engine = self.engine(profile(collection("things", "SELECT id, owner, text FROM wide WHERE owner = :id ORDER BY id")),
                             server.settings())
        engine.begin("things")
        time.sleep(3)  # 12 MB wait in pipes and sockets
        self.assertEqual(ids(engine.hear_all()), list(range(1, 201)))


if __name__ == "__main__":
    unittest.main()
