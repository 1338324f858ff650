/* SPDX-License-Identifier: MIT */
#include "lib/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* capset(2): raw, since libcap would cost each event its loading time */
int privilege_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = CAP_TO_MASK(CAP_NET_ADMIN),
		 .permitted = CAP_TO_MASK(CAP_NET_ADMIN)}};
	int r = (int)syscall(SYS_capset, &header, data);

	if (r < 0 && errno == EPERM) { /* it does not have that one either */
		data[0] = (struct __user_cap_data_struct){0};
		r = (int)syscall(SYS_capset, &header, data);
	}
	if (r < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}
