#include "test_report_facts.h"

#include "bundle/seal_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct packed {
    struct seal_pool *pool;
    struct bundle *bundle;
    struct section *section;
};

static void pack(struct packed *packed)
{
    struct fault fault;
    const struct seal_pool_options pool = {.n_threads = 1, .n_blocks = 4, .block_bytes = 262144};
    assert_int_equal(seal_pool_new(&packed->pool, &pool, &fault), 0);
    const struct bundle_options options = {.pool = packed->pool,
                                           .spool_dir = "/tmp",
                                           .passphrase = "XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX",
                                           .entries_max = 8};
    assert_int_equal(bundle_open(&packed->bundle, &options, &fault), 0);
    assert_int_equal(bundle_section(packed->bundle, &packed->section, &fault), 0);
}

static void pack_entry(struct packed *packed, const char *name, const char *text)
{
    struct fault fault;
    struct entry *entry;
    assert_int_equal(entry_open(&entry, packed->section, name, NULL, &fault), 0);
    assert_int_equal(entry_write(entry, text, strlen(text), &fault), 0);
    assert_int_equal(entry_end(entry, &fault), 0);
}

static void unpack(struct packed *packed)
{
    bundle_free(packed->bundle);
    seal_pool_free(packed->pool);
}

static void fill(struct facts *facts)
{
    facts_init(facts);
    facts_identity(facts, "email", "alice@example.test", "request");
    facts_identity(facts, "client_id", "4711", "billing");
    struct source_result *billing = facts_source(facts, "billing", "Billing", SOURCE_PARTIAL);
    billing->purpose = facts_copy("Contracts and invoices");
    facts_records(facts, facts_collection(billing, "invoices", "Invoices", SOURCE_COMPLETE),
                  "billing/invoices.json", ",\n{\"id\":1}");
    struct collection_result *tickets = facts_collection(billing, "tickets", "Tickets", SOURCE_FAILED);
    facts_gap(&tickets->gap_code, &tickets->gap_text, "source_silent", "source billing: silent for 30 s");
    facts_source(facts, "forum", "Forum", SOURCE_NOT_FOUND);
    facts_withheld(facts, "billing/invoices", "card_number", 2);
}

static json_t *made(const struct facts *facts, const struct bundle *bundle, struct buf *text)
{
    struct fault fault;
    buf_init(text, 1 << 20);
    assert_int_equal(manifest_json(&facts->manifest, bundle, text, &fault), 0);
    json_t *tree = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(tree);
    return tree;
}

static const char *text_at(const json_t *tree, const char *outer, const char *inner)
{
    return json_string_value(json_object_get(json_object_get(tree, outer), inner));
}

static void it_says_who_asked_whom_for_what(void **state)
{
    struct facts facts;
    struct packed packed;
    struct buf text;
    fill(&facts);
    pack(&packed);
    json_t *tree = made(&facts, packed.bundle, &text);
    assert_string_equal(json_string_value(json_object_get(tree, "format")), "dsard-manifest");
    assert_int_equal(json_integer_value(json_object_get(tree, "version")), 1);
    assert_string_equal(text_at(tree, "request", "id"), facts.manifest.request_id);
    assert_string_equal(text_at(tree, "request", "regulation"), "gdpr");
    assert_string_equal(text_at(tree, "request", "type"), "access");
    assert_string_equal(text_at(tree, "request", "submitted"), "2026-11-23T08:00:00Z");
    assert_string_equal(text_at(tree, "request", "completed"), "2026-11-23T09:02:03Z");
    assert_string_equal(text_at(tree, "controller", "complaints"), "Example Data Authority");
    assert_string_equal(text_at(tree, "exporter", "kid"), "exporter-1");
    assert_string_equal(json_string_value(json_object_get(tree, "policy")), "1");
    const json_t *searched = json_object_get(json_object_get(tree, "searched"), "identities");
    assert_true(json_equal(searched, facts.manifest.identities));
    json_decref(tree);
    buf_wipe(&text);
    unpack(&packed);
    facts_wipe(&facts);
}

