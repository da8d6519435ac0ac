/* SPDX-License-Identifier: Apache-2.0 */
#include "context/environment.h"

#include "base/text.h"

#include <pwd.h>

#define USER_MAX (16u << 10) /* bytes of one line of the user database */

const char *fl_environment(const char *name)
{
    const char *value = name ? secure_getenv(name) : NULL;

    return value && *value ? value : NULL;
}

bool fl_default_file(char **out)
{
    const char *home = fl_environment("HOME");
    fl_auto_free char *line = NULL;
    struct passwd user;
    struct passwd *found = NULL;

    *out = NULL;
    if (!home) {
        line = malloc(USER_MAX);
        if (!line)
            return false;
        if (getpwuid_r(getuid(), &user, line, USER_MAX, &found) == 0 && found)
            home = found->pw_dir;
    }
    if (!home || !*home)
        return true;
    *out = fl_format("%s/.flame/flame.yaml", home);
    return *out != NULL;
}
