#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The watcher on a machine without systemd: what it mends, how fast, at what cost.
# wait = 0 everywhere: here the udev handler would else do itself what the watcher is for.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	install_handler
	# a link that packets can leave by, unlike a tun that nobody has opened
	ip netns add isp
	ip link add net0 type veth peer name host netns isp
	ip -n isp link set host up
	ip link set net0 up
	ip address add 192.0.2.1/24 dev net0
	ip address add 2001::1/64 dev net0 nodad
	ip neigh add 192.0.2.2 dev net0 lladdr 02:00:00:00:00:01
	ip neigh add 2001::2 dev net0 lladdr 02:00:00:00:00:01
	ip route add default via 192.0.2.2
	ip -6 route add default via 2001::2
	settle
}

setup() {
	begin
	drop_in sixxs0 <<-'END'
		[sixxs0]
		source = 2a02::1, 198.51.100.7
		table = 200
		when_down = unreachable
		prefer_main = yes
		wait = 0
	END
}

teardown() {
	local status=0
	watch_stop || status=1
	[ -z "$flood" ] || kill "$flood"
	umount /run/sixxs-route 2>/dev/null || true
	ip -force -batch - <<<$'address del 2a02::1/128 dev lo\naddress del 198.51.100.7/32 dev lo' 2>/dev/null || true
	ip netns del elsewhere 2>/dev/null || true
	ip -o link | sed -nE 's/^[0-9]+: (other[0-9]+)@.*/link del \1/p' | ip -batch -
	finish || status=1
	return $status
}

watcher="" flood=""

watch_start() {
	sixxs-route watch >/tmp/watch.log 2>&1 3>&- &
	watcher=$!
	# once it has its signals in hand, it has subscribed
	wait_until 10 watch_listens
}

watch_listens() { grep -q '^SigBlk:.*[1-9a-f]' "/proc/$watcher/status"; }

watch_stop() { # [SIGNAL]: it has to end with status 0
	local status=0
	[ -n "$watcher" ] || return 0
	kill -CONT "$watcher" && kill -"${1-TERM}" "$watcher"
	wait "$watcher" || status=$?
	watcher=
	return $status
}

watch_wakes() { sed -n 's/^voluntary_ctxt_switches:\t*//p' "/proc/$watcher/status"; }

# notifications that the kernel could not queue for it
watch_drops() {
	find "/proc/$watcher/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' |
		awk 'NR == FNR { own[$1]; next } $10 in own { drops += $9 } END { print drops + 0 }' - /proc/net/netlink
}

# microseconds of CPU that it has used
watch_cpu() { awk '{ printf "%d\n", $1 / 1000 }' "/proc/$watcher/schedstat"; }

tunnel() { # add it, and bring it up
	tunnel_add "$1" && settle && tunnel_up "$1"
}

counts() { # FAMILY LINES: exactly so many rules and routes bear our mark
	local n
	ours_count "$1"
	[ $n -eq "$2" ]
}

# the kernel's, in no order: what was put back stands behind its equals
state() { kernel | LC_ALL=C sort; }

complete() { counts 6 4 && counts 4 4; } # two rules, route, fallback
down_complete() { counts 6 3 && counts 4 3; }
gone() { counts 6 0 && counts 4 0; }

@test "a link that comes up long after its add event gets its routes, of both families" {
	watch_start
	tunnel_add sixxs0
	settle
	sleep 2
	down_complete
	tunnel_up sixxs0
	wait_until 10 complete
	# and what is there is what an event would have made of it
	local before
	before=$(state)
	sixxs-route apply sixxs0
	assert_same "$before" "$(state)"
}

@test "what happened before it started is made good at its start" {
	tunnel sixxs0
	down_complete
	watch_start
	wait_until 10 complete
}

@test "down and up, a thousand times: the route is back every time" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before i
	before=$(state)
	for ((i = 0; i < 1000; i++)); do
		tunnel_down sixxs0
		tunnel_up sixxs0
		wait_until 10 counts 6 4
	done
	wait_until 10 complete
	assert_same "$before" "$(state)"
}

@test "down and up, a thousand times without a pause: the last state counts" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before i
	before=$(state)
	for ((i = 0; i < 1000; i++)); do
		echo link set sixxs0 down
		echo link set sixxs0 up
	done | ip -batch -
	wait_until 10 complete
	assert_same "$before" "$(state)"
	{ cat /dev/fd/3 && echo link set sixxs0 down; } 3< <(yes $'link set sixxs0 down\nlink set sixxs0 up' | head -n 200) | ip -batch -
	wait_until 10 down_complete
}

@test "a rule or route that somebody deletes is back at once" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before command
	before=$(state)
	while read -r command; do
		# shellcheck disable=SC2086 # words
		ip $command
		wait_until 10 complete
		assert_same "$before" "$(state)"
	done <<-'END'
		-6 rule del from 2a02::1 table 200 pref 16383
		-6 rule del from 2a02::1 table main pref 16382
		-4 rule del from 198.51.100.7 table 200 pref 16383
		-4 rule del from 198.51.100.7 table main pref 16382
		-6 route del default dev sixxs0 table 200
		-4 route del default dev sixxs0 table 200
		-6 route del unreachable default table 200 metric 4294967295
		-4 route del unreachable default table 200 metric 4294967295
		-6 route flush table 200
	END
}

@test "whatever a section selects by: each rule and route that somebody deletes is back at once" {
	drop_in sixxs0 <<-'END'
		[sixxs0]
		source = 2001:db8:5::/48
		fwmark = 0x1/0xff
		user = 1000-1999
		bound = yes
		from_link = lan0
		table = 200
		gateway = fe80::1, 198.51.100.1
		when_gone = unreachable

		[many]
		interface = sixxs0
		source = 2001:db8:6::1
		steer = source-route
		table = 400

		[others]
		interface = sixxs0
		fwmark = 0x200/0xff00
		priority = 16390
		route = none
		table = 254
	END
	watch_start
	tunnel sixxs0
	# 2 of the source, 4 of each other selector, the shared one, 4 of the last section; 4 routes and 1
	wait_until 10 all_there 28
	local before command n=0
	before=$(state)
	{
		for family in 6 4; do
			ip -N -$family rule | squeeze | sed -nE "s/^([0-9]+): (.*) proto 166$/-$family rule del pref \1 \2 proto 166/p"
			ip -N -$family route show table 200 | squeeze | sed -nE "s/^((7 |unreachable )?default( .*)?) proto 166 .*/-$family route del \1 table 200/p"
		done
		echo '-6 route del default from 2001:db8:6::1 dev sixxs0 table 400'
	} | sed 's/ \[detached\]//; s/ onlink//; s/ dev lo / /; s/del 7 default/del unreachable default/' >/tmp/commands
	while read -r command; do
		echo "$command"
		# shellcheck disable=SC2086 # words
		ip $command
		wait_until 10 all_there 28
		assert_same "$before" "$(state)"
		n=$((n + 1))
	done </tmp/commands
	[ $n -eq 28 ]
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0
	gone
}

