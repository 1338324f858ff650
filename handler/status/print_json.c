/* SPDX-License-Identifier: MIT */
#include "status/print_json.h"

#include "lib/json.h"

#include <string.h>
#include <sys/socket.h>

struct page {
	const struct survey *survey;
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

	put_prefix(json, "source", &rule->source);
	json_number(json, "priority", rule->priority);
	json_number(json, "table", rule->table);
}

static void put_route(struct page *page, const struct object *route)
{
	struct json *json = &page->json;

	json_number(json, "table", route->table);
	json_string(json, "interface",
		    kernel_state_ifname(&page->survey->kernel, route->oif));
	put_prefix(json, "gateway", &route->gateway);
	json_number(json, "metric", route->metric);
	put_optional(json, "mtu", route->mtu);
}

static void put_item(struct page *page, const struct item *item)
{
	static const char *const kinds[] = {
		[OBJECT_RULE] = "rule",
		[OBJECT_RULE_MAIN] = "rule-main",
		[OBJECT_ROUTE] = "route",
		[OBJECT_FALLBACK] = "fallback",
	};
	struct json *json = &page->json;

	json_open(json, NULL, '{');
	json_string(json, "kind", kinds[item->object.kind]);
	put_family(json, item->object.family);
	if (object_is_rule(&item->object))
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

	if (path->reason != REASON_OTHER_RULE) {
		json_null(json, "rule");
		return;
	}
	policy_format(&path->culprit, text);
	json_open(json, "rule", '{');
	json_number(json, "priority", path->culprit.priority);
	json_number(json, "protocol", path->culprit.protocol);
	json_string(json, "text", text);
	json_close(json, '}');
}

static void put_path(struct page *page, const struct report *report, size_t source)
{
	const struct kernel_state *kernel = &page->survey->kernel;
	struct json *json = &page->json;
	const struct path *path = &report->path[source];
	const char *ifname =
		path->way.error ? NULL : kernel_state_ifname(kernel, path->way.oif);
	const char *table = known_names_of(&page->survey->names, path->way.table);
	char number[16], text[PATH_STRLEN];

	snprintf(number, sizeof(number), "%u", path->way.table);
	path_explain(path, ifname ? ifname : "?", table ? table : number,
		     report->tunnel.table, text);
	json_open(json, "path", '{');
	put_prefix(json, "from", &path->packet.from);
	put_prefix(json, "to", &path->packet.to);
	json_string(json, "iif", path->packet.iif[0] ? path->packet.iif : NULL);
	json_string(json, "interface", ifname);
	put_optional(json, "table", path->way.table);
	json_bool(json, "refused", path_is_refused(path));
	json_string(json, "reason", path_reason(path->reason));
	put_culprit(page, path);
	json_string(json, "text", text);
	json_close(json, '}');
}

static void put_source(struct page *page, const struct report *report, size_t source)
{
	const struct prefix *prefix = &report->tunnel.source[source];
	struct json *json = &page->json;

	json_open(json, NULL, '{');
	put_prefix(json, "source", prefix);
	put_family(json, prefix->family);
	json_open(json, "rules", '[');
	for (size_t i = 0; i < report->n_items; i++)
		if (report_is_rule_of(&report->item[i], prefix))
			put_item(page, &report->item[i]);
	json_close(json, ']');
	if (source < report->n_paths)
		put_path(page, report, source);
	else
		json_null(json, "path");
	json_string(json, "state",
		    state_name(report->looked && !report->link.ifindex
				       ? STATE_ABSENT
				       : report_source_state(report, source)));
	json_close(json, '}');
}

static void put_table(struct page *page, const struct report *report)
{
	const char *want = report->tunnel.table_name;
	struct json *json = &page->json;

	if (report->section != SECTION_FOUND) {
		json_null(json, "table");
		return;
	}
	json_open(json, "table", '{');
	json_number(json, "number", report->tunnel.table);
	json_string(json, "name",
		    known_names_of(&page->survey->names, report->tunnel.table));
	json_string(json, "wanted_name", want[0] ? want : NULL);
	json_string(json, "state", state_name(report->name_state));
	json_close(json, '}');
}

static void put_items(struct page *page, const char *key, const struct report *report,
		      bool wanted)
{
	json_open(&page->json, key, '[');
	for (size_t i = 0; i < report->n_items; i++) {
		const struct item *item = &report->item[i];

		if (item->wanted == wanted && !(wanted && object_is_rule(&item->object)))
			put_item(page, item);
	}
	json_close(&page->json, ']');
}

static void put_report(struct page *page, const struct report *report)
{
	static const char *const sections[] = {
		[SECTION_NONE] = "none",
		[SECTION_FOUND] = "found",
		[SECTION_UNKNOWN] = "unknown",
	};
	const bool found = report->section == SECTION_FOUND;
	struct json *json = &page->json;

	json_open(json, NULL, '{');
	json_string(json, "interface", report->ifname);
	json_string(json, "state", state_name(report->state));
	json_string(json, "section", sections[report->section]);
	json_string(json, "label", found ? report->tunnel.label : NULL);
	json_string(json, "link",
		    !report->looked         ? NULL
		    : !report->link.ifindex ? "absent"
		    : report->link.up       ? "up"
					    : "down");
	put_optional(json, "ifindex", report->link.ifindex);
	if (report->looked)
		json_bool(json, "recorded", report->recorded);
	else
		json_null(json, "recorded");
	put_table(page, report);
	put_items(page, "routes", report, true);
	json_bool(json, "auto", found && report->tunnel.source_auto);
	json_open(json, "sources", '[');
	for (size_t i = 0; found && i < report->tunnel.n_sources; i++)
		put_source(page, report, i);
	json_close(json, ']');
	put_items(page, "leftovers", report, false);
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

void reportjson_print(const struct survey *survey, int status, FILE *out)
{
	static const char *const states[] = {"ok", "drift", "unknown"};
	struct page page = {.survey = survey, .json = {.out = out}};
	struct json *json = &page.json;

	json_open(json, NULL, '{');
	json_string(json, "state", states[status]);
	json_open(json, "tunnels", '[');
	for (size_t i = 0; i < survey->n_reports; i++)
		put_report(&page, &survey->report[i]);
	json_close(json, ']');
	json_open(json, "strays", '[');
	for (size_t i = 0; i < survey->n_strays; i++)
		put_item(&page, &survey->stray[i]);
	json_close(json, ']');
	json_open(json, "findings", '[');
	for (size_t i = 0; i < survey->findings.n; i++)
		put_finding(json, &survey->findings.finding[i]);
	json_close(json, ']');
	json_string(json, "failure", survey->failure[0] ? survey->failure : NULL);
	json_string(json, "warning", survey->warning[0] ? survey->warning : NULL);
	json_close(json, '}');
}
