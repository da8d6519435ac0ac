/* SPDX-License-Identifier: Apache-2.0 */
/* sums_driver FILE NAME: print the digest of NAME in the checksum file FILE as "sha256:<hex>", or
 * "STATUS message" and exit with the status's exit code. */
#include "request/sums.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static char text[FL_SUMS_BYTES_MAX + 1];
    struct flame_error err = FLAME_INIT(flame_error);
    char shown[FL_DIGEST_TEXT_MAX];
    struct fl_digest digest;
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    size_t size;

    if (!file)
        return 2;
    size = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    if (fl_sums_find(text, size, argv[2], &digest, &err) != FLAME_OK) {
        (void)printf("%s %s\n", flame_status_name(err.status), err.message);
        return flame_exit_code(&err);
    }
    fl_digest_format(&digest, shown);
    (void)puts(shown);
    return 0;
}
