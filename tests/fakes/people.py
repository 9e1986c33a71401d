"""The people of the example host and what its four systems hold of them, as plain data.

Alice asks for her data. Malice looks like her everywhere: names, ids and addresses contain hers or nearly. Bob writes
her private messages; Carol exists in the forum only; nobody knows Dave. Marks named canary-* are unique, so that a test
can say whose data it found: canary-alice-… is Alice's, canary-pm-bob-to-alice-… is both's, and any other, such as
canary-secret-…, belongs in nobody's bundle.

A value NUM("1.10") leaves as the JSON number 1.10, digit for digit.
"""

ALICE = {"email": "alice@example.test", "client": 4711, "panel": "alice", "forum": 57, "contact": 901}
MALICE = {"email": "malice@example.test", "client": 4712, "panel": "malice", "forum": 157, "contact": 1901}
BOB = {"email": "bob@example.test", "forum": 58}
CAROL = {"email": "carol@example.test", "forum": 59}
DAVE = {"email": "dave@example.test"}
PEOPLE = {"alice": ALICE, "malice": MALICE, "bob": BOB, "carol": CAROL, "dave": DAVE}


def NUM(digits):
    """A JSON number that keeps its digits: json.dumps would write 1.10 as 1.1."""
    return "@num:" + digits


# what the products say of themselves
WHMCS_VERSION, CPANEL_VERSION, PHPBB_VERSION, MAUTIC_VERSION = "8.13.1", "11.126.0.11", "3.3.10", "5.1.1"

# The id of the custom field in which this host keeps what it should not: its profile's setting must name it.
CVV_FIELD = 7

# ---- WHMCS ---------------------------------------------------------------------------------------------------------

def _client(who, uuid, first, last, mark, **more):
    client = {
        "client_id": who["client"], "owner_user_id": who["client"] + 100, "userid": who["client"], "id": who["client"],
        "uuid": uuid, "firstname": first, "lastname": last, "fullname": f"{first} {last}", "companyname": "",
        "email": who["email"], "address1": f"{mark}-street 1", "address2": "", "city": "Zürich", "fullstate": "ZH",
        "state": "ZH", "postcode": "8001", "countrycode": "CH", "country": "CH", "phonenumber": "0441234567",
        "tax_id": "", "email_preferences": {"general": 1, "invoice": 1, "support": 1, "product": 1, "domain": 1},
        "statecode": "ZH", "countryname": "Switzerland", "phonecc": 41, "phonenumberformatted": "+41.441234567",
        "billingcid": 0, "notes": "", "currency": 1, "defaultgateway": "", "cctype": "Visa", "cclastfour": "4242",
        "gatewayid": "", "groupid": 0, "status": "Active", "credit": "1000000.00", "taxexempt": False,
        "latefeeoveride": False, "overideduenotices": False, "separateinvoices": False, "disableautocc": False,
        "emailoptout": False, "marketing_emails_opt_in": True, "overrideautoclose": False, "allowSingleSignOn": 1,
        "email_verified": True, "language": "", "isOptedInToMarketingEmails": True, "tax_state": "ZH",
        "tax_countrycode": "CH", "currency_code": "CHF", "datecreated": "2019-02-03",
        "lastlogin": "Date: 03/10/2026 10:26<br>IP Address: 192.0.2.57<br>Host: host.example.test",
    }
    client.update(more)
    return client


CLIENTS = [
    _client(ALICE, "a11ce000-0000-4000-8000-000000004711", "Alice", "Müller-Ångström", "canary-alice-address-51aa",
            password="canary-secret-alice-client-hash-0d1e", securityqid=2,
            securityqans="canary-secret-alice-answer-77fe", notes="canary-staff-note-on-alice-3c3c",
            customfields=[{"id": 3, "value": "canary-alice-custom-vat-6b1d"},
                          {"id": CVV_FIELD, "value": "canary-cvv-alice-8812"}],
            # WHMCS repeats them, in their order
            customfields1="canary-alice-custom-vat-6b1d", customfields2="canary-cvv-alice-8812", users={"user": [
                {"id": 4811, "name": "Alice Müller-Ångström", "email": "alice@example.test", "is_owner": True},
                {"id": 4899, "name": "canary-delegate-name-9f2b", "email": "delegate-9f2b@other.example.test",
                 "is_owner": False}]}),
    _client(MALICE, "ma11ce00-0000-4000-8000-000000004712", "Malice", "Müller-Ångström", "canary-malice-address-51ab",
            password="canary-secret-malice-client-hash-0d1f", securityqid=0, securityqans="",
            customfields=[{"id": CVV_FIELD, "value": "canary-cvv-malice-8813"}], customfields1="canary-cvv-malice-8813",
            users={"user": [{"id": 4812, "name": "Malice Müller-Ångström", "email": "malice@example.test",
                             "is_owner": True}]}),
]


