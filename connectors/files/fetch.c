#include "../sdk/binding.h"
#include "../sdk/error.h"
#include "beneath.h"
#include "body.h"
#include "engine.h"
#include "log.h"
#include "owner.h"
#include "place.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES 100

/* One collection on its way. */
struct fetching {
    const struct engine *engine;
    const struct root *root;
    struct dsar_session *session;
    const struct dsar_identities *known;
    int base; /* the folder below which everybody's lie */
    struct body body;
    struct tally total;
    bool is_anything_found;
    struct {
        dev_t device;
        ino_t inode;
    } sent[BINDING_COMBINATIONS_MAX]; /* roots; two identities may lead to one */
    size_t n_sent;
};

/* One root of the person on its way. */
struct piece {
    struct place place;
    const struct dsar_identities *bound;
    struct stat stat; /* of the folder or file */
    struct tally tally;
    char id[8];            /* of the file to send */
    char name[NAME_BYTES]; /* empty when none is sent */
};

static int cannot_open(const struct fetching *fetching, int error_number, struct dsar_error *error)
{
    const char *name = fetching->root->name;
    switch (error_number) {
    case ELOOP:
    case EXDEV:
        return dsar_error_set(error, "ownership", false,
                              "%s: a symbolic link stands in the path of the person's folder", name);
    case ENOTDIR:
        return dsar_error_set(error, "source_answer", false, "%s: a file stands where a folder is expected",
                              name);
    case EACCES:
    case EPERM:
        return dsar_error_set(error, "source_refused", false,
                              "%s: the person's folder may not be read by the user that this runs as", name);
    default:
        return dsar_error_set(error, "source_error", true, "%s: the person's folder cannot be opened", name);
    }
}

static int open_base(struct fetching *fetching, struct dsar_error *error)
{
    const struct root *root = fetching->root;
    fetching->base = open(root->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fetching->base >= 0)
        return 0;
    bool is_refused = errno == EACCES || errno == EPERM;
    return dsar_error_set(error, is_refused ? "source_refused" : "source_unreachable", !is_refused,
                          "%s: the base folder cannot be opened: is it there, and may it be read?",
                          root->name);
}

/* Whether this root was sent already; notes it otherwise. */
static bool is_repeated(struct fetching *fetching, const struct stat *stat)
{
    for (size_t i = 0; i < fetching->n_sent; i++)
        if (fetching->sent[i].device == stat->st_dev && fetching->sent[i].inode == stat->st_ino)
            return true;
    fetching->sent[fetching->n_sent].device = stat->st_dev;
    fetching->sent[fetching->n_sent++].inode = stat->st_ino;
    return false;
}

static void name_piece(const struct fetching *fetching, struct piece *piece, const char *extension)
{
    snprintf(piece->id, sizeof piece->id, "%zu", fetching->n_sent);
    snprintf(piece->name, sizeof piece->name, "%s-%zu.%s", fetching->root->name, fetching->n_sent, extension);
}

/* The record that tells of a root: where it lay, which file it is, how much is in it. */
static int send_record(const struct fetching *fetching, const struct piece *piece, struct dsar_error *error)
{
    json_t *record = json_pack("{s:s, s:O}", "root", piece->place.path, "kind",
                               json_object_get(fetching->root->spec, "kind"));
    json_t *counts = tally_describe(&piece->tally);
    char *text = NULL;
    if (record && counts && json_object_update(record, counts) == 0 &&
        (!*piece->name || json_object_set_new(record, "file", json_string(piece->name)) == 0))
        text = json_dumps(record, JSON_COMPACT);
    json_decref(counts);
    json_decref(record);
    if (!text)
        return error_no_memory(error);
    size_t len = strlen(text);
    int result = dsar_record(fetching->session, text, len, error);
    OPENSSL_cleanse(text, len);
    free(text);
    return result;
}

/* --- a folder, or a Maildir --- */

static int send_folder(struct fetching *fetching, struct piece *piece, int fd, struct dsar_error *error)
{
    const struct root *root = fetching->root;
    if (root->kind == ROOT_MAILDIR && !tree_is_maildir(fd))
        return dsar_error_set(error, "source_answer", false,
                              "%s: expected a Maildir, with the folders cur and new", root->name);
    if (root->is_mixed)
        return tree_withhold(root, fd, fetching->session, &piece->tally, error);
    name_piece(fetching, piece, "tar");
    return tree_send(root, fd, fetching->session, piece->id, piece->name, &fetching->body, &piece->tally,
                     error);
}

/* --- an mbox --- */

static int send_body(struct fetching *fetching, struct piece *piece, struct dsar_error *error)
{
    struct tally *tally = &piece->tally;
    const struct body *body = &fetching->body;
    if (body->stat.st_nlink > 1) {
        tally->n[TALLY_LINKED_ELSEWHERE]++;
        return 0;
    }
    if ((uint64_t)body->stat.st_size > fetching->root->bytes_max) {
        tally->n[TALLY_TOO_LARGE]++;
        return 0;
    }
    name_piece(fetching, piece, "mbox");
    if (dsar_file_begin(fetching->session, piece->id, piece->name, "application/mbox", error) ||
        body_write(body, fetching->session, NULL, tally, error) || dsar_file_end(fetching->session, error))
        return -1;
    tally->n[TALLY_FILES]++;
    tally->n[TALLY_BYTES] += (uint64_t)body->stat.st_size;
    return 0;
}

