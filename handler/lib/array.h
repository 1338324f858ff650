/* SPDX-License-Identifier: MIT */
/* Arrays that grow by one, whose room doubles: their length alone says how much there is.
 */
#ifndef ARRAY_H
#define ARRAY_H

#include <stddef.h>

/*
 * ARRAY of N items of SIZE bytes (NULL: none yet), with room for one more. Returns it,
 * for free(), or NULL if there is no memory: it is unchanged then.
 */
void *grow(void *array, size_t n, size_t size);

/*
 * The address of a new item behind the N of ARRAY, which it counts: to be written. NULL:
 * there is no memory, and both are unchanged.
 */
#define array_push(array, n)                                                    \
	({                                                                      \
		__typeof__(array) more_ = grow((array), (n), sizeof(*(array))); \
		if (more_)                                                      \
			(array) = more_;                                        \
		more_ ? &(array)[(n)++] : NULL;                                 \
	})

#endif
