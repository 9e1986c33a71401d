#include "ctl/dead.h"

#include "base/clock.h"
#include "ctl/ctl.h"
#include "intake/syntax.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: dsarctl dead list   --brokers LIST [WHICH] [--settled] [--json]\n"
    "       dsarctl dead show   --brokers LIST WHICH [--value]\n"
    "       dsarctl dead replay --brokers LIST WHICH [--to TOPIC]\n"
    "       dsarctl dead drop   --brokers LIST WHICH\n\n"
    "Messages that the workers could not answer lie as letters in a topic of their own until its retention "
    "ends\n"
    "them. Kafka deletes no single message, so a letter that is replayed or dropped gets a marker behind it, "
    "and is\n"
    "settled from then on.\n"
    "  list    one line a letter: letter, time, code, original topic/partition/offset, request, bytes, "
    "reason;\n"
    "          --settled lists settled letters too, --json prints one JSON object a line\n"
    "  show    a letter's headers, as they came; --value prints key and value too: they hold personal data\n"
    "  replay  puts the original back where it came from, or on the topic --to, once however often it is "
    "called;\n"
    "          mend the cause first, or it will come back as another letter\n"
    "  drop    settles a letter without that\n"
    "WHICH letters, those that meet all of:\n"
    "  --letter PARTITION/OFFSET  this one, as `list` prints it; may be given several times\n"
    "  --code CODE                with this reason\n"
    "  --from TOPIC               that came from this topic\n"
    "  --request ID               with this request id as their key\n"
    "  --since TIME               that became letters then or later, as in 2026-11-23T08:00:00Z\n"
    "  --until TIME               that became letters before then\n"
    "  --all                      all, instead of these\n"
    "All commands:\n"
    "  --topic             the topic of dead letters; dsar.requests.dead by default\n"
    "  --properties        a file of librdkafka properties, NAME=VALUE a line\n"
    "  --transactional-id  of replay and drop; dsarctl-dead by default. The same for everybody: of two at a "
    "time "
    "the\n"
    "                      later one ends the other\n"
    "exit status: 0 done; 1 failed, or not all of it done; 2 wrong usage\n";

/* Options without a letter. */
enum { ALL = 1, CODE, FROM, LETTER, REQUEST, SINCE, UNTIL };

static const struct option options_known[] = {{"brokers", required_argument, NULL, 'b'},
                                              {"topic", required_argument, NULL, 't'},
                                              {"properties", required_argument, NULL, 'p'},
                                              {"transactional-id", required_argument, NULL, 'i'},
                                              {"json", no_argument, NULL, 'j'},
                                              {"settled", no_argument, NULL, 's'},
                                              {"value", no_argument, NULL, 'v'},
                                              {"to", required_argument, NULL, 'o'},
                                              {"all", no_argument, NULL, ALL},
                                              {"code", required_argument, NULL, CODE},
                                              {"from", required_argument, NULL, FROM},
                                              {"letter", required_argument, NULL, LETTER},
                                              {"request", required_argument, NULL, REQUEST},
                                              {"since", required_argument, NULL, SINCE},
                                              {"until", required_argument, NULL, UNTIL},
                                              {"help", no_argument, NULL, 'h'},
                                              {NULL, 0, NULL, 0}};

static const struct command {
    const char *name;
    const char *title;
    dead_command *run;
    const char *own;   /* which of "ijosv" it takes */
    bool must_be_told; /* which letters */
} commands[] = {{"list", "dead list", dead_list, "js", false},
                {"show", "dead show", dead_show, "v", true},
                {"replay", "dead replay", dead_replay, "io", true},
                {"drop", "dead drop", dead_drop, "i", true}};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static int take_selector(struct dead_selection *selection, int c, struct fault *fault)
{
    switch (c) {
    case CODE: selection->code = optarg; return 0;
    case FROM: selection->topic = optarg; return 0;
    case REQUEST:
        selection->request = optarg;
        return syntax_is_uuid_v4(optarg)
                   ? 0
                   : fault_set(fault, "bad_request",
                               "--request: expected a request's id: a UUID of version 4");
    case SINCE:
        return clock_parse(optarg, &selection->since_unix_s, fault) ? fault_prefix(fault, "--since") : 0;
    case UNTIL:
        return clock_parse(optarg, &selection->until_unix_s, fault) ? fault_prefix(fault, "--until") : 0;
    default: return dead_place_parse(optarg, &selection->choices[selection->n_choices++].place, fault);
    }
}

static bool selects(const struct dead_selection *selection)
{
    return selection->n_choices || selection->code || selection->topic || selection->request ||
           selection->since_unix_s || selection->until_unix_s;
}

/* -1 when the command can be run, otherwise the exit status. */
static int parse(struct dead_options *options, const struct command *command, int argc, char **argv)
{
    struct fault fault;
    bool all = false;
    for (int c; (c = getopt_long(argc, argv, "h", options_known, NULL)) != -1;) {
        if (strchr("ijosv", c) && !strchr(command->own, c))
            return ctl_help(help, 0);
        switch (c) {
        case 'b': options->kafka.brokers = optarg; break;
        case 't': options->topic = optarg; break;
        case 'p': options->kafka.properties_path = optarg; break;
        case 'i': options->transactional_id = optarg; break;
        case 'j': options->json = true; break;
        case 's': options->settled = true; break;
        case 'v': options->value = true; break;
        case 'o': options->to = optarg; break;
        case ALL: all = true; break;
        case 'h':
        case '?': return ctl_help(help, c == 'h');
        default:
            if (take_selector(&options->selection, c, &fault) == 0)
                break;
            ctl_failed(command->title, &fault);
            return CTL_USAGE;
        }
    }
    bool told = selects(&options->selection);
    if (!options->kafka.brokers || optind != argc || (all && told) ||
        (command->must_be_told && !all && !told))
        return ctl_help(help, 0);
    return -1;
}

/* Names the letters that were asked for and are not there. */
static int check_found(const struct command *command, const struct dead_selection *selection)
{
    int status = CTL_DONE;
    for (size_t i = 0; i < selection->n_choices; i++) {
        const struct dead_choice *choice = &selection->choices[i];
        if (choice->found)
            continue;
        fprintf(stderr, "dsarctl %s: letter %" PRId32 "/%" PRId64 ": there is no such letter\n",
                command->title, choice->place.partition, choice->place.offset);
        status = CTL_FAILED;
    }
    return status;
}

int ctl_dead(int argc, char **argv)
{
    struct dead_options options = {.topic = "dsar.requests.dead", .transactional_id = "dsarctl-dead"};
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
    struct fault fault;
    if (!command)
        return ctl_help(help, argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0));
    options.selection.choices = calloc((size_t)argc, sizeof *options.selection.choices);
    if (!options.selection.choices)
        return CTL_FAILED;
    int status = parse(&options, command, argc - 1, argv + 1);
    if (status < 0)
        status = command->run(&options, &fault) ? ctl_failed(command->title, &fault)
                                                : check_found(command, &options.selection);
    free(options.selection.choices);
    return status;
}
