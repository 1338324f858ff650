#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The route waits for its link: by event, no longer than it may, and not at all with systemd.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

trace=/tmp/trace

setup() {
	waits 60
	begin
}

teardown() {
	rm -rf /run/systemd/system $trace
	finish
}

# waits [SECONDS]: the drop-in, without the key if nothing is said.
waits() { printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n%s\n' "${1:+wait = $1}" | drop_in sixxs0; }

with_systemd() { mkdir -p /run/systemd/system; }

# The link is down, and the handler is at work on it, traced; not beside one that udev runs.
start() {
	tunnel_add sixxs0
	settle
	rm -f "$trace"
	tracer=(/usr/bin/strace -o "$trace")
	event add sixxs0 "$(ifindex sixxs0)" 3>&- &
	handler_pid=$!
}

# polled N: it has begun to wait, for the Nth time.
polled() { [ "$(grep -c '^poll(' $trace)" -ge "$1" ]; }

start_waiting() {
	start
	wait_until 10 polled 1
}

is_over() { ! runs $handler_pid; }

# The handler ends by itself, long before its 60 seconds are over, and has not failed.
over() { wait_until 30 is_over && wait $handler_pid; }

pending() { echo "daemon.warn sixxs0: the link is still down after $1 s: its default route is pending; once it is up, run: sixxs-route apply sixxs0"; }

# From the first wait on.
calls() { sed -nE '/^poll\(/,$ s/\(.*//p' $trace; }

@test "waits for the link, and puts the route in place" {
	handler_off
	start_waiting
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	assert_same "" "$(ip -6 route show table sixxs0 2>&1)"
	tunnel_up sixxs0
	over
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	logged 1 '^daemon.info sixxs0: added 1 route, 1 rule; link up$'
	logged 1 .
	$handler remove sixxs0
}

@test "carrier = needed: a link that is up without a carrier is not called down" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 200\ncarrier = needed\nwait = 1'
	ip link add sixxs0 type veth peer name other0
	ip link set sixxs0 up
	settle
	logged 1 '^daemon.info sixxs0: added 1 rule; the link has no carrier, the route waits for it$'
	logged 1 '^daemon.warn sixxs0: the link still has no carrier after 1 s: its default route is pending; once it has one, run: sixxs-route apply sixxs0$'
	logged 2 .
	log_restart
	exits 0 sixxs-route apply sixxs0 >/tmp/out 2>&1
	grep -F 'the link has no carrier' /tmp/out
	ip link set other0 up
	wait_until 10 carried sixxs0
	sixxs-route apply sixxs0
	routes 200 | has 'default dev sixxs0 proto sixxs metric 2048 pref medium'
	ip link del sixxs0
}

carried() { [ "$(cat "/sys/class/net/$1/carrier")" = 1 ]; }

# awaited: the link is made, and its handler waits for it. udev_is_done: it does no longer.
awaited() {
	tunnel_add sixxs0
	wait_until 10 test -e /run/sixxs-route/sixxs0.record
}

udev_is_done() { timeout $((30 * SLOW)) udevadm settle; }

@test "by udev: waits for the link, and puts the route in place" {
	awaited
	tunnel_up sixxs0
	udev_is_done
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
}

@test "waits no longer than it may, and says what is pending" {
	handler_off
	waits 1
	start
	over
	log_lines | has "$(pending 1)"
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	$handler remove sixxs0
}

@test "waits as long as it may" {
	handler_off
	waits 2
	tunnel_add sixxs0
	settle
	begun=${EPOCHREALTIME/[.,]/}
	exits 0 event add sixxs0 "$(ifindex sixxs0)"
	[ $((${EPOCHREALTIME/[.,]/} - begun)) -ge 2000000 ]
	log_lines | has "$(pending 2)"
	$handler remove sixxs0
}

@test "waits 5 seconds if nothing is said" {
	handler_off
	waits
	start
	over
	log_lines | has "$(pending 5)"
	$handler remove sixxs0
}

