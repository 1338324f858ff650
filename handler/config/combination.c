/* SPDX-License-Identifier: MIT */
#include "config/combination.h"

#include "config/keys.h"
#include "routing/plan.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define MTU_MIN6 1280 /* RFC 8200, 5 */

struct check {
	const struct ini_section *ini;
	const struct section *section;
	struct diagnostics *diagnostics;
	int result;
};

/* The key's, or the section's where it is absent. */
static unsigned line_of(const struct ini_section *ini, const char *name)
{
	const struct ini_key *key = ini_find_key(ini, name);

	return key ? key->line : ini->line;
}

/* Whether there may be rules of this family: auto's addresses may be of either. */
static bool may_have_family(const struct section *section, uint8_t family)
{
	return section->source_kind != SOURCES_LISTED ||
	       plan_has_other_selectors(section) || plan_has_family(section, family);
}

static void check_selectors(struct check *check)
{
	const struct section *section = check->section;
	const bool is_auto = section->source_kind != SOURCES_LISTED;

	if (!section->n_sources && !is_auto && !plan_has_other_selectors(section))
		check->result = diagnose_error(
			check->diagnostics, check->ini->line,
			"[%.64s] selects no packets: expected at least one of source, fwmark, user, bound and from_link",
			check->ini->name);
	if (section->source_link[0] && !is_auto &&
	    strcmp(section->source_link, section->ifname) != 0)
		check->result = diagnose_error(
			check->diagnostics, line_of(check->ini, "source_link"),
			"source_link: expected source = auto or auto/prefix beside it");
	for (unsigned i = 0; i < section->n_from_links; i++)
		if (!strcmp(section->from_link[i], section->ifname))
			check->result = diagnose_error(
				check->diagnostics, line_of(check->ini, "from_link"),
				"from_link = %s: expected another interface than the section's own",
				section->ifname);
	if (is_auto && section->when_gone == UNREACHABLE)
		check->result = diagnose_error(
			check->diagnostics, line_of(check->ini, "when_gone"),
			"when_gone = unreachable: expected source to list the addresses: without the link, auto stands for none");
}

static void check_route(struct check *check)
{
	const struct section *section = check->section;
	const bool has6 = may_have_family(section, AF_INET6),
		   has4 = may_have_family(section, AF_INET);

	if (section->prefer_main && section->priority < 2)
		check->result = diagnose_error(
			check->diagnostics, line_of(check->ini, "priority"),
			"priority = 1: expected at least 2, as prefer_main's rule stands one before");
	if ((section->gateway6.family && !has6) || (section->gateway4.family && !has4))
		check->result = diagnose_error(
			check->diagnostics, line_of(check->ini, "gateway"),
			"gateway: expected one of a source's family, and no source is %s",
			has6 ? "IPv4" : "IPv6");
	if (section->mtu && section->mtu < MTU_MIN6 && has6)
		check->result = diagnose_error(
			check->diagnostics, line_of(check->ini, "mtu"),
			"mtu = %u: expected at least %d, as a source is IPv6",
			section->mtu, MTU_MIN6);
	if (section->table == RT_TABLE_MAIN && !section->no_route)
		check->result = diagnose_error(
			check->diagnostics, line_of(check->ini, "table"),
			"table = %u: main's: expected route = none beside it",
			section->table);
}

/* A key that says something where it means nothing. */
static void refuse_beside(struct check *check, bool given, const char *key,
			  const char *beside)
{
	if (given)
		check->result =
			diagnose_error(check->diagnostics, line_of(check->ini, key),
				       "%s: expected no such key beside %s", key, beside);
}

static void check_no_route(struct check *check)
{
	static const char beside[] = "route = none";
	const struct section *section = check->section;
	struct section defaults;

	if (!section->no_route)
		return;
	keys_defaults(&defaults);
	refuse_beside(check,
		      section->gateway_auto || section->gateway6.family ||
			      section->gateway4.family,
		      "gateway", beside);
	refuse_beside(check, section->metric != defaults.metric, "metric", beside);
	refuse_beside(check, section->mtu != 0, "mtu", beside);
	refuse_beside(check, section->when_down == UNREACHABLE, "when_down", beside);
	refuse_beside(check, section->when_gone == UNREACHABLE, "when_gone", beside);
	refuse_beside(check, section->table_name[0] != '\0', "name", beside);
	refuse_beside(check, section->source_route, "steer", beside);
}

static void check_steer(struct check *check)
{
	static const char beside[] = "steer = source-route";
	const struct section *section = check->section;

	if (!section->source_route)
		return;
	refuse_beside(check, section->mask != 0, "fwmark", beside);
	refuse_beside(check, section->by_user, "user", beside);
	refuse_beside(check, section->bound, "bound", beside);
	refuse_beside(check, section->n_from_links != 0, "from_link", beside);
	refuse_beside(check, section->prefer_main, "prefer_main", beside);
	for (unsigned i = 0; i < section->n_sources; i++)
		if (section->source[i].family != AF_INET6) {
			check->result = diagnose_error(
				check->diagnostics, line_of(check->ini, "source"),
				"source: expected IPv6 alone beside steer = source-route: IPv4 has no source-specific routes");
			return;
		}
}

int combination_check(const struct ini_section *ini, const struct section *section,
		      struct diagnostics *diagnostics)
{
	struct check check = {.ini = ini, .section = section, .diagnostics = diagnostics};

	check_selectors(&check);
	check_route(&check);
	check_no_route(&check);
	check_steer(&check);
	return check.result;
}
