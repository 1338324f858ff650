/* SPDX-License-Identifier: MIT */
#include "lib/iproute2.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_SIZE 512       /* iproute2's buffer */
#define FILE_MAX  (1 << 20) /* bytes of a file that are looked at */
#define FOLDER    "/rt_tables.d"
#define OUR_LINK  "sixxs-route.conf"

const char *iproute2_root = "";

/* A distribution has one of the latter two, according to its iproute2's age. */
static const char *const dirs[] = {"/etc/iproute2", "/usr/share/iproute2",
				   "/usr/lib/iproute2"};
#define N_DIRS (sizeof(dirs) / sizeof(dirs[0]))

/* known to iproute2 without any file */
static const struct {
	uint32_t number;
	const char *name;
} built_in[] = {{0, "unspec"}, {253, "default"}, {254, "main"}, {255, "local"}};

/* "200 name", as nearly all lines are: for what is left to sscanf() it is slow. */
static bool parse_plain(const char *line, unsigned *ret_number,
			char ret[static LINE_SIZE])
{
	static const char blanks[] = " \t\n\v\f\r";
	const char *c = line;
	unsigned number = 0;
	size_t size;

	if (*c < '0' || *c > '9' || (*c == '0' && c[1] == 'x'))
		return false;
	for (; *c >= '0' && *c <= '9'; c++)
		number = number * 10 + (unsigned)(*c - '0');
	if (c - line > 9)
		return false;
	c += strspn(c, blanks);
	size = strcspn(c, blanks);
	if (!size)
		return false;
	memcpy(ret, c, size);
	ret[size] = '\0';
	*ret_number = number;
	return true;
}

/* One turn of fread_id_name(). Returns false where iproute2 gives the file up. */
static bool parse_line(const char *line, iproute2_fn *fn, void *data)
{
	char name[LINE_SIZE];
	unsigned number;
	int decimal;

	line += strspn(line, " \t");
	if (*line == '#' || *line == '\n' || !*line)
		return true;
	if (parse_plain(line, &number, name)) {
		fn(data, number, name);
		return true;
	}
	if (sscanf(line, "0x%x %511s", &number, name) != 2) {
		if (sscanf(line, "%d %511s", &decimal, name) != 2)
			return false;
		number = (unsigned)decimal;
	}
	if (number <= INT_MAX) /* it reads both into an int, and skips what is negative */
		fn(data, number, name);
	return true;
}

void iproute2_parse(const char *bytes, size_t size, iproute2_fn *fn, void *data)
{
	const char *const end = bytes + size;
	bool good = true;

	/* fgets() cuts lines at its buffer, and what is behind a NUL is not seen */
	while (good && bytes < end) {
		char line[LINE_SIZE];
		size_t length = (size_t)(end - bytes);
		const char *newline;

		if (length > sizeof(line) - 1)
			length = sizeof(line) - 1;
		newline = memchr(bytes, '\n', length);
		if (newline)
			length = (size_t)(newline - bytes) + 1;
		memcpy(line, bytes, length);
		line[length] = '\0';
		bytes += length;
		good = parse_line(line, fn, data);
	}
}

struct reading {
	iproute2_fn *fn;
	void *data;
	int error;    /* -errno of the first that is there and could not be read; or 0 */
	char *unread; /* where its path goes, PATH_MAX bytes; NULL: nobody asks */
};

/* One that is not there, or is no file, was none to read. */
static void keep_error(struct reading *reading, const char *path, int r)
{
	if (r >= 0 || r == -ENOENT || r == -EINVAL || r == -ENXIO || reading->error)
		return;
	reading->error = r;
	if (reading->unread)
		stpcpy(reading->unread, path);
}

/* Returns 0 or -errno: only one that is not there lets iproute2 look elsewhere. */
static int each_in_file(struct reading *reading, const char *path)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	const int r = file_read(path, FILE_MAX, &bytes, &size);

	if (r == 0)
		iproute2_parse(bytes, size, reading->fn, reading->data);
	keep_error(reading, path, r);
	return r;
}

