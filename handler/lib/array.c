/* SPDX-License-Identifier: MIT */
#include "lib/array.h"

#include <stdlib.h>

void *array_room(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array; /* room for the next power of two was made */
	return reallocarray(array, n ? 2 * n : 1, size);
}
