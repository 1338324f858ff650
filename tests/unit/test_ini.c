/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "lib/ini.h"
#include "lib/trusted.h"

#include <iniparser/iniparser.h>
#include <sys/sysmacros.h>

#define TEXT(literal) literal, sizeof(literal) - 1

static void report_line(void *data, enum severity severity, const char *file,
			unsigned line, const char *text)
{
	(void)file;
	assert_int_equal(severity, SEVERITY_ERROR);
	report_text(data, line, text);
}

static int parse(const char *bytes, size_t size, struct ini **ret)
{
	struct diagnostics to = {.fn = report_line};
	const int r = (reported[0] = '\0', ini_parse(bytes, size, &to, ret));

	diagnose_rest(&to);
	return r;
}

/* What facts say iniparser loses, joins, merges, or takes for something else. */
static const struct {
	const char *bytes;
	size_t size;
	const char *reported;
} refused[] = {
	{TEXT("[a]\nx\n"),
	 "2: neither a [section] nor a key with '=': expected KEY = VALUE\n"},
	{TEXT("[a\nx=1\n"), "1: the section's bracket is not closed: expected [NAME]\n"},
	{TEXT("[a] ; comment\n"),
	 "1: text behind the section's bracket: expected a comment or nothing\n"},
	{TEXT("[a]b]\n"),
	 "1: text behind the section's bracket: expected a comment or nothing\n"},
	{TEXT("[a]x=1]\n"),
	 "1: text behind the section's bracket: expected a comment or nothing\n"},
	{TEXT("[a]]\n"),
	 "1: text behind the section's bracket: expected a comment or nothing\n"},
	{TEXT("[]\n"), "1: a section without a name: expected [NAME]\n"},
	{TEXT("[old]\n[]\nx=1\n"), "2: a section without a name: expected [NAME]\n"},
	{TEXT("[a:b]\nc=1\n"), "1: a section's name may hold only letters, digits, '_', "
			       "'.' and '-'\n"},
	{TEXT("[ a ]\n"), "1: a section's name may hold only letters, digits, '_', "
			  "'.' and '-'\n"},
	{TEXT("[a]\n=7\n"), "2: no key before the '=': expected KEY = VALUE\n"},
	{TEXT("[a]\nb:c=2\n"), "2: a key's name may hold only letters, digits, '_', '.' "
			       "and '-'\n"},
	{TEXT("[a]\n\"x\"=3\n"), "2: a key's name may hold only letters, digits, '_', "
				 "'.' and '-'\n"},
	{TEXT("[a]\nx y=3\n"), "2: a key's name may hold only letters, digits, '_', '.' "
			       "and '-'\n"},
	{TEXT("x=1\n"), "1: a key before the first section: expected [NAME] first\n"},
	{TEXT("x=1\ny=2\n[a]\n"),
	 "1: a key before the first section: expected [NAME] first\n"
	 "2: a key before the first section: expected [NAME] first\n"},
	{TEXT("\xef\xbb\xbf[a]\nx=1\n"), "1: a byte order mark before the text\n"},
	{TEXT("\xef\xbb\xbf[a]\nx\n"),
	 "1: a byte order mark before the text\n"
	 "2: neither a [section] nor a key with '=': expected KEY = VALUE\n"},
	{TEXT("[a]\nv==\n"), "2: a second '=': put quotes around the value\n"},
	{TEXT("[a]\nu==5\n"), "2: a second '=': put quotes around the value\n"},
	{TEXT("[a]\nu= =5\n"), "2: a second '=': put quotes around the value\n"},
	{TEXT("[a]\nc=a;b\n"), "2: no blank before the comment: put one there, or quotes "
			       "around the value\n"},
	{TEXT("[a]\nc=a#b\n"), "2: no blank before the comment: put one there, or quotes "
			       "around the value\n"},
	{TEXT("[a]\nc=;b\n"), "2: no blank before the comment: put one there, or quotes "
			      "around the value\n"},
	{TEXT("[a]\nq=\"open\n"), "2: the quote is not closed\n"},
	{TEXT("[a]\nq='open\n"), "2: the quote is not closed\n"},
	{TEXT("[a]\nq='mixed\"\n"), "2: the quote is not closed\n"},
	{TEXT("[a]\nq=\"\n"), "2: the quote is not closed\n"},
	{TEXT("[a]\nq=\"a\" b\n"),
	 "2: text behind the quotes: expected a comment or nothing\n"},
	{TEXT("[a]\nq=\"a\"\"b\"\n"),
	 "2: text behind the quotes: expected a comment or nothing\n"},
	{TEXT("[a]\nq=a\"b\"\n"),
	 "2: a quote within a value: put quotes around all of it\n"},
	{TEXT("[a]\nq=it's\n"),
	 "2: a quote within a value: put quotes around all of it\n"},
	{TEXT("[a]\nx=1 \\\ny=2\n"),
	 "2: a backslash at the end of the line: iniparser would join the next to it\n"},
	{TEXT("[a]\n# c \\\nx=1\n"),
	 "2: a backslash at the end of the line: iniparser would join the next to it\n"},
	{TEXT("[a]\nx=1\\  \t\ny=2\n"),
	 "2: a backslash at the end of the line: iniparser would join the next to it\n"},
	{TEXT("[a]\nx=1\n\\"),
	 "3: a backslash at the end of the line: iniparser would join the next to it\n"},
	{TEXT("[a]\nx=a\\b\n"), "2: a backslash in the value: no value has one\n"},
	{TEXT("[a]\nx=\"a\\\"b\"\n"),
	 "2: text behind the quotes: expected a comment or nothing\n"},
	{TEXT("[a]\n\0x=1\n"), "2: a control byte (0x00)\n"},
	{TEXT("[a]\nx=1\0\n"), "2: a control byte (0x00)\n"},
	{TEXT("[a]\nx=\33[31m\n"), "2: a control byte (0x1b)\n"},
	{TEXT("[a]\nx=1\f\n"), "2: a control byte (0x0c)\n"},
	{TEXT("[a]\nx=1\v\n"), "2: a control byte (0x0b)\n"},
	{TEXT("[a]\nx=1\r2\n"), "2: a control byte (0x0d)\n"},
	{TEXT("[a]\nx=1\r\r\n"), "2: a control byte (0x0d)\n"},
	{TEXT("[a]\nx=\177\n"), "2: a control byte (0x7f)\n"},
	{TEXT("; \33[2J\n[a]\n"), "1: a control byte (0x1b)\n"},
	{TEXT("[a]\nx=caf\xc3\xa9\n"),
	 "2: a byte beyond ASCII in the value: no value has one\n"},
	{TEXT("[a]\nx=\xff\n"),
	 "2: a byte beyond ASCII in the value: no value has one\n"},
	{TEXT("[\xff]\n"), "1: a section's name may hold only letters, digits, '_', '.' "
			   "and '-'\n"},
	{TEXT("[a]\nx=1\nx=2\n"), "3: key x is in line 2 already\n"},
	{TEXT("[a]\nx=1\nX=2\n"), "3: key x is in line 2 already\n"},
	{TEXT("[a]\nx=\"1\"\n y = 3\n\nX=2\n"), "5: key x is in line 2 already\n"},
	{TEXT("[a]\nx=1\n[a]\ny=1\n"), "3: section [a] is in line 1 already\n"},
	{TEXT("[SixxS0]\nx=1\n\n[sixxs0]\nx=1\n"),
	 "4: section [sixxs0] is in line 1 already\n"},
	{TEXT("[a]\nx\n[b\ny\n[c]\nz=1\nz=2\n"),
	 "2: neither a [section] nor a key with '=': expected KEY = VALUE\n"
	 "3: the section's bracket is not closed: expected [NAME]\n"
	 "4: neither a [section] nor a key with '=': expected KEY = VALUE\n"
	 "7: key z is in line 6 already\n"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(refused); i++) {
		struct ini *ini = NULL;

		assert_int_equal(parse(refused[i].bytes, refused[i].size, &ini), -EINVAL);
		assert_string_equal(reported, refused[i].reported);
		assert_null(ini);
	}
}

