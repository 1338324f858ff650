/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include "config/conflicts.h"
#include "config/keys.h"
#include "config/section.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/trusted.h"

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

/* About the folder. Returns R. */
static int say_errno(struct claims *claims, const char *what, int r)
{
	return diagnose_file(&claims->diagnostics, r, "%s: %s", what, strerror(-r));
}

/* Returns a descriptor; -ENOENT: there is no folder, and need not be; or -errno after a
 * diagnostic. */
static int open_folder(const struct settings *settings, struct claims *claims)
{
	_cleanup_close_ int fd = openat(AT_FDCWD, settings->conf_dir,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return settings->conf_dir_typed
			       ? diagnose_file(&claims->diagnostics, -ENOTDIR,
					       "there is no such folder")
			       : -ENOENT;
	if (fd < 0)
		return say_errno(claims, "cannot be opened (links are not followed)",
				 -errno);
	r = trusted_dir(fd, &claims->diagnostics);
	return r < 0 ? r : take_fd(&fd);
}

bool config_is_dropin(const char *name)
{
	return name[0] != '.' && ends_in(name, ".conf");
}

static int is_dropin(const struct dirent *entry)
{
	return config_is_dropin(entry->d_name);
}

static int in_byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int list_dropins(struct claims *claims, int dirfd, struct listing *ret)
{
	int n = scandirat(dirfd, ".", &ret->file, is_dropin, in_byte_order);

	if (n < 0)
		return say_errno(claims, "cannot be listed", -errno);
	ret->n = n;
	return 0;
}

static void free_listing(struct listing *listing)
{
	for (int i = 0; i < listing->n; i++)
		free(listing->file[i]);
	free(listing->file);
}

static bool has_section(const struct ini *ini, const char *ifname)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		if (!strcmp(section_ifname(&ini->section[i]), ifname))
			return true;
	return false;
}

/*
 * Of a file that was read. Where one interface is looked for, only a file that has a
 * section for it counts.
 */
static int add_sections(struct claims *claims, const struct ini *ini, bool own,
			struct diagnostics *to)
{
	const char *ifname = claims->only_ifname;

	if (!ifname && !ini->n_sections)
		diagnose(to, SEVERITY_WARNING, 0, "there is no section in it");
	if (!ifname || has_section(ini, ifname))
		return claims_add(claims, ini, to);
	if (own)
		return diagnose_file(
			to, -EINVAL,
			"there is no section for %s in it; to end a tunnel delete its file, or put a link to /dev/null there",
			ifname);
	return 0;
}

/*
 * Reads one drop-in into the claims. Returns 0; -ENODATA: it is a link to /dev/null; or
 * -errno after a diagnostic.
 */
static int read_file(struct claims *claims, int dirfd, const char *file)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	_cleanup_free_ char *bytes = NULL;
	_cleanup_close_ int fd = -1;
	struct diagnostics to =
		diagnostics_in(&claims->diagnostics, claims->diagnostics.dir, file);
	const char *ifname = claims->only_ifname;
	const bool own = ifname && claims_own_file(file, ifname);
	size_t size;
	int r;

	r = fd = trusted_open_linked(dirfd, file, &to);
	if (r >= 0)
		r = trusted_read_fd(fd, INI_FILE_MAX, &to, &bytes, &size);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* thousands of files that do not even mention the name must not cost a parse each
	 */
	if (ifname && !own && !memmem(bytes, size, ifname, strlen(ifname)))
		return 0;
	r = ini_parse_file(fd, bytes, size, &to, &ini);
	if (r == 0)
		r = add_sections(claims, ini, own, &to);
	diagnose_rest(&to);
	return r;
}

/* The section that was looked for, if its file has been read. 1 with *ret, or as find. */
static int answer(struct claims *claims, struct tunnel *ret)
{
	const int r = conflicts_settle(claims);

	if (r == -ENOMEM)
		return say_errno(claims, "not read to the end", r);
	ret->n = 0;
	strcpy(ret->ifname, claims->only_ifname);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = claims->claim[i];

		if (strcmp(claim->section.ifname, claims->only_ifname))
			continue;
		if (!claim_counts(claim) || ret->n == TUNNEL_SECTIONS_MAX)
			return -EINVAL;
		log_debug("%s: section [%s] of %s/%s, line %u", claims->only_ifname,
			  claim->section.label, claims->diagnostics.dir, claim->file,
			  claim->line);
		ret->section[ret->n++] = claim->section;
	}
	if (ret->n)
		return 1;
	return claims->n ? -EINVAL : 0; /* not reached with any: its name can be parsed */
}