all_there() { # N
	local n
	ours_count 6 4
	[ $n -eq "$1" ]
}

@test "a route that somebody puts another in the place of is asked for, and back once that one is gone" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before route
	before=$(state)
	while read -r route; do
		log_restart
		# shellcheck disable=SC2086 # words
		ip ${route/ / route replace default }
		wait_until 10 told '^daemon.err sixxs0: table 200 already has a default route that is not ours'
		# shellcheck disable=SC2086 # words
		ip ${route/ / route del default }
		wait_until 10 complete
		assert_same "$before" "$(state)"
	done <<-'END'
		-6 dev net0 table 200 metric 2048
		-4 dev net0 table 200 metric 2048
		-6 dev net0 table 200 metric 4294967295
		-4 dev net0 table 200 metric 4294967295
	END
}

@test "remove, and udev's remove of a link that stays, stick until the next event" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local i tracer=(/usr/bin/strace -qq -o /dev/null -e inject=unlinkat:delay_enter=100ms)
	# slow enough for the watcher to read the record before it is emptied
	for i in {1..3}; do
		"${tracer[@]}" sixxs-route remove sixxs0
		sleep 0.15
		gone
		sixxs-route apply sixxs0
		complete
		event remove sixxs0 "$(ifindex sixxs0)"
		sleep 0.15
		gone
		sixxs-route apply sixxs0
	done
	for i in {1..20}; do
		sixxs-route remove sixxs0
		sleep 0.15
		gone
		sixxs-route apply sixxs0
		sleep 0.05
	done
	udevadm trigger --action=remove /sys/class/net/sixxs0
	settle
	sleep 0.15
	gone
	# a link that comes up is an event
	tunnel_down sixxs0
	tunnel_up sixxs0
	wait_until 10 complete
}

@test "remove is the last word, also about what is put off" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	tunnel_down sixxs0
	ip link set sixxs0 mtu 1000
	tunnel_up sixxs0
	wait_until 10 told '^daemon.err sixxs0: .*ip -6 route add'
	sixxs-route remove sixxs0
	ip link set sixxs0 mtu 1500
	sleep 2.5
	gone
	sixxs-route apply sixxs0
	complete
	perl -e 'open my $ip, "|-", "ip", "-6", "-force", "-batch", "-" or die; $ip->autoflush;
		for (1 .. 16) { print $ip "rule del from 2a02::1 table 200\n"; select undef, undef, undef, 0.05 * $ENV{SLOW} }' 2>/dev/null || true
	sixxs-route remove sixxs0
	logged 1 'is deleted over and over'
	sleep 2
	gone
}

@test "a link that loses IPv6 and has it back has its route back" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before off on
	before=$(state)
	while IFS=/ read -r off on; do
		log_restart
		$off
		wait_until 10 told '^daemon.err sixxs0: .*ip -6 route add default dev sixxs0'
		counts 4 4
		$on
		wait_until 10 complete
		assert_same "$before" "$(state)"
		# and so it is if the link only now comes up
		tunnel_down sixxs0
		wait_until 10 down_complete
		$off
		log_restart
		tunnel_up sixxs0
		wait_until 10 told '^daemon.err sixxs0: .*ip -6 route add default dev sixxs0'
		$on
		wait_until 10 complete
		assert_same "$before" "$(state)"
	done <<-'END'
		ip link set sixxs0 mtu 1000/ip link set sixxs0 mtu 1500
		sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=1/sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=0
	END
	# and the kernel is nobody to fight with
	for _ in {1..15}; do
		ip -batch - <<<$'link set sixxs0 mtu 1000\nlink set sixxs0 mtu 1500'
		wait_until 10 complete
	done
	logged 0 'is deleted over and over'
}

# tries SECONDS: what it asks of locks in that time goes to /tmp/tries
tries() {
	timeout "$1" strace -qq -e trace=flock -o /tmp/tries -p "$watcher" 3>&- || [ $? -eq 124 ]
}

@test "what fails is told once, tried again ever less often, and never once it has succeeded" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	ip link set sixxs0 mtu 1000
	wait_until 10 told '^daemon.err sixxs0: .*ip -6 route add'
	tries 8.5
	# after 1, 2 and 4 s, each with the lock taken; told once
	[ "$(grep -c LOCK_EX /tmp/tries)" -eq 3 ]
	logged 1 '^daemon.err '
	ip link set sixxs0 mtu 1500
	wait_until 10 complete
	# (it has told of it a second later)
	sleep 1.2
	local wakes
	wakes=$(watch_wakes)
	sleep 3
	[ "$(watch_wakes)" -eq "$wakes" ]
	# the next failure is a first one
	ip link set sixxs0 mtu 1000
	wait_until 10 counts 6 3
	ip link set sixxs0 mtu 1500
	wait_until 10 complete
}

@test "a run folder that is full as the link comes up" {
	mkdir -p /run/sixxs-route
	mount -t tmpfs -o mode=755,size=24k tmpfs /run/sixxs-route
	watch_start
	tunnel_add sixxs0
	settle
	down_complete
	cat /dev/zero >/run/sixxs-route/filler 2>/dev/null || true
	tunnel_up sixxs0
	wait_until 10 told '^daemon.err sixxs0: cannot write its record: No space left on device'
	down_complete
	rm /run/sixxs-route/filler
	wait_until 10 complete
	# without a record there is nothing that "remove" could have taken away
	tunnel_del sixxs0
	wait_until 10 gone
	settle
	cat /dev/zero >/run/sixxs-route/filler 2>/dev/null || true
	tunnel sixxs0
	sleep 0.5
	gone
	rm /run/sixxs-route/filler
	wait_until 10 complete
	tunnel_del sixxs0
	settle
	wait_until 10 gone
	watch_stop
	umount /run/sixxs-route
}

@test "what fails as it starts is tried again too" {
	tunnel sixxs0
	mkdir -p /run/sixxs-route
	chmod 777 /run/sixxs-route
	watch_start
	wait_until 10 told '^daemon.err cannot read the run folder /run/sixxs-route: Operation not permitted'
	chmod 755 /run/sixxs-route
	wait_until 10 complete
	watch_stop
	sixxs-route remove sixxs0
	ip link set sixxs0 mtu 1000
	watch_start
	wait_until 10 told '^daemon.err sixxs0: .*ip -6 route add default dev sixxs0'
	ip link set sixxs0 mtu 1500
	wait_until 10 complete
}