static const struct {
	const char *bytes;
	size_t size;
	const char *dump; /* "[SECTION]LINE" and "KEY=VALUE|LINE" of all, one a line */
} accepted[] = {
	{TEXT(""), ""},
	{TEXT("\n"), ""},
	{TEXT("# x"), ""},
	{TEXT("#"), ""},
	{TEXT(" \t \n;"), ""},
	{TEXT("[a]"), "[a]1\n"},
	{TEXT("[a]\nx=1"), "[a]1\nx=1|2\n"},
	{TEXT("[a]\nx=\n"), "[a]1\nx=|2\n"},
	{TEXT("[a]\nx="), "[a]1\nx=|2\n"},
	{TEXT("[a]\nx= ; c\n"), "[a]1\nx=|2\n"},
	{TEXT("[a]\nx=\"\"\n"), "[a]1\nx=|2\n"},
	{TEXT("[a]\nx=''\n"), "[a]1\nx=|2\n"},
	{TEXT("[a]\nx='' ; c\ny=\"\";c\n"), "[a]1\nx=|2\ny=|3\n"},
	{TEXT("[a]\nx=1\ny=''\nz=\n"), "[a]1\nx=1|2\ny=|3\nz=|4\n"},
	{TEXT("[a]\nx=\" v \"\n"), "[a]1\nx= v |2\n"},
	{TEXT("[a]\nx=\"  \"\n"), "[a]1\nx=  |2\n"},
	{TEXT("[a]\nx='a;b#c' # d\n"), "[a]1\nx=a;b#c|2\n"},
	{TEXT("[a]\nx=\"it's\"\ny='\"'\n"), "[a]1\nx=it's|2\ny=\"|3\n"},
	{TEXT("[a]\nx=\"a=b\"\ny=a=b\n"), "[a]1\nx=a=b|2\ny=a=b|3\n"},
	{TEXT("[a]\nx = 1 ; it's 5 o'clock = \"5\"\n"), "[a]1\nx=1|2\n"},
	{TEXT("[a]\nx=\"1\" ; \"2\"\n"), "[a]1\nx=1|2\n"},
	{TEXT("[a]\r\nx = 1 \r\n\r\n; c\r\n"), "[a]1\nx=1|2\n"},
	{TEXT("  [a]  \n\t x\t=\t1\t2 \n"), "[a]1\nx=1\t2|2\n"},
	{TEXT("; \xc3\xa9\n[a]\nx=1 ; \xff\n"), "[a]2\nx=1|3\n"},
	{TEXT("[SixxS0]\nWhen_Down = UnReachable\n"),
	 "[SixxS0]1\nwhen_down=UnReachable|2\n"},
	{TEXT("[a]\nx=1\n[b]\nx=1\n\n[c]\n"), "[a]1\nx=1|2\n[b]3\nx=1|4\n[c]6\n"},
	{TEXT("[a.b]\nx=1\n[a]\nb.x=2\n"), "[a.b]1\nx=1|2\n[a]3\nb.x=2|4\n"},
	{TEXT("[r]\nobject0 = rule from 2a02::1 table 200 priority 16383\n"),
	 "[r]1\nobject0=rule from 2a02::1 table 200 priority 16383|2\n"},
};

