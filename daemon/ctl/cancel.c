#include "base/hex.h"
#include "base/strict_json.h"
#include "ctl/ctl.h"
#include "ctl/portal.h"
#include "intake/cancellation.h"
#include "intake/syntax.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: dsarctl cancel (--request FILE | --id UUID --sha256 HEX)\n"
    "                      " PORTAL_USAGE "\n\n"
    "Signs the cancellation of a request and puts it on Kafka; prints the request's id. It counts only for "
    "the\n"
    "request with exactly these data, and only from the source that made it.\n"
    "  --request     the request's data as `dsarctl submit --save` wrote them\n"
    "  --id          its subject_request_id, and\n"
    "  --sha256      the SHA-256 of its data in hexadecimal digits, where there is no such file\n"
    "  --topic       dsar.control by default\n" PORTAL_HELP;

/* Which request is meant. */
struct target {
    char id[REQUEST_ID_LEN + 1];
    char sha256[HEX_SHA256_MAX];
};

static int read_body(struct target *target, const struct buf *body, struct fault *fault)
{
    json_t *json;
    unsigned char digest[32];
    if (strict_json_read(&json, body->data, body->len, fault))
        return -1;
    const char *id = json_string_value(json_object_get(json, "subject_request_id"));
    int result = 0;
    if (!id || !syntax_is_uuid_v4(id)) {
        result = fault_set(fault, "bad_request",
                           "expected a request's data, as `dsarctl submit --save` writes them");
    } else if (EVP_Digest(body->data, body->len, digest, NULL, EVP_sha256(), NULL) != 1) {
        result = fault_retry(fault, "no_memory", "no memory for a digest");
    } else {
        memcpy(target->id, id, sizeof target->id);
        hex_encode(digest, sizeof digest, target->sha256);
    }
    json_decref(json);
    return result;
}

static int read_saved(struct target *target, const char *path, struct fault *fault)
{
    struct buf body;
    buf_init(&body, CTL_REQUEST_MAX_BYTES);
    int result = buf_read_file(&body, path, fault);
    if (result == 0 && read_body(target, &body, fault))
        result = fault_prefix(fault, "%s", path);
    buf_wipe(&body);
    return result;
}

/* The event's data, judged as the workers judge them; the caller's to free. NULL with a fault. */
static char *cancellation_text(const char *id, const char *sha256, struct fault *fault)
{
    struct cancellation judged;
    json_t *data =
        json_pack("{s:s,s:s,s:s}", "api_version", "2.0", "subject_request_id", id, "body_sha256", sha256);
    char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;
    json_decref(data);
    if (!text)
        fault_set(fault, "bad_cancel", "cancel: id and digest must be text in UTF-8");
    if (!text || cancellation_parse(&judged, text, strlen(text), fault) == 0)
        return text;
    free(text);
    return NULL;
}

static int cancel_request(const struct portal *portal, const char *id, const char *sha256,
                          struct fault *fault)
{
    char *text = cancellation_text(id, sha256, fault);
    if (!text)
        return -1;
    puts(id);
    int result = portal_send(portal, CANCELLATION_TYPE, id, text, fault);
    free(text);
    return result;
}

int ctl_cancel(int argc, char **argv)
{
    static const struct option options[] = {{"request", required_argument, NULL, 'r'},
                                            {"id", required_argument, NULL, 'i'},
                                            {"sha256", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            PORTAL_OPTIONS,
                                            {NULL, 0, NULL, 0}};
    struct portal portal = {.topic = "dsar.control"};
    const char *saved = NULL, *id = NULL, *sha256 = NULL;
    struct target target;
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'r': saved = optarg; break;
        case 'i': id = optarg; break;
        case 'd': sha256 = optarg; break;
        default:
            if (!portal_option(&portal, c, optarg))
                return ctl_help(help, c == 'h');
        }
    }
    if (!portal_is_complete(&portal) || (saved ? id || sha256 : !id || !sha256) || optind != argc)
        return ctl_help(help, 0);
    if (saved) {
        if (read_saved(&target, saved, &fault))
            return ctl_failed("cancel", &fault);
        id = target.id;
        sha256 = target.sha256;
    }
    return cancel_request(&portal, id, sha256, &fault) ? ctl_failed("cancel", &fault) : CTL_DONE;
}
