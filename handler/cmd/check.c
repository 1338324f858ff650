/* SPDX-License-Identifier: MIT */
#include "cmd/check.h"

#include "cmd/networkd.h"
#include "cmd/udev_rules.h"
#include "config/config.h"
#include "config/diagnostic.h"
#include "config/overlaps.h"
#include "converge/messages.h"
#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/ini.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A good section that gives its table a name. */
struct named {
	struct name_entry entry;
	char ifname[IFNAMSIZ];
	char *file;
	unsigned line;
	size_t order;
};

struct check {
	bool host; /* what this host lacks counts too */
	struct findings findings;
	struct udevrules rules; /* with rules_read */
	bool rules_read, names_unread;
	struct overlaps overlaps;
	size_t n_tunnels, n_named;
	struct named *named;
};

__attribute__((format(printf, 4, 5))) static void
warn(struct findings *findings, const char *file, unsigned line, const char *format, ...)
{
	const struct diagnostics list = diagnostics_to(findings);
	struct diagnostics to = diagnostics_in(&list, NULL, file);
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diagnose(&to, SEVERITY_WARNING, line, "%s", text);
}

/*
 * The line of KEY in the section for IFNAME, or that of the section, which is LINE,
 * without such a key. The file is read once more: only where there is something to be
 * said of it. If that fails, that is said too.
 */
static unsigned key_line(struct check *check, const char *file, unsigned line,
			 const char *key, bool *ret_found)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	const struct diagnostics list = diagnostics_to(&check->findings);
	struct diagnostics to = diagnostics_in(&list, NULL, file);

	*ret_found = ini_load(AT_FDCWD, file, &to, &ini) < 0;
	if (*ret_found)
		return line;
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->section[i];

		for (size_t k = 0; section->line == line && k < section->n_keys; k++)
			if (!strcmp(section->key[k].name, key)) {
				*ret_found = true;
				return section->key[k].line;
			}
	}
	return line;
}

/* The rule takes what goes from one host of the prefix to another into the tunnel, too.
 */
static void check_prefixes(struct check *check, const struct tunnel *tunnel,
			   const char *file, unsigned line)
{
	char text[PREFIX_STRLEN];
	bool said;

	for (unsigned i = 0; !tunnel->prefer_main && i < tunnel->n_sources; i++) {
		const struct prefix *source = &tunnel->source[i];

		if (source->len == prefix_host_len(source->family))
			continue;
		key_line(check, file, line, "prefer_main", &said);
		if (said) /* prefer_main = no is so by intent */
			return;
		prefix_format(source, text);
		warn(&check->findings, file, key_line(check, file, line, "source", &said),
		     "source %s is more than one host: what these send to each other leaves by the tunnel as well: set prefer_main = yes, or = no if that is meant",
		     text);
		return;
	}
}

/* udev's rules are read for the first name that asks for it. */
static bool is_served(struct check *check, const char *ifname)
{
	const struct diagnostics reporter = diagnostics_to(&check->findings);

	if (!check->rules_read && udevrules_load(&reporter, &check->rules) < 0)
		check->findings.no_memory = true;
	check->rules_read = true;
	return udevrules_serve(&check->rules, ifname);
}

static void check_rules(struct check *check, const struct tunnel *tunnel,
			const char *file, unsigned line)
{
	/* the pattern of the rule that comes with this program */
	if (!check->host || !strncmp(tunnel->ifname, "sixxs", strlen("sixxs")) ||
	    is_served(check, tunnel->ifname))
		return;
	warn(&check->findings, file, line,
	     "no event of %s comes here, as its name is not sixxs*: put this line into /etc/udev/rules.d/90-tunnels.rules, then run udevadm control --reload: SUBSYSTEM==\"net\", KERNEL==\"%s\", ENV{SIXXS_ROUTE}=\"$name\"",
	     tunnel->ifname, tunnel->ifname);
}

static unsigned name_line(struct check *check, const char *file, unsigned line)
{
	bool found;
	const unsigned name = key_line(check, file, line, "name", &found);

	return found ? name : key_line(check, file, line, "table", &found);
}

/* Against iproute2's files alone: our own names are compared with each other. */
static int check_name(struct check *check, const struct tunnel *tunnel, const char *file,
		      unsigned line)
{
	struct named *more, named = {.line = line, .order = check->n_named};
	char text[EXPLAIN_SIZE];
	struct name_rival rival;
	int r;

	if (!tunnel->table_name[0])
		return 0;
	named.entry.number = tunnel->table;
	memcpy(named.entry.name, tunnel->table_name, sizeof(named.entry.name));
	memcpy(named.ifname, tunnel->ifname, sizeof(named.ifname));
	r = names_look(-1, &named.entry, &rival);
	if (r < 0 && !check->names_unread)
		warn(&check->findings, file, line,
		     "it is not known whether iproute2 has another use for the name %s, or for another tunnel's: not all of its rt_tables can be read: %s",
		     named.entry.name, strerror(-r));
	check->names_unread |= r < 0;
	if (r >= 0 && explain_name(&named.entry, (enum name_verdict)r, &rival, text))
		warn(&check->findings, file, name_line(check, file, line), "%s", text);
	more = grow(check->named, check->n_named, sizeof(*more));
	if (!more)
		return -ENOMEM;
	check->named = more;
	named.file = strdup(file);
	if (!named.file)
		return -ENOMEM;
	more[check->n_named++] = named;
	return 0;
}

static int check_tunnel(void *data, const struct tunnel *tunnel, const char *file,
			unsigned line)
{
	struct check *check = data;
	const int r = overlaps_add(&check->overlaps, tunnel, file, line);

	if (r < 0)
		return r;
	check->n_tunnels++;
	check_prefixes(check, tunnel, file, line);
	check_rules(check, tunnel, file, line);
	return check_name(check, tunnel, file, line);
}

