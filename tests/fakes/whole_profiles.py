"""One profile for each engine, that has one of everything the engine knows."""
import copy

STEP = {"request": {"path": ["a", {"record": "/id"}]}, "records": "", "assert": [{"ptr": "/of", "eq_record": "/id"}]}
OWN = {"request": {"path": "/a", "query": {"p": {"id": "person_id"}}}, "records": "/items", "assert": [{"ptr": "/p", "eq_id": "person_id"}]}

REST = {
    "profile": 1, "name": "test/whole", "title": "Whole", "engine": "rest", "version": "1", "requests_per_second": 2.5,
    "settings": [{"name": "key", "kind": "secret", "required": True, "help": "key"},
                 {"name": "withheld", "kind": "text", "required": False, "help": "ids", "default": "7"},
                 {"name": "token_url", "kind": "url", "required": False, "help": "where tokens come from"}],
    "defaults": {"request": {"method": "GET", "headers": {"X-Key": ["key ", {"secret": "key"}]}}, "busy": [{"ptr": "/e", "eq": "busy"}],
                 "ok": [{"ptr": "/ok", "eq": True}], "refused": [{"any": [{"ptr": "/e", "in": ["no", 7, None]}, {"ptr": "/f", "filled": True}]}]},
    "check": {"request": {"path": "/version"}, "ok": [{"ptr": "/up", "eq": True}], "refused": [{"ptr": "/e", "eq": "no"}],
              "busy": [{"ptr": "/e", "eq": "busy"}], "version": {"ptr": "/version", "behind": "v"}, "least": "2.1"},
    "resolve": [{"needs": {"email": "text"}, "request": {"path": "/find", "query": {"e": {"id": "email", "as": "lower", "part": 0}}},
                 "not_found": [{"status": 404}, {"any": [{"status": 410}]}], "records": "", "records_kind": "single",
                 "match": [{"ptr": "/email", "eq_id": "email", "ignore_case": True, "part": 1}],
                 "yields": {"person_id": {"ptr": "/id", "type": "uint>0"}, "pair": {"join": ["/a", "/b"], "type": "text", "as": "lower"}},
                 "evidence": "exact match"}],
    "collections": [
        {"name": "all", "title": "All", "category": "test", "needs": {"person_id": "uint>0"}, "fields": {"/x": "own", "/y/*": "withhold:x"},
         **copy.deepcopy(OWN), "request": {"path": "/a", "query": {"p": {"id": "person_id"}, "job": {"polled": "/job"}}}, "empty": ["", None], "total": {"header": "X-Total"}, "cap": 1000, "key": "/id", "unread": "/u/*",
         "page": {"kind": "page", "in": "query", "number": "p", "first": 0, "size": "n", "by": 10, "pages": "/pages", "max_pages": 9,
                  "end": [{"status": 404}]},
         "parent": {**copy.deepcopy(OWN), "page": {"kind": "cursor", "in": "query", "cursor": "c", "last": "/id", "more": "/more"},
                    "match": [{"ptr": "/p", "eq_id": "person_id"}],
                    "parent": {**copy.deepcopy(OWN), "page": {"kind": "next", "next": "/next"}}},
         "export": {"start": {"request": {"method": "POST", "path": ["s", {"id": "person_id"}], "idempotent": True,
                                          "auth": {"kind": "oauth2", "token_path": "/token", "client_id": "dsard", "client_secret": {"secret": "key"}}}},
                    "poll": {"request": {"path": {"url": {"started": "/url"}, "under": "/made/"}}, "done": [{"ptr": "/d", "eq": True}],
                             "failed": [{"ptr": "/d", "eq": "no"}], "every_s": 2, "max_s": 60}},
         "each": [{**copy.deepcopy(STEP), "omit": ["ok"]},
                  {**copy.deepcopy(STEP), "into": "more", "records_kind": "array", "page": {"kind": "link", "in": "query", "size": "n"}}],
         "files": [{"in": "/f/*", "name": "0/name", "media_type": "0/type", "data": "/data"},
                   {"in": "/g/*", "where": {"element": "1/id", "ne": 0}, "name": "0#", "base64": "/data", "request": {"path": ["g", {"element": "1/id"}, {"record": "/id", "up": 1}]},
                    "not_found": [{"ptr": "/e", "eq": "gone"}]},
                   {"in": "", "name": "0/id", "request": {"path": {"url": {"element": "0/url"}, "under": "/"}}}],
         "withhold": [{"in": "/c", "key": "/id", "listed_in": "withheld", "reason": "configured"}, {"numbered": "c", "reason": "duplicate"}]},
        {"name": "other", "title": "Other", "category": "test", "needs": {"person_id": "uint>0"}, **copy.deepcopy(OWN),
         "page": {"kind": "offset", "in": "form", "start": "s"}, "match": [{"ptr": "/p", "eq_id": "person_id"}], "assert": [{"ptr": "/p", "in_ids": "person_id", "of": "answer"}, {"ptr": "/x", "eq": 1, "optional": True}],
         "request": {"method": "POST", "path": "/b", "form": {"p": {"id": "person_id"}, "key": {"secret": "key", "optional": True}},
                     "auth": {"kind": "oauth2", "token_url": {"setting": "token_url"}, "client_id": "dsard", "client_secret": {"secret": "key"},
                              "in": "basic", "form": {"scope": "read"}}}},
        {"name": "third", "title": "Third", "category": "test", "needs": {"person_id": "uint>0"}, "unasserted": "a test", "records": "/r",
         "request": {"path": ["c", [{"id": "person_id", "as": "regex"}, ".json"]], "auth": {"kind": "basic", "user": "u", "password": {"secret": "key"}}}, "each": {**{key: value for key, value in STEP.items() if key != "assert"}, "unasserted": "a test"}},
    ],
}

