"""Mailchimp's Marketing API: members belong to audiences, `count` is 10 unless it is given, answers say whose they are in
email_id and list_id, and errors are problem documents."""
import base64
import copy
import hashlib
import hmac
import re
from urllib.parse import unquote

from stub import Answer, Product

PATH = re.compile(r"/3\.0/lists/([^/]+)/members/([^/]+)(?:/(activity-feed|notes|goals|events|tags))?$")
LISTS = [{"id": f"list{at:02}", "name": f"Audience {at}", "contact": {"company": "Example Host"}} for at in range(12)]
# of each person: the audiences that they are in
MEMBERS = {"alice@example.test": ("canary-alice", ("list03", "list11")),
           "malice@example.test": ("canary-malice", ("list03", "list04"))}
LONG = 25


def problem(status, title):
    return Answer(status, {"type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": title,
                           "status": status, "detail": "", "instance": "00000000-0000-0000-0000-000000000000"})


def hashed(address):
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def _member(address, audience):
    mark = f"{MEMBERS[address][0]}-{audience}"
    return {"id": hashed(address), "email_address": address, "unique_email_id": "9d5d", "contact_id": "9d5e",
            "full_name": "Alice Müller-Ångström", "web_id": 123456789012345678, "email_type": "html", "status": "subscribed",
            "merge_fields": {"FNAME": "Alice", "NOTE": f"{mark}-field"}, "interests": {"abc": True},
            "stats": {"avg_open_rate": 0.5, "avg_click_rate": 0}, "ip_signup": "192.0.2.57",
            "timestamp_signup": "2025-01-01T00:00:00+00:00", "ip_opt": "192.0.2.57", "member_rating": 2, "vip": False,
            "language": "de", "location": {"latitude": 47.36667, "longitude": 8.55, "country_code": "CH", "timezone": ""},
            "last_note": {"note_id": 1, "created_by": "canary-staff-writer", "note": f"{mark}-note-0"},
            "tags_count": 1, "tags": [{"id": 1, "name": f"{mark}-tag"}], "list_id": audience, "_links": []}


def below(address, audience, what):
    """All entries of one kind that hang on a member."""
    mark = f"{MEMBERS[address][0]}-{audience}"
    return {
        "activity-feed": [{"activity_type": "open", "created_at_timestamp": "2025-01-01T00:00:00+00:00",
                           "campaign_id": "c1", "campaign_title": f"{mark}-activity-{at}"} for at in range(LONG)],
        "notes": [{"id": 1, "created_at": "2025-01-01T00:00:00+00:00", "created_by": "canary-staff-writer",
                   "updated_at": "2025-01-01T00:00:00+00:00", "note": f"{mark}-note-0", "list_id": audience,
                   "email_id": hashed(address)}],
        "goals": [{"goal_id": 1, "event": f"{mark}-goal", "last_visited_at": "2025-01-01T00:00:00+00:00", "data": ""}],
        "events": [{"occurred_at": "2025-01-01T00:00:00+00:00", "name": f"{mark}-event-{at}", "properties": {}}
                   for at in range(LONG)],
        "tags": [{"id": 1, "name": f"{mark}-tag", "date_added": "2025-01-01T00:00:00+00:00"}],
    }[what]


class Mailchimp(Product):
    def __init__(self, key):
        self.key = key

    def action(self, path, params):
        match = PATH.match(path)
        return (match.group(3) or "member") if match else path

    def allowed(self, headers, params):
        kind, _, token = (headers.get("Authorization") or "").partition(" ")
        given = base64.b64decode(token) if kind == "Basic" else b""
        return hmac.compare_digest(given.partition(b":")[2], self.key.encode())

    def refuse(self):
        return 401, {"type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": "API Key Invalid",
                     "status": 401, "detail": "Your API key may be invalid.", "instance": ""}

    def answer(self, method, path, params, everybody):
        if path == "/3.0/ping":
            return {"health_status": "Everything's Chimpy!"}
        if path == "/3.0/lists":
            return self._page("lists", LISTS, params)
        match = PATH.match(path)
        if not match:
            raise problem(404, "Resource Not Found")
        audience, who, what = match.groups()
        who = unquote(who)
        found = [address for address, (_, audiences) in MEMBERS.items()
                 if audience in audiences and who.lower() in (address, hashed(address))]
        if everybody and audience in MEMBERS["malice@example.test"][1]:
            found = ["malice@example.test"]
        if not found:
            raise problem(404, "Resource Not Found")
        if not what:
            return _member(found[0], audience)
        member = "activity" if what == "activity-feed" else what
        answer = self._page(member, below(found[0], audience, what), params)
        return answer if what in ("events", "tags") else {**answer, "email_id": hashed(found[0]), "list_id": audience}

    def _page(self, member, entries, params):
        start, count = int(params.get("offset", 0)), int(params.get("count", 10))
        return {member: copy.deepcopy(entries[start:start + count]), "total_items": len(entries), "_links": []}
