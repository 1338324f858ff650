/* SPDX-License-Identifier: MIT */
#include "print/json.h"

#include "kernel/foreign.h"
#include "print/json_writer.h"
#include "status/tunnel_judge.h"

#include <string.h>
#include <sys/socket.h>

/* Of the form that sixxs-route(8) describes. */
#define FORM_VERSION 1

struct page {
	const struct snapshot *snapshot;
	struct json json;
};

static void put_optional(struct json *json, const char *key, uint32_t number)
{
	if (number)
		json_number(json, key, number);
	else
		json_null(json, key);
}

static void put_prefix(struct json *json, const char *key, const struct prefix *prefix)
{
	char text[PREFIX_STRLEN] = "";

	if (prefix->family)
		prefix_format(prefix, text);
	json_string(json, key, prefix->family ? text : NULL);
}

static void put_family(struct json *json, uint8_t family)
{
	json_number(json, "family", family == AF_INET6 ? 6 : 4);
}

static void put_rule(struct page *page, const struct object *rule)
{
	struct json *json = &page->json;
	char selector[SELECTOR_STRLEN];

	object_format_selector(rule, selector);
	put_prefix(json, "source", &rule->source);
	json_string(json, "selector", selector);
	json_number(json, "priority", rule->priority);
	json_number(json, "table", rule->table);
}

static void put_route(struct page *page, const struct object *route)
{
	struct json *json = &page->json;

	put_prefix(json, "source", &route->source);
	json_number(json, "table", route->table);
	json_string(json, "interface",
		    kernel_state_ifname(&page->snapshot->kernel, route->oif));
	put_prefix(json, "gateway", &route->gateway);
	json_number(json, "metric", route->metric);
	put_optional(json, "mtu", route->mtu);
}

static void put_item(struct page *page, const struct object_status *item)
{
	static const char *const kinds[] = {
		[OBJECT_RULE] = "rule",
		[OBJECT_ROUTE] = "route",
		[OBJECT_UNREACHABLE] = "fallback",
	};
	struct json *json = &page->json;

	json_open(json, NULL, '{');
	json_string(json, "kind",
		    item->object.prefers_main ? "rule-main" : kinds[item->object.kind]);
	put_family(json, item->object.family);
	if (item->object.kind == OBJECT_RULE)
		put_rule(page, &item->object);
	else
		put_route(page, &item->object);
	json_bool(json, "wanted", item->wanted);
	json_bool(json, "installed", item->there);
	json_string(json, "state", state_name(item->state));
	json_close(json, '}');
}

static void put_culprit(struct page *page, const struct path *path)
{
	struct json *json = &page->json;
	char text[POLICY_STRLEN];

	if (path->reason != REASON_OTHER_RULE &&
	    (path->reason != REASON_SOME || !path->some)) {
		json_null(json, "rule");
		return;
	}
	policy_format(&path->rule, text);
	json_open(json, "rule", '{');
	json_number(json, "priority", path->rule.priority);
	json_number(json, "protocol", path->rule.protocol);
	json_string(json, "text", text);
	json_close(json, '}');
}

static bool is_any(const struct prefix *host)
{
	static const struct prefix any;

	return !memcmp(host->addr, any.addr, sizeof(any.addr));
}

static void put_path(struct page *page, const struct path *path)
{
	const struct kernel_state *kernel = &page->snapshot->kernel;
	struct json *json = &page->json;
	const char *ifname =
		path->reply.error ? NULL : kernel_state_ifname(kernel, path->reply.oif);
	const char *table = known_names_of(&page->snapshot->names, path->reply.table);
	char number[16], text[PATH_STRLEN];

	snprintf(number, sizeof(number), "%u", path->reply.table);
	path_explain(path, ifname ? ifname : "?", table ? table : number, text);
	json_open(json, "path", '{');
	if (is_any(&path->packet.from))
		json_null(json, "from");
	else
		put_prefix(json, "from", &path->packet.from);
	put_prefix(json, "to", &path->packet.to);
	json_string(json, "iif", path->packet.iif[0] ? path->packet.iif : NULL);
	json_string(json, "interface", ifname);
	put_optional(json, "table", path->reply.table);
	json_bool(json, "refused", path_is_refused(path));
	json_string(json, "reason", path_reason(path->reason));
	put_culprit(page, path);
	json_string(json, "text", text);
	json_close(json, '}');
}

