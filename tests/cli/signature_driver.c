/* SPDX-License-Identifier: Apache-2.0 */
/* signature_driver [-i] [-s BYTES] FILE SIGNATURE KEY: check FILE by the file SIGNATURE and KEY, a
 * file or the text itself.
 *   -i  a signal has come   -s  the size that FILE is said to have
 * Prints the trusted comment, or "STATUS message" and exits with the status's exit code. */
#include "signature.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int interrupted(void)
{
    return 1;
}

static size_t read_text(const char *path, char *out, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file)
        exit(2);
    size = fread(out, 1, capacity, file);
    (void)fclose(file);
    return size;
}

static int32_t check(struct cli_signed_file *file, char **arguments, char **comment,
                     struct flame_error *err)
{
    static char text[CLI_MINISIG_TEXT_MAX + 1];
    static char key_text[CLI_MINISIG_TEXT_MAX + 1];
    struct cli_minisig signature;
    struct cli_minisig_key key;
    bool is_path = access(arguments[2], F_OK) == 0;
    size_t key_size = is_path ? read_text(arguments[2], key_text, sizeof(key_text)) : 0;
    int32_t status = cli_minisig_key_parse(is_path ? key_text : arguments[2],
                                           is_path ? key_size : strlen(arguments[2]), &key, err);

    if (status == FLAME_OK)
        status =
            cli_minisig_parse(text, read_text(arguments[1], text, sizeof(text)), &signature, err);
    if (status == FLAME_OK)
        status = cli_signature_ready(err);
    if (status != FLAME_OK)
        return status;
    file->signature = &signature;
    file->key = &key;
    return cli_signature_verify(file, comment, err);
}

int main(int argc, char **argv)
{
    struct cli_signed_file file = {0};
    struct flame_error err = FLAME_INIT(flame_error);
    cli_auto_text char *comment = NULL;
    struct stat facts;
    const char *size = NULL;
    int letter;

    while ((letter = getopt(argc, argv, "is:")) != -1) {
        if (letter == 'i')
            file.interrupted = interrupted;
        else
            size = optarg;
    }
    file.fd = argc - optind == 3 ? open(argv[optind], O_RDONLY | O_CLOEXEC) : -1;
    if (file.fd < 0 || fstat(file.fd, &facts) != 0)
        return 2;
    file.size = size ? strtoull(size, NULL, 10) : (uint64_t)facts.st_size;
    if (check(&file, argv + optind, &comment, &err) == FLAME_OK)
        return puts(comment) < 0;
    (void)printf("%s %s\n", flame_status_name(err.status), err.message);
    return flame_exit_code(&err);
}
