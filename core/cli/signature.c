/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libsodium.so.23"
#define CHUNK_BYTES ((size_t)256 * 1024)
#define STATE_ALIGNMENT 64
#define STATE_BYTES_MAX 4096
#define HASH_BYTES 64 /* BLAKE2b-512 */

/* ---- libsodium ------------------------------------------------------------------------------- */

struct crypto_generichash_blake2b_state;

struct sodium {
    int (*init)(void);
    int (*verify)(const unsigned char *signature, const unsigned char *message,
                  unsigned long long size, const unsigned char *key);
    size_t (*hash_state_bytes)(void);
    int (*hash_init)(struct crypto_generichash_blake2b_state *state, const unsigned char *key,
                     const size_t key_size, const size_t out_size);
    int (*hash_update)(struct crypto_generichash_blake2b_state *state, const unsigned char *bytes,
                       unsigned long long size);
    int (*hash_final)(struct crypto_generichash_blake2b_state *state, unsigned char *out,
                      const size_t out_size);
};

/* X(member, function) */
#define SODIUM_TABLE(X)                                                                            \
    X(init, sodium_init)                                                                           \
    X(verify, crypto_sign_ed25519_verify_detached)                                                 \
    X(hash_state_bytes, crypto_generichash_blake2b_statebytes)                                     \
    X(hash_init, crypto_generichash_blake2b_init)                                                  \
    X(hash_update, crypto_generichash_blake2b_update)                                              \
    X(hash_final, crypto_generichash_blake2b_final)

/* Where the header is there, the compiler says whether the types above are still its own. */
#if __has_include(<sodium.h>)
#include <sodium.h>
#define ROW_(member, function)                                                                     \
    _Static_assert(                                                                                \
        _Generic(((struct sodium *)0)->member, __typeof__(&(function)) : 1, default : 0),          \
        #function " has another type");
SODIUM_TABLE(ROW_)
#undef ROW_
_Static_assert(crypto_sign_ed25519_BYTES == CLI_MINISIG_BYTES &&
                   crypto_sign_ed25519_PUBLICKEYBYTES == CLI_MINISIG_KEY_BYTES &&
                   crypto_generichash_blake2b_BYTES_MAX == HASH_BYTES,
               "minisign's sizes are libsodium's");
_Static_assert(_Alignof(crypto_generichash_blake2b_state) <= STATE_ALIGNMENT,
               "the state is aligned");
#endif

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ROW_(member, function) {#function, offsetof(struct sodium, member)},
    SODIUM_TABLE(ROW_)
#undef ROW_
};

/* Each use loads it again, which costs nothing: it stays, so that nothing has to be remembered. */
static int32_t load(struct sodium *out, struct flame_error *err)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (!library)
        return cli_fail(err, FLAME_ERR_UNSUPPORTED, "signatures need libsodium: %s", dlerror());
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        void *address = dlsym(library, functions[i].name);

        if (!address)
            return cli_fail(err, FLAME_ERR_UNSUPPORTED, "%s has no %s", LIBRARY, functions[i].name);
        memcpy((char *)out + functions[i].offset, &address, sizeof(address));
    }
    if (out->init() < 0 || out->hash_state_bytes() > STATE_BYTES_MAX)
        return cli_fail(err, FLAME_ERR_UNSUPPORTED, "%s does not start", LIBRARY);
    return FLAME_OK;
}

int32_t cli_signature_ready(struct flame_error *err)
{
    struct sodium sodium;

    return load(&sodium, err);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* One piece of the file; all of `size` bytes. */
static int32_t read_piece(const struct cli_signed_file *file, uint64_t offset, unsigned char *out,
                          size_t size, struct flame_error *err)
{
    if (file->interrupted && file->interrupted())
        return cli_fail(err, FLAME_ERR_CANCELLED, "cancelled");
    while (size > 0) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(file->fd, out, size, (off_t)offset));

        if (got < 0)
            return cli_fail(err, FLAME_ERR_IO, "cannot read back the file: %s", strerror(errno));
        if (got == 0)
            return cli_fail(err, FLAME_ERR_IO, "cannot read back the file: it became shorter");
        out += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return FLAME_OK;
}

static size_t piece_at(const struct cli_signed_file *file, uint64_t offset)
{
    return file->size - offset < CHUNK_BYTES ? (size_t)(file->size - offset) : CHUNK_BYTES;
}

