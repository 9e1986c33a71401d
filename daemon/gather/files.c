#include "gather/files.h"

#include "base/hex.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

void files_init(struct files *files, const char *source, struct section *section)
{
    *files = (struct files){.source = source, .section = section};
}

static void file_wipe(struct file *file)
{
    free(file->collection);
    json_decref(file->about);
}

void files_wipe(struct files *files)
{
    for (size_t i = 0; i < files->n_items; i++)
        file_wipe(&files->items[i]);
    free(files->items);
    *files = (struct files){0};
}

/* A neutral extension of at most eight letters and digits: archive paths can be read without the passphrase.
 */
static void extension(const char *name, char *text, size_t cap)
{
    const char *dot = name ? strrchr(name, '.') : NULL;
    size_t len = dot ? strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") : 0;
    bool plain = len > 0 && len <= 8 && dot[1 + len] == '\0';
    snprintf(text, cap, "%s", plain ? dot + 1 : "bin");
    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
}

static int wrong(const struct files *files, struct fault *fault, const char *what)
{
    return fault_set(fault, "source_protocol", "source %s: %s", files->source, what);
}

static bool short_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) <= TEXT_MAX;
}

static int begin(struct files *files, const char *collection, const json_t *message, struct fault *fault)
{
    json_t *id = json_object_get(message, "file"), *name = json_object_get(message, "name");
    json_t *media_type = json_object_get(message, "media_type");
    if (!short_text(id) || !short_text(name) || !short_text(media_type))
        return wrong(files, fault,
                     "the first piece of a file needs `file`, `name` and `media_type` as texts");
    if (files->n_items == files->cap) {
        size_t cap = files->cap ? files->cap * 2 : 16;
        struct file *items = reallocarray(files->items, cap, sizeof *items);
        if (!items)
            return fault_retry(fault, "no_memory", "no memory for the files of source %s", files->source);
        files->items = items;
        files->cap = cap;
    }
    struct file file = {.collection = strdup(collection)};
    file.about = json_pack("{s:O,s:O,s:O}", "id", id, "name", name, "media_type", media_type);
    char kind[16], path[BUNDLE_ENTRY_NAME_MAX];
    extension(json_string_value(name), kind, sizeof kind);
    snprintf(path, sizeof path, "%s/files/%04zu.%s", files->source, files->n_items + 1, kind);
    if (!file.collection || !file.about) {
        file_wipe(&file);
        return fault_retry(fault, "no_memory", "no memory for the files of source %s", files->source);
    }
    if (entry_open(&file.entry, files->section, path, NULL, fault)) {
        file_wipe(&file);
        return -1;
    }
    files->items[files->n_items++] = file;
    files->receiving = true;
    return 0;
}

static bool same_file(const struct file *file, const char *collection, const json_t *message)
{
    return file->entry && strcmp(file->collection, collection) == 0 &&
           json_equal(json_object_get(file->about, "id"), json_object_get(message, "file"));
}

int files_piece(struct files *files, const char *collection, const json_t *message, const struct buf *payload,
                bool *finished, struct fault *fault)
{
    if (!json_is_integer(json_object_get(message, "bytes")) ||
        !json_is_boolean(json_object_get(message, "more")))
        return wrong(files, fault, "a piece of a file needs `bytes` and `more`");
    if (!files->receiving && begin(files, collection, message, fault))
        return -1;
    struct file *file = &files->items[files->n_items - 1];
    if (!same_file(file, collection, message))
        return wrong(files, fault, "pieces of two files are mixed");
    if (payload->len && entry_write(file->entry, payload->data, payload->len, fault))
        return -1;
    *finished = json_is_false(json_object_get(message, "more"));
    files->receiving = !*finished;
    return *finished ? entry_end(file->entry, fault) : 0;
}

uint64_t files_last_bytes(const struct files *files)
{
    return entry_info(files->items[files->n_items - 1].entry)->bytes;
}

void files_drop(struct files *files, const char *collection)
{
    for (size_t i = 0; i < files->n_items; i++) {
        struct file *file = &files->items[i];
        if (!file->entry || strcmp(file->collection, collection) != 0)
            continue;
        if (i + 1 == files->n_items)
            files->receiving = false;
        entry_drop(file->entry);
        file->entry = NULL; /* its number is not given to another file */
    }
}

static json_t *describe(const struct file *file)
{
    const struct entry_info *info = entry_info(file->entry);
    char sha256[HEX_SHA256_MAX];
    hex_encode(info->sha256, sizeof info->sha256, sha256);
    json_t *row = json_pack("{s:s,s:s,s:I,s:s,s:b}", "path", info->name, "collection", file->collection,
                            "bytes", (json_int_t)info->bytes, "sha256", sha256, "screened", 0);
    if (row && json_object_update(row, file->about)) {
        json_decref(row);
        return NULL;
    }
    return row;
}

static int write_row(struct entry *entry, const struct file *file, bool first, struct fault *fault)
{
    json_t *row = describe(file);
    char *text = row ? json_dumps(row, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(row);
    if (!text)
        return fault_retry(fault, "no_memory", "no memory for the index of files");
    int result = entry_write(entry, first ? "[\n" : ",\n", 2, fault);
    if (result == 0)
        result = entry_write(entry, text, strlen(text), fault);
    OPENSSL_cleanse(text, strlen(text));
    free(text);
    return result;
}

int files_end(struct files *files, char **name, struct fault *fault)
{
    *name = NULL;
    char path[BUNDLE_ENTRY_NAME_MAX];
    snprintf(path, sizeof path, "%s/files.json", files->source);
    struct entry *entry = NULL;
    for (size_t i = 0; i < files->n_items; i++) {
        if (!files->items[i].entry)
            continue;
        bool first = !entry;
        if (first && entry_open(&entry, files->section, path, NULL, fault))
            return -1;
        if (write_row(entry, &files->items[i], first, fault))
            return -1;
    }
    if (!entry)
        return 0;
    if (entry_write(entry, "\n]\n", 3, fault) || entry_end(entry, fault))
        return -1;
    *name = strdup(path);
    return *name ? 0 : fault_retry(fault, "no_memory", "no memory for the index of files");
}
