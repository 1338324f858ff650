/* SPDX-License-Identifier: MIT */
#include "cmd/watch.h"

#include "config/config.h"
#include "config/diagnostic.h"
#include "config/keys.h"
#include "converge/converge.h"
#include "converge/messages.h"
#include "lib/cleanup.h"
#include "lib/escape.h"
#include "lib/log.h"
#include "lib/sd_notify.h"
#include "netlink/notify_filter.h"
#include "state/record.h"
#include "watch/affected.h"
#include "watch/backoff.h"
#include "watch/changes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

struct watch {
	const struct settings *settings;
	struct rtnl *rtnl;  /* for converge */
	struct rtnl events; /* notifications only */
	int signals;
	bool stop;
	bool lost; /* not all that happened is known: every tunnel is to be looked at */
	struct news news;
	struct targets targets;
	struct fights fights;
	struct fights failures; /* an ifname of "": every tunnel */
};

/* Once there is a record, "remove" takes it away: then that is the last word. */
static enum goal goal_again(const struct watch *watch, const char *ifname, enum goal goal)
{
	_cleanup_close_ int runfd = run_dir_open(watch->settings->run_dir, false);

	if (goal == GOAL_SECTION && runfd >= 0 && record_exists(runfd, ifname))
		return GOAL_IF_RECORDED;
	return goal;
}

/* It has logged what failed, and the rest must not suffer from it. */
static void converge_one(struct watch *watch, const char *ifname, enum goal goal)
{
	struct outcome outcome;

	if (converge(watch->settings, watch->rtnl, ifname, goal, 0, &outcome) == 0)
		fight_succeeded(&watch->failures, ifname);
	else
		fight_failed(&watch->failures, ifname,
			     (int)goal_again(watch, ifname, goal), rtnl_now_ms());
}

/* The name of the process whose number a port has by custom (netlink(7)), or "". */
static void process_name(uint32_t port, char ret[static 64])
{
	char path[32], name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/comm", port);
	file = fopen(path, "re");
	if (file && !fgets(name, sizeof(name), file))
		name[0] = '\0';
	if (file)
		fclose(file);
	name[strcspn(name, "\n")] = '\0';
	escape(name, ret, 64);
}

static void tell_of_fight(const char *ifname, const struct loss *loss, const char *who)
{
	const struct step step = {.op = STEP_ADD, .object = loss->object};
	const bool networkd = !strcmp(who, "systemd-network");
	char what[OBJECT_COMMAND_STRLEN];

	explain_step(&step, what);
	log_line(
		LOG_WARNING,
		"%s: \"%s\" is undone over and over by netlink port %u (%s%s): from now on it is done again less and less often, in the end every %d s%s",
		ifname, what, loss->port,
		who[0] ? "going by its number, the process "
		       : "no process has that number now",
		who, FIGHT_LONGEST_MS / 1000,
		networkd
			? "; to make systemd-networkd leave it alone, set ManageForeignRoutingPolicyRules=no and ManageForeignRoutes=no in networkd.conf"
			: "");
}

/* No fight: of the kernel, which just says how things are; of one who has the lock. */
static bool is_stranger(const struct loss *loss, char ret_who[static 64])
{
	process_name(loss->port, ret_who);
	return loss->port && strcmp(ret_who, "sixxs-route") != 0;
}

static void answer_loss(struct watch *watch, const struct target *target)
{
	char who[64];

	if (!is_stranger(&target->loss, who)) {
		converge_one(watch, target->ifname, GOAL_IF_RECORDED);
		return;
	}
	switch (fight_blow(&watch->fights, target->ifname, rtnl_now_ms())) {
	case FIGHT_NOW:
		converge_one(watch, target->ifname, GOAL_IF_RECORDED);
		fight_mended(&watch->fights, target->ifname, rtnl_now_ms());
		break;
	case FIGHT_BEGINS:
		tell_of_fight(target->ifname, &target->loss, who);
		break;
	case FIGHT_LATER:
		break;
	}
}

static int take(void *data, const struct nlmsghdr *nlh)
{
	struct watch *watch = data;

	if (watch->news.full)
		watch->lost = true; /* not reached: the kernel sends one at a time */
	else
		news_take(&watch->news, nlh);
	return 0;
}

/* All that is there to be read, or as much as the news hold. */
static int read_news(struct watch *watch)
{
	int r;

	news_clear(&watch->news);
	do {
		r = rtnl_read(&watch->events, MSG_DONTWAIT, take, watch);
		if (r == -ENOBUFS) {
			watch->lost = true;
			r = 0;
		}
		if (watch->lost)
			news_clear(&watch->news);
	} while (r == 0 && !watch->news.full);
	return r == -EAGAIN ? 0 : r;
}

static int answer_news(struct watch *watch)
{
	const int r = read_news(watch);

	if (r < 0) {
		log_line(
			LOG_ERR,
			"watch: cannot read the kernel's notifications: %s: it ends, and routes stay as they are",
			strerror(-r));
		return r;
	}
	watch->lost |= !targets_find(&watch->targets, watch->settings, watch->rtnl,
				     &watch->news);
	for (unsigned i = 0; i < watch->targets.n && !watch->lost; i++) {
		const struct target *target = &watch->targets.target[i];

		if (target->lost)
			answer_loss(watch, target);
		else
			converge_one(watch, target->ifname, GOAL_SECTION);
	}
	return 0;
}

