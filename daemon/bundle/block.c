#include "bundle/block.h"

#include "base/secret.h"
#include "bundle/bundle.h"
#include "bundle/deflater.h"

#include <openssl/crypto.h>

int block_init(struct block *block, size_t raw_cap, struct fault *fault)
{
    size_t filtered_cap = raw_cap * ENTRY_FILTER_GROWTH;
    size_t memory_bytes = raw_cap + filtered_cap + deflate_bound(filtered_cap);
    char *memory = secret_alloc(memory_bytes, fault);
    if (!memory)
        return -1;
    *block = (struct block){
        .raw = memory,
        .raw_cap = raw_cap,
        .filtered = memory + raw_cap,
        .filtered_cap = filtered_cap,
        .sealed = memory + raw_cap + filtered_cap,
        .memory_bytes = memory_bytes,
    };
    return 0;
}

void block_clear(struct block *block)
{
    OPENSSL_cleanse(block->raw, block->raw_bytes);
    OPENSSL_cleanse(block->filtered, block->filtered_bytes);
    OPENSSL_cleanse(block->sealed, block->sealed_bytes);
    block->raw_bytes = block->filtered_bytes = block->sealed_bytes = 0;
    block->next = NULL;
    block->seal = NULL;
}

void block_wipe(struct block *block)
{
    secret_free(block->raw, block->memory_bytes);
    *block = (struct block){0};
}
