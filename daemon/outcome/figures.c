#include "outcome/figures.h"

#include "base/clock.h"
#include "gather/confine.h"

enum family { IN_HAND, AT_RISK, NEXT_DUE, OUTCOMES, TRANSACTIONS, BREAKER, SANDBOX, CONFINED };

static const struct exposition_family families[] = {
    [IN_HAND] = {"dsard_requests_in_hand", EXPOSITION_GAUGE,
                 "Messages that this worker holds: waiting for a thread, parked until their next attempt, "
                 "being worked "
                 "on, done and not yet committed.",
                 "state"},
    [AT_RISK] = {"dsard_requests_at_risk", EXPOSITION_GAUGE,
                 "Requests in hand that are due within retry.margin_s, or overdue.", NULL},
    [NEXT_DUE] =
        {"dsard_next_due_seconds", EXPOSITION_GAUGE,
         "Seconds until the first request in hand is due; below 0 it is overdue. Absent when there is none.",
         NULL},
    [OUTCOMES] = {"dsard_outcomes_total", EXPOSITION_COUNTER,
                  "What became of messages, once it was committed.", "outcome"},
    [TRANSACTIONS] =
        {"dsard_transactions_total", EXPOSITION_COUNTER,
         "Transactions by how they came out; of those that were resolved a new producer had to find out.",
         "result"},
    [BREAKER] = {"dsard_source_breaker", EXPOSITION_GAUGE,
                 "The source's circuit breaker: 0 closed, 1 open (it is left alone), 2 the next try decides.",
                 "source"},
    [SANDBOX] =
        {"dsard_sandbox", EXPOSITION_GAUGE,
         "Whether the system has what keeps connectors back: from files, TCP ports, other processes by "
         "signals, system calls, and from being root.",
         "part"},
    [CONFINED] = {"dsard_source_confined", EXPOSITION_GAUGE,
                  "Whether the source's connector runs in the sandbox.", "source"},
};

static const char *const outcomes[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = "none",       [OUTCOME_COMPLETED] = "completed", [OUTCOME_FAILED] = "failed",
    [OUTCOME_REFUSED] = "refused", [OUTCOME_CANCELLED] = "cancelled", [OUTCOME_REPEATED] = "repeated",
    [OUTCOME_PARKED] = "parked",   [OUTCOME_DEAD] = "dead",
};

static void show(struct exposition *exposition, enum family family, const char *label, double value)
{
    exposition_add(exposition, &families[family], label, value);
}

static void show_desk(struct exposition *exposition, struct desk *desk)
{
    struct desk_census census;
    desk_count(desk, &census);
    exposition_begin(exposition, &families[IN_HAND]);
    show(exposition, IN_HAND, "waiting", (double)census.n_waiting);
    show(exposition, IN_HAND, "parked", (double)census.n_parked);
    show(exposition, IN_HAND, "running", (double)census.n_running);
    show(exposition, IN_HAND, "done", (double)census.n_done);
    exposition_begin(exposition, &families[AT_RISK]);
    show(exposition, AT_RISK, NULL, (double)census.n_at_risk);
    exposition_begin(exposition, &families[NEXT_DUE]);
    if (census.next_due_unix_s)
        show(exposition, NEXT_DUE, NULL, (double)(census.next_due_unix_s - clock_now_unix_s()));
}

static void show_committer(struct exposition *exposition, struct committer_figures *figures)
{
    exposition_begin(exposition, &families[OUTCOMES]);
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        if (i != OUTCOME_NONE)
            show(exposition, OUTCOMES, outcomes[i], (double)atomic_load(&figures->n_outcomes[i]));
    exposition_begin(exposition, &families[TRANSACTIONS]);
    show(exposition, TRANSACTIONS, "committed", (double)atomic_load(&figures->n_committed));
    show(exposition, TRANSACTIONS, "aborted", (double)atomic_load(&figures->n_aborted));
    show(exposition, TRANSACTIONS, "resolved", (double)atomic_load(&figures->n_resolved));
}

static void show_sandbox(struct exposition *exposition, const struct config *config)
{
    struct confine_part parts[CONFINE_PARTS];
    confine_parts(config, parts);
    exposition_begin(exposition, &families[SANDBOX]);
    for (size_t i = 0; i < CONFINE_PARTS; i++)
        show(exposition, SANDBOX, parts[i].name, parts[i].is_there);
    exposition_begin(exposition, &families[CONFINED]);
    for (size_t i = 0; i < config->n_sources; i++)
        show(exposition, CONFINED, config->sources[i].name, config->sources[i].sandbox.enabled);
}

void figures_show(const struct figures *figures, struct exposition *exposition)
{
    show_desk(exposition, figures->desk);
    show_committer(exposition, figures->committer);
    exposition_begin(exposition, &families[BREAKER]);
    for (size_t i = 0; i < figures->catalog->n_sources; i++) {
        struct catalog_source *source = &figures->catalog->sources[i];
        show(exposition, BREAKER, source->config->name,
             (double)breaker_state(&source->breaker, clock_now_ms()));
    }
    show_sandbox(exposition, figures->config);
}
