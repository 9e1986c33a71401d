#include "gather/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COLLECTION "{'name':'orders','title':'Orders','category':'purchases'}"

/* Texts have ' for ". */
static int check(const char *text, struct fault *fault)
{
    char json[2048];
    assert_true(strlen(text) < sizeof json);
    size_t i = 0;
    for (; text[i]; i++)
        json[i] = text[i] == '\'' ? '"' : text[i];
    json[i] = '\0';
    json_t *hello = json_loads(json, 0, NULL);
    assert_non_null(hello);
    int result = hello_check(hello, "shop", fault);
    json_decref(hello);
    return result;
}

static void good_ones_are_taken(void **state)
{
    static const char *const good[] = {
        "{'name':'shop','version':'1','settings':[],'collections':[" COLLECTION "]}",
        "{'name':'s','version':'1','settings':[],'check':true,'resolve':{'needs':['email'],'yields':[]},'"
        "collections':"
        "[" COLLECTION "]}",
        "{'name':'s','version':'1','settings':[],'reads':['/etc/passwd'],'collections':[" COLLECTION "]}",
        "{'name':'s','version':'1','settings':[],'collections':[{'name':'a.b_c-d1','title':'A','category':'c'"
        ",'needs':['x']"
        "},"
        "{'name':'b','title':'A','category':'c','needs':[]}]}",
    };
    struct fault fault;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(check(good[i], &fault), 0);
}

static void bad_ones_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{'name':'Shop','version':'1','settings':[],'collections':[" COLLECTION "]}",
        "{'name':'shop','version':1,'settings':[],'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'','settings':[],'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1'}",
        "{'name':'shop','version':'1','settings':[],'check':'yes','collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','settings':[],'collections':[]}",
        "{'name':'shop','version':'1','settings':[],'collections':['orders']}",
        "{'name':'shop','version':'1','settings':[],'collections':[{'name':'../"
        "up','title':'A','category':'c'}]}",
        "{'name':'shop','version':'1','settings':[],'collections':[{'name':'a/"
        "b','title':'A','category':'c'}]}",
        "{'name':'shop','version':'1','settings':[],'collections':[{'name':'files','title':'A','category':'c'"
        "}]}",
        "{'name':'shop','version':'1','settings':[],'collections':[{'name':'a','category':'c'}]}",
        "{'name':'shop','version':'1','settings':[],'collections':[{'name':'a','title':'A'}]}",
        "{'name':'shop','version':'1','settings':[],'collections':[{'name':'a','title':'A','category':'c','"
        "needs':'email'}]"
        "}",
        "{'name':'shop','version':'1','settings':[],'collections':[{'name':'a','title':'A','category':'c','"
        "needs':[1]}]}",
        "{'name':'shop','version':'1','settings':[],'collections':[" COLLECTION "," COLLECTION "]}",
        "{'name':'shop','version':'1','settings':[],'reads':'/etc/passwd','collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','settings':[],'reads':['passwd'],'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','settings':[],'resolve':{},'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','settings':[],'resolve':{'needs':[],'yields':[]},'collections':"
        "[" COLLECTION "]}",
        "{'name':'shop','version':'1','settings':[],'resolve':{'needs':['email']},'collections':[" COLLECTION
        "]}",
        "{'name':'shop','version':'1','settings':[],'resolve':{'needs':['email'],'yields':['Bad']},'"
        "collections':"
        "[" COLLECTION "]}",
    };
    struct fault fault;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(check(bad[i], &fault), -1);
        assert_string_equal(fault.code, "source_protocol");
        assert_non_null(strstr(fault.text, "source shop: "));
    }
}

/* A hello with one setting of these members beside its name. */
static int check_setting(const char *members, struct fault *fault)
{
    char text[1024];
    snprintf(text, sizeof text, "{'name':'s','version':'1','settings':[{'name':'it',%s}],'collections':[%s]}",
             members, COLLECTION);
    return check(text, fault);
}

#define REST "'required':true,'help':'what it is'"

static void settings_are_of_their_kinds(void **state)
{
    static const char *const good[] = {
        "'kind':'text'," REST,
        "'kind':'secret'," REST,
        "'kind':'url','default':'https://h'," REST,
        "'kind':'path','default':'/p'," REST,
        "'kind':'socket','default':'/p'," REST,
        "'kind':'host','ports':[1,65535]," REST,
        "'kind':'host','ports':[]," REST,
        "'kind':'port','default':65535," REST,
        "'kind':'integer','default':-3," REST,
        "'kind':'boolean','default':false," REST,
    };
    static const char *const bad[] = {
        REST,
        "'kind':'number'," REST,
        "'kind':'text','required':true",
        "'kind':'text','required':'yes','help':'h'",
        "'kind':'text','required':true,'help':1",
        "'kind':'secret','default':'x'," REST,
        "'kind':'text','default':1," REST,
        "'kind':'integer','default':'1'," REST,
        "'kind':'boolean','default':1," REST,
        "'kind':'port','default':65536," REST,
        "'kind':'port','default':0," REST,
        "'kind':'text','ports':[1]," REST,
        "'kind':'host','ports':[0]," REST,
        "'kind':'host','ports':['1']," REST,
        "'kind':'host','ports':1," REST,
    };
    struct fault fault;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(check_setting(good[i], &fault), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(check_setting(bad[i], &fault), -1);
        assert_string_equal(fault.code, "source_protocol");
    }
    assert_int_equal(check_setting("'kind':'text'," REST "},{'name':'it','kind':'text'," REST, &fault), -1);
    assert_int_equal(check("{'name':'s','version':'1','collections':[" COLLECTION "]}", &fault), -1);
}

static void names_are_short_and_plain(void **state)
{
    char name[66];
    memset(name, 'a', 64);
    name[64] = '\0';
    assert_true(hello_name_valid(name));
    name[64] = 'a';
    name[65] = '\0';
    assert_false(hello_name_valid(name));
    assert_true(hello_name_valid("a"));
    assert_true(hello_name_valid("shop_customer-id.2"));
    static const char *const bad[] = {"", "A", "1a", ".", "..", "_a", "-a", "a b", "a/b", "\xc3\xa9", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(hello_name_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_taken),
        cmocka_unit_test(bad_ones_are_refused),
        cmocka_unit_test(settings_are_of_their_kinds),
        cmocka_unit_test(names_are_short_and_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
