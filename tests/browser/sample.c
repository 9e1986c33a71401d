/* Writes a sample report to standard output, hostile content and all: `report_sample full|nothing [LOCALE]`.
 */
#include "../unit/test_report_facts.h"

#include "base/buf.h"
#include "bundle/report.h"

#include <stdio.h>

/* Whoever sees this title has run a script of the data. */
#define ATTACK "<script>document.title='OWNED'</script><img src=x onerror=\\\"document.title='OWNED'\\\">"

static void billing(struct facts *facts)
{
    struct source_result *source = facts_source(facts, "billing", "Billing", SOURCE_PARTIAL);
    source->purpose = facts_copy("Contracts, invoices and payments");
    facts_records(
        facts, facts_collection(source, "profile", "Account profile", SOURCE_COMPLETE),
        "billing/profile.json",
        ",\n{\"id\":4711,\"firstname\":\"Alice\",\"lastname\":\"Müller\",\"companyname\":\"\","
        "\"email\":\"alice@example.test\",\"address\":{\"street\":\"Rue du Lac 12\",\"postcode\":\"1201\","
        "\"city\":\"Genève\",\"country\":\"CH\"},\"phone\":\"+41 22 555 01 23\",\"newsletter\":true,"
        "\"two_factor\":false,\"credit\":0.00,\"languages\":[\"fr\",\"de\",\"en\"],"
        "\"created\":\"2019-04-02 11:20:31\"}");
    struct buf invoices;
    buf_init(&invoices, 1 << 20);
    for (int i = 0; i < 130; i++)
        if (buf_printf(&invoices, NULL,
                       ",\n{\"id\":%d,\"number\":\"2026-%04d\",\"date\":\"2026-%02d-%02d\",\"total\":%d.10,"
                       "\"currency\":\"CHF\",\"status\":\"%s\"}",
                       90000 + i, i + 1, i % 12 + 1, i % 28 + 1, 12 + i % 40, i % 9 ? "Paid" : "Unpaid"))
            abort();
    struct collection_result *paid = facts_collection(source, "invoices", "Invoices", SOURCE_COMPLETE);
    facts_records(facts, paid, "billing/invoices.json", invoices.data);
    paid->n_files = 3;
    paid->files = facts_copy("billing/files.json");
    paid->bytes += 1834221;
    buf_wipe(&invoices);
    facts_collection(source, "quotes", "Quotes", SOURCE_COMPLETE);
    struct collection_result *tickets =
        facts_collection(source, "tickets", "Support tickets", SOURCE_PARTIAL);
    facts_records(
        facts, tickets, "billing/tickets.json",
        ",\n{\"id\":12345678901234567890,\"opened\":\"2026-02-11 08:15:00\",\"subject\":\"My card was "
        "charged "
        "twice\",\"message\":\"Hello,\\n\\nmy card [card number masked] was charged 1.10 twice. Please write "
        "to me, not to [e-mail address masked].\\n\\nThank you,\\nAlice\",\"replies\":[{\"date\":"
        "\"2026-02-11 09:00:00\",\"from\":\"support\",\"message\":\"We are looking into it.\"},{\"date\":"
        "\"2026-02-12 10:30:00\",\"from\":\"support\",\"message\":\"The second charge of 1.10 was paid "
        "back.\"}]},\n{\"id\":12345678901234567891,\"opened\":\"2026-05-01 17:40:12\",\"subject\":\"Domain "
        "transfer\",\"message\":\"How do I move example.test to you?\",\"replies\":[]}");
    facts_gap(&tickets->gap_code, &tickets->gap_text, "short_answer", "source billing: 2 of 3 tickets came");
    facts_withheld(facts, "billing/tickets", "card_number", 1);
    facts_withheld(facts, "billing/tickets", "third_party_email", 1240);
    facts_withheld(facts, "billing/profile", "secret", 2);
}

