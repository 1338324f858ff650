/* SPDX-License-Identifier: MIT */
#include "config/section.h"

#include "lib/iproute2.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MTU_MIN6 1280 /* RFC 8200, 5 */

struct parser {
	const struct ini_section *section;
	struct diagnostics *diagnostics;
	struct section *tunnel;
	int result;
};

__attribute__((format(printf, 3, 4))) static void
complain(struct parser *parser, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diagnose_args(parser->diagnostics, SEVERITY_ERROR, line, format, args);
	va_end(args);
	parser->result = -EINVAL;
}

static const struct ini_key *find_key(const struct ini_section *section, const char *name)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (!strcmp(section->key[i].name, name))
			return &section->key[i];
	return NULL;
}

/* For a complaint about keys which are fine by themselves. */
static unsigned line_of(const struct ini_section *section, const char *name)
{
	const struct ini_key *key = find_key(section, name);

	return key ? key->line : section->line;
}

static void expected(struct parser *parser, const struct ini_key *given, const char *item,
		     const char *what)
{
	complain(parser, given->line, "%s = %.64s%s: expected %s", given->name, item,
		 strlen(item) > 64 ? "..." : "", what);
}

static void parse_item(struct parser *parser, const struct config_key *key,
		       const struct ini_key *given, const char *item)
{
	const char *wanted = key->parse(item, parser->tunnel);

	if (wanted)
		expected(parser, given, item, wanted);
}

/* "a, b c": an item ends at blanks, a comma, or both; nothing between two commas is one
 * too. */
static void parse_items(struct parser *parser, const struct config_key *key,
			const struct ini_key *given)
{
	static const char blanks[] = " \t";
	const char *c = given->value + strspn(given->value, blanks);
	char item[1024], beside[64]; /* an item: longer than any line */
	bool alone = false;

	snprintf(beside, sizeof(beside), "nothing beside %s", key->alone);
	for (unsigned n = 0;; n++) {
		const size_t size = strcspn(c, ", \t");
		bool is_word;

		snprintf(item, sizeof(item), "%.*s", (int)size, c);
		is_word = !strcmp(item, key->alone);
		if (n && (alone || is_word))
			expected(parser, given, item, beside);
		else
			parse_item(parser, key, given, item);
		alone |= is_word;
		c += size;
		c += strspn(c, blanks);
		if (!*c)
			return;
		if (*c == ',')
			c++;
		c += strspn(c, blanks);
	}
}

/* A table that is given by its name. */
static void find_table(struct parser *parser)
{
	const struct ini_key *given = find_key(parser->section, "table");
	uint32_t table = 0;
	int r;

	if (!given || keys_all_digits(given->value))
		return;
	r = names_number(given->value, &table);
	if (r < 0 && r != -ENOENT)
		complain(
			parser, given->line,
			"table = %.64s: cannot read all of iproute2's rt_tables, which may have this name: %s",
			given->value, strerror(-r));
	else if (r < 0 || !keys_table_ok(table))
		expected(parser, given, given->value, KEYS_TABLE_EXPECTED);
	else
		parser->tunnel->table = table;
}

static void unknown_key(struct parser *parser, const struct ini_key *given)
{
	char keys[256] = "";
	size_t n = 0;

	for (const struct config_key *key = config_keys; key->name && n < sizeof(keys);
	     key++)
		n += (size_t)snprintf(keys + n, sizeof(keys) - n, "%s%s", n ? ", " : "",
				      key->name);
	complain(parser, given->line, "unknown key %.64s: expected one of %s",
		 given->name, keys);
}

static void parse_keys(struct parser *parser)
{
	const struct ini_section *section = parser->section;
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
		if (!key->default_text && !find_key(section, key->name))
			complain(parser, section->line,
				 "[%.64s] has no %s: expected a line %s = ...",
				 section->name, key->name, key->name);
}

/* The section's name: the label, and the interface where no key says otherwise. */
static void parse_label(struct parser *parser)
{
	const struct ini_section *section = parser->section;

	if (strlen(section->name) >= LABEL_SIZE || strchr("_.-", section->name[0]))
		complain(
			parser, section->line,
			"[%.64s]: expected a name of at most %d bytes which begins with a letter or digit",
			section->name, LABEL_SIZE - 1);
	else
		strcpy(parser->tunnel->label, section->name);
	if (find_key(section, "interface"))
		return;
	if (config_ifname_ok(section->name))
		strcpy(parser->tunnel->ifname, section->name);
	else
		complain(parser, section->line,
			 "[%.64s] is no name for an interface, and has no key interface",
			 section->name);
}

/* The link's own addresses may be of either. */
static bool may_have_source(const struct section *tunnel, int family)
{
	if (tunnel->source_auto)
		return true;
	for (unsigned i = 0; i < tunnel->n_sources; i++)
		if (tunnel->source[i].family == family)
			return true;
	return false;
}

/* What keys that are fine by themselves may not be together. */
static void check_together(struct parser *parser)
{
	const struct ini_section *section = parser->section;
	const struct section *tunnel = parser->tunnel;
	const bool has6 = may_have_source(tunnel, AF_INET6),
		   has4 = may_have_source(tunnel, AF_INET);

	if (tunnel->prefer_main && tunnel->priority < 2)
		complain(
			parser, line_of(section, "priority"),
			"priority = 1: expected at least 2, as prefer_main's rule stands one before");
	if ((tunnel->gateway6.family && !has6) || (tunnel->gateway4.family && !has4))
		complain(
			parser, line_of(section, "gateway"),
			"gateway: expected one of a source's family, and no source is %s",
			has6 ? "IPv4" : "IPv6");
	if (tunnel->mtu && tunnel->mtu < MTU_MIN6 && has6)
		complain(parser, line_of(section, "mtu"),
			 "mtu = %u: expected at least %d, as a source is IPv6",
			 tunnel->mtu, MTU_MIN6);
}

/*
 * The table is called as the interface is, unless it has a name already, or ip(8) would
 * take that name for something else: then it has none, and nothing is lost by that.
 */
static void default_name(const struct ini_section *section, struct section *tunnel)
{
	const struct ini_key *table = find_key(section, "table");

	if (find_key(section, "name") || !name_ok(tunnel->ifname))
		return;
	if (table && keys_all_digits(table->value))
		strcpy(tunnel->table_name, tunnel->ifname);
}

const char *section_ifname(const struct ini_section *section)
{
	const struct ini_key *key = find_key(section, "interface");

	return key ? key->value : section->name;
}

int section_parse(const struct ini_section *section, struct diagnostics *diagnostics,
		  unsigned ret_key_line[static CONFIG_KEYS], struct section *ret)
{
	struct parser parser = {
		.section = section, .diagnostics = diagnostics, .tunnel = ret};

	for (unsigned i = 0; i < CONFIG_KEYS; i++) {
		const struct ini_key *key = find_key(section, config_keys[i].name);

		ret_key_line[i] = key ? key->line : 0;
	}
	keys_defaults(ret);
	parse_label(&parser);
	parse_keys(&parser);
	find_table(&parser);
	if (parser.result == 0)
		check_together(&parser);
	default_name(section, ret);
	return parser.result;
}
