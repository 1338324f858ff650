#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# status --ping: one echo from each source, by its tunnel, with real far ends.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"
# shellcheck source=form.bash
. "$BATS_TEST_DIRNAME/form.bash"
# shellcheck source=topology.sh
. "$BATS_TEST_DIRNAME/topology.sh"

client_delay=0

setup_file() {
	install_handler
	topology_up 2>/tmp/topology
	address far pop 203.0.113.1/24
	address pop far 203.0.113.2/24
	ip -n far route add default via 203.0.113.2
	ip -n pop route add 10.9.0.1/32 dev tunnel0
}

teardown_file() { ends_close; }

setup() {
	begin
	clients_up
}

teardown() {
	clients_down
	nft flush ruleset
	in_pop nft flush ruleset
	rm -rf /run/sixxs-route/held
	finish
}

ping_json() { # STATUS FILTER [ARG...]: of status --ping; sets "took", in microseconds
	local found begun=${EPOCHREALTIME/[.,]/}
	found=$(exits "$1" $handler status --json --ping $far_ip6 "${@:3}") || return
	took=$((${EPOCHREALTIME/[.,]/} - begun))
	is_so "$2" <<<"$found" && return
	printf 'not so: %s\nof: %s\n' "$2" "$found" >&2
	return 1
}

echoes=(-Q out 'icmp6 and ip6[40] == 128')

@test "each echo leaves by its own tunnel and is answered" {
	capture sixxs0 "${echoes[@]}"
	capture sixxs1 "${echoes[@]}"
	capture net0 "${echoes[@]}"
	exits 0 $handler status --ping $far_ip6 >/tmp/answer
	# that the capture on net0 would count one
	ping -n -c 1 -W $((2 * SLOW)) -I 2001::1 2001::2
	sixxs0=$(captured sixxs0) sixxs1=$(captured sixxs1) net0=$(captured net0)
	[[ $(grep -c . <<<"$sixxs0") = 1 && $sixxs0 == "IP6 2a02::1 > $far_ip6: "* ]]
	[[ $(grep -c . <<<"$sixxs1") = 1 && $sixxs1 == "IP6 2a02::2 > $far_ip6: "* ]]
	[[ $(grep -c . <<<"$net0") = 1 && $net0 == "IP6 2001::1 > 2001::2: "* ]]
	[ "$(grep -cE '^  ping from +2a02::[12]: answered in [0-9]+\.[0-9]{3} ms +ok$' /tmp/answer)" = 2 ]
	[ "$(grep -cE '.{81}' /tmp/answer)" = 0 ]
}

@test "as JSON: the time is a number of milliseconds; without --ping there are no such keys" {
	ping_json 0 '[.tunnels[].sources[] | .ping == "answered" and .ping_ms > 0 and .ping_ms < 2000] == [true, true]'
	ping_json 0 '[.tunnels[].interface] == ["sixxs1"]' sixxs1
	$handler status --json | jq -e '[.tunnels[].sources[] | has("ping") or has("ping_ms")] == [false, false]'
}

@test "no answer: exit 1, within the two seconds, and the other tunnel's time stays" {
	in_pop nft 'add table ip6 t; add chain ip6 t f { type filter hook forward priority 0; }; add rule ip6 t f iifname tunnel0 drop'
	ping_json 1 '.state == "drift" and (.tunnels | map(.state)) == ["no answer", "ok"] and
		(.tunnels[0].sources[0] | .ping == "none" and .ping_ms == null and .state == "no answer") and
		(.tunnels[1].sources[0] | .ping == "answered" and .ping_ms < 1000)'
	[ "$took" -ge 1000000 ] && [ "$took" -lt $((2000000 + 2000000 * SLOW)) ]
	exits 1 $handler status --ping $far_ip6 sixxs0 | grep -qE '^  ping from +2a02::1: no answer +no answer$'
	exits 0 $handler status --ping $far_ip6 sixxs1
	exits 0 $handler status # which asks nobody
}

@test "from a held tunnel nothing is sent" {
	$handler hold sixxs0
	capture any "${echoes[@]}"
	ping_json 0 '(.tunnels | map(.state)) == ["held", "ok"] and
		(.tunnels[0].sources[0] | .ping == "held" and .ping_ms == null) and .tunnels[1].sources[0].ping == "answered"'
	found=$(captured any)
	[ "$(grep -c '2a02::1 >' <<<"$found")" = 0 ]
	[ "$(grep -c '2a02::2 >' <<<"$found")" = 1 ]
	$handler status --ping $far_ip6 | grep -qE '^  ping from +2a02::1: nothing is sent while it is held$'
}

