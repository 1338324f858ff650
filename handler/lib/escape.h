/* SPDX-License-Identifier: MIT */
/* Text of others made fit for a terminal, a log and quotes. Pure. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stddef.h>

/*
 * TEXT with every byte outside printable ASCII, and the backslash, as \xNN, cut with
 * "..." at SIZE (at least 8). Returns BUF.
 */
const char *escape(const char *text, char *buf, size_t size);

#endif
