/* SPDX-License-Identifier: MIT */
#include "print/table.h"

#include "converge/messages.h"
#include "kernel/foreign.h"
#include "lib/text.h"
#include "print/advice.h"
#include "status/tunnel_judge.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Three columns. What does not fit in the middle one goes on in the next line: nothing is
 * ever cut.
 */
#define LABEL_WIDTH 17
#define TEXT_WIDTH  51
#define ROW_SIZE    (8 * PATH_STRLEN)

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

/* "table 200 sixxs0, table 201" */
static void format_tables(const struct page *page, const struct tunnel_status *status,
			  char *ret, size_t size)
{
	ret[0] = '\0';
	for (size_t i = 0; i < status->n_sections; i++) {
		const size_t n = strlen(ret);
		char table[LABEL_SIZE + 24];

		format_table(page, status->sections[i].section.table, table,
			     sizeof(table));
		snprintf(ret + n, size - n, "%s%s", i ? ", " : "", table);
	}
}

static void print_head(const struct page *page, const struct tunnel_status *status)
{
	char text[ROW_SIZE / 4], tables[TUNNEL_SECTIONS_MAX * (LABEL_SIZE + 26)];
	const char *note = "";
	const char *link = !status->looked         ? "the kernel does not tell"
			   : !status->link.ifindex ? "absent"
			   : status->no_carrier    ? "up, no carrier"
			   : status->link.up       ? "up"
						   : "down";

	format_tables(page, status, tables, sizeof(tables));
	if (tunnel_status_waits_for_address(status))
		note = "; waiting for an address";
	else if (!status->n_items && status->recorded)
		note = "; its record is left over";
	snprintf(text, sizeof(text), "%s, %s%s%s", link,
		 status->section == SECTION_FOUND ? tables : section_word(status),
		 status->record_bad ? "; its record is damaged" : "", note);
	row(page, status->ifname, text, &status->state);
}

static void format_object(const struct page *page, const struct object *object, char *ret,
			  size_t size)
{
	const char *ifname = kernel_state_ifname(&page->snapshot->kernel, object->oif);
	char selector[SELECTOR_STRLEN], way[OBJECT_STRLEN];
	char source[PREFIX_STRLEN], from[sizeof("from  ") + PREFIX_STRLEN] = "";

	if (object->kind != OBJECT_RULE && object->source.family) {
		prefix_format(&object->source, source);
		snprintf(from, sizeof(from), "from %s ", source);
	}
	switch (object->kind) {
	case OBJECT_TABLE:
	case OBJECT_KEPT:
		break;
	case OBJECT_RULE:
		object_format_selector(object, selector);
		snprintf(ret, size, "rule %u: %s lookup ", object->priority, selector);
		if (!object->prefers_main)
			snprintf(ret + strlen(ret), size - strlen(ret), "%u",
				 object->table);
		else
			snprintf(ret + strlen(ret), size - strlen(ret), "main");
		break;
	case OBJECT_ROUTE:
		object_format_way(object, ifname ? ifname : "?", way);
		snprintf(ret, size, "default %s%s", from, way);
		break;
	case OBJECT_UNREACHABLE:
		snprintf(ret, size, "unreachable default %smetric %u", from,
			 object->metric);
		break;
	}
}

static const char *family_label(uint8_t family)
{
	return family == AF_INET6 ? "  IPv6" : "  IPv4";
}

static void print_preferred(const struct page *page, const struct kernel_route *preferred)
{
	const char *ifname = kernel_state_ifname(&page->snapshot->kernel, preferred->oif);
	struct kernel_object found = {.protocol = preferred->protocol};
	char text[EXPLAIN_SIZE], number[32];

	kernel_route_object(preferred, &found.object);
	snprintf(number, sizeof(number), "ifindex %u", preferred->oif);
	explain_route(&found, ifname ? ifname : number, text);
	row(page, "  in its place", text, NULL);
}

static void append(char *text, size_t room, const char *tail)
{
	const size_t size = strlen(text);

	snprintf(text + size, room - size, "%s", tail);
}

static void print_routes(const struct page *page, const struct tunnel_status *status)
{
	char text[256], table[32] = "";

	for (size_t i = 0; i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];
		const struct kernel_route *preferred =
			snapshot_preferred(page->snapshot, item);

		if (!item->wanted || item->object.kind == OBJECT_RULE)
			continue;
		format_object(page, &item->object, text, sizeof(text));
		if (status->n_sections > 1)
			snprintf(table, sizeof(table), " table %u", item->object.table);
		append(text, sizeof(text), table);
		row(page, family_label(item->object.family), text, &item->state);
		if (preferred)
			print_preferred(page, preferred);
	}
}

