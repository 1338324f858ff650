/* SPDX-License-Identifier: MIT */
#include "cmd/networkd.h"

#include "cmd/systemd_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* systemd's parse_boolean(): 1, 0, or -1 for what it would not take */
static int parse_boolean(const char *value)
{
	static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};
	static const char *const no[] = {"0", "no", "n", "false", "f", "off"};

	for (unsigned i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcasecmp(value, yes[i]))
			return 1;
		if (!strcasecmp(value, no[i]))
			return 0;
	}
	return -1;
}

/* Blanks around it cut off, in place. */
static char *trim(char *text)
{
	static const char blanks[] = " \t\r";
	size_t size;

	text += strspn(text, blanks);
	size = strlen(text);
	while (size && strchr(blanks, text[size - 1]))
		text[--size] = '\0';
	return text;
}

static void take_key(struct networkd *networkd, const char *path, unsigned line,
		     char *text)
{
	char *equals = strchr(text, '=');
	int value;

	if (!equals)
		return;
	*equals = '\0';
	if (strcmp(trim(text), "ManageForeignRoutingPolicyRules") != 0)
		return;
	value = parse_boolean(trim(equals + 1));
	if (value < 0)
		return;
	networkd->deletes = value;
	networkd->line = line;
	snprintf(networkd->file, sizeof(networkd->file), "%s", path);
}

void networkd_read(struct networkd *networkd, const char *path, const char *bytes,
		   size_t size)
{
	const char *const end = bytes + size;
	bool in_network = false;

	for (unsigned line = 1; bytes < end; line++) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const size_t length = (size_t)((newline ? newline : end) - bytes);
		char copy[256], *text;

		snprintf(copy, sizeof(copy), "%.*s", (int)length, bytes);
		text = trim(copy);
		if (*text == '[')
			in_network = !strcmp(text, "[Network]");
		else if (in_network && *text != '#' && *text != ';')
			take_key(networkd, path, line, text);
		bytes += length + 1;
	}
}

static void read_file(void *data, const char *path, const char *name, const char *bytes,
		      size_t size)
{
	(void)name;
	networkd_read(data, path, bytes, size);
}

/*
 * systemd keeps this link for every unit that is active, and takes it away after. What is
 * in /run/systemd/netif tells nothing: systemd-tmpfiles makes that folder everywhere, and
 * its file "state" outlives the service.
 */
static bool is_running(const struct diagnostics *rep)
{
	static const char path[] =
		"/run/systemd/units/invocation:systemd-networkd.service";

	struct stat st;

	if (lstat(path, &st) == 0)
		return true;
	if (errno != ENOENT)
		layers_fail(rep, path, -errno);
	return false;
}

int networkd_look(const struct diagnostics *rep, struct networkd *ret)
{
	/* networkd.conf(5); the file itself is looked for elsewhere than in /etc since
	 * 254 */
	static const char *const files[] = {
		"/etc/systemd/networkd.conf", "/run/systemd/networkd.conf",
		"/usr/local/lib/systemd/networkd.conf", "/usr/lib/systemd/networkd.conf"};
	static const char *const dirs[] = {"/etc/systemd/networkd.conf.d",
					   "/run/systemd/networkd.conf.d",
					   "/usr/local/lib/systemd/networkd.conf.d",
					   "/usr/lib/systemd/networkd.conf.d", NULL};

	*ret = (struct networkd){.running = is_running(rep), .deletes = true};
	snprintf(ret->file, sizeof(ret->file), "%s", files[0]);
	if (!ret->running)
		return 0;
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (layers_read(files[i], rep, read_file, ret) != -ENOENT)
			break;
	return layers_each(dirs, ".conf", rep, read_file, ret);
}
