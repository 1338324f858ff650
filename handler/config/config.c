/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include "config/conflicts.h"
#include "config/keys.h"
#include "config/section.h"
#include "lib/cleanup.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The folder's drop-ins in byte order of their names. */
struct listing {
	struct dirent **file;
	int n;
};

/* A drop-in that could not be read: whose sections it holds is not known. */
struct unread {
	size_t order; /* how many sections come before it */
	const char *file;
	char *bytes; /* NULL: not even these */
	size_t size;
};

struct unreads {
	struct unread *unread;
	size_t n;
};

struct place {
	const struct claims *claims;
	const char *file; /* NULL: the folder itself */
};

static void report_ini(void *data, unsigned line, const char *text)
{
	const struct place *place = data;

	claims_report(place->claims, SEVERITY_ERROR, place->file, line, text);
}

static int report_errno(const struct claims *claims, const char *what, int r)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(-r));
	claims_report(claims, SEVERITY_ERROR, NULL, 0, text);
	return r;
}

/* Returns a descriptor; -ENOENT: there is no such folder; or -errno after a report. */
static int open_folder(const struct claims *claims)
{
	struct place place = {.claims = claims};
	_cleanup_close_ int fd =
		open(claims->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return report_errno(claims, "cannot be opened (links are not followed)",
				    -errno);
	r = ini_trust_dir(fd, report_ini, &place);
	return r < 0 ? r : take_fd(&fd);
}

bool config_is_dropin(const char *name)
{
	const size_t size = strlen(name);

	return name[0] != '.' && size > 5 && !strcmp(name + size - 5, ".conf");
}

static int is_dropin(const struct dirent *entry)
{
	return config_is_dropin(entry->d_name);
}

static int in_byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int list_dropins(const struct claims *claims, int dirfd, struct listing *ret)
{
	int n = scandirat(dirfd, ".", &ret->file, is_dropin, in_byte_order);

	if (n < 0)
		return report_errno(claims, "cannot be listed", -errno);
	ret->n = n;
	return 0;
}

static void free_listing(struct listing *listing)
{
	for (int i = 0; i < listing->n; i++)
		free(listing->file[i]);
	free(listing->file);
}

/* 1 with *ret, 0 or -errno as config_find. */
static int find_in_ini(struct claims *claims, const char *file, const struct ini *ini,
		       struct tunnel *ret)
{
	bool found = false;
	int r;

	for (size_t i = 0; i < ini->n_sections && !found; i++)
		found = !strcmp(section_ifname(&ini->section[i]), claims->only);
	if (!found)
		return 0;
	r = claims_add(claims, file, ini);
	if (r == 0)
		r = claims_settle(claims);
	if (r < 0)
		return report_errno(claims, file, r);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = claims->claim[i];

		if (strcmp(claim->tunnel.ifname, claims->only))
			continue;
		if (claim->bad)
			return -EINVAL;
		log_story("%s: section [%s] of %s/%s, line %u", claims->only,
			  claim->tunnel.label, claims->dir, file, claim->line);
		*ret = claim->tunnel;
		return 1;
	}
	return -EINVAL; /* not reached: a name that is looked for can be parsed */
}

static int find_in_file(struct claims *claims, int dirfd, const char *file, bool own,
			struct tunnel *ret)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	_cleanup_free_ char *bytes = NULL;
	struct place place = {.claims = claims, .file = file};
	size_t size;
	int r;

	r = ini_read(dirfd, file, report_ini, &place, &bytes, &size);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* thousands of files that do not even mention the name must not cost a parse each
	 */
	if (!own && !memmem(bytes, size, claims->only, strlen(claims->only)))
		return 0;
	r = ini_parse(bytes, size, report_ini, &place, &ini);
	return r < 0 ? r : find_in_ini(claims, file, ini, ret);
}

static int find(struct claims *claims, struct tunnel *ret)
{
	_cleanup_(free_listing) struct listing listing = {0};
	_cleanup_close_ int dirfd = open_folder(claims);
	char own[IFNAMSIZ + sizeof(".conf")];
	int r;

	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	snprintf(own, sizeof(own), "%s.conf", claims->only);
	r = find_in_file(claims, dirfd, own, true, ret);
	if (r != 0)
		return r;
	r = list_dropins(claims, dirfd, &listing);
	for (int i = 0; r == 0 && i < listing.n; i++)
		if (strcmp(listing.file[i]->d_name, own))
			r = find_in_file(claims, dirfd, listing.file[i]->d_name, false,
					 ret);
	return r;
}

