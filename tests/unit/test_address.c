/* SPDX-License-Identifier: Apache-2.0 */
#include "request/address.h"

#include <criterion/criterion.h>

static const struct fl_address_policy open_policy = {.allow_loopback = true, .allow_private = true};
static const struct fl_address_policy closed_policy = {0};

static void expect_all(const struct fl_address_policy *policy, const char *const *addresses,
                       int32_t expected)
{
    for (size_t i = 0; addresses[i]; i++)
        cr_expect_eq(fl_address_check(policy, addresses[i], NULL), expected, "%s", addresses[i]);
}

static const char *const never[] = {"169.254.169.254",
                                    "169.254.0.1",
                                    "0.0.0.0",
                                    "0.1.2.3",
                                    "224.0.0.1",
                                    "239.255.255.255",
                                    "240.0.0.1x",
                                    "255.255.255.255",
                                    "fe80::1",
                                    "febf::1",
                                    "fd00:ec2::254",
                                    "ff02::1",
                                    "::",
                                    "::ffff:169.254.0.1",
                                    "::169.254.0.1",
                                    "64:ff9b::169.254.169.254",
                                    "2002:a9fe:1::1",
                                    "not-an-address",
                                    "",
                                    "127.1",
                                    NULL};
static const char *const loopback[] = {"127.0.0.1",        "127.255.0.3",   "::1",
                                       "::ffff:127.0.0.1", "2002:7f00:1::", NULL};
static const char *const private_networks[] = {
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",     "100.64.0.1",
    "fc00::1",  "fd12::1",    "fec0::1",        "::ffff:10.1.2.3", NULL};
static const char *const public_networks[] = {
    "1.1.1.1", "172.32.0.1", "100.128.0.1", "2001:db8::", "64:ff9b::1.1.1.1", "169.253.0.1", NULL};

Test(address, some_are_refused_whatever_the_configuration_says)
{
    expect_all(&open_policy, never, FLAME_ERR_POLICY);
    expect_all(&closed_policy, never, FLAME_ERR_POLICY);
}

Test(address, loopback_follows_the_configuration)
{
    struct fl_address_policy no_loopback = {.allow_private = true};

    expect_all(&open_policy, loopback, FLAME_OK);
    expect_all(&no_loopback, loopback, FLAME_ERR_POLICY);
    expect_all(&no_loopback, private_networks, FLAME_OK);
}

Test(address, private_networks_follow_the_configuration)
{
    struct fl_address_policy no_private = {.allow_loopback = true};

    expect_all(&open_policy, private_networks, FLAME_OK);
    expect_all(&no_private, private_networks, FLAME_ERR_POLICY);
    expect_all(&no_private, loopback, FLAME_OK);
}

Test(address, public_networks_always_pass)
{
    expect_all(&open_policy, public_networks, FLAME_OK);
    expect_all(&closed_policy, public_networks, FLAME_OK);
}

Test(address, policies_that_answer_differently_have_different_ids)
{
    struct fl_address_policy no_private = {.allow_loopback = true};
    struct fl_address_policy no_loopback = {.allow_private = true};
    uint64_t ids[] = {fl_address_policy_id(&open_policy), fl_address_policy_id(&closed_policy),
                      fl_address_policy_id(&no_private), fl_address_policy_id(&no_loopback)};

    for (size_t i = 0; i < 4; i++)
        for (size_t j = i + 1; j < 4; j++)
            cr_expect_neq(ids[i], ids[j]);
}