static void dump(const struct ini *ini, char *ret)
{
	*ret = '\0';
	for (size_t s = 0; s < ini->n_sections; s++) {
		const struct ini_section *section = &ini->section[s];

		ret += sprintf(ret, "[%s]%u\n", section->name, section->line);
		for (size_t k = 0; k < section->n_keys; k++)
			ret += sprintf(ret, "%s=%s|%u\n", section->key[k].name,
				       section->key[k].value, section->key[k].line);
	}
}

static void test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(accepted); i++) {
		struct ini *ini;
		char text[4096];

		assert_int_equal(parse(accepted[i].bytes, accepted[i].size, &ini), 0);
		assert_string_equal(reported, "");
		dump(ini, text);
		assert_string_equal(text, accepted[i].dump);
		ini_free(ini);
	}
}

/* iniparser, asked directly and through its functions alone, must say the same. */
static void test_as_iniparser(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(accepted); i++) {
		struct ini *ini;
		dictionary *dict;

		scratch_write_bytes("file", accepted[i].bytes, accepted[i].size);
		dict = iniparser_load(scratch_path("file"));
		assert_non_null(dict);
		assert_int_equal(parse(accepted[i].bytes, accepted[i].size, &ini), 0);
		assert_int_equal(iniparser_getnsec(dict), ini->n_sections);
		for (size_t s = 0; s < ini->n_sections; s++) {
			const struct ini_section *section = &ini->section[s];

			assert_int_equal(iniparser_getsecnkeys(dict, section->name),
					 section->n_keys);
			for (size_t k = 0; k < section->n_keys; k++) {
				char entry[256];

				snprintf(entry, sizeof(entry), "%s:%s", section->name,
					 section->key[k].name);
				assert_string_equal(
					iniparser_getstring(dict, entry, NULL),
					section->key[k].value);
			}
		}
		iniparser_freedict(dict);
		ini_free(ini);
	}
}

