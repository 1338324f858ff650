# shellcheck shell=bash disable=SC2317 # functions that wait_until calls
# SPDX-License-Identifier: MIT
#
# A routing daemon beside us: its "protocol" in the kernel, its "process" and its "unit" are the file's.

# shellcheck source=tests/clients/socat.bash
. "${BASH_SOURCE[0]%/*}/socat.bash"
protocol='' process='' unit=''

# Its part: what it has in the kernel, in main and in the table of route = none.
in_main() { ip -N route show 198.18.0.0/15 && ip -6 -N route show 2001:db8:5::/48; }
in_table() { ip -N route show default table 301 && ip -6 -N route show default table 301; }
routed() {
	[ "$(in_main | grep -c "proto $protocol")" -eq 2 ] &&
		[ "$(in_table | grep -c "dev soc1 .*proto $protocol")" -eq 2 ]
}

setup() { wait_until 30 routed; }

undisturbed() { [ "$(deleted rule 'proto 166')" -eq 0 ] && [ "$(deleted route 'proto 166')" -eq 0 ]; }

daemon_restarted() {
	monitored rule
	monitored route
	systemctl restart "$unit"
	wait_until 10 some_deleted route '198.18.0.0/15'
	wait_until 30 routed
	unmonitored
	undisturbed
	ways_are_right
}

daemon_killed() {
	local before
	before=$(pgrep -x "$process")
	monitored rule
	monitored route
	kill -KILL "$before"
	another() { pgrep -x "$process" && [ "$(pgrep -x "$process")" != "$before" ]; }
	wait_until 60 another
	wait_until 60 routed
	unmonitored
	undisturbed
	ways_are_right
}

its_routes() { in_main && in_table; }
daemon_before_us() { we_start_beside its_routes; }

daemon_links_flap() {
	forgive
	ip link set soc1 down
	gone() { [ "$(in_table | grep -c 'dev soc1')" -eq 0 ]; }
	wait_until 10 gone
	ip link set soc1 up
	wait_until 30 routed
	ip link set soc0 down
	wait_until 10 table_empty 300
	ip link set soc0 up
	ways_are_right
	systemctl restart "${units[@]}"
	wait_until 30 routed
	ways_are_right
	nothing_leaked
}
