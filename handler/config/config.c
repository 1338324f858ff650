/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include "config/keys.h"
#include "config/section.h"
#include "lib/cleanup.h"
#include "lib/file.h"
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
	size_t order; /* as that of the next section */
	const char *file;
	char *bytes; /* NULL: not even these */
	size_t size;
};

struct unreads {
	struct unread *unread;
	size_t n;
};

static int say_errno(const struct claims *claims, const char *file, const char *what,
		     int r)
{
	struct diagnostics to =
		diagnostics_in(&claims->diagnostics, claims->diagnostics.dir, file);

	return diagnose_file(&to, r, "%s: %s", what, strerror(-r));
}

/* Returns a descriptor; -ENOENT: there is no such folder; or -errno after a diagnostic. */
static int open_folder(struct claims *claims)
{
	_cleanup_close_ int fd = open(claims->diagnostics.dir,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return say_errno(claims, NULL,
				 "cannot be opened (links are not followed)", -errno);
	r = file_trust_dir(fd, &claims->diagnostics);
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
		return say_errno(claims, NULL, "cannot be listed", -errno);
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
static int find_in_ini(struct claims *claims, const struct ini *ini,
		       struct diagnostics *diagnostics, struct tunnel *ret)
{
	bool found = false;
	int r;

	for (size_t i = 0; i < ini->n_sections && !found; i++)
		found = !strcmp(section_ifname(&ini->section[i]), claims->only_ifname);
	if (!found)
		return 0;
	r = claims_add(claims, ini, diagnostics);
	if (r == 0)
		r = claims_settle(claims);
	if (r < 0)
		return diagnose_file(diagnostics, r, "not read to the end: %s",
				     strerror(-r));
	ret->n = 0;
	snprintf(ret->ifname, sizeof(ret->ifname), "%s", claims->only_ifname);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = claims->claim[i];

		if (strcmp(claim->tunnel.ifname, claims->only_ifname))
			continue;
		if (claim->invalid || ret->n == TUNNEL_SECTIONS_MAX)
			return -EINVAL;
		log_story("%s: section [%s] of %s/%s, line %u", claims->only_ifname,
			  claim->tunnel.label, diagnostics->dir, claim->file,
			  claim->line);
		ret->section[ret->n++] = claim->tunnel;
	}
	return ret->n ? 1 : -EINVAL; /* a name that is looked for can be parsed */
}

static int find_in_file(struct claims *claims, int dirfd, const char *file, bool own,
			struct tunnel *ret)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	_cleanup_free_ char *bytes = NULL;
	struct diagnostics of_file =
		diagnostics_in(&claims->diagnostics, claims->diagnostics.dir, file);
	size_t size;
	int r;

	r = file_read_trusted(dirfd, file, INI_FILE_MAX, &of_file, &bytes, &size);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* thousands of files that do not even mention the name must not cost a parse each
	 */
	if (!own &&
	    !memmem(bytes, size, claims->only_ifname, strlen(claims->only_ifname)))
		return 0;
	r = ini_parse(bytes, size, &of_file, &ini);
	if (r == 0)
		r = find_in_ini(claims, ini, &of_file, ret);
	diagnose_rest(&of_file);
	return r;
}

static int find(struct claims *claims, struct tunnel *ret)
{
	_cleanup_(free_listing) struct listing listing = {0};
	_cleanup_close_ int dirfd = open_folder(claims);
	char own[IFNAMSIZ + sizeof(".conf")];
	int r;

	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	snprintf(own, sizeof(own), "%s.conf", claims->only_ifname);
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

int config_find(const char *dir, const char *ifname, const struct diagnostics *to,
		struct tunnel *ret)
{
	_cleanup_(claims_free) struct claims claims = {
		.diagnostics = diagnostics_in(to, dir, NULL), .only_ifname = ifname};

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
static bool is_unknown(const struct unreads *unreads, const struct claim *claim)
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
	struct diagnostics of_file =
		diagnostics_in(&claims->diagnostics, claims->diagnostics.dir, file);
	struct unread unread = {.order = claims->n + 1, .file = file};
	int r;

	r = file_read_trusted(dirfd, file, INI_FILE_MAX, &of_file, &unread.bytes,
			      &unread.size);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = ini_parse(unread.bytes, unread.size, &of_file, &ini);
	if (r < 0) {
		diagnose_rest(&of_file);
		return add_unread(unreads, unread);
	}
	free(unread.bytes);
	r = claims_add(claims, ini, &of_file);
	diagnose_rest(&of_file);
	return r;
}

/* Compares what was read. Returns 0, or -errno if not all is good. */
static int settle(struct claims *claims, const struct unreads *unreads)
{
	int r = claims_settle(claims);

	if (r < 0)
		return r;
	r = unreads->n ? -EINVAL : 0;
	for (size_t i = 0; i < claims->n; i++) {
		claims->claim[i]->unknown = is_unknown(unreads, claims->claim[i]);
		if (claims->claim[i]->invalid)
			r = -EINVAL;
	}
	return r;
}

int config_read(const char *dir, const struct diagnostics *to, struct claims *ret)
{
	_cleanup_(free_unreads) struct unreads unreads = {0};
	_cleanup_(free_listing) struct listing listing = {0};
	_cleanup_close_ int dirfd = -1;
	int r;

	*ret = (struct claims){.diagnostics = diagnostics_in(to, dir, NULL)};
	dirfd = open_folder(ret);
	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	r = list_dropins(ret, dirfd, &listing);
	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < listing.n; i++)
		r = add_file(ret, &unreads, dirfd, listing.file[i]->d_name);
	if (r == 0)
		r = settle(ret, &unreads);
	return r == -ENOMEM ? say_errno(ret, NULL, "not read to the end", r) : r;
}

int config_each(const char *dir, const struct diagnostics *to, config_each_fn *fn,
		void *data)
{
	_cleanup_(claims_free) struct claims claims = {0};
	const int result = config_read(dir, to, &claims);

	for (size_t i = 0; result != -ENOMEM && i < claims.n; i++) {
		const struct claim *claim = claims.claim[i];
		char path[PATH_MAX];
		int r;

		if (!claim_counts(claim))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, claim->file);
		r = fn(data, &claim->tunnel, path, claim->line);
		if (r < 0)
			return r;
	}
	return result;
}

static int add_path(struct claims *claims, struct unreads *unreads, const char *file)
{
	if (access(file, F_OK) < 0 && errno == ENOENT) {
		const struct unread unread = {.order = claims->n + 1, .file = file};

		struct diagnostics of_file = diagnostics_in(
			&claims->diagnostics, claims->diagnostics.dir, file);

		diagnose_file(&of_file, 0, "there is no such file");
		return add_unread(unreads, unread);
	}
	return add_file(claims, unreads, AT_FDCWD, file);
}

int config_read_files(char *const files[], const struct diagnostics *to,
		      struct claims *ret)
{
	_cleanup_(free_unreads) struct unreads unreads = {0};
	int r = 0;

	*ret = (struct claims){.diagnostics = diagnostics_in(to, NULL, NULL)};
	for (; r == 0 && *files; files++)
		r = add_path(ret, &unreads, *files);
	return r < 0 ? r : settle(ret, &unreads);
}
