/* SPDX-License-Identifier: MIT */
/* Which files are read, and by which way; and how one is replaced. */
#include "scratch.h"

#include "lib/file.h"
#include "lib/trusted.h"

#include <stdbool.h>

#define OTHERS                                                                       \
	"a symbolic link is not followed where others can write to a folder on its " \
	"way, or own it\n"

static void report(void *data, enum severity severity, const char *file, unsigned line,
		   const char *text)
{
	(void)file;
	assert_int_equal(severity, SEVERITY_ERROR);
	report_text(data, line, text);
}

/* Reads NAME with or without following links; returns what is in it, or NULL with *ret_r. */
static const char *content(const char *name, bool linked, int *ret_r)
{
	static char text[256];
	struct diagnostics to = {.fn = report};
	int dirfd = scratch_open();
	char *bytes = NULL;
	size_t size = 0;

	reported[0] = '\0';
	*ret_r = linked ? trusted_read_linked(dirfd, name, 100, &to, &bytes, &size)
			: trusted_read(dirfd, name, 100, &to, &bytes, &size);
	close(dirfd);
	if (*ret_r < 0)
		return NULL;
	assert_int_equal(strlen(bytes), size);
	strcpy(text, bytes);
	free(bytes);
	return text;
}

static void reads(const char *name, const char *expected)
{
	int r;

	assert_string_equal(content(name, true, &r), expected);
	assert_string_equal(reported, "");
}

static void refuses(const char *name, int expected, const char *text)
{
	int r;

	assert_null(content(name, true, &r));
	assert_int_equal(r, expected);
	assert_string_equal(reported, text);
}

static void link_to(const char *target, const char *name)
{
	assert_int_equal(symlink(target, scratch_path(name)), 0);
}

static void test_links(void **state)
{
	int r;

	(void)state;
	scratch_mkdir("a/b");
	scratch_write("a/b/file", "text");
	scratch_write("file", "other");
	link_to("file", "one");
	link_to("one", "two");
	link_to("a/b/file", "deep");
	link_to("a//./b/../b/file", "odd");
	link_to("../../two", "a/b/up");
	link_to("a/b/up", "back");
	link_to("b", "a/folder");
	link_to("a/folder/file", "through");
	reads("one", "other");
	reads("two", "other");
	reads("deep", "text");
	reads("odd", "text");
	reads("back", "other");
	reads("through", "text");
	assert_null(content("one", false, &r));
	assert_int_equal(r, -EPERM);
	assert_string_equal(reported, "0: a symbolic link is not followed\n");
}

static void test_links_to_nothing(void **state)
{
	char path[PATH_MAX];
	int r;

	(void)state;
	assert_null(content("absent", true, &r));
	assert_int_equal(r, -ENOENT);
	assert_string_equal(reported, "");
	link_to("absent", "dangling");
	link_to("absent/file", "lost");
	link_to("loop", "loop");
	link_to(".", "folder");
	scratch_write("file", "other");
	link_to("file/file", "none");
	refuses("dangling", -EPERM,
		"0: a symbolic link that leads to no file: No such "
		"file or directory\n");
	refuses("lost", -EPERM,
		"0: a symbolic link that leads to no file: No such file or directory\n");
	refuses("loop", -ELOOP,
		"0: a symbolic link that leads to no file: Too many "
		"levels of symbolic links\n");
	refuses("folder", -EPERM, "0: not a regular file\n");
	refuses("none", -ENOTDIR,
		"0: a symbolic link that leads to no file: Not a directory\n");
	/* that this is so is no error */
	link_to("/dev/null", "masked");
	refuses("masked", -ENODATA, "");
	link_to("masked", "too");
	refuses("too", -ENODATA, "");
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	link_to(path + sizeof(path) - 300, "long");
	refuses("long", -ENAMETOOLONG,
		"0: a symbolic link that leads to no file: File name too long\n");
}

