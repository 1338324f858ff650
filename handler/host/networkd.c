/* SPDX-License-Identifier: MIT */
#include "host/networkd.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define FILE_MAX (1 << 20) /* bytes of a file that are looked at */
#define BLANKS   " \t\r"

/* What systemd's parse_boolean() takes for no. */
static bool is_no(const char *value, size_t size)
{
	static const char *const no[] = {"0", "no", "n", "false", "f", "off"};

	for (unsigned i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (size == strlen(no[i]) && !strncasecmp(value, no[i], size))
			return true;
	return false;
}

bool networkd_says_no(const char *text, const char *key)
{
	for (; text; text = strchr(text, '\n')) {
		text += strspn(text, BLANKS "\n");
		if (strncmp(text, key, strlen(key)) != 0)
			continue;
		text += strlen(key);
		text += strspn(text, BLANKS);
		if (*text != '=')
			continue;
		text++;
		text += strspn(text, BLANKS);
		if (is_no(text, strcspn(text, BLANKS "\n")))
			return true;
	}
	return false;
}

static const char invocation[] = "/run/systemd/units/invocation:systemd-networkd.service";

/*
 * systemd keeps this link for every unit that is active, and takes it away after. What is
 * in /run/systemd/netif tells nothing: systemd-tmpfiles makes that folder everywhere, and
 * its file "state" outlives the service.
 */
static int is_running(void)
{
	struct stat st;

	if (fstatat(AT_FDCWD, invocation, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

struct reading {
	bool rules, routes; /* which are left alone */
	int error;
	char *unread;
};

static void note_unread(struct reading *reading, const char *path, int r)
{
	reading->error = r;
	snprintf(reading->unread, PATH_MAX, "%s", path);
}

static void take(void *data, const char *path, int r, const char *bytes)
{
	struct reading *reading = data;

	if (r == 0) {
		reading->rules |= networkd_says_no(bytes, NETWORKD_RULES);
		reading->routes |= networkd_says_no(bytes, NETWORKD_ROUTES);
	} else if (r != -ENOENT && r != -EINVAL) {
		note_unread(reading, path, r);
	}
}

int networkd_deletes(bool routes, char unread[static PATH_MAX])
{
	/* networkd.conf(5) */
	static const char *const folders[] = {"/etc/systemd", "/run/systemd",
					      "/usr/local/lib/systemd",
					      "/usr/lib/systemd"};
	struct reading reading = {.unread = unread};
	const int running = is_running();

	for (unsigned i = 0; running > 0 && i < sizeof(folders) / sizeof(folders[0]);
	     i++) {
		_cleanup_free_ char *bytes = NULL;
		char path[64];
		size_t size;
		int r;

		snprintf(path, sizeof(path), "%s/networkd.conf", folders[i]);
		r = file_read(path, FILE_MAX, &bytes, &size);
		take(&reading, path, r, bytes);
		snprintf(path, sizeof(path), "%s/networkd.conf.d", folders[i]);
		r = file_each(path, ".conf", FILE_MAX, take, &reading);
		if (r < 0)
			note_unread(&reading, path, r);
	}
	if (running < 0)
		note_unread(&reading, invocation, running);
	if (running <= 0 || (reading.rules && (reading.routes || !routes)))
		return running < 0 ? running : 0;
	return reading.error ? reading.error : 1;
}