static void test_line_length(void **state)
{
	static const char *const after[] = {"", "\n", "\n[b]\n"};

	(void)state;
	for (size_t i = 0; i < LENGTH(after); i++)
		for (int length = 1021; length <= 1024; length++) {
			char line[1100], text[1200];
			struct ini *ini;
			int size;

			memset(line, 'x', sizeof(line));
			memcpy(line, "k=", 2);
			line[length] = '\0';
			size = sprintf(text, "[a]\n%s%s", line, after[i]);
			if (length > 1022) {
				assert_int_equal(parse(text, (size_t)size, &ini),
						 -EINVAL);
				assert_string_equal(
					reported,
					"2: longer than 1022 bytes: iniparser would cut it\n");
				continue;
			}
			assert_int_equal(parse(text, (size_t)size, &ini), 0);
			assert_int_equal(strlen(ini->section[0].key[0].value),
					 length - 2);
			ini_free(ini);
		}
}

/* As long as names can be, in a dictionary whose own functions would cut them. */
static void test_long_names(void **state)
{
	char name[1021], text[4096];
	struct ini *ini;
	int size;

	(void)state;
	memset(name, 'N', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	size = sprintf(text, "[%s]\n%s=1\n[b]\nx=1\n", name, name);
	assert_int_equal(parse(text, (size_t)size, &ini), 0);
	assert_int_equal(ini->n_sections, 2);
	assert_string_equal(ini->section[0].name, name);
	assert_int_equal(strlen(ini->section[0].key[0].name), sizeof(name) - 1);
	ini_free(ini);
}

static void test_many_complaints(void **state)
{
	char text[1000];
	struct ini *ini;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 4)
		memcpy(text + i, "bad\n", 4);
	assert_int_equal(parse(text, sizeof(text), &ini), -EINVAL);
	assert_non_null(strstr(reported, "\n30: neither "));
	assert_null(strstr(reported, "31: "));
	assert_non_null(strstr(reported, "\n0: 220 more errors\n"));
}

static void test_many_keys(void **state)
{
	static char text[INI_FILE_MAX];
	struct ini *ini;
	int size = sprintf(text, "[record]\n");

	(void)state;
	for (int i = 0; i < 512; i++)
		size += sprintf(
			text + size,
			"object%d = rule from 2001:db8:ffff:ffff:ffff:ffff:ffff:%x "
			"table 2147483647 priority 16383\n",
			i, i);
	assert_int_equal(parse(text, (size_t)size, &ini), 0);
	assert_int_equal(ini->section[0].n_keys, 512);
	assert_string_equal(ini->section[0].key[511].name, "object511");
	assert_int_equal(ini->section[0].key[511].line, 513);
	ini_free(ini);
}

static int load(const char *name, struct ini **ret)
{
	struct diagnostics to = {.fn = report_line};
	int dirfd = scratch_open(), r;

	reported[0] = '\0';
	r = ini_load(dirfd, name, &to, ret);
	close(dirfd);
	return r;
}

static void test_load(void **state)
{
	struct ini *ini = NULL;

	(void)state;
	scratch_write("good", "[a]\nx=1\n");
	assert_int_equal(load("good", &ini), 0);
	assert_string_equal(ini->section[0].key[0].value, "1");
	ini_free(ini);
	scratch_write("empty", "");
	assert_int_equal(load("empty", &ini), 0);
	assert_int_equal(ini->n_sections, 0);
	ini_free(ini);
	assert_int_equal(load("absent", &ini), -ENOENT);
	assert_string_equal(reported, "");
}

