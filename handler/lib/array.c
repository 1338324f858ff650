/* SPDX-License-Identifier: MIT */
#include "lib/array.h"

#include <stdlib.h>

#define FIRST 4 /* a power of two: most arrays of a tunnel have no more */

void *array_room(void *array, size_t n, size_t size)
{
	if (n && (n < FIRST || n & (n - 1)))
		return array; /* room for the next power of two was made */
	return reallocarray(array, n ? 2 * n : FIRST, size);
}
