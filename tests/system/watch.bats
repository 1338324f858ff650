#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The watcher: what it mends, how fast, at what cost.

# shellcheck source=watch.bash
. "$BATS_TEST_DIRNAME/watch.bash"

@test "a link that comes up long after its add event gets its routes, of both families" {
	watch_start
	tunnel_add sixxs0
	settle
	watch_answered
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
	watch_from_up
	local before i
	before=$(state)
	for ((i = 0; i < 1000; i++)); do
		tunnel_down sixxs0
		tunnel_up sixxs0
		watch_answered
		wait_until 10 counts 6 4
	done
	wait_until 10 complete
	assert_same "$before" "$(state)"
}

@test "down and up, a thousand times without a pause: the last state counts" {
	watch_from_up
	local before
	before=$(state)
	flaps 1000
	wait_until 10 complete
	assert_same "$before" "$(state)"
	{ cat /dev/fd/3 && echo link set sixxs0 down; } 3< <(yes $'link set sixxs0 down\nlink set sixxs0 up' | head -n 200) | ip -batch -
	wait_until 10 down_complete
}

@test "a rule or route that somebody deletes is back at once" {
	watch_from_up
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
	local before command times=0
	before=$(state)
	{
		for family in 6 4; do
			ip -N -$family rule | squeeze | sed -nE "s/^([0-9]+): (.*) proto 166$/-$family rule del pref \1 \2 proto 166/p"
			ip -N -$family route show table 200 | squeeze | sed -nE "s/^((7 |unreachable )?default( .*)?) proto 166 .*/-$family route del \1 table 200/p"
		done
		echo '-6 route del default from 2001:db8:6::1 dev sixxs0 table 400'
	} | sed 's/ \[detached\]//; s/ onlink//; s/ dev lo / /; s/del 7 default/del unreachable default/' >/tmp/commands
	while read -r command; do
		# it puts ten of them back, and after that one a second
		[ $times -eq 0 ] || [ $((times % 9)) -ne 0 ] || { watch_stop && watch_start; }
		echo "$command"
		# shellcheck disable=SC2086 # words
		ip $command
		wait_until 10 all_there 28
		assert_same "$before" "$(state)"
		times=$((times + 1))
	done </tmp/commands
	[ $times -eq 28 ]
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0
	gone
}

all_there() { # N
	local n
	ours_count 6 4
	[ "$n" -eq "$1" ]
}

@test "a route that somebody puts another in the place of is asked for, and back once that one is gone" {
	watch_from_up
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
	watch_from_up
	local i tracer=(/usr/bin/strace -qq -o /dev/null -e inject=unlinkat:delay_enter=100ms)
	# slow enough for the watcher to read the record before it is emptied
	for i in {1..3}; do
		"${tracer[@]}" sixxs-route remove sixxs0
		watch_idle
		gone
		sixxs-route apply sixxs0
		complete
		event remove sixxs0 "$(ifindex sixxs0)"
		watch_idle
		gone
		sixxs-route apply sixxs0
	done
	for i in {1..20}; do
		sixxs-route remove sixxs0
		watch_idle
		gone
		sixxs-route apply sixxs0
		watch_idle
	done
	udevadm trigger --action=remove /sys/class/net/sixxs0
	settle
	watch_idle
	gone
	# a link that comes up is an event
	tunnel_down sixxs0
	tunnel_up sixxs0
	wait_until 10 complete
}

@test "remove is the last word, also about what is put off" {
	watch_from_up
	tunnel_down sixxs0
	ip link set sixxs0 mtu 1000
	tunnel_up sixxs0
	wait_until 10 told '^daemon.err sixxs0: .*ip -6 route add'
	sixxs-route remove sixxs0
	ip link set sixxs0 mtu 1500
	watch_idle
	gone
	sixxs-route apply sixxs0
	complete
	local due n=0
	# until it puts off to put it back
	while ip -6 rule del from 2a02::1 table 200; do
		watch_answered
		n=$((n + 1))
	done
	[ $n -ge 10 ]
	due_in "$watcher" && [ "$due" -gt 0 ]
	sixxs-route remove sixxs0
	logged 1 'is deleted over and over'
	watch_idle
	gone
}

