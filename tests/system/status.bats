#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# sixxs-route status: each state and each reason made for real, the two forms of the answer,
# the exit statuses, and what it costs and leaves alone.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"
# shellcheck source=form.bash
. "$BATS_TEST_DIRNAME/form.bash"

# A link that has a carrier without a program behind it.
tunnel_add() { ip link add "$1" type ifb; }

setup() {
	begin
	unset NO_COLOR
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02::1
		table = 200
	END
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
}

teardown() {
	sysctl -qw net.ipv4.ip_forward=0
	ip -6 rule del priority 100 2>/dev/null || true
	ip -4 rule del priority 100 2>/dev/null || true
	ip -6 route flush table 900 2>/dev/null || true
	finish
}

status() { $handler status "$@"; }

# says STATUS [ARG...] <TEXT: the exit status and all that is printed. Each such answer fits a
# terminal of 80 columns, and the other form of it agrees.
says() {
	local wanted=$1 found
	shift
	found=$(exits "$wanted" status "$@") || return
	assert_same "$(cat)" "$found" || return
	! grep -E '.{81}' <<<"$found" >&2 || return
	found=$(exits "$wanted" status --json "$@" 2>/dev/null) || return
	is_so ".state == [\"ok\", \"drift\", \"unknown\"][$wanted]" <<<"$found"
}

# free_of PATTERN FILE: no line of it matches (grep -E, by bytes). A bare "!" fails no test.
free_of() { if LC_ALL=C grep -aE -- "$1" "$2" >&2; then return 1; fi; }

# json FILTER [ARG...]: true of the JSON form, whatever the exit status.
json() {
	local filter=$1 found
	shift
	found=$(status --json "$@" 2>/dev/null) || true
	is_so "$filter" <<<"$found" && return
	printf 'not so: %s\nof: %s\n' "$filter" "$found" >&2
	return 1
}

@test "all well" {
	says 0 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
	END
	json '.tunnels[0] | .interface == "sixxs0" and .state == "ok" and .section == "found" and
		.label == "sixxs0" and .link == "up" and .ifindex > 1 and .recorded and
		.table == {"number": 200, "name": "sixxs0", "wanted_name": "sixxs0", "state": "ok"} and
		(.routes | length) == 1 and .leftovers == []'
	json '.tunnels[0].sources[0] | .source == "2a02::1" and .state == "ok" and
		.path.interface == "sixxs0" and .path.table == 200 and .path.reason == null and
		.path.from == "2a02::1" and .path.to == "2000::1" and
		(.rules | map(.priority)) == [16383]'
}

@test "every option of a section, both families" {
	ip address add 198.51.100.7/32 dev lo
	drop_in sixxs0 <<-END
		[Office]
		interface = sixxs0
		source = 2001:db8:48::/48, 198.51.100.7
		table = 4294967
		name = none
		priority = 500
		metric = 7
		mtu = 1280
		gateway = fe80::1
		prefer_main = yes
		when_down = unreachable
	END
	replay sixxs0
	says 0 --probe 203.0.113.9 <<-END
		sixxs0           up, table 4294967                                   ok
		  IPv6           unreachable default metric 4294967295               ok
		  IPv6           default via fe80::1 dev sixxs0 metric 7 mtu 1280    ok
		  IPv4           unreachable default metric 4294967295               ok
		  IPv4           default dev sixxs0 metric 7 mtu 1280                ok
		  from           2001:db8:48::/48 rules 499, 500: leaves by sixxs0   ok
		  from           198.51.100.7 rules 499, 500: leaves by sixxs0       ok
	END
	json '.tunnels[0] | .label == "Office" and .table.wanted_name == null and
		(.routes | map(.kind)) == ["fallback", "route", "fallback", "route"] and
		(.routes[1] | .gateway == "fe80::1" and .mtu == 1280 and .metric == 7)'
	json '.tunnels[0].sources[0] | .path.from == "2001:db8:48::1" and
		(.rules | map(.kind)) == ["rule-main", "rule"]'
	ip address del 198.51.100.7/32 dev lo
}

says_no_rule() { # LINK ROUTE: what it says of these, where the rule is missing
	{
		printf '%-17s%-52s%s\n' sixxs0 "$1, table 200 sixxs0" missing
		printf '%-17s%-52s%s\n' '  IPv6' 'default dev sixxs0 metric 2048' "$2"
		cat <<-END
			  from           2a02::1 rule 16383: leaves by net0 (table main):    missing
			                 its rule is missing
			Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
		END
	} | says 1
}

@test "missing: the rule" {
	ip -6 rule del from 2a02::1
	says_no_rule up ok
	json '.tunnels[0].sources[0] | .path.reason == "no-rule" and .path.interface == "net0" and
		.path.table == 254 and (.rules[0] | .wanted and (.installed | not) and .state == "missing")'
}

@test "missing: the route" {
	ip -6 route del default table 200
	says 1 <<-END
		sixxs0           up, table 200 sixxs0                                missing
		  IPv6           default dev sixxs0 metric 2048                      missing
		  from           2a02::1 rule 16383: leaves by net0 (table main):    astray
		                 table 200 has no default route
		Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
	END
	json '.tunnels[0].sources[0].path.reason == "no-route"'
}

@test "missing: the name of the table" {
	mv /run/sixxs-route/rt_tables /run/sixxs-route/elsewhere
	says 1 <<-END
		sixxs0           up, table 200                                       missing
		  name           ip(8) does not know the name sixxs0                 missing
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
	END
	mv /run/sixxs-route/elsewhere /run/sixxs-route/rt_tables
}

@test "a tunnel works without its table's name: ip(8) does not look where it stands" {
	local link=/etc/iproute2/rt_tables.d/sixxs-route.conf
	mv $link /tmp/link
	says 0 <<-END
		sixxs0           up, table 200                                       ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		ip(8) does not read our names: make install again, or make a symbolic link
		  $link -> /run/sixxs-route/rt_tables
	END
	json '.tunnels[0].table | .name == null and .state == "ok"'
	# what apply can mend is said as well
	ip -6 rule del from 2a02::1
	status >/tmp/out || true
	has 'Not as the drop-ins say; to make it so: sixxs-route apply sixxs0' </tmp/out
	has "  $link -> /run/sixxs-route/rt_tables" </tmp/out
	$handler apply sixxs0 2>/dev/null
	mkdir -p /usr/share/iproute2/rt_tables.d
	mv /tmp/link /usr/share/iproute2/rt_tables.d/sixxs-route.conf
	says 0 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
	END
	mv /usr/share/iproute2/rt_tables.d/sixxs-route.conf $link
	exits 0 status >/dev/null
}

@test "a tunnel works without its table's name: others' names cannot be read" {
	local file=/etc/iproute2/rt_tables.d/others.conf
	echo '900 others' >$file
	chmod 600 $file
	says 0 2>/dev/null <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
	END
	exits 0 setpriv --reuid=65534 --clear-groups $handler status 2>/tmp/err >/tmp/out
	assert_same "$(status)" "$(cat /tmp/out)"
	assert_same "sixxs-route: warning: $file cannot be read: Permission denied; some tables' names are not known" "$(cat /tmp/err)"
	rm $file
	# a name that others have given is no drift, nor is a number that they have named
	ip -6 rule del from 2a02::1
	$handler remove sixxs0 2>/dev/null
	printf '200 theirs\n' >$file
	$handler apply sixxs0 2>/dev/null
	exits 0 status >/dev/null
	json '.tunnels[0].table == {"number": 200, "name": "theirs", "wanted_name": "sixxs0", "state": "ok"}'
	printf '201 sixxs0\n' >$file
	$handler apply sixxs0 2>/dev/null
	json '.tunnels[0].table == {"number": 200, "name": null, "wanted_name": "sixxs0", "state": "ok"}'
	rm $file
	json '.tunnels[0].table.state == "missing"'
	$handler apply sixxs0 2>/dev/null
	exits 0 status >/dev/null
}

@test "somebody's link has a message longer than any buffer" {
	local i
	ip link add long0 type veth peer name long1
	for ((i = 0; i < 400; i++)); do
		printf 'link property add dev long0 altname %0120d\n' $i
	done | ip -batch -
	exits 0 status >/dev/null
	json '.state == "ok"'
	exits 0 $handler apply --all --dry-run
	# and the tunnel's own
	for ((i = 0; i < 400; i++)); do
		printf 'link property add dev sixxs0 altname x%0119d\n' $i
	done | ip -batch -
	exits 0 status >/dev/null
	ip -6 rule del from 2a02::1
	exits 0 $handler apply sixxs0 2>/dev/null
	exits 0 status >/dev/null
	ip link del long0
}