/* Of the selector "from 2a02::1" the word and the rest: a column each. */
static void split_selector(const struct path *path, char label[static LABEL_WIDTH],
			   char ret[static SELECTOR_STRLEN])
{
	char selector[SELECTOR_STRLEN];
	const char *blank;

	if (path->source.family) {
		snprintf(label, LABEL_WIDTH, "  from");
		prefix_format(&path->source, ret);
		return;
	}
	object_format_selector(&path->wanted, selector);
	blank = strchr(selector, ' ');
	snprintf(label, LABEL_WIDTH, "  %.*s", (int)(blank - selector), selector);
	snprintf(ret, SELECTOR_STRLEN, "%s", blank + 1);
}

/* "2a02::1 rules 16382, 16383" */
static void format_selected(const struct tunnel_status *status, const struct path *path,
			    char *ret, size_t size)
{
	size_t n_rules = 0;
	const char *word;

	for (size_t i = 0; i < status->n_items; i++)
		n_rules += tunnel_judge_is_rule_of(&status->item[i], path);
	word = n_rules > 1 ? " rules " : " rule ";
	for (size_t i = 0; i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];
		const size_t n = strlen(ret);

		if (!tunnel_judge_is_rule_of(item, path))
			continue;
		snprintf(ret + n, size - n, "%s%u", word, item->object.priority);
		word = ", ";
	}
}

static void print_path(const struct page *page, const struct tunnel_status *status,
		       const struct path *path)
{
	const enum state state = tunnel_judge_path_state(status, path);
	const char *ifname =
		kernel_state_ifname(&page->snapshot->kernel, path->reply.oif);
	char text[PATH_STRLEN + 128], way[PATH_STRLEN];
	char table[LABEL_SIZE + 24], label[LABEL_WIDTH];

	format_table(page, path->reply.table, table, sizeof(table));
	path_explain(path, ifname ? ifname : "?", table + strlen("table "), way);
	split_selector(path, label, text);
	format_selected(status, path, text, sizeof(text));
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ": %s", way);
	row(page, label, text, &state);
}

static void print_echo(const struct page *page, const struct path *path)
{
	const enum state state = echo_failed(&path->echo) ? STATE_SILENT : STATE_OK;
	char text[PREFIX_STRLEN + ECHO_STRLEN + 8], source[PREFIX_STRLEN];
	char what[ECHO_STRLEN];

	if (path->echo.state == ECHO_UNASKED)
		return;
	prefix_format(&path->packet.from, source);
	echo_explain(&path->echo, what);
	snprintf(text, sizeof(text), "%s: %s", source, what);
	row(page, "  ping from", text,
	    path->echo.state == ECHO_ANSWERED || state == STATE_SILENT ? &state : NULL);
}

static void print_left(const struct page *page, const struct object_status *item)
{
	char text[256], table[32] = "";

	format_object(page, &item->object, text, sizeof(text));
	if (item->object.kind != OBJECT_RULE)
		snprintf(table, sizeof(table), " table %u", item->object.table);
	append(text, sizeof(text), table);
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

static void print_names(const struct page *page, const struct tunnel_status *status)
{
	char text[160];

	for (size_t i = 0; i < status->n_sections; i++) {
		const struct section_status *section = &status->sections[i];

		if (section->name_state != STATE_MISSING)
			continue;
		snprintf(text, sizeof(text), "ip(8) does not know the name %s",
			 section->section.table_name);
		row(page, "  name", text, &section->name_state);
	}
}

static void print_tunnel(const struct page *page, const struct tunnel_status *status)
{
	print_head(page, status);
	print_names(page, status);
	if (status->vrf[0])
		print_vrf(page, status);
	print_routes(page, status);
	for (size_t i = 0; i < status->n_paths; i++)
		print_path(page, status, &status->path[i]);
	for (size_t i = 0; i < status->n_paths; i++)
		print_echo(page, &status->path[i]);
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

static void print_takers(const struct page *page)
{
	const struct snapshot *snapshot = page->snapshot;
	const enum state state = STATE_ASTRAY;

	for (size_t i = 0; i < snapshot->takers.n; i++) {
		const struct kernel_route *route = &snapshot->takers.route[i];
		char text[LABEL_SIZE + FOREIGN_STRLEN + 96], table[LABEL_SIZE + 24];
		char found[FOREIGN_STRLEN];

		format_table(page, route->table, table, sizeof(table));
		foreign_format(route,
			       kernel_state_ifname(&snapshot->kernel, foreign_oif(route)),
			       found);
		snprintf(text, sizeof(text), "%s by a route of %s that is not ours: %s",
			 foreign_refuses(route) ? "are refused" : "leave", table, found);
		row(page, "(other packets)", text, &state);
	}
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
	print_takers(&page);
	print_advice(snapshot, out);
}