def _product(number, who, username, domain, mark):
    return {
        "id": number, "qty": "1", "clientid": who["client"], "orderid": str(number - 300),
        "ordernumber": "12345678901234567890",
        "pid": "1", "regdate": "2019-02-03", "name": "Starter", "translated_name": "Starter",
        "groupname": "Shared Hosting", "translated_groupname": "Shared Hosting", "domain": domain, "dedicatedip": "",
        "serverid": "1", "servername": "Saturn", "serverip": "192.0.2.1", "serverhostname": "saturn.example.test",
        "suspensionreason": "", "firstpaymentamount": "1.10", "recurringamount": "1.10", "paymentmethod": "stripe",
        "paymentmethodname": "Credit Card", "billingcycle": "Monthly", "nextduedate": "2026-12-03", "status": "Active",
        "username": username, "password": f"canary-secret-{mark}-product-password-{number}",
        "subscriptionid": f"canary-{mark}-product-{number}",
        "promoid": "0", "overideautosuspend": "", "overidesuspenduntil": "0000-00-00", "ns1": "", "ns2": "",
        "assignedips": "", "notes": f"canary-staff-product-note-{number}", "diskusage": "0", "disklimit": "0",
        "bwusage": "0",
        "bwlimit": "0", "lastupdate": "0000-00-00 00:00:00", "customfields": {"customfield": []},
        "configoptions": {"configoption": [
            {"id": "1", "option": "Backups", "type": "dropdown", "value": "daily"}]},
    }


PRODUCTS = [_product(501, ALICE, "alice", "alice-shop.example.test", "alice"),
            _product(502, ALICE, "", "alice-blog.example.test", "alice"),
            _product(511, MALICE, "malice", "malice-shop.example.test", "malice")]


def _domain(number, who, name, mark):
    return {
        "id": number, "userid": who["client"], "orderid": "201", "regtype": "Register", "domainname": name,
        "registrar": "enom", "regperiod": "1", "firstpaymentamount": "12.95", "recurringamount": "12.95",
        "paymentmethod": "stripe", "paymentmethodname": "Credit Card", "regdate": "2019-02-03",
        "expirydate": "2027-02-03", "nextduedate": "0000-00-00", "status": "Active",
        "subscriptionid": f"canary-{mark}-domain-{number}", "promoid": "0", "dnsmanagement": "0", "emailforwarding": "0", "idprotection": "0", "donotrenew": "0",
        "notes": f"canary-staff-domain-note-{number}",
    }


DOMAINS = [_domain(601, ALICE, "alice-shop.example.test", "alice"), _domain(602, ALICE, "zürich-älice.example.test",
                                                                            "alice"),
           _domain(611, MALICE, "malice-shop.example.test", "malice")]


def _email(number, who, subject, message, cc="", bcc=""):
    return {"id": number, "userid": who["client"], "subject": subject, "message": message,
            "date": "2026-01-01 13:26:50",
            "to": f"Client <{who['email']}>", "cc": cc, "bcc": bcc, "attachments": []}


EMAILS = [
    _email(701, ALICE, "Welcome, Alice", "<p>Welcome. canary-alice-email-70b1</p>", cc="cc-51de@other.example.test"),
    _email(702, ALICE, "Bank details",
           "<p>Please pay into DE89 3704 0044 0532 0130 00 or DE89370400440532013000. canary-alice-email-iban-70b2</p>",
           bcc="bcc-51df@other.example.test"),
    _email(703, ALICE, "ご請求書 №3", "<p>アリス様、請求書をお送りします。Ваш счёт. canary-alice-email-70b3</p>"),
    _email(711, MALICE, "Welcome, Malice", "<p>canary-malice-email-70c1</p>"),
]


def _reply(number, who, message, admin="", attachments=(), name="client"):
    return {"replyid": str(number), "userid": str(who["client"]), "contactid": "0",
            "name": "" if admin else name, "requestor_name": "" if admin else name, "email": "" if admin else who["email"], "date": "2026-01-02 06:27:01",
            "message": message, "attachment": "|".join(attachments), "attachments_removed": False,
            "attachments": [{"filename": name, "index": str(at)} for at, name in enumerate(attachments)],
            "admin": admin, "rating": "0"}


def _ticket(number, who, subject, mark, replies, notes=(), cc="", attachments=(), name="client"):
    return {"id": number, "tid": f"51{number}", "c": f"canary-secret-{mark}-ticket-c-{number}", "deptid": "1",
            "deptname": "Support", "userid": who["client"], "contactid": "0", "name": name, "email": who["email"],
            "requestor_name": name, "owner_name": name, "requestor_email": who["email"], "requestor_type": "Owner", "cc": cc,
            "date": "2026-01-02 06:26:29", "subject": subject, "status": "Closed", "priority": "Medium",
            "admin": "", "lastreply": "2026-01-03 06:30:16", "flag": "0", "service": "",
            "attachment": "|".join(attachments), "replies": replies, "notes": list(notes)}


ADMIN = "canary-admin-name-d00d"

