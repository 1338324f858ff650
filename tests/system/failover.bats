#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Primary and backup, carrier = needed, several sections of one interface, and the addresses that
# source = auto follows: which link packets leave by as links go and come.

# shellcheck source=packets.bash
. "$BATS_TEST_DIRNAME/packets.bash"

setup_file() {
	install_handler
	uplinks_up
	sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1 net.ipv6.conf.default.keep_addr_on_down=1
}

teardown() { packets_end off_lo 2001:db8:7::{1,2}/128 198.51.100.{7,8}/32 2a02:1::99/128; }

# the prefix that both carry: its address is no link's
both_ways() {
	address6 2001:db8:7::1/128 lo
	ip address add 198.51.100.7/32 dev lo
}

from() { [ "$1" = 4 ] && echo 198.51.100.7 || echo 2001:db8:7::1; }

one_by() { leaves "$2" ping_far "$1" -I "$(from "$1")"; }
by() { one_by 4 "$1" && one_by 6 "$1"; }
one_by_quietly() { one_by "$@" 2>/dev/null; }

pair() { # [LINE...]: of the primary
	printf '%s\n' '[tun0]' 'source = 2001:db8:7::/48, 198.51.100.7' 'table = 304' 'priority = 16380' 'wait = 0' "$@" | drop_in tun0
	printf '%s\n' '[tun1]' 'source = 2001:db8:7::/48, 198.51.100.7' 'table = 305' 'priority = 16390' 'wait = 0' 'when_down = unreachable' | drop_in tun1
}

@test "primary and backup: the recipe" {
	recipe 'Primary and backup'
	sample backup tun0 tun1
	exits 0 "$handler" check
	both_ways
	watch_start
	one_by 6 net0
	uplink tun0 1
	uplink tun1 2
	wait_until 10 routed 304
	wait_until 10 routed 305
	one_by 6 tun0
	exits 0 "$handler" status
	# the first has lost its carrier: its program has died
	ip -n pop link set far1 down
	wait_until 5 unrouted 304
	one_by 6 tun1
	ip -n pop link set far1 up
	wait_until 5 routed 304
	one_by 6 tun0
	# the first is down
	ip link set tun0 down
	one_by 6 tun1
	ip link set tun0 up
	wait_until 5 routed 304
	wait_until 5 can_ask tun0
	one_by 6 tun0
	# both: refused, and nothing else is
	ip link set tun0 down
	ip link set tun1 down
	one_by 6 none
	leaves net0 ping_far 6
	ip link del tun0
	one_by 6 none
}

# The kernel asks for a neighbour from an address of the link, which has one a moment after it is up.
can_ask() { [ -n "$(ip -6 address show dev "$1" scope link -tentative)" ]; }

uncarried() { [[ $(ip -o link show dev "$1") == *NO-CARRIER* ]]; }
routed() { ip -6 route show table "$1" 2>/dev/null | grep -q '^default .*metric 2048'; }
unrouted() { ! routed "$1"; }

both_up() {
	watch_start
	uplink tun0 1
	uplink tun1 2
	wait_until 10 routed 304
	wait_until 10 routed 305
	by tun0
}

# pair_up [LINE...]: both are up, and packets leave by the first.
pair_up() {
	pair "$@"
	both_ways
	both_up
}

# sent_by LINK: sets "n", how many packets have left by it. borne N LINK PACKETS: so many more than N have.
sent_by() { read -r n <"/sys/class/net/$1/statistics/tx_packets"; }
borne() {
	local n
	sent_by "$2" && [ $((n - $1)) -ge "$3" ]
}

# bears LINK PACKETS: waits until it has borne so many more
bears() {
	local n
	sent_by "$1" && wait_until 10 borne "$n" "$1" "$2"
}

# The first goes down until the second has borne some packets, and is up again.
goes_down_and_up() {
	ip link set tun0 down
	bears tun1 20
	ip link set tun0 up
	wait_until 5 routed 304
}

@test "the first goes down: not one packet leaves elsewhere than by the second, from the same message on" {
	pair_up
	flood 0 198.51.100.7 2001:db8:7::1
	bears tun0 100
	# the control: by net0 and by no section
	flood 1998
	for _ in {1..20}; do
		goes_down_and_up
	done
	floods_stop
	for family in 4 6; do
		[ "$(passed net0 $family "$(from $family)[.].*")" -eq 0 ]
		[ "$(passed net0 $family)" -gt 50 ]
		[ "$(passed tun0 $family "$(from $family)[.].*")" -gt 50 ]
		[ "$(passed tun1 $family "$(from $family)[.].*")" -gt 20 ]
	done
	untroubled
}

