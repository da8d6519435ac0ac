/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of bytes. <ctype.h> asks the locale, and the locale is the host program's: in a Latin-1
 * one a host may hold letters that are no ASCII, in a Turkish one 'I' has no lower case. */
#ifndef FL_URL_ASCII_H
#define FL_URL_ASCII_H

#include <stdbool.h>

static inline bool fl_ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char fl_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool fl_ascii_is_letter(char c)
{
    return fl_ascii_lower(c) >= 'a' && fl_ascii_lower(c) <= 'z';
}

static inline bool fl_ascii_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

#endif