TICKETS = [
    _ticket(801, ALICE, "My card", "alice", [
        _reply(0, ALICE, "My card is 4242 4242 4242 4242, or 4242424242424242 or 4242-4242-4242-4242, and my"
               " reference is 4242 4242 4242 4243. canary-alice-ticket-80a1"),
        _reply(1, ALICE, "Dear Alice, never send card numbers. Ask bob@example.test or malice@example.test."
               " canary-alice-ticket-80a2", admin=ADMIN),
    ], notes=[{"noteid": "1", "date": "2026-01-02 06:26:42", "message": "canary-staff-ticket-note-80a3",
               "admin": ADMIN}], cc="cc-80a4@other.example.test"),
    _ticket(802, ALICE, "Ça ne marche pas <b>du tout</b>", "alice", [
        _reply(0, ALICE,
               "<p>Hello &amp; <img src=x onerror=alert(1)></p>\r\n\r\n\u202eétrange – 日本語 – عربى \U0001f600\r\n"
               "canary-alice-ticket-80b1", attachments=["log-801.txt"]),
        _reply(2, ALICE, "=HYPERLINK(\"http://other.example.test\") canary-alice-ticket-80b2",
               attachments=["../../etc/CON.txt"], name="canary-colleague-name-80b3"),
    ], attachments=["log-801.txt"], name="canary-colleague-name-80b4"),
    _ticket(811, MALICE, "Alice's neighbour", "malice", [
        _reply(0, MALICE, "I am not alice. canary-malice-ticket-81a1", attachments=["malice.txt"])]),
]

# (type, relatedid, index): what GetTicketAttachment answers
ATTACHMENTS = {
    ("ticket", "802", "0"): ("log-801.txt", b"canary-alice-attachment-90a1\nline two\n"),
    ("reply", "2", "0"): ("../../etc/CON.txt", b"canary-alice-attachment-90a2\n"),
    ("ticket", "811", "0"): ("malice.txt", b"canary-malice-attachment-91a1\n"),
}

CREDITS = [
    {"id": 851, "userid": ALICE["client"], "date": "2026-01-01", "description": "canary-alice-credit-85a1",
     "amount": NUM("1000000.00"), "relid": 0, "admin_name": "canary-admin-credit-d00e"},
    {"id": 852, "userid": ALICE["client"], "date": "2026-01-02", "description": "canary-alice-credit-85a2",
     "amount": NUM("-1.10"), "relid": 0},
    {"id": 861, "userid": MALICE["client"], "date": "2026-01-02", "description": "canary-malice-credit-86a1",
     "amount": "5.00", "relid": "0"},
]

PAYMETHODS = [
    {"id": 871, "userid": ALICE["client"], "type": "RemoteCreditCard", "description": "canary-alice-paymethod-87a1",
     "gateway_name": "stripe", "contact_type": "Client", "contact_id": ALICE["client"], "card_last_four": "4242",
     "expiry_date": "02/29", "start_date": "", "issue_number": "", "card_type": "Visa",
     "remote_token": "{\"customer\":\"canary-secret-alice-remote-token-87a2\",\"method\":\"xxx\"}",
     "last_updated": "17/05/2026 10:01"},
    {"id": 872, "userid": ALICE["client"], "type": "BankAccount", "description": "canary-alice-paymethod-87a3",
     "gateway_name": "", "contact_type": "Client", "contact_id": ALICE["client"], "bank_name": "Bank of Example",
     "remote_token": "", "last_updated": "17/05/2026 10:01"},
    {"id": 881, "userid": MALICE["client"], "type": "RemoteBankAccount", "description": "canary-malice-paymethod-88a1",
     "gateway_name": "gocardless", "contact_type": "Client", "contact_id": MALICE["client"], "bank_name": "",
     "remote_token": "canary-secret-malice-remote-token-88a2", "last_updated": "17/05/2026 10:01"},
]

ACTIVITY = [
    {"id": 891, "userid": ALICE["client"], "date": "2026-01-01 17:24:26",
     "description": "Client Login - User ID: 4711 canary-alice-activity-89a1", "username": "Client",
     "ipaddress": "192.0.2.57"},
    {"id": 892, "userid": ALICE["client"], "date": "2026-01-01 17:25:26",
     "description": "Modified Client Profile canary-alice-activity-89a2", "username": "canary-admin-activity-d00f",
     "ipaddress": "203.0.113.201"},
    {"id": 893, "userid": MALICE["client"], "date": "2026-01-01 17:26:26",
     "description": "Client Login canary-malice-activity-89b1", "username": "Client", "ipaddress": "192.0.2.58"},
    {"id": 894, "userid": 0, "date": "2026-01-01 17:27:26", "description": "Cron Job canary-nobody-activity-89c1",
     "username": "System", "ipaddress": "127.0.0.1"},
]


def _invoice(number, who, total, status, mark):
    return {"id": number, "userid": who["client"], "firstname": "A", "lastname": "B", "companyname": "",
            "invoicenum": f"EX-{number}", "date": "2026-01-01", "duedate": "2026-01-08",
            "datepaid": "0000-00-00 00:00:00", "last_capture_attempt": "0000-00-00 00:00:00",
            "date_refunded": "0000-00-00 00:00:00", "date_cancelled": "0000-00-00 00:00:00", "subtotal": total,
            "credit": "0.00", "tax": "0.00", "tax2": "0.00", "total": total, "taxrate": "0.00", "taxrate2": "0.00",
            "status": status, "paymentmethod": "stripe", "paymethodid": None,
            "notes": f"canary-{mark}-invoice-{number}", "created_at": "2026-01-01 10:00:00",
            "updated_at": "2026-01-01 10:00:00", "currencycode": "CHF", "currencyprefix": "Fr. ", "currencysuffix": ""}


INVOICES = [_invoice(1001, ALICE, "1.10", "Unpaid", "alice"), _invoice(1002, ALICE, "1000000.00", "Paid", "alice"),
            _invoice(1003, ALICE, "0.30", "Cancelled", "alice"), _invoice(1011, MALICE, "7.70", "Paid", "malice")]
