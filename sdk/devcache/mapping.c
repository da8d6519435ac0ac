/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping.h"

#include <stdlib.h>
#include <sys/mman.h>

struct fl_cache_mapping *fl_cache_mapping_new(const struct fl_cache_object *object,
                                              struct fl_cache_status *status)
{
    struct fl_cache_mapping *mapping = calloc(1, sizeof(*mapping));
    size_t size = (size_t)fl_cache_record_end(&object->record);
    void *data = NULL;

    if (!mapping) {
        (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    if (size > 0)
        data = mmap(NULL, size, PROT_READ, MAP_SHARED, object->fd, 0);
    if (data == MAP_FAILED) {
        (void)fl_cache_fail_errno(status, "could not map an object");
        free(mapping);
        return NULL;
    }
    mapping->data = data;
    mapping->size = size;
    __atomic_store_n(&mapping->holders, 1, __ATOMIC_RELEASE);
    return mapping;
}

void fl_cache_mapping_hold(struct fl_cache_mapping *mapping)
{
    (void)__atomic_add_fetch(&mapping->holders, 1, __ATOMIC_ACQ_REL);
}

void fl_cache_mapping_release(void *context)
{
    struct fl_cache_mapping *mapping = context;

    if (!mapping || __atomic_sub_fetch(&mapping->holders, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (mapping->data)
        (void)munmap(mapping->data, mapping->size);
    free(mapping);
}
