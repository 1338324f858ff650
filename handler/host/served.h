/* SPDX-License-Identifier: MIT */
/*
 * Whether udev hands the events of an interface to this program: whether our own rules
 * are where it reads them, and whether a rules file of the administrator's can have
 * marked the interface. Rules are not parsed. Read only; asks udev nothing.
 */
#ifndef SERVED_H
#define SERVED_H

#include <limits.h>
#include <stdbool.h>

#define SERVED_RULES "99-tunnel-sixxs.rules"

/* What the rules files of udev's folders have of ours. */
struct served {
	bool installed;        /* our own file */
	char own[PATH_MAX];    /* that file, or what is there in its place */
	bool early;            /* one before ours sets SIXXS_ROUTE */
	char late[PATH_MAX];   /* one that does so too late; "": none */
	char unread[PATH_MAX]; /* one that may do so and cannot be read, or its folder */
};

/* Returns 0, or -errno of "unread". *ret is written all the same. */
int served_look(struct served *ret);

/* Whether udev's database has a mark for the link that now bears the name. */
bool served_is_marked(const char *ifname);

/* Whether there is a link of that name. */
bool served_link(const char *ifname);

#endif