@test "the first goes down: measured, no send fails and at most what was on its way is lost" {
	pair_up
	# Nobody has to be asked for an address: what waits for the answer is lost at the next down, on a
	# busy machine all that is sent while the link is up.
	ip link set tun0 arp off
	ip link set tun1 arp off
	local before=() well=() failed=() family i gone downs=20
	for family in 4 6; do
		before+=($(($(passed tun0 $family) + $(passed tun1 $family))))
	done
	rm -f /tmp/sent
	COUNTS=/tmp/sent flood 0 198.51.100.7 2001:db8:7::1
	bears tun0 100
	for ((i = 0; i < downs; i++)); do
		goes_down_and_up
	done
	floods_stop
	read -r "well[0]" "well[1]" "failed[0]" "failed[1]" </tmp/sent
	for i in 0 1; do
		family=$((4 + 2 * i))
		gone=$((well[i] - $(passed tun0 $family) - $(passed tun1 $family) + before[i]))
		echo "IPv$family: ${well[i]} sends, ${failed[i]} failed, $gone lost in $downs downs; by the second $(passed tun1 $family)" | tee -a /tmp/measured
		[ "${failed[i]}" -eq 0 ]
		# a send every 2 ms and more: one that the link had already taken, at each down
		[ $gone -le $downs ]
		[ "$(passed net0 $family "$(from $family)[.].*")" -eq 0 ]
		[ "$(passed tun1 $family)" -gt $downs ]
	done
	# the control: without the second they do leave by net0. The watcher, told late of its going down,
	# would install it again.
	watch_stop
	ip link set tun1 down
	$handler remove tun1
	ip link set tun0 down
	wait_until 10 by net0 # its neighbour may have to be asked for first
}

