/* dsar-files --profile PATH: a connector that reads mailboxes, folders and access logs as a profile says. */
#include "engine.h"

#include <locale.h>

int main(int argc, char **argv)
{
    static const struct dsar_connector connector = {
        .hello = engine_hello,
        .configure = engine_configure,
        .check = engine_check,
        .fetch = engine_fetch,
        .leave = engine_leave,
    };
    /* libarchive asks for it, to know which names are UTF-8 */
    setlocale(LC_CTYPE, "C.UTF-8");
    return dsar_connector_main(argc, argv, &connector);
}
