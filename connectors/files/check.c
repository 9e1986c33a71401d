#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The name of a setting's folder is the operator's own, and may be shown. */
static int try_folder(const char *path, struct dsar_error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    int why = errno;
    bool is_refused = why == EACCES || why == EPERM;
    char text[128];
    return dsar_error_set(error, is_refused ? "source_refused" : "source_unreachable", !is_refused, "%s: %s",
                          path, strerror_r(why, text, sizeof text));
}

int engine_check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error)
{
    const struct engine *engine = state;
    (void)session;
    for (size_t i = 0; i < engine->n_roots; i++)
        if (try_folder(engine->roots[i].base, error))
            return -1;
    snprintf(about->system, sizeof about->system, "%s",
             json_string_value(json_object_get(profile_document(engine->profile), "title")));
    return 0;
}