INVOICE_ITEMS = {number: [{"id": number * 10, "type": "Hosting", "relid": "501",
                           "description": f"canary-{mark}-item-{number}", "amount": NUM(amount), "taxed": "0"}]
                 for number, mark, amount in ((1001, "alice", "1.10"), (1002, "alice", "1000000.00"),
                                              (1003, "alice", "0.30"), (1011, "malice", "7.70"))}


def _order(number, who, invoice, mark):
    return {"id": number, "ordernum": 12345678901234567890, "userid": who["client"], "contactid": 0,
            "requestor_id": who["client"] + 100, "admin_requestor_id": 0, "date": "2026-01-01 13:59:35",
            "nameservers": "ns1.example.test,ns2.example.test",
            "transfersecret": f"canary-secret-{mark}-transfer-{number}", "renewals": "",
            "renewalsByType": {"domains": [], "services": [], "addons": []}, "promocode": "", "promotype": "",
            "promovalue": "", "orderdata": "[]", "amount": "1.10", "paymentmethod": "stripe", "invoiceid": invoice,
            "status": "Active", "ipaddress": "192.0.2.57", "fraudmodule": "fraudlabs",
            "fraudoutput": f"canary-fraud-{mark}-{number}", "notes": f"canary-{mark}-order-{number}",
            "paymentmethodname": "Stripe", "paymentstatus": "Paid", "name": "client", "currencyprefix": "Fr. ",
            "currencysuffix": "", "frauddata": "", "validationdata": "",
            "lineitems": {"lineitem": [{"type": "product", "relid": 501, "producttype": "Hosting", "product": "Starter",
                                        "domain": "alice-shop.example.test", "billingcycle": "Monthly",
                                        "amount": "1.10", "status": "Active"}]}}


ORDERS = [_order(201, ALICE, 1001, "alice"), _order(202, ALICE, 1002, "alice"), _order(211, MALICE, 1011, "malice")]


def _contact(number, who, mark):
    return {"id": number, "userid": who["client"], "firstname": f"canary-contact-{mark}-first", "lastname": "Contact",
            "companyname": "", "email": f"contact-{mark}@other.example.test", "address1": "404 Street", "address2": "",
            "city": "Test", "state": "", "postcode": "8002", "country": "CH", "phonenumber": "", "tax_id": "",
            "subaccount": "0", "password": f"canary-secret-{mark}-contact-password", "permissions": "",
            "domainemails": "1", "generalemails": "1", "invoiceemails": "1", "productemails": "1",
            "supportemails": "1", "affiliateemails": "1", "pwresetkey": f"canary-secret-{mark}-contact-reset",
            "created_at": "0000-00-00 00:00:00", "updated_at": "0000-00-00 00:00:00",
            "pwresetexpiry": "0000-00-00 00:00:00"}


CONTACTS = [_contact(1101, ALICE, "aa01"), _contact(1111, MALICE, "bb01")]

QUOTES = [
    {"id": 1201, "subject": "canary-alice-quote-12a1", "stage": "Delivered", "validuntil": "2026-02-01",
     "userid": ALICE["client"], "firstname": "", "lastname": "", "companyname": "", "email": "", "address1": "",
     "address2": "", "city": "", "state": "", "postcode": "", "country": "CH", "phonenumber": "", "currency": 1,
     "subtotal": "9.90", "tax1": "0.00", "tax2": "0.00", "total": "9.90", "proposal": "A proposal",
     "customernotes": "For you", "adminnotes": "canary-staff-quote-note-12a2", "datecreated": "2026-01-01",
     "lastmodified": "2026-01-01", "datesent": "0000-00-00", "dateaccepted": "0000-00-00",
     "items": {"item": [{"id": 1, "description": "canary-alice-quote-item-12a3", "quantity": "1", "unitprice": "10.00",
                         "discount": "1.00", "taxable": "0"}]}},
]


def _transaction(number, who, invoice, amount, mark):
    return {"id": number, "userid": who["client"], "currency": 0, "gateway": "stripe", "date": "2026-01-01 06:41:11",
            "description": f"canary-{mark}-transaction-{number}", "amountin": amount, "fees": "0.00",
            "amountout": "0.00",
            "rate": "1.00000", "transid": f"147973207{number}", "invoiceid": invoice,
            "refundid": 0}


TRANSACTIONS = [_transaction(1301, ALICE, 1001, "1.10", "alice"),
                _transaction(1302, ALICE, 1002, "1000000.00", "alice"),
                _transaction(1311, MALICE, 1011, "7.70", "malice")]


def big(count):
    """Adds `count` tickets and e-mails to Alice's, so that there is something to page through."""
    for at in range(count):
        number = 100000 + at
        TICKETS.append(_ticket(number, ALICE, f"Generated {at}", "alice", [
            _reply(0, ALICE, f"Generated ticket {at}. " + "Lorem ipsum dolor sit amet. " * 20)]))
        EMAILS.append(_email(number, ALICE, f"Generated {at}", f"<p>Generated message {at}.</p>"))


# ---- WHM and cPanel ------------------------------------------------------------------------------------------------

