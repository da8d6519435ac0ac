/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a plugin's file: its note is read or refused with one line, and what was accepted
 * keeps the bounds that everybody else relies on. */
#include "registry/manifest.h"
#include "registry/note.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* One file for all runs: making one costs more than reading it. */
static int file_of(const uint8_t *data, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("note", MFD_CLOEXEC);
    require(fd >= 0 && ftruncate(fd, 0) == 0);
    require(pwrite(fd, data, size, 0) == (ssize_t)size);
    return fd;
}

static void check_schemes(const struct fl_scheme_list *list)
{
    require(list->count <= FL_SCHEMES_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        const char *name = list->items[i].name;
        size_t size = strnlen(name, FL_SCHEME_MAX + 1);

        require(size > 0 && size <= FL_SCHEME_MAX);
        require(name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.")] == '\0');
        require(list->items[i].default_port <= 65535);
        require(fl_scheme_find(list, name) == &list->items[i]);
    }
}

static void check_refusal(enum fl_reject reject, const struct fl_refusal *refusal)
{
    require(refusal->code == reject);
    require((reject == FL_ACCEPTED) == (refusal->reason[0] == '\0'));
    require(!strpbrk(refusal->reason, "\n\r\x1b\x7f"));
}

static void check_manifest(char *text)
{
    struct fl_refusal refusal = {.code = FL_ACCEPTED};
    struct fl_manifest manifest;
    bool memory = false;
    enum fl_reject reject = fl_manifest_read(text, &manifest, &memory, &refusal);

    require(memory);
    check_refusal(reject, &refusal);
    check_schemes(&manifest.schemes);
    check_schemes(&manifest.redirects);
    if (reject == FL_ACCEPTED) {
        require(manifest.schemes.count > 0);
        require(manifest.id && strlen(manifest.id) <= FL_ID_MAX && strchr(manifest.id, '.'));
        require(!strpbrk(manifest.version, "\n\r\x1b") && !strpbrk(manifest.summary, "\n\r\x1b"));
    }
    fl_manifest_done(&manifest);
}

/* A leading zero byte: the rest is a manifest, without the ELF file around it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fl_refusal refusal = {.code = FL_ACCEPTED};
    char *text = NULL;
    enum fl_reject reject;

    if (size > 0 && data[0] == 0) {
        text = strndup((const char *)data + 1, size - 1);
        require(text != NULL);
        check_manifest(text);
        return 0;
    }
    reject = fl_note_read(file_of(data, size), size, &text, &refusal);
    check_refusal(reject, &refusal);
    require((reject == FL_ACCEPTED) == (text != NULL));
    if (text)
        check_manifest(text);
    return 0;
}
