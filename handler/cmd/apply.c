/* SPDX-License-Identifier: MIT */
#include "cmd/apply.h"

#include "config/config.h"
#include "config/findings.h"
#include "config/keys.h"
#include "converge/converge.h"
#include "converge/seen.h"
#include "converge/sweep.h"
#include "guard/connect_count.h"
#include "host/similar.h"
#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "state/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 5 /* of converge and sweep, while others keep changing things */

/* What is the same for many tunnels is told for the first. */
struct telling {
	struct log_memory told;
	uint32_t shared; /* the table that was asked about last; 0: none yet */
};

static void tell_of_shared(struct rtnl *rtnl, uint32_t table, struct telling *telling)
{
	char text[ASTRAY_STRLEN];
	int r;

	if (table == telling->shared)
		return;
	telling->shared = table;
	r = astray_shared(rtnl, table, false, text);
	if (r > 0 && !log_was_told(&telling->told, text))
		log_line(LOG_WARNING, "%s", text);
	if (r < 0)
		log_line(
			LOG_WARNING,
			"table %u: cannot ask the kernel whether others' routes there take packets of the whole host: %s; see: sixxs-route status",
			table, strerror(-r));
}

static int converge_and_tell(const struct settings *settings, struct rtnl *rtnl,
			     const char *ifname, enum goal goal, struct telling *telling,
			     struct outcome *ret)
{
	struct settings asking = *settings;
	int r;

	asking.ask_way = ASK_ALWAYS;
	r = converge(&asking, rtnl, ifname, goal, 0, ret);
	if (ret->astray[0] && !log_was_told(&telling->told, ret->astray))
		log_line(LOG_WARNING, "%s: %s; see: sixxs-route status", ifname,
			 ret->astray);
	for (unsigned i = 0; i < ret->n_shared; i++)
		tell_of_shared(rtnl, ret->shared[i], telling);
	return r;
}

/* A name that somebody has typed, and that stands for nothing. */
static int refuse_name(const struct settings *settings, struct rtnl *rtnl,
		       const char *ifname)
{
	char text[SIMILAR_SIZE];

	similar_explain(settings, rtnl, ifname, text);
	log_line(LOG_ERR, "%s", text);
	return -ENODEV;
}

/*
 * A section that could not be read has been told of: without a link nothing is to be done,
 * and yet that is no success.
 */
static int apply_one(const struct settings *settings, struct rtnl *rtnl,
		     const char *ifname, enum goal goal, struct telling *telling)
{
	struct outcome outcome;
	const int r = converge_and_tell(settings, rtnl, ifname, goal, telling, &outcome);

	if (r < 0 || goal != GOAL_SECTION)
		return r;
	if (!outcome.known)
		return refuse_name(settings, rtnl, ifname);
	return outcome.unread ? -EINVAL : 0;
}

int apply(const struct settings *settings, struct rtnl *rtnl, char *const ifnames[],
	  enum goal goal)
{
	struct telling telling = {.shared = 0};
	int result = 0;

	/* the lock is one for all: who waited in vain need not try again */
	for (; *ifnames && result != -ETIMEDOUT; ifnames++) {
		const int r = apply_one(settings, rtnl, *ifnames, goal, &telling);

		if (result == 0 || r == -ETIMEDOUT)
			result = r;
	}
	return result;
}

struct names {
	size_t n;
	char (*name)[IFNAMSIZ];
};

static int put_name(struct names *names, const char *ifname)
{
	char(*added)[IFNAMSIZ];

	if (!keys_ifname_ok(ifname))
		return 0; /* a stray file */
	added = array_push(names->name, names->n);
	if (!added)
		return -ENOMEM;
	strcpy(*added, ifname);
	return 0;
}

static int put_section(void *data, const struct section *section, const char *file,
		       unsigned line)
{
	const int r = put_name(data, section->ifname);

	(void)file, (void)line;
	if (r < 0)
		log_line(LOG_ERR,
			 "%s: its section, and all after it, are passed over: %s",
			 section->ifname, strerror(-r));
	return r;
}

static int put_record(void *data, const char *ifname)
{
	return put_name(data, ifname);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Each once, in byte order. */
static void sort_names(struct names *names)
{
	size_t n = 0;

	if (names->n)
		qsort(names->name, names->n, IFNAMSIZ, compare_names);
	for (size_t i = 0; i < names->n; i++)
		if (n == 0 || strcmp(names->name[n - 1], names->name[i]) != 0)
			memmove(names->name[n++], names->name[i], IFNAMSIZ);
	names->n = n;
}

static int collect_records(const struct settings *settings, struct names *names)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, false);

	if (runfd == -ENOENT)
		return 0;
	return runfd < 0 ? runfd : record_each(runfd, put_record, names);
}

