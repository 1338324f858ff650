/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include "apply.h"
#include "cleanup.h"
#include "config.h"
#include "explain.h"
#include "fight.h"
#include "filter.h"
#include "log.h"
#include "news.h"
#include "notify.h"
#include "record.h"

#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#define TARGETS_MAX (3 * NEWS_MAX)

/* A tunnel to be converged. */
struct target {
	char ifname[IFNAMSIZ];
	const struct deletion *deletion; /* the reason; NULL: another */
};

struct watch {
	const struct settings *settings;
	struct rtnl *rtnl;  /* for converge */
	struct rtnl events; /* notifications only */
	int signals;
	bool stop;
	bool lost; /* not all that happened is known: every tunnel is to be looked at */
	struct news news;
	unsigned n_targets;
	struct target target[TARGETS_MAX];
	struct fights fights;
};

static void converge_one(struct watch *watch, const char *ifname, enum aim aim)
{
	struct outcome outcome;

	/* it has logged what failed, and the rest must not suffer from it */
	converge(watch->settings, watch->rtnl, ifname, aim, 0, &outcome);
}

static void put_target(struct watch *watch, const char *ifname,
		       const struct deletion *deletion)
{
	struct target *target = watch->target;

	for (unsigned i = 0; i < watch->n_targets; i++, target++)
		if (!strcmp(target->ifname, ifname)) {
			if (!deletion)
				target->deletion = NULL;
			return;
		}
	if (watch->n_targets == TARGETS_MAX) {
		watch->lost = true;
		return;
	}
	snprintf(target->ifname, sizeof(target->ifname), "%s", ifname);
	target->deletion = deletion;
	watch->n_targets++;
}

static bool has_drop_in(const struct watch *watch, const char *ifname)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.conf", watch->settings->conf_dir, ifname);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

/*
 * Cheap, as any link may be meant. What has neither a record nor a drop-in of its own
 * name is no tunnel, or its handler has not looked at the link yet, and will.
 */
static void put_if_tunnel(struct watch *watch, int runfd, const char *ifname)
{
	if (config_ifname_ok(ifname) &&
	    ((runfd >= 0 && record_exists(runfd, ifname)) || has_drop_in(watch, ifname)))
		put_target(watch, ifname, NULL);
}

static void put_address(struct watch *watch, int runfd, uint32_t ifindex)
{
	struct link link;
	const int r = rtnl_link_at(watch->rtnl, ifindex, &link);

	if (r < 0)
		watch->lost = true;
	else if (link.ifindex)
		put_if_tunnel(watch, runfd, link.ifname);
}

struct search {
	struct watch *watch;
	int runfd;
};

static void ignore_report(void *data, unsigned line, const char *text)
{
	(void)data, (void)line, (void)text;
}

/* A record that cannot be read may be the one: converge complains about it. */
static int put_owner(void *data, const char *ifname)
{
	const struct search *search = data;
	const struct news *news = &search->watch->news;
	struct record record;
	int r;

	if (!config_ifname_ok(ifname))
		return 0; /* a stray file */
	r = record_read(search->runfd, ifname, ignore_report, NULL, &record);
	for (unsigned i = 0; r != 0 && i < news->n_deletions; i++)
		if (r < 0 || objects_have(&record.objects, &news->deletion[i].object)) {
			put_target(search->watch, ifname, &news->deletion[i]);
			break;
		}
	return 0;
}

/* Which tunnels the news are about. */
static void find_targets(struct watch *watch)
{
	const struct news *news = &watch->news;
	_cleanup_close_ int runfd = run_open(watch->settings->run_dir, false);
	struct search search = {.watch = watch, .runfd = runfd};

	watch->n_targets = 0;
	if (runfd < 0 && runfd != -ENOENT)
		watch->lost = true; /* whose the news are is not known */
	for (unsigned i = 0; i < news->n_links; i++)
		put_if_tunnel(watch, runfd, news->link[i]);
	for (unsigned i = 0; i < news->n_addresses; i++)
		put_address(watch, runfd, news->address[i]);
	if (news->n_deletions && runfd >= 0 && record_each(runfd, put_owner, &search) < 0)
		watch->lost = true;
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
	log_escape(name, ret, 64);
}

static void tell_of_fight(const char *ifname, const struct deletion *deletion,
			  const char *who)
{
	const struct step step = {.op = STEP_ADD, .object = deletion->object};
	const bool networkd = !strcmp(who, "systemd-network");
	char what[OBJECT_STRLEN];

	explain_step(&step, what);
	log_line(
		LOG_WARNING,
		"%s: \"%s\" is undone over and over by netlink port %u (%s%s): from now on it is done again less and less often, in the end every %d s%s",
		ifname, what, deletion->port,
		who[0] ? "going by its number, the process "
		       : "no process has that number now",
		who, FIGHT_LONGEST_MS / 1000,
		networkd
			? "; to make systemd-networkd leave it alone, set ManageForeignRoutingPolicyRules=no and ManageForeignRoutes=no in networkd.conf"
			: "");
}

static void answer_deletion(struct watch *watch, const struct target *target)
{
	char who[64];

	process_name(target->deletion->port, who);
	if (!strcmp(who, "sixxs-route")) { /* at work under the same lock: no fight */
		converge_one(watch, target->ifname, AIM_RECORDED);
		return;
	}
	switch (fight_blow(&watch->fights, target->ifname, rtnl_now_ms())) {
	case FIGHT_NOW:
		converge_one(watch, target->ifname, AIM_RECORDED);
		fight_mended(&watch->fights, target->ifname, rtnl_now_ms());
		break;
	case FIGHT_BEGINS:
		tell_of_fight(target->ifname, target->deletion, who);
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
		r = rtnl_drain(&watch->events, take, watch);
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
	find_targets(watch);
	for (unsigned i = 0; i < watch->n_targets && !watch->lost; i++)
		if (watch->target[i].deletion)
			answer_deletion(watch, &watch->target[i]);
		else
			converge_one(watch, watch->target[i].ifname, AIM_SECTION);
	return 0;
}

static void answer_due(struct watch *watch)
{
	const char *ifname;

	while ((ifname = fight_take_due(&watch->fights, rtnl_now_ms())))
		converge_one(watch, ifname, AIM_RECORDED);
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
	const int64_t due = fight_due(&watch->fights);
	const int64_t left = due - rtnl_now_ms();

	if (due < 0)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* What failed has been logged; the others are as they should be. */
static void catch_up(struct watch *watch)
{
	watch->lost = false;
	apply_known(watch->settings, watch->rtnl);
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
	return r;
}
