/* SPDX-License-Identifier: MIT */
#include "cmd/apply.h"
#include "cmd/check.h"
#include "cmd/guard.h"
#include "cmd/hold.h"
#include "cmd/namespace.h"
#include "cmd/options.h"
#include "cmd/status.h"
#include "cmd/suggest.h"
#include "cmd/udev.h"
#include "cmd/watch.h"
#include "converge/dry_run.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/privilege.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int run_apply(const struct arguments *arguments, struct rtnl *rtnl)
{
	if (arguments->all)
		return apply_all(&arguments->settings, rtnl);
	return apply(&arguments->settings, rtnl, arguments->operands, GOAL_SECTION);
}

static int run_remove(const struct arguments *arguments, struct rtnl *rtnl)
{
	return apply(&arguments->settings, rtnl, arguments->operands, GOAL_REMOVED);
}

static int run_status(const struct arguments *arguments, struct rtnl *rtnl)
{
	_cleanup_close_ const int ping_socket = arguments->ping_socket;
	const struct status_options options = {.json = arguments->json,
					       .probe = arguments->probe,
					       .ping = arguments->ping,
					       .ping_socket = ping_socket};
	const int r = status_check(&options);

	return r != 0 ? r
		      : status(&arguments->settings, &options, rtnl, arguments->operands);
}

static int run_check(const struct arguments *arguments, struct rtnl *rtnl)
{
	(void)rtnl;
	return check(&arguments->settings, arguments->operands);
}

static int run_guard(const struct arguments *arguments, struct rtnl *rtnl)
{
	(void)rtnl;
	return guard(&arguments->settings, arguments->operands[0], arguments->wait);
}

static int run_hold(const struct arguments *arguments, struct rtnl *rtnl)
{
	uint32_t seconds = 0;
	char escaped[64];

	if (arguments->hold_for && hold_seconds(arguments->hold_for, &seconds) < 0)
		return arguments_error(
			"--for \"%s\": expected seconds, 1-%d",
			escape(arguments->hold_for, escaped, sizeof(escaped)),
			HOLD_SECONDS_MAX);
	return hold(&arguments->settings, rtnl, arguments->operands[0], seconds);
}

static int run_release(const struct arguments *arguments, struct rtnl *rtnl)
{
	return release(&arguments->settings, rtnl, arguments->operands[0]);
}

static int run_suggest(const struct arguments *arguments, struct rtnl *rtnl)
{
	return suggest(&arguments->settings, rtnl, arguments->operands[0]);
}

static int run_watch(const struct arguments *arguments, struct rtnl *rtnl)
{
	return watch(&arguments->settings, rtnl);
}

static int run_udev(const struct arguments *arguments, struct rtnl *rtnl)
{
	struct event event;
	const int r = event_read(&event);

	if (r == -ENODATA)
		log_line(
			LOG_ERR,
			"udev: no event of a network interface in the environment: this verb is for the udev rule; by hand, use apply");
	else if (r < 0)
		log_line(
			LOG_ERR,
			"udev: cannot read the event: %s: nothing was done; once it is mended, run: sixxs-route apply --all",
			strerror(-r));
	return r < 0 ? r : handle_event(&arguments->settings, rtnl, &event);
}