SQL = {
    "profile": 1, "name": "test/whole", "title": "Whole", "engine": "sql", "version": "1",
    "drivers": ["mariadb", "mysql", "postgresql", "postgres", "sqlite"],
    "settings": [{"name": "table_prefix", "kind": "text", "required": False, "help": "prefix", "default": "x_"},
                 {"name": "address", "kind": "url", "required": True, "help": "where it answers"},
                 {"name": "folder", "kind": "path", "required": False, "help": "folder", "default": "/srv"},
                 {"name": "door", "kind": "socket", "required": False, "help": "Unix socket", "default": "/run/x"},
                 {"name": "machine", "kind": "host", "required": False, "help": "host", "default": "localhost", "ports": [1, 65535]},
                 {"name": "number", "kind": "port", "required": False, "help": "port", "default": 65535},
                 {"name": "most", "kind": "integer", "required": False, "help": "number", "default": -1},
                 {"name": "quick", "kind": "boolean", "required": False, "help": "yes or no", "default": False},
                 {"name": "key", "kind": "secret", "required": False, "help": "key"}],
    "check": {"sql": "SELECT version FROM {prefix}config", "least": "3.3", "what": "newest migration"},
    "resolve": [{"needs": {"email": "text"}, "sql": "SELECT id, email FROM {prefix}users WHERE email = :email AND id > :after LIMIT :n",
                 "page": {"after": "id", "n": 10000}, "assert": [{"column": "email", "equals_identity": "email", "ignore_case": True}],
                 "yields": {"person_id": {"column": "id", "type": "uint>0"}}, "evidence": "exact match"}],
    "collections": [{"name": "all", "title": "All", "category": "test", "needs": {"person_id": "uint>0"},
                     "sql": "SELECT a, b FROM {prefix}all WHERE b = :person_id AND a > :after LIMIT :n", "page": {"after": "a", "n": 1},
                     "assert": [{"column": "b", "equals_identity": "person_id"}], "omit": ["b"], "unread": True,
                     "fields": {"/a": "own", "/b": "free_text", "/c": "third_party", "/d": "secret", "/e": "card", "/f": "cvv", "/g": "withhold:x"}}],
}

ROOT = {"category": "test", "base": {"setting": "base"}}
FILES = {
    "profile": 1, "name": "test/whole", "title": "Whole", "engine": "files", "version": "1",
    "settings": [{"name": "base", "kind": "path", "required": True, "help": "where everybody's lie"},
                 {"name": "owner", "kind": "integer", "required": True, "help": "who owns them"},
                 {"name": "most", "kind": "integer", "required": False, "help": "the most entries", "default": 5}],
    "collections": [
        {**copy.deepcopy(ROOT), "name": "home", "title": "Home", "kind": "folder", "needs": {"user": "text"}, "path": ["home", ["u-", {"id": "user"}]],
         "owner": {"user": {"id": "user"}}, "content": "mixed", "hard_links": "own", "limits": {"bytes": 1, "entries": {"setting": "most"}, "depth": 200},
         "fields": {"": "own"}},
        {**copy.deepcopy(ROOT), "name": "mail", "title": "Mail", "kind": "maildir", "needs": {"email": "text"}, "owner": {"uid": {"setting": "owner"}},
         "path": [{"id": "email", "part": "domain", "as": "lower"}, {"id": "email", "part": "local"}], "content": "own", "hard_links": "any"},
        {**copy.deepcopy(ROOT), "name": "box", "title": "Box", "kind": "mbox", "needs": {"user": "text"}, "path": [{"id": "user"}], "content": "own"},
        *({**copy.deepcopy(ROOT), "name": form, "title": form, "kind": "access_log", "needs": {"known_as": "text"}, "path": ["access.log"],
           "format": form, "match": {"field": field, "id": "known_as"}, "limits": {"bytes": 1, "entries": 1}}
          for form, field in (("common", "address"), ("combined", "user"), ("vhost_combined", "user"))),
    ],
}

PROFILES = {"rest": REST, "sql": SQL, "files": FILES}
