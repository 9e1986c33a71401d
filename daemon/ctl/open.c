#include "base/jwk.h"
#include "bundle/reader.h"
#include "ctl/ctl.h"
#include "ctl/event_file.h"
#include "ctl/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: dsarctl open BUNDLE --out DIR (--event FILE --key FILE [--jwks FILE] | --passphrase-file "
    "FILE)\n\n"
    "Unpacks a bundle into DIR, which must not exist. Begin with DIR/report.html.\n"
    "  --event            the `completed` event, as `dsarctl watch --save` or `dsard once` wrote it\n"
    "  --key              the recipient's private key (keygen --kind recipient)\n"
    "  --jwks             the exporter's public keys: the event's signature must hold\n"
    "  --passphrase-file  the passphrase, on the first line of a file\n";

static int write_all(void *ctx, const void *data, size_t len, struct fault *fault)
{
    const int *fd = ctx;
    const char *at = data;
    while (len) {
        ssize_t n = write(*fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fault_errno(fault, "file_unwritable", n ? errno : ENOSPC, "an entry cannot be written");
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The folder of an entry below `dir`: names come from the reader, which lets no unsafe one pass. */
static int make_folders(int dir, const char *name, struct fault *fault)
{
    char path[4096];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - name);
        if (len >= sizeof path)
            return fault_set(fault, "bad_archive", "the name of an entry is too long");
        memcpy(path, name, len);
        path[len] = '\0';
        if (mkdirat(dir, path, 0700) && errno != EEXIST)
            return fault_errno(fault, "file_unwritable", errno, "%s", path);
    }
    return 0;
}

static int extract(struct reader *reader, size_t i, int dir, struct fault *fault)
{
    const char *name = reader_name(reader, i);
    if (make_folders(dir, name, fault))
        return -1;
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_errno(fault, "file_unwritable", errno, "%s", name);
    int result = reader_extract(reader, i, write_all, &fd, fault);
    if (close(fd) && result == 0)
        result = fault_errno(fault, "file_unwritable", errno, "%s", name);
    return result ? fault_prefix(fault, "%s", name) : 0;
}

static int unpack(const char *bundle, const char *passphrase, const char *out, struct fault *fault)
{
    struct reader *reader;
    if (reader_open(&reader, bundle, passphrase, fault))
        return -1;
    int result = 0, dir = -1;
    if (mkdir(out, 0700) || (dir = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        result = fault_errno(fault, "file_unwritable", errno, "%s: expected a folder that can be made", out);
    for (size_t i = 0; result == 0 && i < reader_n_entries(reader); i++)
        result = extract(reader, i, dir, fault);
    if (result == 0)
        printf("%zu files in %s; begin with %s/report.html\n", reader_n_entries(reader), out, out);
    if (dir >= 0)
        close(dir);
    reader_free(reader);
    return result;
}

static int check_event(const struct unlock *unlock, const char *jwks_path, struct fault *fault)
{
    json_t *jwks;
    if (!unlock->event)
        return fault_set(fault, "bad_event", "--jwks checks the event's signature: give --event too");
    if (jwk_load_set(&jwks, jwks_path, fault))
        return -1;
    int result = event_file_verify(unlock->event, jwks, fault);
    json_decref(jwks);
    return result;
}

int ctl_open(int argc, char **argv)
{
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"event", required_argument, NULL, 'e'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"jwks", required_argument, NULL, 'j'},
                                            {"passphrase-file", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct unlock unlock = {0};
    const char *out = NULL, *jwks_path = NULL;
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "o:e:k:h", options, NULL)) != -1;) {
        switch (c) {
        case 'o': out = optarg; break;
        case 'e': unlock.event_path = optarg; break;
        case 'k': unlock.key_path = optarg; break;
        case 'j': jwks_path = optarg; break;
        case 'p': unlock.passphrase_path = optarg; break;
        default: return ctl_help(help, c == 'h');
        }
    }
    bool has_way = unlock.passphrase_path || (unlock.event_path && unlock.key_path);
    if (optind + 1 != argc || !out || !has_way)
        return ctl_help(help, 0);
    int result = unlock_open(&unlock, &fault);
    if (result == 0 && jwks_path)
        result = check_event(&unlock, jwks_path, &fault);
    if (result == 0)
        result = unpack(argv[optind], unlock.passphrase, out, &fault);
    unlock_wipe(&unlock);
    return result ? ctl_failed("open", &fault) : CTL_DONE;
}
