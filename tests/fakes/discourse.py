"""Discourse's admin API: without an address it lists everybody, addresses are shown only when they are asked for, actions
come thirty at a time as excerpts, and a post's text by a call of its own."""
import copy
import hmac
import re

from stub import Answer, Product

NEW_TOPIC, REPLY, LIKE, SENT, RECEIVED = 4, 5, 1, 12, 13
CHUNK = 30
VERSION = "3.2.0.beta2-dev"


def _user(number, username, email, mark):
    return {"id": number, "username": username, "name": "Alice Müller-Ångström", "email": email, "secondary_emails": [],
            "active": True, "admin": False, "moderator": False, "created_at": "2024-05-24T20:50:25.197Z", "trust_level": 1,
            "ip_address": "192.0.2.57", "registration_ip_address": "192.0.2.57", "user_fields": {"1": f"{mark}-field"},
            "suspended_by": {"id": 1, "username": "canary-staff-admin", "avatar_template": "/a.png"}, "groups": [],
            "title": f"{mark}-title", "single_sign_on_record": {"external_id": f"{mark}-sso", "last_payload": "canary-secret-x"}}


USERS = [_user(57, "alice", "alice@example.test", "canary-alice"), _user(157, "alice1", "malice@example.test", "canary-malice"),
         _user(58, "bob", "bob@example.test", "canary-bob")]
ALICE, MALICE, BOB = (each["id"] for each in USERS)


def _post(number, author, mark):
    user = next(each for each in USERS if each["id"] == author)
    return {"id": number, "name": user["name"], "username": user["username"], "created_at": "2024-10-03T13:37:16.594Z",
            "cooked": f"<p>{mark}</p>", "raw": mark, "post_number": 1, "topic_id": 8, "topic_slug": "t", "user_id": author,
            "edit_reason": None, "actions_summary": [],
            "reply_to_user": {"id": 59, "username": "canary-carol", "name": "canary-carol-name", "avatar_template": "/c.png"},
            "deleted_by": {"id": 1, "username": "canary-staff-admin", "name": "canary-staff-name", "avatar_template": "/a.png"},
            "mentioned_users": [{"id": 60, "username": "canary-erin", "name": "canary-erin-name", "avatar_template": "/e.png"}]}


POSTS = {each["id"]: each for each in (
    [_post(at, ALICE, f"canary-alice-post-{at}, says bob@example.test") for at in range(100, 165)]
    + [_post(200, ALICE, "canary-alice-sent"), _post(201, BOB, "canary-bob-to-alice"), _post(202, BOB, "canary-bob-post"),
       _post(203, MALICE, "canary-malice-post"), _post(204, MALICE, "canary-malice-sent")])}
# (kind, whose action, who acted, post)
ACTIONS = [*((NEW_TOPIC if at % 2 else REPLY, ALICE, ALICE, at) for at in range(100, 165)), (SENT, ALICE, ALICE, 200),
           (RECEIVED, ALICE, BOB, 201), (LIKE, ALICE, ALICE, 202), (NEW_TOPIC, MALICE, MALICE, 203),
           (LIKE, MALICE, MALICE, 202), (SENT, MALICE, MALICE, 204), (RECEIVED, BOB, ALICE, 200)]


def _action(kind, owner, actor, number):
    post = POSTS[number]
    names = {each["id"]: each["username"] for each in USERS}
    return {"excerpt": post["raw"][:10], "action_type": kind, "created_at": "2024-10-03T13:37:16.594Z", "slug": "t",
            "topic_id": 8, "target_user_id": owner, "target_name": "", "target_username": names[owner], "post_number": 1,
            "post_id": number, "username": names[post["user_id"]], "name": "", "user_id": post["user_id"],
            "acting_username": names[actor], "acting_name": "", "acting_user_id": actor, "title": "Hosting",
            "deleted": False, "hidden": False, "archived": False, "closed": False}


class Discourse(Product):
    def __init__(self, user, key):
        self.user, self.key = user, key

    def action(self, path, params):
        return re.sub(r"\d+", "ID", path) + (f"?{params['filter']}" if "filter" in params else "")

    def allowed(self, headers, params):
        return headers.get("Api-Username") == self.user and hmac.compare_digest(
            (headers.get("Api-Key") or "").encode(), self.key.encode())

    def refuse(self):
        return 403, {"errors": ["You are not permitted to view the requested resource."], "error_type": "invalid_access"}

    def answer(self, method, path, params, everybody):
        if path == "/admin/users.json":
            return self._users(params, everybody)
        if path == "/about.json":
            return {"about": {"stats": {"users_count": len(USERS)}, "title": "Forum", "locale": "en", "version": VERSION,
                              "https": True, "admins": [{"id": 1, "username": "canary-staff-admin"}], "moderators": []}}
        if path == "/user_actions.json":
            return self._actions(params, everybody)
        match = re.match(r"/(?:admin/users/(\d+)|posts/(\d+)|u/([^/]+)/emails)\.json$", path)
        if not match:
            raise self._missing()
        if match.group(2):
            if int(match.group(2)) not in POSTS:
                raise self._missing()
            return copy.deepcopy(POSTS[203 if everybody else int(match.group(2))])
        found = [each for each in USERS if str(each["id"]) == match.group(1) or each["username"] == match.group(3)]
        if not found:
            raise self._missing()
        user = copy.deepcopy(USERS[1] if everybody else found[0])
        if match.group(3):
            return {"email": user["email"], "secondary_emails": [], "unconfirmed_emails": [], "associated_accounts": []}
        del user["email"], user["secondary_emails"]
        return user

    @staticmethod
    def _missing():
        return Answer(404, {"errors": ["The requested URL or resource could not be found."], "error_type": "not_found"})

    def _users(self, params, everybody):
        address = "" if everybody else params.get("email", "").lower()
        found = [each for each in USERS if not address or each["email"] == address]
        keys = ["id", "username", "name", "active", "created_at", "trust_level"]
        keys += ["email", "secondary_emails"] if params.get("show_emails") == "true" else []
        return [] if int(params.get("page", 1)) > 1 else [{key: copy.deepcopy(each[key]) for key in keys} for each in found]

    def _actions(self, params, everybody):
        user = [each["id"] for each in USERS if each["username"] == params.get("username")]
        if not user:
            raise self._missing()
        kinds = [int(each) for each in params.get("filter", "").split(",") if each]
        found = [_action(*each) for each in ACTIONS if (everybody or each[1] == user[0]) and (not kinds or each[0] in kinds)]
        start = int(params.get("offset", 0))
        return {"user_actions": found[start:start + CHUNK]}
