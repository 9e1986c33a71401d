/* class_rules: the different classes that the fields of one collection have. */
#ifndef DSAR_SCREEN_CLASS_RULES_H
#define DSAR_SCREEN_CLASS_RULES_H

#include "base/fault.h"
#include "dsar/protocol.h"
#include "screen/classes.h"

#include <stddef.h>
#include <stdint.h>

#define CLASS_RULES_MAX (CLASS_WITHHOLD + CLASSES_REASONS_MAX)

struct class_rule {
    enum class_kind kind;
    char reason[DSAR_NAME_MAX + 1]; /* of CLASS_WITHHOLD */
};

/* The rule of each kind stands at the kind's place; those of CLASS_WITHHOLD, one a reason, follow. */
struct class_rules {
    struct class_rule list[CLASS_RULES_MAX];
    uint32_t n;
};

void class_rules_init(struct class_rules *rules);

/* The place of the rule with that name, "third_party" or "withhold:REASON"; adds a new reason. Fails with
 * "bad_class". */
int class_rules_find(struct class_rules *rules, const char *name, uint32_t *rule, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
