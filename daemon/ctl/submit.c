#include "base/clock.h"
#include "base/jwk.h"
#include "ctl/ctl.h"
#include "ctl/portal.h"
#include "intake/request.h"
#include "intake/sealed_identities.h"
#include "outcome/event.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: dsarctl submit --request FILE [--recipient FILE] [--seal-to FILE] [--save FILE]\n"
    "                      " PORTAL_USAGE "\n\n"
    "Signs a request and puts it on Kafka; prints its id. FILE (or - for standard input) is the request's "
    "JSON; what\n"
    "it leaves out of subject_request_id, submitted_time, api_version and recipient is filled in.\n"
    "  --recipient   the recipient's JWK (keygen --kind recipient)\n"
    "  --seal-to     the workers' public JWK (keygen --kind worker): subject_identities are sealed to it, so "
    "that\n"
    "                none of them rests in Kafka\n"
    "  --save        writes the data as they are sent to FILE (which must not exist), for `dsarctl cancel` "
    "and to\n"
    "                send them once more; with --seal-to it holds no identities in clear\n"
    "  --topic       dsar.requests by default\n" PORTAL_HELP;

struct submit {
    struct portal portal;
    const char *request_path;
    const char *recipient_path;
    const char *seal_path;
    const char *save_path;
};

static int set_default(json_t *object, const char *name, json_t *value)
{
    if (!json_object_get(object, name))
        return json_object_set_new(object, name, value);
    json_decref(value);
    return 0;
}

static json_t *sub_object(json_t *object, const char *name)
{
    return set_default(object, name, json_object()) ? NULL : json_object_get(object, name);
}

/* A key to seal to. What is used is the public part, whichever file was named. NULL with a fault. */
static json_t *read_public(const char *path, struct fault *fault)
{
    json_t *jwk = ctl_read_json(path, 65536, fault), *key;
    if (!jwk)
        return NULL;
    json_object_del(jwk, "d");
    if (jwk_public(&key, jwk, JWK_SEAL, fault))
        fault_prefix(fault, "%s", path);
    json_decref(jwk);
    return key;
}

static int name_recipient(json_t *own, const char *path, struct fault *fault)
{
    json_t *key = read_public(path, fault);
    if (!key)
        return -1;
    if (set_default(own, "recipient", json_pack("{s:o}", "jwk", key)))
        return fault_retry(fault, "no_memory", "no memory for a request");
    return 0;
}

/* Takes the identities out of the request and puts them, sealed, where the workers look for them. */
static int seal_identities(json_t *body, json_t *own, const char *path, struct fault *fault)
{
    const char *id = json_string_value(json_object_get(body, "subject_request_id"));
    json_t *identities = json_object_get(body, "subject_identities"), *sealed;
    if (!identities || json_object_get(own, "sealed_identities"))
        return fault_set(fault, "bad_request",
                         "--seal-to: expected a request with identities that are not sealed");
    json_t *key = read_public(path, fault);
    if (!key)
        return -1;
    int result = sealed_identities_make(&sealed, id, identities, key, fault);
    json_decref(key);
    if (result == 0 && json_object_set_new(own, "sealed_identities", sealed))
        result = fault_retry(fault, "no_memory", "no memory for a request");
    if (result == 0)
        json_object_del(body, "subject_identities");
    return result;
}

static int complete_request(json_t *body, const struct submit *submit, struct fault *fault)
{
    char id[37], now[CLOCK_TEXT_MAX];
    clock_format(clock_now_unix_s(), now);
    if (event_uuid(id, fault))
        return -1;
    json_t *own = sub_object(sub_object(body, "extensions"), "dsard");
    if (!own || set_default(body, "subject_request_id", json_string(id)) ||
        set_default(body, "submitted_time", json_string(now)) ||
        set_default(body, "api_version", json_string("2.0")))
        return fault_set(fault, "bad_request", "the request cannot be completed: expected a JSON object");
    if (!json_is_string(json_object_get(body, "subject_request_id")))
        return fault_set(fault, "bad_request", "subject_request_id must be a text");
    if (submit->recipient_path && name_recipient(own, submit->recipient_path, fault))
        return -1;
    return submit->seal_path ? seal_identities(body, own, submit->seal_path, fault) : 0;
}

static int send_request(const struct submit *submit, const char *id, const char *text, struct fault *fault)
{
    if (submit->save_path && ctl_write_file(submit->save_path, text, strlen(text), 0600, fault))
        return -1;
    /* also when its delivery then fails or is in doubt: it may be sent again under the same id */
    puts(id);
    return portal_send(&submit->portal, REQUEST_TYPE, id, text, fault);
}

static int submit_request(const struct submit *submit, struct fault *fault)
{
    json_t *body = ctl_read_json(submit->request_path, CTL_REQUEST_MAX_BYTES, fault);
    if (!body)
        return -1;
    int result = complete_request(body, submit, fault);
    char *text = result == 0 ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text) {
        const char *id = json_string_value(json_object_get(body, "subject_request_id"));
        result = send_request(submit, id, text, fault);
        OPENSSL_cleanse(text, strlen(text));
    } else if (result == 0) {
        result = fault_retry(fault, "no_memory", "no memory for a request");
    }
    free(text);
    json_decref(body);
    return result;
}

int ctl_submit(int argc, char **argv)
{
    static const struct option options[] = {{"request", required_argument, NULL, 'r'},
                                            {"recipient", required_argument, NULL, 'e'},
                                            {"seal-to", required_argument, NULL, 'l'},
                                            {"save", required_argument, NULL, 'w'},
                                            {"help", no_argument, NULL, 'h'},
                                            PORTAL_OPTIONS,
                                            {NULL, 0, NULL, 0}};
    struct submit submit = {.portal.topic = "dsar.requests"};
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'r': submit.request_path = optarg; break;
        case 'e': submit.recipient_path = optarg; break;
        case 'l': submit.seal_path = optarg; break;
        case 'w': submit.save_path = optarg; break;
        default:
            if (!portal_option(&submit.portal, c, optarg))
                return ctl_help(help, c == 'h');
        }
    }
    if (!portal_is_complete(&submit.portal) || !submit.request_path || optind != argc)
        return ctl_help(help, 0);
    return submit_request(&submit, &fault) ? ctl_failed("submit", &fault) : CTL_DONE;
}