/* path: NULL if nothing was asked. */
static void put_selected(struct page *page, const struct tunnel_status *status,
			 const struct path *path)
{
	struct json *json = &page->json;
	const bool absent = status->looked && !status->link.ifindex && !path;

	json_open(json, "rules", '[');
	for (size_t i = 0; path && i < status->n_items; i++)
		if (tunnel_judge_is_rule_of(&status->item[i], path))
			put_item(page, &status->item[i]);
	json_close(json, ']');
	if (path)
		put_path(page, path);
	else
		json_null(json, "path");
	json_string(json, "state",
		    state_name(absent ? STATE_ABSENT
				      : tunnel_judge_path_state(status, path)));
}

static void put_echo(struct page *page, const struct path *path)
{
	const struct echo *echo = path ? &path->echo : NULL;
	const char *word = echo ? echo_word(echo->state) : NULL;
	struct json *json = &page->json;

	if (!page->snapshot->ping.family)
		return;
	json_string(json, "ping", word ? word : echo_word(ECHO_UNSENT));
	if (echo && echo->state == ECHO_ANSWERED)
		json_thousandths(json, "ping_ms", (uint64_t)echo->took_us);
	else
		json_null(json, "ping_ms");
}

static void put_source(struct page *page, const struct tunnel_status *status,
		       const struct section *section, const struct prefix *source)
{
	const struct path *path = tunnel_judge_path_of(status, section, source);
	struct json *json = &page->json;

	json_open(json, NULL, '{');
	put_prefix(json, "source", source);
	put_family(json, source->family);
	put_selected(page, status, path);
	put_echo(page, path);
	json_close(json, '}');
}