# locked_out SECONDS: the link comes up while another, "holder", has the lock for so long.
locked_out() {
	watch_start
	tunnel_add sixxs0
	settle
	down_complete
	flock /run/sixxs-route/lock sleep "$1" 3>&- &
	holder=$!
	wait_until 10 is_locked
	tunnel_up sixxs0
}

@test "the lock is held for longer than anybody waits: it says so once, and is back at once" {
	locked_out 12
	# it does not wait for it: others' matters go on, and it can be stopped
	tries 2
	[ "$(grep -c 'LOCK_EX|LOCK_NB.*EAGAIN' /tmp/tries)" -ge 2 ]
	[ "$(wc -l </tmp/tries)" -le 20 ]
	wait_until 12 told "^daemon.err another sixxs-route has kept the lock of /run/sixxs-route for 10 seconds"
	down_complete
	wait "$holder"
	wait_until 2 complete
	logged 1 'has kept the lock'
}

@test "stopped while another has the lock, it says what it leaves undone" {
	locked_out 30
	tries 2
	watch_stop
	logged 1 '^daemon.warn watch: it ends before it came to sixxs0; see: sixxs-route status'
	down_complete
	pkill -P "$holder"
}

@test "who deletes over and over is named in one line, and all is back within about a second, always" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local cpu mended monitor
	cpu=$(watch_cpu)
	stdbuf -oL ip -6 -N monitor rule >/tmp/monitor 3>&- &
	monitor=$!
	log_restart
	# one process, which is still there when it is looked for
	perl -e 'open my $ip, "|-", "ip", "-6", "-force", "-batch", "-" or die; $ip->autoflush;
		for (1 .. 120) { print $ip "rule del from 2a02::1 table 200\n"; select undef, undef, undef, 0.05 }' 2>/dev/null || true
	logged 1 'is deleted over and over'
	logged 1 '^daemon.warn sixxs0: what "ip -6 rule add .*from 2a02::1 lookup 200 .*" adds is deleted over and over by netlink port [0-9]+ \(.* process ip\)'
	# ten at once, then one a second, for six seconds
	kill $monitor
	mended=$(grep -c '^16383:.*from 2a02::1 lookup 200 proto 166' /tmp/monitor)
	[ "$mended" -ge 14 ] && [ "$mended" -le 18 ]
	# a line each until it was told who does it, and then one for all of a minute
	[ "$(log_lines | grep -c 'added 1 rule; link up')" -le 10 ]
	[ $(($(watch_cpu) - cpu)) -lt 100000 ]
	wait_until 2 complete
	# other tunnels' and other objects' matters are not put off by it, nor is the link's
	tunnel_down sixxs0
	tunnel_up sixxs0
	wait_until 1 complete
	wait_until 3 told '^daemon.info sixxs0: added [0-9]+ routes?, [0-9]+ rules; link up$'
	# and it does not give up
	for _ in 1 2 3; do
		ip -6 rule del from 2a02::1 table 200 || true
		wait_until 2 complete
	done
	logged 1 'is deleted over and over'
}

@test "all rules of many tunnels deleted, again and again: all are back within about a second" {
	local i
	for i in {1..150}; do
		drop_in sixxs"$i" <<<$'[sixxs'"$i"$']\nsource = 2a02::1:'"$i"$'\ntable = 1'"$(printf %03d "$i")"$'\nname = none\nwait = 0'
	done
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 200\nname = none\nwait = 0'
	udev_holds
	for i in {0..150}; do echo tuntap add sixxs"$i" mode tun && echo link set sixxs"$i" up; done | ip -batch -
	watch_start
	wait_until 10 counts 6 302
	udev_goes_on
	settle
	counts 6 302
	# what networkd does by default, in less time than anybody would
	for _ in {1..15}; do
		for i in {1..150}; do echo rule del from 2a02::1:"$i" table 1"$(printf %03d "$i")"; done | ip -6 -force -batch - 2>/dev/null || true
		wait_until 3 counts 6 302
	done
	# in one line, whatever the number of tunnels; or in two, if its name was found later only
	told 'is deleted over and over'
	[ "$(log_lines | grep -c 'is deleted over and over')" -le 2 ]
}

@test "the udev handler and apply are no strangers" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local i before
	before=$(state)
	for i in {1..40}; do
		sixxs-route remove sixxs0
		sixxs-route apply sixxs0
	done
	wait_until 10 complete
	ip -6 rule del from 2a02::1 table 200
	wait_until 10 complete
	assert_same "$before" "$(state)"
	logged 0 'is deleted over and over'
}

@test "an apply and a remove while the watcher is stopped are no strangers" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local i before
	before=$(state)
	kill -STOP "$watcher"
	for i in {1..80}; do
		sixxs-route remove sixxs0
		sixxs-route apply sixxs0
	done
	kill -CONT "$watcher"
	sleep 0.5
	complete
	# real losses are repaired at once, as many as ever
	for i in {1..8}; do
		ip -6 rule del from 2a02::1 table 200
		sleep $((SLOW / 10)).$((SLOW % 10))
		complete
	done
	assert_same "$before" "$(state)"
	logged 0 'is deleted over and over'
}

@test "a link that flaps, and one with which our own tools work, are nobody's doing" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local i
	for i in {1..60}; do
		tunnel_down sixxs0
		tunnel_up sixxs0
		[ $((i % 3)) -ne 0 ] || sixxs-route remove sixxs0
		[ $((i % 3)) -ne 0 ] || sixxs-route apply sixxs0
	done
	wait_until 2 complete
	logged 0 'is deleted over and over'
}

# a client's: the link goes, and another comes, gets up and its addresses one by one
restarts() {
	tunnel_del sixxs0
	settle
	tunnel_add sixxs0
	settle
	sleep 0.1
	tunnel_up sixxs0
	ip address add 2a02::5/64 dev sixxs0
	sleep 0.3
	ip address add 198.51.100.7/24 dev sixxs0
	sleep 1.5
}

@test "a client's restart: two lines in the log, and a warning or an error is told once" {
	local sources words errors key
	watch_start
	echo '77 taken' >>/etc/iproute2/rt_tables.d/others.conf
	for sources in '2a02::1, 198.51.100.7' 'auto'; do
		drop_in sixxs0 <<<$'[sixxs0]\nsource = '"$sources"$'\ntable = 200\nname = taken\nconnect_limit = 64/60\nwait = 0'
		tunnel sixxs0
		restarts
		for _ in 1 2 3; do
			log_restart
			restarts
			logged 1 'sixxs0: deleted 2 rules; no such link'
			logged 1 'sixxs0: added 2 routes(, 2 rules)?; link up'
			logged 1 '^daemon.warn .*table 200 gets no name'
			logged 3 .
		done
		tunnel_del sixxs0
		settle
	done
	rm /etc/iproute2/rt_tables.d/others.conf
	# an error is told by whoever meets it first, the handler or the watcher
	while IFS=/ read -r words errors key; do
		drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 200\nwait = 0\nconnect_limit = 64/60\n'"$key"
		[ -n "$key" ] || ip -6 route add default dev net0 table 200 metric 2048
		tunnel sixxs0
		for _ in 1 2 3; do
			log_restart
			restarts
			logged 1 "$words"
			logged "$errors" '^daemon.err'
		done
		tunnel_del sixxs0
		settle
		ip -6 route flush table 200
	done <<-'END'
		table 200 already has a default route that is not ours/1/
		unknown key sauce/2/sauce = 1
	END
	# each of its own: of another link, by a replay, and once it was mended
	tunnel sixxs0
	log_restart
	replay sixxs0
	told 'unknown key sauce'
}

