/* SPDX-License-Identifier: MIT */
#include "cmd/check.h"

#include "config/config.h"
#include "config/conflicts.h"
#include "config/findings.h"
#include "converge/messages.h"
#include "host/networkd.h"
#include "host/served.h"
#include "host/surroundings.h"
#include "host/vrf.h"
#include "host/watcher.h"
#include "kernel/ipv6.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/text.h"
#include "routing/plan.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	bool host; /* what this host lacks counts too */
	struct findings findings;
	struct claims claims;
	struct served served; /* with served_read */
	int served_error;
	struct vrfs vrfs;
	bool served_read, names_unread;
	bool watcher_expected; /* a tunnel's link is there */
	bool holds;            /* a section refuses packets while it has no link */
	bool no_ipv6;
	size_t n_tunnels;
};

static struct diagnostics about(struct check *check, const char *file)
{
	const struct diagnostics list = diagnostics_to(&check->findings);

	return diagnostics_in(&list, NULL, file);
}

__attribute__((format(printf, 4, 5))) static void
warn(struct check *check, const char *file, unsigned line, const char *format, ...)
{
	struct diagnostics to = about(check, file);
	va_list args;

	va_start(args, format);
	diagnose_args(&to, SEVERITY_WARNING, line, format, args);
	va_end(args);
}

/* udev's rules files are read for the first name that asks for it. */
static const struct served *read_served(struct check *check)
{
	if (!check->served_read)
		check->served_error = served_look(&check->served);
	check->served_read = true;
	return &check->served;
}

static void warn_unread(struct check *check)
{
	warn(check, check->served.unread, 0,
	     "cannot be read: %s; whether udev hands over the interfaces' events was not checked",
	     strerror(-check->served_error));
}

/* By our own rule's pattern, or by the name of the file. */
static bool is_served(const struct claim *claim)
{
	return claim->own_file ||
	       !strncmp(claim->section.ifname, "sixxs", strlen("sixxs"));
}

/*
 * Somebody's line that comes before our rule is taken for one that means this interface,
 * unless udev has seen the link and did not mark it.
 */
static void check_served(struct check *check, const struct claim *claim)
{
	const char *ifname = claim->section.ifname;
	const struct served *served;

	if (!check->host || is_served(claim) || served_is_marked(ifname))
		return;
	served = read_served(check);
	if (served->early && !served_link(ifname))
		return;
	if (check->served_error)
		warn_unread(check);
	else if (served->late[0] && !served->early)
		claim_say(
			&check->claims, claim, SEVERITY_WARNING, claim->line,
			"udev does not run sixxs-route for %s: udev reads %s too late, after " SERVED_RULES
			"; rename it to a name that sorts before, such as 90-tunnels.rules, then run: udevadm control --reload; udevadm trigger",
			ifname, served->late);
	else
		claim_say(
			&check->claims, claim, SEVERITY_WARNING, claim->line,
			"udev does not run sixxs-route for %s: move the section into %s.conf; or put this line into /etc/udev/rules.d/90-tunnels.rules, then run udevadm control --reload; udevadm trigger: SUBSYSTEM==\"net\", KERNEL==\"%s\", ENV{SIXXS_ROUTE}=\"$name\"",
			ifname, ifname, ifname);
}

static void check_rules(struct check *check, const char *dir)
{
	const struct served *served = check->n_tunnels ? read_served(check) : NULL;

	if (!served || served->installed)
		return;
	if (served->own[0])
		warn(check, served->own, 0,
		     "udev does not run sixxs-route for any interface: this file is in place of the rules of sixxs-route; remove it, then run: udevadm control --reload; udevadm trigger");
	else if (check->served_error)
		warn_unread(check);
	else
		warn(check, dir, 0,
		     "udev does not run sixxs-route for any interface: " SERVED_RULES
		     " is in none of the folders that udev reads; install it into /usr/lib/udev/rules.d or /etc/udev/rules.d (make install UDEVRULESDIR=...), then run: udevadm control --reload; udevadm trigger");
}

/* Against iproute2's files alone: our own names are compared with each other. */
static int judge_names(const struct claims *claims, struct name_judgement **ret)
{
	struct name_judgement *judgement = calloc(claims->n + 1, sizeof(*judgement));

	if (!judgement)
		return -ENOMEM;
	for (size_t i = 0; i < claims->n; i++) {
		const struct section *section = &claims->claim[i]->section;

		judgement[i].want.number = section->table;
		memcpy(judgement[i].want.name, section->table_name,
		       sizeof(judgement[i].want.name));
	}
	names_judge(judgement, claims->n);
	*ret = judgement;
	return 0;
}

