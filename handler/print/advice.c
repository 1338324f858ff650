/* SPDX-License-Identifier: MIT */
#include "print/advice.h"

#include "lib/text.h"

#include <string.h>

/* What is to be done, and by whom. */
struct advice {
	size_t drifted;     /* what apply mends, at once or after the rest */
	const char *ifname; /* the one, or --all */
	bool foreign;       /* routes in the place of ours, which apply leaves alone */
	bool link;          /* to our names, which make install makes */
	bool carrier;       /* lacks: its other end, or the program behind it */
	bool astray;
};

static bool has_preferred(const struct snapshot *snapshot,
			  const struct tunnel_status *status)
{
	for (size_t i = 0; i < status->n_items; i++)
		if (state_is_mendable(status->item[i].state) &&
		    snapshot_preferred(snapshot, &status->item[i]))
			return true;
	return false;
}

static bool has_lost(const struct tunnel_status *status)
{
	for (size_t i = 0; i < status->n_items; i++)
		if (status->item[i].lost)
			return true;
	return false;
}

static struct advice find_advice(const struct snapshot *snapshot)
{
	struct advice advice = {.drifted = snapshot->n_orphans,
				.ifname = "--all",
				.astray = snapshot->takers.n > 0};

	for (size_t i = 0; i < snapshot->tunnels.n; i++) {
		const struct tunnel_status *status = &snapshot->tunnels.status[i];

		advice.astray |= status->state == STATE_ASTRAY;
		advice.carrier |= status->state == STATE_NO_CARRIER;
		for (size_t k = 0; k < status->n_sections; k++)
			advice.link |= status->sections[k].name_unread;
		if (!state_is_mendable(status->state))
			continue;
		advice.foreign |= has_preferred(snapshot, status);
		advice.ifname =
			advice.drifted++ || has_lost(status) ? "--all" : status->ifname;
	}
	return advice;
}

/* One word for a shell, whatever its bytes. */
static void print_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:,%@+-";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	fputs("$'", out);
	for (; *word; word++)
		if (*word < ' ' || *word > '~' || *word == '\'' || *word == '\\')
			fprintf(out, "\\%03o", (unsigned char)*word);
		else
			fprintf(out, "%.1s", word);
	fputs("'", out);
}

/* With the folders that were looked at, if they are others than apply's own. */
static void print_command(const struct snapshot *snapshot, const char *ifname, FILE *out)
{
	const struct settings *settings = snapshot->settings;
	const char *const options[][3] = {
		{"--conf-dir", settings->conf_dir, CONF_DIR},
		{"--run-dir", settings->run_dir, RUN_DIR},
	};
	bool others = false;

	for (size_t i = 0; i < 2; i++)
		others |= strcmp(options[i][1], options[i][2]) != 0;
	fprintf(out, "Not as the drop-ins say; to make it so:%ssixxs-route ",
		others ? "\n  " : " ");
	for (size_t i = 0; i < 2; i++) {
		if (!strcmp(options[i][1], options[i][2]))
			continue;
		fprintf(out, "%s ", options[i][0]);
		print_word(out, options[i][1]);
		fputs(" ", out);
	}
	fprintf(out, "apply %s\n", ifname);
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
static void print_probe(const struct snapshot *snapshot, const struct probe *probe,
			FILE *out)
{
	char to[PREFIX_STRLEN], first[PREFIX_STRLEN];

	if (!probe->passed.family || !was_asked(snapshot, &probe->to))
		return;
	prefix_format(&probe->to, to);
	prefix_format(&probe->passed, first);
	fprintf(out, "Asked about %s, for %s is on this host or one of its links.\n", to,
		first);
}

void print_advice(const struct snapshot *snapshot, FILE *out)
{
	const struct advice advice = find_advice(snapshot);
	char run_dir[PATH_STRLEN];

	if (snapshot_is_blind(snapshot)) {
		fputs("Not all is known: mend what is told above first.\n", out);
	} else {
		if (advice.foreign)
			fputs("Somebody else's route is in the place of ours, see above: remove it first.\n",
			      out);
		if (advice.drifted)
			print_command(snapshot, advice.ifname, out);
	}
	if (advice.link)
		fprintf(out,
			"ip(8) does not read our names: make install again, or make a symbolic link\n"
			"  /etc/iproute2/rt_tables.d/sixxs-route.conf -> %s/rt_tables\n",
			escape(snapshot->settings->run_dir, run_dir, sizeof(run_dir)));
	print_probe(snapshot, &snapshot->probe6, out);
	print_probe(snapshot, &snapshot->probe4, out);
	if (advice.carrier)
		fputs("No carrier: packets vanish; see to the program or the cable behind the link.\n",
		      out);
	if (advice.astray)
		fputs("Astray: what is ours is there; see above what else takes the packets.\n",
		      out);
}
