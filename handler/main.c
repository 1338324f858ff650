/* SPDX-License-Identifier: MIT */
#include "apply.h"
#include "config.h"
#include "handle.h"
#include "log.h"
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 2

static const char usage[] =
	"Usage: sixxs-route [OPTION...] VERB [IFACE...]\n"
	"Source-based routing for tunnels: keeps each tunnel's default route, table and "
	"source\n"
	"rules as its drop-in says, while its interface exists.\n"
	"\n"
	"  apply [--all | IFACE...]  bring these tunnels to what their drop-ins say, "
	"now;\n"
	"                            --all: every tunnel, and sweep what none accounts "
	"for\n"
	"  remove IFACE...           undo what was installed for these, link present or "
	"not\n"
	"  udev                      handle one event; for the udev rule only\n"
	"\n"
	"  -n, --dry-run      print the ip(8) commands that are needed; change nothing\n"
	"      --conf-dir DIR the drop-ins (" CONF_DIR ")\n"
	"      --run-dir DIR  the records (" RUN_DIR ")\n"
	"  -v, --verbose      tell what was read, decided and done\n"
	"  -h, --help         this text\n"
	"  -V, --version      the version\n"
	"\n"
	"Exit status: 0 done or nothing to do, 1 failed, 2 usage.\n";

struct arguments {
	struct settings settings;
	bool all;
	char **ifnames; /* ends with NULL */
};

struct verb {
	const char *name;
	int (*run)(const struct arguments *arguments, struct rtnl *rtnl);
	bool takes_all, takes_ifnames;
};

static int run_udev(const struct arguments *arguments, struct rtnl *rtnl)
{
	struct event event;
	const int r = event_read(&event);

	if (r < 0) {
		log_line(LOG_ERR,
			 "udev: no event of a network interface in the environment: this "
			 "verb is for the udev rule; by hand, use apply");
		return r;
	}
	return handle_event(&arguments->settings, rtnl, &event);
}

static int run_apply(const struct arguments *arguments, struct rtnl *rtnl)
{
	if (arguments->all)
		return apply_all(&arguments->settings, rtnl);
	return apply(&arguments->settings, rtnl, arguments->ifnames, AIM_SECTION);
}

static int run_remove(const struct arguments *arguments, struct rtnl *rtnl)
{
	return apply(&arguments->settings, rtnl, arguments->ifnames, AIM_NOTHING);
}

static const struct verb verbs[] = {
	{"udev", run_udev, false, false},
	{"apply", run_apply, true, true},
	{"remove", run_remove, false, true},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

__attribute__((format(printf, 1, 2))) static int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("sixxs-route: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\nTry: sixxs-route --help\n", stderr);
	va_end(args);
	return EXIT_USAGE;
}

enum { OPTION_CONF_DIR = 256, OPTION_RUN_DIR, OPTION_ALL };

static const struct option options[] = {
	{"all", no_argument, NULL, OPTION_ALL},
	{"conf-dir", required_argument, NULL, OPTION_CONF_DIR},
	{"dry-run", no_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{"run-dir", required_argument, NULL, OPTION_RUN_DIR},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char *argv[], struct arguments *ret, bool *ret_verbose)
{
	int option;

	while ((option = getopt_long(argc, argv, "hnvV", options, NULL)) >= 0) {
		switch (option) {
		case OPTION_ALL:
			ret->all = true;
			break;
		case OPTION_CONF_DIR:
			ret->settings.conf_dir = optarg;
			break;
		case OPTION_RUN_DIR:
			ret->settings.run_dir = optarg;
			break;
		case 'n':
			ret->settings.dry_run = true;
			break;
		case 'v':
			*ret_verbose = true;
			break;
		case 'V':
			puts("sixxs-route " VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs("Try: sixxs-route --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	return -1;
}

/* Returns -1 if the arguments are as the verb wants them, or the exit status. */
static int check_arguments(const struct verb *verb, const struct arguments *arguments)
{
	char escaped[64];

	if (arguments->all && !verb->takes_all)
		return usage_error("%s takes no --all", verb->name);
	if (arguments->ifnames[0] && !verb->takes_ifnames)
		return usage_error("%s takes no argument", verb->name);
	if (verb->takes_ifnames && !!arguments->ifnames[0] == arguments->all)
		return usage_error(verb->takes_all
					   ? "%s needs interface names, or else --all"
					   : "%s needs interface names",
				   verb->name);
	for (char *const *ifname = arguments->ifnames; *ifname; ifname++)
		if (!config_ifname_ok(*ifname))
			return usage_error(
				"\"%s\" is no interface name that can be served: "
				"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}",
				log_escape(*ifname, escaped, sizeof(escaped)));
	return -1;
}

/* A closed stderr's number must not become that of a socket, which a message then hits. */
static int hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -errno;
	return 0;
}

static int run(const struct verb *verb, const struct arguments *arguments)
{
	struct rtnl rtnl;
	int r = rtnl_open(&rtnl, 0);

	if (r < 0) {
		log_line(LOG_ERR, "cannot open a netlink socket: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = verb->run(arguments, &rtnl);
	rtnl_close(&rtnl);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct arguments arguments = {
		.settings = {.conf_dir = CONF_DIR, .run_dir = RUN_DIR}};
	const struct verb *verb;
	bool verbose = false;
	char escaped[64];
	int status, r = hold_standard_streams();

	if (r < 0)
		return EXIT_FAILURE;
	status = parse_options(argc, argv, &arguments, &verbose);
	if (status >= 0)
		return status;
	if (optind == argc)
		return usage_error("a verb is missing");
	verb = find_verb(argv[optind]);
	if (!verb)
		return usage_error("unknown verb \"%s\"",
				   log_escape(argv[optind], escaped, sizeof(escaped)));
	arguments.ifnames = argv + optind + 1;
	status = check_arguments(verb, &arguments);
	if (status >= 0)
		return status;
	arguments.settings.person = verb->takes_ifnames;
	log_open(arguments.settings.person, verbose);
	r = privilege_drop();
	if (r < 0) {
		log_line(LOG_ERR, "cannot give up privileges: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	return run(verb, &arguments);
}
