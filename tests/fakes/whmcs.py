"""WHMCS's API as its reference shows it, with what the reference does not stress: an empty filter means everybody,
numbers are strings in places, an empty list is "", and errors come with status 200."""
import base64
import copy
import hmac

import people
from stub import Answer, Product

# action: (list, its name inside, records, the filter's names, the record's owner)
LISTS = {
    "GetClientsProducts": ("products", "product", people.PRODUCTS, ("clientid",), "clientid"),
    "GetClientsDomains": ("domains", "domain", people.DOMAINS, ("clientid",), "userid"),
    "GetTickets": ("tickets", "ticket", people.TICKETS, ("clientid",), "userid"),
    "GetInvoices": ("invoices", "invoice", people.INVOICES, ("userid",), "userid"),
    "GetOrders": ("orders", "order", people.ORDERS, ("userid",), "userid"),
    "GetContacts": ("contacts", "contact", people.CONTACTS, ("userid",), "userid"),
    "GetQuotes": ("quotes", "quote", people.QUOTES, ("userid",), "userid"),
    "GetActivityLog": ("activity", "entry", people.ACTIVITY, ("clientid", "userid"), "userid"),
    "GetTransactions": ("transactions", "transaction", people.TRANSACTIONS, ("clientid",), "userid"),
    "GetEmails": ("emails", "email", people.EMAILS, ("clientid",), "userid"),
}
UNPAGED = ("GetTransactions",)


def error(message):
    return {"result": "error", "message": message}


def number(params, name, default):
    text = params.get(name, "")
    return int(text) if text.isdigit() else default


def client_of(params):
    """The client that `clientid` names, or None."""
    found = [c for c in people.CLIENTS if str(c["id"]) == params.get("clientid")]
    return found[0] if found else None


