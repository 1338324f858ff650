/* SPDX-License-Identifier: MIT */
#include "lib/ini.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/text.h"
#include "lib/trusted.h"

#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* linux/memfd.h since 6.3 */
#endif

/* What ini_free() frees: one piece of memory, whose address is that of its first member.
 */
struct text {
	struct ini ini;
	struct ini_lines found;
};

static void free_dictionary(dictionary **dict)
{
	if (*dict)
		iniparser_freedict(*dict);
}

/* iniparser's complaints have no use here: ini_check.c has made better ones before. */
static int say_nothing(const char *format, ...)
{
	(void)format;
	return 0;
}

static int open_memory(void)
{
	int fd = memfd_create("ini", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("ini", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int load_path(const char *path, dictionary **ret)
{
	dictionary *dict;

	iniparser_set_error_callback(say_nothing);
	errno = 0;
	dict = iniparser_load(path);
	if (!dict)
		return errno > 0 ? -errno : -EBADMSG;
	*ret = dict;
	return 0;
}

/* Where iniparser finds what is open as FD: at its beginning. */
static int load(int fd, dictionary **ret)
{
	char path[sizeof("/proc/self/fd/") + NUMBER_STRLEN];

	put_number(stpcpy(path, "/proc/self/fd/"), (unsigned)fd);
	return load_path(path, ret);
}

static int load_from_memory(const char *bytes, size_t size, dictionary **ret)
{
	_cleanup_close_ int fd = open_memory();
	int r;

	if (fd < 0)
		return fd;
	r = file_write_fd(fd, bytes, size);
	return r < 0 ? r : load(fd, ret);
}

/*
 * Whether the dictionary has the entry, with just that value (NULL: it is a section). The
 * entries stand in the order of the text, so that the first look nearly always hits; that
 * is nowhere promised, hence the loop.
 */
static bool has_entry(const dictionary *dict, size_t likely, const char *entry,
		      const char *value)
{
	size_t i = likely;

	if (!dict->key[i] || strcmp(dict->key[i], entry) != 0)
		for (i = 0; i < (size_t)dict->size; i++)
			if (dict->key[i] && !strcmp(dict->key[i], entry))
				break;
	if (i == (size_t)dict->size)
		return false;
	return value ? dict->val[i] && !strcmp(dict->val[i], value) : !dict->val[i];
}

/* iniparser loses text without a word when it is out of memory, and merges what is alike.
 */
static int compare(const struct ini_lines *found, const dictionary *dict,
		   struct diagnostics *diagnostics)
{
	size_t slot = 0;
	char entry[2048]; /* two names of at most 1022 */

	if ((size_t)dict->n != found->n_sections + found->n_keys)
		return diagnose_file(diagnostics, -EBADMSG,
				     "iniparser found %zu sections and keys, not %zu",
				     (size_t)dict->n, found->n_sections + found->n_keys);
	for (size_t s = 0; s < found->n_sections; s++) {
		const struct ini_section *section = &found->section[s];
		size_t n = 0;

		for (; section->name[n]; n++)
			entry[n] = ini_check_lower(section->name[n]);
		entry[n] = '\0';
		if (!has_entry(dict, slot++, entry, NULL)) {
			diagnose(diagnostics, SEVERITY_ERROR, section->line,
				 "iniparser read this line otherwise");
			return -EBADMSG;
		}
		entry[n++] = ':';
		for (size_t k = 0; k < section->n_keys; k++) {
			const struct ini_key *key = &section->key[k];

			/* a line of 1022 bytes bounds each name */
			memcpy(entry + n, key->name, strlen(key->name) + 1);
			if (!has_entry(dict, slot++, entry, key->value)) {
				diagnose(diagnostics, SEVERITY_ERROR, key->line,
					 "iniparser read this line otherwise");
				return -EBADMSG;
			}
		}
	}
	return 0;
}

/*
 * Whether iniparser finds the same where the file has its name: to open it there is cheaper
 * than by /proc, which makes a folder and a link for it. Another file may have that name by
 * now, and then it is not believed.
 */
static bool is_same_by_name(const struct ini_lines *found,
			    const struct diagnostics *diagnostics)
{
	_cleanup_(free_dictionary) dictionary *dict = NULL;
	char path[256];

	if (!diagnostics || !diagnostics->dir || !diagnostics->file ||
	    strlen(diagnostics->dir) + strlen(diagnostics->file) + 2 > sizeof(path))
		return false;
	stpcpy(stpcpy(stpcpy(path, diagnostics->dir), "/"), diagnostics->file);
	return load_path(path, &dict) == 0 && compare(found, dict, NULL) == 0;
}

static struct text *new_text(const char *bytes, size_t size, char **ret_copy)
{
	size_t lines = 1;
	struct text *text;

	for (const char *c = bytes; (c = memchr(c, '\n', size - (size_t)(c - bytes)));
	     c++)
		lines++;
	text = malloc(sizeof(*text) +
		      lines * (sizeof(*text->found.section) + sizeof(*text->found.key)) +
		      size + 1);
	if (!text)
		return NULL;
	text->found.section = (struct ini_section *)(text + 1);
	text->found.key = (struct ini_key *)(text->found.section + lines);
	*ret_copy = (char *)(text->found.key + lines);
	memcpy(*ret_copy, bytes, size);
	return text;
}

int ini_parse_file(int fd, const char *bytes, size_t size,
		   struct diagnostics *diagnostics, struct ini **ret)
{
	_cleanup_(free_dictionary) dictionary *dict = NULL;
	struct text *text;
	char *copy;
	int r;

	if (size > INI_FILE_MAX)
		return diagnose_file(diagnostics, -EFBIG,
				     "%zu bytes: expected at most %d", size,
				     INI_FILE_MAX);
	text = new_text(bytes, size, &copy);
	if (!text)
		return diagnose_file(diagnostics, -ENOMEM, "no memory");
	r = ini_check_text(copy, size, diagnostics, &text->found);
	if (r == 0 && !(fd >= 0 && is_same_by_name(&text->found, diagnostics))) {
		/* a read error is the file's end for it, and the file may change: hence "compare" */
		r = fd < 0 ? load_from_memory(bytes, size, &dict) : load(fd, &dict);
		if (r < 0)
			diagnose_file(diagnostics, r, "iniparser cannot read it: %s%s",
				      strerror(-r),
				      r == -ENOENT ? ": is /proc mounted?" : "");
		else
			r = compare(&text->found, dict, diagnostics);
	}
	if (r < 0) {
		free(text);
		return r;
	}
	text->ini = (struct ini){.n_sections = text->found.n_sections,
				 .section = text->found.section};
	*ret = &text->ini;
	return 0;
}

int ini_parse(const char *bytes, size_t size, struct diagnostics *diagnostics,
	      struct ini **ret)
{
	return ini_parse_file(-1, bytes, size, diagnostics, ret);
}

int ini_load(int dirfd, const char *name, struct diagnostics *diagnostics,
	     struct ini **ret)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int r;

	r = trusted_read_linked(dirfd, name, INI_FILE_MAX, diagnostics, &bytes, &size);
	return r < 0 ? r : ini_parse(bytes, size, diagnostics, ret);
}

void ini_free(struct ini *ini)
{
	free(ini); /* the first member of struct text */
}

const struct ini_key *ini_find_key(const struct ini_section *section, const char *name)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (!strcmp(section->key[i].name, name))
			return &section->key[i];
	return NULL;
}