static const struct verb verbs[] = {
	{.name = "apply",
	 .synopsis = "[--all | IFACE...]",
	 .help = {"bring these tunnels to what their drop-ins", "say, now"},
	 .operands = OPERANDS_SOME,
	 .takes = TAKES_ALL | TAKES_DRY_RUN,
	 .failed = EXIT_FAILURE,
	 .interactive = true,
	 .local = true,
	 .run = run_apply},
	{.name = "remove",
	 .synopsis = "IFACE...",
	 .help = {"undo what was installed for these, link", "present or not"},
	 .operands = OPERANDS_SOME,
	 .takes = TAKES_DRY_RUN,
	 .failed = EXIT_FAILURE,
	 .interactive = true,
	 .local = true,
	 .run = run_remove},
	{.name = "status",
	 .synopsis = "[IFACE...]",
	 .help = {"what is installed, and which way packets",
		  "leave; without IFACE: of all"},
	 .operands = OPERANDS_ANY,
	 .takes = TAKES_REPORT,
	 .failed = STATUS_UNKNOWN,
	 .interactive = true,
	 .local = true,
	 .run = run_status},
	{.name = "check",
	 .synopsis = "[FILE...]",
	 .help = {"every error and warning in these drop-ins;", "without FILE: in all"},
	 .operands = OPERANDS_FILES,
	 .failed = EXIT_FAILURE,
	 .interactive = true,
	 .offline = true,
	 .run = run_check},
	{.name = "suggest",
	 .synopsis = "IFACE",
	 .help = {"print a drop-in for a link as it stands"},
	 .operands = OPERANDS_ONE,
	 .failed = EXIT_FAILURE,
	 .interactive = true,
	 .run = run_suggest},
	{.name = "guard",
	 .synopsis = "[--wait] IFACE",
	 .help = {"may the tunnel's client connect now?"},
	 .operands = OPERANDS_ONE,
	 .takes = TAKES_WAIT | TAKES_DRY_RUN,
	 .failed = EXIT_FAILURE,
	 .interactive = true,
	 .offline = true,
	 .run = run_guard},
	{.name = "hold",
	 .synopsis = "IFACE",
	 .help = {"count it as down, whatever its link says"},
	 .operands = OPERANDS_ONE,
	 .takes = TAKES_FOR | TAKES_DRY_RUN,
	 .failed = EXIT_FAILURE,
	 .interactive = true,
	 .local = true,
	 .run = run_hold},
	{.name = "release",
	 .synopsis = "IFACE",
	 .help = {"end that"},
	 .operands = OPERANDS_ONE,
	 .takes = TAKES_DRY_RUN,
	 .failed = EXIT_FAILURE,
	 .interactive = true,
	 .local = true,
	 .run = run_release},
	{.name = "watch",
	 .synopsis = "",
	 .help = {"keep the tunnels so while links go up and", "down, until stopped"},
	 .failed = EXIT_FAILURE,
	 .local = true,
	 .run = run_watch},
	{.name = "udev",
	 .synopsis = "",
	 .help = {"handle one event; for the udev rule only"},
	 .takes = TAKES_DRY_RUN,
	 .failed = EXIT_FAILURE,
	 .run = run_udev},
	{.name = NULL},
};

/*
 * A closed stderr's number must not become that of a socket, which a message then hits.
 * What is written there fails, as it would have.
 */
static int hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    openat(AT_FDCWD, "/dev/null", O_RDONLY) != fd)
			return -errno;
	return 0;
}

#define STACK_MAX  (512 * 1024) /* bytes that no verb's stack comes to */
#define STACK_ROOM (STACK_MAX + 65536)

__attribute__((noinline)) static void grow_stack(void)
{
	char stack[STACK_MAX];
	volatile char *const lowest = stack;

	*lowest = 0;
}

/*
 * Before anything else: root may have more than it was given. Returns the limit, which
 * find_low_limit() tells if it is still too low.
 */
static rlim_t raise_stack_limit(void)
{
	struct rlimit limit;
	rlim_t before;

	if (prlimit(0, RLIMIT_STACK, NULL, &limit) < 0)
		return RLIM_INFINITY;
	before = limit.rlim_cur;
	if (before >= 2 * STACK_ROOM)
		return before;
	limit.rlim_cur = 2 * STACK_ROOM;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	return prlimit(0, RLIMIT_STACK, &limit, NULL) < 0 ? before : limit.rlim_cur;
}

static bool is_limited(unsigned resource, size_t needed)
{
	struct rlimit limit;

	return prlimit(0, resource, NULL, &limit) == 0 &&
	       limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < needed;
}

/*
 * Where a limit ends the growing of the stack there is a signal and no error: so it is
 * looked at, or the stack grows, at the start. Returns the limit that is too low, or NULL.
 */