static void forum(struct facts *facts)
{
    struct source_result *source = facts_source(facts, "forum", "Forum <b>bold</b> \"&'", SOURCE_COMPLETE);
    struct collection_result *posts = facts_collection(source, "posts", "Posts", SOURCE_COMPLETE);
    struct buf text;
    buf_init(&text, 1 << 20);
    if (buf_append_text(
            &text,
            ",\n{\"attack\":\"" ATTACK "\",\"</dd></dl></main><script>document.title='OWNED'</script>\":"
            "\"\\\" onmouseover=\\\"document.title='OWNED'\\\" x=\\\"\",\"style\":\"</style><style>*{display:"
            "none}</style>\",\"bidi\":\"safe \\u202egnp.exe\\u202c name\",\"control\":\"bell \\u0007 nul "
            "\\u0000 esc \\u001b[31m\",\"arabic\":\"مرحبا بالعالم\",\"hebrew\":\"שלום\",\"emoji\":"
            "\"👩🏽‍💻 ✓\",\"link\":\"https://tracker.example.test/?id=1\",\"css\":"
            "\"background:url(https://tracker.example.test/x.png)\",\"entity\":\"&lt;b&gt; &#60;i&#62;\","
            "\"word\":\"",
            NULL))
        abort();
    for (int i = 0; i < 40; i++)
        if (buf_append_text(&text, "Donaudampfschifffahrtsgesellschaft", NULL))
            abort();
    if (buf_append_text(&text, "\",\"long\":\"", NULL))
        abort();
    for (int i = 0; i < 200; i++)
        if (buf_append_text(&text, "A sentence that goes on. ", NULL))
            abort();
    if (buf_append_text(&text, "\"}", NULL))
        abort();
    facts_records(facts, posts, "forum/posts.json", text.data);
    buf_wipe(&text);
    facts_records(
        facts, facts_collection(source, "sessions", "Sign-ins", SOURCE_COMPLETE), "forum/sessions.json",
        ",\n{\"date\":\"2026-11-01\",\"address\":\"192.0.2.7\",\"agent\":\"Firefox\"},\n{\"date\":"
        "\"2026-11-02\",\"address\":\"2001:db8::1\",\"agent\":\"<script>document.title='OWNED'</script>\"}");
    facts_withheld(facts, "forum/posts", "third_party", 4);
    facts_withheld(facts, "forum/posts", "works_council", 1);
}

static void found_something(struct facts *facts)
{
    facts_identity(facts, "email", "alice@example.test", "request");
    facts_identity(facts, "client_id", "4711", "billing");
    facts_identity(facts, "forum_user_id", "<script>document.title='OWNED'</script>", "forum");
    billing(facts);
    struct source_result *panel = facts_source(facts, "panel", "Hosting panel", SOURCE_FAILED);
    facts_gap(&panel->gap_code, &panel->gap_text, "source_unreachable", "source panel: connection refused");
    forum(facts);
    facts_source(facts, "marketing", "Newsletter", SOURCE_NOT_FOUND);
    facts_source(facts, "shop", "Shop", SOURCE_SKIPPED);
}

static void found_nothing(struct facts *facts)
{
    facts_identity(facts, "email", "nobody@example.test", "request");
    facts_source(facts, "billing", "Billing", SOURCE_NOT_FOUND);
    facts_source(facts, "forum", "Forum", SOURCE_NOT_FOUND);
}

static int write_file(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return fwrite(data, 1, len, ctx) == len
               ? 0
               : fault_set(fault, "file_unwritable", "the report cannot be written");
}

int main(int argc, char **argv)
{
    struct fault fault;
    struct facts facts;
    if (argc < 2) {
        fprintf(stderr, "usage: report_sample full|nothing [LOCALE]\n");
        return 2;
    }
    facts_init(&facts);
    facts.manifest.controller.name = "Example Hosting <Ltd>";
    facts.manifest.controller.complaints =
        "Example Data Authority, https://authority.example.test/complaints";
    if (strcmp(argv[1], "full") == 0)
        found_something(&facts);
    else
        found_nothing(&facts);
    const struct report report = {.manifest = &facts.manifest, .locale = argc > 2 ? argv[2] : "en"};
    int result = report_render(&report, write_file, stdout, &fault);
    if (result)
        fprintf(stderr, "report_sample: %s\n", fault.text);
    facts_wipe(&facts);
    return result || fflush(stdout) ? 1 : 0;
}