def _account(who, domain, mark):
    return {"backup": 0, "child_nodes": [], "disklimit": "unlimited", "diskused": "14M", "domain": domain,
            "email": who["email"], "inodeslimit": "unlimited", "inodesused": 1412, "ip": "192.0.2.1",
            "ipv6": ["2001:db8::57"], "is_locked": 0, "legacy_backup": 0, "mailbox_format": "maildir",
            "max_defer_fail_percentage": "unlimited", "max_email_per_hour": "unlimited",
            "max_emailacct_quota": "unlimited", "maxaddons": "unlimited", "maxftp": "unlimited",
            "maxlst": "unlimited", "maxparked": "unlimited", "maxpop": "unlimited", "maxsql": "unlimited",
            "maxsub": "unlimited", "min_defer_fail_to_trigger_protection": "5", "outgoing_mail_hold": 0,
            "outgoing_mail_suspended": 0, "owner": "root", "partition": "home", "plan": f"canary-{mark}-plan-14a1",
            "shell": "/bin/bash", "startdate": "19 Feb 03 16:03", "suspended": 0, "suspendreason": "not suspended",
            "suspendtime": None, "temporary": 0, "theme": "jupiter", "uid": "1057", "unix_startdate": 1549209789,
            "user": who["panel"]}


def _mailbox(address):
    user, domain = address.split("@")
    return {"email": address, "login": address, "user": user, "domain": domain, "diskquota": "unlimited",
            "diskused": "0.05", "_diskquota": 0, "_diskused": 52428, "diskusedpercent": 0, "diskusedpercent20": 0,
            "humandiskquota": "None", "humandiskused": "51.2 KB", "txtdiskquota": "unlimited",
            "suspended_incoming": 0, "suspended_login": 0, "hold_outgoing": 0, "suspended_outgoing": 0,
            "has_suspended": 0, "mtime": 1767225600}


def _domain_data(who, domain, kind, mark):
    home = f"/home/{who['panel']}"
    return {"domain": domain, "type": kind, "documentroot": f"{home}/canary-{mark}", "homedir": home,
            "user": who["panel"], "group": who["panel"], "owner": "root", "ip": "192.0.2.1", "ipv6": None,
            "servername": domain, "serveralias": f"www.{domain} mail.{domain}", "serveradmin": f"webmaster@{domain}",
            "hascgi": "1", "usecanonicalname": "Off", "userdirprotect": "", "phpopenbasedirprotect": "1",
            "no_cache_update": "0"}


def _panel_user(who, domain, mark):
    return {"user": who["panel"], "home": f"/home/{who['panel']}", "domain": domain, "domains": [domain],
            "contact_email": who["email"], "contact_email_2": f"second@{domain}",
            "cgi_enabled": "1", "dkim_enabled": "1", "shell": "/bin/bash", "theme": "jupiter", "locale": "en",
            "notification_language": "en", "plan": f"canary-{mark}", "ip": "192.0.2.1", "uid": "1057",
            "last_modified": 1767225600, "created": 1549209789, "maximum_databases": "unlimited",
            "demo": "0", "bandwidth_limit": "0", "owner": "root", "temporary": "0"}


def _ftp(user, name, domain):
    return {"login": f"{name}@{domain}", "serverlogin": f"{name}@{domain}", "accttype": "sub", "deleteable": 1,
            "dir": f"/home/{user}/{name}", "reldir": name, "htmldir": f"%2fhome%2f{user}%2f{name}", "diskquota": "unlimited",
            "diskused": "0.00", "_diskquota": "0", "_diskused": "0", "diskusedpercent": 0, "diskusedpercent20": 0}


PANEL = {
    "alice": {
        "account": _account(ALICE, "alice-shop.example.test", "alice"),
        "mailboxes": [_mailbox("alice@alice-shop.example.test"),
                      _mailbox("colleague-15a9@alice-shop.example.test")],
        "domains": {"main_domain": _domain_data(ALICE, "alice-shop.example.test", "main_domain", "alice-docroot-16a1"),
                    "addon_domains": [], "parked_domains": ["alice-blog.example.test"],
                    "sub_domains": [_domain_data(ALICE, "dev.alice-shop.example.test", "sub_domain",
                                                 "alice-docroot-16a2")]},
        "user": _panel_user(ALICE, "alice-shop.example.test", "alice-panel-17a1"),
        "databases": [{"database": f"alice_canary-alice-db-17a{at}", "disk_usage": 12345678901, "users": ["alice_web"]}
                      for at in (2, 3)],
        "ftp": [_ftp("alice", "canary-alice-ftp-17a4", "alice-shop.example.test")],
    },
    "malice": {
        "account": _account(MALICE, "malice-shop.example.test", "malice"),
        "mailboxes": [_mailbox("info@malice-shop.example.test")],
        "domains": {"main_domain": _domain_data(MALICE, "malice-shop.example.test", "main_domain",
                                                "malice-docroot-16b1"),
                    "addon_domains": [], "parked_domains": [], "sub_domains": []},
        "user": _panel_user(MALICE, "malice-shop.example.test", "malice-panel-17b1"),
        "databases": [{"database": "malice_canary-malice-db-17b2", "disk_usage": 1, "users": []}],
        "ftp": [_ftp("malice", "canary-malice-ftp-17b4", "malice-shop.example.test")],
    },
}

