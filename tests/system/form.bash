# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The form of "status --json" as sixxs-route(8) describes it, read out of the manual's text.

# shellcheck disable=SC2154 # lib.bash's
manual=$repo/handler/dist/sixxs-route.8

# documented_form: {"version": N, "state": [WORD...], "OBJECT": {"KEY": [TYPE...]}}. A TYPE is string,
# number, boolean, null, state, an OBJECT, item (each kind of it), one of these with [] behind it
# (a list), "optional", or a word that stands there.
documented_form() {
	awk '
		function leave() { if (object) printf "}"; object = "" }
		/^\.Ss / { leave(); on = /^\.Ss JSON/; names = /^\.Ss Status/ }
		BEGIN { printf "{\"state\": [" }
		names && /^\.It / { printf "%s\"%s\"", n++ ? ", " : "", substr($0, 5) }
		!on { next }
		!began++ { printf "]" }
		/^\.Cm version$/ { getline; printf ", \"version\": %d", $2 }
		/^\.Em / { last = $2 }
		/has$/ { leave(); object = last; keys = 0; printf ", \"%s\": {", object }
		object && /^\.It / {
			sub(/^\.It (Xo )?Cm /, "")
			key = $1
			if (NF == 1) { getline; $0 = "x " $0 }
			sub(/^[^ ]+ \.?P[qo] /, "")
			optional = sub(/ , with Fl -ping Pc$/, " | optional")
			printf "%s\"%s\": [", keys++ ? ", " : "", key
			k = split($0, types, / \| /)
			for (i = 1; i <= k; i++) printf "%s\"%s\"", (i > 1 ? ", " : ""), types[i]
			printf "]"
		}
		END { print "}" }' "$manual"
}

# shellcheck disable=SC2016 # variables of jq
form_filters='
	def kinds: if . == "item" then "rule-item", "route-item" else . end;
	# whether . is of TYPE, as far as can be seen from outside
	def seems($form; $kind):
		if $kind == "null" then . == null
		elif ["string", "number", "boolean"] | index($kind) then type == $kind
		elif $kind == "state" then . as $it | $form.state | index($it) != null
		elif $kind | endswith("[]") then type == "array"
		elif $form[$kind] then type == "object" and
			(($form[$kind].kind == null) or (.kind as $it | $form[$kind].kind | index($it) != null))
		else . == $kind or (type == "number" and tostring == $kind) end;
	# what is not as documented, a sentence each
	def faults($form; $types; $at):
		. as $it | [$types[] | kinds] as $types |
		[$types[] | select(. as $kind | $it | seems($form; $kind))] as $fit |
		if $fit == [] then "\($at): \($it | tojson | .[:60]) is none of \($types | join(" | "))"
		elif $fit[0] | endswith("[]") then
			range(length) as $i | .[$i] | faults($form; [$fit[0][:-2]]; "\($at)[\($i)]")
		elif type == "object" then
			$form[$fit[0]] as $keys | (keys - ($keys | keys))[] as $key | "\($at).\($key): not documented"
		else empty end,
		if type == "object" and $fit != [] then $form[$fit[0]] as $keys | $keys | keys[] as $key |
			if $it | has($key) then $it[$key] | faults($form; $keys[$key]; "\($at).\($key)")
			elif $keys[$key] | index("optional") then empty
			else "\($at).\($key): not there" end
		else empty end;
	def undocumented:
		if .version != $form.version then "version \(.version)" else empty end,
		faults($form; ["status"]; "status");
	# "OBJECT.KEY TYPE" of all that is there
	def uses($form; $types; $at):
		. as $it | first($types[] | kinds | select(. as $kind | $it | seems($form; $kind))) as $fit |
		"\($at) \($fit)",
		if $fit | endswith("[]") then .[] | uses($form; [$fit[:-2]]; $at)
		elif type == "object" then keys[] as $key | .[$key] | uses($form; $form[$fit][$key]; "\($fit).\($key)")
		else empty end;'

# form_jq PROGRAM [ARG...]: jq with these, and with the form, which is read once a file of tests.
form_jq() {
	local form=${BATS_FILE_TMPDIR:-/tmp}/form
	[ -s "$form" ] || documented_form >"$form"
	jq -n -r --argjson form "$(<"$form")" "$form_filters $1" "${@:2}"
}

# is_documented [FILE...]: each answer in these is in the form of the manual.
# shellcheck disable=SC2120 # without: of standard input
is_documented() { form_jq '[inputs | undocumented] | if . == [] then "" else .[:9][], false end' -e "$@" >&2; }

# is_so FILTER <ANSWER: it is in that form, and FILTER is true of it.
is_so() {
	local said
	said=$(form_jq "input as \$answer | [\$answer | undocumented] |
		if . == [] then [\$answer | $1] | .[-1] else .[:9][], false end" -e) && return
	printf '%s\n' "$said" >&2
	return 1
}

# form_lacks FILE...: "OBJECT.KEY TYPE" of what the manual describes and no answer in these has, but
# for the words of states.
form_lacks() {
	form_jq '
		[inputs | uses($form; ["status"]; "status")] as $used |
		[$form | to_entries[] | select(.value | type == "object") | .key as $object |
			.value | to_entries[] | "\($object).\(.key) \(.value[] | kinds | select(. != "optional"))"] -
			$used | unique[]' "$@"
}