@test "what was done is told before it ends, and what a held back gateway lets be done is told too" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 200\ngateway = auto\nwait = 0'
	watch_start
	ip link add sixxs0 type veth peer name other0
	ip link set other0 up
	settle
	tunnel_up sixxs0
	sleep 2
	logged 0 .
	counts 6 2
	ip -6 route add default via fe80::1 dev sixxs0 metric 50
	wait_until 2 counts 6 3
	wait_until 3 told '^daemon.info sixxs0: added 1 route; link up$'
	log_restart
	tunnel_down sixxs0
	tunnel_up sixxs0
	ip -6 route add default via fe80::1 dev sixxs0 metric 50
	wait_until 2 counts 6 3
	watch_stop
	logged 1 '^daemon.info sixxs0: added 1 route; link up$'
}

@test "its own deletions and the handler's cause at most one more look" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	# (it tells of it a second later)
	sleep 1.2
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1, 2a02::2\ntable = 200\nwait = 0'
	local wakes
	wakes=$(watch_wakes)
	sixxs-route apply sixxs0
	sleep 0.5
	counts 6 3 && counts 4 0
	[ $(($(watch_wakes) - wakes)) -le 12 ] # one delete message each, eight of them, at worst
	wakes=$(watch_wakes)
	sleep 1
	[ "$(watch_wakes)" -eq "$wakes" ]
}

@test "with notifications lost (ENOBUFS) everything converges" {
	local i before
	for i in 1 2 3; do
		drop_in sixxs$i <<<$'[sixxs'$i$']\nsource = 2a02::1'$i$'\ntable = 20'$i$'\nwhen_down = unreachable\nwait = 0'
	done
	watch_start
	for i in 0 1 2 3; do tunnel sixxs$i; done
	wait_until 10 counts 6 13
	before=$(state)
	kill -STOP "$watcher"
	# what it can read is of this link alone
	for ((i = 0; i < 2000; i++)); do
		echo link set sixxs0 down
		echo link set sixxs0 up
	done | ip -batch -
	local drops
	drops=$(watch_drops)
	[ "$drops" -gt 0 ]
	ip -6 rule del from 2a02::12 table 202
	ip -6 route del unreachable default table 203 metric 4294967295
	[ "$(watch_drops)" -ge $((drops + 2)) ]
	tunnel_del sixxs1
	tunnel_add sixxs1
	settle
	tunnel_up sixxs1
	kill -CONT "$watcher"
	wait_until 10 counts 6 13
	assert_same "$before" "$(state)"
}

@test "lost notifications do not bring back what remove took away" {
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::11\ntable = 201\nwait = 0'
	drop_in sixxs2 <<<$'[sixxs2]\nsource = 2a02::12\ntable = 202\nwait = 0'
	watch_start
	tunnel sixxs0
	tunnel sixxs1
	wait_until 10 counts 6 6
	sixxs-route remove sixxs0
	wait_until 10 counts 6 2
	kill -STOP "$watcher"
	ip link add other9 type veth peer name otherpeer9
	for ((i = 0; i < 2000; i++)); do
		echo link set other9 up
		echo link set other9 down
	done | ip -batch -
	ip -6 rule del from 2a02::11 table 201
	# a link that is new, of which nobody told but the kernel
	udev_holds
	tunnel_add sixxs2
	tunnel_up sixxs2
	[ "$(watch_drops)" -gt 0 ]
	kill -CONT "$watcher"
	wait_until 10 counts 6 4
	sleep 1.5
	counts 6 4
	counts 4 0
	[ ! -e /run/sixxs-route/sixxs0.record ]
	udev_goes_on
}

@test "a notification longer than its buffer is a lost one, and no more" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	ip link add other9 type veth peer name otherpeer9
	printf 'link property add dev other9 altname a%0119d\n' {1..248} | ip -batch -
	for ((i = 0; i < 3; i++)); do
		ip link set other9 up
		ip -6 rule del from 2a02::1 table 200
		wait_until 5 complete
		ip link set other9 down
	done
	kill -0 "$watcher"
	tunnel_down sixxs0
	tunnel_up sixxs0
	wait_until 5 complete
	logged 0 '^daemon.err '
}

@test "a second watcher is refused, and watch.lock is its own" {
	watch_start
	exits 1 sixxs-route watch
	told '^daemon.err watch: another watcher works on /run/sixxs-route: this one ends'
	[ "$(stat -c %a /run/sixxs-route/watch.lock)" = 600 ]
	kill -KILL "$watcher"
	wait "$watcher" || true
	watch_start
}

@test "the last IPv4 address goes and another comes: the kernel tells nothing of the routes" {
	watch_start
	tunnel sixxs0
	local before scope
	for scope in global link host; do
		ip address add 169.254.10.2/30 dev sixxs0 scope $scope
		wait_until 10 complete
		before=$(routes4 200)
		ip address del 169.254.10.2/30 dev sixxs0
		wait_until 1 complete
		ip address add 169.254.10.6/30 dev sixxs0 scope $scope
		wait_until 1 complete
		assert_same "$before" "$(routes4 200)"
		ip address flush dev sixxs0
		wait_until 1 complete
		assert_same "$before" "$(routes4 200)"
	done
	# a renewal that flushes; secondary addresses, promoted or not
	for promote in 0 1; do
		sysctl -qw net.ipv4.conf.sixxs0.promote_secondaries=$promote
		ip address add 169.254.10.2/24 dev sixxs0
		ip address add 169.254.10.3/24 dev sixxs0
		ip address del 169.254.10.2/24 dev sixxs0
		wait_until 1 complete
		ip -batch - <<<$'address flush dev sixxs0\naddress add 169.254.10.4/24 dev sixxs0'
		wait_until 1 complete
		ip address flush dev sixxs0
		wait_until 1 complete
	done
	logged 0 '^daemon.(err|warn)'
}

