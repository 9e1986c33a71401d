/* dead: what `dsarctl dead` can be told to do with dead letters. */
#ifndef DSAR_CTL_DEAD_H
#define DSAR_CTL_DEAD_H

#include "ctl/dead_select.h"
#include "ctl/kafka.h"

struct dead_options {
    struct ctl_kafka kafka;
    const char *topic; /* of dead letters */
    struct dead_selection selection;
    bool json;                    /* list: one JSON object a line */
    bool settled;                 /* list: settled ones too */
    bool value;                   /* show: key and value too */
    const char *to;               /* replay: where to; NULL: where each came from */
    const char *transactional_id; /* replay and drop: one at a time */
};

/* Each prints what it did to standard output, as far as it came. -1 with a fault: not all of it. */
typedef int dead_command(struct dead_options *options, struct fault *fault);

dead_command dead_list, dead_show, dead_replay, dead_drop;

#endif