@test "astray: another rule comes first" {
	ip -6 rule add from 2a02::/16 priority 100 lookup main protocol static
	says 1 <<-END
		sixxs0           up, table 200 sixxs0                                astray
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by net0 (table main):    astray
		                 rule 100: from 2a02::/16 lookup main, protocol 4
		                 static, comes before its own
		Astray: what is ours is there; see above what else takes the packets.
	END
	json '.tunnels[0].sources[0].path | .reason == "other-rule" and
		.rule == {"priority": 100, "protocol": 4, "text": "rule 100: from 2a02::/16 lookup main"}'
}

@test "astray: the rule that counts is named, not one that does not match" {
	ip -6 rule add from 2a03::/16 priority 90 lookup main
	ip -6 rule add from all fwmark 1 priority 91 lookup main
	ip -6 rule add from all iif net0 priority 92 lookup main
	ip -6 rule add from all lookup main suppress_prefixlength 7 priority 93
	ip -6 rule add not from all fwmark 0xca6c priority 100 lookup main
	json '.tunnels[0].sources[0].path | .reason == "other-rule" and .rule.priority == 100 and
		.rule.text == "rule 100: not from all fwmark 0xca6c lookup main"'
	ip -6 rule del priority 100
	exits 0 status >/dev/null
	for priority in 90 91 92 93; do
		ip -6 rule del priority $priority
	done
}

@test "astray: another rule refuses" {
	local action
	for action in blackhole unreachable prohibit; do
		ip -6 rule add from all priority 100 $action
		json '.state == "drift" and (.tunnels[0].sources[0].path | .refused and .reason == "other-rule" and
			.interface == null and .rule.text == "rule 100: from all '$action'")'
		ip -6 rule del priority 100
	done
}

@test "astray: another rule leaps over ours" {
	ip -6 rule add from all priority 100 goto 32766
	json '.tunnels[0].sources[0].path | .reason == "other-rule" and .rule.text == "rule 100: from all goto 32766"'
}

@test "astray: another route in the table" {
	ip -6 route add 2000::/3 dev net0 table 200 metric 10 protocol static
	says 1 <<-END
		sixxs0           up, table 200 sixxs0                                astray
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by net0 (table 200       astray
		                 sixxs0): another route of table 200 is preferred:
		                 2000::/3 metric 10, protocol 4 static
		Astray: what is ours is there; see above what else takes the packets.
	END
	json '.tunnels[0].sources[0].path.reason == "other-route"'
	ip -6 route del 2000::/3 table 200
}

@test "missing: a foreign default route is in the place of ours" {
	ip -6 route del default table 200
	ip -6 route add default dev net0 table 200 metric 2048 protocol boot
	json '.state == "drift" and (.tunnels[0] | .state == "missing" and
		.routes[0].installed == false and .sources[0].path.reason == "other-route" and
		(.sources[0].path.text | contains("default metric 2048, protocol 3 boot")))'
	says 1 <<-END
		sixxs0           up, table 200 sixxs0                                missing
		  IPv6           default dev sixxs0 metric 2048                      missing
		  in its place   default dev net0 metric 2048, protocol 3 boot
		  from           2a02::1 rule 16383: leaves by net0 (table 200       astray
		                 sixxs0): another route of table 200 is preferred:
		                 default metric 2048, protocol 3 boot
		Somebody else's route is in the place of ours, see above: remove it first.
		Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
	END
	exits 1 $handler apply sixxs0 2>/dev/null
	# by another metric it is in nobody's place
	ip -6 route del default table 200
	ip -6 route add default dev net0 table 200 metric 1025 protocol boot
	exits 1 status >/tmp/out
	free_of 'in its place|in the place' /tmp/out
	exits 0 $handler apply sixxs0 2>/dev/null
	ip -6 route del default dev net0 table 200
}

# share_table: sixxs0 is alone in a table that tunnels share
share_table() {
	printf '[sixxs0]\nsource = 2a02::1\nsteer = source-route\ntable = 400\n' | drop_in sixxs0
	replay sixxs0
	exits 0 $handler apply sixxs0 2>/dev/null || skip 'this kernel has no CONFIG_IPV6_SUBTREES'
	exits 0 status >/dev/null
}

@test "astray: a default route of others in a table that tunnels share takes the packets of all the host" {
	share_table
	ip -6 route add default via fe80::1 dev net0 table 400 protocol static
	[[ $(ip -6 route get 2000::1) == *'via fe80::1 dev net0 table 400 '* ]] # that of packets that are no tunnel's
	says 1 <<-END
		sixxs0           up, table 400                                       ok
		  IPv6           default from 2a02::1 dev sixxs0 metric 2048         ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		(other packets)  leave by a route of table 400 that is not ours:     astray
		                 default via fe80::1 dev net0 metric 1024, protocol
		                 4 static
		Astray: what is ours is there; see above what else takes the packets.
	END
	json '.tunnels[0].state == "ok" and .foreign == [{"table": 400, "to": "::/0", "from": null, "interface": "net0",
		"metric": 1024, "protocol": 4, "text": "default via fe80::1 dev net0 metric 1024, protocol 4 static"}]'
	exits 1 status sixxs0 >/dev/null
	# what asks about another tunnel is not told
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
	exits 0 status sixxs1 >/dev/null
	rm /etc/sixxs-route/conf.d/sixxs1.conf
	ip -6 route del default via fe80::1 dev net0 table 400
	exits 0 status >/dev/null
}

@test "a table that tunnels share is asked about once, also where their routes are missing" {
	local n
	share_table
	for n in 1 2 3 4; do
		printf '[sixxs%d]\nsource = 2a02::%d\nsteer = source-route\ntable = 400\n' $n $((n + 1)) | drop_in sixxs$n
		tunnel_add sixxs$n
		tunnel_up sixxs$n
	done
	settle
	exits 0 $handler apply --all 2>/dev/null
	exits 0 strace -qq -e trace=sendto -o /tmp/trace $handler status >/dev/null
	assert_same 1 "$(grep -c RTA_TABLE /tmp/trace)"
	# apply has one for each tunnel, and one for all, whatever there is in the table
	exits 0 strace -qq -e trace=sendto -o /tmp/trace $handler apply --all 2>/dev/null
	assert_same 6 "$(grep -c 'nlmsg_type=RTM_GETROUTE, nlmsg_flags=NLM_F_REQUEST,' /tmp/trace)"
	for n in 1 2 3; do
		ip -6 route del default from 2a02::$((n + 1)) table 400
	done
	# status looks twice at what is not well
	exits 1 strace -qq -e trace=sendto -o /tmp/trace $handler status >/dev/null
	assert_same 2 "$(grep -c RTA_TABLE /tmp/trace)"
	ip -6 route add default from 2a02::3 dev net0 table 400 metric 2048
	json '.state == "drift" and .foreign == []'
	exits 1 status >/tmp/out
	assert_same 1 "$(grep -c 'in its place .*default dev net0 metric 2048, protocol 3 boot' /tmp/out)"
	ip -6 route del default from 2a02::3 table 400
	rm /etc/sixxs-route/conf.d/sixxs[1-4].conf
	for n in 1 2 3 4; do
		ip link del sixxs$n
	done
	settle
	$handler apply --all 2>/dev/null
}