static void check_name(struct check *check, const struct claim *claim,
		       const struct name_judgement *judgement)
{
	const int r = judgement->verdict == NAME_OURS && judgement->error
			      ? judgement->error
			      : (int)judgement->verdict;
	char text[EXPLAIN_SIZE], unread[PATH_MAX] = "iproute2's rt_tables";

	if (!claim->section.table_name[0])
		return;
	if (r < 0 && !check->names_unread) {
		iproute2_find_unread(unread);
		warn(check, unread, 0,
		     "cannot be read: %s; conflicts with other names of tables were not checked",
		     strerror(-r));
	}
	check->names_unread |= r < 0;
	if (r >= 0 && explain_name(&judgement->want, (enum name_verdict)r,
				   &judgement->conflict, text))
		claim_say(&check->claims, claim, SEVERITY_WARNING, claim_name_line(claim),
			  "%s", text);
}

static void check_vrf(struct check *check, const struct claim *claim)
{
	struct vrf vrf;
	const int r = check->host ? vrf_find(&check->vrfs, &claim->section, &vrf) : 0;

	if (r < 0)
		claim_say(&check->claims, claim, SEVERITY_WARNING, claim->line,
			  "cannot ask the kernel whether the link is in a VRF: %s",
			  strerror(-r));
	else if (r > 0 && vrf.rule)
		claim_say(
			&check->claims, claim, SEVERITY_WARNING, claim->line,
			"%s is in the VRF %s: rule %u comes first, and looks up its table %u for all that comes in by the link or is bound to it; take the link out: ip link set dev %s nomaster",
			claim->section.ifname, vrf.name, vrf.rule, vrf.table,
			claim->section.ifname);
}

/* Of "auto" it is not known here. */
static void check_ipv6(struct check *check, const struct claim *claim)
{
	const struct link link = {.ifindex = 1, .up = true, .carrier = true};
	struct objects wanted = {0};
	bool of_ipv6 = false;

	if (!check->host || !check->no_ipv6)
		return;
	if (plan_wanted(&claim->section, &link, &wanted) < 0)
		check->findings.no_memory = true;
	for (size_t i = 0; i < wanted.n; i++)
		of_ipv6 |= object_is_in_kernel(&wanted.object[i]) &&
			   wanted.object[i].family == AF_INET6;
	objects_free(&wanted);
	if (of_ipv6)
		claim_say(&check->claims, claim, SEVERITY_WARNING, claim->line,
			  IPV6_IS_OFF ": only what the section has of IPv4 is done");
}

#define FILES_MANY 300 /* then it costs an event something to look into each */

/* An event looks into every file for a section that is not in IFNAME.conf. Told once. */
static void check_files(struct check *check)
{
	const struct claims *claims = &check->claims;
	const struct claim *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = claims->claim[i];

		if (claim_counts(claim) && !claim->own_file && n++ == 0)
			first = claim;
	}
	if (n && claims->n_files > FILES_MANY)
		claim_say(
			claims, first, SEVERITY_WARNING, first->line,
			"each event of %s looks into all %zu files for this section%s: move it into %s.conf, which is looked at first",
			first->section.ifname, claims->n_files,
			n > 1 ? ", and so do those of other links whose sections are in no file of their name"
			      : "",
			first->section.ifname);
}

static void check_sections(struct check *check)
{
	_cleanup_free_ struct name_judgement *names = NULL;

	if (judge_names(&check->claims, &names) < 0)
		check->findings.no_memory = true;
	for (size_t i = 0; i < check->claims.n; i++) {
		const struct claim *claim = check->claims.claim[i];

		if (!claim_counts(claim))
			continue;
		check->n_tunnels++;
		check->holds |= claim->section.when_gone == UNREACHABLE;
		check->watcher_expected = check->watcher_expected ||
					  watcher_is_expected(claim->section.ifname);
		check_served(check, claim);
		if (names)
			check_name(check, claim, &names[i]);
		check_vrf(check, claim);
		check_ipv6(check, claim);
	}
	if (conflicts_warn(&check->claims) < 0)
		check->findings.no_memory = true;
}

/* A file of a link's name that has no section for it: what is installed stays. */
static void check_own_files(struct check *check)
{
	for (size_t i = 0; i < check->claims.n_files; i++) {
		const struct claim_file *file = check->claims.file[i];
		const size_t size = strlen(file->name) - strlen(".conf");
		struct diagnostics to =
			diagnostics_in(&check->claims.diagnostics,
				       check->claims.diagnostics.dir, file->name);
		char ifname[IFNAMSIZ];

		if (file->state != FILE_GOOD || file->is_own || size >= sizeof(ifname))
			continue;
		snprintf(ifname, sizeof(ifname), "%.*s", (int)size, file->name);
		if (keys_ifname_ok(ifname) && served_link(ifname))
			diagnose_file(
				&to, 0,
				"this file is named after the link %s and has no section for it: nothing is done or undone for that link; to end a tunnel delete its file, or put a link to /dev/null there",
				ifname);
	}
}

