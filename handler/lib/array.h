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

#endif