@test "astray: pieces of a default, and what refuses, in a table that tunnels share" {
	local to
	share_table
	for to in ::/1 8000::/1 2000::/4 fc00::/7; do
		ip -6 route add $to dev net0 table 400 protocol ra
		json ".state == \"drift\" and (.foreign | map(.to, .protocol)) == [\"$to\", 9]"
		ip -6 route del $to table 400
	done
	# of a source all that is longer than such a piece is somebody's alone
	for to in ::/1 8000::/1 2000::/4 fc00::/7; do
		ip -6 route add default from $to dev net0 table 400 protocol ra
		json ".state == \"drift\" and .tunnels[0].state == \"ok\" and (.foreign | map(.to, .from, .text)) ==
			[\"::/0\", \"$to\", \"default from $to dev net0 metric 1024, protocol 9 ra\"]"
		ip -6 route del default from $to table 400
	done
	for to in blackhole unreachable prohibit; do
		ip -6 route add $to default table 400 metric 7
		json '.state == "drift" and .tunnels[0].state == "ok" and (.foreign | length == 1 and (.[0] |
			.interface == null and .text == "'$to' default metric 7, protocol 3 boot"))'
		exits 1 status >/tmp/out
		grep -q "^(other packets)  are refused by a route of table 400 that is not  *astray$" /tmp/out
		ip -6 route del $to default table 400
	done
	ip -6 route add default table 400 nexthop via fe80::1 dev net0 nexthop via fe80::2 dev net0
	json '.state == "drift" and (.foreign | length == 1 and .[0].interface == "net0")'
	ip -6 route del default table 400
	# a network, what is from one source, and what hands the packets on: they take none of the others
	ip -6 route add fc00::/8 dev net0 table 400
	ip -6 route add default from 2a02:7::/64 dev net0 table 400
	ip -6 route add throw default table 400
	says 0 <<-END
		sixxs0           up, table 400                                       ok
		  IPv6           default from 2a02::1 dev sixxs0 metric 2048         ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
	END
	ip -6 route flush table 400 protocol boot
	# and no packet is led to it without the rule
	ip -6 route add default dev net0 table 400
	ip -6 rule del priority 16383
	json '.state == "drift" and .tunnels[0].state == "missing" and .foreign == []'
	ip -6 route del default dev net0 table 400
}

@test "astray: a route of others for some of a tunnel's source, in a table that tunnels share" {
	share_table
	sed -i 's|^source.*|source = 2a02::/64|' /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0 2>/dev/null
	ip -6 route add default from 2a02:0:0:0:8000::/65 dev net0 table 400 protocol static
	says 1 <<-END
		sixxs0           up, table 400                                       astray
		  IPv6           default from 2a02::/64 dev sixxs0 metric 2048       ok
		  from           2a02::/64 rule 16383: leaves by sixxs0; but another astray
		                 route of table 400 takes some: default from
		                 2a02::8000:0:0:0/65 metric 1024, protocol 4 static
		Astray: what is ours is there; see above what else takes the packets.
	END
	json '.tunnels[0].state == "astray" and .foreign == [] and
		(.tunnels[0].sources[0].path | .reason == "some-packets" and .rule == null)'
	ip -6 route del default from 2a02:0:0:0:8000::/65 table 400
	# the same source: the metric decides; a piece of the default, or a longer one, takes it in any case
	ip -6 route add default from 2a02::/64 dev net0 table 400 metric 2049
	exits 0 status >/dev/null
	ip -6 route del default from 2a02::/64 dev net0 table 400 metric 2049
	local route
	for route in 'default from 2a02::/64 metric 2047' '2000::/4 from 2a02::/16' 'default from 2a02::/80'; do
		# shellcheck disable=SC2086 # words
		ip -6 route add $route dev net0 table 400
		json '.tunnels[0].state == "astray" and .tunnels[0].sources[0].path.reason == "other-route"'
		# shellcheck disable=SC2086
		ip -6 route del $route dev net0 table 400
	done
	ip -6 route add 8000::/1 from 2a02::/16 dev net0 table 400
	json '.tunnels[0].state == "astray" and .tunnels[0].sources[0].path.reason == "some-packets"'
	ip -6 route del 8000::/1 from 2a02::/16 dev net0 table 400
	# "throw" hands on what is the tunnel's
	ip -6 route add throw default from 2a02:0:0:0:8000::/65 table 400
	json '.tunnels[0].state == "astray" and .tunnels[0].sources[0].path.reason == "some-packets"'
	ip -6 route del throw default from 2a02:0:0:0:8000::/65 table 400
	# by the tunnel's own link nothing goes astray
	ip -6 route add default from 2a02::/80 dev sixxs0 table 400
	exits 0 status >/dev/null
	ip -6 route del default from 2a02::/80 dev sixxs0 table 400
	exits 0 status >/dev/null
}

@test "what to do is said with the folders that were looked at" {
	local conf=$'/tmp/a "b"\n\'c\\\xe4' run=/tmp/run-1.2
	ip -6 rule del from 2a02::1
	cp -a /etc/sixxs-route/conf.d "$conf"
	status --conf-dir "$conf" >/tmp/out || true
	assert_same "  sixxs-route --conf-dir \$'/tmp/a \"b\"\\012\\047c\\134\\344' apply sixxs0" "$(tail -n 1 /tmp/out)"
	cp -a /run/sixxs-route $run
	status --conf-dir "$conf" --run-dir $run >/tmp/out || true
	bash -c "$(tail -n 1 /tmp/out)" 2>/dev/null
	exits 0 status --conf-dir "$conf" --run-dir $run >/dev/null
	status --run-dir $run >/tmp/out || true
	exits 0 status >/dev/null
	rm -r "$conf" $run
}

@test "astray: a route refuses" {
	local type
	for type in blackhole unreachable prohibit; do
		ip -6 route add $type 2000::/3 table 200
		json '.tunnels[0].sources[0].path | .refused and .reason == "refused" and
			(.text | endswith("'$type' 2000::/3 of table 200, metric 1024, protocol 3 boot, refuses it"))'
		ip -6 route del $type 2000::/3 table 200
	done
}

@test "astray: a route of main refuses, which prefer_main looks at first" {
	local type
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nprefer_main = yes\n' | drop_in sixxs0
	replay sixxs0
	for type in blackhole unreachable prohibit; do
		ip -6 route add $type 2000::/16 metric 9 protocol static
		json '.state == "drift" and (.tunnels[0].sources[0].path | .refused and .reason == "refused" and
			(.text | endswith("'$type' 2000::/16 of table main, metric 9, protocol 4 static, refuses it")))'
		ip -6 route del $type 2000::/16
	done
	ip -6 route add unreachable 2001:db8::/32 # of another address
	exits 0 status >/dev/null
	ip -6 route del unreachable 2001:db8::/32
}

@test "astray: a rule before ours takes one protocol, or one user's packets" {
	local selector
	for selector in 'ipproto tcp' 'ipproto udp dport 53' 'uidrange 1000-2000' 'sport 22' 'ipproto ipv6-icmp'; do
		# shellcheck disable=SC2086 # words
		ip -6 rule add from all $selector priority 100 lookup main protocol static
		json '.state == "drift" and (.tunnels[0] | .state == "astray" and (.sources[0].path |
			.interface == "sixxs0" and .reason == "some-packets" and .rule.priority == 100 and
			.rule.text == "rule 100: from all '"$selector"' lookup main"))'
		ip -6 rule del priority 100
	done
	ip -6 rule add from 2a02::/16 ipproto tcp priority 100 lookup main protocol static
	says 1 <<-END
		sixxs0           up, table 200 sixxs0                                astray
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0; but rule 100: astray
		                 from 2a02::/16 ipproto tcp lookup main, protocol 4
		                 static, takes some before its own does
		Astray: what is ours is there; see above what else takes the packets.
	END
	ip -6 rule del priority 100
	# a look-up that finds nothing, one that leads to the tunnel, another source, one behind ours
	ip -6 rule add from all ipproto tcp priority 100 lookup 900
	exits 0 status >/dev/null
	ip -6 route add default dev sixxs0 table 900
	exits 0 status >/dev/null
	ip -6 rule del priority 100
	ip -6 rule add from 2a03::/16 ipproto tcp priority 100 lookup main
	exits 0 status >/dev/null
	ip -6 rule del priority 100
	ip -6 rule add from all ipproto tcp priority 20000 lookup main
	exits 0 status >/dev/null
	ip -6 rule del priority 20000
}

@test "astray: somebody's default of the same metric comes before ours" {
	ip address add 198.51.100.7/32 dev lo
	printf '[sixxs0]\nsource = 198.51.100.7\ntable = 200\nmetric = 7\n' | drop_in sixxs0
	replay sixxs0
	exits 0 status --probe 203.0.113.9 >/dev/null
	ip route prepend default dev net0 table 200 metric 7 protocol static
	exits 0 $handler apply sixxs0 2>/dev/null
	json '.state == "drift" and (.tunnels[0] | .state == "astray" and .routes[0].installed and
		(.sources[0].path | .reason == "other-route" and .interface == "net0" and
		(.text | endswith("another route of table 200 is preferred: default metric 7, protocol 4 static"))))' \
		--probe 203.0.113.9
	ip route del default dev net0 table 200
	ip address del 198.51.100.7/32 dev lo
}

# as_a_pair: the tunnel's link is one whose other end, far0, can be taken down.
as_a_pair() {
	ip link del sixxs0
	ip link add sixxs0 type veth peer name far0
	ip link set far0 up
	ip link set sixxs0 up
	settle
	$handler apply sixxs0 2>/dev/null
}

