/* SPDX-License-Identifier: MIT */
/* Scope-bound clean-up: a descriptor or buffer goes when its variable does. */
#ifndef CLEANUP_H
#define CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)    __attribute__((cleanup(f)))
#define _cleanup_close_ _cleanup_(close_fdp)
#define _cleanup_free_  _cleanup_(free_bufp)

static inline void close_fdp(const int *fd)
{
	const int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void free_bufp(void *p)
{
	free(*(void **)p);
}

/* Hands the descriptor over: it is the caller's now. */
static inline int take_fd(int *fd)
{
	const int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
