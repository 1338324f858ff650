/* SPDX-License-Identifier: MIT */
#include "converge/converge.h"

#include "config/config.h"
#include "config/diagnostic.h"
#include "converge/auto_source.h"
#include "converge/dry_run.h"
#include "converge/execute.h"
#include "converge/messages.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "state/lock.h"
#include "state/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What was found, and what is wanted. */
struct turn {
	const struct settings *settings;
	struct rtnl *rtnl;
	const char *ifname;
	enum aim aim;
	int runfd;        /* -1: there is no run folder (only while rehearsing) */
	struct link link; /* as it is; ifindex 0: none */
	bool going;       /* udev says that it goes: then it counts as gone */
	bool has_section;
	struct tunnel tunnel; /* with has_section */
	struct record record; /* as it was found */
	bool stale;           /* by a run that was cut short */
	struct objects wanted;
	struct name_entry wanted_name; /* number 0: none */
	struct contested *contested;   /* NULL: nobody else's turn can help any more */
};

static void report_record(void *data, unsigned line, const char *text)
{
	const struct turn *turn = data;

	log_line(LOG_ERR, "%s: record %s/tunnel.%s:%u: %s", turn->ifname,
		 turn->settings->run_dir, turn->ifname, line, text);
}

/* advice: ends before "run: sixxs-route apply IFNAME". */
static int fail(const struct turn *turn, int error, const char *what, const char *advice)
{
	log_line(LOG_ERR, "%s: cannot %s: %s: %s run: sixxs-route apply %s", turn->ifname,
		 what, strerror(-error), advice, turn->ifname);
	return error;
}

static const char *advice_on_run(int error)
{
	switch (-error) {
	case ETIMEDOUT:
		return "another sixxs-route has kept its lock for ten seconds: find it by fuser -v on the lock.* in there";
	case EACCES:
		return "run it as root";
	case ENOSPC:
	case EDQUOT:
	case EROFS:
		return "is it full, or read-only?";
	default:
		return "expected a folder that only its owner, root or who runs this, can write to";
	}
}

static int fail_run(const struct turn *turn, int error)
{
	log_line(
		LOG_ERR,
		"%s: cannot make, trust or lock the run folder %s: %s: nothing was changed; %s",
		turn->ifname, turn->settings->run_dir, strerror(-error),
		advice_on_run(error));
	return error;
}

static int find_section(struct turn *turn)
{
	const int r = config_find(turn->settings->conf_dir, turn->ifname,
				  &diagnostics_to_log, &turn->tunnel);

	if (r < 0)
		return fail(
			turn, r, "read its section",
			r == -EINVAL || r == -EPERM || r == -EFBIG
				? "nothing was changed; mend the file as told above, then"
				: "nothing was changed; once that is mended,");
	turn->has_section = r > 0;
	return 0;
}

/* Also the section, if there is a link that it can be for. */
static int find_link(struct turn *turn, uint32_t gone)
{
	int r = rtnl_link(turn->rtnl, turn->ifname, &turn->link);

	if (r < 0)
		return fail(turn, r, "ask the kernel for the link",
			    "nothing was changed; then");
	log_story("%s: the link is %s (ifindex %u)", turn->ifname,
		  !turn->link.ifindex ? "absent"
		  : turn->link.up     ? "up"
				      : "down",
		  turn->link.ifindex);
	turn->going = gone && gone == turn->link.ifindex;
	if (turn->going)
		turn->link.ifindex = 0;
	if (turn->aim == AIM_NOTHING || !turn->link.ifindex)
		return 0;
	return find_section(turn);
}

static int find_wanted(struct turn *turn)
{
	int r;

	if (!turn->has_section)
		return 0;
	r = addresses_as_sources(turn->rtnl, &turn->link, &turn->record.objects,
				 &turn->tunnel);
	if (r == -E2BIG)
		return fail(
			turn, r, "have a rule for each of the link's addresses",
			"nothing was changed; name up to 64 sources in its section, then");
	if (r < 0)
		return fail(turn, r, "ask the kernel for the link's addresses",
			    "nothing was changed; then");
	plan_wanted(&turn->tunnel, &turn->link, &turn->wanted);
	if (turn->tunnel.table_name[0]) {
		turn->wanted_name.number = turn->tunnel.table;
		memcpy(turn->wanted_name.name, turn->tunnel.table_name, LABEL_SIZE);
	}
	return 0;
}