@test "no carrier: the link is up, and packets vanish" {
	as_a_pair
	exits 0 status >/dev/null
	ip link set far0 down
	says 1 <<-END
		sixxs0           up, no carrier, table 200 sixxs0                    no carrier
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		No carrier: packets vanish; see to the program or the cable behind the link.
	END
	json '.tunnels[0] | .state == "no carrier" and .link == "up" and .carrier == false'
	# an address's own faults go first
	ip -6 rule del from 2a02::1
	json '.tunnels[0].state == "missing"'
	$handler apply sixxs0 2>/dev/null
	ip link set far0 up
	json '.state == "ok" and .tunnels[0].carrier'
	ip link set sixxs0 down
	json '.tunnels[0] | .state == "waiting" and .carrier == null'
	ip link del sixxs0
	settle
	tunnel_add sixxs0
}

@test "the address that is asked for is none of the host, nor on its links" {
	printf '[sixxs0]\nsource = 2a02::1, 192.0.2.1\ntable = 200\n' | drop_in sixxs0
	replay sixxs0
	# 192.0.2.1 is the host's
	json '.tunnels[0].sources | map(.path.to) == ["2000::1", "198.51.100.1"]'
	says 0 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  IPv4           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		  from           192.0.2.1 rule 16383: leaves by sixxs0              ok
		Asked about 198.51.100.1, for 192.0.2.1 is on this host or one of its links.
	END
	ip address add 198.51.100.7/24 dev sixxs0
	ip address add 203.0.113.1/32 dev lo
	ip address add 2000::1/128 dev lo
	exits 0 status >/tmp/out
	has "Asked about 3fff::1, for 2000::1 is on this host or one of its links." </tmp/out
	has "Asked about 198.18.0.1, for 192.0.2.1 is on this host or one of its links." </tmp/out
	json '.tunnels[0].sources | map(.path.to) == ["3fff::1", "198.18.0.1"]'
	# who names one gets it
	json '.tunnels[0].sources[1].path | .to == "192.0.2.1" and .interface == "lo"' --probe 192.0.2.1
	ip address del 203.0.113.1/32 dev lo
	ip address del 2000::1/128 dev lo
}

@test "main's more specific route is as prefer_main wants, and astray without it" {
	ip -6 route add 2001:db8::/32 dev net0
	says 0 --probe 2001:db8::9 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
	END
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nprefer_main = yes\n' | drop_in sixxs0
	replay sixxs0
	says 0 --probe 2001:db8::9 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rules 16382, 16383: leaves by net0 (table   ok
		                 main): a more specific route, as prefer_main wants
	END
	json '.tunnels[0].sources[0].path.reason == "prefer-main"' --probe 2001:db8::9
	ip -6 route del 2001:db8::/32 dev net0
}

@test "waiting: the link is down" {
	tunnel_down sixxs0
	says 0 <<-END
		sixxs0           down, table 200 sixxs0                              waiting
		  IPv6           default dev sixxs0 metric 2048                      waiting
		  from           2a02::1 rule 16383: waiting for the link; until     waiting
		                 then it leaves by net0 (table main)
	END
	json '.tunnels[0] | .link == "down" and .sources[0].path.reason == "waiting"'
	ip -6 rule del from 2a02::1
	says_no_rule down waiting
}

@test "waiting: refused meanwhile, as when_down wants" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nwhen_down = unreachable\n' | drop_in sixxs0
	replay sixxs0
	tunnel_down sixxs0
	says 0 <<-END
		sixxs0           down, table 200 sixxs0                              waiting
		  IPv6           unreachable default metric 4294967295               ok
		  IPv6           default dev sixxs0 metric 2048                      waiting
		  from           2a02::1 rule 16383: waiting for the link; until     waiting
		                 then it is refused (No route to host)
	END
}

@test "astray: down or held, and a default route of others takes what when_down = unreachable holds back" {
	ip address add 198.51.100.7/32 dev lo
	printf '[sixxs0]\nsource = 2a02::1, 198.51.100.7\nbound = yes\ntable = 200\nprefer_main = no\nwhen_down = unreachable\n' | drop_in sixxs0
	replay sixxs0
	ip -6 route add default dev net0 table 200 metric 5000 protocol static
	ip -4 route add default dev net0 table 200 metric 5000 protocol static
	# behind ours it takes nothing
	exits 0 status >/tmp/out
	free_of 'net0|astray' /tmp/out
	$handler hold sixxs0 2>/dev/null
	json '.state == "drift" and (.tunnels[0] | .state == "astray" and
		(.sources | map(.path.reason, .path.table)) == ["other-route", 200, "other-route", 200])'
	$handler release sixxs0 2>/dev/null
	exits 0 status >/dev/null
	tunnel_down sixxs0
	json '.state == "drift" and (.tunnels[0] | .state == "astray" and
		(.sources | map(.path.reason, .path.table)) == ["other-route", 200, "other-route", 200])'
	ip -4 route del default dev net0 table 200
	ip address del 198.51.100.7/32 dev lo
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nwhen_down = unreachable\n' | drop_in sixxs0
	$handler apply sixxs0 2>/dev/null
	says 1 <<-END
		sixxs0           down, table 200 sixxs0                              astray
		  IPv6           unreachable default metric 4294967295               ok
		  IPv6           default dev sixxs0 metric 2048                      waiting
		  from           2a02::1 rule 16383: leaves by net0 (table 200       astray
		                 sixxs0): another route of table 200 is preferred:
		                 default metric 5000, protocol 4 static
		Astray: what is ours is there; see above what else takes the packets.
	END
	# nothing is held back by fallthrough: it is but said
	sed -i /^when_down/d /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0 2>/dev/null
	says 0 <<-END
		sixxs0           down, table 200 sixxs0                              waiting
		  IPv6           default dev sixxs0 metric 2048                      waiting
		  from           2a02::1 rule 16383: waiting for the link; until     waiting
		                 then it leaves by net0 (table 200 sixxs0)
	END
	ip -6 route del default dev net0 table 200
}

@test "held, with when_down = unreachable: refused, or led by main as prefer_main has it: no drift" {
	printf '[sixxs0]\nsource = 2a02::1, 198.51.100.7\nbound = yes\ntable = 200\nprefer_main = yes\nwhen_down = unreachable\n' | drop_in sixxs0
	ip address add 198.51.100.7/32 dev lo
	replay sixxs0
	$handler hold sixxs0 2>/dev/null
	json '.state == "ok" and (.tunnels[0] | .state == "held" and (.sources | map(.path.reason)) == ["held", "held"])'
	ip -6 route add 2000::/16 dev net0
	exits 0 status --probe 2000::1 >/dev/null
	json '.state == "ok" and (.tunnels[0] | .state == "held" and .sources[0].path.reason == "prefer-main")' --probe 2000::1
	ip -6 route del 2000::/16 dev net0
	$handler release sixxs0 2>/dev/null
	ip address del 198.51.100.7/32 dev lo
}

@test "absent: the link is gone, and so is all" {
	tunnel_del sixxs0
	settle
	says 0 <<-END
		sixxs0           absent, table 200                                   absent
	END
	json '.tunnels[0] | .link == "absent" and .ifindex == null and .routes == [] and
		(.sources[0] | .source == "2a02::1" and .path == null and .rules == [] and .state == "absent")'
}

@test "stale: the link went, and nobody saw it" {
	udev_holds
	tunnel_del sixxs0
	says 1 <<-END
		sixxs0           absent, table 200 sixxs0                            stale
		  left over      rule 16383: from 2a02::1 lookup 200                 stale
		Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
	END
	json '.tunnels[0].leftovers == [{"kind": "rule", "family": 6, "source": "2a02::1", "selector": "from 2a02::1", "priority": 16383,
		"table": 200, "wanted": false, "installed": true, "state": "stale"}]'
	ip -6 rule del from 2a02::1
	says 1 <<-END
		sixxs0           absent, table 200 sixxs0; its record is left over   stale
		Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
	END
	udev_goes_on
}

@test "stale: the drop-in was deleted while the tunnel is up" {
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	says 1 <<-END
		sixxs0           up, no section in conf.d                            stale
		  left over      default dev sixxs0 metric 2048 table 200            stale
		  left over      rule 16383: from 2a02::1 lookup 200                 stale
		Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
	END
	json '.tunnels[0] | .section == "none" and .table == null and .sources == []'
	$handler apply sixxs0 2>/dev/null
	says 0 <<<'no tunnels: no drop-in names one, and nothing is installed'
}

