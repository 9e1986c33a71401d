#!/usr/bin/env python3
"""The profile billing/tryton against a real Tryton's database, filled by Tryton itself."""
import json
import unittest

import product
from product import ALICE, MALICE, NAME
from tryton import Tryton

# a company that sells, and what one person has of it
FILL = """
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
create_company()
company = get_company()
year = set_fiscalyear_invoice_sequences(create_fiscalyear(company))
year.click('create_period')
create_chart(company)
accounts = get_accounts(company)
tax = create_tax(Decimal('.10'))
tax.save()
Party, Invoice, Sale = map(Model.get, ('party.party', 'account.invoice', 'sale.sale'))
term = Model.get('account.invoice.payment_term')(name='At once')
term.lines.new()
term.save()

def hang(on, mark):
    Model.get('ir.note')(resource=on, message='canary-staff-' + mark).save()
    Model.get('ir.attachment')(resource=on, name=mark + '.txt', data=b'canary-secret-' + mark.encode()).save()

def invoice(party, mark, at):
    made = Invoice(party=party, payment_term=term, description=mark + '-invoice-%%d' %% at, invoice_date=datetime.date.today())
    line = made.lines.new()
    line.account, line.quantity, line.unit_price = accounts['revenue'], 1.5, Decimal('1000000.1000')
    line.description = mark + '-line-%%d, ask bob@example.test' %% at
    line.taxes.append(Model.get('account.tax')(tax.id))
    made.save()
    if at:
        made.click('post')
    hang(made, mark + '-of-invoice-%%d' %% at)

for mark, address, shared in %(people)s:
    party = Party(name=%(name)r, code=mark)
    for kind, value, name in (('email', address.title(), party.name), ('phone', '0441234567', None), ('email', shared, None)):
        way = party.contact_mechanisms.new()
        way.type, way.value, way.name = kind, value, name
    party.addresses[0].street = mark + '-street 1'
    party.addresses[0].city = 'Zürich'
    party.identifiers.new(code=mark + '-number')
    party.save()
    hang(party, mark + '-of-party')
    for at in range(3):
        invoice(party, mark, at)
    sale = Sale(party=party, payment_term=term, comment=mark + '-sale')
    line = sale.lines.new()
    line.quantity, line.unit_price, line.description = 2.0, Decimal('9.9000'), mark + '-sale-line'
    sale.save()
    hang(sale, mark + '-of-sale')
# an address that was hers, and one of somebody who works for her
for value, active, name in (('alice@example.test', False, None), ('dana@example.test', True, 'Dana')):
    way = Party.find([('code', '=', 'canary-malice')])[0].contact_mechanisms.new()
    way.type, way.value, way.active, way.name = 'email', value, active, name
    way.save()
"""


class Books(product.Product):
    says = r"Tryton \(activated modules 2\), PostgreSQL \d+\.\d+.*"

    @classmethod
    def start(cls):
        return Tryton()

    @classmethod
    def fill(cls):
        people = [("canary-alice", ALICE, "colleague@example.test"), ("canary-malice", MALICE, "Colleague@Example.Test")]
        cls.product.run_tryton(FILL % {"people": people, "name": NAME})

    def source(self):
        return {"connector": "sql", "profile": "billing/tryton", "settings": {
            "host": "127.0.0.1", "port": self.product.port, "database": self.product.database, "user": self.product.reader,
            "password_file": self.secret("password", self.product.password)}}

    def held(self):
        """What Tryton says that it has of Alice, by its own objects."""
        said = self.product.run_tryton("""
import json
party, = Model.get('party.party').find([('code', '=', 'canary-alice')])
invoices, sales = (Model.get(name).find([('party', '=', party.id)]) for name in ('account.invoice', 'sale.sale'))
things = [party, *invoices, *sales]
def hung(name):
    return sum(len(Model.get(name).find([('resource', '=', '%s,%d' % (each.__class__.__name__, each.id))])) for each in things)
print(json.dumps({'party': 1, 'addresses': len(party.addresses), 'contacts': len(party.contact_mechanisms),
    'identifiers': len(party.identifiers), 'invoices': len(invoices), 'invoice_lines': sum(len(each.lines) for each in invoices),
    'invoice_taxes': sum(len(each.taxes) for each in invoices), 'sales': len(sales),
    'sale_lines': sum(len(each.lines) for each in sales),
    'entries': len(Model.get('account.move.line').find([('party', '=', party.id)])),
    'attachments': hung('ir.attachment'), 'notes': hung('ir.note')}))
""")
        return json.loads(said)

    def test_the_person_gets_all_of_theirs_and_nothing_else(self):
        answer, held = self.ask(), self.held()
        self.assertEqual((held["invoices"], held["entries"], held["notes"]), (3, 2, 5))
        answer.entries.pop("nothing", None)
        printed = product.harness.counted(answer.entries)["product"].get("invoice_files", 0)
        self.check_whole(answer, {**held, "invoice_files": printed}, [f"canary-alice-{what}" for what in (
            "invoice-0", "line-2", "sale", "sale-line", "street", "number", "of-party", "of-invoice-1", "of-sale")])
        self.assertRegex(answer.entries["product/invoice_lines.json"], rb'"unit_price":\s*"?1000000\.1000"?[,}]')
        self.assertNotRegex(answer.whole_text, "(bob|colleague)@example.test")

    def test_an_address_of_several_is_nobodys(self):
        self.check_nobody(self.ask("colleague@example.test"))

    def test_an_address_with_anothers_name_is_not_the_partys(self):
        self.check_nobody(self.ask("dana@example.test"))


if __name__ == "__main__":
    unittest.main()
