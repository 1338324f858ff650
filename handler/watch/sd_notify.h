/* SPDX-License-Identifier: MIT */
/* sd_notify(3) in one datagram, without libsystemd. */
#ifndef SD_NOTIFY_H
#define SD_NOTIFY_H

/* state: "READY=1". Returns 0, also where nobody asked to be told, or -errno. */
int notify(const char *state);

#endif
