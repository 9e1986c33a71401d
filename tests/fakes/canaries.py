"""What a person's bundle must hold and what it must never hold, and how many records the sources have of them.

Derived from people.py: the name of a mark says whose it is, an address belongs to whom it names. Search decoded text:
JSON may write "/" and letters beyond ASCII in more than one way."""
import re

import people

MARK = re.compile(r"canary-[a-z0-9-]*[a-z0-9]")
ADDRESS = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+test", re.IGNORECASE)

# never in any bundle, though no name says so
CARDS = ("4242 4242 4242 4242", "4242424242424242", "4242-4242-4242-4242")
IBANS = ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000")
# digits that look like a card or lose something as a double; they must arrive as they are
KEPT = {"alice": ("4242 4242 4242 4243", "12345678901234567890", "1000000.00", "1.10", "12345678901")}
# addresses of the host and of the person's own domains, which may stand or be masked
NEUTRAL = re.compile(r"@(?:alice|malice)-shop\.example\.test$|^webmaster@", re.IGNORECASE)


def _texts(value):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, bytes):
        yield value.decode()
    elif isinstance(value, str):
        yield value


def _everything():
    return "\n".join(_texts([value for name, value in vars(people).items() if name.isupper()]))


def _owners(mark):
    pm = re.match(r"canary-pm-(\w+)-to-(\w+)-", mark)
    return set(pm.groups()) if pm else {mark.split("-")[1]} & set(people.PEOPLE)


def canaries(person):
    """What must be in the person's bundle ("own": in records, "files": in files) and what must not ("foreign")."""
    text = _everything()
    marks = set(MARK.findall(text))
    own = {mark for mark in marks if person in _owners(mark)}
    addresses = {address.lower() for address in ADDRESS.findall(text) if not NEUTRAL.search(address)}
    addresses.add("colleague-15a9@alice-shop.example.test")
    addresses.discard(people.PEOPLE[person]["email"])
    files = {mark for mark in own if "-attachment-" in mark}
    return {"own": sorted(own - files) + list(KEPT.get(person, ())), "files": sorted(files),
            "foreign": sorted(marks - own) + sorted(addresses) + list(CARDS) + list(IBANS)}


def found(needle, text):
    """Does `text` hold it? alice@example.test is not found in malice@example.test."""
    return bool(_found([needle], text))


def _found(needles, text):
    lower = text.lower()  # where most of them end, and quickly
    return [each for each in needles if each.lower() in lower and re.search(
        (r"(?<![\w.+-])" if "@" in each else "") + re.escape(each), text, re.IGNORECASE)]


def missing(person, text, kind="own"):
    """What of `kind` ("own" or "files") is not in the text."""
    needles = canaries(person)[kind]
    there = set(_found(needles, text))
    return [each for each in needles if each not in there]


def leaked(person, text):
    """What is in the text and must not be."""
    return _found(canaries(person)["foreign"], text)


def counts(person):
    """{source: {collection: records}} of what the sources hold, `people.big` included; a source that does not know the
    person is left out. Sources and collections are named as in the profiles."""
    who = people.PEOPLE[person]
    held = {}
    if "client" in who:
        held["billing.whmcs"] = _billing(who["client"])
    if "panel" in who:
        held["hosting-panel.cpanel"] = {"account": 1, "settings": 1, "domains": 1,
                                        "mailboxes": len(people.PANEL[who["panel"]]["mailboxes"]),
                                        "databases": len(people.PANEL[who["panel"]]["databases"]),
                                        "ftp_accounts": len(people.PANEL[who["panel"]]["ftp"])}
    if "forum" in who:
        held["forum.phpbb"] = _forum(who["forum"])
    if "contact" in who:
        lead = people.LEADS[who["contact"]]
        held["marketing.mautic"] = {"contact": 1, **{name: len(lead[name])
                                                     for name in ("activity", "notes", "segments", "campaigns", "devices",
                                                                  "companies")}}
    return held


def _billing(client):
    def of(records, owner="userid"):
        return sum(1 for record in records if record[owner] == client)

    return {"client": 1, "products": of(people.PRODUCTS, "clientid"), "domains": of(people.DOMAINS),
            "emails": of(people.EMAILS), "tickets": of(people.TICKETS), "credits": of(people.CREDITS),
            "paymethods": of(people.PAYMETHODS), "activity": of(people.ACTIVITY), "invoices": of(people.INVOICES),
            "orders": of(people.ORDERS), "contacts": of(people.CONTACTS), "quotes": of(people.QUOTES),
            "transactions": of(people.TRANSACTIONS)}


def _forum(user):
    def of(table, column="user_id"):
        return sum(1 for row in people.PHPBB[table] if row.get(column) == user)

    log = sum(1 for row in people.PHPBB["log"] if user in (row["user_id"], row["reportee_id"]))
    return {"account": of("users"), "posts": of("posts", "poster_id"), "topics": of("topics", "topic_poster"),
            "private_messages": of("privmsgs_to"), "sessions": of("sessions", "session_user_id"),
            "session_keys": of("sessions_keys"), "log": log, "profile": of("profile_fields_data"),
            "attachments": of("attachments", "poster_id"), "drafts": of("drafts"), "bookmarks": of("bookmarks"),
            "poll_votes": of("poll_votes", "vote_user_id"), "topics_watch": of("topics_watch"),
            "forums_watch": of("forums_watch"), "zebra": of("zebra"), "login_attempts": of("login_attempts"),
            "oauth_accounts": of("oauth_accounts"), "reports": of("reports"), "warnings": of("warnings"),
            "bans": of("banlist", "ban_userid")}