static const char *find_low_limit(rlim_t stack)
{
	/* the program's name is the first that the kernel has put there */
	const size_t used = getauxval(AT_EXECFN) - (uintptr_t)__builtin_frame_address(0);
	void *memory;

	if (stack < used + STACK_ROOM) /* RLIM_INFINITY is the highest */
		return "the stack (RLIMIT_STACK) to 1 MiB";
	if (!is_limited(RLIMIT_AS, RLIM_INFINITY))
		return NULL;
	memory = mmap(NULL, STACK_ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return "the address space (RLIMIT_AS) to 16 MiB";
	munmap(memory, STACK_ROOM);
	grow_stack();
	return NULL;
}

/* The lowest number that is free: if it is that of a standard stream, this was closed. */
static int open_socket(struct rtnl *ret)
{
	int r = rtnl_open(ret, 0);

	if (r < 0 || rtnl_fd(ret) > STDERR_FILENO)
		return r;
	rtnl_close(ret);
	r = hold_standard_streams();
	return r < 0 ? r : rtnl_open(ret, 0);
}

static void tell_low_limit(const char *low)
{
	static const char briefly[] =
		"sixxs-route: no memory for the stack: nothing was done\n";

	/* the log's own needs are more than the least that a program can start with */
	if (!is_limited(RLIMIT_STACK, 65536))
		log_line(
			LOG_ERR,
			"no memory for the stack: nothing was done; raise the limit of %s, see prlimit(1)",
			low);
	else if (write(STDERR_FILENO, briefly, sizeof(briefly) - 1) < 0)
		return; /* nobody hears */
}

/* Does what takes capabilities, then gives up all but one. Returns 0 or -errno (logged). */
static int prepare(const struct verb *verb, struct arguments *arguments,
		   struct rtnl *rtnl)
{
	int r = verb->offline ? 0 : open_socket(rtnl);

	if (r < 0) {
		log_line(
			LOG_ERR,
			"cannot open an rtnetlink socket: %s: nothing was done; is there memory, is the limit of open files too low, or are sockets of AF_NETLINK forbidden here?",
			strerror(-r));
		return r;
	}
	if (!verb->offline)
		namespace_look(&arguments->settings, rtnl_fd(rtnl));
	if (arguments->ping)
		arguments->ping_socket = status_ping_open(arguments->ping);
	r = privilege_drop();
	if (r < 0)
		log_line(
			LOG_ERR,
			"cannot give up all capabilities but CAP_NET_ADMIN: %s: nothing was done; does a sandbox forbid capset(2) or prctl(2)?",
			strerror(-r));
	return r;
}

static int run(const struct verb *verb, struct arguments *arguments)
{
	struct rtnl rtnl = {0};
	int r = prepare(verb, arguments, &rtnl);

	if (r == 0 && verb->local)
		r = namespace_check(&arguments->settings, rtnl_fd(&rtnl));
	if (r == 0)
		r = verb->run(arguments, &rtnl);
	rtnl_close(&rtnl);
	return r < 0 ? verb->failed : r;
}

/*
 * What is done is done, whatever became of the output; but nobody may take for told what
 * was not.
 */
static int check_output(const struct verb *verb, int status)
{
	const int r = fflush(stdout);

	if (status != 0 || verb->run == run_guard) /* its status is all its answer */
		return status;
	if (r != 0)
		log_line(LOG_ERR, "cannot write to standard output: %s", strerror(errno));
	else if (ferror(stdout))
		log_line(LOG_ERR, "standard output lacks some of what was written to it");
	return r != 0 || ferror(stdout) || log_failed() ? verb->failed : status;
}

static void ignore(int signal)
{
	const struct sigaction action = {.sa_handler = SIG_IGN};

	sigaction(signal, &action, NULL);
}

int main(int argc, char *argv[])
{
	struct rehearsal rehearsal = {0};
	struct arguments arguments = {.settings = {.conf_dir = CONF_DIR,
						   .run_dir = RUN_DIR,
						   .rehearsal = &rehearsal},
				      .ping_socket = -1};
	const struct verb *verb;
	const char *low;
	const rlim_t stack = raise_stack_limit();
	int status, r;

	file_set_umask(); /* ip(8) reads the tables' names for everybody */
	ignore(SIGXFSZ);  /* RLIMIT_FSIZE: write(2) says EFBIG, and we say why */
	status = arguments_parse(argc, argv, verbs, &verb, &arguments);
	if (status >= 0)
		return status;
	if (verb->interactive || arguments.verbose || arguments.settings.dry_run)
		ignore(SIGPIPE); /* the work is done, also when nobody reads of it */
	log_open(verb->interactive, arguments.verbose);
	/* an event opens nothing before its socket, which shows the same */
	r = verb->interactive ? hold_standard_streams() : 0;
	if (r < 0) {
		log_line(
			LOG_ERR,
			"cannot open /dev/null in the place of a closed standard stream: %s: nothing was done",
			strerror(-r));
		return verb->failed;
	}
	low = find_low_limit(stack);
	if (low) {
		tell_low_limit(low);
		return verb->failed;
	}
	r = check_output(verb, run(verb, &arguments));
	rehearsal_free(&rehearsal);
	return r;
}