static int32_t hash_file(const struct sodium *sodium, const struct cli_signed_file *file,
                         unsigned char *out, struct flame_error *err)
{
    size_t state_bytes = sodium->hash_state_bytes() + STATE_ALIGNMENT - 1;
    cli_auto_text char *buffer = malloc(CHUNK_BYTES);
    cli_auto_text char *memory =
        aligned_alloc(STATE_ALIGNMENT, state_bytes - state_bytes % STATE_ALIGNMENT);
    struct crypto_generichash_blake2b_state *state = (void *)memory;

    if (!buffer || !memory)
        return cli_fail_memory(err);
    (void)sodium->hash_init(state, NULL, 0, HASH_BYTES);
    for (uint64_t offset = 0; offset < file->size; offset += CHUNK_BYTES) {
        size_t size = piece_at(file, offset);
        int32_t status = read_piece(file, offset, (unsigned char *)buffer, size, err);

        if (status != FLAME_OK)
            return status;
        (void)sodium->hash_update(state, (unsigned char *)buffer, size);
    }
    (void)sodium->hash_final(state, out, HASH_BYTES);
    return FLAME_OK;
}

static int32_t read_file(const struct cli_signed_file *file, char **out, struct flame_error *err)
{
    cli_auto_text char *bytes = malloc(file->size > 0 ? (size_t)file->size : 1);

    if (!bytes)
        return cli_fail_memory(err);
    for (uint64_t offset = 0; offset < file->size; offset += CHUNK_BYTES) {
        int32_t status =
            read_piece(file, offset, (unsigned char *)bytes + offset, piece_at(file, offset), err);

        if (status != FLAME_OK)
            return status;
    }
    *out = cli_take(&bytes);
    return FLAME_OK;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static bool is_signed(const struct sodium *sodium, const struct cli_signed_file *file,
                      const char *message, size_t size)
{
    return sodium->verify(file->signature->bytes, (const unsigned char *)message, size,
                          file->key->bytes) == 0;
}

static int32_t check_key_id(const struct cli_signed_file *file, struct flame_error *err)
{
    if (file->signature->key_id == file->key->id)
        return FLAME_OK;
    return cli_fail(err, FLAME_ERR_SIGNATURE,
                    "the signature is by the key %016" PRIX64 ", not by %016" PRIX64,
                    file->signature->key_id, file->key->id);
}

/* The second signature: over the first and the trusted comment. */
static int32_t check_comment(const struct sodium *sodium, const struct cli_signed_file *file,
                             struct flame_error *err)
{
    const struct cli_minisig *signature = file->signature;
    size_t size = sizeof(signature->bytes) + signature->comment_size;
    cli_auto_text char *message = malloc(size);

    if (!message)
        return cli_fail_memory(err);
    memcpy(message, signature->bytes, sizeof(signature->bytes));
    memcpy(message + sizeof(signature->bytes), signature->comment, signature->comment_size);
    if (sodium->verify(signature->comment_bytes, (const unsigned char *)message, size,
                       file->key->bytes) == 0)
        return FLAME_OK;
    return cli_fail(err, FLAME_ERR_SIGNATURE,
                    "the signature or its trusted comment was altered, or is not by this key");
}

static int32_t check_hashed(const struct sodium *sodium, const struct cli_signed_file *file,
                            bool *is_right, struct flame_error *err)
{
    unsigned char hash[HASH_BYTES];
    int32_t status = hash_file(sodium, file, hash, err);

    if (status == FLAME_OK)
        *is_right = is_signed(sodium, file, (const char *)hash, sizeof(hash));
    return status;
}

static int32_t check_whole(const struct sodium *sodium, const struct cli_signed_file *file,
                           bool *is_right, struct flame_error *err)
{
    cli_auto_text char *bytes = NULL;
    int32_t status;

    if (file->size > CLI_SIGNATURE_LEGACY_MAX)
        return cli_fail(err, FLAME_ERR_SIGNATURE,
                        "a legacy signature of more than 64 MiB cannot be checked: "
                        "sign the file with prehashing");
    status = read_file(file, &bytes, err);
    if (status == FLAME_OK)
        *is_right = is_signed(sodium, file, bytes, (size_t)file->size);
    return status;
}

static int32_t check_file(const struct sodium *sodium, const struct cli_signed_file *file,
                          struct flame_error *err)
{
    bool is_right = false;
    int32_t status = file->signature->is_prehashed ? check_hashed(sodium, file, &is_right, err)
                                                   : check_whole(sodium, file, &is_right, err);

    if (status != FLAME_OK || is_right)
        return status;
    return cli_fail(err, FLAME_ERR_SIGNATURE, "the file is not the one that was signed");
}

static char *shown_comment(const struct cli_minisig *signature)
{
    cli_auto_text char *text = cli_format("%.*s", (int)signature->comment_size, signature->comment);

    return text ? cli_escaped(text) : NULL;
}

int32_t cli_signature_verify(const struct cli_signed_file *file, char **comment,
                             struct flame_error *err)
{
    cli_auto_text char *shown = shown_comment(file->signature);
    struct sodium sodium;
    int32_t status = shown ? check_key_id(file, err) : cli_fail_memory(err);

    if (status == FLAME_OK)
        status = load(&sodium, err);
    if (status == FLAME_OK)
        status = check_comment(&sodium, file, err);
    if (status == FLAME_OK)
        status = check_file(&sodium, file, err);
    if (status == FLAME_OK && comment)
        *comment = cli_take(&shown);
    return status;
}
