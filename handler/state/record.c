/* SPDX-License-Identifier: MIT */
#include "state/record.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/ini.h"
#include "state/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The prefixes keep an interface of any name apart from rt_tables and its lock. */
#define RECORD_PREFIX "tunnel."
#define LOCK_PREFIX   "lock."
#define TEMP_PREFIX   "tmp."

#define ENTER_TRIES 1000

#define NAME_STRLEN (LABEL_SIZE + 11) /* "4294967295 NAME" */

/* Not by snprintf(): an event needs ten of these. */
void run_file_name(const char *prefix, const char *ifname, char ret[static RUN_NAME_SIZE])
{
	const size_t head = strlen(prefix);
	const size_t tail = strnlen(ifname, RUN_NAME_SIZE - 1 - head);

	memcpy(ret, prefix, head);
	memcpy(ret + head, ifname, tail);
	ret[head + tail] = '\0';
}

int run_open(const char *run_dir, bool create)
{
	_cleanup_close_ int fd = -1;
	int r;

	/* -ENOENT would be tried again, for ever */
	if (create && mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return errno == ENOENT ? -ENOTDIR : -errno;
	fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	r = file_trust_dir(fd, NULL);
	return r < 0 ? r : take_fd(&fd);
}

void run_close_up(const char *run_dir)
{
	rmdir(run_dir);
}

static void format_name(const struct name_entry *name, char ret[static NAME_STRLEN])
{
	snprintf(ret, NAME_STRLEN, "%u %s", name->number, name->name);
}

static int parse_name(const char *text, struct name_entry *ret)
{
	struct name_entry name = {0};
	char again[NAME_STRLEN];

	/* width is LABEL_SIZE - 1 */
	if (sscanf(text, "%u %63s", &name.number, name.name) != 2 || !name.number ||
	    !name_ok(name.name))
		return -EINVAL;
	format_name(&name, again);
	if (strcmp(again, text) != 0)
		return -EINVAL;
	*ret = name;
	return 0;
}

/* "object12" */
static bool is_object_key(const char *name)
{
	const size_t size = strlen("object");

	return !strncmp(name, "object", size) && name[size] &&
	       !name[size + strspn(name + size, "0123456789")];
}

/* One "key = value" of a record into RET; anything unknown is damage. */
static int read_key(const struct ini_key *key, struct record *ret)
{
	struct object object;

	if (!strcmp(key->name, "name"))
		return parse_name(key->value, &ret->name);
	if (!strcmp(key->name, "source")) {
		ret->follows = true;
		return strcmp(key->value, "auto") ? -EINVAL : 0;
	}
	if (!is_object_key(key->name) || object_parse(key->value, &object) < 0)
		return -EINVAL;
	return objects_put(&ret->objects, &object);
}

static int read_section(const struct ini *ini, const char *ifname, ini_report_fn *report,
			void *data, struct record *ret)
{
	const struct ini_section *section = ini->section;

	if (ini->n_sections != 1 || strcmp(section->name, ifname) != 0) {
		report(data, 0, "expected one section, named as the interface");
		return -EINVAL;
	}
	for (size_t i = 0; i < section->n_keys; i++)
		if (read_key(&section->key[i], ret) < 0) {
			report(data, section->key[i].line, "not a line of a record");
			return -EINVAL;
		}
	return 1;
}

void ini_report_nothing(void *data, unsigned line, const char *text)
{
	(void)data, (void)line, (void)text;
}

struct relay {
	ini_report_fn *report;
	void *data;
};

static void pass_on(void *data, enum severity severity, const char *file, unsigned line,
		    const char *text)
{
	const struct relay *relay = data;

	(void)severity, (void)file;
	relay->report(relay->data, line, text);
}

int record_read(int runfd, const char *ifname, ini_report_fn *report, void *data,
		struct record *ret)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	struct relay relay = {.report = report, .data = data};
	struct diagnostics diagnostics = {.fn = pass_on, .data = &relay};
	char name[RUN_NAME_SIZE];
	int r;

	record_clear(ret);
	run_file_name(RECORD_PREFIX, ifname, name);
	r = ini_load(runfd, name, &diagnostics, &ini);
	if (r < 0)
		return r == -ENOENT ? 0 : r == -EFBIG ? -EINVAL : r;
	return read_section(ini, ifname, report, data, ret);
}

static int write_text(FILE *file, const char *ifname, const struct record *record)
{
	char text[OBJECT_STRLEN];

	fprintf(file,
		"# What sixxs-route may have installed for %s. Do not edit.\n[%s]\n",
		ifname, ifname);
	if (record->follows)
		fputs("source = auto\n", file);
	if (record->name.number) {
		format_name(&record->name, text);
		fprintf(file, "name = %s\n", text);
	}
	for (unsigned i = 0; i < record->objects.n; i++) {
		object_format(&record->objects.object[i], text);
		fprintf(file, "object%u = %s\n", i, text);
	}
	return ferror(file) ? -EIO : 0;
}

