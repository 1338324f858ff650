#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The watcher: what it tells, of failures, of strangers and of what it has done.

# shellcheck source=watch.bash
. "$BATS_TEST_DIRNAME/watch.bash"

# tried NUMBER [PATTERN]: it has so often
tried() { [ "$(grep -c "${2-LOCK_EX}" /tmp/tries)" -ge "$1" ]; }

@test "what fails is told once, tried again ever less often, and never once it has succeeded" {
	watch_from_up
	calls_on flock /tmp/tries
	ip link set sixxs0 mtu 1000
	wait_until 10 told '^daemon.err sixxs0: .*ip -6 route add'
	watch_answered
	local n
	n=$(grep -c LOCK_EX /tmp/tries)
	# after 1, 2 and 4 s at least, each with the lock taken; told once
	wait_until 9 tried $((n + 3))
	calls_off
	awk -v n="$n" '
		/LOCK_EX/ { at[++k] = $1 }
		END { exit !(at[n + 1] - at[1] > 0.99 && at[n + 2] - at[n + 1] > 1.99 && at[n + 3] - at[n + 2] > 3.99) }' /tmp/tries
	logged 1 '^daemon.err '
	# by an event, before the next try
	ip link set sixxs0 mtu 1500
	tunnel_down sixxs0
	tunnel_up sixxs0
	wait_until 5 complete
	watch_idle
	# the next failure is a first one, and nothing but the next try tells that it is over
	ip link set sixxs0 mtu 1000
	wait_until 10 counts 6 3
	ip link set sixxs0 mtu 1500
	wait_until 5 complete
	watch_idle
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
	watch_answered
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
	wait_until 10 told '^daemon.err cannot read the run folder /run/sixxs-route: the folder is another user.s, or others can write to it: nothing is done'
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

# locked_out: the link comes up while another, "holder", has the lock, until let_in.
locked_out() {
	watch_start
	tunnel_add sixxs0
	settle
	down_complete
	flock /run/sixxs-route/lock sleep $((300 * SLOW)) 3>&- &
	holder=$!
	wait_until 10 is_locked
	calls_on flock /tmp/tries
	tunnel_up sixxs0
}

let_in() { pkill -P "$holder" && { wait "$holder" || true; }; }

@test "the lock is held for longer than anybody waits: it says so once, and is back at once" {
	locked_out
	# it does not wait for it: others' matters go on, and it can be stopped
	wait_until 10 tried 12 'LOCK_EX|LOCK_NB.*EAGAIN'
	calls_off
	# ever less often, up to once a second: the last of these a second after the one before
	awk '/EAGAIN/ { before = last; last = $1 } END { exit !(last - before > 0.99) }' /tmp/tries
	wait_until 12 told "^daemon.err another sixxs-route has kept the lock of /run/sixxs-route for 10 seconds"
	down_complete
	let_in
	wait_until 2 complete
	logged 1 'has kept the lock'
}

@test "the run folder is taken away: it ends at once, with an error; the next one finds all as it was" {
	watch_from_up
	$handler hold sixxs0 --for 3600
	$handler release sixxs0
	rm -r /run/sixxs-route
	watch_ends 1
	logged 1 '^daemon.err watch: the run folder /run/sixxs-route was taken away: it ends, to be started again; then run: sixxs-route apply --all$'
	complete
	log_restart
	watch_start
	wait_until 10 test -e /run/sixxs-route/sixxs0.record
	tunnel_down sixxs0
	wait_until 10 down_complete
	tunnel_up sixxs0
	wait_until 10 complete
	untroubled
}

@test "stopped while another has the lock, it says what it leaves undone" {
	locked_out
	wait_until 10 tried 2 'LOCK_EX|LOCK_NB.*EAGAIN'
	calls_off
	watch_stop
	logged 1 '^daemon.warn watch: it ends before it came to sixxs0; see: sixxs-route status'
	down_complete
	let_in
}

@test "who deletes over and over is named in one line, and all is back within about a second, always" {
	watch_from_up
	local cpu mended monitor began=$EPOCHREALTIME
	cpu=$(watch_cpu)
	stdbuf -oL ip -6 -N monitor rule >/tmp/monitor 3>&- &
	monitor=$!
	log_restart
	# one process, which is still there when it is looked for
	perl -e 'open my $ip, "|-", "ip", "-6", "-force", "-batch", "-" or die; $ip->autoflush;
		for (1 .. 120) { print $ip "rule del from 2a02::1 table 200\n"; select undef, undef, undef, 0.05 }' 2>/dev/null || true
	logged 1 'is deleted over and over'
	logged 1 '^daemon.warn sixxs0: what "ip -6 rule add .*from 2a02::1 lookup 200 .*" adds is deleted over and over by netlink port [0-9]+ \(.* process ip\)'
	# ten at once, then one a second, for six seconds or as long as it took
	kill $monitor
	mended=$(grep -c '^16383:.*from 2a02::1 lookup 200 proto 166' /tmp/monitor)
	[ "$mended" -ge 14 ] && [ "$mended" -le $((12 + (${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 1000000)) ]
	# a line each until it was told who does it, and then one for all of a minute
	[ "$(log_lines | grep -c 'added 1 rule; link up')" -le 10 ]
	[ $(($(watch_cpu) - cpu)) -lt $((100000 * SLOW)) ]
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
	watch_from_up
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
	watch_from_up
	local i before
	before=$(state)
	kill -STOP "$watcher"
	for i in {1..80}; do
		sixxs-route remove sixxs0
		sixxs-route apply sixxs0
	done
	kill -CONT "$watcher"
	watch_answered
	complete
	# real losses are repaired at once, as many as ever
	local began=$EPOCHREALTIME
	for i in {1..8}; do
		ip -6 rule del from 2a02::1 table 200
		watch_answered
		complete
	done
	((${EPOCHREALTIME/[.,]/} - ${began/[.,]/} < 2000000 * SLOW))
	assert_same "$before" "$(state)"
	logged 0 'is deleted over and over'
}

@test "a link that flaps, and one with which our own tools work, are nobody's doing" {
	watch_from_up
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

# a client's: the link goes, and another comes, gets up and its addresses one by one, each of which it
# has answered before the next; then all is told, and what failed first has failed again
restarts() {
	tunnel_del sixxs0
	settle
	tunnel_add sixxs0
	settle
	watch_answered
	tunnel_up sixxs0
	ip address add 2a02::5/64 dev sixxs0
	watch_answered
	ip address add 198.51.100.7/24 dev sixxs0
	wait_until 15 watch_due 1001
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
		watch_answered
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
	veth_tunnel
	# for more than the second after which all would be told
	wait_until 10 watch_due 1001
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
	watch_from_up
	watch_idle
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1, 2a02::2\ntable = 200\nwait = 0'
	local wakes
	wakes=$(watch_wakes)
	sixxs-route apply sixxs0
	watch_idle
	counts 6 3 && counts 4 0
	[ $(($(watch_wakes) - wakes)) -le 12 ] # one delete message each, eight of them, at worst
}

@test "a default of others comes before ours: told once, by watcher and apply, and no more of those behind" {
	watch_from_up
	local before route words remedy
	before=$(state)
	while IFS=/ read -r route words remedy; do
		log_restart
		# shellcheck disable=SC2086 # words
		ip ${route/ / route }
		wait_until 2 told "^daemon.warn sixxs0: table 200 also has a default route that is not ours and $words \\(.*default dev (net0|nothing) .*\\): delete it, or set $remedy\$"
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
		-4 prepend default dev net0 table 200 metric 2048/comes before ours/a lower metric
		-4 prepend default dev net0 table 200/wins by its metric/another table
		-6 prepend default dev net0 table 200 metric 1024/wins by its metric/a lower metric
		-4 prepend unreachable default table 200 metric 5/wins by its metric/a lower metric
		-4 prepend unreachable default table 200 metric 1/wins by its metric/another table
	END
	log_restart
	ip -4 route append default dev net0 table 200 metric 2048
	ip -6 route add default dev sixxs0 table 200
	ip -4 route add default dev sixxs0 table 200
	ip route add default dev net0 table 201
	watch_idle
	logged 0 '^daemon.(err|warn)'
	ip -4 route del default dev net0 table 200
	ip -6 route del default dev sixxs0 table 200 metric 1024
	ip -4 route del default dev sixxs0 table 200 metric 0 proto boot
	ip route del default dev net0 table 201
	complete
}

@test "a default of others in a table that tunnels share: told once, by watcher and apply; no tunnel is looked at for it" {
	local said='table 400 has a route that is not ours .default dev net0 metric 1024, protocol 4 static.: by the rule that tunnels share there it takes packets of the whole host: delete it, or set another table$'
	local n
	# shellcheck disable=SC2086 # words
	theirs() { ip "$1" route "$2" default dev net0 table 400 protocol static ${3-}; }
	ip -6 route add default from 2a02:9::/64 dev lo table 4000 || skip 'this kernel has no CONFIG_IPV6_SUBTREES'
	ip -6 route flush table 4000
	for n in 0 1; do
		printf '[sixxs%d]\nsource = 2a02::1%d\nsteer = source-route\ntable = 400\nwait = 0\n' $n $n | drop_in sixxs$n
	done
	watch_start
	tunnel sixxs0
	tunnel sixxs1
	wait_until 10 counts 6 3 # two routes, and a rule
	watch_idle
	log_restart
	calls_on flock /tmp/looks
	theirs -6 add
	wait_until 5 told "^daemon.warn $said"
	theirs -6 add 'metric 2000'
	theirs -6 replace 'metric 2048'
	theirs -4 add
	watch_idle
	counts 6 3 # none of ours was replaced
	calls_off
	assert_same '' "$(</tmp/looks)"
	logged 1 '^daemon.(err|warn)'
	# who applies is told, once for both
	run sixxs-route apply sixxs0 sixxs1
	[ "$status" -eq 0 ]
	assert_same 1 "$(grep -c "$said" <<<"$output")"
	run sixxs-route apply --all
	assert_same 1 "$(grep -c "$said" <<<"$output")"
	# what takes no packets of others is not told
	theirs -6 del
	theirs -6 del 'metric 2000'
	theirs -6 del 'metric 2048'
	theirs -4 del
	log_restart
	ip -6 route add default from 2a02:9::/64 dev net0 table 400
	ip -6 route add throw default table 400
	run sixxs-route apply --all
	[[ $output != *'table 400 has'* ]]
	watch_idle
	logged 0 'table 400 has'
	# then it is news again
	ip -6 route flush table 400 protocol boot
	theirs -6 add
	wait_until 5 told "^daemon.warn $said"
	theirs -6 del
}

# share_table: sixxs0 and sixxs1 share table 400, and are watched
share_table() {
	local n
	ip -6 route add default from 2a02:9::/64 dev lo table 4000 || skip 'this kernel has no CONFIG_IPV6_SUBTREES'
	ip -6 route flush table 4000
	for n in 0 1; do
		printf '[sixxs%d]\nsource = 2a02:%d::/64\nsteer = source-route\ntable = 400\nwait = 0\n' $n $n | drop_in sixxs$n
	done
	watch_start
	tunnel sixxs0
	tunnel sixxs1
	wait_until 10 counts 6 3 # two routes, and a rule
	watch_idle
	log_restart
}

# tells_of ROUTE TEXT WHAT: the watcher once it comes, and who applies
tells_of() {
	local said="table 400 has a route that is not ours \\($2, protocol 4 static\\): by the rule that tunnels share there it takes $3: delete it, or set another table"
	# shellcheck disable=SC2086 # words
	ip -6 route add $1 table 400 protocol static
	wait_until 10 told "^daemon.warn $said\$"
	exits 0 sixxs-route apply sixxs0 sixxs1 >/tmp/out 2>&1
	assert_same 1 "$(grep -cE "$said" /tmp/out)"
	exits 0 sixxs-route apply --all >/tmp/out 2>&1
	assert_same 1 "$(grep -cE "$said" /tmp/out)"
	# shellcheck disable=SC2086 # words
	ip -6 route del $1 table 400
	watch_idle
	counts 6 3
}

@test "what others put into a table that tunnels share: what refuses, and parts of all sources" {
	local way
	share_table
	for way in unreachable blackhole prohibit; do
		tells_of "$way default metric 7" "$way default metric 7" 'packets of the whole host'
	done
	for way in ::/1 2000::/3 fc00::/7; do
		tells_of "default from $way dev net0" "default from $way dev net0 metric 1024" 'packets of the whole host'
	done
	tells_of 'blackhole default from 2000::/4' 'blackhole default from 2000::/4 metric 1024' 'packets of the whole host'
}

@test "what others put into a table that tunnels share for a tunnel's own source" {
	local way n
	share_table
	tells_of 'default from 2a02::/64 dev net0 metric 7' 'default from 2a02::/64 dev net0 metric 7' \
		"a tunnel's packets, from 2a02::/64"
	tells_of 'default from 2a02:1::/80 dev net0' 'default from 2a02:1::/80 dev net0 metric 1024' \
		"a tunnel's packets, from 2a02:1::/64"
	for way in unreachable blackhole prohibit; do
		tells_of "$way default from 2a02::1" "$way default from 2a02::1 metric 1024" "a tunnel's packets, from 2a02::/64"
	done
	log_restart
	# that of a part that is not asked about the watcher has read
	ip -6 route add default from 2a02:0:0:0:8000::/65 dev net0 table 400
	wait_until 10 told "it takes a tunnel's packets, from 2a02::/64: "
	ip -6 route del default from 2a02:0:0:0:8000::/65 dev net0 table 400
	log_restart
	# another tunnel's, within this one's
	sed -i 's|^source.*|source = 2a02::/48|' /etc/sixxs-route/conf.d/sixxs0.conf
	sed -i 's|^source.*|source = 2a02::/64|' /etc/sixxs-route/conf.d/sixxs1.conf
	exits 0 sixxs-route apply --all >/tmp/out 2>&1
	exits 1 grep 'table 400 has' /tmp/out
	for n in 0 1; do
		sed -i "s|^source.*|source = 2a02:$n::/64|" /etc/sixxs-route/conf.d/sixxs$n.conf
	done
	exits 0 sixxs-route apply --all 2>/dev/null
	# nobody's here
	ip -6 route add default from 2a02:7::/64 dev net0 table 400
	ip -6 route add default from 2a02::/64 dev net0 table 400 metric 5000
	watch_idle
	run sixxs-route apply --all
	[[ $output != *'table 400 has'* ]]
	watch_idle
	logged 0 'table 400 has'
	ip -6 route flush table 400 protocol boot
}

@test "a rule of others before that which tunnels share: told by watcher and apply" {
	share_table
	ip -6 route add default dev net0 table 77
	ip -6 rule add priority 100 from all lookup 77 protocol static
	wait_until 10 told '^daemon.warn sixxs[01]: its packets leave by another link: rule 100: from all lookup 77 \(protocol 4 static\) is not ours and comes before rule 16383: '
	run sixxs-route apply --all
	assert_same 1 "$(grep -c 'its packets leave by another link: rule 100: ' <<<"$output")"
	ip -6 rule del priority 100
	ip -6 route del default table 77
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
	watch_idle
	logged 0 'another link'
	wg_quick up
	wait_until 5 told 'another link'
	tunnel_down sixxs0
	tunnel_up sixxs0
	wait_until 2 counts 6 6
	ip -6 rule del from 2a02::11 lookup 201
	wait_until 2 counts 6 6
	watch_idle
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
	watch_idle
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
	watch_idle
	for _ in 1 2; do
		log_restart
		wg_quick up
		wait_until 5 told 'another link'
		wg_quick down
		watch_idle
		logged 1 'another link'
	done
}

@test "rules of others that take what a user or a mark selects, or refuse it: told as well, of both families" {
	local action words key family
	rm /etc/sixxs-route/conf.d/sixxs0.conf # which has that source
	ip address add 198.51.100.7/32 dev lo
	ip link add sixxs1 type veth peer name other1
	ip link set other1 up
	tunnel_up sixxs1
	settle
	watch_start
	for key in 'user = 1000' 'fwmark = 5' 'source = 198.51.100.7, 2a02::11'; do
		drop_in sixxs1 <<<$'[sixxs1]\n'"$key"$'\ntable = 201\nwait = 0'
		sixxs-route apply sixxs1
		watch_idle
		for family in 4 6; do
			ip -$family route add default dev net0 table 77
			while IFS=/ read -r action words; do
				# of IPv4 the kernel says the same of a source that is not the host's
				[ "$action/${key%% *}/$family" != blackhole/source/4 ] || continue
				log_restart
				# shellcheck disable=SC2086 # words
				ip -$family rule add priority 50 $action
				wait_until 5 told "^daemon.warn sixxs1: its packets $words: rule 50: from all $action is not ours and comes before rule 16383: "
				run sixxs-route apply sixxs1
				grep "sixxs1: its packets $words: rule 50: from all $action " <<<"$output"
				run sixxs-route check
				grep "sixxs1.conf:1: warning: sixxs1: its packets $words: rule 50: from all $action " <<<"$output"
				ip -$family rule del priority 50
				watch_idle
				logged 2 '^daemon.warn sixxs1: its packets .*; see: sixxs-route status$'
			done <<-'END'
				lookup 77/leave by another link
				unreachable/are refused
				prohibit/are refused
				blackhole/are refused
			END
			ip -$family route del default dev net0 table 77
		done
	done
	# where nothing is led astray nothing is told
	log_restart
	ip rule add priority 50 fwmark 99 unreachable
	ip rule add priority 32000 unreachable
	watch_idle
	run sixxs-route apply sixxs1
	[[ $output != *'its packets'* ]]
	run sixxs-route check
	[[ $output != *'its packets'* ]]
	logged 0 '^daemon.warn'
	ip rule del priority 50
	ip rule del priority 32000
}