@test "the last IPv4 address goes, with a gateway: the route is back, which needs none" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 198.51.100.7\ntable = 200\ngateway = 169.254.10.1\nprefer_main = no\nwait = 0'
	watch_start
	tunnel sixxs0
	ip address add 169.254.10.2/30 dev sixxs0
	wait_until 10 counts 4 2
	for _ in 1 2 3; do
		ip address del 169.254.10.2/30 dev sixxs0
		wait_until 1 counts 4 2
		ip address add 169.254.10.2/30 dev sixxs0
		wait_until 1 counts 4 2
	done
}

# with a carrier, as a tunnel's client gives it
veth_tunnel() {
	ip link add sixxs0 type veth peer name other0
	ip link set other0 up
	settle
	tunnel_up sixxs0
}

@test "IPv6 is back on a link: at once where it is told, within seconds where nothing tells it" {
	local off on within=1
	watch_start
	veth_tunnel
	for _ in 1 2; do
		wait_until 10 complete
		while IFS=/ read -r off on; do
			$off
			wait_until 2 counts 6 3
			sleep 4
			$on
			wait_until $within complete
		done <<-'END'
			ip link set sixxs0 mtu 1000/ip link set sixxs0 mtu 1500
			sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=1/sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=0
		END
		tunnel_del sixxs0
		settle
		tunnel sixxs0
		within=9
	done
	# the same trouble is told once each time
	logged 4 '^daemon.err '
}

@test "the loopback goes down, or loses IPv6: the refusing route is back" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before off on
	before=$(state)
	while IFS=/ read -r off on; do
		$off
		wait_until 2 complete
		$on
		wait_until 9 complete
		assert_same "$before" "$(state)"
	done <<-'END'
		ip link set lo down/ip link set lo up
		sysctl -qw net.ipv6.conf.lo.disable_ipv6=1/sysctl -qw net.ipv6.conf.lo.disable_ipv6=0
	END
	sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	wait_until 2 counts 4 4
	sysctl -qw net.ipv6.conf.all.disable_ipv6=0
	wait_until 9 complete
	# the uplink's, which went too
	ip address add 2001::1/64 dev net0 nodad
	ip neigh add 2001::2 dev net0 lladdr 02:00:00:00:00:01
	ip -6 route add default via 2001::2
}

