/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "print/json_writer.h"

static char *written;
static size_t written_size;

static struct json begin(void)
{
	const struct json json = {.out = open_memstream(&written, &written_size)};

	assert_non_null(json.out);
	return json;
}

static void assert_written(const struct json *json, const char *wanted)
{
	assert_int_equal(fclose(json->out), 0);
	assert_string_equal(written, wanted);
	free(written);
}

static const struct {
	const char *text, *json;
} strings[] = {
	{"", "\"\""},
	{"sixxs0", "\"sixxs0\""},
	{"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
	{"\n\t\033\177", "\"\\u000a\\u0009\\u001b\\u007f\""},
	/* every size of character, and the limits between them */
	{"\xc3\xa4", "\"\xc3\xa4\""},
	{"\xe2\x82\xac", "\"\xe2\x82\xac\""},
	{"\xf0\x9f\x90\xa7", "\"\xf0\x9f\x90\xa7\""},
	{"\xc2\x80", "\"\xc2\x80\""},
	{"\xdf\xbf", "\"\xdf\xbf\""},
	{"\xe0\xa0\x80", "\"\xe0\xa0\x80\""},
	{"\xed\x9f\xbf", "\"\xed\x9f\xbf\""},
	{"\xee\x80\x80", "\"\xee\x80\x80\""},
	{"\xf0\x90\x80\x80", "\"\xf0\x90\x80\x80\""},
	{"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},
	/* no characters: each byte is replaced, and what follows is not swallowed */
	{"\x80", "\"\xef\xbf\xbd\""},
	{"\xff", "\"\xef\xbf\xbd\""},
	{"\xc3", "\"\xef\xbf\xbd\""},
	{"\xc3(", "\"\xef\xbf\xbd(\""},
	{"\xc3\"", "\"\xef\xbf\xbd\\\"\""},
	{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xf0\x8f\xbf\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xf0\x9f\x90", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

static void test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct json json = begin();

		json_string(&json, NULL, strings[i].text);
		assert_written(&json, strings[i].json);
	}
}

static void test_structure(void **state)
{
	struct json json = begin();

	(void)state;
	json_open(&json, NULL, '{');
	json_number(&json, "number", 4294967295);
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_null(&json, "nothing");
	json_string(&json, "odd \"key\"", NULL);
	json_open(&json, "empty", '[');
	json_close(&json, ']');
	json_open(&json, "list", '[');
	json_number(&json, NULL, 1);
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_number(&json, NULL, 2);
	json_close(&json, ']');
	json_close(&json, '}');
	assert_written(&json, "{\n"
			      "  \"number\": 4294967295,\n"
			      "  \"yes\": true,\n"
			      "  \"no\": false,\n"
			      "  \"nothing\": null,\n"
			      "  \"odd \\\"key\\\"\": null,\n"
			      "  \"empty\": [],\n"
			      "  \"list\": [\n"
			      "    1,\n"
			      "    {},\n"
			      "    2\n"
			      "  ]\n"
			      "}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_structure),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
