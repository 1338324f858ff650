/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow by one item. An array has room for the power of two that its length
 * has reached, so the length alone says how much room there is. The only allocation that
 * the pure parts make.
 */
#ifndef ARRAY_H
#define ARRAY_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * Makes room for one more item of SIZE bytes in ARRAY, which has N (NULL: none). Returns
 * the array, for free(3); NULL: there is no memory, and ARRAY is as it was.
 */
void *grow(void *array, size_t n, size_t size);

/* Appends VALUE to the array MEMBER of STRUCT, whose length is its n. 0 or -ENOMEM. */
#define array_push(struct_, member, value)                           \
	({                                                           \
		void *more_ = grow((struct_)->member, (struct_)->n,  \
				   sizeof(*(struct_)->member));      \
		if (more_) {                                         \
			(struct_)->member = more_;                   \
			(struct_)->member[(struct_)->n++] = (value); \
		}                                                    \
		more_ ? 0 : -ENOMEM;                                 \
	})

#endif