/* Each folder on the way counts, and the file itself. */
static void test_links_and_trust(void **state)
{
	char path[PATH_MAX + 64];

	(void)state;
	scratch_mkdir("a/b");
	scratch_write("a/b/file", "text");
	link_to("a/b/file", "link");
	link_to("a/b/../b/file", "twice");
	assert_int_equal(chmod(scratch_path("a/b"), 0775), 0);
	refuses("link", -EPERM, "0: " OTHERS);
	assert_int_equal(chmod(scratch_path("a/b"), 0755), 0);
	assert_int_equal(chmod(scratch_path("a"), 01777), 0);
	refuses("link", -EPERM, "0: " OTHERS);
	refuses("twice", -EPERM, "0: " OTHERS);
	assert_int_equal(chmod(scratch_path("a"), 0755), 0);
	reads("link", "text");
	assert_int_equal(chmod(scratch_path("a/b/file"), 0664), 0);
	refuses("link", -EPERM,
		"0: mode 0664: group and others must not be able to write\n");
	assert_int_equal(chmod(scratch_path("a/b/file"), 0644), 0);
	/* through a folder such as /tmp, where this one is */
	snprintf(path, sizeof(path), "%s/a/b/file", scratch);
	link_to(path, "absolute");
	if (!strncmp(path, "/tmp/", 5))
		refuses("absolute", -EPERM, "0: " OTHERS);
	if (geteuid() == 0) {
		assert_int_equal(chown(scratch_path("a"), 65534, 65534), 0);
		refuses("link", -EPERM, "0: " OTHERS);
		assert_int_equal(chown(scratch_path("a"), 0, 0), 0);
		assert_int_equal(chown(scratch_path("a/b/file"), 65534, 65534), 0);
		refuses("link", -EPERM,
			"0: owned by uid 65534: expected root or who runs this "
			"program\n");
	}
}

static int replace(int dirfd, const char *name, char *text)
{
	const struct iovec whole = {text, strlen(text)};

	return file_replace_parts(dirfd, name, "temp", &whole, 1);
}

static void test_replace(void **state)
{
	int dirfd = scratch_open();
	struct stat st;

	(void)state;
	umask(077);
	assert_int_equal(replace(dirfd, "file", "one"), 0);
	umask(022);
	reads("file", "one");
	assert_int_equal(fstatat(dirfd, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	/* what a kill left, and what somebody has put there */
	scratch_write("temp", "left");
	assert_int_equal(replace(dirfd, "file", "two"), 0);
	reads("file", "two");
	scratch_write("target", "theirs");
	link_to("target", "temp");
	assert_int_equal(replace(dirfd, "file", ""), 0);
	reads("file", "");
	reads("target", "theirs");
	/* a failure leaves the old one, and nothing else */
	scratch_mkdir("folder/x");
	assert_true(replace(dirfd, "folder", "x") < 0);
	assert_int_equal(faccessat(dirfd, "temp", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(dirfd, "folder/x", F_OK, 0), 0);
	close(dirfd);
}

struct seen {
	unsigned n, failed;
	char text[64];
};

static void see(void *data, const char *path, int r, const char *bytes)
{
	struct seen *seen = data;

	assert_int_equal(strncmp(path, scratch, strlen(scratch)), 0);
	seen->n++;
	if (r < 0)
		seen->failed++;
	else
		strcat(seen->text, bytes);
}

static void test_each(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_int_equal(file_each("/nonexistent", ".rules", 3, see, &seen), 0);
	scratch_write("a.rules", "abcdef");
	scratch_write("a.rule", "no");
	scratch_write(".b.rules", "no");
	scratch_write(".rules", "no");
	scratch_mkdir("c.rules");
	assert_int_equal(file_each(scratch, ".rules", 3, see, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.failed, 1);
	assert_string_equal(seen.text, "abc");
	scratch_write("file", "");
	assert_int_equal(file_each(scratch_path("file"), "", 3, see, &seen), -ENOTDIR);
}

#define IN_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_links),
		IN_FOLDER(test_links_to_nothing),
		IN_FOLDER(test_links_and_trust),
		IN_FOLDER(test_replace),
		IN_FOLDER(test_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