static int send_mbox(struct fetching *fetching, struct piece *piece, int folder, struct dsar_error *error)
{
    if (fetching->root->is_mixed) {
        piece->tally.n[TALLY_MIXED]++;
        return 0;
    }
    if (!body_open(&fetching->body, folder, piece->place.last, &piece->stat, &piece->tally))
        return 0;
    int result = send_body(fetching, piece, error);
    body_close(&fetching->body);
    return result;
}

/* --- whichever --- */

/* Sends the folder `fd`, or the file `place.last` in it, once it is known to be the person's. */
static int send_owned(struct fetching *fetching, struct piece *piece, int fd, struct dsar_error *error)
{
    const struct root *root = fetching->root;
    if (owner_check(root->owner, fetching->engine->settings, piece->bound, &piece->stat, error))
        return -1;
    fetching->is_anything_found = true;
    if (is_repeated(fetching, &piece->stat))
        return 0;
    if (root->kind == ROOT_MBOX ? send_mbox(fetching, piece, fd, error)
                                : send_folder(fetching, piece, fd, error))
        return -1;
    tally_add(&fetching->total, &piece->tally);
    return send_record(fetching, piece, error);
}

static int send_file(struct fetching *fetching, struct piece *piece, int fd, struct dsar_error *error)
{
    if (fstatat(fd, piece->place.last, &piece->stat, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? 0 : cannot_open(fetching, errno, error);
    if (S_ISLNK(piece->stat.st_mode))
        return cannot_open(fetching, ELOOP, error);
    if (!S_ISREG(piece->stat.st_mode))
        return dsar_error_set(error, "source_answer", false, "%s: expected a file", fetching->root->name);
    return send_owned(fetching, piece, fd, error);
}

static int send_log(struct fetching *fetching, struct piece *piece, int fd, struct dsar_error *error)
{
    const struct root *root = fetching->root;
    struct log_outcome outcome;
    if (log_send(root, fd, piece->place.last, fetching->session, fetching->known, &piece->tally, &outcome,
                 error))
        return -1;
    /* everybody's log is there; a person's own may not be */
    if (outcome.n_files == 0 && json_object_size(root->place_needs) == 0)
        return dsar_error_set(error, "source_unreachable", true, "%s: there is no log of that name",
                              root->name);
    fetching->is_anything_found = fetching->is_anything_found || outcome.n_records > 0;
    tally_add(&fetching->total, &piece->tally);
    return 0;
}

static int send_opened(struct fetching *fetching, struct piece *piece, int fd, struct dsar_error *error)
{
    switch (fetching->root->kind) {
    case ROOT_MBOX: return send_file(fetching, piece, fd, error);
    case ROOT_ACCESS_LOG: return send_log(fetching, piece, fd, error);
    case ROOT_FOLDER:
    case ROOT_MAILDIR: break;
    }
    if (fstat(fd, &piece->stat))
        return cannot_open(fetching, errno, error);
    return send_owned(fetching, piece, fd, error);
}

/* Opens the folder that is the root, or in which it lies. -1 with errno. */
static int open_place(const struct fetching *fetching, struct place *place)
{
    const struct root *root = fetching->root;
    if (root->kind == ROOT_FOLDER || root->kind == ROOT_MAILDIR)
        return beneath_folder(fetching->base, place->path, true);
    if (place->last == place->path)
        return beneath_folder(fetching->base, ".", true);
    char *slash = place->path + (place->last - place->path) - 1;
    *slash = '\0';
    int fd = beneath_folder(fetching->base, place->path, true);
    *slash = '/';
    return fd;
}

static int send_place(const struct dsar_identities *bound, struct dsar_error *error, void *ctx)
{
    struct fetching *fetching = ctx;
    struct piece piece = {.bound = bound};
    if (place_make(&piece.place, fetching->root->path, bound, error))
        return -1;
    int fd = open_place(fetching, &piece.place);
    int result = 0;
    if (fd < 0 && errno != ENOENT)
        result = cannot_open(fetching, errno, error);
    else if (fd >= 0)
        result = send_opened(fetching, &piece, fd, error);
    if (fd >= 0)
        close(fd);
    place_wipe(&piece.place);
    return result;
}

static int run(struct fetching *fetching, enum dsar_status *status, struct dsar_error *error)
{
    if (binding_each(fetching->root->place_needs, fetching->known, send_place, fetching, error) ||
        tally_end(&fetching->total, fetching->session, status, error))
        return -1;
    if (!fetching->is_anything_found && *status == DSAR_COMPLETE)
        *status = DSAR_ABSENT;
    return 0;
}

int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status, struct dsar_error *error)
{
    const struct engine *engine = state;
    struct fetching fetching = {.engine = engine,
                                .root = engine_root(engine, collection),
                                .session = session,
                                .known = identities,
                                .base = -1};
    if (body_init(&fetching.body, error))
        return -1;
    int result = open_base(&fetching, error) || run(&fetching, status, error) ? -1 : 0;
    if (fetching.base >= 0)
        close(fetching.base);
    body_wipe(&fetching.body);
    return result;
}