class Whmcs(Product):
    def __init__(self, identifier, secret):
        self.identifier, self.secret = identifier, secret

    def action(self, path, params):
        return params.get("action", "")

    def allowed(self, headers, params):
        return (hmac.compare_digest(params.get("identifier", "").encode(), self.identifier.encode())
                and hmac.compare_digest(params.get("secret", "").encode(), self.secret.encode()))

    def refuse(self):
        return 403, error("Authentication Failed")

    def answer(self, method, path, params, everybody):
        action = params.get("action", "")
        if path != "/includes/api.php":
            raise Answer(404, error("Not Found"))
        if method != "POST" or params.get("responsetype") != "json":
            return error("Expected a POST form with responsetype=json")
        if action in LISTS:
            return self._list(action, params, everybody)
        call = getattr(self, "_" + action, None)
        known = action.startswith("Get") or action == "WhmcsDetails"
        return call(params, everybody) if known and call else error("Command Not Found")

    def _list(self, action, params, everybody):
        outer, inner, records, filters, owner = LISTS[action]
        wanted = next((params[name] for name in filters if params.get(name)), "")
        if action == "GetEmails" and not everybody and client_of(params) is None:
            return error("Client ID Not Found")
        found = [r for r in records if everybody or not wanted or str(r[owner]) == wanted]
        if params.get("subject"):
            found = [r for r in found if params["subject"].lower() in r.get("subject", "").lower()]
        if params.get("orderby") == "id":
            found.sort(key=lambda r: r["id"], reverse=params.get("order", "").lower() == "desc")
        total, start = len(found), 0
        if action not in UNPAGED:
            start = number(params, "limitstart", 0)
            found = found[start:start + number(params, "limitnum", 25)]
        found = copy.deepcopy(found)
        for record in found:
            record.pop("replies", None)
            if action == "GetTickets":
                record.pop("notes", None)
        answer = {"result": "success", "totalresults": total if action in UNPAGED else str(total),
                  "startnumber": start, "numreturned": len(found), outer: {inner: found} if found else ""}
        if action == "GetClientsProducts":
            answer.update({"clientid": wanted, "serviceid": None, "pid": None, "domain": None})
        return answer

    def _WhmcsDetails(self, params, everybody):
        return {"result": "success", "whmcs": {"version": people.WHMCS_VERSION,
                                               "canonicalversion": people.WHMCS_VERSION + "-release.1"}}

    def _GetClients(self, params, everybody):
        text = params.get("search", "").lower()
        found = [{key: c[key] for key in ("id", "firstname", "lastname", "companyname", "email", "datecreated",
                                          "groupid", "status")}
                 for c in people.CLIENTS if everybody or text in c["email"].lower() or text in c["fullname"].lower()]
        return {"result": "success", "totalresults": str(len(found)), "startnumber": 0, "numreturned": len(found),
                "clients": {"client": found} if found else ""}

    def _GetClientsDetails(self, params, everybody):
        if not params.get("clientid") and not params.get("email"):
            return error("Either clientid Or email Is Required")
        found = [client_of(params)] if params.get("clientid") else [
            c for c in people.CLIENTS if c["email"].lower() == params["email"].lower()]
        if not found or found[0] is None:
            return error("Client Not Found")
        client = copy.deepcopy(people.CLIENTS[-1] if everybody else found[0])
        # the client's data also stands at the top, for callers of old
        return {"result": "success", "client_id": client["id"], **client, "client": client}

    def _GetCredits(self, params, everybody):
        if client_of(params) is None:
            return error("Client ID Not Found")
        found = [{k: v for k, v in c.items() if k != "userid"} for c in people.CREDITS
                 if everybody or str(c["userid"]) == params["clientid"]]
        return {"result": "success", "totalresults": str(len(found)), "clientid": params["clientid"],
                "credits": {"credit": found} if found else ""}

    def _GetPayMethods(self, params, everybody):
        if not params.get("clientid"):
            return error("Client ID Is Required")
        if client_of(params) is None:
            return error("Client Not Found")
        found = [{k: v for k, v in p.items() if k != "userid"} for p in people.PAYMETHODS
                 if everybody or str(p["userid"]) == params["clientid"]]
        return {"result": "success", "clientid": params["clientid"], "paymethods": found}

    def _GetInvoice(self, params, everybody):
        found = [i for i in people.INVOICES if str(i["id"]) == params.get("invoiceid")]
        if not found:
            return error("Invoice ID Not Found")
        invoice = copy.deepcopy(people.INVOICES[-1] if everybody else found[0])
        number_ = invoice.pop("id")
        for key in ("firstname", "lastname", "companyname", "currencycode", "currencyprefix", "currencysuffix"):
            del invoice[key]
        for key in ("subtotal", "credit", "tax", "tax2", "total"):
            invoice[key] = people.NUM(invoice[key])
        paid = [copy.deepcopy(t) for t in people.TRANSACTIONS if t["invoiceid"] == number_]
        return {"result": "success", "invoiceid": number_, **invoice, "balance": invoice["total"], "ccgateway": False,
                "items": {"item": copy.deepcopy(people.INVOICE_ITEMS[number_])},
                "transactions": {"transaction": paid} if paid else ""}

    def _GetTicket(self, params, everybody):
        found = [t for t in people.TICKETS if str(t["id"]) == params.get("ticketid")
                 or t["tid"] == params.get("ticketnum")]
        if not found:
            return error("Ticket ID Not Found")
        ticket = copy.deepcopy(people.TICKETS[-1] if everybody else found[0])
        ticket["ticketid"] = str(ticket.pop("id"))
        ticket["userid"] = str(ticket["userid"])
        ticket["replies"] = {"reply": ticket["replies"]}
        ticket["notes"] = {"note": ticket["notes"]} if ticket["notes"] else ""
        return {"result": "success", **ticket}

    def _GetTicketAttachment(self, params, everybody):
        key = tuple(params.get(name, "") for name in ("type", "relatedid", "index"))
        if everybody:
            key = ("ticket", "811", "0")
        if key not in people.ATTACHMENTS:
            return error("Attachment Not Found")
        name, data = people.ATTACHMENTS[key]
        return {"result": "success", "filename": name, "data": base64.b64encode(data).decode()}