@test "nor from one that is down, or away" {
	ip link set sixxs0 down
	settle
	capture any "${echoes[@]}"
	ping_json 0 '.tunnels[0].sources[0] | .ping == "unsent" and .ping_ms == null'
	client_stop 0
	settle
	ping_json 0 '.tunnels[0].sources[0] | .ping == "unsent" and .ping_ms == null'
	found=$(captured any)
	[ "$(grep -c '2a02::1 >' <<<"$found")" = 0 ]
	[ "$(grep -c '2a02::2 >' <<<"$found")" = 2 ]
}

@test "nor what would leave another way: to an address of this host, or to a neighbour of another link" {
	local address
	printf '[sixxs0]\nsource = 2a02::1, 10.9.0.1\ntable = 200\nprefer_main = yes\n' | drop_in sixxs0
	ip address add 10.9.0.1/32 dev sixxs0
	$handler apply sixxs0
	capture any -Q out 'icmp[icmptype] == icmp-echo or (icmp6 and ip6[40] == 128)'
	for address in 2001::1 2a02::1 2001::2; do
		exits 1 $handler status --json --ping $address sixxs0 >/tmp/answer
		jq -e '.tunnels[0] | (.state == "no answer" or .state == "astray") and (.sources | map(.ping) == ["unsent", "unsent"])' /tmp/answer
		exits 1 $handler status --ping $address sixxs0 | grep -qE '^  ping from +2a02::1: nothing is sent: it would go astray +no answer$'
	done
	for address in 192.0.2.1 10.9.0.1 192.0.2.2; do
		exits 1 $handler status --ping $address sixxs0 | grep -qE '^  ping from +10.9.0.1: nothing is sent: it would go astray +no answer$'
	done
	ping_json 0 '.tunnels[0].sources[0].ping == "answered"' sixxs0
	jq -e --arg to $far_ip6 '.tunnels[0].sources[0].path.to == $to' <<<"$($handler status --json --ping $far_ip6)"
	found=$(captured any)
	[ "$(grep -c . <<<"$found")" = "$(grep -cE "IP6 2a02::[12] > $far_ip6: " <<<"$found")" ]
	exits 2 $handler status --ping $far_ip6 --probe 2001::2
	exits 0 $handler status --ping $far_ip6 --probe 203.0.113.1 sixxs1
	exits 0 $handler status --ping $far_ip6 --probe $far_ip6 sixxs1
}

@test "IPv4; and nothing is sent to another family" {
	printf '[sixxs0]\nsource = 2a02::1, 10.9.0.1\ntable = 200\n' | drop_in sixxs0
	ip address add 10.9.0.1/32 dev sixxs0
	$handler apply sixxs0
	capture any -Q out 'icmp[icmptype] == icmp-echo'
	found=$($handler status --json --ping 203.0.113.1)
	jq -e '.tunnels[0].sources | map(.ping) == ["unsent", "answered"]' <<<"$found"
	jq -e '.tunnels[1].sources | map(.ping) == ["unsent"]' <<<"$found"
	ping -n -c 1 -W $((2 * SLOW)) 192.0.2.2
	found=$(captured any)
	printf '%s\n' "$found" >&2
	[ "$(grep -c '10.9.0.1 > 203.0.113.1: ' <<<"$found")" = 1 ]
	[ "$(grep -c ' > 203.0.113.1: ' <<<"$found")" = 1 ]
	[ "$(grep -c '192.0.2.1 > 192.0.2.2: ' <<<"$found")" = 1 ]
}

@test "where no raw socket is allowed it says what to do, and the rest all the same" {
	found=$(exits 2 setpriv --reuid 65534 --clear-groups --inh-caps=-all $handler status --json --ping $far_ip6)
	jq -e '.failure == "cannot send echoes: run it as root, or with CAP_NET_RAW: Operation not permitted" and
		.state == "unknown" and (.tunnels | map(.state)) == ["ok", "ok"] and
		[.tunnels[].sources[] | .ping, .ping_ms] == ["unsent", null, "unsent", null]' <<<"$found"
	exits 2 capsh --drop=cap_net_raw -- -c "$handler status --ping $far_ip6"
	exits 0 setpriv --reuid 65534 --clear-groups --inh-caps=-all $handler status
}

@test "the raw socket is opened before capabilities are given up, and no other time is there one" {
	strace -f -o /tmp/trace $handler status --ping $far_ip6
	[ "$(grep -nE 'socket\(AF_INET6, SOCK_RAW|capset\(' /tmp/trace | sed -E 's/.*(socket|capset).*/\1/' | paste -sd' ')" = "socket capset" ]
	grep -q 'capset.*effective=1<<CAP_NET_ADMIN, permitted=1<<CAP_NET_ADMIN, inheritable=0' /tmp/trace
	strace -f -o /tmp/trace $handler status
	[ "$(grep -c 'SOCK_RAW.*ICMP' /tmp/trace)" = 0 ]
}