static int find_record(struct turn *turn)
{
	int r;

	if (turn->runfd < 0)
		return 0;
	r = record_read(turn->runfd, turn->ifname, report_record, turn, &turn->record);
	if (turn->settings->mend && (r == -EINVAL || r == -EPERM)) {
		log_line(LOG_WARNING, "%s: its record is damaged and is written anew",
			 turn->ifname);
		record_clear(&turn->record);
		r = 0;
	}
	if (r < 0) {
		log_line(
			LOG_ERR,
			"%s: cannot read its record: %s: nothing was changed; if this stays, run: sixxs-route apply --all",
			turn->ifname, strerror(-r));
		return r;
	}
	log_story(
		"%s: the record has %u objects%s%s", turn->ifname, turn->record.objects.n,
		turn->record.name.number ? " and the name " : "", turn->record.name.name);
	return 0;
}

/* A name is a convenience: what is wrong with it costs the tunnel nothing else. */
static int place_name(const struct turn *turn, struct record *after)
{
	struct name_rival rival;
	char text[EXPLAIN_SIZE];
	int r;

	if (!turn->wanted_name.number)
		return 0;
	r = names_add(turn->runfd, &turn->wanted_name, &rival);
	if (r < 0)
		return fail(turn, r, "name its table",
			    "its routes are not affected; then");
	if (explain_name(&turn->wanted_name, (enum name_verdict)r, &rival, text)) {
		if (turn->contested && rival.ours) {
			turn->contested->rival = rival.entry;
			turn->contested->in_way = true;
		} else
			log_line(LOG_WARNING, "%s: %s", turn->ifname, text);
	}
	if (r == NAME_OURS)
		return 0;
	/* ours may have stood there before another came */
	r = names_drop(turn->runfd, &turn->wanted_name);
	if (r < 0)
		return fail(turn, r, "take its table's name away",
			    "its routes are not affected; then");
	after->name = (struct name_entry){0};
	return 0;
}

static int drop_name(const struct turn *turn)
{
	const struct name_entry *name = &turn->record.name;
	int r;

	if (!name->number || name_equal(name, &turn->wanted_name))
		return 0;
	if (turn->contested && (turn->link.ifindex || turn->stale))
		turn->contested->dropped = *name;
	r = names_drop(turn->runfd, name);
	return r < 0 ? fail(turn, r, "take its table's name away",
			    "its routes are not affected; then")
		     : 0;
}

/* The one line a call. */
static void log_outcome(const struct turn *turn, const struct tally *tally, int r)
{
	const struct link *link = &turn->link;
	char changes[TALLY_SIZE];
	const char *why;

	if (turn->aim == AIM_NOTHING)
		why = "as asked";
	else if (turn->going)
		why = "udev says that the link goes";
	else if (!link->ifindex)
		why = "no such link";
	else if (!turn->has_section)
		why = "no section in conf.d";
	else if (!link->up || tally->pending)
		why = "link down, the route waits for it";
	else
		why = "link up";
	if (tally_format(tally, changes))
		log_line(LOG_INFO, "%s: %s; %s", turn->ifname, changes, why);
	else if (r == 0)
		log_line(turn->settings->person ? LOG_INFO : LOG_DEBUG,
			 "%s: nothing to do; %s", turn->ifname, why);
}

/* Writes down all that may hold from now on, acts, and writes down what does hold. */
static int carry_out(const struct turn *turn, struct tally *tally)
{
	struct record before, after;
	const struct execution execution = {
		.ifname = turn->ifname,
		.recorded = &turn->record.objects,
		.stale = turn->stale,
		.holds = &after.objects,
		.contested = turn->contested ? &turn->contested->objects : NULL,
		.in_way = turn->contested ? &turn->contested->in_way : NULL,
		.tally = tally,
	};
	struct plan plan;
	int r, r_name;

	plan_steps(&turn->record.objects, &turn->wanted, &plan);
	r = plan_union(&turn->record.objects, &turn->wanted, &before.objects);
	if (r < 0)
		return fail(turn, r, "keep so many old and new rules apart",
			    "nothing was changed; after sixxs-route remove,");
	log_story("%s: %u objects are wanted: %u requests in one send", turn->ifname,
		  turn->wanted.n, plan.n);
	r_name = drop_name(turn);
	/* what could not be dropped, the next call drops */
	before.name = r_name < 0 ? turn->record.name : turn->wanted_name;
	before.follows = turn->has_section && turn->tunnel.source_auto;
	if (!record_equal(&before, &turn->record)) {
		r = record_write(turn->runfd, turn->ifname, &before);
		if (r < 0)
			return fail(
				turn, r, "write its record",
				"nothing was changed; is the run folder writable, and not full? then");
	}
	record_copy(&after, &before);
	if (r_name == 0)
		r_name = place_name(turn, &after);
	r = execute(turn->rtnl, &turn->link, &plan, &execution);
	if (r < 0)
		fail(turn, r, "tell the kernel, or hear its answer",
		     "the record keeps all that may be installed;");
	else if (tally->failed)
		r = -EIO;
	if (!record_equal(&after, &before) || record_is_empty(&after)) {
		const int r_record = record_write(turn->runfd, turn->ifname, &after);

		if (r_record < 0)
			return fail(turn, r_record, "write its record",
				    "it names more than is installed; then");
	}
	return r < 0 ? r : r_name;
}