static void refuse(const char *name, int expected, const char *text)
{
	struct ini *ini = NULL;

	assert_int_equal(load(name, &ini), expected);
	assert_string_equal(reported, text);
	assert_null(ini);
}

static void test_modes(void **state)
{
	(void)state;
	scratch_write("file", "[a]\nx=1\n");
	assert_int_equal(chmod(scratch_path("file"), 0664), 0);
	refuse("file", -EPERM,
	       "0: mode 0664: group and others must not be able to write\n");
	assert_int_equal(chmod(scratch_path("file"), 0646), 0);
	refuse("file", -EPERM,
	       "0: mode 0646: group and others must not be able to write\n");
}

static void test_owner(void **state)
{
	struct ini *ini;

	(void)state;
	if (geteuid())
		skip();
	scratch_write("file", "[a]\nx=1\n");
	assert_int_equal(chown(scratch_path("file"), 65534, 0), 0);
	refuse("file", -EPERM,
	       "0: owned by uid 65534: expected root or who runs this "
	       "program\n");
	/* the folder is root's, and so is trusted by anybody; the file is nobody's own */
	assert_int_equal(chmod(scratch, 0755), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(load("file", &ini), 0);
	assert_int_equal(seteuid(0), 0);
	ini_free(ini);
}

static void test_kinds(void **state)
{
	char text[64];

	(void)state;
	scratch_write("file", "[a]\nx=1\n");
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	refuse("fifo", -EPERM, "0: not a regular file\n");
	scratch_mkdir("folder");
	refuse("folder", -EPERM, "0: not a regular file\n");
	if (mknod(scratch_path("device"), S_IFCHR | 0600, makedev(1, 5)) == 0) {
		struct ini *ini;
		int r = load("device", &ini);

		/* a nodev mount does not even open it */
		assert_true(r == -EPERM || r == -EACCES);
	}
	snprintf(text, sizeof(text), "0: %d bytes: expected at most %d\n",
		 INI_FILE_MAX + 1, INI_FILE_MAX);
	assert_int_equal(truncate(scratch_path("file"), INI_FILE_MAX + 1), 0);
	refuse("file", -EFBIG, text);
}

static void test_largest(void **state)
{
	static char text[INI_FILE_MAX + 1];
	struct ini *ini;

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, "[a]\nx=1\n", 8);
	scratch_write_bytes("file", text, INI_FILE_MAX);
	assert_int_equal(load("file", &ini), 0);
	assert_int_equal(ini->section[0].n_keys, 1);
	ini_free(ini);
	assert_int_equal(parse(text, INI_FILE_MAX + 1, &ini), -EFBIG);
}

static void test_trust_dir(void **state)
{
	struct diagnostics to = {.fn = report_line};
	int fd = scratch_open();

	(void)state;
	reported[0] = '\0';
	assert_int_equal(trusted_dir(fd, &to), 0);
	assert_int_equal(fchmod(fd, 01777), 0);
	assert_int_equal(trusted_dir(fd, &to), -EPERM);
	assert_int_equal(fchmod(fd, 0775), 0);
	assert_int_equal(trusted_dir(fd, &to), -EPERM);
	assert_string_equal(reported,
			    "0: mode 1777: group and others must not be able to write\n"
			    "0: mode 0775: group and others must not be able to write\n");
	assert_int_equal(fchmod(fd, 0755), 0);
	if (geteuid() == 0) {
		reported[0] = '\0';
		assert_int_equal(fchown(fd, 65534, 0), 0);
		assert_int_equal(trusted_dir(fd, &to), -EPERM);
		assert_string_equal(reported,
				    "0: owned by uid 65534: expected root or who "
				    "runs this program\n");
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test_setup_teardown(test_as_iniparser, scratch_make,
						scratch_remove),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_many_complaints),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test_setup_teardown(test_load, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(test_modes, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(test_owner, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(test_kinds, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(test_largest, scratch_make,
						scratch_remove),
		cmocka_unit_test_setup_teardown(test_trust_dir, scratch_make,
						scratch_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
