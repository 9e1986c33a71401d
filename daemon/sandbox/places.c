#include "sandbox/places.h"

#include "sandbox/landlock.h"

static const struct {
    const char *path;
    enum landlock_use use;
} usual[] = {
    /* programs, libraries, interpreters with their modules */
    {"/usr", LANDLOCK_RUN},
    {"/bin", LANDLOCK_RUN},
    {"/sbin", LANDLOCK_RUN},
    {"/lib", LANDLOCK_RUN},
    {"/lib32", LANDLOCK_RUN},
    {"/lib64", LANDLOCK_RUN},
    {"/etc/ld.so.cache", LANDLOCK_READ},
    {"/etc/ld.so.preload", LANDLOCK_READ},
    {"/etc/alternatives", LANDLOCK_READ},
    /* certificates, of which none is secret; /etc/ssl/private is not among them */
    {"/etc/ssl/certs", LANDLOCK_READ},
    {"/etc/ssl/openssl.cnf", LANDLOCK_READ},
    {"/etc/ssl/cert.pem", LANDLOCK_READ},
    {"/etc/ca-certificates", LANDLOCK_READ},
    {"/etc/pki/tls/certs", LANDLOCK_READ},
    {"/etc/pki/tls/cert.pem", LANDLOCK_READ},
    {"/etc/pki/tls/openssl.cnf", LANDLOCK_READ},
    {"/etc/pki/ca-trust", LANDLOCK_READ},
    {"/etc/crypto-policies", LANDLOCK_READ},
    {"/var/lib/ca-certificates", LANDLOCK_READ},
    /* how names are found, and what time it is */
    {"/etc/resolv.conf", LANDLOCK_READ},
    {"/etc/nsswitch.conf", LANDLOCK_READ},
    {"/etc/hosts", LANDLOCK_READ},
    {"/etc/host.conf", LANDLOCK_READ},
    {"/etc/gai.conf", LANDLOCK_READ},
    {"/etc/services", LANDLOCK_READ},
    {"/etc/protocols", LANDLOCK_READ},
    {"/etc/localtime", LANDLOCK_READ},
    {"/etc/timezone", LANDLOCK_READ},
    {"/etc/locale.alias", LANDLOCK_READ},
    /* devices that hold nothing */
    {"/dev/null", LANDLOCK_WRITE},
    {"/dev/zero", LANDLOCK_READ},
    {"/dev/full", LANDLOCK_READ},
    {"/dev/random", LANDLOCK_READ},
    {"/dev/urandom", LANDLOCK_READ},
};

/* Debian keeps Python's site configuration there. */
static const char pattern[] = "/etc/python3*";

int places_find(struct places *places)
{
    int result = glob(pattern, 0, NULL, &places->found);
    return result == GLOB_NOSPACE ? -1 : 0;
}

void places_free(struct places *places)
{
    globfree(&places->found);
}

int places_allow(const struct places *places, int ruleset, struct fault *fault)
{
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (landlock_allow_path(ruleset, usual[i].path, usual[i].use, fault))
            return -1;
    for (size_t i = 0; i < places->found.gl_pathc; i++)
        if (landlock_allow_path(ruleset, places->found.gl_pathv[i], LANDLOCK_READ, fault))
            return -1;
    return 0;
}
