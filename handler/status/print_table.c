/* SPDX-License-Identifier: MIT */
#include "status/print_table.h"

#include "converge/messages.h"
#include "lib/escape.h"
#include "status/advice.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Three columns. What does not fit in the middle one goes on in the next line: nothing is
 * ever cut.
 */
#define LABEL_WIDTH 17
#define TEXT_WIDTH  51
#define ROW_SIZE    (4 * PATH_STRLEN)

struct page {
	const struct snapshot *snapshot;
	bool colour;
	FILE *out;
};

static void print_state(const struct page *page, enum state state)
{
	const char *colour = state_is_drift(state) || state == STATE_UNKNOWN ? "31"
			     : state == STATE_OK                             ? "32"
									     : "33";

	if (page->colour)
		fprintf(page->out, "\033[%sm%s\033[0m\n", colour, state_name(state));
	else
		fprintf(page->out, "%s\n", state_name(state));
}

/* How much of TEXT goes into a line: up to a blank, or all that fits of a long word. */
static size_t line_size(const char *text)
{
	size_t size = strlen(text);

	if (size <= TEXT_WIDTH)
		return size;
	for (size = TEXT_WIDTH; size > 0 && text[size] != ' '; size--)
		;
	return size ? size : TEXT_WIDTH;
}

/* state: NULL for a row that has none of its own. */
static void row(const struct page *page, const char *label, const char *text,
		const enum state *state)
{
	char escaped[ROW_SIZE];
	const char *rest = escape(text, escaped, sizeof(escaped));
	size_t size = line_size(rest);

	fprintf(page->out, "%-*s", LABEL_WIDTH, label);
	if (state) {
		fprintf(page->out, "%-*.*s ", TEXT_WIDTH, (int)size, rest);
		print_state(page, *state);
	} else {
		fprintf(page->out, "%.*s\n", (int)size, rest);
	}
	for (rest += size; *rest; rest += size) {
		rest += *rest == ' ';
		size = line_size(rest);
		fprintf(page->out, "%*s%.*s\n", LABEL_WIDTH, "", (int)size, rest);
	}
}

static void format_table(const struct page *page, uint32_t table, char *ret, size_t size)
{
	const char *name = known_names_of(&page->snapshot->names, table);

	if (table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL)
		snprintf(ret, size, "table %s",
			 table == RT_TABLE_MAIN ? "main" : "local");
	else
		snprintf(ret, size, "table %u%s%s", table, name ? " " : "",
			 name ? name : "");
}

static const char *section_word(const struct tunnel_status *status)
{
	if (status->section == SECTION_NONE)
		return "no section in conf.d";
	return status->clashes ? "its section clashes with another"
			       : "its section cannot be read";
}

static void print_head(const struct page *page, const struct tunnel_status *status)
{
	char text[320], table[LABEL_SIZE + 24] = "";
	const char *note = "";
	const char *link = !status->looked         ? "the kernel does not tell"
			   : !status->link.ifindex ? "absent"
			   : status->no_carrier    ? "up, no carrier"
			   : status->no_carrier    ? "up, no carrier"
			   : status->link.up       ? "up"
						   : "down";

	if (status->section == SECTION_FOUND)
		format_table(page, status->tunnel.table, table, sizeof(table));
	if (tunnel_status_waits_for_address(status))
		note = "; waiting for an address";
	else if (!status->n_items && status->recorded)
		note = "; its record is left over";
	snprintf(text, sizeof(text), "%s, %s%s%s", link,
		 status->section == SECTION_FOUND ? table : section_word(status),
		 status->record_bad ? "; its record is damaged" : "", note);
	row(page, status->ifname, text, &status->state);
}

static void format_route(const struct page *page, const struct object *route, char *ret,
			 size_t size)
{
	const char *ifname = kernel_state_ifname(&page->snapshot->kernel, route->oif);
	char via[PREFIX_STRLEN + 8] = "", mtu[24] = "";

	if (route->gateway.family) {
		memcpy(via, " via ", sizeof(" via "));
		prefix_format(&route->gateway, via + strlen(via));
	}
	if (route->mtu)
		snprintf(mtu, sizeof(mtu), " mtu %u", route->mtu);
	snprintf(ret, size, "default%s dev %s metric %u%s", via, ifname ? ifname : "?",
		 route->metric, mtu);
}

