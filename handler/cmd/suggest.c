/* SPDX-License-Identifier: MIT */
#include "cmd/suggest.h"

#include "config/config.h"
#include "host/similar.h"
#include "kernel/kernel_state.h"
#include "kernel/resolve.h"
#include "lib/array.h"
#include "lib/iproute2.h"
#include "lib/log.h"
#include "lib/text.h"
#include "netlink/dump.h"

#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TABLE_FIRST 200 /* the story's; the first that nobody uses */
#define TABLE_LAST  65535

struct suggestion {
	const char *ifname;
	size_t n; /* addresses of global scope */
	struct prefix *address;
	struct prefix gateway[2]; /* what gateway = auto stands for: of IPv6, of IPv4 */
	bool has_default[2]; /* main has a default by this link, with one or without */
	bool has_address[2];
	bool noarp;      /* it knows no neighbours: no next hop is needed */
	uint32_t table;  /* that nobody uses; 0: there is none */
	bool name_taken; /* by another table */
	/* drop-ins by their paths: with a section for it, or wrong */
	char elsewhere[PATH_MAX];
	char unread[PATH_MAX];
	/* of iproute2, which may use the table's number; "": none */
	char names_unread[PATH_MAX];
};

static const uint8_t families[] = {AF_INET6, AF_INET};

/* ---- what is there ------------------------------------------------------------------ */

/* In use, by whomever. */
struct tables {
	size_t n;
	uint32_t *table;
	bool no_memory;
};

static void use_table(struct tables *tables, uint32_t table)
{
	if (array_append(tables, table, table) < 0)
		tables->no_memory = true;
}

static bool is_used(const struct tables *tables, uint32_t table)
{
	for (size_t i = 0; i < tables->n; i++)
		if (tables->table[i] == table)
			return true;
	return table >= RT_TABLE_COMPAT && table <= RT_TABLE_LOCAL;
}

static void use_name(void *data, uint32_t number, const char *name)
{
	(void)name;
	use_table(data, number);
}

static void use_rules(struct tables *tables, const struct kernel_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		use_table(tables, rules->rule[i].table);
}

/* A VRF's table may have no route yet, and all VRFs have one rule, which names none. */
static void use_vrfs(struct tables *tables, const struct kernel_state *kernel)
{
	for (size_t i = 0; i < kernel->n_links; i++)
		if (kernel->link[i].vrf_table)
			use_table(tables, kernel->link[i].vrf_table);
}

static int stop(void *data, const struct nlmsghdr *nlh)
{
	(void)data;
	return nlh->nlmsg_type == RTM_NEWROUTE ? -EEXIST : 0;
}

/* Whether a route stands there. A table may be the whole Internet's: it is not read. */
static int has_routes(struct rtnl *rtnl, uint32_t table)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 2; i++) {
		union request request;

		encode_dump_routes(&request, families[i],
				   &(struct route_filter){.table = table});
		r = dump_each(rtnl, &request.nlh, stop, NULL);
		if (r == -ENOENT)
			r = 0;
	}
	return r == -EEXIST ? 1 : r;
}

static int find_table(struct rtnl *rtnl, const struct tables *used, uint32_t *ret)
{
	for (uint32_t table = TABLE_FIRST; table <= TABLE_LAST; table++) {
		int r;

		if (is_used(used, table))
			continue;
		r = has_routes(rtnl, table);
		if (r < 0)
			return r;
		if (r == 0) {
			*ret = table;
			return 0;
		}
	}
	return 0;
}

static int put_address(void *data, const struct kernel_address *address)
{
	struct suggestion *suggestion = data;

	if (!kernel_address_counts(address))
		return 0;
	suggestion->has_address[address->address.family == AF_INET] = true;
	return array_append(suggestion, address, address->address);
}

/* The next hops that gateway = auto takes now. */
static int find_gateways(struct rtnl *rtnl, const struct link *link,
			 struct suggestion *ret)
{
	struct section section = {.gateway_auto = true};
	const struct objects none = {0};
	struct resolved resolved;
	const int r = resolve_auto(rtnl, link, &none, &section, &resolved);

