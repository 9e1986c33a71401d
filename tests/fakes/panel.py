"""WHM's API 1 and, through uapi_cpanel, cPanel's: a search is a regular expression unless it is told to be exact, and
a call that failed still answers 200, with metadata.result or data.uapi.status 0."""
import copy
import hmac
import re

import people
from stub import Answer, Product

FUNCTIONS = {
    "Email::list_pops_with_disk": "mailboxes",
    "DomainInfo::domains_data": "domains",
    "Variables::get_user_information": "user",
    "Mysql::list_databases": "databases",
    "Ftp::list_ftp_with_disk": "ftp",
}


class Panel(Product):
    def __init__(self, user, token):
        self.authorization = f"whm {user}:{token}"

    def action(self, path, params):
        call = path.rpartition("/")[2]
        if call == "uapi_cpanel":
            return f"{call}:{params.get('cpanel.module', '')}::{params.get('cpanel.function', '')}"
        return call

    def allowed(self, headers, params):
        return hmac.compare_digest((headers.get("Authorization") or "").encode(), self.authorization.encode())

    def refuse(self):
        return 403, {"cpanelresult": {"apiversion": "2", "error": "Access denied", "type": "text",
                                      "data": {"reason": "Access denied", "result": "0"}}}

    def answer(self, method, path, params, everybody):
        if not path.startswith("/json-api/"):
            raise Answer(404, {"status": 0, "statusmsg": "Not Found"})
        call = path[len("/json-api/"):]
        if call not in ("accountsummary", "listaccts", "uapi_cpanel", "version"):
            return self._failed(call, f"Unknown app (\u201c{call}\u201d) requested for this version (1) of the API.")
        if params.get("api.version") != "1":
            return {"status": 0, "statusmsg": "This stub speaks api.version=1 only"}
        return getattr(self, "_" + call)(params, everybody)

    def _wrap(self, command, data, result=1, reason="OK"):
        return {"data": data, "metadata": {"command": command, "reason": reason, "result": result, "version": 1}}

    def _failed(self, command, reason):
        return self._wrap(command, {}, 0, reason)

    def _version(self, params, everybody):
        return self._wrap("version", {"version": people.CPANEL_VERSION})

    def _accountsummary(self, params, everybody):
        user, domain = params.get("user"), params.get("domain")
        if not user and not domain:
            return self._failed("accountsummary", "You must specify a user or a domain.")
        found = [p["account"] for p in people.PANEL.values()
                 if everybody or p["account"]["user"] == user or (not user and p["account"]["domain"] == domain)]
        if not found:
            return self._failed("accountsummary", "Account does not exist.")
        return self._wrap("accountsummary", {"acct": copy.deepcopy(found)})

    def _listaccts(self, params, everybody):
        text, key = params.get("search", ""), params.get("searchtype") or "domain"
        accounts = [p["account"] for p in people.PANEL.values()]
        try:
            if params.get("searchmethod") == "exact":
                match = lambda value: value == text
            else:
                match = re.compile(text, re.IGNORECASE).search
        except re.error as problem:
            return self._failed("listaccts", f"Invalid regular expression: {problem}")
        found = [a for a in accounts if everybody or not text or match(str(a.get(key, "")))]
        return self._wrap("listaccts", {"acct": copy.deepcopy(found)})

    def _uapi_cpanel(self, params, everybody):
        panel = people.PANEL.get(params.get("cpanel.user", ""))
        if panel is None:
            return self._failed("uapi_cpanel", "The system cannot find that account.")
        if everybody:
            panel = people.PANEL["malice"]
        name = f"{params.get('cpanel.module', '')}::{params.get('cpanel.function', '')}"
        if name not in FUNCTIONS:
            return self._wrap("uapi_cpanel", {"uapi": {
                "status": 0, "errors": [f"Failed to load module or function \u201c{name}\u201d"], "messages": None,
                "warnings": None, "metadata": {}, "data": None}})
        data = copy.deepcopy(panel[FUNCTIONS[name]])
        if name == "Email::list_pops_with_disk" and params.get("regex"):
            data = [box for box in data if re.search(params["regex"], box["email"])]
        return self._wrap("uapi_cpanel", {"uapi": {"status": 1, "errors": None, "messages": None, "warnings": None,
                                                   "metadata": {"transformed": 1}, "data": data}})
