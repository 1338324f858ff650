/* SPDX-License-Identifier: MIT */
#include "section.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "names.h"

#define MTU_MIN4 68   /* RFC 791, 3.2 */
#define MTU_MIN6 1280 /* RFC 8200, 5 */
/* What an absent key means where that is not zero. */
static const struct tunnel presets = {
	.priority = 16383, .metric = 1024, .limit = LIMIT_PRESET, .wait = -1};

/* Decimal, in full: no sign, no blank, no leading zero. */
static bool is_number(const char *value, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t number = 0;

	if (!*value || (value[0] == '0' && value[1]))
		return false;
	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return false;
		number = number * 10 + (uint64_t)(*value - '0');
		if (number > max)
			return false;
	}
	if (number < min)
		return false;
	*ret = (uint32_t)number;
	return true;
}

bool config_ifname_ok(const char *ifname)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const size_t size = strspn(ifname, allowed);

	return size && size < IFNAMSIZ && !ifname[size] && !strchr("_.-", ifname[0]);
}

static const char *parse_interface(const char *value, struct tunnel *ret)
{
	if (!config_ifname_ok(value))
		return "an interface name of at most 15 letters, digits, '_', '.' and '-', which begins with a letter or digit";
	strcpy(ret->ifname, value);
	return NULL;
}

static const char *parse_source(const char *value, struct tunnel *ret)
{
	struct prefix prefix;

	if (ret->source_auto || (!strcmp(value, "auto") && ret->n_sources))
		return "nothing beside auto";
	if (!strcmp(value, "auto")) {
		ret->source_auto = true;
		return NULL;
	}
	if (prefix_parse(value, &prefix) < 0)
		return "auto, an IPv6 or IPv4 address, or a prefix like 2001:db8::/48";
	/* the kernel takes such a rule for one that matches any source */
	if (!prefix.len)
		return "a prefix length of at least 1";
	if (!prefix_is_unicast(&prefix))
		return "a unicast address or prefix";
	for (unsigned i = 0; i < ret->n_sources; i++)
		if (prefix_equal(&ret->source[i], &prefix))
			return "each source only once";
	if (ret->n_sources == TUNNEL_SOURCES_MAX)
		return "no more than 64 sources";
	ret->source[ret->n_sources++] = prefix;
	return NULL;
}

static bool all_digits(const char *value)
{
	return value[strspn(value, "0123456789")] == '\0';
}

static const char *parse_table(const char *value, struct tunnel *ret)
{
	uint32_t table;

	/* 0, 253, 254 and 255 are the kernel's own (linux/rtnetlink.h) */
	if (all_digits(value) ? !is_number(value, 1, INT32_MAX, &table)
			      : names_number(value, &table) < 0)
		table = 0;
	if (table < 1 || table > INT32_MAX || (table >= 253 && table <= 255))
		return "a number from 1 to 252 or from 256 to 2147483647, or a name that rt_tables of iproute2 gives to one";
	ret->table = table;
	return NULL;
}

static const char *parse_name(const char *value, struct tunnel *ret)
{
	if (!strcmp(value, "none")) {
		ret->table_name[0] = '\0';
		return NULL;
	}
	if (!name_ok(value))
		return "none, or a name of at most 63 letters, digits, '_', '.' and '-' which begins with a letter and is no word of ip(8)";
	strcpy(ret->table_name, value);
	return NULL;
}

static const char *parse_priority(const char *value, struct tunnel *ret)
{
	/* main's own rule stands at 32766 */
	return is_number(value, 1, 32765, &ret->priority) ? NULL
							  : "a number from 1 to 32765";
}

static const char *parse_gateway(const char *value, struct tunnel *ret)
{
	struct prefix address, *gateway;

	if (strchr(value, '/') || prefix_parse(value, &address) < 0 ||
	    !prefix_is_unicast(&address))
		return "the unicast address of the next hop";
	gateway = address.family == AF_INET6 ? &ret->gateway6 : &ret->gateway4;
	if (gateway->family)
		return "one gateway for IPv6 and one for IPv4";
	*gateway = address;
	return NULL;
}

static const char *parse_metric(const char *value, struct tunnel *ret)
{
	/* 4294967295 is the fallback route's, which must never win */
	return is_number(value, 1, UINT32_MAX - 1, &ret->metric)
		       ? NULL
		       : "a number from 1 to 4294967294";
}

static const char *parse_mtu(const char *value, struct tunnel *ret)
{
	/* the kernel cuts larger ones to 65535 - 15 without a word (ip_metrics_convert)
	 */
	return is_number(value, MTU_MIN4, 65520, &ret->mtu) ? NULL
							    : "a number from 68 to 65520";
}

