#include "gather/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
        "{'name':'shop','version':'1','collections':[" COLLECTION "]}",
        "{'name':'s','version':'1','resolve':{'needs':['email'],'yields':[]},'collections':[" COLLECTION "]}",
        "{'name':'s','version':'1','reads':['/etc/passwd'],'collections':[" COLLECTION "]}",
        "{'name':'s','version':'1','collections':[{'name':'a.b_c-d1','title':'A','category':'c','needs':['x']"
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
        "{'name':'Shop','version':'1','collections':[" COLLECTION "]}",
        "{'name':'shop','version':1,'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'','collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1'}",
        "{'name':'shop','version':'1','collections':[]}",
        "{'name':'shop','version':'1','collections':['orders']}",
        "{'name':'shop','version':'1','collections':[{'name':'../up','title':'A','category':'c'}]}",
        "{'name':'shop','version':'1','collections':[{'name':'a/b','title':'A','category':'c'}]}",
        "{'name':'shop','version':'1','collections':[{'name':'files','title':'A','category':'c'}]}",
        "{'name':'shop','version':'1','collections':[{'name':'a','category':'c'}]}",
        "{'name':'shop','version':'1','collections':[{'name':'a','title':'A'}]}",
        "{'name':'shop','version':'1','collections':[{'name':'a','title':'A','category':'c','needs':'email'}]"
        "}",
        "{'name':'shop','version':'1','collections':[{'name':'a','title':'A','category':'c','needs':[1]}]}",
        "{'name':'shop','version':'1','collections':[" COLLECTION "," COLLECTION "]}",
        "{'name':'shop','version':'1','reads':'/etc/passwd','collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','reads':['passwd'],'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','resolve':{},'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','resolve':{'needs':[],'yields':[]},'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','resolve':{'needs':['email']},'collections':[" COLLECTION "]}",
        "{'name':'shop','version':'1','resolve':{'needs':['email'],'yields':['Bad']},'collections':"
        "[" COLLECTION "]}",
    };
    struct fault fault;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(check(bad[i], &fault), -1);
        assert_string_equal(fault.code, "source_protocol");
        assert_non_null(strstr(fault.text, "source shop: "));
    }
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
        cmocka_unit_test(names_are_short_and_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
