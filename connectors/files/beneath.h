/* beneath: opens what lies below a folder, and nothing else: no symbolic link is followed, no "..", no way out through a
 * link of /proc (openat2). Thread-safe.
 *
 * The functions return a descriptor that is the caller's to close, or -1 with errno: ENOENT when there is nothing of that
 * name, ELOOP when a part of it is a symbolic link, ENOTDIR when a part is no folder, EXDEV when it leads out.
 */
#ifndef DSAR_FILES_BENEATH_H
#define DSAR_FILES_BENEATH_H

#include <stdbool.h>

/* The folder `path` below `folder`. `path` is relative; "." is the folder itself. `may_cross`: parts of it may be on other
 * file systems. */
int beneath_folder(int folder, const char *path, bool may_cross);

/* The file `name` in `folder`, on the same mount, for reading. Does not wait, whatever it is: look at its type before
 * reading. Leaves its time of access alone where that is allowed. */
int beneath_file(int folder, const char *name);

#endif
