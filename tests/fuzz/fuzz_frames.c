/* Any bytes as what a connector writes: messages and payloads must be the same whether they come in one piece or in
 * small ones. The first byte says how small. */
#include <unistd.h>

static ssize_t read_piece(int fd, void *data, size_t cap);
#define read(fd, data, cap) read_piece(fd, data, cap)
#include "../../daemon/gather/frames.c"
#undef read

#include "memory_file.h"

#include <openssl/evp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the messages of a stream come to. */
struct heard {
    size_t n_messages;
    unsigned char digest[EVP_MAX_MD_SIZE]; /* of all of them, payloads included */
    struct fault end;
};

static size_t piece_max;

static ssize_t read_piece(int fd, void *data, size_t cap)
{
    return read(fd, data, cap < piece_max ? cap : piece_max);
}

static void add(EVP_MD_CTX *md, const json_t *message, const struct buf *payload)
{
    char *text = json_dumps(message, JSON_COMPACT);
    const size_t len = payload->len;
    if (!text || EVP_DigestUpdate(md, text, strlen(text)) != 1 ||
        EVP_DigestUpdate(md, &len, sizeof len) != 1 || (len && EVP_DigestUpdate(md, payload->data, len) != 1))
        abort();
    free(text);
}

static void check(const json_t *message, const char *type, const struct buf *payload)
{
    const json_t *bytes = json_object_get(message, "bytes");
    if (!type || type != json_string_value(json_object_get(message, "type")))
        abort();
    if (bytes && (payload->len != (size_t)json_integer_value(bytes) || payload->len > DSAR_PAYLOAD_MAX ||
                  payload->data[payload->len] != '\0'))
        abort();
}

static void listen_to(struct frames *frames, EVP_MD_CTX *md, struct heard *heard)
{
    json_t *message;
    const char *type;
    while (frames_read(frames, &message, &type, &heard->end) == 0) {
        check(message, type, &frames->payload);
        if (json_object_get(message, "bytes"))
            add(md, message, &frames->payload);
        else
            add(md, message, &(struct buf){0});
        heard->n_messages++;
        json_decref(message);
    }
}

static struct heard hear(const void *data, size_t size, size_t max)
{
    static struct cancel *cancel;
    char path[MEMORY_FILE_PATH_MAX];
    struct fault fault;
    struct heard heard = {0};
    struct child child = {.in = -1, .out = memory_file(data, size, path), .log = -1};
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if ((!cancel && cancel_new(&cancel, &fault)) || !md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
        abort();
    struct frames frames = {.child = &child,
                            .cancel = cancel,
                            .source = "shop",
                            .deadline_ms = clock_now_ms() + 3600000,
                            .keep_alive_ms = 3600000};
    piece_max = max;
    frames_init(&frames);
    listen_to(&frames, md, &heard);
    if (EVP_DigestFinal_ex(md, heard.digest, NULL) != 1)
        abort();
    frames_wipe(&frames);
    EVP_MD_CTX_free(md);
    close(child.out);
    return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct heard whole = hear(data + 1, size - 1, SIZE_MAX);
    const struct heard pieces = hear(data + 1, size - 1, 1 + data[0]);
    if (strcmp(whole.end.code, "source_crashed") != 0 && strcmp(whole.end.code, "source_protocol") != 0)
        abort();
    if (whole.n_messages != pieces.n_messages || strcmp(whole.end.code, pieces.end.code) != 0 ||
        memcmp(whole.digest, pieces.digest, sizeof whole.digest) != 0)
        abort();
    return 0;
}