@test "a link that loses IPv6 and has it back has its route back" {
	watch_from_up
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
	done <<<"$ipv6_off_and_on"
	# and the kernel is nobody to fight with; with a carrier it tells that IPv6 is back
	tunnel_del sixxs0
	settle
	veth_tunnel
	wait_until 10 complete
	for _ in {1..15}; do
		ip -batch - <<<$'link set sixxs0 mtu 1000\nlink set sixxs0 mtu 1500'
		wait_until 10 complete
	done
	logged 0 'is deleted over and over'
}

@test "a thousand ups and downs at once are not lost" {
	watch_from_up
	kill -STOP "$watcher"
	flaps 1000
	[ "$(watch_drops)" -eq 0 ]
	kill -CONT "$watcher"
	watch_answered
	complete
}

@test "a link's own down and up leaves the names of tables alone" {
	watch_from_up
	calls_on openat /tmp/opened
	tunnel_down sixxs0
	watch_answered
	tunnel_up sixxs0
	watch_answered
	calls_off
	complete
	grep -q sixxs0.conf /tmp/opened
	exits 1 grep iproute2 /tmp/opened
}

@test "what the kernel takes from a link that goes down, told in the next burst, is no second reason to look" {
	local i
	# with the link's message these fill the first
	others() { for ((i = 1; i < 64; i++)); do printf 'route %s unreachable default table %d metric 4294967295 proto 166\n' "$1" $((5000 + i)); done | ip -6 -batch -; }
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 200\nwait = 0'
	watch_start && tunnel sixxs0
	others add
	watch_idle
	calls_on flock /tmp/looks
	kill -STOP "$watcher"
	others del
	tunnel_down sixxs0
	kill -CONT "$watcher"
	watch_idle
	calls_off
	counts 6 1
	[ "$(grep -c LOCK_EX /tmp/looks)" -eq 1 ]
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
	flaps 3000
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
	for ((i = 0; i < 3000; i++)); do
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
	watch_idle
	counts 6 4
	counts 4 0
	[ ! -e /run/sixxs-route/sixxs0.record ]
	udev_goes_on
}

