#include "driver.h"

#include <string.h>

static const struct sql_driver *const drivers[] = {&sql_driver_sqlite, &sql_driver_mariadb,
                                                   &sql_driver_postgresql, NULL};

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

const struct sql_driver *sql_driver_find(const char *name)
{
    for (const struct sql_driver *const *driver = drivers; *driver; driver++)
        if (is_among(name, (*driver)->names))
            return *driver;
    return NULL;
}

static int refuse_foreign(const struct sql_driver *driver, const char *const *names, const json_t *settings,
                          struct dsar_error *error)
{
    for (; *names; names++)
        if (json_object_get(settings, *names) && !is_among(*names, driver->settings))
            return dsar_error_set(error, "bad_settings", false,
                                  "%s: the driver %s has no such setting; `driver` says which database it is",
                                  *names, driver->names[0]);
    return 0;
}

int sql_driver_check(const struct sql_driver *driver, const struct sql_options *options,
                     struct dsar_error *error)
{
    for (const struct sql_driver *const *other = drivers; *other; other++)
        if (refuse_foreign(driver, (*other)->settings, options->settings, error))
            return -1;
    if (options->password && !is_among("user", driver->settings))
        return dsar_error_set(error, "bad_settings", false, "password: the driver %s takes none",
                              driver->names[0]);
    return driver->check(options, error);
}