# The watcher is told that the carrier is lost; how long until it has taken the route away is what the
# kernel's messages say.
@test "carrier = needed: measured, the route is gone within a burst of messages of the carrier's loss" {
	pair_up 'carrier = needed'
	local i worst=0 took monitor
	for i in {1..10}; do
		ip -ts monitor link route >/tmp/monitor 2>&1 3>&- &
		monitor=$!
		floods+=("$monitor")
		wait_until 10 awaits_more "$monitor"
		ip -n pop link set far1 down
		wait_until 5 unrouted 304
		wait_until 10 awaits_more "$monitor"
		floods_stop
		by tun1
		took=$(awk '
			/^\[/ { split($1, t, /[T:\]]/); now = t[2] * 3600 + t[3] * 60 + t[4] }
			/tun0.*state (LOWERLAYER)?DOWN/ && !lost { lost = now }
			/[Dd]eleted default .*dev tun0 .*table (304|tun0)/ && lost { gone = now }
			END { if (lost && gone) print int((gone - lost) * 1000) }' /tmp/monitor)
		[ -n "$took" ] || { cat /tmp/monitor && return 1; }
		[ "$took" -le "$worst" ] || worst=$took
		ip -n pop link set far1 up
		wait_until 5 routed 304
		by tun0
	done
	echo "at most $worst ms"
	# a burst is a few milliseconds, on a machine with much else to do some more
	[ "$worst" -lt $((250 * SLOW)) ]
	untroubled
}

@test "when_down on the primary would block its backup: an error" {
	pair 'when_down = unreachable'
	run $handler check
	[ $status -eq 1 ]
	[[ $output == *tun[01].conf:*when_down* ]]
}

@test "carrier = needed: packets go elsewhere as soon as the carrier is lost, and are back within seconds" {
	printf '[tun0]\nsource = 198.51.100.7, 2001:db8:7::1\ntable = 304\ncarrier = needed\nwait = 0\n' | drop_in tun0
	printf '[tun1]\nsource = 198.51.100.8, 2001:db8:7::2\ntable = 305\nwait = 0\n' | drop_in tun1
	both_ways
	address6 2001:db8:7::2/128 lo
	ip address add 198.51.100.8/32 dev lo
	both_up
	ip -n pop link set far1 down
	wait_until 3 unrouted 304
	by net0
	ip -n pop link set far2 down
	wait_until 10 uncarried tun1
	watch_answered
	# the control: there the carrier is ignored, and packets vanish in it
	leaves none ping_far 4 -I 198.51.100.8
	routed 305
	ip -n pop link set far1 up
	wait_until 3 routed 304
	by tun0
	sed -i '/^carrier/awhen_down = unreachable' /etc/sixxs-route/conf.d/tun0.conf
	$handler apply tun0
	ip -n pop link set far1 down
	wait_until 3 unrouted 304
	by none
	ip address del 2001:db8:7::2/128 dev lo
	ip address del 198.51.100.8/32 dev lo
}

@test "several sections of one interface: two prefixes, two gateways, each its own" {
	drop_in eth1 <<-'END'
		[first]
		interface = eth1
		source = 198.51.100.7, 2001:db8:7::1
		gateway = 10.1.0.254, fe80::fe
		prefer_main = no
		table = 321

		[second]
		interface = eth1
		source = 10.1.0.1, 2a02:1::1
		gateway = 10.1.0.253, fe80::fd
		prefer_main = no
		table = 322
	END
	both_ways
	uplink eth1 1
	ip neigh replace 10.1.0.254 dev eth1 lladdr 02:00:00:00:00:fe
	ip neigh replace fe80::fe dev eth1 lladdr 02:00:00:00:00:fe
	ip neigh replace 10.1.0.253 dev eth1 lladdr 02:00:00:00:00:fd
	ip neigh replace fe80::fd dev eth1 lladdr 02:00:00:00:00:fd
	$handler apply eth1
	exits 0 "$handler" status eth1
	capture eth1 -e -Q out "host $far4 or host $far6"
	by eth1
	leaves eth1 ping_far 4 -I 10.1.0.1
	leaves eth1 ping_far 6 -I 2a02:1::1
	captured eth1 >/tmp/frames
	cat /tmp/frames
	grep -E '> 02:00:00:00:00:fe, .* 198\.51\.100\.7 > ' /tmp/frames
	grep -E '> 02:00:00:00:00:fe, .* 2001:db8:7::1 > ' /tmp/frames
	grep -E '> 02:00:00:00:00:fd, .* 10\.1\.0\.1 > ' /tmp/frames
	grep -E '> 02:00:00:00:00:fd, .* 2a02:1::1 > ' /tmp/frames
	[ "$(grep -c 'echo request' /tmp/frames)" -eq 4 ]
	$handler remove eth1
	by net0
}

@test "source = auto, auto/prefix and source_link: the addresses that are there, as they come and go" {
	printf '[tun0]\nsource = auto\ntable = 304\nwait = 0\n' | drop_in tun0
	watch_start
	uplink tun0 1
	wait_until 10 ruled 'from 2a02:1::1 '
	leaves tun0 ping_far 4 -I 10.1.0.1
	leaves tun0 ping_far 6 -I 2a02:1::1
	ip address add 2a02:1::77/64 dev tun0
	ip address add 10.1.0.77/24 dev tun0
	wait_until 10 ruled 'from 2a02:1::77 '
	leaves tun0 ping_far 6 -I 2a02:1::77
	leaves tun0 ping_far 4 -I 10.1.0.77
	leaves net0 ping_far 6 -I 2001::1
	leaves net0 ping_far 4 -I 192.0.2.1
	ip address del 2a02:1::77/64 dev tun0
	wait_until 10 unruled 'from 2a02:1::77 '
	# prefixes: an address that stands in one is another link's
	both_ways
	printf '[tun0]\nsource = auto/prefix\ntable = 304\nwait = 0\n' | drop_in tun0
	$handler apply tun0
	rules | has '16383: from 2a02:1::/64 lookup tun0 proto sixxs'
	rules4 | has '16383: from 10.1.0.0/24 lookup tun0 proto sixxs'
	address6 2a02:1::99/128 lo
	leaves tun0 ping_far 6 -I 2a02:1::99
	ip address del 2a02:1::99/128 dev lo
	by net0
	# of another link
	printf '[tun0]\nsource = auto\nsource_link = tun1\ntable = 304\nwait = 0\n' | drop_in tun0
	$handler apply tun0
	leaves net0 ping_far 6 -I 2a02:1::1
	uplink tun1 2
	wait_until 10 ruled 'from 2a02:2::1 '
	leaves tun0 ping_far 4 -I 10.2.0.1
	leaves tun0 ping_far 6 -I 2a02:2::1
	ip link del tun1
	wait_until 10 unruled 'from 2a02:2::1 '
}

ruled() { ip -6 rule | grep -q "$1"; }
unruled() { ! ruled "$1"; }

@test "a server with two tunnels: the recipe" {
	uplink sixxs0 1
	uplink sixxs1 2
	ip address add 2a02::1/128 dev sixxs0
	ip address add 2a02::2/128 dev sixxs1
	leaves net0 ping_far 6 -I 2a02::1
	leaves net0 ping_far 6 -I 2a02::2
	recipe 'A server with two tunnels'
	sample sixxs0 sixxs0
	sample sixxs1 sixxs1
	exits 0 "$handler" check
	$handler apply --all
	ip -n pop route add 2a02::1 dev far1
	ip -n pop route add 2a02::2 dev far2
	leaves sixxs0 ping_far 6 -I 2a02::1
	leaves sixxs1 ping_far 6 -I 2a02::2
	answered 6 -I 2a02::1
	answered 6 -I 2a02::2
	leaves net0 ping_far 6
	leaves net0 ping_far 6 -I 2001::1
	$handler remove sixxs0
	leaves net0 ping_far 6 -I 2a02::1
	leaves sixxs1 ping_far 6 -I 2a02::2
}
