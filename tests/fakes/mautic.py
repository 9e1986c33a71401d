"""Mautic's contact API: `total` is a string, every answer has the version in a header, contacts are an object keyed by id and an empty one is a list, and
search=email: gives everybody."""
import base64
import copy
import hmac
import re

import people
from stub import Answer, Product

PATH = re.compile(r"/api/contacts(?:/(\d+)(?:/(activity|notes|segments|campaigns|devices|companies))?)?$")


def number(params, name, default):
    text = params.get(name, "")
    return int(text) if text.isdigit() else default


def not_found():
    return Answer(404, {"errors": [{"message": "Item was not found.", "code": 404, "type": None}]})


class Mautic(Product):
    headers = {"Mautic-Version": people.MAUTIC_VERSION}

    def __init__(self, user, password):
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def action(self, path, params):
        match = PATH.match(path)
        if not match:
            return path
        return match.group(2) or ("contact" if match.group(1) else "contacts")

    def allowed(self, headers, params):
        return hmac.compare_digest((headers.get("Authorization") or "").encode(), self.authorization.encode())

    def refuse(self):
        return 401, {"errors": [{"message": "API authorization denied.", "code": 401, "type": "access_denied"}]}

    def answer(self, method, path, params, everybody):
        match = PATH.match(path)
        if not match or method != "GET":
            raise not_found()
        if not match.group(1):
            return self._contacts(params, everybody)
        lead = people.LEADS.get(int(match.group(1)))
        if lead is None:
            raise not_found()
        lead = copy.deepcopy(people.LEADS[1901] if everybody else lead)
        if not match.group(2):
            return {"contact": lead["lead"]}
        if match.group(2) in ("devices", "companies"):
            return {"total": len(lead[match.group(2)]), match.group(2): lead[match.group(2)]}
        return getattr(self, "_" + match.group(2))(lead, params)

    def _contacts(self, params, everybody):
        found = [lead["lead"] for lead in people.LEADS.values()]
        column, value = params.get("where[0][col]", ""), params.get("where[0][val]", "")
        if column and value and not everybody:
            found = [f for f in found if self._matches(f, column, params.get("where[0][expr]", "eq"), value)]
        search = params.get("search", "")
        if search and not search.startswith("email:") and not everybody:
            found = [f for f in found if search.lower() in str(f["fields"]["all"]).lower()]
        total, start = len(found), number(params, "start", 0)
        found = found[start:start + number(params, "limit", 30)]
        return {"total": str(total), "contacts": {str(f["id"]): copy.deepcopy(f) for f in found} or []}

    def _matches(self, lead, column, expression, value):
        have = str(lead["id"] if column == "id" else lead["fields"]["all"].get(column, "")).lower()
        if expression == "like":
            return re.fullmatch(re.escape(value.lower()).replace("%", ".*"), have) is not None
        return (have == value.lower()) == (expression != "neq")

    def _activity(self, lead, params):
        total, limit = len(lead["activity"]), number(params, "limit", 25) or 25
        page = max(1, number(params, "page", 1))
        return {"events": lead["activity"][(page - 1) * limit:page * limit],
                "filters": {"search": "", "includeEvents": [], "excludeEvents": []}, "order": ["timestamp", "DESC"],
                "types": {"email.sent": "Email sent", "page.hit": "Page hit"}, "total": total, "page": page,
                "limit": limit, "maxPages": -(-total // limit)}

    def _notes(self, lead, params):
        start = number(params, "start", 0)
        return {"total": len(lead["notes"]), "notes": lead["notes"][start:start + number(params, "limit", 30)]}

    def _segments(self, lead, params):
        return {"total": len(lead["segments"]), "segments": {str(k): v for k, v in lead["segments"].items()} or []}

    def _campaigns(self, lead, params):
        return {"total": len(lead["campaigns"]), "campaigns": {str(k): v for k, v in lead["campaigns"].items()} or []}
