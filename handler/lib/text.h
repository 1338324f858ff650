/* SPDX-License-Identifier: MIT */
/*
 * Short texts: pieces of ours put together, names, and others' text made fit to be shown.
 * Knows nothing of what it says. Pure. The caller has made the room.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_STRLEN 21 /* the longest number, with its NUL */

/*
 * As stpcpy(3): each writes at TO, ends what it wrote with a NUL, and returns where that
 * stands. Instead of printf(3), which costs an event more than all the rest of its own
 * code.
 */
char *put_number(char *to, uint64_t number);

/* Hexadecimal, as "%x". */
char *put_hex(char *to, uint32_t number);

/*
 * Whether TEXT is SIZE digits, at least one, and nothing else, of a number of at most MAX
 * (9 or more): then with *ret.
 */
bool number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret);

/* Whether TAIL is its end, and not all of it. */
bool ends_in(const char *text, const char *tail);

/*
 * How many of its first bytes are [A-Za-z0-9_.-], as in all our names: strspn(3) of so many
 * takes a thousand instructions.
 */
size_t name_span(const char *text);

/*
 * For a terminal, a log and quotes: TEXT with every byte outside printable ASCII, and the
 * backslash, as \xNN, cut with "..." at SIZE (at least 8). Returns BUF.
 */
const char *escape(const char *text, char *buf, size_t size);

#endif
