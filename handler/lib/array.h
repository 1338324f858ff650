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
void *array_room(void *array, size_t n, size_t size);

/*
 * The address of a new item behind the N of ARRAY, which it counts: to be written. NULL:
 * there is no memory, and both are unchanged.
 */
#define array_push(array, n)                                                          \
	({                                                                            \
		__typeof__(array) more_ = array_room((array), (n), sizeof(*(array))); \
		if (more_)                                                            \
			(array) = more_;                                              \
		more_ ? &(array)[(n)++] : NULL;                                       \
	})

/* Appends VALUE to the array MEMBER of *STRUCT, whose length is its n. 0 or -ENOMEM. */
#define array_append(struct_, member, value)                         \
	({                                                           \
		__typeof__((struct_)->member) at_ =                  \
			array_push((struct_)->member, (struct_)->n); \
		if (at_)                                             \
			*at_ = (value);                              \
		at_ ? 0 : -ENOMEM;                                   \
	})

#endif
