/* next: where an answer says that the page after it is. */
#ifndef REST_NEXT_H
#define REST_NEXT_H

#include "answer.h"

/* Appends the cursor of the next page, or a reference to it, to `place`, which stays empty when there is none.
 * *is_cut says that the answer speaks of more without saying where. */
int next_find(const struct paging *paging, const struct answer *answer, const struct response *response,
              struct buf *place, bool *is_cut, struct fault *fault) __attribute__((warn_unused_result));

/* Appends the target of the first link with relation "next" (RFC 8288) in a value of the Link header. */
int next_link(const char *header, struct buf *target, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
