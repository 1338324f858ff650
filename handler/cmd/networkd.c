/* SPDX-License-Identifier: MIT */
#include "cmd/networkd.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <errno.h>
#include <glob.h>
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

bool networkd_says_no(const char *text)
{
	static const char key[] = "ManageForeignRoutingPolicyRules";

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

/*
 * systemd keeps this link for every unit that is active, and takes it away after. What is
 * in /run/systemd/netif tells nothing: systemd-tmpfiles makes that folder everywhere, and
 * its file "state" outlives the service.
 */
static int is_running(void)
{
	struct stat st;

	if (lstat("/run/systemd/units/invocation:systemd-networkd.service", &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

int networkd_deletes(void)
{
	/* networkd.conf(5) */
	static const char pattern[] =
		"{/etc,/run,/usr/local/lib,/usr/lib}/systemd/networkd.conf{,.d/*.conf}";
	glob_t found = {0};
	int r = is_running(), error = 0;

	if (r <= 0)
		return r;
	if (glob(pattern, GLOB_BRACE, NULL, &found) == GLOB_NOSPACE)
		error = -ENOMEM;
	for (size_t i = 0; r > 0 && i < found.gl_pathc; i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;
		const int r_read = file_read(found.gl_pathv[i], FILE_MAX, &text, &size);

		if (r_read == 0 && networkd_says_no(text))
			r = 0;
		else if (r_read < 0 && r_read != -ENOENT && r_read != -EINVAL)
			error = r_read;
	}
	globfree(&found);
	return r > 0 && error ? error : r;
}