/* JSON with single quotes, for reading's sake. */
static json_t *quoted(const char *text)
{
    char json[1024];
    snprintf(json, sizeof json, "%s", text);
    for (char *at = json; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *tree = json_loads(json, 0, NULL);
    assert_non_null(tree);
    return tree;
}

static void it_lists_sources_collections_gaps_and_what_was_withheld(void **state)
{
    struct facts facts;
    struct packed packed;
    struct buf text;
    fill(&facts);
    pack(&packed);
    json_t *tree = made(&facts, packed.bundle, &text);
    json_t *expected = quoted("[{'name':'billing','title':'Billing','purpose':'Contracts and "
                              "invoices','status':'partial','collections':["
                              "{'name':'invoices','title':'Invoices','category':'billing','status':'complete'"
                              ",'records':1,'files':0,'bytes':10,"
                              "'entry':'billing/invoices.json'},"
                              "{'name':'tickets','title':'Tickets','category':'billing','status':'failed','"
                              "records':0,'files':0,'bytes':0,"
                              "'reason':{'code':'source_silent','text':'source billing: silent for 30 s'}}]},"
                              "{'name':'forum','title':'Forum','status':'not_found','collections':[]}]");
    assert_true(json_equal(json_object_get(tree, "sources"), expected));
    assert_string_equal(json_string_value(json_object_get(tree, "coverage")), "partial");
    assert_int_equal(json_integer_value(json_object_get(tree, "records")), 1);
    const json_t *line = json_array_get(json_object_get(tree, "withheld"), 0);
    assert_string_equal(json_string_value(json_object_get(line, "reason")), "card_number");
    assert_int_equal(json_integer_value(json_object_get(line, "count")), 2);
    json_decref(expected);
    json_decref(tree);
    buf_wipe(&text);
    unpack(&packed);
    facts_wipe(&facts);
}

static void it_lists_every_entry_but_itself_with_size_and_digest(void **state)
{
    struct facts facts;
    struct packed packed;
    struct buf text;
    fill(&facts);
    pack(&packed);
    pack_entry(&packed, "billing/invoices.json", "abc");
    pack_entry(&packed, "report.html", "");
    pack_entry(&packed, MANIFEST_ENTRY, "{}");
    pack_entry(&packed, MANIFEST_SIGNATURE_ENTRY, "x");
    json_t *tree = made(&facts, packed.bundle, &text);
    const json_t *entries = json_object_get(tree, "entries");
    assert_int_equal(json_array_size(entries), 2);
    const json_t *first = json_array_get(entries, 0), *second = json_array_get(entries, 1);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "billing/invoices.json");
    assert_int_equal(json_integer_value(json_object_get(first, "bytes")), 3);
    /* FIPS 180-2's example "abc", and the digest of nothing */
    assert_string_equal(json_string_value(json_object_get(first, "sha256")),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(json_string_value(json_object_get(second, "sha256")),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    json_decref(tree);
    buf_wipe(&text);
    unpack(&packed);
    facts_wipe(&facts);
}

static void the_same_facts_give_the_same_bytes(void **state)
{
    struct facts facts;
    struct packed packed;
    struct buf first, second;
    fill(&facts);
    pack(&packed);
    pack_entry(&packed, "billing/invoices.json", "abc");
    json_decref(made(&facts, packed.bundle, &first));
    json_decref(made(&facts, packed.bundle, &second));
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    assert_memory_equal(first.data, "{\n  \"format\": \"dsard-manifest\",\n", 32);
    buf_wipe(&first);
    buf_wipe(&second);
    unpack(&packed);
    facts_wipe(&facts);
}

static void what_is_not_configured_is_left_out(void **state)
{
    struct facts facts;
    struct packed packed;
    struct buf text;
    fill(&facts);
    facts.manifest.controller.contact = facts.manifest.controller.complaints = NULL;
    pack(&packed);
    json_t *tree = made(&facts, packed.bundle, &text);
    assert_null(json_object_get(json_object_get(tree, "controller"), "contact"));
    assert_null(json_object_get(json_object_get(tree, "controller"), "complaints"));
    json_decref(tree);
    buf_wipe(&text);
    unpack(&packed);
    facts_wipe(&facts);
}

static void a_manifest_that_is_too_large_is_a_fault(void **state)
{
    struct facts facts;
    struct packed packed;
    struct buf text;
    struct fault fault;
    fill(&facts);
    pack(&packed);
    buf_init(&text, 100);
    assert_int_equal(manifest_json(&facts.manifest, packed.bundle, &text, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    buf_wipe(&text);
    unpack(&packed);
    facts_wipe(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_asked_whom_for_what),
        cmocka_unit_test(it_lists_sources_collections_gaps_and_what_was_withheld),
        cmocka_unit_test(it_lists_every_entry_but_itself_with_size_and_digest),
        cmocka_unit_test(the_same_facts_give_the_same_bytes),
        cmocka_unit_test(what_is_not_configured_is_left_out),
        cmocka_unit_test(a_manifest_that_is_too_large_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