static bool is_read(const char *name)
{
	return name[0] != '.' && ends_in(name, ".conf") && strcmp(name, OUR_LINK);
}

/* NAME: of at most NAME_MAX bytes. iproute2_root is short. */
static void make_path(size_t dir, const char *tail, const char *name,
		      char ret[static PATH_MAX])
{
	stpcpy(stpcpy(stpcpy(stpcpy(ret, iproute2_root), dirs[dir]), tail), name);
}

/* A file in /etc hides those of its name elsewhere. */
static bool is_hidden(struct reading *reading, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	make_path(0, FOLDER "/", name, path);
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	keep_error(reading, path, -errno);
	return false;
}

static void each_in_folder(struct reading *reading, size_t dir)
{
	_Alignas(struct dirent64) char entries[4096];
	_cleanup_close_ int folder = -1;
	char path[PATH_MAX];
	ssize_t size;

	make_path(dir, FOLDER, "", path);
	folder = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		/* what is no folder there iproute2 passes over */
		keep_error(reading, path, -errno);
		return;
	}
	/* readdir() costs an event 5,000 instructions more */
	while ((size = getdents64(folder, entries, sizeof(entries))) > 0)
		for (ssize_t at = 0; at < size;) {
			const struct dirent64 *entry =
				(const struct dirent64 *)(entries + at);

			at += entry->d_reclen;
			if (!is_read(entry->d_name) ||
			    (dir && is_hidden(reading, entry->d_name)))
				continue;
			make_path(dir, FOLDER "/", entry->d_name, path);
			each_in_file(reading, path);
		}
	if (size < 0) {
		make_path(dir, FOLDER, "", path);
		keep_error(reading, path, -errno);
	}
}

static int read_all(struct reading *reading)
{
	char path[PATH_MAX];
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		reading->fn(reading->data, built_in[i].number, built_in[i].name);
	for (size_t dir = 0; r == -ENOENT && dir < N_DIRS; dir++) {
		make_path(dir, "/rt_tables", "", path);
		r = each_in_file(reading, path);
	}
	for (size_t dir = N_DIRS; dir-- > 0;)
		each_in_folder(reading, dir);
	return reading->error;
}

int iproute2_each(iproute2_fn *fn, void *data)
{
	return read_all(&(struct reading){.fn = fn, .data = data});
}

static void pass_over(void *data, uint32_t number, const char *name)
{
	(void)data, (void)number, (void)name;
}

int iproute2_find_unread(char ret[static PATH_MAX])
{
	return read_all(&(struct reading){.fn = pass_over, .unread = ret});
}

bool iproute2_reads_ours(void)
{
	char path[PATH_MAX];
	struct stat st;

	for (size_t dir = 0; dir < N_DIRS; dir++) {
		make_path(dir, FOLDER "/", OUR_LINK, path);
		if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		    (errno != ENOENT && errno != ENOTDIR))
			return true;
	}
	return false;
}

struct number_search {
	const char *name;
	bool found;
	uint32_t number;
};

bool iproute2_name_ok(const char *name)
{
	/* ip-route(8): tables that are the kernel's, and what is no table */
	static const char *const words[] = {"unspec", "default", "main",
					    "local",  "all",     "cache"};
	const size_t size = name_span(name);

	if (!size || size >= TABLE_NAME_SIZE || name[size] ||
	    strchr("0123456789_.-", name[0]))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(name, words[i]))
			return false;
	return true;
}

/* iproute2 looks through 256 buckets from the first, and in each from the last entry. */
static void match_name(void *data, uint32_t number, const char *name)
{
	struct number_search *search = data;

	if (strcmp(name, search->name))
		return;
	if (!search->found || (number & 255) <= (search->number & 255))
		search->number = number;
	search->found = true;
}

int iproute2_number(const char *name, uint32_t *ret)
{
	struct number_search search = {.name = name};
	int r;

	r = iproute2_each(match_name, &search);
	if (!search.found)
		return r < 0 ? r : -ENOENT;
	*ret = search.number;
	return 0;
}