static int write_file(int runfd, const char *name, const char *bytes, size_t size)
{
	_cleanup_close_ int fd = -1;

	fd = openat(runfd, name,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return -errno;
	while (size) {
		const ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		size -= (size_t)n;
	}
	return close(take_fd(&fd)) < 0 ? -errno : 0;
}

int run_replace(int runfd, const char *prefix, const char *ifname, const char *bytes,
		size_t size)
{
	char name[RUN_NAME_SIZE], temp[RUN_NAME_SIZE];
	int r;

	run_file_name(prefix, ifname, name);
	run_file_name(TEMP_PREFIX, ifname, temp);
	r = write_file(runfd, temp, bytes, size);
	if (r == 0 && renameat(runfd, temp, runfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(runfd, temp, 0);
	return r;
}

static int unlink_file(int runfd, const char *prefix, const char *ifname)
{
	char name[RUN_NAME_SIZE];

	run_file_name(prefix, ifname, name);
	return unlinkat(runfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int record_write(int runfd, const char *ifname, const struct record *record)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0;
	FILE *file;
	int r;

	if (record_is_empty(record)) {
		r = unlink_file(runfd, TEMP_PREFIX, ifname);
		return r < 0 ? r : unlink_file(runfd, RECORD_PREFIX, ifname);
	}
	file = open_memstream(&bytes, &size);
	if (!file)
		return -errno;
	r = write_text(file, ifname, record);
	if (fclose(file) != 0 && r == 0)
		r = -errno;
	if (r == 0 && !bytes) /* glibc's fclose() says nothing of it */
		r = -ENOMEM;
	if (r == 0 && size > INI_FILE_MAX)
		r = -E2BIG; /* it could not be read again */
	return r < 0 ? r : run_replace(runfd, RECORD_PREFIX, ifname, bytes, size);
}

void record_clear(struct record *ret)
{
	ret->name = (struct name_entry){0};
	ret->follows = false;
	ret->objects.n = 0;
}

void record_copy(struct record *ret, const struct record *from)
{
	ret->name = from->name;
	ret->follows = from->follows;
	objects_copy(&ret->objects, &from->objects);
}

bool record_is_empty(const struct record *record)
{
	return !record->name.number && !record->follows && !record->objects.n;
}

bool record_equal(const struct record *a, const struct record *b)
{
	if (!name_equal(&a->name, &b->name) || a->follows != b->follows ||
	    a->objects.n != b->objects.n)
		return false;
	for (unsigned i = 0; i < a->objects.n; i++)
		if (!objects_have(&b->objects, &a->objects.object[i]))
			return false;
	return true;
}

static bool file_exists(int runfd, const char *prefix, const char *ifname)
{
	char name[RUN_NAME_SIZE];

	run_file_name(prefix, ifname, name);
	return faccessat(runfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

bool record_exists(int runfd, const char *ifname)
{
	/* in this order: a record is written under the lock, and stays */
	return file_exists(runfd, LOCK_PREFIX, ifname) ||
	       file_exists(runfd, RECORD_PREFIX, ifname);
}

int record_lock(int runfd, const char *ifname, bool *ret_stale)
{
	char name[RUN_NAME_SIZE];
	int lock;

	run_file_name(LOCK_PREFIX, ifname, name);
	lock = lock_take(runfd, name, ret_stale);
	if (lock >= 0) {
		run_file_name(TEMP_PREFIX, ifname, name);
		unlinkat(runfd, name, 0); /* a kill may have left one */
	}
	return lock;
}

void record_unlock(int runfd, const char *ifname, int lock)
{
	char name[RUN_NAME_SIZE];

	run_file_name(LOCK_PREFIX, ifname, name);
	lock_drop(runfd, name, lock);
}

int run_enter(const char *run_dir, const char *ifname, bool create, int *ret_runfd,
	      bool *ret_stale)
{
	for (unsigned tries = 1;; tries++) {
		_cleanup_close_ int runfd = run_open(run_dir, create);
		const int r = runfd < 0 ? runfd : record_lock(runfd, ifname, ret_stale);

		if (r >= 0)
			*ret_runfd = take_fd(&runfd);
		/* another tunnel's end may have removed it, just now; not for ever */
		if (r != -ENOENT || tries == ENTER_TRIES || (!create && runfd < 0))
			return r;
	}
}

/* The interface that a file of the run folder is about, or NULL. */
static const char *file_ifname(const char *name, const char *const prefixes[])
{
	for (; *prefixes; prefixes++)
		if (!strncmp(name, *prefixes, strlen(*prefixes)))
			return name + strlen(*prefixes);
	return NULL;
}

int run_each(int runfd, const char *const prefixes[], record_each_fn *fn, void *data)
{
	_cleanup_close_ int fd = openat(runfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	fd = -1; /* the stream's now */
	while (r >= 0 && (errno = 0, entry = readdir(dir))) {
		const char *ifname = file_ifname(entry->d_name, prefixes);

		if (ifname)
			r = fn(data, ifname);
	}
	if (r >= 0)
		r = -errno;
	closedir(dir);
	return r < 0 ? r : 0;
}

int record_each(int runfd, record_each_fn *fn, void *data)
{
	static const char *const prefixes[] = {RECORD_PREFIX, LOCK_PREFIX, TEMP_PREFIX,
					       NULL};

	return run_each(runfd, prefixes, fn, data);
}