static const char *parse_when_down(const char *value, struct tunnel *ret)
{
	if (!strcmp(value, "fallthrough"))
		ret->when_down = WHEN_DOWN_FALLTHROUGH;
	else if (!strcmp(value, "unreachable"))
		ret->when_down = WHEN_DOWN_UNREACHABLE;
	else
		return "fallthrough or unreachable";
	return NULL;
}

static const char *parse_prefer_main(const char *value, struct tunnel *ret)
{
	ret->prefer_main = !strcmp(value, "yes");
	return ret->prefer_main || !strcmp(value, "no") ? NULL : "yes or no";
}

static const char *parse_wait(const char *value, struct tunnel *ret)
{
	uint32_t seconds;

	if (!is_number(value, 0, 60, &seconds))
		return "a number of seconds from 0 to 60";
	ret->wait = (int)seconds;
	return NULL;
}

static const char *parse_connect_limit(const char *value, struct tunnel *ret)
{
	static const char expected[] = "connects/seconds, as 4/60: 1 to 64, 1 to 86400";
	const char *slash = strchr(value, '/');
	char connects[8];

	if (!slash || slash - value >= (ptrdiff_t)sizeof(connects))
		return expected;
	memcpy(connects, value, (size_t)(slash - value));
	connects[slash - value] = '\0';
	return is_number(connects, 1, LIMIT_CONNECTS_MAX, &ret->limit.connects) &&
			       is_number(slash + 1, 1, LIMIT_SECONDS_MAX,
					 &ret->limit.seconds)
		       ? NULL
		       : expected;
}

const struct config_key config_keys[] = {
	{"interface", "the section's name", false, parse_interface},
	{"source", NULL, true, parse_source},
	{"table", NULL, false, parse_table},
	{"name", "the interface's name", false, parse_name},
	{"priority", "16383", false, parse_priority},
	{"gateway", "none", true, parse_gateway},
	{"metric", "1024", false, parse_metric},
	{"mtu", "none", false, parse_mtu},
	{"when_down", "fallthrough", false, parse_when_down},
	{"prefer_main", "no", false, parse_prefer_main},
	{"wait", "0 with systemd, else 5", false, parse_wait},
	{"connect_limit", "4/60", false, parse_connect_limit},
	{NULL, NULL, false, NULL},
};

struct parser {
	const struct ini_section *section;
	ini_report_fn *report;
	void *data;
	struct tunnel *tunnel;
	int result;
};

__attribute__((format(printf, 3, 4))) static void
complain(struct parser *parser, unsigned line, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	parser->report(parser->data, line, text);
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

static void parse_item(struct parser *parser, const struct config_key *key,
		       const struct ini_key *given, const char *item)
{
	const char *expected = key->parse(item, parser->tunnel);

	if (expected)
		complain(parser, given->line, "%s = %.64s%s: expected %s", key->name,
			 item, strlen(item) > 64 ? "..." : "", expected);
}

/* "a, b c": an item ends at blanks, a comma, or both; nothing between two commas is one
 * too. */
static void parse_items(struct parser *parser, const struct config_key *key,
			const struct ini_key *given)
{
	static const char blanks[] = " \t";
	const char *c = given->value + strspn(given->value, blanks);
	char item[1024]; /* longer than any line */

	for (;;) {
		const size_t size = strcspn(c, ", \t");

		snprintf(item, sizeof(item), "%.*s", (int)size, c);
		parse_item(parser, key, given, item);
		c += size;
		c += strspn(c, blanks);
		if (!*c)
			return;
		if (*c == ',')
			c++;
		c += strspn(c, blanks);
	}
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
		else if (key->several)
			parse_items(parser, key, given);
		else
			parse_item(parser, key, given, given->value);
	}
	for (key = config_keys; key->name; key++)
		if (!key->preset && !find_key(section, key->name))
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
static bool may_have_source(const struct tunnel *tunnel, int family)
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
	const struct tunnel *tunnel = parser->tunnel;
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
static void preset_name(const struct ini_section *section, struct tunnel *tunnel)
{
	const struct ini_key *table = find_key(section, "table");

	if (find_key(section, "name") || !name_ok(tunnel->ifname))
		return;
	if (table && all_digits(table->value))
		strcpy(tunnel->table_name, tunnel->ifname);
}

const char *section_ifname(const struct ini_section *section)
{
	const struct ini_key *key = find_key(section, "interface");

	return key ? key->value : section->name;
}

int section_parse(const struct ini_section *section, ini_report_fn *report, void *data,
		  struct tunnel *ret)
{
	struct parser parser = {
		.section = section, .report = report, .data = data, .tunnel = ret};

	*ret = presets;
	parse_label(&parser);
	parse_keys(&parser);
	if (parser.result == 0)
		check_together(&parser);
	preset_name(section, ret);
	return parser.result;
}
