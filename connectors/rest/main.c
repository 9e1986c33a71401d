/* dsar-rest --profile PATH: a connector that asks an HTTP API as a profile says. */
#include "engine.h"

int main(int argc, char **argv)
{
    static const struct dsar_connector connector = {
        .hello = engine_hello,
        .configure = engine_configure,
        .check = engine_check,
        .resolve = engine_resolve,
        .fetch = engine_fetch,
        .leave = engine_leave,
    };
    return dsar_connector_main(argc, argv, &connector);
}