static void format_object(const struct page *page, const struct object *object, char *ret,
			  size_t size)
{
	char source[PREFIX_STRLEN];

	switch (object->kind) {
	case OBJECT_TABLE:
		break;
	case OBJECT_RULE:
		prefix_format(&object->source, source);
		snprintf(ret, size, "rule %u: from %s lookup ", object->priority, source);
		if (!object->prefers_main)
			snprintf(ret + strlen(ret), size - strlen(ret), "%u",
				 object->table);
		else
			snprintf(ret + strlen(ret), size - strlen(ret), "main");
		break;
	case OBJECT_ROUTE:
		format_route(page, object, ret, size);
		break;
	case OBJECT_UNREACHABLE:
		snprintf(ret, size, "unreachable default metric %u", object->metric);
		break;
	}
}

static const char *family_label(uint8_t family)
{
	return family == AF_INET6 ? "  IPv6" : "  IPv4";
}

static void print_rival(const struct page *page, const struct kernel_route *rival)
{
	const char *ifname = kernel_state_ifname(&page->snapshot->kernel, rival->oif);
	struct found found = {.protocol = rival->protocol};
	char text[EXPLAIN_SIZE], number[32];

	kernel_route_object(rival, &found.object);
	snprintf(number, sizeof(number), "ifindex %u", rival->oif);
	explain_route(&found, ifname ? ifname : number, text);
	row(page, "  in its place", text, NULL);
}

static void print_routes(const struct page *page, const struct tunnel_status *status)
{
	char text[256];

	for (size_t i = 0; i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];
		const struct kernel_route *rival = snapshot_rival(page->snapshot, item);

		if (!item->wanted || item->object.kind == OBJECT_RULE)
			continue;
		format_object(page, &item->object, text, sizeof(text));
		row(page, family_label(item->object.family), text, &item->state);
		if (rival)
			print_rival(page, rival);
	}
}

/* "2a02::1 rules 16382, 16383" */
static void format_source(const struct tunnel_status *status, size_t source, char *ret,
			  size_t size)
{
	const struct prefix *prefix = &status->tunnel.source[source];
	const char *word = status->tunnel.prefer_main ? " rules " : " rule ";

	prefix_format(prefix, ret);
	for (size_t i = 0; i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];
		const size_t n = strlen(ret);

		if (!object_status_is_rule_of(item, prefix))
			continue;
		snprintf(ret + n, size - n, "%s%u", word, item->object.priority);
		word = ", ";
	}
}

static void print_source(const struct page *page, const struct tunnel_status *status,
			 size_t source)
{
	const struct kernel_state *kernel = &page->snapshot->kernel;
	const enum state state = tunnel_status_of_source(status, source);
	const struct path *path = &status->path[source];
	char text[PATH_STRLEN + 128], way[PATH_STRLEN];
	const char *ifname = kernel_state_ifname(kernel, path->reply.oif);
	char table[LABEL_SIZE + 24];

	format_table(page, path->reply.table, table, sizeof(table));
	path_explain(path, ifname ? ifname : "?", table + strlen("table "),
		     status->tunnel.table, way);
	format_source(status, source, text, sizeof(text));
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ": %s", way);
	row(page, "  from", text, &state);
}

static void print_left(const struct page *page, const struct object_status *item)
{
	char text[256], table[32] = "";

	format_object(page, &item->object, text, sizeof(text));
	if (item->object.kind != OBJECT_RULE)
		snprintf(table, sizeof(table), " table %u", item->object.table);
	strncat(text, table, sizeof(text) - strlen(text) - 1);
	/* whether it is wanted may not be known */
	row(page, item->state == STATE_UNKNOWN ? "  installed" : "  left over", text,
	    &item->state);
}

static void print_vrf(const struct page *page, const struct tunnel_status *status)
{
	const enum state state = STATE_ASTRAY;
	char text[160];

	if (status->vrf_rule)
		snprintf(
			text, sizeof(text),
			"%s, table %u: its rule %u comes first for all that comes in there or is bound to it",
			status->vrf, status->vrf_table, status->vrf_rule);
	else
		snprintf(text, sizeof(text), "%s, table %u", status->vrf,
			 status->vrf_table);
	row(page, "  in the VRF", text, status->vrf_rule ? &state : NULL);
}

static void print_tunnel(const struct page *page, const struct tunnel_status *status)
{
	char text[160];

	print_head(page, status);
	if (status->name_state == STATE_MISSING) {
		snprintf(text, sizeof(text), "ip(8) does not know the name %s",
			 status->tunnel.table_name);
		row(page, "  name", text, &status->name_state);
	}
	if (status->vrf[0])
		print_vrf(page, status);
	print_routes(page, status);
	for (size_t i = 0; i < status->n_paths; i++)
		print_source(page, status, i);
	for (size_t i = 0; i < status->n_items; i++)
		if (!status->item[i].wanted)
			print_left(page, &status->item[i]);
}