static int find(const struct settings *settings, struct claims *claims,
		struct tunnel *ret)
{
	_cleanup_(free_listing) struct listing listing = {0};
	_cleanup_close_ int dirfd = open_folder(settings, claims);
	char own[IFNAMSIZ + sizeof(".conf")];
	int r, unread = 0;

	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	stpcpy(stpcpy(own, claims->only_ifname), ".conf"); /* keys_ifname_ok */
	r = read_file(claims, dirfd, own);
	if (r == -ENODATA)
		log_debug("%s: %s/%s is a link to /dev/null: no section",
			  claims->only_ifname, settings->conf_dir, own);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	r = claims->n ? 0 : list_dropins(claims, dirfd, &listing);
	if (r < 0)
		return r;
	for (int i = 0; !claims->n && i < listing.n; i++) {
		if (strcmp(listing.file[i]->d_name, own) != 0)
			r = read_file(claims, dirfd, listing.file[i]->d_name);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && r != -ENODATA)
			unread = r;
	}
	return claims->n ? answer(claims, ret) : unread;
}

int config_find(const struct settings *settings, const char *ifname,
		const struct diagnostics *to, struct tunnel *ret)
{
	_cleanup_(claims_free) struct claims claims = {
		.diagnostics = diagnostics_in(to, settings->conf_dir, NULL),
		.only_ifname = ifname};

	return keys_ifname_ok(ifname) ? find(settings, &claims, ret) : 0;
}

/* Returns 0, -EINVAL: not all could be read, or -ENOMEM. */
static int add_file(struct claims *claims, int dirfd, const char *file)
{
	const int r = read_file(claims, dirfd, file);

	if (r == -ENOMEM || r == 0)
		return r;
	if (!claims_add_file(claims, file, r == -ENODATA ? FILE_MASKED : FILE_UNREAD))
		return -ENOMEM;
	return r == -ENODATA ? 0 : -EINVAL;
}

/* Compares what was read. RESULT: what reading it came to. Returns 0, or -errno if not all
 * is good. */
static int settle(struct claims *claims, int result)
{
	int r = result == -ENOMEM ? result : conflicts_settle(claims);

	if (r == -ENOMEM)
		return say_errno(claims, "not read to the end", r);
	for (size_t i = 0; i < claims->n; i++)
		if (claims->claim[i]->invalid)
			r = -EINVAL;
	return r < 0 ? r : result;
}

int config_read(const struct settings *settings, const struct diagnostics *to,
		struct claims *ret)
{
	_cleanup_(free_listing) struct listing listing = {0};
	_cleanup_close_ int dirfd = -1;
	int r, result = 0;

	*ret = (struct claims){.diagnostics =
				       diagnostics_in(to, settings->conf_dir, NULL)};
	dirfd = open_folder(settings, ret);
	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	r = list_dropins(ret, dirfd, &listing);
	if (r < 0)
		return r;
	for (int i = 0; result != -ENOMEM && i < listing.n; i++) {
		r = add_file(ret, dirfd, listing.file[i]->d_name);
		if (r < 0)
			result = r;
	}
	return settle(ret, result);
}

int config_read_files(char *const files[], const struct diagnostics *to,
		      struct claims *ret)
{
	int result = 0;

	*ret = (struct claims){.diagnostics = diagnostics_in(to, NULL, NULL)};
	for (; result != -ENOMEM && *files; files++) {
		struct diagnostics of_file = diagnostics_in(to, NULL, *files);
		int r;

		if (faccessat(AT_FDCWD, *files, F_OK, 0) < 0 && errno == ENOENT)
			r = diagnose_file(&of_file, -EINVAL, "there is no such file");
		else
			r = add_file(ret, AT_FDCWD, *files);
		if (r < 0)
			result = r;
	}
	return settle(ret, result);
}

int config_each(const struct settings *settings, const struct diagnostics *to,
		config_each_fn *fn, void *data)
{
	_cleanup_(claims_free) struct claims claims = {0};
	const int result = config_read(settings, to, &claims);

	for (size_t i = 0; result != -ENOMEM && i < claims.n; i++) {
		const struct claim *claim = claims.claim[i];
		char path[PATH_MAX];
		int r;

		if (!claim_counts(claim))
			continue;
		snprintf(path, sizeof(path), "%s/%s", settings->conf_dir, claim->file);
		r = fn(data, &claim->section, path, claim->line);
		if (r < 0)
			return r;
	}
	return result;
}
