#include "screen/class_rules.h"

#include <string.h>

#define WITHHOLD "withhold:"

static const char *const names[] = {
    [CLASS_FREE_TEXT] = "free_text", [CLASS_OWN] = "own",   [CLASS_THIRD_PARTY] = "third_party",
    [CLASS_SECRET] = "secret",       [CLASS_CARD] = "card", [CLASS_CVV] = "cvv",
};

void class_rules_init(struct class_rules *rules)
{
    memset(rules, 0, sizeof *rules);
    for (rules->n = 0; rules->n < CLASS_WITHHOLD; rules->n++)
        rules->list[rules->n].kind = (enum class_kind)rules->n;
}

/* Reason codes are names of the protocol: [a-z][a-z0-9_.-]* */
static bool is_code(const char *code)
{
    size_t len = strlen(code);
    return *code >= 'a' && *code <= 'z' && len <= DSAR_NAME_MAX &&
           strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

static int find_reason(struct class_rules *rules, const char *reason, uint32_t *rule, struct fault *fault)
{
    if (!is_code(reason))
        return fault_set(fault, "bad_class",
                         "expected a reason code behind 'withhold:', [a-z][a-z0-9_.-]* of at most %d bytes",
                         DSAR_NAME_MAX);
    for (*rule = CLASS_WITHHOLD; *rule < rules->n; (*rule)++)
        if (strcmp(rules->list[*rule].reason, reason) == 0)
            return 0;
    if (rules->n == CLASS_RULES_MAX)
        return fault_set(fault, "bad_class", "more than %d different reasons to withhold",
                         CLASSES_REASONS_MAX);
    rules->list[rules->n].kind = CLASS_WITHHOLD;
    memcpy(rules->list[rules->n].reason, reason, strlen(reason) + 1);
    rules->n++;
    return 0;
}

int class_rules_find(struct class_rules *rules, const char *name, uint32_t *rule, struct fault *fault)
{
    for (*rule = 0; *rule < CLASS_WITHHOLD; (*rule)++)
        if (strcmp(names[*rule], name) == 0)
            return 0;
    if (strncmp(name, WITHHOLD, strlen(WITHHOLD)) == 0)
        return find_reason(rules, name + strlen(WITHHOLD), rule, fault);
    return fault_set(fault, "bad_class",
                     "unknown class '%.40s': expected own, free_text, third_party, secret, card, cvv or "
                     "withhold:REASON",
                     name);
}
