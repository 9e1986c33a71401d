"""listmonk's API: `search` is a regular expression over names and addresses, a page has fifty at most, a subscriber's
export gives what they saw and clicked, and an empty list of bounces is null."""
import base64
import copy
import hmac
import re

from stub import Answer, Product

PAGE_MAX = 50
VERSION = "3.0.0"


def _subscriber(number, email, mark):
    return {"id": number, "created_at": "2025-02-10T23:07:16.199433+01:00", "updated_at": "2025-02-10T23:07:16.199433+01:00",
            "uuid": f"ea06b2e7-4b08-4697-bcfc-{number:012}", "email": email, "name": "Alice Müller-Ångström",
            "attribs": {"city": "Zürich", "note": f"{mark}-attribute", "score": 1.5}, "status": "enabled",
            "lists": [{"subscription_status": "confirmed", "id": 1, "uuid": "ce13e971-c2ed-4069-bd0c-240e9a9f56f9",
                       "name": f"{mark}-list", "type": "private", "tags": [], "created_at": "2025-02-10T23:07:16.194843+01:00",
                       "updated_at": "2025-02-10T23:07:16.194843+01:00"}]}


def _bounce(number, of, mark):
    return {"id": number, "type": "hard", "source": "api", "meta": {"reason": f"{mark}-bounce-{number}"},
            "created_at": "2025-08-22T09:05:12.862877Z", "email": of["email"], "subscriber_uuid": of["uuid"],
            "subscriber_id": of["id"], "campaign": {"id": 2, "name": "Welcome"}}


# a pattern of Alice's address without escapes finds the third, and not her with a plus sign
SUBSCRIBERS = [_subscriber(7, "alice@example.test", "canary-alice"), _subscriber(8, "malice@example.test", "canary-malice"),
               _subscriber(9, "alice@exampleztest.example", "canary-malice"),
               _subscriber(10, "alice+news@example.test", "canary-plus")]
BOUNCES = [_bounce(1, SUBSCRIBERS[0], "canary-alice"), _bounce(2, SUBSCRIBERS[0], "canary-alice"),
           _bounce(3, SUBSCRIBERS[1], "canary-malice")]


def _mark(subscriber):
    return subscriber["attribs"]["note"].rpartition("-")[0]


def export(subscriber):
    mark = _mark(subscriber)
    profile = {key: each for key, each in subscriber.items() if key != "lists"}
    return {"profile": [profile],
            "subscriptions": [{"subscription_status": "confirmed", "name": "Private list", "type": "private",
                               "created_at": "2025-07-29T11:01:31.478677+05:30"}],
            "campaign_views": [{"campaign": f"{mark}-view-{at}", "views": at + 1} for at in range(3)],
            "link_clicks": [{"url": f"https://example.test/{mark}-click", "clicks": 2}]}


class Listmonk(Product):
    def __init__(self, user, token):
        self.authorization = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()

    def action(self, path, params):
        return re.sub(r"\d+", "ID", path)

    def allowed(self, headers, params):
        return hmac.compare_digest((headers.get("Authorization") or "").encode(), self.authorization.encode())

    def refuse(self):
        return 403, {"message": "invalid session or API credentials"}

    def answer(self, method, path, params, everybody):
        if path == "/api/config":
            return {"data": {"root_url": "https://lists.host.example", "messengers": ["email"], "lang": "en",
                             "needs_restart": False, "update": None, "version": "v" + VERSION}}
        if path == "/api/subscribers":
            return self._query(params, everybody)
        match = re.match(r"/api/subscribers/(\d+)(/export|/bounces)?$", path)
        found = [each for each in SUBSCRIBERS if match and each["id"] == int(match.group(1))]
        if not found:
            raise Answer(400, {"message": "Subscriber not found"})
        subscriber = copy.deepcopy(SUBSCRIBERS[1] if everybody else found[0])
        if match.group(2) == "/export":
            return export(subscriber)
        if match.group(2) == "/bounces":
            own = [each for each in BOUNCES if each["subscriber_id"] == subscriber["id"]]
            return {"data": copy.deepcopy(own) or None}
        return {"data": subscriber}

    def _query(self, params, everybody):
        text = "" if everybody else params.get("search", "")
        found = [each for each in SUBSCRIBERS if not text or re.search(text, each["email"], re.IGNORECASE)
                 or re.search(text, each["name"], re.IGNORECASE)]
        size, page = min(int(params.get("per_page", 20)), PAGE_MAX), int(params.get("page", 1))
        return {"data": {"results": copy.deepcopy(found[(page - 1) * size:page * size]), "query": "", "total": len(found),
                         "per_page": size, "page": page}}