static void warn_overlap(void *data, const struct prefix *inner,
			 const struct overlap_owner *inner_owner,
			 const struct prefix *outer,
			 const struct overlap_owner *outer_owner)
{
	char inner_text[PREFIX_STRLEN], outer_text[PREFIX_STRLEN];
	struct check *check = data;
	bool found;

	prefix_format(inner, inner_text);
	prefix_format(outer, outer_text);
	warn(&check->findings, inner_owner->file,
	     key_line(check, inner_owner->file, inner_owner->line, "source", &found),
	     "source %s lies within %s of [%s] (%s:%u)%s: give it a lower priority than %u",
	     inner_text, outer_text, outer_owner->label, outer_owner->file,
	     outer_owner->line,
	     inner_owner->priority == outer_owner->priority ? " at the same priority"
							    : ", whose rule comes first",
	     outer_owner->priority);
}

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	const int r = strcmp(x->entry.name, y->entry.name);

	return r ? r : (x->order < y->order ? -1 : 1);
}

static void check_names(struct check *check)
{
	const struct named *first = NULL;

	if (check->n_named)
		qsort(check->named, check->n_named, sizeof(*check->named), by_name);
	for (size_t i = 0; i < check->n_named; i++) {
		const struct named *named = &check->named[i];

		if (!first || strcmp(first->entry.name, named->entry.name) != 0) {
			first = named;
			continue;
		}
		warn(&check->findings, named->file,
		     name_line(check, named->file, named->line),
		     "name %s is given to table %u of %s (%s:%u) as well: whichever comes later goes without: set another name, or name = none",
		     named->entry.name, first->entry.number, first->ifname, first->file,
		     first->line);
	}
}

/* What install and packages put there, and what is hidden by intent. */
static bool is_meant_to_be_unread(const char *name)
{
	static const char example[] = ".example";
	const size_t size = strlen(name), tail = strlen(example);

	if (!strncmp(name, "README", strlen("README")) ||
	    (size > tail && !strcmp(name + size - tail, example)))
		return true;
	return name[0] == '.' && !config_is_dropin(name + 1);
}

static void fail_folder(struct check *check, const char *dir, int error)
{
	const struct diagnostics list = diagnostics_to(&check->findings);
	struct diagnostics to = diagnostics_in(&list, dir, NULL);

	diagnose_file(&to, 0, "cannot be listed: %s", strerror(error));
}

/* is_told: what is wrong with the folder has been said. */
static void check_folder(struct check *check, const char *dir, bool is_told)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *folder = opendir(dir);

	if (!folder && errno == ENOENT)
		warn(&check->findings, dir, 0,
		     "there is no such folder: no tunnel is configured");
	else if (!folder && !is_told)
		fail_folder(check, dir, errno);
	while (folder && (errno = 0, entry = readdir(folder))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") || config_is_dropin(name) ||
		    is_meant_to_be_unread(name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		warn(&check->findings, path, 0,
		     name[0] == '.' ? "not read, as its name begins with a dot"
				    : "not read, as its name does not end in .conf");
	}
	if (folder && errno)
		fail_folder(check, dir, errno);
	if (folder)
		closedir(folder);
}

static int check_networkd(struct check *check, const struct diagnostics *reporter)
{
	struct networkd networkd = {.running = false};
	const int r = check->n_tunnels ? networkd_look(reporter, &networkd) : 0;

	if (r == 0 && networkd.running && networkd.deletes)
		warn(&check->findings, networkd.file, networkd.line,
		     "systemd-networkd runs, and deletes our rules whenever it configures a link: put the lines \"[Network]\" and \"ManageForeignRoutingPolicyRules=no\" into /etc/systemd/networkd.conf.d/zz-sixxs-route.conf, then run systemctl restart systemd-networkd");
	return r;
}

static int check_files(struct check *check, char *const files[])
{
	const struct diagnostics reporter = diagnostics_to(&check->findings);

	return config_each_of(files, &reporter, check_tunnel, check);
}

static int check_all(struct check *check, const char *dir)
{
	const struct diagnostics reporter = diagnostics_to(&check->findings);
	int r;

	check->host = true;
	r = config_each(dir, &reporter, check_tunnel, check);
	check_folder(check, dir, r < 0);
	if (r == -ENOMEM || (r < 0 && !check->findings.errors))
		return r;
	return check_networkd(check, &reporter);
}

static void free_check(struct check *check)
{
	for (size_t i = 0; i < check->n_named; i++)
		free(check->named[i].file);
	free(check->named);
	overlaps_free(&check->overlaps);
	udevrules_free(&check->rules);
	findings_free(&check->findings);
}

int check(const struct settings *settings, char *const files[])
{
	_cleanup_(free_check) struct check found = {.n_tunnels = 0};
	int r = files[0] ? check_files(&found, files)
			 : check_all(&found, settings->conf_dir);

	if (r != -ENOMEM && found.findings.errors)
		r = 0; /* config reported what it found */
	check_names(&found);
	overlaps_each(&found.overlaps, warn_overlap, &found);
	if (r == 0)
		r = findings_print(&found.findings, stdout);
	if (r == 0 && found.findings.no_memory)
		r = -ENOMEM;
	if (r < 0) {
		log_line(
			LOG_ERR,
			"cannot check to the end: %s: what was not printed is not known to be right",
			strerror(-r));
		return r;
	}
	log_story("%zu %s configured", found.n_tunnels,
		  found.n_tunnels == 1 ? "tunnel is" : "tunnels are");
	return found.findings.errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
