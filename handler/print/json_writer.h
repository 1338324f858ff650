/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON (RFC 8259), two blanks a level. Knows nothing of what it writes. Errors are
 * the stream's: see ferror(3).
 */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned depth;
	bool filled; /* the innermost object or array has a member */
};

/* key: of the member, or NULL in an array and at the top. */
void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                 /* '}' or ']' */

/*
 * Any bytes: what is valid UTF-8 goes through, each byte that is not stands as U+FFFD.
 * NULL: null.
 */
void json_string(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint32_t number);
void json_thousandths(struct json *json, const char *key, uint64_t thousandths);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