/* What fails again is due later than now: between two rounds there is time for news. */
static void answer_due(struct watch *watch)
{
	const int64_t now = rtnl_now_ms();
	struct fight due;

	while (fight_take_due(&watch->fights, now, &due))
		converge_one(watch, due.ifname, GOAL_IF_RECORDED);
	while (fight_take_due(&watch->failures, now, &due))
		if (due.ifname[0])
			converge_one(watch, due.ifname, (enum goal)due.what);
		else
			watch->lost = true;
}

/* Without signals it could not be stopped: better to be started again. */
static int answer_signals(struct watch *watch)
{
	struct signalfd_siginfo info;
	ssize_t n;

	while ((n = read(watch->signals, &info, sizeof(info))) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGHUP)
			watch->lost = true;
		else
			watch->stop = true;
	if (n >= 0 || errno == EAGAIN || errno == EINTR)
		return 0;
	n = -errno;
	log_line(
		LOG_ERR,
		"watch: cannot read its signals: %m: it ends, and routes stay as they are");
	return (int)n;
}

/* Without anything put off: for ever. */
static int poll_timeout(const struct watch *watch)
{
	const int64_t fight = fight_due(&watch->fights);
	const int64_t failure = fight_due(&watch->failures);
	const int64_t due =
		fight < 0 || (failure >= 0 && failure < fight) ? failure : fight;
	const int64_t left = due - rtnl_now_ms();

	if (due < 0)
		return -1;
	return left > 0 ? (int)left : 0;
}

struct search {
	struct watch *watch;
	int runfd;
};

static int look_at_record(void *data, const char *ifname)
{
	const struct search *search = data;

	if (config_ifname_ok(ifname))
		converge_one(search->watch, ifname, GOAL_SECTION);
	return 0;
}

static int look_at_section(void *data, const struct section *tunnel, const char *file,
			   unsigned line)
{
	const struct search *search = data;

	(void)file, (void)line;
	/* whose record there is has had its look, or is having it now */
	if (search->runfd < 0 || !record_exists(search->runfd, tunnel->ifname))
		converge_one(search->watch, tunnel->ifname, GOAL_SECTION);
	return 0;
}

/* Every tunnel that a record or a section names. */
static void catch_up(struct watch *watch)
{
	_cleanup_close_ int runfd = run_dir_open(watch->settings->run_dir, false);
	struct search search = {.watch = watch, .runfd = runfd};
	int r = runfd == -ENOENT ? 0 : runfd;

	watch->lost = false;
	if (runfd >= 0)
		r = record_each(runfd, look_at_record, &search);
	if (r == 0) {
		fight_succeeded(&watch->failures, "");
		config_each(watch->settings, &diagnostics_to_log, look_at_section,
			    &search);
		return;
	}
	log_line(
		LOG_ERR,
		"cannot read the run folder %s: %s: nothing is done until it is mended; expected a folder that only its owner can write to: see ls -ld",
		watch->settings->run_dir, strerror(-r));
	fight_failed(&watch->failures, "", GOAL_SECTION, rtnl_now_ms());
}

static int run(struct watch *watch)
{
	struct pollfd fds[] = {{.fd = watch->signals, .events = POLLIN},
			       {.fd = rtnl_fd(&watch->events), .events = POLLIN}};
	int r = 0;

	while (r == 0 && !watch->stop) {
		if (watch->lost)
			catch_up(watch);
		if (poll(fds, 2, poll_timeout(watch)) < 0) {
			if (errno == EINTR)
				continue; /* what fds say is of the time before */
			r = -errno;
			log_line(
				LOG_ERR,
				"watch: cannot wait for news: %m: it ends, and routes stay as they are");
			break;
		}
		if (fds[0].revents)
			r = answer_signals(watch);
		if (r == 0 && fds[1].revents)
			r = answer_news(watch);
		answer_due(watch);
	}
	return r;
}

static int begin(struct watch *watch)
{
	sigset_t set;
	int r = rtnl_open(&watch->events, FILTER_GROUPS);

	if (r == 0)
		r = filter_attach(rtnl_fd(&watch->events), rtnl_port(watch->rtnl));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r == 0 && watch->signals < 0)
		r = -errno;
	if (r < 0)
		log_line(
			LOG_ERR,
			"watch: cannot listen to the kernel: %s: is there memory, is the limit of open files too low, or does a sandbox forbid it?",
			strerror(-r));
	return r;
}

int watch(const struct settings *settings, struct rtnl *rtnl)
{
	static struct watch state;
	int r;

	state = (struct watch){.settings = settings, .rtnl = rtnl, .signals = -1};
	r = begin(&state);
	if (r == 0) {
		/* whatever was before the first notification */
		catch_up(&state);
		r = notify("READY=1");
		if (r < 0)
			log_line(
				LOG_ERR,
				"watch: cannot tell systemd by NOTIFY_SOCKET that it is ready: %s: by hand, unset it",
				strerror(-r));
	}
	if (r == 0)
		r = run(&state);
	notify("STOPPING=1");
	rtnl_close(&state.events);
	close_fdp(&state.signals);
	fight_forget(&state.fights);
	fight_forget(&state.failures);
	return r;
}
