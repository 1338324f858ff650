/* SPDX-License-Identifier: MIT */
#include "cmd/systemd_files.h"

#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/iproute2.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX 1048576 /* bytes of a file that are looked at */

struct layer_file {
	char name[NAME_MAX + 1];
	unsigned dir;
};

struct files {
	size_t n;
	struct layer_file *file;
};

int layers_fail(const struct diagnostics *rep, const char *path, int r)
{
	char text[160];

	snprintf(text, sizeof(text), "cannot be read: %s: what it says is not known here",
		 strerror(-r));
	rep->fn(rep->data, SEVERITY_WARNING, path, 0, text);
	return r;
}

int layers_read(const char *path, const struct diagnostics *rep, layers_fn *fn,
		void *data)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	const char *slash = strrchr(path, '/');
	struct stat st;
	size_t size;
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return layers_fail(rep, path, -errno);
	if (!S_ISREG(st.st_mode)) /* a link to /dev/null: it only hides others */
		return -EINVAL;
	size = st.st_size < FILE_MAX ? (size_t)st.st_size : FILE_MAX;
	r = rttables_read(fd, size, &bytes, &size);
	if (r < 0)
		return layers_fail(rep, path, r);
	fn(data, path, slash ? slash + 1 : path, bytes + 1, size - 1);
	return 0;
}

static bool ends_in(const char *name, const char *suffix)
{
	const size_t size = strlen(name), tail = strlen(suffix);

	return size > tail && !strcmp(name + size - tail, suffix);
}

static int put(struct files *files, const char *name, unsigned dir)
{
	struct layer_file *more = grow(files->file, files->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	files->file = more;
	more += files->n++;
	snprintf(more->name, sizeof(more->name), "%s", name);
	more->dir = dir;
	return 0;
}

static int list(const char *dir, unsigned number, const char *suffix,
		const struct diagnostics *rep, struct files *ret)
{
	const struct dirent *entry;
	DIR *folder = opendir(dir);
	int r = 0;

	if (!folder && errno != ENOENT)
		layers_fail(rep, dir, -errno);
	if (!folder)
		return 0;
	while (r == 0 && (errno = 0, entry = readdir(folder)))
		if (entry->d_name[0] != '.' && ends_in(entry->d_name, suffix))
			r = put(ret, entry->d_name, number);
	if (r == 0 && errno)
		layers_fail(rep, dir, -errno);
	closedir(folder);
	return r;
}

static int in_order(const void *a, const void *b)
{
	const struct layer_file *x = a, *y = b;
	const int r = strcmp(x->name, y->name);

	return r ? r : (int)x->dir - (int)y->dir;
}

int layers_each(const char *const dirs[], const char *suffix,
		const struct diagnostics *rep, layers_fn *fn, void *data)
{
	struct files files = {0};
	char path[PATH_MAX];
	int r = 0;

	for (unsigned i = 0; r == 0 && dirs[i]; i++)
		r = list(dirs[i], i, suffix, rep, &files);
	if (files.n)
		qsort(files.file, files.n, sizeof(*files.file), in_order);
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		const struct layer_file *file = &files.file[i];

		if (i && !strcmp(file->name, file[-1].name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dirs[file->dir], file->name);
		layers_read(path, rep, fn, data);
	}
	free(files.file);
	return r;
}