@test "stale: ours, and no drop-in and no record knows it" {
	ip -6 rule add from 2a02::99 lookup 900 priority 16383 protocol 166
	ip -6 route add default dev net0 table 900 metric 9 protocol 166
	ip -6 rule add from 2a02::98 lookup 200 priority 16383 protocol 166
	says 1 <<-END
		sixxs0           up, table 200 sixxs0                                stale
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		  left over      rule 16383: from 2a02::98 lookup 200                stale
		(no tunnel)      ours, and in no drop-in and no record               stale
		  left over      default dev net0 metric 9 table 900                 stale
		  left over      rule 16383: from 2a02::99 lookup 900                stale
		Not as the drop-ins say; to make it so: sixxs-route apply --all
	END
	json '.strays | map(.kind) == ["route", "rule"]'
	# the strays are not this tunnel's
	says 1 sixxs0 <<-END
		sixxs0           up, table 200 sixxs0                                stale
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		  left over      rule 16383: from 2a02::98 lookup 200                stale
		Not as the drop-ins say; to make it so: sixxs-route apply --all
	END
	# its own turn does not know what is not on its record
	$handler apply sixxs0 2>/dev/null
	exits 1 status sixxs0 >/dev/null
	$handler apply --all 2>/dev/null
	exits 0 status >/dev/null
}

@test "changed: the drop-in says something else since" {
	printf '[sixxs0]\nsource = 2a02::2\ntable = 200\n' | drop_in sixxs0
	says 1 <<-END
		sixxs0           up, table 200 sixxs0                                changed
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::2 rule 16383: leaves by net0 (table main):    changed
		                 its rule is missing
		  left over      rule 16383: from 2a02::1 lookup 200                 changed
		Not as the drop-ins say; to make it so: sixxs-route apply sixxs0
	END
	json '.tunnels[0] | .state == "changed" and .leftovers[0].state == "changed" and
		(.sources[0].rules[0] | .state == "changed" and .wanted and (.installed | not))'
	replay sixxs0
	exits 0 status >/dev/null
	# our own old route is nobody else's
	printf '[sixxs0]\nsource = 2a02::2\ntable = 200\ngateway = fe80::1\n' | drop_in sixxs0
	exits 1 status >/tmp/out
	free_of 'in its place|in the place' /tmp/out
	grep -q 'default via fe80::1 dev sixxs0 metric 2048 .*changed' /tmp/out
	printf '[sixxs0]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs0
	json '.state == "drift" and .tunnels[0].state == "changed"'
	replay sixxs0
	exits 0 status >/dev/null
}

@test "no section: said so, and no drift" {
	ip tuntap add sixxs7 mode tun
	says 0 sixxs7 <<-END
		sixxs7           down, no section in conf.d                          no section
	END
	json '.tunnels | map(.interface) == ["sixxs0", "sixxs7"]' sixxs7 sixxs0 sixxs7
	ip link del sixxs7
	# of all, only what a drop-in or a record names is there
	json '.tunnels | map(.interface) == ["sixxs0"]'
}

@test "a name that no link, section or record bears: unknown, and which one was meant" {
	says 2 sixx0 <<-END
		sixx0            absent, no section in conf.d                        unknown
	END
	status sixx0 2>/tmp/told >/dev/null || true
	assert_same 'sixxs-route: sixx0: no link, no section, nothing on record: did you mean sixxs0?' "$(cat /tmp/told)"
	json '.state == "unknown" and (.failure | endswith("did you mean sixxs0?")) and
		(.tunnels | map(.state) == ["unknown", "ok"])' sixxs0 sixx0
	json '.failure == null' sixxs0
}

@test "an IPv4 source: the host's own, forwarded for, neither" {
	printf '[sixxs0]\nsource = 198.51.100.7\ntable = 200\n' | drop_in sixxs0
	replay sixxs0
	says 0 --probe 203.0.113.9 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv4           default dev sixxs0 metric 2048                      ok
		  from           198.51.100.7 rule 16383: no address of this host,   ok
		                 which forwards nothing for it
	END
	json '.tunnels[0].sources[0].path | .reason == "not-local" and .interface == null and .iif == "net0"' \
		--probe 203.0.113.9

	sysctl -qw net.ipv4.ip_forward=1
	says 0 --probe 203.0.113.9 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv4           default dev sixxs0 metric 2048                      ok
		  from           198.51.100.7 rule 16383: leaves by sixxs0           ok
	END
	ip -4 rule add from all iif net0 priority 100 lookup main
	json '.state == "drift" and (.tunnels[0].sources[0].path | .reason == "other-rule" and
		.interface == "net0" and .rule.priority == 100)' --probe 203.0.113.9
	ip -4 rule del priority 100
	sysctl -qw net.ipv4.ip_forward=0

	ip address add 198.51.100.7/32 dev sixxs0
	json '.state == "ok" and (.tunnels[0].sources[0].path | .reason == null and .interface == "sixxs0" and
		.iif == null)' --probe 203.0.113.9
	ip -4 rule del from 198.51.100.7
	json '.state == "drift" and .tunnels[0].sources[0].path.reason == "no-rule"' --probe 203.0.113.9
	$handler apply sixxs0 2>/dev/null
	ip -4 rule add from 198.51.100.7 blackhole priority 100
	json '.state == "drift" and (.tunnels[0].sources[0].path | .refused and .reason == "other-rule")' \
		--probe 203.0.113.9
}

@test "several routes of main at once: one of them is told" {
	ip -6 rule del from 2a02::1
	ip -6 route replace default nexthop via 2001::2 dev net0 nexthop via 2001::3 dev net0
	json '.tunnels[0].sources[0].path | .interface == "net0" and .reason == "no-rule"'
	ip -6 route replace default via 2001::2 dev net0
	ip -6 route del default
	ip -6 route add default via 2001::2 dev net0
}

@test "what is selected by a mark, a user, a bound socket, a link: asked as such" {
	drop_in sixxs0 <<-END
		[sixxs0]
		fwmark = 0x1/0xff
		user = 1000
		bound = yes
		from_link = lan0, lan9
		table = 200
		prefer_main = no
	END
	ip link add lan0 type veth peer name far0
	ip link set lan0 up
	ip link set far0 up
	ip address add 192.168.7.1/24 dev lan0
	sysctl -qw net.ipv4.ip_forward=1
	replay sixxs0
	json '.state == "ok" and (.tunnels[0] | .sources == [] and (.selectors | length) == 10 and
		(.selectors | map(select(.family == 6) | [.selector, .path.reason, .path.interface])) == [
			["fwmark 0x1/0xff", null, "sixxs0"], ["uidrange 1000-1000", null, "sixxs0"],
			["oif sixxs0", null, "sixxs0"], ["iif lan0", null, "sixxs0"], ["iif lan9", "no-link", null]] and
		(.selectors | map(select(.family == 4) | [.selector, .path.reason, .path.interface])) == [
			["fwmark 0x1/0xff", null, "sixxs0"], ["uidrange 1000-1000", null, "sixxs0"],
			["oif sixxs0", null, "sixxs0"], ["iif lan0", null, "sixxs0"], ["iif lan9", "no-link", null]])'
	status >/tmp/out
	has '  fwmark         0x1/0xff rule 16383: leaves by sixxs0               ok' </tmp/out
	has '  iif            lan9 rule 16383: there is no link lan9              ok' </tmp/out
	free_of '.{81}' /tmp/out
	# each by itself goes astray where another rule takes just that
	for selector in 'fwmark 0x1' 'uidrange 1000-1000' 'iif lan0'; do
		# shellcheck disable=SC2086 # words
		ip -6 rule add $selector priority 100 lookup main protocol static
		json '.tunnels[0] | .state == "astray" and (.selectors | map(select(.path.reason == "other-rule")) | length == 1 and
			(.[0].path.interface == "net0"))'
		ip -6 rule del priority 100
	done
	# a socket that is bound: IPv4 has no route at all, and still names the link
	ip -4 route del default table 200
	json '.tunnels[0].selectors[] | select(.selector == "oif sixxs0" and .family == 4).path.reason == "no-route"'
	$handler apply sixxs0 2>/dev/null
	sysctl -qw net.ipv4.ip_forward=0
	json '.state == "ok" and (.tunnels[0].selectors[] | select(.selector == "iif lan0" and .family == 4).path |
		.text == "nothing from lan0 is forwarded")'
	ip link del lan0
}