@test "a notification longer than its buffer is a lost one, and no more" {
	watch_from_up
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

@test "the loopback goes down, or loses IPv6: the refusing route is back" {
	watch_from_up
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

@test "conf.d is not watched, SIGHUP has it read" {
	watch_from_up
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1, 2a02::2\ntable = 200\nwait = 0'
	watch_idle
	complete
	kill -HUP "$watcher"
	wait_until 10 counts 6 3
	counts 4 0
	# a drop-in that cannot be read costs nothing
	drop_in sixxs0 <<<$'[sixxs0]\nsauce = 2a02::1'
	kill -HUP "$watcher"
	watch_answered
	told '^daemon.err .*sauce'
	counts 6 3
}

@test "SIGTERM and SIGINT end it, and leave routes as they are" {
	local stop_signal before
	tunnel sixxs0
	for stop_signal in TERM INT; do
		watch_start
		wait_until 10 complete
		before=$(state)
		watch_stop
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

# Packets from the tunnel's addresses as fast as it goes.
flood() {
	"$BATS_TEST_DIRNAME/flood" 0 203.0.113.1 2001:200::1 9 198.51.100.7 2a02::1 3>&- &
	flood=$!
}

# flooded MICROSECONDS: so much of the processor it has had since it began.
flooded() { [ "$(awk '{ printf "%d\n", $1 / 1000 }' "/proc/$flood/schedstat")" -ge "$1" ]; }

# leaks CYCLES COUNT: writes to /tmp/leaks how many packets from the tunnel passed net0 during
# so many cycles of down and up. Not in a $(...), which would keep failures and the watcher.
leaks() {
	local i had
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
	read -r had _ <"/proc/$flood/schedstat"
	wait_until 30 flooded $((had / 1000 + 50000))
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
	watch_from_up
	watch_idle
	local wakes i
	wakes=$(watch_wakes)
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

# coming_and_going FIRST LAST: as ip -batch reads it, each waited for by the kernel, as it goes down and
# away.
coming_and_going() {
	local i
	for ((i = $1; i <= $2; i++)); do
		echo link add other"$i" type veth peer name otherpeer"$i"
		echo link set other"$i" up
		echo link set otherpeer"$i" up
		echo link set otherpeer"$i" down
		echo link set other"$i" down
		echo link del other"$i"
	done
}

# coming FIRST LAST: and all go at once, by their group
coming() {
	local i
	for ((i = $1; i <= $2; i++)); do
		echo link add other"$i" group 9 type veth peer name otherpeer"$i" group 9
		echo link set other"$i" up
		echo link set otherpeer"$i" up
	done
}

@test "hundreds of links that go up, down and away, one by one and at once, cost little beyond reading of them" {
	local cpu one_by_one lost monitor read
	watch_from_up
	watch_idle
	udev_holds
	cpu=$(watch_cpu)
	ip monitor link >/tmp/monitor 3>&- &
	monitor=$!
	wait_until 5 eval "ss -Hf netlink | grep -q 'ip/$monitor '"
	read=$(cpu_of $monitor)
	coming_and_going 1 50 | ip -batch -
	watch_answered
	wait_until 5 grep -q 'Deleted .* other50' /tmp/monitor
	read=$(($(cpu_of $monitor) - read))
	kill $monitor
	one_by_one=$(($(watch_cpu) - cpu))
	coming 51 250 | ip -batch -
	ip link del group 9
	watch_answered
	cpu=$(($(watch_cpu) - cpu))
	udev_goes_on
	lost=$(watch_drops)
	echo "# $one_by_one us of CPU for 300 messages of unrelated links, which ip reads in $read, $cpu for 1500, of which $lost were lost" >&3
	[ $one_by_one -lt $((read * 3)) ]
	# what is lost makes it look at all links, ten times at most
	[ $cpu -lt $((read * (lost == 0 ? 15 : 30))) ]
	complete
	settle
}

# reads_for: how many files it has read as a rule was deleted, and ours removed and applied
reads_for() {
	local before reads
	watch_idle
	before=$(sed -n 's/^syscr: //p' "/proc/$watcher/io")
	ip -6 rule del from 2a02::1 lookup 200
	wait_until 2 complete
	sixxs-route remove sixxs0
	sixxs-route apply sixxs0
	watch_idle
	reads=$(($(sed -n 's/^syscr: //p' "/proc/$watcher/io") - before))
	printf '%d reads\n' $reads >&2
	[ $reads -le "$1" ]
}

@test "deletions, by others and by our own tools, cost the same with the records of 500 tunnels" {
	watch_from_up
	local i
	reads_for 50
	for ((i = 1000; i < 1500; i++)); do
		sed "s/lookup 200/lookup $i/; s/table 200/table $i/" /run/sixxs-route/sixxs0.record >/run/sixxs-route/x$i.record
	done
	reads_for 50
	watch_stop
	rm /run/sixxs-route/x*.record
}

@test "it holds less than 2 MB of memory of its own" {
	[ -z "${SANITIZE-}" ] || skip "a sanitizer's memory is counted too"
	watch_from_up
	local private
	flaps 200
	kill -HUP "$watcher"
	wait_until 10 complete
	private=$(awk '/^Private_(Clean|Dirty):/ { sum += $2 } END { print sum }' "/proc/$watcher/smaps_rollup")
	echo "# $private KiB of private memory" >&3
	[ "$private" -lt 2048 ]
}
