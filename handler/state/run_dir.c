/* SPDX-License-Identifier: MIT */
#include "state/run_dir.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/text.h"
#include "lib/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#define LOCKS_SIZE 65536 /* of /proc/locks, that is 1,000 locks */

/* With a slash behind it, a symbolic link would be followed. */
static int cut_slashes(const char *path, char ret[static PATH_MAX])
{
	size_t size = strnlen(path, PATH_MAX);

	while (size > 1 && (path[size - 1] == '/' ||
			    (path[size - 1] == '.' && path[size - 2] == '/')))
		size--;
	if (size >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, path, size);
	ret[size] = '\0';
	return 0;
}

/* -EPERM is our own word, for what others could write to. */
static int not_our_word(int r)
{
	return r == -EPERM ? -EACCES : r;
}

static int failed(void)
{
	return not_our_word(-errno);
}

const char *run_dir_strerror(int error)
{
	switch (-error) {
	case EPERM:
		return "the folder is another user's, or others can write to it";
	case ETIMEDOUT:
		return "another sixxs-route keeps the run folder's lock";
	default:
		return strerror(-error);
	}
}

int run_dir_open(const char *path, bool create)
{
	_cleanup_close_ int fd = -1;
	char plain[PATH_MAX];
	int r = cut_slashes(path, plain);

	if (r < 0)
		return r;
	fd = openat(AT_FDCWD, plain, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && create) {
		if (mkdirat(AT_FDCWD, plain, 0755) < 0 && errno != EEXIST)
			return errno == ENOENT ? -ENOTDIR : failed();
		fd = openat(AT_FDCWD, plain,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return errno == ELOOP ? -ENOTDIR : failed();
	r = trusted_dir(fd, NULL);
	return r < 0 ? r : take_fd(&fd);
}

static void on_alarm(int signal)
{
	(void)signal; /* interrupts flock(), no more */
}

/*
 * flock() has no timeout. The timer fires again after the deadline, so that an alarm that
 * comes just before flock() begins to wait is not the last.
 */
static int wait_for_lock(int fd)
{
	const struct itimerval off = {0};
	const struct itimerval timer = {.it_value.tv_sec = LOCK_SECONDS,
					.it_interval.tv_usec = 100000};
	const struct sigaction action = {.sa_handler = on_alarm};
	const int64_t deadline_ms = clock_now_ms() + LOCK_SECONDS * 1000;
	struct sigaction before;
	sigset_t alarm, mask;
	int r;

	/* whoever runs us may have it blocked */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, &before);
	sigprocmask(SIG_UNBLOCK, &alarm, &mask);
	setitimer(ITIMER_REAL, &timer, NULL);
	do
		r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
	while (r == -EINTR && clock_now_ms() < deadline_ms);
	setitimer(ITIMER_REAL, &off, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &before, NULL);
	return r == -EINTR || r == -EAGAIN ? -ETIMEDOUT : r;
}

/* Whoever can open it can lock it: so nobody else may. */
static int open_lock(int runfd)
{
	_cleanup_close_ int fd =
		openat(runfd, RUN_DIR_LOCK,
		       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPERM;
	if ((st.st_mode & 0777) != 0600 && fchmod(fd, 0600) < 0)
		return failed();
	return take_fd(&fd);
}

/* A stopped process must not hold the lock: not by Ctrl-Z, nor by its own output. */
static void hold_stops(sigset_t *ret_mask)
{
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(SIG_BLOCK, &stops, ret_mask);
}

int run_dir_lock(int runfd, bool wait, struct run_lock *ret)
{
	_cleanup_close_ int fd = open_lock(runfd);
	int r = 0;

	ret->fd = -1;
	if (fd < 0)
		return fd;
	hold_stops(&ret->mask);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK && wait ? wait_for_lock(fd) : -errno;
	if (r < 0) {
		sigprocmask(SIG_SETMASK, &ret->mask, NULL);
		return r;
	}
	ret->fd = take_fd(&fd);
	return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 4242 00:19:1234 0 EOF" */
static bool is_that_lock(const char *line, const char *place)
{
	return strstr(line, " FLOCK ") && strstr(line, place) &&
	       !strstr(line, " -> "); /* one who waits for it */
}

bool run_dir_is_locked(int runfd)
{
	_cleanup_close_ int fd = -1;
	char bytes[LOCKS_SIZE], place[64];
	bool locked = false;
	struct stat st;
	size_t size;

	if (fstatat(runfd, RUN_DIR_LOCK, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	snprintf(place, sizeof(place), " %02x:%02x:%lu ", major(st.st_dev),
		 minor(st.st_dev), (unsigned long)st.st_ino);
	fd = openat(AT_FDCWD, "/proc/locks", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_read_fd(fd, bytes, sizeof(bytes) - 1, &size) < 0)
		return false;
	bytes[size] = '\0';
	for (char *line = bytes, *end; !locked && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		locked = is_that_lock(line, place);
	}
	return locked;
}

void run_dir_unlock(struct run_lock *lock)
{
	if (lock->fd < 0)
		return;
	if (close(lock->fd) < 0)
		flock(lock->fd, LOCK_UN); /* should it still be open */
	lock->fd = -1;
	sigprocmask(SIG_SETMASK, &lock->mask, NULL);
}

int run_dir_replace_parts(int runfd, const char *name, const struct iovec *parts, int n)
{
	int r = file_replace_parts(runfd, name, RUN_DIR_TEMP, parts, n);

	/* a kill may have left a folder of that name: see owner_file.h */
	if (r == -EISDIR && run_dir_tidy(runfd) == 0)
		r = file_replace_parts(runfd, name, RUN_DIR_TEMP, parts, n);
	return not_our_word(r);
}

int run_dir_replace(int runfd, const char *name, const char *bytes, size_t size)
{
	const struct iovec whole = {(char *)bytes, size};

	return run_dir_replace_parts(runfd, name, &whole, 1);
}

/* A link cannot be changed: a new one is renamed into its place. */
int run_dir_link(int runfd, const char *name, const char *target)
{
	int r = symlinkat(target, runfd, RUN_DIR_TEMP) < 0 ? failed() : 0;

	if (r == -EEXIST) {
		r = run_dir_tidy(runfd);
		if (r == 0 && symlinkat(target, runfd, RUN_DIR_TEMP) < 0)
			r = failed();
	}
	if (r < 0)
		return r;
	if (renameat(runfd, RUN_DIR_TEMP, runfd, name) == 0)
		return 0;
	r = failed();
	unlinkat(runfd, RUN_DIR_TEMP, 0);
	return r;
}

int run_dir_remove(int runfd, const char *name)
{
	return unlinkat(runfd, name, 0) < 0 && errno != ENOENT ? failed() : 0;
}

int run_dir_remove_folder(int runfd, const char *name)
{
	return unlinkat(runfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
			       errno == ENOTDIR || errno == ENOTEMPTY || errno == EEXIST
		       ? 0
		       : failed();
}

int run_dir_each(int runfd, const char *subfolder, const char *suffix, run_dir_fn *fn,
		 void *data)
{
	_cleanup_close_ int fd =
		openat(runfd, subfolder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char name[NAME_MAX + 1];
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	fd = -1; /* the stream's now */
	while (r >= 0 && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !ends_in(entry->d_name, suffix))
			continue;
		snprintf(name, sizeof(name), "%.*s",
			 (int)(strlen(entry->d_name) - strlen(suffix)), entry->d_name);
		r = fn(data, name);
	}
	if (r >= 0)
		r = -errno;
	closedir(dir);
	return r < 0 ? r : 0;
}

static int remove_tree(int dirfd, const char *name);

/* Of the folder FD, which it closes; also what nobody here has put there. */
static int remove_within(int fd)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = remove_tree(fd, entry->d_name);
	if (r == 0)
		r = -errno;
	closedir(dir);
	return r;
}

static int remove_tree(int dirfd, const char *name)
{
	int fd, r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return failed();
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? failed() : remove_within(fd);
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		r = failed();
	return r;
}

int run_dir_remove_all(int runfd, const char *name)
{
	return remove_tree(runfd, name);
}

int run_dir_tidy(int runfd)
{
	return run_dir_remove_all(runfd, RUN_DIR_TEMP);
}