@test "a route that another has changed or replaced, and a nexthop that goes without a word" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before change
	before=$(state)
	for change in -4/replace -4/change -6/replace -6/change; do
		# (of IPv6 the first is changed that has this metric, whatever its device)
		ip ${change%/*} route ${change#*/} default dev net0 table 200 metric 2048
		wait_until 2 told 'table 200 already has a default route that is not ours'
		ip ${change%/*} route del default dev net0 table 200
		wait_until 9 complete
		log_restart
	done
	# the last that is told is that the nexthop goes
	ip nexthop add id 5 dev net0
	ip -4 route replace default nhid 5 table 200 metric 2048
	wait_until 2 told 'table 200 already has a default route that is not ours'
	ip nexthop del id 5
	wait_until 9 complete
	assert_same "$before" "$(state)"
}

@test "a default of others comes before ours: told once, by watcher and apply, and no more of those behind" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before route words
	before=$(state)
	while IFS=/ read -r route words; do
		log_restart
		# shellcheck disable=SC2086 # words
		ip ${route/ / route }
		wait_until 2 told "^daemon.warn sixxs0: table 200 also has a default route that is not ours and $words \\(.*default dev (net0|nothing) .*\\): delete it, or set a lower metric\$"
		run sixxs-route apply sixxs0
		[ "$status" -eq 0 ]
		grep "table 200 also has .* and $words" <<<"$output"
		exits 1 sixxs-route status sixxs0
		# not again as the link is looked at again
		ip address add 2a02::9/128 dev sixxs0
		ip address del 2a02::9/128 dev sixxs0
		wait_until 2 complete
		# shellcheck disable=SC2086 # words
		route=${route/prepend/del} && ip ${route/ / route } && logged 2 "table 200 also has"
		wait_until 2 complete
		assert_same "$before" "$(state)"
	done <<-'END'
		-4 prepend default dev net0 table 200 metric 2048/comes before ours
		-4 prepend default dev net0 table 200/wins by its metric
		-6 prepend default dev net0 table 200 metric 1024/wins by its metric
		-4 prepend unreachable default table 200 metric 5/wins by its metric
	END
	log_restart
	ip -4 route append default dev net0 table 200 metric 2048
	ip -6 route add default dev sixxs0 table 200
	ip -4 route add default dev sixxs0 table 200
	ip route add default dev net0 table 201
	sleep 0.5
	logged 0 '^daemon.(err|warn)'
	ip -4 route del default dev net0 table 200
	ip -6 route del default dev sixxs0 table 200 metric 1024
	ip -4 route del default dev sixxs0 table 200 metric 0 proto boot
	ip route del default dev net0 table 201
	complete
}

@test "a link that goes down without telling of its routes" {
	[ -e /proc/sys/net/ipv6/route/skip_notify_on_dev_down ] || skip "this kernel has no skip_notify_on_dev_down"
	sysctl -qw net.ipv6.route.skip_notify_on_dev_down=1
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local before
	before=$(state)
	for _ in 1 2 3; do
		tunnel_down sixxs0
		wait_until 2 down_complete
		tunnel_up sixxs0
		wait_until 2 complete
	done
	sysctl -qw net.ipv6.route.skip_notify_on_dev_down=0
	assert_same "$before" "$(state)"
}

@test "carrier lost with ignore_routes_with_linkdown, caches flushed, a bridge: nothing is lost" {
	watch_start
	veth_tunnel
	wait_until 10 complete
	local before
	before=$(state)
	sysctl -qw net.ipv4.conf.sixxs0.ignore_routes_with_linkdown=1 net.ipv6.conf.sixxs0.ignore_routes_with_linkdown=1
	ip link set other0 down
	sleep 0.3
	ip -6 route show table 200 | grep 'default dev sixxs0 .*linkdown'
	ip link set other0 up
	ip route flush cache
	ip -6 route flush cache
	ip link add br9 type bridge
	ip link set sixxs0 master br9
	ip link set sixxs0 nomaster
	wait_until 5 complete
	ip link del br9
	# (linkdown is no more shown)
	assert_same "$before" "$(state)"
	logged 0 '^daemon.(err|warn)'
}

@test "renames, up and down, by a watcher and a handler at a time" {
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::11\ntable = 201\nwait = 0'
	watch_start
	local i
	for i in {1..20}; do
		tunnel sixxs0
		wait_until 10 complete
		tunnel_down sixxs0
		ip link set sixxs0 name sixxs1
		tunnel_up sixxs1
		wait_until 10 counts 6 2
		counts 4 0
		tunnel_down sixxs1
		ip link set sixxs1 name moved0
		tunnel_up moved0
		settle
		wait_until 10 gone
		ip link set moved0 down
		ip link set moved0 name sixxs0
		tunnel_up sixxs0
		wait_until 10 complete
		tunnel_del sixxs0
		wait_until 10 gone
		settle
	done
	gone
}

@test "a link that moves to another namespace leaves nothing, and gets all when it is back" {
	watch_start
	ip netns add elsewhere
	local i
	for i in {1..10}; do
		tunnel sixxs0
		wait_until 10 complete
		ip link set sixxs0 netns elsewhere
		wait_until 10 gone
		ip -n elsewhere link set sixxs0 netns 1
		settle
		tunnel_up sixxs0
		wait_until 10 complete
		tunnel_del sixxs0
		wait_until 10 gone
	done
	ip netns del elsewhere
}

@test "removal and return as fast as it goes: one outcome, the right one" {
	watch_start
	local i
	for i in {1..100}; do
		tunnel_add sixxs0
		tunnel_up sixxs0
		tunnel_del sixxs0
	done
	settle
	wait_until 10 gone
	for i in {1..50}; do
		tunnel_add sixxs0
		tunnel_up sixxs0
		tunnel_del sixxs0
		tunnel_add sixxs0
		tunnel_up sixxs0
		settle
		wait_until 10 complete
		tunnel_del sixxs0
	done
	settle
	wait_until 10 gone
	[ ! -e /run/sixxs-route/sixxs0.record ]
}

@test "a removal of which udev does not tell is seen all the same" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	udev_holds
	tunnel_del sixxs0
	wait_until 10 gone
	udev_goes_on
	settle
	gone
}

@test "conf.d is not watched, SIGHUP has it read" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1, 2a02::2\ntable = 200\nwait = 0'
	sleep 0.5
	complete
	kill -HUP "$watcher"
	wait_until 10 counts 6 3
	counts 4 0
	# a drop-in that cannot be read costs nothing
	drop_in sixxs0 <<<$'[sixxs0]\nsauce = 2a02::1'
	kill -HUP "$watcher"
	sleep 0.3
	counts 6 3
}

@test "SIGTERM and SIGINT end it, and leave routes as they are" {
	local signal before
	tunnel sixxs0
	for signal in TERM INT; do
		watch_start
		wait_until 10 complete
		before=$(state)
		watch_stop $signal
		assert_same "$before" "$(state)"
	done
}

@test "it tells NOTIFY_SOCKET that it is ready, after the first round, and that it stops" {
	tunnel sixxs0
	socat -u UNIX-RECV:/tmp/notify "SYSTEM:cat >>/tmp/notified" 3>&- &
	local listener=$!
	wait_until 10 test -S /tmp/notify
	NOTIFY_SOCKET=/tmp/notify watch_start
	wait_until 10 grep -q READY=1 /tmp/notified
	complete
	watch_stop
	wait_until 10 grep -q STOPPING=1 /tmp/notified
	kill $listener
}

@test "--dry-run and arguments are refused" {
	run sixxs-route --dry-run watch
	[ "$status" -eq 2 ]
	run sixxs-route watch sixxs0
	[ "$status" -eq 2 ]
	run sixxs-route watch --all
	[ "$status" -eq 2 ]
}

@test "source = auto: rules follow the link's global addresses" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = auto\ntable = 200\nname = none\nwait = 0'
	watch_start
	tunnel sixxs0
	sleep 0.2
	gone
	ip address add 2a02::5/64 dev sixxs0
	wait_until 10 counts 6 2
	ip -6 rule | grep -E 'from 2a02::5 lookup 200'
	ip address add 198.51.100.7/24 dev sixxs0
	wait_until 10 counts 4 2
	ip address add 198.51.100.8 peer 198.51.100.9 dev sixxs0
	wait_until 10 counts 4 3
	ip rule | grep -E 'from 198.51.100.8 lookup 200'
	# link-local and host scope are no sources
	ip address add fe80::1/64 dev sixxs0
	ip address add 198.51.100.10/32 scope link dev sixxs0
	# deprecated: still in use, until it is gone
	ip address add 2a02::6/64 dev sixxs0 preferred_lft 0 valid_lft 3
	wait_until 10 counts 6 3
	counts 4 3
	wait_until 10 counts 6 2
	# down takes the IPv6 addresses along, with the rules
	tunnel_down sixxs0
	wait_until 10 counts 6 0
	tunnel_up sixxs0
	ip address add 2a02::7/64 dev sixxs0
	wait_until 10 counts 6 2
	ip address flush dev sixxs0
	wait_until 10 gone
	tunnel_del sixxs0
	settle
	[ ! -e /run/sixxs-route/sixxs0.record ]
}

@test "source = auto: a tentative address is none yet, a duplicate never" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = auto\ntable = 200\nwait = 0'
	watch_start
	ip link add sixxs0 type veth peer name other0
	sysctl -qw net.ipv6.conf.sixxs0.accept_dad=1 net.ipv6.conf.sixxs0.dad_transmits=1 \
		net.ipv6.conf.other0.accept_dad=0
	ip address add 2a02::9/64 dev other0 nodad
	ip link set other0 up
	ip link set sixxs0 up
	settle
	ip address add 2a02::8/64 dev sixxs0
	ip -6 address show dev sixxs0 | grep '2a02::8.*tentative'
	counts 6 0
	wait_until 10 counts 6 2
	ip address add 2a02::9/64 dev sixxs0
	dad_failed() { ip -6 address show dev sixxs0 | grep '2a02::9.*dadfailed'; }
	wait_until 10 dad_failed
	sleep 0.3
	counts 6 2
}

@test "source = auto, when_down = unreachable: a lost address keeps its rule until the link is up" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = auto\ntable = 200\nwhen_down = unreachable\nwait = 0'
	watch_start
	tunnel sixxs0
	ip address add 2a02::5/64 dev sixxs0
	wait_until 10 counts 6 3
	tunnel_down sixxs0
	wait_until 10 counts 6 2
	ip -6 rule | grep -E 'from 2a02::5 '
	ip address add 2a02::5/64 dev sixxs0
	tunnel_up sixxs0
	wait_until 10 counts 6 3
	ip address del 2a02::5/64 dev sixxs0
	wait_until 10 counts 6 0
}

@test "source = auto: of more than 64 addresses those that came first are followed, and it is told once" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = auto\ntable = 200\nwait = 0'
	watch_start
	tunnel sixxs0
	seq -f 'address add 2a02::%g/64 dev sixxs0' 64 | ip -batch -
	wait_until 10 counts 6 65
	ip address add 198.51.100.7/24 dev sixxs0
	sleep 0.3
	counts 6 65
	counts 4 0
	ip -batch - <<<$'address add 198.51.100.8/24 dev sixxs0\naddress add 198.51.100.9/24 dev sixxs0'
	sleep 0.3
	ip address add 198.51.100.10/24 dev sixxs0
	sleep 0.3
	logged 1 '^daemon.warn sixxs0: .*there are more addresses than the 64 that source = auto can follow'
	ip -batch - <<<$'address del 198.51.100.8/24 dev sixxs0\naddress del 198.51.100.9/24 dev sixxs0\naddress del 198.51.100.10/24 dev sixxs0'
	ip address del 2a02::1/64 dev sixxs0
	wait_until 10 counts 6 64
	wait_until 10 counts 4 2
}

# Packets from the tunnel's address as fast as it goes, whatever is said to them.
flood() {
	perl -MSocket=:all -e '
		socket my $s6, AF_INET6, SOCK_DGRAM, 0 or die;
		setsockopt $s6, IPPROTO_IPV6, 15, pack "i", 1; # IPV6_FREEBIND is 78, nodad is enough
		bind $s6, pack_sockaddr_in6(0, inet_pton AF_INET6, "2a02::1") or die "bind: $!";
		socket my $s4, AF_INET, SOCK_DGRAM, 0 or die;
		bind $s4, pack_sockaddr_in(0, inet_pton AF_INET, "198.51.100.7") or die "bind: $!";
		my $to6 = pack_sockaddr_in6(9, inet_pton AF_INET6, "2001:200::1");
		my $to4 = pack_sockaddr_in(9, inet_pton AF_INET, "203.0.113.1");
		while () { send $s6, "x", 0, $to6; send $s4, "x", 0, $to4 }' 3>&- &
	flood=$!
}

# leaks CYCLES COUNT: writes to /tmp/leaks how many packets from the tunnel passed net0 during
# so many cycles of down and up. Not in a $(...), which would keep failures and the watcher.
leaks() {
	local i
	# the address is not the link's: it stays when the link goes down
	ip address add 2a02::1/128 dev lo nodad
	ip address add 198.51.100.7/32 dev lo
	watch_start
	tunnel sixxs0
	wait_until 10 counts 6 "$2"
	capture net0 -Q out '(ip6 and src host 2a02::1) or (ip and src host 198.51.100.7)'
	flood
	for ((i = 0; i < $1; i++)); do
		tunnel_down sixxs0
		tunnel_up sixxs0
	done
	tunnel_down sixxs0
	sleep 0.2
	tunnel_up sixxs0
	kill "$flood"
	wait "$flood" || true
	flood=
	captured net0 >/tmp/leaked
	grep -c '^IP' /tmp/leaked >/tmp/leaks || true
}

@test "when_down = unreachable: no packet leaves by net0, also between down and up" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1, 198.51.100.7\ntable = 200\nwhen_down = unreachable\nwait = 0'
	leaks 300 3
	[ "$(cat /tmp/leaks)" -eq 0 ]
}

@test "when_down = fallthrough: that capture does see what leaves by net0" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1, 198.51.100.7\ntable = 200\nwait = 0'
	leaks 10 2
	[ "$(cat /tmp/leaks)" -gt 0 ]
}

@test "idle it never wakes, nor do other's routes, rules and new links wake it" {
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	# (it tells of it a second later)
	sleep 1.3
	local wakes i
	wakes=$(watch_wakes)
	sleep 2
	[ "$(watch_wakes)" -eq "$wakes" ]
	for ((i = 0; i < 1000; i++)); do
		echo route add "2001:db8:1::$(printf %x $i)/128" dev net0
		echo route replace "2001:db8:1::$(printf %x $i)/128" dev net0 mtu 1400
		echo route replace "2001:db8:1::$(printf %x $i)/128" dev net0 table 77
		echo route replace "2001:db8:1::$(printf %x $i)/128" dev net0 table 77 mtu 1400
		echo route del "2001:db8:1::$(printf %x $i)/128" table 77
		echo route del "2001:db8:1::$(printf %x $i)/128" dev net0
		echo route replace default via 2001::2 dev net0
		echo -6 rule add from "2001:db8:2::$(printf %x $i)" table 77
		echo -6 rule del from "2001:db8:2::$(printf %x $i)" table 77
	done | sed 's/^-6 //' | ip -6 -batch -
	for i in {1..20}; do
		ip link add other"$i" type veth peer name otherpeer"$i"
		ip link set other"$i" mtu 1400
	done
	settle
	[ "$(watch_wakes)" -eq "$wakes" ]
}

@test "a thousand links that go up, down and away cost little beyond reading of them" {
	local i cpu
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	cpu=$(watch_cpu)
	udev_holds
	for i in {1..250}; do
		echo link add other"$i" type veth peer name otherpeer"$i"
		echo link set other"$i" up
		echo link set otherpeer"$i" up
		echo link set otherpeer"$i" down
		echo link set other"$i" down
		echo link del other"$i"
	done | ip -batch -
	udev_goes_on
	sleep 0.2
	cpu=$(($(watch_cpu) - cpu))
	echo "# $cpu us of CPU for 1500 messages of unrelated links" >&3
	[ $cpu -lt 150000 ]
	complete
	settle
}

@test "it holds less than 2 MB of memory of its own" {
	[ -z "${SANITIZE-}" ] || skip "a sanitizer's memory is counted too"
	watch_start
	tunnel sixxs0
	wait_until 10 complete
	local i private
	for ((i = 0; i < 200; i++)); do
		echo link set sixxs0 down
		echo link set sixxs0 up
	done | ip -batch -
	kill -HUP "$watcher"
	wait_until 10 complete
	private=$(awk '/^Private_(Clean|Dirty):/ { sum += $2 } END { print sum }' "/proc/$watcher/smaps_rollup")
	echo "# $private KiB of private memory" >&3
	[ "$private" -lt 2048 ]
}

@test "gateway = auto: main's default route by the link is followed, also by nexthop objects" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 198.51.100.7, 2a02::1\ntable = 200\ngateway = auto\nprefer_main = no\nwait = 0'
	watch_start
	ip link add sixxs0 type veth peer name other0
	ip link set other0 up
	settle
	tunnel_up sixxs0
	ip address add 169.254.10.2/24 dev sixxs0
	wait_until 10 counts 4 1
	via() { routes4 200 | grep "^default via $1 dev sixxs0 .*metric 2048"; }
	via6() { routes 200 | grep "^default via $1 dev sixxs0 .*metric 2048"; }
	ip route add default via 169.254.10.1 dev sixxs0 metric 50
	wait_until 2 via 169.254.10.1
	ip -6 route add default via fe80::1 dev sixxs0 metric 50
	wait_until 2 via6 fe80::1
	ip route replace default via 169.254.10.3 dev sixxs0 metric 50
	wait_until 2 via 169.254.10.3
	ip -6 route replace default via fe80::3 dev sixxs0 metric 50
	wait_until 2 via6 fe80::3
	# gone: the last one stays
	ip route del default dev sixxs0 metric 50
	ip -6 route del default dev sixxs0 metric 50
	sleep 0.3
	via 169.254.10.3 && via6 fe80::3
	# by an object, which then names another, without a word of the route
	ip nexthop add id 5 via 169.254.10.4 dev sixxs0
	ip route add default nhid 5 metric 50
	wait_until 2 via 169.254.10.4
	ip nexthop replace id 5 via 169.254.10.5 dev sixxs0
	wait_until 2 via 169.254.10.5
	ip nexthop del id 5
	sleep 0.3
	via 169.254.10.5
	logged 0 '^daemon.(err|warn)'
}

@test "gateway = auto: what changes without a word of the route: nexthop objects, both families; one that expires" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 198.51.100.7, 2a02::1\ntable = 200\ngateway = auto\nprefer_main = no\nwait = 0'
	watch_start
	veth_tunnel
	ip address add 169.254.10.2/24 dev sixxs0
	via() { routes4 200 | grep "^default via $1 dev sixxs0 .*metric 2048"; }
	via6() { routes 200 | grep "^default via $1 dev sixxs0 .*metric 2048"; }
	local mode
	for mode in 0 1; do
		sysctl -qw net.ipv4.nexthop_compat_mode=$mode
		ip nexthop add id 5 via 169.254.10.4 dev sixxs0
		ip nexthop add id 6 via fe80::4 dev sixxs0
		ip route add default nhid 5 metric 50
		ip -6 route add default nhid 6 metric 50
		wait_until 2 via 169.254.10.4
		wait_until 2 via6 fe80::4
		ip nexthop replace id 5 via 169.254.10.5 dev sixxs0
		ip nexthop replace id 6 via fe80::5 dev sixxs0
		wait_until 2 via 169.254.10.5
		wait_until 2 via6 fe80::5
		ip nexthop del id 5
		ip nexthop del id 6
		sleep 0.3
		via 169.254.10.5 && via6 fe80::5
		# a group, of which one leaves by the link
		ip nexthop add id 8 via 169.254.10.8 dev sixxs0
		ip nexthop add id 9 dev net0
		ip nexthop add id 7 group 9/8
		ip route add default nhid 7 metric 50
		wait_until 2 via 169.254.10.8
		ip nexthop flush
	done
	ip -6 route add default via fe80::6 dev sixxs0 metric 50 expires 1
	wait_until 2 via6 fe80::6
	# it is no longer used by main, and is kept here, as no other has come
	sleep 2
	via6 fe80::6
	ip -6 route add default via fe80::7 dev sixxs0 metric 60
	ip -6 route del default via fe80::6 dev sixxs0 metric 50 || true
	wait_until 2 via6 fe80::7
	logged 0 '^daemon.(err|warn)'
}

@test "carrier = needed: lost and back" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 198.51.100.7, 2a02::1\ntable = 200\ncarrier = needed\nwhen_down = unreachable\nwait = 0'
	watch_start
	ip link add sixxs0 type veth peer name other0
	settle
	tunnel_up sixxs0
	wait_until 10 counts 6 2
	for _ in 1 2 3; do
		ip link set other0 up
		wait_until 3 counts 6 3
		wait_until 1 counts 4 3
		ip link set other0 down
		wait_until 3 counts 6 2
		wait_until 1 counts 4 2
	done
}

@test "source_link: the addresses of another link are followed" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = auto\nsource_link = other1\ntable = 200\nwait = 0'
	watch_start
	tunnel sixxs0
	ip link add other1 type veth peer name otherpeer1
	ip link set other1 up
	settle
	gone
	for _ in 1 2 3; do
		ip address add 2a02::5/64 dev other1 nodad
		wait_until 2 counts 6 2
		ip address del 2a02::5/64 dev other1
		wait_until 2 gone
	done
	ip address add 2a02::5/64 dev other1 nodad
	wait_until 2 counts 6 2
	# another name, and this one again: no address comes or goes
	ip link set other1 down
	ip address add 198.51.100.9/24 dev other1
	wait_until 2 counts 4 2
	ip link set other1 name other2
	wait_until 2 counts 4 0
	ip link set other2 name other1
	wait_until 2 counts 4 2
	ip link del other1
	wait_until 2 gone
}

# What wg-quick adds with its own Table = auto, when the tunnels are already there.
wg_quick() { # up | down
	local command=$1
	[ "$command" = up ] && command=add || command=del
	ip -6 route "$command" default dev net0 table 51820
	ip -6 rule "$command" not fwmark 51820 table 51820
	ip -6 rule "$command" table main suppress_prefixlength 0
}

@test "rules of others that come before ours: told once, by whose rule, and what to do" {
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::11\ntable = 201\nwait = 0'
	watch_start
	tunnel sixxs0
	tunnel sixxs1
	wait_until 10 counts 6 6
	sleep 0.3
	logged 0 'another link'
	wg_quick up
	wait_until 5 told 'another link'
	tunnel_down sixxs0
	tunnel_up sixxs0
	wait_until 2 counts 6 6
	ip -6 rule del from 2a02::11 lookup 201
	wait_until 2 counts 6 6
	sleep 1.5
	logged 1 'another link'
	logged 1 "^daemon.warn sixxs[01]: its packets leave by another link: rule 1638[0-9]: not from all fwmark 0xca6c lookup 51820 is not ours and comes before rule 16383: in wg-quick's file set Table = off, or add its rules by PostUp with priority 32765"
	# who applies is told, once for both
	run sixxs-route apply sixxs0 sixxs1
	[ "$(grep -c 'another link' <<<"$output")" -eq 1 ]
	run sixxs-route apply --all
	[ "$(grep -c 'another link' <<<"$output")" -eq 1 ]
	# gone, and here again: it is news again
	wg_quick down
	log_restart
	ip -6 rule add priority 32000 table 77
	sleep 2.5
	logged 0 'another link'
	run sixxs-route apply sixxs0
	[[ $output != *'another link'* ]]
	ip -6 route add default dev net0 table 77
	ip -6 rule add priority 100 table 77 protocol 186
	wait_until 5 told 'rule 100: from all lookup 77 \(protocol 186 bgp\) is not ours and comes before rule 16383: delete it, or give it a priority above that, such as 32765'
	ip -6 rule del priority 100
	ip -6 rule del priority 32000
	ip -6 route flush table 77
	logged 1 'another link'
	# and so it is with no rule of others added meanwhile
	sleep 2.5
	for _ in 1 2; do
		log_restart
		wg_quick up
		wait_until 5 told 'another link'
		wg_quick down
		sleep 2.5
		logged 1 'another link'
	done
}
