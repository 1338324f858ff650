/* SPDX-License-Identifier: MIT */
#include "lib/escape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *escape(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool plain = c >= 0x20 && c < 0x7f && c != '\\';
		const size_t need = plain ? 1 : 4;

		if (n + need + sizeof("...") > size) {
			memcpy(buf + n, "...", 3);
			n += 3;
			break;
		}
		if (plain)
			buf[n] = (char)c;
		else
			snprintf(buf + n, need + 1, "\\x%02x", c);
		n += need;
	}
	buf[n] = '\0';
	return buf;
}
