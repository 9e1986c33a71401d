#!/usr/bin/env python3
"""The sql engine's values from real MariaDB and PostgreSQL servers: every type arrives as the server writes it."""
import base64
import json
import random
import unittest

import databases
from databases import on_each

# column type, what is inserted, what must stand in the record: JSON, to the byte
MARIADB = [
    ("TINYINT", "-128", "-128"),
    ("TINYINT(1)", "TRUE", "1"),
    ("SMALLINT UNSIGNED", "65535", "65535"),
    ("MEDIUMINT", "-8388608", "-8388608"),
    ("INT(8) UNSIGNED ZEROFILL", "42", "42"),
    ("INT(8) UNSIGNED ZEROFILL", "0", "0"),
    ("BIGINT", "-9223372036854775808", "-9223372036854775808"),
    ("BIGINT", "9223372036854775807", "9223372036854775807"),
    ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"),
    ("DECIMAL(65,30)", "12345678901234567890123456789012345.123456789012345678901234567890",
     "12345678901234567890123456789012345.123456789012345678901234567890"),
    ("DECIMAL(10,2)", "1.10", "1.10"),
    ("DECIMAL(10,2)", "-0.01", "-0.01"),
    ("DECIMAL(8,2) ZEROFILL", "0.5", "0.50"),
    ("FLOAT", "1.1", "1.1"),
    ("DOUBLE", "0.1", "0.1"),
    ("DOUBLE", "1e300", "1e300"),
    ("DOUBLE", "5", "5"),
    ("DOUBLE(10,3)", "2.5", "2.500"),
    ("BIT(1)", "b'1'", "1"),
    ("BIT(64)", "b'" + "1" * 64 + "'", "18446744073709551615"),
    ("YEAR", "2026", "2026"),
    ("DATE", "'2026-02-03'", '"2026-02-03"'),
    ("DATE", "'0000-00-00'", '"0000-00-00"'),
    ("DATETIME", "'2026-11-23 10:11:12'", '"2026-11-23 10:11:12"'),
    ("DATETIME(6)", "'2026-11-23 10:11:12.123450'", '"2026-11-23 10:11:12.123450"'),
    # a point in time: the session that wrote it was two hours ahead
    ("TIMESTAMP NULL", "'2026-11-23 10:11:12'", '"2026-11-23 08:11:12+00:00"'),
    ("TIMESTAMP(3) NULL", "'2026-11-23 01:11:12.120'", '"2026-11-22 23:11:12.120+00:00"'),
    ("TIMESTAMP NULL", "'0000-00-00 00:00:00'", '"0000-00-00 00:00:00"'),
    ("TIME(2)", "'-838:59:59.12'", '"-838:59:59.12"'),
    ("VARCHAR(100)", "'äö€😀 \\ \"x\" '", '"äö€😀 \\\\ \\"x\\" "'),
    ("VARCHAR(20) CHARACTER SET latin1", "'é'", '"é"'),
    ("CHAR(5)", "'ab'", '"ab"'),
    ("LONGTEXT", "'line\nline\t'", '"line\\nline\\t"'),
    ("TEXT", "''", '""'),
    ("VARCHAR(10)", "'12345678'", '"12345678"'),
    ("ENUM('a','ü')", "'ü'", '"ü"'),
    ("SET('x','y')", "'x,y'", '"x,y"'),
    ("BLOB", "x'00ff10'", '"AP8Q"'),
    ("VARBINARY(10)", "'abc'", '"YWJj"'),
    ("BLOB", "''", '""'),
    ("JSON", """'{"a": 1.10, "n": 12345678901234567890, "s": " x ", "l": [true, null, -1E-7]}'""",
     '{"a":1.10,"n":12345678901234567890,"s":" x ","l":[true,null,-1E-7]}'),
    ("JSON", "'3.00'", "3.00"),
    ("JSON", """'{"a": 1, "a": 2}'""", '"{\\"a\\": 1, \\"a\\": 2}"'),
    ("UUID", "'123e4567-e89b-12d3-a456-426614174000'", '"123e4567-e89b-12d3-a456-426614174000"'),
    ("INET6", "'2001:db8::1'", '"2001:db8::1"'),
    ("INT", "NULL", "null"),
    ("TEXT", "NULL", "null"),
    ("BLOB", "NULL", "null"),
]

