# shellcheck shell=bash
# SPDX-License-Identifier: MIT

# longest_first <PARTS: prints the parts of the tests, one a line, those first that took longest when it
# was measured, then the others. What ends last should be short.
longest_first() {
	awk 'BEGIN {
			n = split("system/watch-tells.bats system/watch.bats faults/sick memcheck/units system/guard.bats faults/errors " \
				"faults/looks faults/kill system/gone.bats system/events.bats system/status.bats system/waiting.bats " \
				"fuzz memcheck/verbs system/hostile.bats system/ownership.bats system/dryrun.bats " \
				"system/watch-follows.bats system/failover.bats system/boot-watch.bats system/boot-hold.bats protocol " \
				"system/ping.bats system/commands.bats unit system/gateways.bats system/refused.bats", order)
			for (i = 1; i <= n; i++)
				rank[order[i]] = i
		}
		{ print ($0 in rank ? rank[$0] : n + 1), $0 }' | sort -s -n -k1,1 | cut -d' ' -f2-
}
