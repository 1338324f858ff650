/* SPDX-License-Identifier: MIT */
#include "print/json_writer.h"

#include <stddef.h>

static void new_line(const struct json *json)
{
	fprintf(json->out, "\n%*s", (int)(2 * json->depth), "");
}

/* How many bytes the UTF-8 character at TEXT has; 0: it is none (RFC 3629, section 4). */
static size_t character_size(const unsigned char *text)
{
	const unsigned char c = text[0];
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */
	size_t size = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (c > 0xf4)
		return 0;
	if (c == 0xe0)
		low = 0xa0;
	if (c == 0xed)
		high = 0x9f; /* no surrogates */
	if (c == 0xf0)
		low = 0x90;
	if (c == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < size; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return size;
}

static void write_string(FILE *out, const char *string)
{
	const unsigned char *text = (const unsigned char *)string;

	fputs("\"", out);
	while (*text) {
		const size_t size = character_size(text);

		if (!size)
			fputs("\xef\xbf\xbd", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text < 0x20 || *text == 0x7f)
			fprintf(out, "\\u%04x", *text);
		else
			fprintf(out, "%.*s", (int)size, text);
		text += size ? size : 1;
	}
	fputs("\"", out);
}

/* What stands before a member's value. */
static void begin(struct json *json, const char *key)
{
	if (json->filled)
		fputs(",", json->out);
	if (json->depth)
		new_line(json);
	if (key) {
		write_string(json->out, key);
		fputs(": ", json->out);
	}
	json->filled = true;
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	fprintf(json->out, "%.1s", &bracket);
	json->depth++;
	json->filled = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		new_line(json);
	fprintf(json->out, "%.1s", &bracket);
	json->filled = true;
	if (!json->depth)
		fputs("\n", json->out);
}

void json_string(struct json *json, const char *key, const char *text)
{
	begin(json, key);
	if (text)
		write_string(json->out, text);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *key, uint32_t number)
{
	begin(json, key);
	fprintf(json->out, "%u", number);
}

void json_thousandths(struct json *json, const char *key, uint64_t thousandths)
{
	begin(json, key);
	fprintf(json->out, "%llu.%03llu", (unsigned long long)(thousandths / 1000),
		(unsigned long long)(thousandths % 1000));
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	json_string(json, key, NULL);
}