@test "astray: no route for lack of a gateway, or of somebody who fills the table" {
	printf '[sixxs0]\nsource = 2a02::1\ngateway = auto\nprefer_main = no\ntable = 200\n' | drop_in sixxs0
	$handler remove sixxs0 # its gateway would be the last that is known
	replay sixxs0
	json '.state == "drift" and (.tunnels[0].sources[0].path | .reason == "no-route" and (.text |
		contains("table 200 has no default route, as main has none by this link that tells the gateway")))'
	ip -6 route add default via fe80::1 dev sixxs0 metric 70000
	replay sixxs0
	json '.state == "ok"'
	ip -6 route del default via fe80::1 dev sixxs0 metric 70000
	printf '[sixxs0]\nsource = 2a02::1\nbound = yes\nroute = none\nprefer_main = no\ntable = 200\n' | drop_in sixxs0
	replay sixxs0
	json '.state == "drift" and (.tunnels[0] | .sources[0], .selectors[] | .path.reason == "no-route" and (.path.text |
		contains("table 200 is left to others, by route = none, and has no route")))'
	ip -6 route add default dev sixxs0 table 200
	json '.state == "ok"'
	ip -6 route flush table 200
}

@test "several sections of one interface; a primary and its backup" {
	{
		section_text one sixxs0 2a02::1 200
		section_text two sixxs0 2a02:2::/48 201 'gateway = fe80::1' 'prefer_main = no'
	} | drop_in sixxs0
	replay sixxs0
	says 0 <<-END
		sixxs0           up, table 200 one, table 201 two                    ok
		  IPv6           default dev sixxs0 metric 2048 table 200            ok
		  IPv6           default via fe80::1 dev sixxs0 metric 2048 table    ok
		                 201
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		  from           2a02:2::/48 rule 16383: leaves by sixxs0            ok
	END
	json '.tunnels[0] | .label == "one" and (.sections | map(.label)) == ["one", "two"] and
		.sections[1].table.number == 201 and (.sources | map(.source)) == ["2a02::1", "2a02:2::/48"]'
	ip -6 rule del from 2a02:2::/48
	json '.tunnels[0] | .state == "missing" and (.sources | map(.state)) == ["ok", "missing"]'
	# one of them is wrong: not all is known
	sed -i 's/^gateway = .*/gateway = nonsense/' /etc/sixxs-route/conf.d/sixxs0.conf
	json '.state == "unknown" and .tunnels[0].state == "unknown"'
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\npriority = 16380\n' | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::1\ntable = 201\npriority = 16390\n' | drop_in sixxs1
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	$handler apply --all 2>/dev/null
	says 0 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16380: leaves by sixxs0                ok
		sixxs1           up, table 201 sixxs1                                ok
		  IPv6           default dev sixxs1 metric 2048                      ok
		  from           2a02::1 rule 16390: leaves by sixxs0 (table 200     ok
		                 sixxs0): backup of the section with priority 16380
	END
	json '.tunnels[1].sources[0].path.reason == "primary"'
	rm /etc/sixxs-route/conf.d/sixxs1.conf
	$handler apply sixxs1 2>/dev/null
}

@test "carrier = needed: without carrier the link counts as down" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\ncarrier = needed\nwhen_down = unreachable\n' | drop_in sixxs0
	as_a_pair
	json '.state == "ok" and .tunnels[0].state == "ok"'
	ip link set far0 down
	$handler apply sixxs0 2>/dev/null
	json '.state == "ok" and (.tunnels[0] | .state == "waiting" and .carrier == false and
		(.sources[0].path | .reason == "waiting" and .refused))'
	ip link del sixxs0
	settle
	tunnel_add sixxs0
}

@test "source = auto: the link's addresses, or none yet" {
	ip address add 2a02::5/64 dev sixxs0 nodad
	printf '[sixxs0]\nsource = auto\ntable = 200\n' | drop_in sixxs0
	replay sixxs0
	says 0 <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::5 rule 16383: leaves by sixxs0                ok
	END
	json '.tunnels[0].auto'
	ip address del 2a02::5/64 dev sixxs0
	$handler apply sixxs0 2>/dev/null
	json '.state == "ok" and (.tunnels[0] | .state == "waiting" and .sources == [])'
}

@test "cannot tell: a drop-in that cannot be read, while others are judged" {
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	echo garbage >>/etc/sixxs-route/conf.d/sixxs0.conf
	says 2 2>/tmp/err <<-END
		sixxs0           up, its section cannot be read                      unknown
		  installed      default dev sixxs0 metric 2048 table 200            unknown
		  installed      rule 16383: from 2a02::1 lookup 200                 unknown
		sixxs1           up, table 201 sixxs1                                ok
		  IPv6           default dev sixxs1 metric 2048                      ok
		  from           2a02::2 rule 16383: leaves by sixxs1                ok
		Not all is known: mend what is told above first.
	END
	assert_same "/etc/sixxs-route/conf.d/sixxs0.conf:4: error: neither a [section] nor a key with '=': expected KEY = VALUE" \
		"$(cat /tmp/err)"
	json '.findings == [{"severity": "error", "file": "/etc/sixxs-route/conf.d/sixxs0.conf", "line": 4,
		"text": "neither a [section] nor a key with '"'='"': expected KEY = VALUE"}]'
	exits 2 status sixxs0 2>/dev/null >&2
	says 0 sixxs1 <<-END
		sixxs1           up, table 201 sixxs1                                ok
		  IPv6           default dev sixxs1 metric 2048                      ok
		  from           2a02::2 rule 16383: leaves by sixxs1                ok
	END
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0 2>/dev/null
}

@test "cannot tell: what is wrong is told once, by status and by check" {
	local conf=/etc/sixxs-route/conf.d told
	printf '[sixxs0]\nsource = x, y\ntable = 200\n' | drop_in sixxs0
	exits 2 status 2>/tmp/err >&2
	told=$(grep -c ':2: error: source = [xy]: ' /tmp/err)
	assert_same 2 "$told"
	assert_same "$(grep ' error: ' /tmp/err)" "$(exits 1 $handler check 2>/dev/null)"
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	chmod 775 $conf
	exits 2 status 2>/tmp/err >/dev/null
	assert_same "$conf:1: error: mode 0775: group and others must not be able to write" "$(cat /tmp/err)"
	assert_same "$(cat /tmp/err)" "$(exits 1 $handler check 2>/dev/null)"
	chmod 700 $conf
	exits 2 setpriv --reuid=65534 --clear-groups $handler status 2>/tmp/err >/dev/null
	assert_same "$conf:1: error: cannot be opened (links are not followed): Permission denied" "$(cat /tmp/err)"
	assert_same "$(cat /tmp/err)" "$(exits 1 setpriv --reuid=65534 --clear-groups $handler check 2>/dev/null)"
	chmod 755 $conf
}

@test "cannot tell: a section that clashes with another" {
	printf '[sixxs1]\nsource = 2a02::1\ntable = 201\n' | drop_in sixxs1
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	exits 0 $handler apply sixxs0 sixxs1
	says 2 2>/tmp/err <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		sixxs1           up, its section clashes with another                unknown
		  installed      default dev sixxs1 metric 2048 table 201            unknown
		  installed      rule 16383: from 2a02::1 lookup 201                 unknown
		Not all is known: mend what is told above first.
	END
	grep -q 'sixxs1.conf:[0-9]*: error: .*2a02::1 belongs to \[sixxs0\] already' /tmp/err
	json '.tunnels[1] | .state == "unknown" and .section == "unknown" and .table == null'
	rm /etc/sixxs-route/conf.d/sixxs1.conf
	$handler apply sixxs1 2>/dev/null
}

