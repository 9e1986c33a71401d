"""Plesk's REST API: it lists all customers and cannot be asked for one by address, and without a domain it lists all FTP
users and databases."""
import copy
import hmac
import re

from stub import Answer, Product

VERSION = "18.0.57"


def _client(number, email, login, mark):
    return {"id": number, "created": "2019-05-03", "name": "Alice Müller-Ångström", "company": "", "login": login,
            "status": 0, "email": email, "locale": "de-DE", "guid": f"18cb3fed-0000-4000-8000-{number:012}",
            "owner_login": "canary-staff-reseller", "external_id": f"{mark}-external", "description": f"{mark}-description",
            "password": f"canary-secret-{mark}", "type": "customer"}


def _domain(number, owner, name):
    return {"id": number, "created": "2019-05-03", "name": name, "ascii_name": name, "base_domain_id": 0,
            "guid": f"28cb3fed-0000-4000-8000-{number:012}", "hosting_type": "virtual", "www_root": f"/var/www/{name}",
            "owner": owner}


CLIENTS = [_client(3, "Alice@Example.test", "alice", "canary-alice"), _client(4, "malice@example.test", "malice", "canary-malice"),
           _client(33, "lice@example.test", "alice2", "canary-malice")]
DOMAINS = [_domain(7, 3, "canary-alice-shop.example.test"), _domain(8, 3, "canary-alice-blog.example.test"),
           _domain(9, 4, "canary-malice-shop.example.test")]
# things of domains: kind, domain, what it is
BELOW = {
    "ftpusers": [{"id": at, "name": each["name"].split(".")[0] + "-ftp", "home": "/", "quota": -1,
                  "permissions": {"read": "true", "write": "true"}, "parent_domain": each["id"]}
                 for at, each in enumerate(DOMAINS, 1)],
    "databases": [{"id": at, "name": each["name"].split(".")[0] + "-database", "type": "mysql", "parent_domain": each["id"],
                   "server_id": 1, "default_user_id": None} for at, each in enumerate(DOMAINS, 1)],
}


class Plesk(Product):
    def __init__(self, key):
        self.key = key

    def action(self, path, params):
        return re.sub(r"\d+", "ID", path[len("/api/v2"):])

    def allowed(self, headers, params):
        return hmac.compare_digest((headers.get("X-API-Key") or "").encode(), self.key.encode())

    def refuse(self):
        return 401, {"code": 0, "message": "Authentication is required"}

    def answer(self, method, path, params, everybody):
        if path == "/api/v2/server":
            return {"platform": "Unix", "hostname": "panel.host.example", "guid": "38cb3fed-0000-4000-8000-000000000001",
                    "panel_version": VERSION, "panel_update_version": "2", "extension_version": "2.3.0"}
        if path == "/api/v2/clients":
            return copy.deepcopy(CLIENTS)
        if path.rpartition("/")[2] in BELOW:
            return self._below(path.rpartition("/")[2], params, everybody)
        match = re.match(r"/api/v2/clients/(\d+)(/domains|/statistics)?$", path)
        found = [each for each in CLIENTS if match and each["id"] == int(match.group(1))]
        if not found:
            raise Answer(404, {"code": 1013, "message": "Client does not exist"})
        client = CLIENTS[1] if everybody else found[0]
        if match.group(2) == "/statistics":
            return {"active_domains": sum(each["owner"] == client["id"] for each in DOMAINS), "disk_space": 12345678901}
        if match.group(2) == "/domains":
            return [{key: value for key, value in each.items() if key != "owner"} for each in DOMAINS
                    if each["owner"] == client["id"]]
        return copy.deepcopy(client)

    def _below(self, kind, params, everybody):
        wanted = "" if everybody else params.get("domain", "")
        if wanted and wanted not in [each["name"] for each in DOMAINS]:
            raise Answer(404, {"code": 1013, "message": "Domain does not exist"})
        return [copy.deepcopy(each) for each in BELOW[kind]
                if not wanted or [d["name"] for d in DOMAINS if d["id"] == each["parent_domain"]] == [wanted]]
