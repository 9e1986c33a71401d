/* tree: one folder of a person as a tar, in constant memory.
 *
 * Folders, files and symbolic links go in; links are kept as links. Pipes, sockets and devices are left out and counted, and so
 * is what is mounted below the folder.
 *
 * A file with several names is only taken, under "hard_links": "own", when all of its names lie in this folder and it belongs
 * to the folder's user: any other name of it may be another person's, who did not ask. "any" takes it as it is (mail servers
 * give one message to several people in this way). Its further names are links in the tar.
 *
 * Of a Maildir the folders `tmp` are left out: what lies there has not been delivered.
 */
#ifndef DSAR_FILES_TREE_H
#define DSAR_FILES_TREE_H

#include "body.h"
#include "root.h"
#include "tally.h"

/* Sends the folder open as `fd` as the session's file `id` with this name, and counts. Limits that are reached are no
 * failure. */
int tree_send(const struct root *root, int fd, struct dsar_session *session, const char *id, const char *name,
              struct body *body, struct tally *tally, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Counts the folder's files as withheld, and opens none. */
int tree_withhold(const struct root *root, int fd, struct dsar_session *session, struct tally *tally,
                  struct dsar_error *error) __attribute__((warn_unused_result));

/* Whether the folder is a Maildir. */
bool tree_is_maildir(int fd);

#endif
