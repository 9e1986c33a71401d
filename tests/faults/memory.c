/* Lets each allocation fail of functions that judge what others wrote, or sign: without memory they must say that and
 * no more, since a request is not bad for our want of memory, nor is a signature that is none worth publishing. To be
 * run with shim.c. Prints how many allocations each function makes; exit status 0 when all is well. */
#include "base/jwe.h"
#include "base/jwk.h"
#include "base/jws.h"
#include "base/secret.h"
#include "intake/cloudevent.h"
#include "intake/request.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NOW    INT64_C(1795424400) /* 2026-11-23T09:00:00Z */
#define SECRET "0123A-BCDEF-GHJKM-NPQRS-TVWXYZ"

static const char body[] =
    "{\"api_version\":\"2.0\",\"regulation\":\"gdpr\",\"subject_request_type\":\"access\","
    "\"subject_request_id\":\"2c0e5a1e-0000-4000-8000-000000000001\","
    "\"submitted_time\":\"2026-11-23T08:00:00Z\",\"subject_identities\":[{\"identity_type\":\"email\","
    "\"identity_value\":\"alice@example.test\",\"identity_format\":\"raw\"}],"
    "\"extensions\":{\"dsard\":{\"recipient\":{\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}}}}}";

struct world {
    struct shim_control *control;
    json_t *signing;
    json_t *sealing;
    json_t *header;
    json_t *sealed;
    struct buf signature; /* of `body` */
};

static bool make_world(struct world *world)
{
    struct fault fault;
    buf_init(&world->signature, JWS_MAX);
    world->header = json_pack("{s:s}", "typ", "test");
    return world->header && jwk_generate(&world->signing, JWK_SIGN, &fault) == 0 &&
           jwk_generate(&world->sealing, JWK_SEAL, &fault) == 0 &&
           jws_sign(&world->signature, world->header, world->signing, body, strlen(body), &fault) == 0 &&
           jwe_seal(&world->sealed, world->header, world->sealing, SECRET, &fault) == 0;
}

/* Each of these makes one call: 0, or -1 with a fault. `why` is left empty where what came out is wrong. */

static int sign(const struct world *world, struct fault *why)
{
    struct buf text;
    buf_init(&text, JWS_MAX);
    int result = jws_sign(&text, world->header, world->signing, body, strlen(body), why);
    world->control->kind = 0; /* what was made is looked at in peace */
    if (result == 0)
        result = jws_verify(text.data, world->signing, body, strlen(body), NULL);
    buf_wipe(&text);
    return result;
}

static int verify(const struct world *world, struct fault *why)
{
    return jws_verify(world->signature.data, world->signing, body, strlen(body), why);
}

static int unseal(const struct world *world, const json_t *sealed, struct fault *why)
{
    struct buf text;
    json_t *header;
    buf_init(&text, JWE_TEXT_MAX);
    int result = jwe_open(&text, &header, sealed, world->sealing, why);
    if (result == 0) {
        result = strcmp(text.data, SECRET) == 0 ? 0 : -1;
        json_decref(header);
    }
    buf_wipe(&text);
    return result;
}

static int open_sealed(const struct world *world, struct fault *why)
{
    return unseal(world, world->sealed, why);
}

static int seal(const struct world *world, struct fault *why)
{
    json_t *sealed;
    struct fault ignored;
    int result = jwe_seal(&sealed, world->header, world->sealing, SECRET, why);
    world->control->kind = 0;
    if (result == 0)
        result = unseal(world, sealed, &ignored);
    json_decref(sealed);
    return result;
}

static int parse(const struct world *world, struct fault *why)
{
    (void)world;
    struct request *request;
    int result = request_parse(&request, body, strlen(body), NOW, NULL, why) == REQUEST_OK ? 0 : -1;
    request_free(request);
    return result;
}

static int decode(const struct world *world, struct fault *why)
{
    (void)world;
    static const char type[] = "application/cloudevents+json";
    static const struct cloudevent_options options = {.framing = CONFIG_FRAMING_NONE, .max_bytes = 65536};
    const struct message_header header = {"content-type", type, sizeof type - 1};
    char value[2048];
    int len = snprintf(
        value, sizeof value,
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"//portal\",\"type\":\"t\",\"data\":%s}", body);
    const struct message message = {value, (size_t)len, &header, 1};
    struct cloudevent *event;
    int result = cloudevent_decode(&event, &message, &options, why);
    cloudevent_free(event);
    return result;
}

static struct shim_control *map_control(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED
                       : mmap(NULL, sizeof(struct shim_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

/* The call with its `n`th allocation of a kind failing. False when it has fewer. */
static bool judge(const struct world *world, enum shim_kind kind, uint64_t n,
                  int (*call)(const struct world *world, struct fault *why), bool *good)
{
    struct shim_control *control = world->control;
    struct fault why = {0};
    const uint64_t n_failed = control->n_failed;
    control->at = control->counts[kind - 1] + n;
    control->times = 1;
    control->error = ENOMEM;
    control->kind = kind;
    int result = call(world, &why);
    control->kind = 0;
    *good = result == 0 || why.retryable;
    if (!*good)
        fprintf(stderr, "allocation %llu fails: %s (%s)\n", (unsigned long long)n,
                why.text[0] ? why.text : "what was made is wrong", why.code);
    return control->n_failed > n_failed;
}

/* Returns how many of its allocations were badly taken. */
static int sweep(const struct world *world, enum shim_kind kind, const char *name,
                 int (*call)(const struct world *world, struct fault *why))
{
    int n_bad = 0;
    uint64_t n = 0;
    bool good;
    while (judge(world, kind, ++n, call, &good))
        n_bad += !good;
    printf("%s: %llu allocations%s\n", name, (unsigned long long)n - 1,
           kind == SHIM_CRYPTO ? " of OpenSSL" : "");
    return n_bad;
}

int main(void)
{
    static const struct {
        const char *name;
        int (*call)(const struct world *world, struct fault *why);
    } calls[] = {{"jws_sign", sign},        {"jws_verify", verify},   {"jwe_seal", seal},
                 {"jwe_open", open_sealed}, {"request_parse", parse}, {"cloudevent_decode", decode}};
    struct fault fault;
    struct world world = {.control = map_control()};
    if (!world.control || secret_harden_process(&fault) || !make_world(&world))
        return 2;
    int n_bad = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        n_bad += sweep(&world, SHIM_MEMORY, calls[i].name, calls[i].call) +
                 sweep(&world, SHIM_CRYPTO, calls[i].name, calls[i].call);
    return n_bad ? 1 : 0;
}
