/* portal: what the commands that speak for a portal share: who signs a CloudEvent, for whom, and where it goes. */
#ifndef DSAR_CTL_PORTAL_H
#define DSAR_CTL_PORTAL_H

#include "ctl/kafka.h"

#include <getopt.h>
#include <stdbool.h>

struct portal {
    struct ctl_kafka kafka;
    const char *key_path; /* a private JWK_SIGN key */
    const char *source;   /* ce_source, `iss` */
    const char *audience; /* `aud` */
    const char *topic;
};

/* For getopt_long; none of the letters is to be used for another option. */
#define PORTAL_OPTIONS                                                                                       \
    {"brokers", required_argument, NULL, 'b'}, {"key", required_argument, NULL, 'k'},                        \
        {"source", required_argument, NULL, 's'}, {"audience", required_argument, NULL, 'a'},                \
        {"topic", required_argument, NULL, 't'},                                                             \
    {                                                                                                        \
        "properties", required_argument, NULL, 'p'                                                           \
    }

#define PORTAL_USAGE                                                                                         \
    "--brokers LIST --key FILE --source URI --audience TEXT [--topic NAME] [--properties FILE]"

#define PORTAL_HELP                                                                                          \
    "  --key         the portal's private signing key (keygen --kind portal)\n"                              \
    "  --source      who asks: ce_source, as //portal.example\n"                                             \
    "  --audience    requests.audience of the workers (by default their controller.id)\n"                    \
    "  --properties  a file of librdkafka properties, NAME=VALUE a line\n"

/* Takes one of the options above; false when `letter` is none of them. */
bool portal_option(struct portal *portal, int letter, const char *value);

/* Whether all that is needed was said. */
bool portal_is_complete(const struct portal *portal);

/* Signs `data` (JSON) as a CloudEvent in binary mode, with the request's id as key, subject and `sub`, and waits
 * until it is delivered. Codes "file_unreadable", "file_mode", "bad_key", "bad_property", "kafka" (retryable),
 * "no_memory" (retryable). */
int portal_send(const struct portal *portal, const char *type, const char *request, const char *data,
                struct fault *fault) __attribute__((warn_unused_result));

#endif
