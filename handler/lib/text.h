/* SPDX-License-Identifier: MIT */
/*
 * Short texts, piece by piece, as stpcpy(3) does: each function writes at TO, ends what it
 * wrote with a NUL, and returns where that stands. Instead of printf(3), which costs an
 * event more than all the rest of its own code. Pure. The caller has made the room.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_STRLEN 21 /* the longest number, with its NUL */

char *put_number(char *to, uint64_t number);

/* Hexadecimal, as "%x". */
char *put_hex(char *to, uint32_t number);

/*
 * How many of its first bytes are [A-Za-z0-9_.-], as in all our names: strspn(3) of so many
 * takes a thousand instructions.
 */
size_t name_span(const char *text);

#endif
