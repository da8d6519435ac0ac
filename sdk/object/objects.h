/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts after this one may know of a cache beside flame/object.h. Any thread. */
#ifndef SDK_OBJECT_OBJECTS_H
#define SDK_OBJECT_OBJECTS_H

#include <flame/object.h>

/* What to tell somebody whose cache does not answer; NULL where he has named it himself. */
const char *sdk_objects_hint(const struct flame_objects *objects);

#endif
