/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without libFuzzer: every file of a corpus directory as it is, then mutations
 * of them from a fixed seed, for a bounded number and time. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUTATIONS 20000
#define SECONDS_MAX 10
#define SEEDS_MAX 256
#define SIZE_MAX_BYTES 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seed {
    uint8_t *data;
    size_t size;
};

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint32_t next_random(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return bound ? (uint32_t)(random_state >> 32) % bound : 0;
}

static struct seed read_seed(const char *path)
{
    struct seed seed = {.data = malloc(SIZE_MAX_BYTES)};
    FILE *file = fopen(path, "rb");

    if (!seed.data || !file) {
        perror(path);
        exit(1);
    }
    seed.size = fread(seed.data, 1, SIZE_MAX_BYTES, file);
    (void)fclose(file);
    return seed;
}

static size_t read_corpus(const char *path, struct seed *seeds)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t count = 0;

    while (dir && (entry = readdir(dir)) && count < SEEDS_MAX) {
        char name[4096];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        seeds[count++] = read_seed(name);
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

/* Flip, overwrite, cut, repeat or insert, one to four times. */
static size_t mutate(uint8_t *data, size_t size, size_t capacity)
{
    static const char spice[] = "%/\\?#@:[].0x\0\r\n\t \xff\x80{}\"',-+19";

    for (uint32_t times = 1 + next_random(4); times > 0; times--) {
        size_t at = next_random((uint32_t)size);

        switch (next_random(5)) {
        case 0:
            if (size > 0)
                data[at] ^= (uint8_t)(1u << next_random(8));
            break;
        case 1:
            if (size > 0)
                data[at] = (uint8_t)spice[next_random(sizeof(spice) - 1)];
            break;
        case 2:
            size = at;
            break;
        case 3:
            if (size > 0 && size < capacity) {
                memmove(data + at + 1, data + at, size - at);
                data[at] = (uint8_t)spice[next_random(sizeof(spice) - 1)];
                size++;
            }
            break;
        default:
            if (size - at > 0 && size + (size - at) < capacity) {
                memcpy(data + size, data + at, size - at);
                size += size - at;
            }
            break;
        }
    }
    return size;
}

/* A copy of exactly the size, so that a sanitizer sees every step over its end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        exit(1);
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    static struct seed seeds[SEEDS_MAX];
    static uint8_t work[2 * SIZE_MAX_BYTES];
    size_t count = argc > 1 ? read_corpus(argv[1], seeds) : 0;
    time_t end = time(NULL) + SECONDS_MAX;
    int done = 0;

    if (count == 0) {
        (void)fprintf(stderr, "usage: %s CORPUS (with seeds in it)\n", argv[0]);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        run(seeds[i].data, seeds[i].size);
    for (; done < MUTATIONS && time(NULL) < end; done++) {
        const struct seed *seed = &seeds[next_random((uint32_t)count)];

        memcpy(work, seed->data, seed->size);
        run(work, mutate(work, seed->size, sizeof(work)));
    }
    (void)printf("%zu seeds, %d mutations\n", count, done);
    for (size_t i = 0; i < count; i++)
        free(seeds[i].data);
    return 0;
}
