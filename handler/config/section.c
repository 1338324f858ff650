/* SPDX-License-Identifier: MIT */
#include "config/section.h"

#include "config/combination.h"
#include "lib/file.h"
#include "lib/iproute2.h"
#include "routing/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PASSWD_MAX (4 * 1024 * 1024) /* bytes */

struct parser {
	const struct ini_section *ini;
	struct diagnostics *diagnostics;
	struct section *section;
	int result;
};

static void expected(struct parser *parser, const struct ini_key *given, const char *item,
		     const char *what)
{
	parser->result = diagnose_error(parser->diagnostics, given->line,
					"%s = %.64s%s: expected %s", given->name, item,
					strlen(item) > 64 ? "..." : "", what);
}

static void parse_item(struct parser *parser, const struct config_key *key,
		       const struct ini_key *given, const char *item)
{
	const char *wanted = key->parse(item, parser->section);

	if (wanted)
		expected(parser, given, item, wanted);
}

/* Where ITEM stands in "a|b|c"; NULL: nowhere. */
static const char *find_word(const char *words, const char *item)
{
	const size_t size = strlen(item);

	while (words && *words) {
		const size_t n = strcspn(words, "|");

		if (n == size && !strncmp(words, item, size))
			return words;
		words += n + (words[n] == '|');
	}
	return NULL;
}

/* "a, b c": an item ends at blanks, a comma, or both; nothing between two commas is one
 * too. */
static void parse_items(struct parser *parser, const struct config_key *key,
			const struct ini_key *given)
{
	static const char blanks[] = " \t";
	const char *c = given->value + strspn(given->value, blanks);
	char item[1024], beside[64]; /* an item: longer than any line */
	const char *alone = NULL;

	for (unsigned n = 0;; n++) {
		const size_t size = strcspn(c, ", \t");
		const char *word;

		memcpy(item, c, size);
		item[size] = '\0';
		word = find_word(key->alone, item);
		if (n && (alone || word)) {
			snprintf(beside, sizeof(beside), "nothing beside %.*s",
				 (int)strcspn(word ? word : alone, "|"),
				 word ? word : alone);
			expected(parser, given, item, beside);
		} else {
			parse_item(parser, key, given, item);
		}
		alone = word ? word : alone;
		c += size;
		c += strspn(c, blanks);
		if (!*c)
			return;
		if (*c == ',')
			c++;
		c += strspn(c, blanks);
	}
}

static int fail_names(struct parser *parser, const struct ini_key *given, int error)
{
	char unread[PATH_MAX] = "iproute2's rt_tables";

	iproute2_find_unread(unread);
	return diagnose_error(
		parser->diagnostics, given->line,
		"table = %.64s: cannot read %s, which may have this name: %s",
		given->value, unread, strerror(-error));
}

/* A table that is given by its name. */
static void find_table(struct parser *parser)
{
	const struct ini_key *given = ini_find_key(parser->ini, "table");
	uint32_t table = 0;
	int r;

	if (!given || keys_all_digits(given->value))
		return;
	r = iproute2_number(given->value, &table);
	if (r < 0 && r != -ENOENT)
		parser->result = fail_names(parser, given, r);
	else if (r < 0 || !keys_table_ok(table))
		expected(parser, given, given->value, KEYS_TABLE_EXPECTED);
	else
		parser->section->table = table;
}

static void unknown_key(struct parser *parser, const struct ini_key *given)
{
	char keys[256] = "";
	size_t n = 0;

	for (const struct config_key *key = config_keys; key->name && n < sizeof(keys);
	     key++)
		n += (size_t)snprintf(keys + n, sizeof(keys) - n, "%s%s", n ? ", " : "",
				      key->name);
	parser->result = diagnose_error(parser->diagnostics, given->line,
					"unknown key %.64s: expected one of %s",
					given->name, keys);
}

static void parse_keys(struct parser *parser)
{
	const struct ini_section *section = parser->ini;
	const struct config_key *key;

	for (size_t i = 0; i < section->n_keys; i++) {
		const struct ini_key *given = &section->key[i];

		for (key = config_keys; key->name; key++)
			if (!strcmp(key->name, given->name))
				break;
		if (!key->name)
			unknown_key(parser, given);
		else if (key->flags & KEY_SEVERAL)
			parse_items(parser, key, given);
		else
			parse_item(parser, key, given, given->value);
	}
	for (key = config_keys; key->name; key++)
		if (!key->default_text && !ini_find_key(section, key->name))
			parser->result = diagnose_error(
				parser->diagnostics, section->line,
				"[%.64s] has no %s: expected a line %s = ...",
				section->name, key->name, key->name);
}

