/* SPDX-License-Identifier: MIT */
#include "cmd/options.h"

#include "config/keys.h"
#include "lib/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 28

/* One of the options; its letter, or a number beyond letters, is its identity. */
enum { ALL = 256, CONF_DIR_OPTION, FOR, JSON, PING, PROBE, RUN_DIR_OPTION, WAIT };

static const struct {
	int id;
	const char *name, *value, *help;
	unsigned takes; /* the verb must, unless 0 */
} table[] = {
	{ALL, "all", NULL, "apply: every tunnel, and sweep what none accounts for",
	 TAKES_ALL},
	{CONF_DIR_OPTION, "conf-dir", "DIR", "the drop-ins (" CONF_DIR ")", 0},
	{'n', "dry-run", NULL, "print the ip(8) commands that are needed; change nothing",
	 TAKES_DRY_RUN},
	{FOR, "for", "SECONDS", "hold: until then; else until it is released", TAKES_FOR},
	{JSON, "json", NULL, "status: as JSON, for programs", TAKES_REPORT},
	{PING, "ping", "ADDR", "status: an echo to ADDR from each source as well",
	 TAKES_REPORT},
	{PROBE, "probe", "ADDR", "status: the way to ADDR (2000::1 and 192.0.2.1)",
	 TAKES_REPORT},
	{RUN_DIR_OPTION, "run-dir", "DIR", "the records (" RUN_DIR ")", 0},
	{'v', "verbose", NULL, "tell what was read, decided and done", 0},
	{WAIT, "wait", NULL, "guard: wait until the client may connect", TAKES_WAIT},
	{'h', "help", NULL, "this text", 0},
	{'V', "version", NULL, "the version", 0},
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

int arguments_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("sixxs-route: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\nTry: sixxs-route --help\n", stderr);
	va_end(args);
	return EXIT_USAGE;
}

static void print_usage(const struct verb *verb)
{
	fputs("Usage: sixxs-route [OPTION...] VERB [ARGUMENT...]\n"
	      "Source-based routing for tunnels: keeps each tunnel's default route, table and\n"
	      "source rules as its drop-in says, while its interface exists.\n\n",
	      stdout);
	for (; verb->name; verb++) {
		const int width = fprintf(stdout, "  %s %s", verb->name, verb->synopsis);

		fprintf(stdout, "%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 1,
			"", verb->help[0]);
		if (verb->help[1])
			fprintf(stdout, "%*s%s\n", HELP_COLUMN, "", verb->help[1]);
	}
	fputs("\n", stdout);
	for (size_t i = 0; i < OPTIONS; i++) {
		const bool letter = table[i].id < ALL;
		const int width = fprintf(stdout, "  %c%c%c --%s%s%s", letter ? '-' : ' ',
					  letter ? table[i].id : ' ', letter ? ',' : ' ',
					  table[i].name, table[i].value ? " " : "",
					  table[i].value ? table[i].value : "");

		fprintf(stdout, "%*s%s\n", HELP_COLUMN - 7 - width, "", table[i].help);
	}
	fputs("\nExit status: 0 done or nothing to do, 1 failed, 2 usage; guard: 75 not yet;\n"
	      "status: 0 all well, 1 not as the drop-ins say, 2 cannot tell.\n",
	      stdout);
}

/* getopt_long(3)'s form of the table. */
static void fill_options(struct option ret[static OPTIONS + 1])
{
	for (size_t i = 0; i < OPTIONS; i++)
		ret[i] = (struct option){.name = table[i].name,
					 .has_arg = table[i].value ? required_argument
								   : no_argument,
					 .val = table[i].id};
	ret[OPTIONS] = (struct option){0};
}

/* Whether an option with a value is meant: by its name, or a beginning that no other has. */
static bool takes_value(const char *name, size_t length)
{
	unsigned n = 0, n_values = 0;

	for (size_t i = 0; i < OPTIONS; i++) {
		if (strncmp(table[i].name, name, length) != 0)
			continue;
		n++;
		n_values += table[i].value != NULL;
	}
	return n == 1 && n_values == 1;
}

static bool is_odd(const char *arg)
{
	const char *c = arg;

	if (arg[0] != '-')
		return false;
	while (*c >= ' ' && *c <= '~')
		c++;
	return *c;
}

/* getopt(3) prints what is no option as it came: only a value may have odd bytes. */
static int check_bytes(char *const argv[])
{
	char escaped[64];

	for (char *const *arg = argv + 1; *arg && strcmp(*arg, "--") != 0; arg++) {
		const size_t name = strcspn(*arg, "=");

		if (!strncmp(*arg, "--", 2) && takes_value(*arg + 2, name - 2)) {
			if (!(*arg)[name] && arg[1])
				arg++; /* that is the value, whatever it looks like */
		} else if (is_odd(*arg)) {
			return arguments_error("unknown option \"%s\"",
					       escape(*arg, escaped, sizeof(escaped)));
		}
	}
	return -1;
}