/* What is selected by something else than its source. */
static void put_selectors(struct page *page, const struct tunnel_status *status)
{
	struct json *json = &page->json;
	char selector[SELECTOR_STRLEN];

	json_open(json, "selectors", '[');
	for (size_t i = 0; i < status->n_paths; i++) {
		const struct path *path = &status->path[i];

		if (path->source.family)
			continue;
		object_format_selector(&path->wanted, selector);
		json_open(json, NULL, '{');
		json_string(json, "selector", selector);
		put_family(json, path->wanted.family);
		put_selected(page, status, path);
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* NULL: there is none. */
static void put_table(struct page *page, const struct section_status *section)
{
	const char *want = section ? section->section.table_name : NULL;
	struct json *json = &page->json;

	if (!section) {
		json_null(json, "table");
		return;
	}
	json_open(json, "table", '{');
	json_number(json, "number", section->section.table);
	json_string(json, "name",
		    known_names_of(&page->snapshot->names, section->section.table));
	json_string(json, "wanted_name", want[0] ? want : NULL);
	json_string(json, "state", state_name(section->name_state));
	json_close(json, '}');
}

static void put_sections(struct page *page, const struct tunnel_status *status)
{
	struct json *json = &page->json;

	json_open(json, "sections", '[');
	for (size_t i = 0; i < status->n_sections; i++) {
		const struct section_status *section = &status->sections[i];

		json_open(json, NULL, '{');
		json_string(json, "label", section->section.label);
		put_table(page, section);
		json_number(json, "priority", section->section.priority);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_sources(struct page *page, const struct tunnel_status *status)
{
	json_open(&page->json, "sources", '[');
	for (size_t i = 0; i < status->n_sections; i++) {
		const struct section *section = &status->sections[i].section;

		for (unsigned k = 0; k < section->n_sources; k++)
			put_source(page, status, section, &section->source[k]);
	}
	json_close(&page->json, ']');
}

static void put_items(struct page *page, const char *key,
		      const struct tunnel_status *status, bool wanted)
{
	json_open(&page->json, key, '[');
	for (size_t i = 0; i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];

		if (item->wanted == wanted &&
		    !(wanted && item->object.kind == OBJECT_RULE))
			put_item(page, item);
	}
	json_close(&page->json, ']');
}

/* Whether an up link has it; null: it is not up. */
static void put_carrier(struct json *json, const struct tunnel_status *status)
{
	if (status->link.up)
		json_bool(json, "carrier", !status->no_carrier);
	else
		json_null(json, "carrier");
}

static void put_vrf(struct json *json, const struct tunnel_status *status)
{
	if (!status->vrf[0]) {
		json_null(json, "vrf");
		return;
	}
	json_open(json, "vrf", '{');
	json_string(json, "name", status->vrf);
	json_number(json, "table", status->vrf_table);
	put_optional(json, "rule", status->vrf_rule);
	json_close(json, '}');
}

static void put_tunnel(struct page *page, const struct tunnel_status *status)
{
	static const char *const sections[] = {
		[SECTION_NONE] = "none",
		[SECTION_FOUND] = "found",
		[SECTION_UNKNOWN] = "unknown",
	};
	const struct section_status *first = status->n_sections ? status->sections : NULL;
	struct json *json = &page->json;

	json_open(json, NULL, '{');
	json_string(json, "interface", status->ifname);
	json_string(json, "state", state_name(status->state));
	json_string(json, "section", sections[status->section]);
	json_string(json, "label", first ? first->section.label : NULL);
	json_string(json, "link",
		    !status->looked         ? NULL
		    : !status->link.ifindex ? "absent"
		    : status->link.up       ? "up"
					    : "down");
	put_optional(json, "ifindex", status->link.ifindex);
	put_carrier(json, status);
	put_vrf(json, status);
	if (status->looked)
		json_bool(json, "recorded", status->recorded);
	else
		json_null(json, "recorded");
	put_table(page, first);
	put_sections(page, status);
	put_items(page, "routes", status, true);
	json_bool(json, "auto", first && first->section.source_kind != SOURCES_LISTED);
	put_sources(page, status);
	put_selectors(page, status);
	put_items(page, "leftovers", status, false);
	json_close(json, '}');
}

static void put_taker(struct page *page, const struct kernel_route *route)
{
	static const struct prefix none;
	const char *ifname =
		kernel_state_ifname(&page->snapshot->kernel, foreign_oif(route));
	struct json *json = &page->json;
	char text[FOREIGN_STRLEN];

	foreign_format(route, ifname, text);
	json_open(json, NULL, '{');
	json_number(json, "table", route->table);
	put_prefix(json, "to", &route->dst);
	put_prefix(json, "from", route->src.len ? &route->src : &none);
	json_string(json, "interface", ifname);
	json_number(json, "metric", route->metric);
	json_number(json, "protocol", route->protocol);
	json_string(json, "text", text);
	json_close(json, '}');
}

static void put_finding(struct json *json, const struct finding *finding)
{
	json_open(json, NULL, '{');
	json_string(json, "severity",
		    finding->severity == SEVERITY_ERROR ? "error" : "warning");
	json_string(json, "file", finding->file);
	json_number(json, "line", finding->line);
	json_string(json, "text", finding->text);
	json_close(json, '}');
}

void print_json(const struct snapshot *snapshot, int status, FILE *out)
{
	static const char *const states[] = {"ok", "drift", "unknown"};
	struct page page = {.snapshot = snapshot, .json = {.out = out}};
	struct json *json = &page.json;

	json_open(json, NULL, '{');
	json_number(json, "version", FORM_VERSION);
	json_string(json, "state", states[status]);
	json_open(json, "tunnels", '[');
	for (size_t i = 0; i < snapshot->tunnels.n; i++)
		put_tunnel(&page, &snapshot->tunnels.status[i]);
	json_close(json, ']');
	json_open(json, "strays", '[');
	for (size_t i = 0; i < snapshot->n_orphans; i++)
		put_item(&page, &snapshot->orphan[i]);
	json_close(json, ']');
	json_open(json, "foreign", '[');
	for (size_t i = 0; i < snapshot->takers.n; i++)
		put_taker(&page, &snapshot->takers.route[i]);
	json_close(json, ']');
	json_open(json, "findings", '[');
	for (size_t i = 0; i < snapshot->findings.n; i++)
		put_finding(json, &snapshot->findings.finding[i]);
	json_close(json, ']');
	json_string(json, "failure",
		    snapshot->failure[0]   ? snapshot->failure
		    : snapshot->strange[0] ? snapshot->strange
					   : NULL);
	json_string(json, "warning", snapshot->warning[0] ? snapshot->warning : NULL);
	json_close(json, '}');
}