/* What install and packages put there, and what is hidden by intent. */
static bool is_meant_to_be_unread(const char *name)
{
	if (!strncmp(name, "README", strlen("README")) || ends_in(name, ".example"))
		return true;
	return name[0] == '.' && !config_is_dropin(name + 1);
}

static void fail_folder(struct check *check, const char *dir, int error)
{
	struct diagnostics to = about(check, dir);

	diagnose_file(&to, 0, "cannot be listed: %s", strerror(error));
}

/* is_told: what is wrong with the folder has been said. */
static void check_folder(struct check *check, const char *dir, bool is_told)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *folder = opendir(dir);

	if (!folder && errno == ENOENT && !is_told)
		warn(check, dir, 0, "there is no such folder: no tunnel is configured");
	else if (!folder && !is_told)
		fail_folder(check, dir, errno);
	while (folder && (errno = 0, entry = readdir(folder))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") || config_is_dropin(name) ||
		    is_meant_to_be_unread(name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		warn(check, path, 0,
		     name[0] == '.' ? "not read, as its name begins with a dot"
				    : "not read, as its name does not end in .conf");
	}
	if (folder && errno)
		fail_folder(check, dir, errno);
	if (folder)
		closedir(folder);
}

static void check_networkd(struct check *check)
{
	static const char file[] = "/etc/systemd/networkd.conf";
	char unread[PATH_MAX];
	const int r = check->n_tunnels ? networkd_deletes(check->holds, unread) : 0;

	if (r < 0)
		warn(check, unread, 0,
		     "cannot be read: %s; whether systemd-networkd deletes our rules was not checked",
		     strerror(-r));
	if (r > 0 && check->holds)
		warn(check, file, 0,
		     "systemd-networkd runs, and deletes our rules and unreachable routes whenever it configures a link: then packets leave that when_gone = unreachable holds back; " NETWORKD_REMEDY);
	else if (r > 0)
		warn(check, file, 0,
		     "systemd-networkd runs, and deletes our rules whenever it configures a link: put the lines \"[Network]\" and \"ManageForeignRoutingPolicyRules=no\" into /etc/systemd/networkd.conf.d/zz-sixxs-route.conf, then run systemctl restart systemd-networkd");
}

static void check_watcher(struct check *check, const struct settings *settings)
{
	char text[WATCHER_SIZE];

	if (check->watcher_expected && watcher_is_missing(settings, text))
		warn(check, settings->conf_dir, 0, "%s", text);
}

/* The kernel is asked only where a section is good. */
static void check_surroundings(struct check *check, const char *dir)
{
	const int r = check->n_tunnels ? surroundings_warn(&check->claims) : 0;

	if (r < 0)
		warn(check, dir, 0,
		     "cannot ask the kernel: %s; its links, and others' rules and routes that may come before ours, were not checked",
		     strerror(-r));
}

static void free_check(struct check *check)
{
	claims_free(&check->claims);
	findings_free(&check->findings);
	kernel_state_free(&check->vrfs.kernel);
}

int check(const struct settings *settings, char *const files[])
{
	_cleanup_(free_check) struct check found = {.host = !files[0],
						    .no_ipv6 = ipv6_is_off()};
	const struct diagnostics to = diagnostics_to(&found.findings);
	int r = found.host ? config_read(settings, &to, &found.claims)
			   : config_read_files(files, &to, &found.claims);

	if (r != -ENOMEM)
		check_sections(&found);
	if (found.host) {
		check_own_files(&found);
		check_files(&found);
		check_folder(&found, settings->conf_dir, r < 0);
		check_rules(&found, settings->conf_dir);
		check_surroundings(&found, settings->conf_dir);
		check_networkd(&found);
		check_watcher(&found, settings);
	}
	if (r != -ENOMEM && found.findings.errors)
		r = 0; /* what is wrong has been said */
	if (r == 0)
		r = findings_print(&found.findings, stdout);
	if (r == 0 && found.findings.no_memory)
		r = -ENOMEM;
	if (r < 0) {
		log_line(LOG_ERR, "check is incomplete: %s", strerror(-r));
		return r;
	}
	log_debug("%zu %s configured", found.n_tunnels,
		  found.n_tunnels == 1 ? "tunnel is" : "tunnels are");
	return found.findings.errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