/* How things are, and how they are to be. */
static int look(struct turn *turn, uint32_t gone)
{
	const int r = find_link(turn, gone);

	return r < 0 ? r : find_wanted(turn);
}

static int take_locked(struct turn *turn, uint32_t gone, struct outcome *ret)
{
	struct tally tally = {0};
	int r = find_record(turn);

	/* somebody has undone the tunnel meanwhile */
	if (r == 0 && turn->aim == AIM_RECORDED && record_is_empty(&turn->record))
		return 0;
	if (r == 0)
		r = look(turn, gone);
	if (r == 0)
		r = carry_out(turn, &tally);
	log_outcome(turn, &tally, r);
	if (turn->has_section && (tally.pending || !turn->link.up))
		*ret = (struct outcome){.pending = turn->link.ifindex,
					.wait = turn->tunnel.wait};
	if (turn->has_section)
		ret->limit = turn->tunnel.limit;
	return r;
}

static int rehearse_turn(struct turn *turn, uint32_t gone)
{
	struct plan plan;
	int r = run_open(turn->settings->run_dir, false);

	if (r < 0 && r != -ENOENT)
		return fail_run(turn, r);
	turn->runfd = r < 0 ? -1 : r;
	r = find_record(turn);
	if (r == 0)
		r = look(turn, gone);
	if (r == 0) {
		plan_steps(&turn->record.objects, &turn->wanted, &plan);
		r = rehearse(turn->rtnl, &plan, stdout);
		if (r < 0)
			fail(turn, r, "compare with the kernel",
			     "nothing was changed; then");
	}
	close_fdp(&turn->runfd);
	return r;
}

/* Field by field: most of its size is room that a turn hardly uses. */
static void begin(struct turn *turn, const struct settings *settings, struct rtnl *rtnl,
		  const char *ifname, enum aim aim)
{
	turn->settings = settings;
	turn->rtnl = rtnl;
	turn->ifname = ifname;
	turn->aim = aim;
	turn->runfd = -1;
	turn->link = (struct link){0};
	turn->going = false;
	turn->has_section = false;
	turn->stale = false;
	turn->wanted.n = 0;
	turn->wanted_name = (struct name_entry){0};
	record_clear(&turn->record);
}

int turn_take(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	      enum aim aim, uint32_t gone, struct contested *ret_contested,
	      struct outcome *ret)
{
	struct turn turn;
	int lock, r;

	begin(&turn, settings, rtnl, ifname, aim);
	turn.contested = ret_contested;
	if (ret_contested) {
		ret_contested->in_way = false;
		ret_contested->objects.n = 0;
		ret_contested->rival = (struct name_entry){0};
		ret_contested->dropped = (struct name_entry){0};
	}
	*ret = (struct outcome){0};
	if (settings->dry_run)
		return rehearse_turn(&turn, gone);
	lock = run_enter(settings->run_dir, ifname, true, &turn.runfd, &turn.stale);
	if (lock < 0)
		return fail_run(&turn, lock);
	r = take_locked(&turn, gone, ret);
	record_unlock(turn.runfd, ifname, lock);
	close_fdp(&turn.runfd);
	run_close_up(settings->run_dir);
	return r;
}

int turn_wanted(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
		struct objects *ret)
{
	struct turn turn;
	int r;

	begin(&turn, settings, rtnl, ifname, AIM_SECTION);
	r = look(&turn, 0);
	if (r == 0)
		objects_copy(ret, &turn.wanted);
	return r;
}
