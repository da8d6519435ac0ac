/* SPDX-License-Identifier: Apache-2.0 */
/* Where a value was written, as messages name it: "/etc/flame/fetch.json: options.tls.min". */
#ifndef FL_CONFIG_PLACE_H
#define FL_CONFIG_PLACE_H

/* Parts that are NULL are left out. Without a file it is "option 'name'": a task's or the host
 * program's. All borrowed. */
struct fl_place {
    const char *file;
    const char *section; /* "options", "origins", ... */
    const char *key;     /* "https://host:443", a plugin's id */
    const char *name;
};

#define FL_PLACE_MAX 640 /* leaves room for the reason in a message */

/* Write it into `text` (FL_PLACE_MAX bytes), cut where it is too long; returns `text`. */
const char *fl_place_text(const struct fl_place *place, char *text);

#endif