@test "cannot tell: a table that is another tunnel's, whose drop-in claims it as well, asked by name" {
	printf '[sixxs1]\nsource = 2a02::2\ntable = 200\n' | drop_in sixxs1
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	says 2 sixxs1 2>/tmp/err <<-END
		sixxs1           up, its section clashes with another                unknown
		Not all is known: mend what is told above first.
	END
	assert_same "/etc/sixxs-route/conf.d:1: error: sixxs1: table 200 is that of sixxs0, whose drop-in claims it as well; see: sixxs-route check" \
		"$(cat /tmp/err)"
	exits 0 status sixxs0 >/dev/null
	# not by a drop-in that is wrong: it may claim it
	echo garbage >>/etc/sixxs-route/conf.d/sixxs0.conf
	exits 2 status sixxs1 2>/tmp/err >/dev/null
	grep -q 'sixxs1: table 200 is that of sixxs0, whose drop-in cannot be read' /tmp/err
	grep -q 'sixxs0.conf:4: error: neither' /tmp/err
	# nor by one that gives it up
	printf '[sixxs0]\nsource = 2a02::1\ntable = 202\n' | drop_in sixxs0
	exits 1 status sixxs1 >/dev/null
	exits 0 $handler apply sixxs0 sixxs1
	exits 0 status >/dev/null
	# those of one shared table, and somebody else with it
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 209\nsteer = source-route'
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::2\ntable = 209\nsteer = source-route'
	exits 0 $handler apply sixxs0 sixxs1
	exits 0 status sixxs1 >/dev/null
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::2\ntable = 209'
	exits 2 status sixxs1 2>/tmp/err >/dev/null
	grep -q 'sixxs1: table 209 is that of sixxs0, whose drop-in claims it as well' /tmp/err
	rm /etc/sixxs-route/conf.d/sixxs1.conf
	$handler apply sixxs1 2>/dev/null
}

@test "asked by name: what another tunnel has of the same source or table is not left over" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2001:db8:7::/48\ntable = 200\npriority = 16380'
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2001:db8:7::/48\ntable = 201\npriority = 16390'
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	exits 0 $handler apply --all
	local name
	for name in sixxs0 sixxs1; do
		exits 0 status $name >/tmp/out
		exits 0 setpriv --reuid=65534 --clear-groups $handler status $name >/dev/null
		assert_same 0 "$(grep -c 'left over' /tmp/out)"
	done
	# what is on nobody's record is
	ip -6 rule add from 2001:db8:7::/48 lookup main suppress_prefixlength 7 priority 16399 protocol 166
	exits 1 status sixxs1 >/tmp/out
	grep -q '^  left over *rule 16399: ' /tmp/out
	ip -6 rule del from 2001:db8:7::/48 lookup main priority 16399 protocol 166
	# two share a table, and then not the rule's priority either
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 209\nsteer = source-route'
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::2\ntable = 209\nsteer = source-route'
	exits 0 $handler apply --all
	exits 0 status sixxs0 >/dev/null
	exits 0 status sixxs1 >/dev/null
	echo 'priority = 16000' >>/etc/sixxs-route/conf.d/sixxs1.conf
	exits 0 $handler apply sixxs1
	exits 0 status sixxs0 >/dev/null
	exits 0 status sixxs1 >/dev/null
	rm /etc/sixxs-route/conf.d/sixxs1.conf
	$handler apply sixxs1 2>/dev/null
}

@test "cannot tell: broken sections without a record, each named" {
	printf '[sixxs1]\nsource = nonsense\ntable = 201\n[sixxs2]\nsource = 2a02::1\ntable = 202\n' | drop_in some
	printf '[sixxs3]\nsource = 2a02::3\ntable = 203\ngarbage\n' | drop_in sixxs3
	echo garbage | drop_in 99-others
	handler_off
	tunnel_add sixxs3
	says 2 2>/dev/null <<-END
		sixxs0           up, table 200 sixxs0                                ok
		  IPv6           default dev sixxs0 metric 2048                      ok
		  from           2a02::1 rule 16383: leaves by sixxs0                ok
		sixxs1           absent, its section cannot be read                  unknown
		sixxs2           absent, its section clashes with another            unknown
		sixxs3           down, its section cannot be read                    unknown
		Not all is known: mend what is told above first.
	END
	handler_on
}

@test "cannot tell: a damaged record, a run folder that is not to be trusted" {
	cp -a /run/sixxs-route/sixxs0.record /tmp/record
	echo 'object9 = nonsense' >>/run/sixxs-route/sixxs0.record
	json '.state == "unknown" and .tunnels[0].state == "unknown" and
		(.findings[0].file == "/run/sixxs-route/sixxs0.record")'
	exits 2 status >/dev/null 2>&1
	cp -a /tmp/record /run/sixxs-route/sixxs0.record
	chmod 777 /run/sixxs-route
	exits 2 status >/dev/null 2>&1
	json '.state == "unknown" and .failure == "cannot open or trust the run folder: the folder is another user\u0027s, or others can write to it"'
	assert_same "Not all is known: mend what is told above first." "$(exits 2 status 2>/dev/null)"
	chmod 755 /run/sixxs-route
	exits 0 status >/dev/null
}

# mute CALL N [ARG...]: status, to which the kernel answers that CALL, the Nth, with an error.
mute() { exits 2 strace -f -qq -o /dev/null -e inject="$1":error=ENOBUFS:when="$2" $handler status "${@:3}" 2>/tmp/err; }

@test "cannot tell: the kernel does not answer" {
	local call n
	assert_same "$(mute sendto 1)" "$(
		cat <<-END
			sixxs0           the kernel does not tell, table 200                 unknown
			Not all is known: mend what is told above first.
		END
	)"
	grep -q 'cannot ask the kernel what is installed: No buffer space available' /tmp/err
	# each of the dumps, and what is read of them: links, rules, routes
	for call in sendto recvmsg; do
		for n in 1 2 3 4 5; do
			mute $call $n >/tmp/out
			grep -q '^sixxs0 .* unknown$' /tmp/out
			free_of '(ok|absent|waiting|stale)$| (absent|up|down), ' /tmp/out
			mute $call $n --json >/tmp/out
			jq -e '.state == "unknown" and (.tunnels[0] | .state == "unknown" and .link == null and
				.table.state == "unknown" and
				(.sources[0] | .state == "unknown" and .path == null))' /tmp/out >/dev/null
		done
	done
	# the way
	mute sendto 6 >/dev/null
	grep -q 'cannot ask the kernel for an address to ask about: No buffer space available' /tmp/err
	assert_same "$(mute sendto 7)" "$(
		cat <<-END
			sixxs0           up, table 200 sixxs0                                unknown
			  IPv6           default dev sixxs0 metric 2048                      ok
			  from           2a02::1 rule 16383: the kernel does not tell the    unknown
			                 way: No buffer space available
			Not all is known: mend what is told above first.
		END
	)"
	mute sendto 7 --json >/tmp/out
	jq -e '.tunnels[0] | .state == "unknown" and .link == "up" and .routes[0].state == "ok" and
		(.sources[0] | .state == "unknown" and .path.reason == "error" and .path.interface == null)' /tmp/out
	mute socket 1 >/dev/null
	exits 2 status >/dev/full 2>/tmp/err
	grep -q 'cannot write the answer: No space left on device' /tmp/err
}

@test "usage" {
	local arguments
	for arguments in "--probe nonsense" "--probe 2000::/3" "--probe ::" "--probe ff02::1" "--probe 0.0.0.0" \
		"--all" "--probe" "eth/0" "-x"; do
		# shellcheck disable=SC2086 # words
		exits 2 status $arguments >/tmp/out 2>/tmp/err
		[ ! -s /tmp/out ]
		[ -s /tmp/err ]
	done
	exits 2 $handler --json apply sixxs0 2>/dev/null
	exits 2 $handler --probe 2000::1 remove sixxs0 2>/dev/null
	exits 2 status $'\033[31m' 2>/tmp/err
	# shellcheck disable=SC1003
	grep -qF '\x1b[31m' /tmp/err
}

@test "JSON and table with odd bytes: names of links, of tables, paths" {
	local odd=$'n"\\\033\xff\xc3\xa4'
	udev_holds # it would give the link a decent name
	ip link add "$odd" type veth peer name peer
	ip link set "$odd" up
	ip link set peer up
	ip -6 rule add from 2a02::1 priority 100 lookup 900
	ip -6 route add default dev "$odd" table 900
	printf '900\tt"\\\x1b\xff\n' >/etc/iproute2/rt_tables.d/odd.conf
	json '.tunnels[0].sources[0].path | .interface == "n\"\\\u001b\ufffdä" and .table == 900 and
		(.text | contains("(table t\"\\\u001b\ufffd)"))'
	status >/tmp/out || [ $? -eq 1 ]
	# shellcheck disable=SC1003
	grep -qF 'n"\x5c\x1b\xff\xc3\xa4' /tmp/out
	free_of '[^ -~]' /tmp/out
	free_of '.{81}' /tmp/out
	ip link del "$odd"
	udev_goes_on
	rm /etc/iproute2/rt_tables.d/odd.conf

	mkdir $'/tmp/c"\\\xff\n'
	echo garbage >$'/tmp/c"\\\xff\n/sixxs0.conf'
	json '.findings[0].file == "/tmp/c\"\\\ufffd\n/sixxs0.conf"' --conf-dir $'/tmp/c"\\\xff\n'
	status --conf-dir $'/tmp/c"\\\xff\n' 2>/tmp/err >&2 || true
	grep -qF '/tmp/c"\x5c\xff\x0a/sixxs0.conf:1: error: ' /tmp/err
}

