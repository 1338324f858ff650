/* SPDX-License-Identifier: MIT */
#include "print/print_advice.h"

#include "lib/escape.h"
#include "print/advice.h"

#include <string.h>

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
	const struct advice advice = advice_of(snapshot);
	char run_dir[PATH_STRLEN];

	if (snapshot_is_blind(snapshot)) {
		fputs("Not all could be read: mend what is told above first.\n", out);
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