# ---- Mautic --------------------------------------------------------------------------------------------------------


def _field(number, alias, value, group="core"):
    return {"id": str(number), "label": alias.title(), "alias": alias, "type": "text", "group": group, "value": value}


def _lead(number, email, first, mark):
    every = {"title": "", "firstname": first, "lastname": "Müller-Ångström", "email": email, "city": "Zürich",
             "position": f"canary-{mark}", "points": 10}
    return {"id": number, "isPublished": True, "dateAdded": "2019-02-03T12:27:12+00:00", "createdBy": 1,
            "createdByUser": "canary-marketer-name-18ff", "dateModified": None, "modifiedBy": None,
            "modifiedByUser": None,
            "owner": {"id": 1, "username": "canary-marketer-user-18fe", "firstName": "Joe", "lastName": "Smith"},
            "points": 10, "color": "", "lastActive": "2026-01-01T14:19:37+00:00",
            "dateIdentified": "2019-02-03T12:27:12+00:00",
            "ipAddresses": {"192.0.2.57": {"ip": "192.0.2.57", "ipDetails": {
                "city": "", "region": "", "country": "", "latitude": "", "longitude": "", "isp": "",
                "organization": "", "timezone": ""}}},
            "fields": {"core": {alias: _field(at, alias, value) for at, (alias, value) in enumerate(every.items(), 1)
                                if alias != "points"},
                       "social": [], "personal": [], "professional": [], "all": {"id": number, **every}},
            "tags": [], "utmtags": [], "stage": None, "doNotContact": []}


def _event(lead, kind, label, mark):
    return {"event": kind, "eventId": f"{kind}{lead}", "icon": "ri-mail-line", "eventType": label,
            "eventLabel": {"label": f"canary-{mark}", "href": "/s/emails/view/7"}, "eventPriority": -4,
            "timestamp": "2026-01-01T16:14:34+00:00", "featured": False, "contactId": str(lead),
            "details": {"stat": {"id": "796", "subject": "Offers", "isRead": "0", "timeToRead": False,
                                 "openDetails": []}, "type": "sent"}}


LEADS = {
    901: {"lead": _lead(901, "alice@example.test", "Alice", "alice-lead-19a1"),
          "activity": [_event(901, "email.sent", "Email sent", f"alice-activity-20a{at:02}") for at in range(31)],
          "notes": [{"id": 1, "text": "<p>canary-alice-note-21a1. Knows malice@example.test.</p>", "type": "general",
                     "dateTime": "2026-01-01T13:14:00+00:00"}],
          "segments": {3: {"id": 3, "name": "canary-alice-segment-22a1", "alias": "newcontacts",
                           "dateAdded": "2026-01-01T13:14:00+00:00", "manuallyAdded": True,
                           "manuallyRemoved": False}},
          "campaigns": {1: {"id": 1, "name": "canary-alice-campaign-23a1", "dateAdded": "2026-01-01T14:11:47+00:00",
                            "manuallyRemoved": False, "manuallyAdded": False, "list_membership": [3]}},
          "devices": [{"id": 60, "lead": [], "clientInfo": [], "device": "canary-alice-device-23a2", "deviceOsName": "Ubuntu",
                       "deviceOsShortName": "UBT", "deviceOsPlatform": "x64"}],
          "companies": [{"company_id": "420", "date_associated": "2026-01-01 13:03:10", "is_primary": "0",
                         "companyname": "canary-alice-company-23a3", "companyemail": "office@other.example.test"}]},
    # a third person, whose plus address has Alice's as its beginning
    902: {"lead": _lead(902, "alice+news@example.test", "Alicia", "alicia-lead-19b1"), "activity": [], "notes": [],
          "segments": {}, "campaigns": {}, "devices": [], "companies": []},
    1901: {"lead": _lead(1901, "malice@example.test", "Malice", "malice-lead-19c1"),
           "activity": [_event(1901, "page.hit", "Page hit", "malice-activity-20c1")],
           "notes": [{"id": 2, "text": "<p>canary-malice-note-21c1</p>", "type": "general",
                      "dateTime": "2026-01-01T13:14:00+00:00"}],
           "segments": {}, "campaigns": {}, "companies": [],
           "devices": [{"id": 61, "device": "canary-malice-device-23c2", "deviceOsName": "Ubuntu"}]},
}

# ---- phpBB: rows of the tables in phpbb.sql; text is stored as phpBB does it, in its XML -----------------------------


def _user(number, name, email, mark, **more):
    row = {"user_id": number, "user_type": 0, "group_id": 2, "user_ip": f"198.51.100.{number % 250}",
           "user_regdate": 1549209789, "username": name, "username_clean": name.lower(),
           "user_password": f"canary-secret-{mark}-forum-hash-24a1", "user_email": email, "user_birthday": " 1- 2-1980",
           "user_lang": "de", "user_posts": 2, "user_sig": f"<t>canary-{mark}-signature-24a2</t>",
           "user_jabber": "", "user_actkey": f"canary-secret-{mark}-actkey",
           "user_form_salt": f"canary-secret-{mark}-salt",
           "user_newpasswd": f"canary-secret-{mark}-newpasswd", "reset_token": f"canary-secret-{mark}-reset",
           "user_lastpage": "viewtopic.php"}
    row.update(more)
    return row


