/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a checksum file, its first line being the name that is looked for: what is found
 * stands in the file, the name too unless the digest is alone; line ends and comments change
 * nothing; a failure leaves no trace but its message. */
#include "base/text.h"
#include "request/sums.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define CANARY "Zq7Xw9Kj"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool holds(const char *text, size_t size, const char *word, bool any_case)
{
    size_t length = strlen(word);

    for (size_t i = 0; i + length <= size; i++)
        if (any_case ? strncasecmp(text + i, word, length) == 0
                     : memcmp(text + i, word, length) == 0)
            return true;
    return false;
}

static const char *last_segment(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Either any name has this digest, or this one stands in the file. */
static void stands_in_the_file(const struct fl_digest *digest, const char *name, const char *text,
                               size_t size)
{
    char shown[FL_DIGEST_TEXT_MAX];
    struct fl_digest of_any = {0};

    fl_digest_format(digest, shown);
    require(strlen(shown) == (digest->kind == FL_DIGEST_SHA256 ? 7 + 64 : 7 + 128));
    require(holds(text, size, shown + 7, true));
    if (holds(text, size, CANARY, false) || strstr(name, CANARY))
        return;
    if (fl_sums_find(text, size, CANARY, &of_any, NULL) == FLAME_OK)
        require(fl_digest_equal(&of_any, digest));
    else if (!strpbrk(name, "\\\n\r")) /* written with escapes */
        require(holds(text, size, last_segment(name), false));
}

static void says_why(int32_t status, const struct flame_error *err, const struct fl_digest *digest)
{
    static const struct fl_digest none = {0};

    require(status == FLAME_ERR_NOT_FOUND || status == FLAME_ERR_INVALID);
    require(err->status == status && err->message[0] && !strpbrk(err->message, "\r\n"));
    require(memcmp(digest, &none, sizeof(none)) == 0);
}

/* The same file with CR LF and a comment in front of each line. */
static char *dressed(const char *text, size_t size, size_t *out_size)
{
    static const char comment[] = "# a comment\r\n";
    char *out = malloc(size * (sizeof(comment) + 2) + sizeof(comment));
    size_t used = 0;

    require(out != NULL);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            out[used++] = '\r';
        out[used++] = text[i];
        if (text[i] == '\n') {
            memcpy(out + used, comment, sizeof(comment) - 1);
            used += sizeof(comment) - 1;
        }
    }
    *out_size = used;
    return out;
}

static bool may_be_dressed(const char *text, size_t size)
{
    return size < 32768 && !memchr(text, '\r', size) && !holds(text, size, "PGP", false);
}

static void dress_changes_nothing(const char *text, size_t size, const char *name,
                                  const struct fl_digest *before)
{
    struct fl_digest digest = {0};
    size_t dressed_size = 0;
    char *other = dressed(text, size, &dressed_size);
    int32_t status = fl_sums_find(other, dressed_size, name, &digest, NULL);

    require((status == FLAME_OK) == (before->kind != FL_DIGEST_NONE));
    require(memcmp(&digest, before, sizeof(digest)) == 0);
    free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_digest digest = {0};
    const char *text;
    char *name;
    int32_t status;

    if (!end)
        return 0;
    name = strndup((const char *)data, (size_t)(end - data));
    text = (const char *)end + 1;
    size -= (size_t)(end + 1 - data);
    if (!name || size > FL_SUMS_BYTES_MAX) {
        free(name);
        return 0;
    }
    status = fl_sums_find(text, size, name, &digest, &err);
    if (status == FLAME_OK)
        stands_in_the_file(&digest, name, text, size);
    else
        says_why(status, &err, &digest);
    if (may_be_dressed(text, size))
        dress_changes_nothing(text, size, name, &digest);
    free(name);
    return 0;
}