/* A turn each; who waits for others' stays in *NAMES. */
static int converge_round(const struct settings *settings, struct rtnl *rtnl,
			  struct names *names, struct telling *telling)
{
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < names->n && result != -ETIMEDOUT; i++) {
		struct outcome outcome; /* known: it was when the names were collected */
		const int r = converge_and_tell(settings, rtnl, names->name[i],
						GOAL_SECTION, telling, &outcome);

		if (r == -EAGAIN && settings->rounds == ROUNDS_MORE)
			memmove(names->name[n++], names->name[i], IFNAMSIZ);
		else if (result == 0 || r == -ETIMEDOUT)
			result = r;
	}
	names->n = n;
	return result;
}

/* Rounds, until nobody waits for a table, or each for another's: that is told. */
static int converge_each(const struct settings *settings, struct rtnl *rtnl,
			 const struct names *names)
{
	struct settings turn = *settings;
	struct telling telling = {.shared = 0};
	struct names waiting = {.n = names->n};
	size_t before = SIZE_MAX;
	int result = 0;

	waiting.name = malloc((names->n + 1) * IFNAMSIZ);
	if (!waiting.name)
		return -ENOMEM;
	if (names->n)
		memcpy(waiting.name, names->name, names->n * IFNAMSIZ);
	while (waiting.n && result != -ETIMEDOUT) {
		int r;

		turn.rounds = waiting.n < before ? ROUNDS_MORE : ROUNDS_OVER;
		before = waiting.n;
		r = converge_round(&turn, rtnl, &waiting, &telling);
		if (result == 0 || r == -ETIMEDOUT)
			result = r;
	}
	free(waiting.name);
	return result;
}

/*
 * A sweep may have hit what a handler was just putting in place: converge then mends it.
 * What belongs to nobody is known only where each tunnel could be looked at.
 */
static int converge_and_sweep(const struct settings *settings, struct rtnl *rtnl,
			      const struct names *names)
{
	int result = converge_each(settings, rtnl, names);

	for (unsigned round = 0; result == 0 && round < ROUNDS_MAX; round++) {
		const int r = sweep(settings, rtnl);

		if (r <= 0 || settings->dry_run)
			return r < 0 ? r : 0;
		result = converge_each(settings, rtnl, names);
	}
	if (result == 0) {
		log_line(
			LOG_ERR,
			"something installs rules or routes with our mark, protocol 166, as fast as they are swept: what belongs to no tunnel is left; find it by ip monitor rule route, then run: sixxs-route apply --all");
		return -EBUSY;
	}
	if (result < 0)
		log_line(
			LOG_WARNING,
			"orphaned rules and routes stay, because of what is told above; mend it, then run: sixxs-route apply --all");
	return result;
}

/* What any record or section names; *ret_config: what config_each said. */
static int collect(const struct settings *settings, struct names *names, int *ret_config)
{
	const int r = collect_records(settings, names);

	if (r < 0) {
		log_line(
			LOG_ERR,
			"cannot read the run folder %s: %s: nothing was done; expected a folder that only its owner can write to: see ls -ld",
			settings->run_dir, run_dir_strerror(r));
		return r;
	}
	*ret_config = config_each(settings, &diagnostics_to_log, put_section, names);
	sort_names(names);
	return 0;
}

int apply_all(const struct settings *settings, struct rtnl *rtnl)
{
	struct settings mending = *settings;
	struct objects seen = {0};
	struct names names = {0};
	int r_config, r = collect(settings, &names, &r_config);

	if (r < 0) {
		free(names.name);
		return r;
	}
	/* without it each tunnel's rules are looked for among all */
	if (seen_read(rtnl, &seen) == 0)
		mending.seen = &seen;
	if (r_config < 0) {
		log_line(
			LOG_WARNING,
			"not all of %s is good: orphaned rules and routes stay; mend what is told above, then run: sixxs-route apply --all",
			settings->conf_dir);
		r = converge_each(&mending, rtnl, &names);
	} else {
		mending.repair = true;
		r = converge_and_sweep(&mending, rtnl, &names);
	}
	objects_free(&seen);
	free(names.name);
	/* best effort: the next event of a tunnel tidies its own */
	if (!settings->dry_run && r != -ETIMEDOUT)
		counter_tidy_all(settings->run_dir);
	return r < 0 ? r : r_config;
}
