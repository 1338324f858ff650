/* SPDX-License-Identifier: MIT */
#include "lib/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char *put_digits(char *to, uint64_t number, unsigned base)
{
	char digits[NUMBER_STRLEN], *c = digits + sizeof(digits) - 1;

	*c = '\0';
	do
		*--c = "0123456789abcdef"[number % base];
	while (number /= base);
	return stpcpy(to, c);
}

char *put_number(char *to, uint64_t number)
{
	return put_digits(to, number, 10);
}

char *put_hex(char *to, uint32_t number)
{
	return put_digits(to, number, 16);
}

bool number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++) {
		const unsigned digit = (unsigned)(text[i] - '0');

		if (text[i] < '0' || digit > 9 || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (size)
		*ret = number;
	return size;
}

bool ends_in(const char *text, const char *tail)
{
	const size_t size = strlen(text), n = strlen(tail);

	return size > n && !memcmp(text + size - n, tail, n);
}

size_t name_span(const char *text)
{
	const char *c = text;

	while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
	       (*c >= '0' && *c <= '9') || *c == '_' || *c == '.' || *c == '-')
		c++;
	return (size_t)(c - text);
}

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