def _post(number, poster, topic, text, **more):
    return {"post_id": number, "topic_id": topic, "forum_id": 2, "poster_id": poster,
            "poster_ip": f"198.51.100.{poster % 250}",
            "post_time": 1700000000 + number, "post_subject": "Re: Hosting", "post_text": text, "post_visibility": 1,
            **more}


def _pm(number, author, to, text, bcc=""):
    name = {57: "alice", 157: "malice", 58: "bob", 59: "carol"}[author]
    return {"msg_id": number, "author_id": author, "author_ip": f"canary-{name}-ip-{number}",
            "message_time": 1700000000 + number,
            "message_subject": f"Subject {number}", "message_text": text, "to_address": f"u_{to}", "bcc_address": bcc}


def _to(number, user, author, folder):
    return {"msg_id": number, "user_id": user, "author_id": author, "folder_id": folder, "pm_new": 0, "pm_unread": 0}


PHPBB = {
    "config": [{"config_name": "version", "config_value": PHPBB_VERSION}],
    "users": [
        _user(1, "Anonymous", "", "guest", user_type=2),
        _user(2, "admin", "admin@host.example.test", "forumadmin", user_type=3),
        _user(57, "alice", "Alice@Example.Test", "alice"),
        _user(157, "malice", "malice@example.test", "malice"),
        _user(58, "bob", "bob@example.test", "bob"),
        _user(59, "Çarol", "carol@example.test", "carol"),
    ],
    "forums": [{"forum_id": 2, "parent_id": 0, "forum_name": "Hosting", "forum_desc": "",
                "forum_password": "canary-secret-forum-password"}],
    "topics": [{"topic_id": 5, "forum_id": 2, "topic_title": "Slow host", "topic_poster": 57,
                "topic_time": 1700000001, "topic_first_poster_name": "alice", "topic_last_poster_name": "malice",
                "poll_title": "Which?", "poll_start": 1700000001},
               {"topic_id": 6, "forum_id": 2, "topic_title": "Fast host", "topic_poster": 157,
                "topic_time": 1700000002, "topic_first_poster_name": "malice"}],
    "posts": [
        _post(101, 57, 5, "<t>&lt;script&gt;alert(document.domain)&lt;/script&gt; canary-alice-post-26a1</t>"),
        _post(102, 57, 6, "<r><B><s>[b]</s>Ünïcödé – Ελληνικά<e>[/b]</e></B><br/>canary-alice-post-26a2</r>"),
        _post(103, 57, 6, "<t>canary-alice-post-softdeleted-26a3</t>", post_visibility=2, post_delete_user=2,
              post_delete_reason="Off topic"),
        _post(104, 157, 5, "<t>canary-malice-post-26b1</t>"),
        _post(105, 58, 5,
              "<r><QUOTE author=\"alice\"><s>[quote=alice]</s>hello<e>[/quote]</e></QUOTE>canary-bob-post-26c1</r>"),
        _post(106, 1, 5, "<t>canary-guest-post-26d1</t>", post_username="bob-as-guest"),
        _post(107, 59, 5, "<t>canary-carol-post-26e1</t>"),
    ],
    "privmsgs": [
        _pm(201, 58, 57, "<t>canary-pm-bob-to-alice-27a1, write to bob@example.test</t>", bcc="u_2:u_59"),
        _pm(202, 57, 58, "<t>canary-pm-alice-to-bob-27a2</t>"),
        _pm(203, 58, 157, "<t>canary-pm-bob-to-malice-27b1</t>"),
        _pm(204, 157, 58, "<t>canary-pm-malice-to-bob-27b2</t>"),
        _pm(205, 59, 58, "<t>canary-pm-carol-to-bob-27e1</t>"),
    ],
    "privmsgs_to": [
        _to(201, 57, 58, 0), _to(201, 58, 58, -1), _to(202, 58, 57, 0), _to(202, 57, 57, -1), _to(203, 157, 58, 0),
        _to(203, 58, 58, -1), _to(204, 58, 157, 0), _to(204, 157, 157, -1), _to(205, 58, 59, 0), _to(205, 59, 59, -1),
    ],
    "sessions": [
        {"session_id": "canary-secret-alice-session-28a1", "session_user_id": 57, "session_ip": "198.51.100.57",
         "session_browser": "canary-alice-browser-28a2", "session_start": 1700000000, "session_time": 1700000100},
        {"session_id": "canary-secret-guest-session-28d1", "session_user_id": 1, "session_ip": "198.51.100.99",
         "session_browser": "canary-guest-browser-28d2", "session_start": 1700000000, "session_time": 1700000100},
        {"session_id": "canary-secret-malice-session-28b", "session_user_id": 157, "session_ip": "198.51.100.157",
         "session_browser": "canary-malice-browser-28b2", "session_start": 1700000000, "session_time": 1700000100},
    ],
    "sessions_keys": [
        {"key_id": "canary-secret-alice-key-29a1", "user_id": 57, "last_ip": "198.51.100.57", "last_login": 1700000000},
        {"key_id": "canary-secret-malice-key-29b1", "user_id": 157, "last_ip": "198.51.100.157",
         "last_login": 1700000000},
    ],
    "log": [
        {"log_id": 1, "log_type": 3, "user_id": 57, "reportee_id": 57, "log_ip": "198.51.100.57",
         "log_time": 1700000000, "log_operation": "LOG_USER_UPDATE_EMAIL",
         "log_data": "a:2:{i:0;s:24:\"canary-alice-log-30a1-ab\";i:1;s:5:\"alice\";}"},
        # what a moderator did about Alice: the act is hers to know, who and from where is not
        {"log_id": 2, "log_type": 3, "user_id": 2, "reportee_id": 57, "log_ip": "canary-moderator-ip-30a2",
         "log_time": 1700000001, "log_operation": "LOG_USER_FEEDBACK",
         "log_data": "a:1:{i:0;s:24:\"canary-alice-log-30a3-ab\";}"},
        {"log_id": 3, "log_type": 3, "user_id": 157, "reportee_id": 157, "log_ip": "198.51.100.157",
         "log_time": 1700000002, "log_operation": "LOG_USER_UPDATE_EMAIL",
         "log_data": "a:1:{i:0;s:22:\"canary-malice-log-30b1\";}"},
    ],
    "profile_fields_data": [
        {"user_id": 57, "pf_phpbb_location": "canary-alice-location-31a1", "pf_phpbb_interests": "Öl"},
        {"user_id": 157, "pf_phpbb_location": "canary-malice-location-31b1"},
    ],
    "attachments": [
        {"attach_id": 1, "post_msg_id": 101, "topic_id": 5, "poster_id": 57, "is_orphan": 0,
         "physical_filename": "57_0a1b2c", "real_filename": "canary-alice-file-32a1.png",
         "extension": "png", "mimetype": "image/png", "filesize": 12345678901, "filetime": 1700000000},
        {"attach_id": 2, "post_msg_id": 104, "topic_id": 5, "poster_id": 157, "is_orphan": 0,
         "physical_filename": "157_x", "real_filename": "canary-malice-file-32b1.png", "extension": "png",
         "mimetype": "image/png", "filesize": 1, "filetime": 1700000000},
    ],
    "drafts": [{"draft_id": 1, "user_id": 57, "save_time": 1700000000, "draft_subject": "Draft",
                "draft_message": "<t>canary-alice-draft-33a1</t>"},
               {"draft_id": 2, "user_id": 157, "save_time": 1700000000, "draft_subject": "Draft",
                "draft_message": "<t>canary-malice-draft-33b1</t>"}],
    "bookmarks": [{"topic_id": 6, "user_id": 57}, {"topic_id": 5, "user_id": 157}],
    "poll_votes": [{"topic_id": 5, "poll_option_id": 1, "vote_user_id": 57, "vote_user_ip": "198.51.100.57"},
                   {"topic_id": 5, "poll_option_id": 2, "vote_user_id": 157, "vote_user_ip": "198.51.100.157"},
                   {"topic_id": 5, "poll_option_id": 2, "vote_user_id": 1, "vote_user_ip": "198.51.100.99"}],
    "topics_watch": [{"topic_id": 6, "user_id": 57}, {"topic_id": 5, "user_id": 157}],
    "forums_watch": [{"forum_id": 2, "user_id": 57}],
    "zebra": [{"user_id": 57, "zebra_id": 157, "friend": 0, "foe": 1}, {"user_id": 58, "zebra_id": 57, "friend": 1},
              {"user_id": 157, "zebra_id": 57, "friend": 1}],
    "login_attempts": [{"attempt_ip": "198.51.100.57", "attempt_browser": "canary-alice-attempt-34a1",
                        "attempt_time": 1700000000, "user_id": 57, "username": "alice", "username_clean": "alice"},
                       {"attempt_ip": "203.0.113.99", "attempt_browser": "canary-nobody-attempt-34d1",
                        "attempt_time": 1700000000, "user_id": 0, "username": "alice", "username_clean": "alice"}],
    "oauth_accounts": [{"user_id": 57, "provider": "google", "oauth_provider_id": "canary-alice-oauth-35a1"},
                       {"user_id": 157, "provider": "google", "oauth_provider_id": "canary-malice-oauth-35b1"}],
    "oauth_tokens": [{"user_id": 57, "session_id": "canary-secret-alice-session-28a1", "provider": "google",
                      "oauth_token": "canary-secret-alice-oauth-token-36a1"}],
    "reports": [{"report_id": 1, "reason_id": 1, "post_id": 104, "user_id": 57, "report_time": 1700000000,
                 "report_text": "canary-alice-report-37a1", "reported_post_text": "<t>canary-nobody-reported-37b2</t>"},
                {"report_id": 2, "reason_id": 1, "post_id": 101, "user_id": 157, "report_time": 1700000000,
                 "report_text": "canary-malice-report-37b1", "reported_post_text": "<t>reported</t>"}],
    "warnings": [{"warning_id": 1, "user_id": 57, "post_id": 101, "log_id": 2, "warning_time": 1700000000}],
    "banlist": [{"ban_id": 1, "ban_userid": 57, "ban_start": 1700000000, "ban_reason": "canary-staff-ban-reason-38a1",
                 "ban_give_reason": "canary-alice-ban-38a2"},
                {"ban_id": 2, "ban_userid": 0, "ban_email": "*@spam.example.test", "ban_start": 1700000000}],
}