POSTGRESQL = [
    ("smallint", "-32768", "-32768"),
    ("integer", "2147483647", "2147483647"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("numeric", "1" * 80 + "." + "2" * 40, "1" * 80 + "." + "2" * 40),
    ("numeric(10,2)", "1.10", "1.10"),
    ("numeric", "18446744073709551615", "18446744073709551615"),
    ("numeric", "0.000", "0.000"),
    ("numeric", "'NaN'", '"NaN"'),
    ("real", "1.1", "1.1"),
    ("real", "16777217", "1.6777216e+07"),
    ("double precision", "0.1", "0.1"),
    ("double precision", "1e300", "1e+300"),
    ("double precision", "'-Infinity'", '"-Infinity"'),
    ("boolean", "true", "true"),
    ("boolean", "false", "false"),
    ("date", "'2026-02-03'", '"2026-02-03"'),
    ("timestamp", "'2026-11-23 10:11:12.12345'", '"2026-11-23 10:11:12.12345"'),
    ("timestamptz", "'2026-11-23 10:11:12.12+02'", '"2026-11-23 08:11:12.12+00"'),
    ("time", "'10:11:12.12'", '"10:11:12.12"'),
    ("timetz", "'10:11:12+02'", '"10:11:12+02"'),
    ("interval", "'1 year 2 days 3 hours'", '"P1Y2DT3H"'),
    ("text", "'äö€😀 \\ \"x\" '", '"äö€😀 \\\\ \\"x\\" "'),
    ("varchar(10)", "'12345678'", '"12345678"'),
    ("text", "''", '""'),
    ("bytea", "'\\x00ff10'", '"AP8Q"'),
    ("bytea", "''", '""'),
    ("json", """'{"a": 1.10, "s": " x "}'""", '{"a":1.10,"s":" x "}'),
    ("json", """'{"a": 1, "a": 2}'""", '"{\\"a\\": 1, \\"a\\": 2}"'),
    ("jsonb", """'{"n": 12345678901234567890, "d": 3.00}'""", '{"d":3.00,"n":12345678901234567890}'),
    ("uuid", "'123e4567-e89b-12d3-a456-426614174000'", '"123e4567-e89b-12d3-a456-426614174000"'),
    ("inet", "'2001:db8::1'", '"2001:db8::1"'),
    ("integer[]", "'{1,2}'", '"{1,2}"'),
    ("oid", "4294967295", "4294967295"),
    ("text", "NULL", "null"),
    ("bytea", "NULL", "null"),
    ("jsonb", "NULL", "null"),
]

# what the server does by itself is not what the engine asks for
BEFORE = {"mariadb": "SET GLOBAL time_zone='+09:00'; SET time_zone='+02:00', sql_mode='NO_BACKSLASH_ESCAPES';",
          "postgresql": "ALTER DATABASE product SET TimeZone='Asia/Tokyo'; ALTER DATABASE product SET bytea_output='escape';"
                        "ALTER DATABASE product SET DateStyle='German';"}
TYPES = {"mariadb": MARIADB, "postgresql": POSTGRESQL}


class Values(databases.Databases):
    def fetch(self, server, sql):
        engine = self.engine(databases.profile(databases.collection("things", sql, omit=["owner"])), server.settings())
        outcome = engine.fetch("things")
        self.assertIsNone(outcome.code("things"), outcome.texts())
        return outcome.records["things"]

    @on_each
    def test_every_type_arrives_as_the_server_writes_it(self, server):
        types = TYPES[server.driver]
        names = [f"c{i}" for i in range(len(types))]
        server.do(BEFORE[server.driver] +
                  f"CREATE TABLE kinds (owner INT, {', '.join(f'{n} {t[0]}' for n, t in zip(names, types))});"
                  f"INSERT INTO kinds VALUES (7, {', '.join(each[1] for each in types)});")
        record, = self.fetch(server, "SELECT * FROM kinds WHERE owner = :id")
        for name, (kind, inserted, expected) in zip(names, types):
            self.assertIn(f'"{name}":{expected}', record, f"{kind} {inserted}")
        self.assertEqual(record, "{" + ",".join(f'"{name}":{each[2]}' for name, each in zip(names, types)) + "}")

    @on_each
    def test_numbers_are_the_servers_digits(self, server):
        """What the engine says against what the server's own client prints, for numbers of every size."""
        dice = random.Random(20261123)
        rows = [(i, dice.uniform(-1, 1) * 10.0 ** dice.randint(-300, 300), dice.uniform(-1, 1) * 10.0 ** dice.randint(-37, 37),
                 f"{dice.randint(-10**19, 10**19)}.{dice.randint(1, 10**19)}") for i in range(400)]
        real = "FLOAT" if server.driver == "mariadb" else "REAL"
        server.do(f"CREATE TABLE numbers (i INT, owner INT, d DOUBLE PRECISION, f {real}, n DECIMAL(40,20));" +
                  "".join(f"INSERT INTO numbers VALUES ({i}, 7, {d!r}, {f!r}, {n});" for i, d, f, n in rows))
        printed = server.do("SELECT d, f, n FROM numbers ORDER BY i").splitlines()
        records = self.fetch(server, "SELECT i, owner, d, f, n FROM numbers WHERE owner = :id ORDER BY i")
        self.assertEqual(len(records), 400)
        for record, line in zip(records, printed):
            digits = databases.values(record)
            self.assertEqual([digits["d"], digits["f"], digits["n"]], line.split("\t"))

    @on_each
    def test_one_statement_means_the_same_everywhere(self, server):
        record, = self.fetch(server, """SELECT t."a b", '"' || ' ? :id {prefix} $1 # --' AS q, :id + 0 AS owner
            FROM (SELECT '\\' || 'y''s' AS "a b") t""")
        self.assertEqual(json.loads(record), {"a b": "\\y's", "q": '" ? :id {prefix} $1 # --'})

    @on_each
    def test_json_is_itself_within_the_protocols_limits(self, server):
        levels = 31 if server.driver == "mariadb" else 63  # MariaDB itself takes no more
        deep, deeper = "[" * levels + "]" * levels, "[" * 64 + "]" * 64
        many = "{" + ",".join(f'"k{i}":1' for i in range(4097)) + "}"
        texts = [deep, many] + [deeper] * (server.driver == "postgresql")
        server.do("CREATE TABLE texts (i INT, owner INT, j JSON);" + "".join(
            f"INSERT INTO texts VALUES ({i}, 7, '{each}');" for i, each in enumerate(texts)))
        records = self.fetch(server, "SELECT i, owner, j FROM texts WHERE owner = :id ORDER BY i")
        self.assertEqual([json.loads(each)["j"] for each in records], [json.loads(deep), *texts[1:]])

    @on_each
    def test_rows_that_are_too_large_are_withheld(self, server):
        kind, value = {"mariadb": ("LONGBLOB", "REPEAT('x', {})"),
                       "postgresql": ("bytea", "convert_to(repeat('x', {}), 'UTF8')")}[server.driver]
        sizes = (1, 190000, 262144, 262145, 8000000, 4096, 4095, 4097, 2)
        server.do(f"CREATE TABLE large (i INT, owner INT, b {kind});" + "".join(
            f"INSERT INTO large VALUES ({i}, 7, {value.format(size)});" for i, size in enumerate(sizes)))
        engine = self.engine(databases.profile(databases.collection(
            "things", "SELECT * FROM large WHERE owner = :id ORDER BY i")), server.settings())
        outcome = engine.fetch("things")
        self.assertEqual(outcome.code("things"), "record_too_large")
        self.assertEqual(outcome.withheld, [("things", 3, "record_too_large")])
        self.assertEqual([json.loads(each)["i"] for each in outcome.records["things"]], [0, 1, 5, 6, 7, 8])
        self.assertEqual([base64.b64decode(json.loads(each)["b"]) for each in outcome.records["things"]],
                         [b"x" * sizes[i] for i in (0, 1, 5, 6, 7, 8)])


if __name__ == "__main__":
    unittest.main()