/* The section's name: the label, and the interface where no key says otherwise. */
static void parse_label(struct parser *parser)
{
	const struct ini_section *section = parser->ini;

	if (strlen(section->name) >= LABEL_SIZE || strchr("_.-", section->name[0]))
		parser->result = diagnose_error(
			parser->diagnostics, section->line,
			"[%.64s]: expected a name of at most %d bytes which begins with a letter or digit",
			section->name, LABEL_SIZE - 1);
	else
		strcpy(parser->section->label, section->name);
	if (ini_find_key(section, "interface"))
		return;
	if (keys_ifname_ok(section->name))
		strcpy(parser->section->ifname, section->name);
	else
		parser->result = diagnose_error(
			parser->diagnostics, section->line,
			"[%.64s] is no name for an interface, and has no key interface",
			section->name);
}

/* The number of a line "NAME:x:UID:..." of passwd(5). */
static bool find_uid(const char *bytes, const char *name, uint32_t *ret)
{
	const size_t size = strlen(name);

	for (const char *line = bytes; line; line = strchr(line, '\n')) {
		const char *uid;
		char *end;

		line += *line == '\n';
		uid = !strncmp(line, name, size) && line[size] == ':'
			      ? strchr(line + size + 1, ':')
			      : NULL;
		if (!uid)
			continue;
		*ret = (uint32_t)strtoul(uid + 1, &end, 10);
		return *end == ':' && end != uid + 1;
	}
	return false;
}

/* Returns 0 with *ret; -ENOENT: there is no such user; or -errno. */
static int read_uid(const char *name, uint32_t *ret)
{
	char *bytes;
	size_t size;
	int r = file_read("/etc/passwd", PASSWD_MAX, &bytes, &size);

	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	r = find_uid(bytes, name, ret) ? 0 : -ENOENT;
	free(bytes);
	return r;
}

/* Not by NSS, which may hang in an event, or ask where there is no network yet. */
static void find_user(struct parser *parser)
{
	const struct ini_key *given = ini_find_key(parser->ini, "user");
	uint32_t uid;
	int r;

	if (!given || !keys_user_is_name(given->value))
		return;
	r = read_uid(given->value, &uid);
	if (r == 0) {
		parser->section->by_user = true;
		parser->section->uid[0] = parser->section->uid[1] = uid;
	} else if (r == -ENOENT) {
		expected(parser, given, given->value,
			 "a name of /etc/passwd, a number, or two as 1000-1999");
	} else {
		parser->result = diagnose_error(
			parser->diagnostics, given->line,
			"user = %.64s: cannot read /etc/passwd: %s", given->value,
			strerror(r == -ENODATA ? ENOENT : -r));
	}
}

/* ---- what absent keys mean ---------------------------------------------------------- */

/*
 * The table is called as the section is, unless it has a name already, or ip(8) would take
 * that name for something else: then it has none, and nothing is lost by that.
 */
static void default_name(const struct ini_section *section, struct section *ret)
{
	const struct ini_key *table = ini_find_key(section, "table");

	if (ini_find_key(section, "name") || ret->no_route || ret->source_route ||
	    !iproute2_name_ok(ret->label))
		return;
	if (table && keys_all_digits(table->value))
		strcpy(ret->table_name, ret->label);
}

/*
 * A tunnel's own address reaches nothing by main that it would not reach by the tunnel. An
 * uplink's neighbours are main's affair, and so are a router's own networks. At priority 1
 * its rule has no number.
 */
static void default_prefer_main(const struct ini_section *section, struct section *ret)
{
	bool hosts = ret->source_kind != SOURCES_AUTO_PREFIX;

	if (ini_find_key(section, "prefer_main") || ret->source_route ||
	    ret->priority < 2)
		return;
	for (unsigned i = 0; i < ret->n_sources; i++)
		hosts &= ret->source[i].len == prefix_host_len(ret->source[i].family);
	ret->prefer_main = !hosts || plan_has_other_selectors(ret) || ret->gateway_auto ||
			   ret->gateway6.family || ret->gateway4.family;
}

const char *section_ifname(const struct ini_section *section)
{
	const struct ini_key *key = ini_find_key(section, "interface");

	return key ? key->value : section->name;
}

int section_parse(const struct ini_section *section, struct diagnostics *diagnostics,
		  unsigned ret_key_line[static CONFIG_KEYS], struct section *ret)
{
	struct parser parser = {
		.ini = section, .diagnostics = diagnostics, .section = ret};

	for (unsigned i = 0; i < CONFIG_KEYS; i++) {
		const struct ini_key *key = ini_find_key(section, config_keys[i].name);

		ret_key_line[i] = key ? key->line : 0;
	}
	keys_defaults(ret);
	parse_label(&parser);
	parse_keys(&parser);
	find_table(&parser);
	find_user(&parser);
	default_name(section, ret);
	default_prefer_main(section, ret);
	if (parser.result == 0)
		parser.result = combination_check(section, ret, diagnostics);
	return parser.result;
}