int config_find(const char *dir, const char *ifname, const struct config_reporter *rep,
		struct tunnel *ret)
{
	_cleanup_(claims_free) struct claims claims = {
		.dir = dir, .rep = rep, .only = ifname};

	return config_ifname_ok(ifname) ? find(&claims, ret) : 0;
}

static void free_unreads(struct unreads *unreads)
{
	for (size_t i = 0; i < unreads->n; i++)
		free(unreads->unread[i].bytes);
	free(unreads->unread);
}

/* Takes BYTES over. */
static int add_unread(struct unreads *unreads, struct unread unread)
{
	struct unread *more =
		reallocarray(unreads->unread, unreads->n + 1, sizeof(*unreads->unread));

	if (!more) {
		free(unread.bytes);
		return -ENOMEM;
	}
	unreads->unread = more;
	more[unreads->n++] = unread;
	return 0;
}

/*
 * Whether config_find() would have come upon a drop-in that could not be read before this
 * section: then it is not known whether the section counts.
 */
static bool is_unsure(const struct unreads *unreads, const struct claim *claim)
{
	const char *ifname = claim->tunnel.ifname;

	for (size_t i = 0; !claim->own_file && i < unreads->n; i++) {
		const struct unread *unread = &unreads->unread[i];

		if (claims_own_file(unread->file, ifname))
			return true;
		if (unread->order <= claim->order &&
		    (!unread->bytes ||
		     memmem(unread->bytes, unread->size, ifname, strlen(ifname))))
			return true;
	}
	return false;
}

/* Reads one drop-in into the claims or the unread. Returns 0, or -ENOMEM. */
static int add_file(struct claims *claims, struct unreads *unreads, int dirfd,
		    const char *file)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	struct place place = {.claims = claims, .file = file};
	struct unread unread = {.order = claims->n, .file = file};
	int r;

	r = ini_read(dirfd, file, report_ini, &place, &unread.bytes, &unread.size);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = ini_parse(unread.bytes, unread.size, report_ini, &place, &ini);
	if (r < 0)
		return add_unread(unreads, unread);
	free(unread.bytes);
	return claims_add(claims, file, ini);
}

static int hand_out(const struct claims *claims, const struct unreads *unreads,
		    config_each_fn *fn, void *data)
{
	int failed = unreads->n ? -EINVAL : 0;

	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = claims->claim[i];
		char path[PATH_MAX];
		int r;

		if (claim->bad)
			failed = -EINVAL;
		if (claim->bad || claim->lost || is_unsure(unreads, claim))
			continue;
		claims_path(claims, claim->file, path);
		r = fn(data, &claim->tunnel, path, claim->line);
		if (r < 0)
			return r;
	}
	return failed;
}

int config_each(const char *dir, const struct config_reporter *rep, config_each_fn *fn,
		void *data)
{
	_cleanup_(claims_free) struct claims claims = {.dir = dir, .rep = rep};
	_cleanup_(free_unreads) struct unreads unreads = {0};
	_cleanup_(free_listing) struct listing listing = {0};
	_cleanup_close_ int dirfd = open_folder(&claims);
	int r;

	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	r = list_dropins(&claims, dirfd, &listing);
	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < listing.n; i++)
		r = add_file(&claims, &unreads, dirfd, listing.file[i]->d_name);
	if (r == 0)
		r = claims_settle(&claims);
	if (r < 0)
		return report_errno(&claims, "not read to the end", r);
	return hand_out(&claims, &unreads, fn, data);
}

static int add_path(struct claims *claims, struct unreads *unreads, const char *file)
{
	if (access(file, F_OK) < 0 && errno == ENOENT) {
		const struct unread unread = {.order = claims->n, .file = file};

		claims_report(claims, SEVERITY_ERROR, file, 0, "there is no such file");
		return add_unread(unreads, unread);
	}
	return add_file(claims, unreads, AT_FDCWD, file);
}

int config_each_of(char *const files[], const struct config_reporter *rep,
		   config_each_fn *fn, void *data)
{
	_cleanup_(claims_free) struct claims claims = {.rep = rep};
	_cleanup_(free_unreads) struct unreads unreads = {0};
	int r = 0;

	for (; r == 0 && *files; files++)
		r = add_path(&claims, &unreads, *files);
	if (r == 0)
		r = claims_settle(&claims);
	return r < 0 ? r : hand_out(&claims, &unreads, fn, data);
}