# A poller would make more calls the longer it waits.
# udev has 20 workers on a machine of two processors: 79 links that stay down would hold all of
# them for a quarter of a minute.
@test "79 links that stay down: most wait a second, and what comes behind them is not held back for long" {
	local i start
	for ((i = 0; i < 79; i++)); do
		printf '[sixxs%d]\nsource = 2a02:1::%x\ntable = %d\n' $i $((i + 1)) $((1000 + i)) | drop_in sixxs$i
	done
	start=$EPOCHREALTIME
	for ((i = 0; i < 79; i++)); do
		echo "tuntap add sixxs$i mode tun"
	done | ip -batch -
	udevadm settle
	((${EPOCHREALTIME/[.,]/} - ${start/[.,]/} < 12000000 * SLOW))
	[ "$(ip -6 rule | grep -c 'from 2a02:1::')" -eq 79 ]
	# eight at a time wait as long as else
	told '^daemon.warn sixxs[0-9]+: the link is still down after 5 s: '
	[ "$(log_lines | grep -cE '^daemon.warn sixxs[0-9]+: the link is still down after 1 s \(no longer, as many links are waited for\): ')" -ge 55 ]
	[ "$(log_lines | grep -c 'the link is still down after')" -eq 79 ]
	for ((i = 0; i < 79; i++)); do
		rm /etc/sixxs-route/conf.d/sixxs$i.conf
		echo "link del sixxs$i"
	done | ip -batch -
	udevadm settle
}

# A value that is set counts.
@test "with many waiting a wait that is set counts all the same" {
	local holder
	waits 2
	mkdir -p /run/sixxs-route
	# all slots: a lock of the whole file
	python3 -c 'import fcntl, struct, time
f = open("/run/sixxs-route/lock", "w")
fcntl.lockf(f, fcntl.LOCK_EX)
open("/tmp/all-slots", "w")
time.sleep(60)' &
	holder=$!
	wait_until 10 [ -e /tmp/all-slots ]
	handler_off
	tunnel_add sixxs0
	exits 0 event add sixxs0 "$(ifindex sixxs0)"
	kill $holder
	told "^$(pending 2)"
}

@test "does nothing while it waits" {
	handler_off
	waits 1
	start
	over
	calls >/tmp/calls.1
	$handler remove sixxs0
	tunnel_del sixxs0
	rm /run/sixxs-route/connects.sixxs0 # which the second would read
	waits 3
	start
	over
	calls >/tmp/calls.3
	diff -u /tmp/calls.1 /tmp/calls.3
	assert_same 1 "$(grep -cx poll /tmp/calls.3)"
	assert_same "" "$(grep -E 'sleep|alarm|timer' /tmp/calls.3)"
	grep -qE '^poll\(.*, 1, [0-9]+\) += 0 \(Timeout\)' $trace
	$handler remove sixxs0
}

@test "wakes up at an event of its link, not of another's" {
	handler_off
	start_waiting
	tunnel_add other0
	tunnel_up other0
	wait_until 10 polled 2
	assert_same "" "$(ip -6 route show table sixxs0 2>&1)"
	kill -0 $handler_pid
	tunnel_up sixxs0
	over
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	$handler remove sixxs0
}

@test "ends at once when the link vanishes" {
	handler_off
	start_waiting
	tunnel_del sixxs0
	over
	logged 0 'pending|^daemon.err'
	exits 0 event remove sixxs0 1
}

@test "by udev: ends at once when the link vanishes" {
	awaited
	tunnel_del sixxs0
	udev_is_done
	assert_same "$baseline" "$(snapshot)"
	logged 0 'pending|^daemon.err'
}

@test "by udev: ends at once when the link gets another name" {
	awaited
	ip link set dev sixxs0 name plain0
	udev_is_done
	assert_same "$baseline" "$(snapshot)"
	logged 0 'pending|^daemon.err'
}

@test "by udev: ends at once when the link goes to another network namespace" {
	ip netns add elsewhere
	awaited
	ip link set dev sixxs0 netns elsewhere
	udev_is_done
	ip netns del elsewhere
	assert_same "$baseline" "$(snapshot)"
	logged 0 'pending|^daemon.err'
}

@test "by udev: a link that vanishes and comes again while it is waited for" {
	awaited
	ip -batch - <<<$'link del dev sixxs0\ntuntap add dev sixxs0 mode tun\nlink set dev sixxs0 up'
	udev_is_done
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
}

@test "ends when another run has put the route in place" {
	handler_off
	start_waiting
	tunnel_up sixxs0
	exits 0 $handler apply sixxs0
	over
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	$handler remove sixxs0
}

@test "ends when the section is gone as the link comes up" {
	handler_off
	start_waiting
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	tunnel_up sixxs0
	over
	assert_same "$baseline" "$(snapshot)"
}

@test "a link that comes up and goes down again is waited for on" {
	handler_off
	start_waiting
	pkill -STOP -x sixxs-route
	tunnel_up sixxs0
	tunnel_down sixxs0
	pkill -CONT -x sixxs-route
	wait_until 10 polled 3
	kill -0 $handler_pid
	tunnel_up sixxs0
	over
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	$handler remove sixxs0
}

