# shellcheck shell=bash
# SPDX-License-Identifier: MIT

# longest_first <PARTS: prints the parts of the tests, one a line, those first that took longest when it
# was measured, then the others. What ends last should be short.
longest_first() {
	awk 'BEGIN {
			n = split("system/watch.bats system/hostile.bats faults/errors faults/sick faults/looks fuzz faults/kill " \
				"memcheck/units system/ownership.bats system/events.bats system/refused.bats " \
				"memcheck/verbs system/status.bats system/commands.bats system/guard.bats protocol " \
				"system/gone.bats unit system/waiting.bats system/contested.bats system/dryrun.bats system/errors.bats", order)
			for (i = 1; i <= n; i++)
				rank[order[i]] = i
		}
		{ print ($0 in rank ? rank[$0] : n + 1), $0 }' | sort -s -n -k1,1 | cut -d' ' -f2-
}
