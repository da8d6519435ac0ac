/* SPDX-License-Identifier: Apache-2.0 */
#include "request/address.h"

#include <arpa/inet.h>
#include <string.h>

enum kind { KIND_PUBLIC, KIND_LOOPBACK, KIND_PRIVATE, KIND_REFUSED };

struct range {
    uint8_t bytes[16];
    uint32_t bits;
    enum kind kind;
};

/* IANA special-purpose registries (RFC 6890 and successors), as far as a client cares. */
static const struct range ranges_v4[] = {
    {{0}, 8, KIND_REFUSED},                   /* "this network" reaches loopback on Linux */
    {{169, 254}, 16, KIND_REFUSED},           /* link-local, cloud metadata */
    {{224}, 4, KIND_REFUSED},                 /* multicast */
    {{255, 255, 255, 255}, 32, KIND_REFUSED}, /* broadcast */
    {{127}, 8, KIND_LOOPBACK},
    {{10}, 8, KIND_PRIVATE},
    {{172, 16}, 12, KIND_PRIVATE},
    {{192, 168}, 16, KIND_PRIVATE},
    {{100, 64}, 10, KIND_PRIVATE}, /* carrier-grade NAT */
};

static const struct range ranges_v6[] = {
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, KIND_REFUSED},
    {{0xfe, 0x80}, 10, KIND_REFUSED}, /* link-local */
    {{0xff}, 8, KIND_REFUSED},        /* multicast */
    {{0}, 128, KIND_REFUSED},         /* unspecified */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, KIND_LOOPBACK},
    {{0xfc}, 7, KIND_PRIVATE},        /* unique local */
    {{0xfe, 0xc0}, 10, KIND_PRIVATE}, /* site-local, deprecated */
};

/* Where an IPv6 address may carry an IPv4 one: prefix, and the byte it starts at. */
static const struct {
    uint8_t bytes[16];
    uint32_t bits;
    uint32_t at;
} carriers[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12}, /* mapped, RFC 4291 */
    {{0}, 96, 12},                                        /* compatible, deprecated */
    {{0, 0x64, 0xff, 0x9b}, 96, 12},                      /* NAT64, RFC 6052 */
    {{0x20, 0x02}, 16, 2},                                /* 6to4, RFC 3056 */
};

static bool has_prefix(const uint8_t *address, const uint8_t *prefix, uint32_t bits)
{
    uint32_t whole = bits / 8;
    uint32_t rest = bits % 8;

    if (memcmp(address, prefix, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static enum kind classify(const uint8_t *address, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has_prefix(address, ranges[i].bytes, ranges[i].bits))
            return ranges[i].kind;
    return KIND_PUBLIC;
}

static enum kind classify_v4(const uint8_t *address)
{
    return classify(address, ranges_v4, sizeof(ranges_v4) / sizeof(*ranges_v4));
}

static enum kind classify_v6(const uint8_t *address)
{
    enum kind kind = classify(address, ranges_v6, sizeof(ranges_v6) / sizeof(*ranges_v6));

    if (kind != KIND_PUBLIC)
        return kind;
    for (size_t i = 0; i < sizeof(carriers) / sizeof(*carriers); i++)
        if (has_prefix(address, carriers[i].bytes, carriers[i].bits))
            return classify_v4(address + carriers[i].at);
    return KIND_PUBLIC;
}

static bool is_allowed(const struct fl_address_policy *policy, enum kind kind)
{
    switch (kind) {
    case KIND_LOOPBACK:
        return policy->allow_loopback;
    case KIND_PRIVATE:
        return policy->allow_private;
    case KIND_REFUSED:
        return false;
    case KIND_PUBLIC:
    default:
        return true;
    }
}

int32_t fl_address_check(const struct fl_address_policy *policy, const char *address,
                         struct flame_error *err)
{
    uint8_t bytes[16];
    enum kind kind = KIND_REFUSED;

    if (inet_pton(AF_INET, address, bytes) == 1)
        kind = classify_v4(bytes);
    else if (inet_pton(AF_INET6, address, bytes) == 1)
        kind = classify_v6(bytes);
    if (is_allowed(policy, kind))
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_POLICY, "the address policy does not allow '%s'", address);
}

uint64_t fl_address_policy_id(const struct fl_address_policy *policy)
{
    return 1u + (policy->allow_loopback ? 2u : 0u) + (policy->allow_private ? 4u : 0u);
}
