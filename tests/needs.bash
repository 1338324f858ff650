# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For scripts that run tests and want other programs for it.

lacking=0

# needs COMMAND:PACKAGE...: prints a line for each command that is missing, and counts it in "lacking".
# deps: the target of make that installs them.
needs() {
	local tool
	for tool; do
		command -v "${tool%:*}" >/dev/null && continue
		echo "not ok # ${tool%:*} is missing, install Debian's package ${tool#*:}${deps:+ (make $deps)}"
		lacking=$((lacking + 1))
	done
}

# Where something is lacking nothing is run.
end_if_lacking() {
	[ $lacking -eq 0 ] && return
	echo "0 passed, $lacking failed, 0 skipped"
	exit 1
}
