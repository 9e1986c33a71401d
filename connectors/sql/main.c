/* dsar-sql --profile PATH: a connector that reads a database with the SELECTs of a profile. */
#include "engine.h"

int main(int argc, char **argv)
{
    static const struct dsar_connector connector = {
        .hello = engine_hello,
        .configure = engine_configure,
        .check = engine_check,
        .resolve = engine_resolve,
        .fetch = engine_fetch,
        .settle = engine_disconnect,
        .leave = engine_leave,
    };
    return dsar_connector_main(argc, argv, &connector);
}