@test "80 columns with the longest of all" {
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	drop_in sixxs0123456789 <<-END
		[sixxs0123456789]
		source = 2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff, 2001:db8:aaaa:bbbb:cccc:dddd:eeee:fff0/127
		table = 2147483647
		name = a23456789012345678901234567890123456789012345678901234567890123
		priority = 32765
		metric = 4294967294
		mtu = 1280
		gateway = fe80:aaaa:bbbb:cccc:dddd:eeee:ffff:1111
		prefer_main = yes
	END
	tunnel_add sixxs0123456789
	tunnel_up sixxs0123456789
	replay sixxs0
	settle
	ip -6 rule add from all priority 100 blackhole
	status >/tmp/out || [ $? -eq 1 ]
	cat /tmp/out
	free_of '.{81}' /tmp/out
	grep -q '^sixxs0123456789  up, table 2147483647' /tmp/out
	grep -qE '^ {17}a23456789012345678901234567890123456789012345678901$' /tmp/out
	ip -6 rule del priority 100
	exits 0 status >/dev/null
	rm /etc/sixxs-route/conf.d/sixxs0123456789.conf
	$handler apply --all 2>/dev/null
}

@test "colour: on a terminal, without NO_COLOR, and nowhere else" {
	on_terminal() { env TERM="${term-xterm}" script -qec "$handler status" /dev/null </dev/null; }
	on_terminal | grep -q $'\033\[32mok\033\[0m'
	NO_COLOR=1 on_terminal >/tmp/out
	free_of $'\033' /tmp/out
	NO_COLOR='' on_terminal | grep -q $'\033' # no-color.org: not empty
	term=dumb on_terminal >/tmp/out
	free_of $'\033' /tmp/out
	status >/tmp/out
	free_of $'\033' /tmp/out
	ip -6 rule del from 2a02::1
	on_terminal >/tmp/out || [ $? -eq 1 ]
	grep -q $'\033\[31mmissing\033\[0m' /tmp/out
	script -qec "env TERM=xterm $handler status --json" /dev/null </dev/null >/tmp/out || [ $? -eq 1 ]
	free_of $'\033' /tmp/out
}

@test "reads only: nothing is changed, logged, opened for writing or locked; no privilege" {
	local before
	[ -z "${COVERAGE-}" ] || skip "the counters are a file that it writes to"
	before=$(snapshot)
	ip -6 rule del from 2a02::1
	strace -f -o /tmp/trace $handler status >/dev/null || true
	free_of 'O_WRONLY|O_RDWR|O_CREAT|flock|renameat|unlink|mkdir|"/dev/log"' /tmp/trace
	free_of 'sendto.*RTM_(NEW|DEL)' /tmp/trace
	ip -6 rule add from 2a02::1 lookup 200 priority 16383 protocol 166
	assert_same "$before" "$(snapshot)"
	logged 0 status
	assert_same "$(status)" "$(setpriv --reuid 65534 --regid 65534 --clear-groups $handler status)"
}

@test "no false drift: a handler is at work" {
	ip -6 rule del from 2a02::1
	# slow between the lock and the work
	strace -f -qq -o /dev/null -e inject=flock:delay_exit=700000:when=1 $handler apply sixxs0 2>/dev/null 3>&- &
	wait_until 10 is_locked
	exits 0 status >/dev/null
	wait $!
}

@test "no false drift: a handler did its work between the first question and the last" {
	ip -6 rule del from 2a02::1
	rm -f /tmp/trace # another test's
	# the rules are told without it, and the routes later: after the second question it stops
	strace -f -qq -o /tmp/trace -e trace=sendto -e inject=sendto:signal=SIGSTOP:when=2 $handler status \
		>/tmp/out 3>&- &
	pid=$!
	wait_until 10 grep -qs 'stopped by SIGSTOP' /tmp/trace
	grep 'sendto.*RTM_GETRULE.* = [0-9]' /tmp/trace
	$handler apply sixxs0 2>/dev/null
	pkill -CONT -P $pid
	exits 0 wait $pid
	# this was the case: it looked again
	[ "$(grep -c 'sendto.*RTM_GETRULE.*AF_INET6' /tmp/trace)" -ge 2 ]
}

@test "drift all the same: somebody keeps the lock, and does nothing" {
	local pid
	ip -6 rule del from 2a02::1
	flock /run/sixxs-route/lock sleep 30 3>&- &
	pid=$!
	wait_until 10 is_locked
	SECONDS=0
	exits 1 timeout $((10 * SLOW)) $handler status >/dev/null
	[ $SECONDS -ge 1 ]
	exits 1 timeout $((10 * SLOW)) setpriv --reuid=65534 --clear-groups $handler status >/dev/null
	pkill -P $pid
	wait $pid || true
	# the watcher's, which it holds while it lives, makes nobody wait
	flock /run/sixxs-route/watch.lock sleep 30 3>&- &
	pid=$!
	wait_until 10 test -e /run/sixxs-route/watch.lock
	SECONDS=0
	exits 1 status >/dev/null
	[ $SECONDS -le "$SLOW" ]
	pkill -P $pid
	wait $pid || true
	rm /run/sixxs-route/watch.lock
}

@test "while events are handled, no false drift" {
	local i
	for i in $(seq 10); do
		udevadm trigger --action=change /sys/class/net/sixxs0
		exits 0 status >/dev/null
	done
	settle
}

@test "a thousand tunnels: each thing is asked once" {
	local i n=1000
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	ip link del sixxs0
	settle
	handler_off # apply does all of it
	for ((i = 0; i < n; i++)); do
		printf '[sixxs%d]\nsource = 2a02::%x\ntable = %d\n' $i $((i + 1)) $((1000 + i)) \
			>/etc/sixxs-route/conf.d/sixxs$i.conf
		printf 'link add sixxs%d group 9 numtxqueues 1 numrxqueues 1 type ifb\nlink set sixxs%d up\n' $i $i
	done | ip -batch -
	settle
	$handler apply --all 2>/dev/null
	strace -f -e trace=sendto,recvmsg,openat -o /tmp/trace $handler status >/tmp/out
	# a link dump, and of each family one of rules and one of routes; of the first strace does not
	# know yet that it is rtnetlink's: the kernel gives the socket its address by that send
	[ "$(grep -cE 'sendto.*NLM_F_(DUMP|REQUEST.0x300)' /tmp/trace)" -eq 5 ]
	[ "$(grep -c 'sendto.*RTM_GETRULE' /tmp/trace)" -eq 2 ]
	# what to ask for, and the ways, 32 in a send
	[ "$(grep -c '^[0-9]* *sendto' /tmp/trace)" -le $((6 + n / 32 + 1)) ]
	# a drop-in and a record each, and a memory file for iproute2's parser each
	[ "$(grep -c openat /tmp/trace)" -le $((4 * n + 60)) ]
	[ "$(wc -l </tmp/out)" -eq $((3 * n)) ]
	[ "$(grep -c 'ok$' /tmp/out)" -eq $((3 * n)) ]
	[ "$(sed -n 4p /tmp/out | cut -d' ' -f1)" = sixxs1 ]
	[ "$(sed -n 7p /tmp/out | cut -d' ' -f1)" = sixxs2 ] # as people count
	status --json | jq -e '.state == "ok" and (.tunnels | length) == 1000' >/dev/null

	# no worse when nothing is as it should be
	while ip -N -6 rule list | grep -q 'proto 166$'; do
		ip -6 rule flush protocol 166 # in rounds: it deletes while it reads
	done
	# of the processor, as others may have the rest of it
	local TIMEFORMAT='%U %S'
	{ time exits 1 $handler status --json >/tmp/out; } 2>/tmp/used
	jq -e '.state == "drift" and (.tunnels | map(select(.state == "missing")) | length) == 1000' /tmp/out >/dev/null
	awk -v most=$((10 * SLOW)) '{ exit $1 + $2 >= most }' /tmp/used
	ip link del group 9
	settle
	rm -r /etc/sixxs-route/conf.d
	mkdir /etc/sixxs-route/conf.d
	$handler apply --all 2>/dev/null
	handler_on
}