@test "a source that is not this host's, and one whose packets are dropped here" {
	ip address del 2a02::1/128 dev sixxs0
	ping_json 1 '.tunnels[0] | .state == "no answer" and (.sources[0] | .ping == "unsent" and .ping_ms == null)' sixxs0
	$handler status --ping $far_ip6 | grep -qE '^  ping from +2a02::1: nothing is sent: no address of this host'
	nft 'add table ip6 t; add chain ip6 t o { type filter hook output priority 0; }; add rule ip6 t o oifname sixxs1 drop'
	ping_json 1 '.tunnels[0] | .state == "no answer" and .sources[0].ping == "unsent"' sixxs1
	$handler status --ping $far_ip6 | grep -qE '^  ping from +2a02::2: cannot be sent: Operation not permitted'
}

@test "of a prefix an address of this host is taken, or nothing is sent" {
	printf '[sixxs0]\nsource = 2a02::/64\ntable = 200\nprefer_main = no\n' | drop_in sixxs0
	$handler apply sixxs0
	ping_json 0 '.tunnels[0].sources[0] | .ping == "answered"' sixxs0
	ip address del 2a02::1/128 dev sixxs0
	ping_json 0 '.tunnels[0].sources[0] | .ping == "unsent"' sixxs0
}

# first_wait MS: for how long status --ping wants to wait at first, where it is held up so long before.
first_wait() {
	strace -o /tmp/trace -e trace=recvmsg,poll ${1:+-e inject=recvmsg:delay_enter=${1}000:when=1} \
		$handler status --ping $far_ip6 sixxs1 >/dev/null || return
	sed -nE '/POLLOUT/ { s/.*, 1, ([0-9]+)\) .*/\1/p; q }' /tmp/trace
}

@test "the two seconds are the command's: what has gone is not waited for, but for one second in any case" {
	local found
	found=$(first_wait '')
	echo "at once: $found"
	[ "$found" -gt 0 ] && [ "$found" -le 1900 ]
	found=$(first_wait 300)
	echo "after 300 ms: $found"
	[ "$found" -gt 0 ] && [ "$found" -le 1300 ]
	found=$(first_wait 3000)
	echo "after 3 s: $found"
	[ "$found" -gt 0 ] && [ "$found" -le 1000 ]
}

@test "512 sources that nobody answers, and one that is: two seconds for all, and each by its own tunnel" {
	local i k
	for i in 1 2 3 4 5 6 7 8; do
		ip link add many$i type ifb
		{
			printf '[many%d]\ntable = 30%d\nsource = auto\n' $i $i
		} | drop_in many$i
		for ((k = 1; k <= 64; k++)); do
			printf 'address add 2a02:%d::%x/128 dev many%d nodad\n' $i $k $i
		done | ip -batch -
		tunnel_up many$i
	done
	settle
	$handler apply --all
	$handler status --json | jq -e '.state == "ok"'
	capture any -s 128 -B 65536 "${echoes[@]}"
	begun=${EPOCHREALTIME/[.,]/}
	exits 1 $handler status --json --ping $far_ip6 >/tmp/answer
	took=$((${EPOCHREALTIME/[.,]/} - begun))
	echo "took $took us"
	[ "$took" -ge 1000000 ] && [ "$took" -lt $((2000000 + 2000000 * SLOW)) ]
	jq -c '[.tunnels[].sources[].ping] | group_by(.) | map({(.[0]): length}) | add' /tmp/answer
	jq -e '[.tunnels[].sources[].ping] | (map(select(. == "none")) | length) == 512 and
		(map(select(. == "answered")) | length) == 2' /tmp/answer
	# "many3 Out IP6 2a02:3::7 > ..."
	captured any >/tmp/echoes
	[ "$(grep -c . /tmp/echoes)" -eq 514 ]
	[ "$(sed -nE 's/^many([1-8]) +Out IP6 2a02:([1-8])::[0-9a-f]+ > .*/\1 \2/p' /tmp/echoes | awk '$1 == $2' | grep -c .)" -eq 512 ]
	[ "$(grep -cE '^net0 ' /tmp/echoes)" -eq 0 ]
}

@test "what is no address that packets can go to: usage" {
	# a link's own addresses, for which one must be named, and this host's
	for address in x '' :: ff02::1 2001:db8::/64 224.0.0.1 0.0.0.0 fe80::1 febf::1 fe80::1%sixxs0 ::1 127.0.0.1 127.9.9.9 \
		::ffff:192.0.2.1; do
		exits 2 $handler status --ping "$address" >/dev/null
		exits 2 $handler status --probe "$address" >/dev/null
	done
	exits 0 $handler status --probe fec0::1 >/dev/null
	exits 2 $handler apply sixxs0 --ping $far_ip6
}