	ret->has_default[0] = !section.unknown6;
	ret->has_default[1] = !section.unknown4;
	ret->gateway[0] = section.gateway6;
	ret->gateway[1] = section.gateway4;
	return r;
}

static int look_at_link(struct rtnl *rtnl, const struct kernel_state *kernel,
			struct suggestion *ret)
{
	const struct kernel_link *link = kernel_state_link(kernel, ret->ifname);
	int r;

	if (!link)
		return -ENODEV;
	ret->noarp = link->noarp;
	r = dump_addresses(rtnl, link->link.ifindex, put_address, ret);
	return r < 0 ? r : find_gateways(rtnl, &link->link, ret);
}

/* ---- the other drop-ins ------------------------------------------------------------- */

struct reading {
	struct suggestion *suggestion;
	struct tables *used;
};

static void note_unread(void *data, enum severity severity, const char *file,
			unsigned line, const char *text)
{
	const struct reading *reading = data;
	struct suggestion *suggestion = reading->suggestion;

	(void)line, (void)text;
	if (severity == SEVERITY_ERROR && !suggestion->unread[0] &&
	    !claims_own_file(file, suggestion->ifname))
		snprintf(suggestion->unread, sizeof(suggestion->unread), "%s", file);
}

static int note_section(void *data, const struct section *section, const char *file,
			unsigned line)
{
	const struct reading *reading = data;
	struct suggestion *suggestion = reading->suggestion;

	(void)line;
	if (claims_own_file(file, suggestion->ifname))
		return 0;
	use_table(reading->used, section->table);
	if (!strcmp(section->ifname, suggestion->ifname) && !suggestion->elsewhere[0])
		snprintf(suggestion->elsewhere, sizeof(suggestion->elsewhere), "%s",
			 file);
	return 0;
}

static void read_dropins(const struct settings *settings, struct tables *used,
			 struct suggestion *ret)
{
	struct reading reading = {.suggestion = ret, .used = used};
	const struct diagnostics to = {.fn = note_unread, .data = &reading};

	config_each(settings, &to, note_section, &reading);
}

static void read_names(struct tables *used, struct suggestion *ret)
{
	uint32_t number;

	if (iproute2_each(use_name, used) < 0)
		iproute2_find_unread(ret->names_unread);
	ret->name_taken = iproute2_number(ret->ifname, &number) == 0;
}

/* ---- what is said of it ------------------------------------------------------------- */

static void print_file(FILE *out, const char *before, const char *file, const char *after)
{
	char escaped[512];

	fprintf(out, "# %s%s%s\n", before, escape(file, escaped, sizeof(escaped)), after);
}

static void print_sources(const struct suggestion *suggestion, FILE *out)
{
	const bool many = suggestion->n > TUNNEL_SOURCES_MAX;
	char text[PREFIX_STRLEN];

	if (!suggestion->n)
		fputs("# Packets from its own addresses. It has none of global scope yet:\n"
		      "# they are taken as they come.\n",
		      out);
	else if (many)
		fprintf(out,
			"# Packets from the prefixes of its own addresses, of which it has %zu now.\n"
			"# Of more than %d prefixes list those that matter.\n",
			suggestion->n, TUNNEL_SOURCES_MAX);
	else
		fputs("# Packets from its own addresses, followed as they change. Now it has\n",
		      out);
	for (size_t i = 0; !many && i < suggestion->n; i++) {
		prefix_format(&suggestion->address[i], text);
		fprintf(out, "#   %s\n", text);
	}
	fprintf(out, "source = %s\n", many ? "auto/prefix" : "auto");
}

static void print_table(const struct suggestion *suggestion, FILE *out)
{
	fputs("\n# A table of its own", out);
	if (!suggestion->table) {
		fputs(": none was found that nobody uses. Choose one.\n#table =\n", out);
		return;
	}
	fputs(": nobody uses this one, no drop-in, no rule, no route,\n"
	      "# and no name of iproute2's.\n",
	      out);
	if (suggestion->unread[0])
		print_file(out, "Not known: what ", suggestion->unread,
			   " uses, for it is wrong or cannot be read.");
	if (suggestion->names_unread[0])
		print_file(out, "Not known: the tables named in ",
			   suggestion->names_unread, ", which cannot be read.");
	fprintf(out, "table = %u\n", suggestion->table);
	if (suggestion->name_taken)
		fprintf(out,
			"\n# What ip(8) shall call it: another table is called %s already.\nname = none\n",
			suggestion->ifname);
}