does_not_wait() {
	start
	over
	exits 1 grep -q '^poll(' $trace
	logged 1 '^daemon.info sixxs0: added 1 rule; link down, the route waits for it$'
	logged 1 .
	$handler remove sixxs0
}

@test "wait = 0: no waiting" {
	handler_off
	waits 0
	does_not_wait
}

@test "a link that is up is not waited for" {
	handler_off
	tunnel_add sixxs0
	tunnel_up sixxs0
	tracer=(/usr/bin/strace -o "$trace")
	exits 0 event add sixxs0 "$(ifindex sixxs0)"
	exits 1 grep -q '^poll(' $trace
	$handler remove sixxs0
}

@test "a name that cannot be had does not end the waiting" {
	mkdir -p /run/sixxs-route/rt_tables
	awaited
	tunnel_up sixxs0
	udev_is_done
	routes 200 | has 'default dev sixxs0 proto sixxs metric 2048 pref medium'
	rmdir /run/sixxs-route/rt_tables
	sixxs-route remove sixxs0
}

@test "a wait that cannot go on is an error that says so, and what to do" {
	handler_off
	tunnel_add sixxs0
	tracer=(/usr/bin/strace -o "$trace" -e inject=poll:error=ENOMEM)
	exits 1 event add sixxs0 "$(ifindex sixxs0)"
	logged 1 '^daemon.err sixxs0: cannot wait for the link: Cannot allocate memory: once it is up and has its addresses, run: sixxs-route apply sixxs0$'
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	$handler remove sixxs0
}

@test "with systemd: no waiting" {
	handler_off
	with_systemd
	waits
	does_not_wait
}

@test "with systemd: a wait that is set counts all the same" {
	handler_off
	with_systemd
	start_waiting
	tunnel_up sixxs0
	over
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	$handler remove sixxs0
}

@test "with systemd: wait = 0 is no waiting" {
	handler_off
	with_systemd
	waits 0
	start
	over
	exits 1 grep -q '^poll(' $trace
	$handler remove sixxs0
}

@test "apply does not wait" {
	handler_off
	tunnel_add sixxs0
	strace -o $trace $handler apply sixxs0
	exits 1 grep -q '^poll(' $trace
	$handler remove sixxs0
}

# ---- source = auto, gateway = auto: the link is up, and that is not all -------------------

auto() { printf '[sixxs0]\nsource = auto\ntable = 200\nwait = %s\n%s\n' "$1" "${2-}" | drop_in sixxs0; }

pending_address() { echo "daemon.warn sixxs0: the link still has no address after $1 s: its rules are pending; once it has one, run: sixxs-route apply sixxs0"; }

@test "source = auto: waits for the link, then for the address" {
	handler_off
	auto 60
	start_waiting
	tunnel_up sixxs0
	wait_until 10 polled 2
	wait_until 10 handler_waits
	# of no use
	ip address add fe80::1/64 dev sixxs0
	wait_until 10 handler_waits
	ip address add 2a02::5/64 dev sixxs0
	over
	rules | has '16383: from 2a02::5 lookup sixxs0 proto sixxs'
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	logged 0 '^daemon.(err|warn)'
	$handler remove sixxs0
}

@test "source = auto, by udev: up first, the address up to two seconds later" {
	auto 10
	for delay in 0.2 1 2; do
		tunnel_add sixxs0
		tunnel_up sixxs0
		nap $delay # the time is a part of it
		ip address add 198.51.100.5/24 dev sixxs0
		udev_is_done
		rules4 | has '16383: from 198.51.100.5 lookup sixxs0 proto sixxs'
		assert_same 'default dev sixxs0 proto sixxs scope link metric 2048' "$(routes4 sixxs0)"
		tunnel_del sixxs0
		settle
	done
	logged 0 '^daemon.(err|warn)'
}

@test "source = auto: an address that is tentative for a second" {
	auto 10
	udev_holds
	ip link add sixxs0 type veth peer name other0
	ip link set other0 up
	sysctl -qw net.ipv6.conf.sixxs0.accept_dad=1 net.ipv6.conf.sixxs0.dad_transmits=1
	tunnel_up sixxs0
	ip address add 2a02::8/64 dev sixxs0
	udev_goes_on
	udev_is_done
	rules | has '16383: from 2a02::8 lookup sixxs0 proto sixxs'
	logged 0 '^daemon.(err|warn)'
	tunnel_del other0
}

