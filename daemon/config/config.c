#include "config/config.h"

#include "base/program.h"

#include "config/checks.h"
#include "config/options.h"
#include "config/reader.h"
#include "config/scalar.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A copy of `path` up to its last slash. */
static char *folder_above(const char *path)
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 0 && path[len - 1] == '/')
        len--;
    return strndup(path, len);
}

/* The absolute folder of a file, or NULL. */
static char *folder_of(const char *path)
{
    if (!strchr(path, '/'))
        return realpath(".", NULL);
    char *above = folder_above(path);
    char *folder = above ? realpath(*above ? above : "/", NULL) : NULL;
    free(above);
    return folder;
}

/* Sets a text that was not given. A NULL `text` leaves it NULL. */
static int set_default(char **at, const char *text)
{
    if (!*at && text)
        *at = strdup(text);
    return *at || !text ? 0 : -1;
}

/* PREFIX + `below`, where the program was installed as PREFIX/bin/NAME. */
static int set_default_beside_program(char **at, const char *below)
{
    if (*at)
        return 0;
    char prefix[PATH_MAX];
    if (program_prefix(prefix, sizeof prefix, NULL) == 0 && asprintf(at, "%s/%s", prefix, below) >= 0)
        return 0;
    *at = NULL;
    return -1;
}

static char *installed_path(const char *folder, const char *prefix, const char *name, const char *suffix)
{
    char *path;
    return asprintf(&path, "%s/%s%s%s", folder, prefix, name, suffix) < 0 ? NULL : path;
}

static int complete_source(struct source_config *source, const struct config *config)
{
    source->folder = config->folder;
    if (set_default(&source->title, source->name))
        return -1;
    if (source->connector)
        source->program = strchr(source->connector, '/')
                              ? scalar_path(config->folder, source->connector)
                              : installed_path(config->connectors_dir, "dsar-", source->connector, "");
    if (source->profile)
        source->profile_path = strchr("/.", source->profile[0])
                                   ? scalar_path(config->folder, source->profile)
                                   : installed_path(config->profiles_dir, "", source->profile, ".json");
    return (source->connector && !source->program) || (source->profile && !source->profile_path) ? -1 : 0;
}

/* Files that librdkafka opens start at the configuration's folder like all others. */
static int complete_location(struct config_pair *pair, const char *folder)
{
    static const char suffix[] = ".location";
    size_t len = pair->name ? strlen(pair->name) : 0;
    bool location = len >= sizeof suffix && strcmp(pair->name + len - (sizeof suffix - 1), suffix) == 0;
    if (!location || !pair->value || !*pair->value || strcmp(pair->value, "probe") == 0)
        return 0;
    char *path = scalar_path(folder, pair->value);
    if (!path)
        return -1;
    free(pair->value);
    pair->value = path;
    return 0;
}

static int complete_tiers(struct retry_config *retry)
{
    static const struct {
        const char *topic;
        unsigned delay_s;
    } usual[] = {
        {"dsar.requests.retry.5m", 300}, {"dsar.requests.retry.1h", 3600}, {"dsar.requests.retry.6h", 21600}};
    const size_t n = sizeof usual / sizeof *usual;
    retry->tiers = calloc(n, sizeof *retry->tiers);
    for (; retry->tiers && retry->n_tiers < n; retry->n_tiers++) {
        struct retry_tier *tier = &retry->tiers[retry->n_tiers];
        tier->delay_s = usual[retry->n_tiers].delay_s;
        tier->topic = strdup(usual[retry->n_tiers].topic);
        if (!tier->topic)
            return -1;
    }
    return retry->tiers ? 0 : -1;
}

/* Works out what follows from other options. */
static int complete(struct config *config, const struct node *root)
{
    if (set_default(&config->requests.audience, config->controller.id) ||
        set_default_beside_program(&config->connectors_dir, "libexec/dsard") ||
        set_default_beside_program(&config->profiles_dir, "share/dsard/profiles") ||
        (!node_member(node_member(root, "retry"), "tiers") && complete_tiers(&config->retry)))
        return -1;
    for (size_t i = 0; i < config->kafka.n_properties; i++)
        if (complete_location(&config->kafka.properties[i], config->folder))
            return -1;
    const struct node *sources = node_member(root, "sources");
    const struct node *node = sources ? sources->first : NULL;
    for (size_t i = 0; i < config->n_sources; i++, node = node ? node->next : NULL) {
        if (node)
            config->sources[i].mark = node->mark;
        if (complete_source(&config->sources[i], config))
            return -1;
    }
    return 0;
}

int config_load(struct config **config, const char *path, enum config_use use, FILE *errors)
{
    struct problems problems = {.out = errors, .file = path};
    struct config *loaded = calloc(1, sizeof *loaded);
    struct node *root = document_load(&problems);
    *config = NULL;
    if (!root)
        goto failed;
    if (!loaded || !(loaded->path = strdup(path)) || !(loaded->folder = folder_of(path))) {
        problem_no_memory(&problems);
        goto failed;
    }
    reader_read(loaded, root, use, &problems);
    if (complete(loaded, root)) {
        problem_no_memory(&problems);
        goto failed;
    }
    if (root->kind == NODE_MAP)
        checks_run(loaded, root, &problems);
    if (problems.n_errors)
        goto failed;
    node_free(root);
    *config = loaded; /* the caller owns it now */
    return 0;

failed:
    node_free(root);
    config_free(loaded);
    return -1;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->n_sources; i++) {
        free(config->sources[i].program);
        free(config->sources[i].profile_path);
    }
    options_free(config_options(), config);
    free(config->path);
    free(config->folder);
    free(config);
}