static void take_option(int id, struct arguments *ret)
{
	switch (id) {
	case ALL:
		ret->all = true;
		break;
	case CONF_DIR_OPTION:
		ret->settings.conf_dir = optarg;
		ret->settings.conf_dir_typed = true;
		break;
	case 'n':
		ret->settings.dry_run = true;
		break;
	case FOR:
		ret->hold_for = optarg;
		break;
	case JSON:
		ret->json = true;
		break;
	case PING:
		ret->ping = optarg;
		break;
	case PROBE:
		ret->probe = optarg;
		break;
	case RUN_DIR_OPTION:
		ret->settings.run_dir = optarg;
		break;
	case 'v':
		ret->verbose = true;
		break;
	case WAIT:
		ret->wait = true;
		break;
	}
}

static int flushed(void)
{
	if (fflush(stdout) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "sixxs-route: cannot write to standard output: %s\n",
		strerror(errno));
	return EXIT_FAILURE;
}

/* Returns -1 with the options that were given as a mask of table rows, or a status. */
static int parse_options(int argc, char *argv[], const struct verb verbs[],
			 unsigned *ret_given, struct arguments *ret)
{
	struct option options[OPTIONS + 1];
	int id;

	fill_options(options);
	unsetenv(
		"POSIXLY_CORRECT"); /* options behind the verb are options all the same */
	while ((id = getopt_long(argc, argv, "hnvV", options, NULL)) >= 0) {
		if (id == '?') {
			fputs("Try: sixxs-route --help\n", stderr);
			return EXIT_USAGE;
		}
		if (id == 'h') {
			print_usage(verbs);
			return flushed();
		}
		if (id == 'V') {
			fputs("sixxs-route " VERSION "\n", stdout);
			return flushed();
		}
		for (size_t i = 0; i < OPTIONS; i++) {
			if (table[i].id != id)
				continue;
			if (table[i].value && !*optarg)
				return arguments_error("--%s needs a value",
						       table[i].name);
			*ret_given |= 1U << i;
		}
		take_option(id, ret);
	}
	return -1;
}

static int check_options(const struct verb *verb, unsigned given)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if ((given & (1U << i)) && table[i].takes &&
		    !(table[i].takes & verb->takes))
			return arguments_error("%s takes no --%s", verb->name,
					       table[i].name);
	return -1;
}

static int check_operands(const struct verb *verb, const struct arguments *arguments)
{
	char *const *operand = arguments->operands;
	char escaped[64];

	switch (verb->operands) {
	case OPERANDS_NONE:
		if (operand[0])
			return arguments_error("%s takes no argument", verb->name);
		break;
	case OPERANDS_ONE:
		if (!operand[0] || operand[1])
			return arguments_error("%s needs one interface name", verb->name);
		break;
	case OPERANDS_SOME:
		if (!!operand[0] == arguments->all)
			return arguments_error("%s needs interface names%s", verb->name,
					       verb->takes & TAKES_ALL ? ", or else --all"
								       : "");
		break;
	case OPERANDS_ANY:
		break;
	case OPERANDS_FILES:
		for (; *operand; operand++)
			if (!**operand)
				return arguments_error("%s needs a file's name",
						       verb->name);
		return -1;
	}
	for (; *operand; operand++)
		if (!keys_ifname_ok(*operand))
			return arguments_error(
				"\"%s\" is no interface name that can be served: expected [A-Za-z0-9][A-Za-z0-9_.-]{0,14}",
				escape(*operand, escaped, sizeof(escaped)));
	return -1;
}

static const struct verb *find_verb(const struct verb *verb, const char *name)
{
	for (; verb->name; verb++)
		if (!strcmp(name, verb->name))
			return verb;
	return NULL;
}

int arguments_parse(int argc, char *argv[], const struct verb verbs[],
		    const struct verb **ret_verb, struct arguments *ret)
{
	char escaped[64];
	unsigned given = 0;
	int status = check_bytes(argv);

	if (status < 0)
		status = parse_options(argc, argv, verbs, &given, ret);
	if (status >= 0)
		return status;
	if (optind == argc)
		return arguments_error("a verb is missing");
	*ret_verb = find_verb(verbs, argv[optind]);
	if (!*ret_verb)
		return arguments_error("unknown verb \"%s\"",
				       escape(argv[optind], escaped, sizeof(escaped)));
	ret->operands = argv + optind + 1;
	ret->settings.interactive = (*ret_verb)->interactive;
	status = check_options(*ret_verb, given);
	return status >= 0 ? status : check_operands(*ret_verb, ret);
}