# Of Ethernet with both: the lease is there, while the other is looked for among the neighbours.
@test "source = auto: an IPv4 address is there, and an IPv6 one tentative" {
	auto 10
	udev_holds
	ip link add sixxs0 type veth peer name other0
	ip link set other0 up
	sysctl -qw net.ipv6.conf.{sixxs0,other0}.accept_dad=1 net.ipv6.conf.sixxs0.dad_transmits=2
	ip address add 198.51.100.5/24 dev sixxs0
	tunnel_up sixxs0
	ip address add 2a02::8/64 dev sixxs0
	udev_goes_on
	udev_is_done
	rules4 | has '16383: from 198.51.100.5 lookup sixxs0 proto sixxs'
	rules | has '16383: from 2a02::8 lookup sixxs0 proto sixxs'
	logged 0 '^daemon.(err|warn)'
	logged 1 '^daemon.info sixxs0: added 2 routes, 2 rules; link up$'
	# it is a duplicate: that ends it, too
	ip address add 2a02::9/64 dev other0 nodad
	log_restart
	ip address add 2a02::9/64 dev sixxs0
	handler_off
	auto 60
	exits 0 event change sixxs0 "$(ifindex sixxs0)"
	ip -6 address show dev sixxs0 | grep '2a02::9.*dadfailed'
	logged 0 '^daemon.(err|warn)'
	# at the deadline one warning
	auto 1
	sysctl -qw net.ipv6.conf.sixxs0.dad_transmits=60
	ip address add 2a02::10/64 dev sixxs0
	exits 0 event change sixxs0 "$(ifindex sixxs0)"
	log_lines | has 'daemon.warn sixxs0: an address of the link is still tentative after 1 s: its rule is pending; once it is in use, run: sixxs-route apply sixxs0'
	logged 1 '^daemon.(err|warn)'
	run sixxs-route apply sixxs0
	[[ $output == *'sixxs0: nothing to do; an address of the link is tentative yet' ]]
	handler_on
	tunnel_del other0
}

@test "source = auto: at the deadline one warning" {
	handler_off
	auto 1
	tunnel_add sixxs0
	tunnel_up sixxs0
	exits 0 event add sixxs0 "$(ifindex sixxs0)"
	log_lines | has "$(pending_address 1)"
	logged 1 '^daemon.(err|warn)'
	$handler remove sixxs0
}

@test "source_link: waits for the address of the other link" {
	handler_off
	auto 60 'source_link = other0'
	start_waiting
	tunnel_add other0
	tunnel_up other0
	tunnel_up sixxs0
	wait_until 10 polled 2
	ip address add 2a02::5/64 dev other0
	over
	rules | has '16383: from 2a02::5 lookup sixxs0 proto sixxs'
	$handler remove sixxs0
}

routed4() { routes4 sixxs0 2>/dev/null | grep -q '^default via 198.51.100.1 '; }

@test "gateway = auto: waits for main's default route by the link" {
	handler_off
	printf '[sixxs0]\nsource = 198.51.100.7\ngateway = auto\nprefer_main = no\ntable = 200\nwait = 60\n' | drop_in sixxs0
	start_waiting
	tunnel_up sixxs0
	ip address add 198.51.100.7/24 dev sixxs0
	wait_until 10 polled 2
	wait_until 10 handler_waits
	ip route add default via 198.51.100.1 dev sixxs0 metric 50
	over
	routes4 sixxs0 | grep '^default via 198.51.100.1 dev sixxs0 .*metric 2048'
	$handler remove sixxs0
	tunnel_del sixxs0
	# of each family that has a source
	printf '[sixxs0]\nsource = 198.51.100.7, 2a02::7\ngateway = auto\nprefer_main = no\ntable = 200\nwait = 60\n' | drop_in sixxs0
	start_waiting
	tunnel_up sixxs0
	ip route add default via 198.51.100.1 dev sixxs0 metric 50 onlink
	wait_until 10 routed4
	wait_until 10 polled 2
	kill -0 $handler_pid
	ip -6 route add default via fe80::1 dev sixxs0 metric 50
	over
	routes sixxs0 | grep '^default via fe80::1 dev sixxs0 .*metric 2048'
	$handler remove sixxs0
	# at the deadline
	ip route del default dev sixxs0 metric 50
	ip -6 route del default dev sixxs0 metric 50
	printf '[sixxs0]\nsource = 198.51.100.7\ngateway = auto\nprefer_main = no\ntable = 200\nwait = 1\n' | drop_in sixxs0
	exits 0 event add sixxs0 "$(ifindex sixxs0)"
	log_lines | has 'daemon.warn sixxs0: main still has no IPv4 default route by the link after 1 s: its own is pending; once there is one, run: sixxs-route apply sixxs0'
	$handler remove sixxs0
}