static void print_orphans(const struct page *page)
{
	const struct snapshot *snapshot = page->snapshot;

	if (snapshot->n_orphans)
		row(page, "(no tunnel)",
		    snapshot_is_blind(snapshot) ? "ours, and in nothing that can be read"
						: "ours, and in no drop-in and no record",
		    &snapshot->orphan[0].state);
	for (size_t i = 0; i < snapshot->n_orphans; i++)
		print_left(page, &snapshot->orphan[i]);
}

/* One word for a shell, whatever its bytes. */
static void print_word(const struct page *page, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:,%@+-";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, page->out);
		return;
	}
	fputs("$'", page->out);
	for (; *word; word++)
		if (*word < ' ' || *word > '~' || *word == '\'' || *word == '\\')
			fprintf(page->out, "\\%03o", (unsigned char)*word);
		else
			fputc(*word, page->out);
	fputc('\'', page->out);
}

/* With the folders that were looked at, if they are others than apply's own. */
static void print_command(const struct page *page, const char *ifname)
{
	const struct settings *settings = page->snapshot->settings;
	const char *const options[][3] = {
		{"--conf-dir", settings->conf_dir, CONF_DIR},
		{"--run-dir", settings->run_dir, RUN_DIR},
	};
	bool others = false;

	for (size_t i = 0; i < 2; i++)
		others |= strcmp(options[i][1], options[i][2]) != 0;
	fprintf(page->out, "Not as the drop-ins say; to make it so:%ssixxs-route ",
		others ? "\n  " : " ");
	for (size_t i = 0; i < 2; i++) {
		if (!strcmp(options[i][1], options[i][2]))
			continue;
		fprintf(page->out, "%s ", options[i][0]);
		print_word(page, options[i][1]);
		fputc(' ', page->out);
	}
	fprintf(page->out, "apply %s\n", ifname);
}

static bool was_asked(const struct snapshot *snapshot, const struct prefix *to)
{
	for (size_t i = 0; i < snapshot->tunnels.n; i++)
		for (size_t p = 0; p < snapshot->tunnels.status[i].n_paths; p++)
			if (prefix_equal(&snapshot->tunnels.status[i].path[p].packet.to,
					 to))
				return true;
	return false;
}

/* Only where it is not what the manual says. */
static void print_probe(const struct page *page, const struct probe *probe)
{
	char to[PREFIX_STRLEN], first[PREFIX_STRLEN];

	if (!probe->passed.family || !was_asked(page->snapshot, &probe->to))
		return;
	prefix_format(&probe->to, to);
	prefix_format(&probe->passed, first);
	fprintf(page->out,
		"Asked about %s, for %s is on this host or one of its links.\n", to,
		first);
}

static void print_advice(const struct page *page)
{
	const struct snapshot *snapshot = page->snapshot;
	const struct advice advice = advice_of(snapshot);
	char run_dir[PATH_STRLEN];

	if (snapshot_is_blind(snapshot)) {
		fputs("Not all could be read: mend what is told above first.\n",
		      page->out);
	} else {
		if (advice.foreign)
			fputs("Somebody else's route is in the place of ours, see above: remove it first.\n",
			      page->out);
		if (advice.drifted)
			print_command(page, advice.ifname);
	}
	if (advice.link)
		fprintf(page->out,
			"ip(8) does not read our names: make install again, or make a symbolic link\n"
			"  /etc/iproute2/rt_tables.d/sixxs-route.conf -> %s/rt_tables\n",
			escape(snapshot->settings->run_dir, run_dir, sizeof(run_dir)));
	print_probe(page, &snapshot->probe6);
	print_probe(page, &snapshot->probe4);
	if (advice.carrier)
		fputs("No carrier: packets vanish; see to the program or the cable behind the link.\n",
		      page->out);
	if (advice.astray)
		fputs("Astray: what is ours is there; see above what else takes the packets.\n",
		      page->out);
}

void print_table(const struct snapshot *snapshot, bool colour, FILE *out)
{
	const struct page page = {.snapshot = snapshot, .colour = colour, .out = out};

	if (!snapshot->tunnels.n && !snapshot->n_orphans && !snapshot_is_blind(snapshot))
		fputs("no tunnels: no drop-in names one, and nothing is installed\n",
		      out);
	for (size_t i = 0; i < snapshot->tunnels.n; i++)
		print_tunnel(&page, &snapshot->tunnels.status[i]);
	print_orphans(&page);
	print_advice(&page);
}