static void print_gateway(const struct suggestion *suggestion, FILE *out)
{
	char text[PREFIX_STRLEN];

	if (suggestion->has_default[0] || suggestion->has_default[1]) {
		fputs("\n# The next hop is that of main's default route by this link, followed as it\n"
		      "# changes. Now it is\n",
		      out);
		for (unsigned i = 0; i < 2; i++) {
			if (!suggestion->has_default[i])
				continue;
			if (suggestion->gateway[i].family)
				prefix_format(&suggestion->gateway[i], text);
			fprintf(out, "#   %s for %s\n",
				suggestion->gateway[i].family ? text : "none",
				i == 0 ? "IPv6" : "IPv4");
		}
		for (unsigned i = 0; i < 2; i++)
			if (suggestion->has_address[i] && !suggestion->has_default[i])
				fprintf(out,
					"# Not known: that for IPv%c, of which main has no default route by this link.\n"
					"# Until it has one, packets from those addresses leave elsewhere.\n",
					i == 0 ? '6' : '4');
		fputs("gateway = auto\n", out);
	} else if (!suggestion->noarp) {
		fputs("\n# Not known: its next hop. The link has neighbours, and main has no default\n"
		      "# route by it; without a next hop packets reach the neighbours alone.\n"
		      "#gateway =\n",
		      out);
	}
}

static void print_all(const struct suggestion *suggestion, FILE *out)
{
	fprintf(out,
		"# %s as it stands: see sixxs-route.conf(5), then sixxs-route check.\n",
		suggestion->ifname);
	if (suggestion->elsewhere[0])
		print_file(out, "There is a section for it in ", suggestion->elsewhere,
			   ": a file of\n# its own comes first.");
	fprintf(out, "[%s]\n", suggestion->ifname);
	print_sources(suggestion, out);
	print_table(suggestion, out);
	print_gateway(suggestion, out);
}

/* ------------------------------------------------------------------------------------- */

static void explain_no_link(struct rtnl *rtnl, const char *ifname)
{
	char own[IFNAMSIZ];

	if (similar_altname(rtnl, ifname, own) > 0)
		log_line(LOG_ERR, SIMILAR_ALTNAME, ifname, own);
	else
		log_line(
			LOG_ERR,
			"%s: there is no such link: make it first, or write its drop-in by hand, see sixxs-route.conf(5)",
			ifname);
}

static int look(const struct settings *settings, struct rtnl *rtnl,
		struct suggestion *ret)
{
	struct kernel_state kernel = {0};
	struct tables used = {0};
	int r = kernel_state_read(rtnl, &kernel);

	if (r == 0)
		r = look_at_link(rtnl, &kernel, ret);
	if (r == 0) {
		read_dropins(settings, &used, ret);
		read_names(&used, ret);
		use_rules(&used, &kernel.rules6);
		use_rules(&used, &kernel.rules4);
		use_vrfs(&used, &kernel);
		r = used.no_memory ? -ENOMEM : find_table(rtnl, &used, &ret->table);
	}
	free(used.table);
	kernel_state_free(&kernel);
	return r;
}

int suggest(const struct settings *settings, struct rtnl *rtnl, const char *ifname)
{
	struct suggestion suggestion = {.ifname = ifname};
	const int r =
		strcmp(ifname, "lo") != 0 ? look(settings, rtnl, &suggestion) : -EINVAL;

	if (r == 0)
		print_all(&suggestion, stdout);
	else if (r == -ENODEV)
		explain_no_link(rtnl, ifname);
	else if (r == -EINVAL)
		log_line(LOG_ERR, "%s: nothing leaves this host by it: name another link",
			 ifname);
	else
		log_line(LOG_ERR, "%s: cannot ask the kernel how it stands: %s", ifname,
			 strerror(-r));
	free(suggestion.address);
	return r;
}
