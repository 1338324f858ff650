/* SPDX-License-Identifier: MIT */
#include "lib/ini_check.h"

#include "lib/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_SIZE_MAX 1022 /* iniparser's buffer of 1024 less newline and NUL */
#define SHOWN_MAX     48   /* bytes of somebody else's text in one complaint */

struct checker {
	struct ini_lines *found;
	struct diagnostics *diagnostics;
	unsigned line; /* the one being looked at */
	bool wrong;
	bool headed;              /* a section line was seen, good or not */
	struct ini_section *into; /* NULL: keys are checked but belong nowhere */
};

__attribute__((format(printf, 2, 3))) static int complain(struct checker *checker,
							  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diagnose_args(checker->diagnostics, SEVERITY_ERROR, checker->line, format, args);
	va_end(args);
	checker->wrong = true;
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Not tolower(): no locale may change what a key is called. */
char ini_check_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_name(const char *name)
{
	return name[name_span(name)] == '\0';
}

static int section_line(struct checker *checker, char *line, const char *end)
{
	struct ini_lines *found = checker->found;
	char *name = line + 1, *close = memchr(line, ']', (size_t)(end - line));

	checker->headed = true;
	checker->into = NULL;
	if (!close)
		return complain(checker,
				"the section's bracket is not closed: expected [NAME]");
	if (close + 1 != end)
		return complain(
			checker,
			"text behind the section's bracket: expected a comment or nothing");
	*close = '\0';
	if (!*name)
		return complain(checker, "a section without a name: expected [NAME]");
	if (!is_name(name))
		return complain(
			checker,
			"a section's name may hold only letters, digits, '_', '.' and '-'");
	for (size_t i = 0; i < found->n_sections; i++)
		if (!strncasecmp(found->section[i].name, name, LINE_SIZE_MAX))
			return complain(checker, "section [%.*s] is in line %u already",
					SHOWN_MAX, name, found->section[i].line);

	checker->into = &found->section[found->n_sections++];
	*checker->into = (struct ini_section){
		.name = name, .line = checker->line, .key = &found->key[found->n_keys]};
	return 0;
}

/*
 * Takes quotes, blanks and a comment off the value from *VALUE to *END. Returns what is
 * wrong with it, or NULL.
 */
static const char *trim_value(char **value, char **end)
{
	char *from = *value, *to = *end, *c;

	while (from < to && is_blank(*from))
		from++;
	if (from < to && (*from == '"' || *from == '\'')) {
		c = memchr(from + 1, *from, (size_t)(to - from - 1));
		if (!c)
			return "the quote is not closed";
		*value = from + 1;
		*end = c++;
		while (c < to && is_blank(*c))
			c++;
		return c == to || *c == ';' || *c == '#'
			       ? NULL
			       : "text behind the quotes: expected a comment or nothing";
	}
	if (from < to && *from == '=')
		return "a second '=': put quotes around the value";
	for (c = from; c < to && *c != ';' && *c != '#'; c++)
		if (*c == '"' || *c == '\'')
			return "a quote within a value: put quotes around all of it";
	/* iniparser would cut the value here with or without one */
	if (c < to && !is_blank(c[-1]))
		return "no blank before the comment: put one there, or quotes around the value";
	while (c > from && is_blank(c[-1]))
		c--;
	*value = from;
	*end = c;
	return NULL;
}

static int check_value(struct checker *checker, char **value, char *end)
{
	const char *wrong = trim_value(value, &end);

	if (wrong)
		return complain(checker, "%s", wrong);
	for (const char *c = *value; c < end; c++) {
		if (*c == '\\')
			return complain(checker,
					"a backslash in the value: no value has one");
		if (*c & 0x80)
			return complain(
				checker,
				"a byte beyond ASCII in the value: no value has one");
	}
	*end = '\0';
	return 0;
}

static int key_line(struct checker *checker, char *line, char *end)
{
	char *equals = memchr(line, '=', (size_t)(end - line)), *c = equals, *value;
	struct ini_section *into = checker->into;

	if (!equals)
		return complain(
			checker,
			"neither a [section] nor a key with '=': expected KEY = VALUE");
	while (c > line && is_blank(c[-1]))
		c--;
	*c = '\0';
	if (!*line)
		return complain(checker, "no key before the '=': expected KEY = VALUE");
	if (!is_name(line))
		return complain(
			checker,
			"a key's name may hold only letters, digits, '_', '.' and '-'");
	for (c = line; *c; c++)
		*c = ini_check_lower(*c);
	value = equals + 1;
	if (check_value(checker, &value, end) < 0)
		return -EINVAL;
	if (!checker->headed)
		return complain(checker,
				"a key before the first section: expected [NAME] first");
	if (!into)
		return 0;
	for (size_t i = 0; i < into->n_keys; i++)
		if (!strcmp(into->key[i].name, line))
			return complain(checker, "key %.*s is in line %u already",
					SHOWN_MAX, line, into->key[i].line);
	checker->found->key[checker->found->n_keys++] =
		(struct ini_key){.name = line, .value = value, .line = checker->line};
	into->n_keys++;
	return 0;
}

static int check_bytes(struct checker *checker, const char *line, const char *end)
{
	for (const char *c = line; c < end; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return complain(checker, "a control byte (0x%02x)",
					(unsigned char)*c);
	return 0;
}

static int check_line(struct checker *checker, char *line, char *end)
{
	if (end - line > LINE_SIZE_MAX)
		return complain(checker, "longer than %d bytes: iniparser would cut it",
				LINE_SIZE_MAX);
	if (end > line && end[-1] == '\r')
		end--;
	if (check_bytes(checker, line, end) < 0)
		return -EINVAL;
	while (line < end && is_blank(*line))
		line++;
	while (end > line && is_blank(end[-1]))
		end--;
	if (line == end)
		return 0;
	/* iniparser joins the next line to this one, even if this one is a comment */
	if (end[-1] == '\\')
		return complain(
			checker,
			"a backslash at the end of the line: iniparser would join the next to it");
	if (*line == '#' || *line == ';')
		return 0;
	return *line == '[' ? section_line(checker, line, end)
			    : key_line(checker, line, end);
}

int ini_check_text(char *bytes, size_t size, struct diagnostics *diagnostics,
		   struct ini_lines *found)
{
	struct checker checker = {.found = found, .diagnostics = diagnostics};
	char *line = bytes, *const end = bytes + size;

	found->n_sections = found->n_keys = 0;
	while (line < end) {
		char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		if (++checker.line == 1 && stop - line >= 3 &&
		    !memcmp(line, "\xef\xbb\xbf", 3)) {
			complain(&checker, "a byte order mark before the text");
			line += 3;
		}
		check_line(&checker, line, stop);
		line = stop + 1;
	}
	return checker.wrong ? -EINVAL : 0;
}
