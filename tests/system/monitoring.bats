#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What monitoring is given: the form of "status --json", as sixxs-route(8) describes it, and the
# manual's lines for Nagios and node_exporter, run as they stand there on real answers.

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
}

teardown_file() { ends_close; }

setup() {
	begin
	rm -rf /tmp/forms && mkdir /tmp/forms
	clients_up
}

teardown() {
	clients_down
	ip -6 rule del priority 100 2>/dev/null || true
	ip -6 route flush table 900 2>/dev/null || true
	rm -f /etc/sixxs-route/conf.d/*.conf
	$handler apply --all
	rm -rf /run/sixxs-route/held
	finish
}

# keep STATUS NAME [ARG...]: the answer with this exit status, in the manual's form.
keep() {
	exits "$1" $handler status --json "${@:3}" >"/tmp/forms/$2" 2>/dev/null && is_documented "/tmp/forms/$2"
}

# A link that has a carrier without a program behind it.
link_add() { ip link add "$1" type ifb && ip link set "$1" up; }

# One section, or state, of each kind.
sections_of_all_kinds() {
	local link
	for link in all0 auto0 steer0 spare0 held0 broken0; do
		link_add $link
	done
	ip link add down0 type ifb
	ip address add 2a02:9::1/64 dev auto0 nodad
	ip -6 route add default via fe80::9 dev auto0 metric 4000
	drop_in all0 <<-END
		[labelled]
		interface = all0
		source = 2a02:1::/64, 10.1.0.1
		fwmark = 0x1/0xff
		user = 1000
		bound = yes
		from_link = spare0, lan9
		gateway = fe80::1, 10.1.0.254
		mtu = 1280
		name = none
		table = 210
		when_down = unreachable
		[backup]
		interface = all0
		source = 2a02::1
		table = 211
		priority = 16390
	END
	printf '[auto0]\nsource = auto\ngateway = auto\ntable = 212\n' | drop_in auto0
	printf '[steer0]\nsource = 2a02:4::1\nsteer = source-route\ntable = 213\n' | drop_in steer0
	printf '[spare0]\nsource = 2a02:5::1\nroute = none\ntable = 214\n' | drop_in spare0
	ip -6 route add default dev spare0 table 214
	printf '[held0]\nsource = 2a02:6::1\ntable = 215\n' | drop_in held0
	printf '[gone0]\nsource = 2a02:7::1\nwhen_gone = unreachable\ntable = 216\n' | drop_in gone0
	printf '[down0]\nsource = 2a02:8::1\ntable = 217\n' | drop_in down0
	settle
	$handler apply --all
	$handler hold held0
}

@test "the form of status --json is the manual's: each key and each type, for sections of all kinds" {
	keep 0 well
	keep 0 answers --ping $far_ip6
	ip -6 route add 2001:db8:5::/48 dev net0
	ip -6 route add unreachable default table 200 metric 1
	ip -6 route add default dev net0 table 201 metric 1
	keep 1 others-routes
	ip -6 route del unreachable default table 200 metric 1
	ip -6 route del default dev net0 table 201 metric 1
	sections_of_all_kinds
	keep 0 kinds
	ip -6 route add default dev net0 table 213
	ip -6 route add unreachable fc00::/7 table 213
	ip -6 route add default from ::/1 dev net0 table 213
	keep 1 foreign
	ip -6 route del default from ::/1 table 213
	ip -6 route del default dev net0 table 213
	ip -6 route del unreachable fc00::/7 table 213
	keep 0 neighbour --probe 2001:db8:5::1
	ip -6 route del 2001:db8:5::/48 dev net0
	# an edit that is not applied, one that is wrong, a mark of ours that nobody has
	sed -i 's/^source = 2a02:6::1/source = 2a02:6::2/' /etc/sixxs-route/conf.d/held0.conf
	printf 'garbage\n' | drop_in broken0
	rm /etc/sixxs-route/conf.d/spare0.conf
	ip -6 route add default dev spare0 table 900 proto 166
	ip -6 rule add from 2a02:ff::1 lookup 900 priority 16383 protocol 166
	ip -6 rule add from all priority 100 lookup main protocol static
	printf '[twice0]\ninterface = all0\nsource = 2a02::77\ntable = 218\n' | drop_in zz-unread
	ip -4 rule del fwmark 0x1/0xff priority 16383
	ip route del default table 210
	keep 2 drift
	keep 2 pings --ping $far_ip6
	ip -6 rule del priority 100
	ip -6 rule add from 2a02::2 priority 100 lookup main ipproto tcp protocol static
	keep 2 some
	$handler hold sixxs0
	in_pop nft 'add table ip6 t; add chain ip6 t f { type filter hook forward priority 0; }; add rule ip6 t f iifname tunnel1 drop'
	keep 2 silent --ping $far_ip6
	in_pop nft flush ruleset
	chmod 777 /run/sixxs-route
	keep 2 untrusted
	chmod 755 /run/sixxs-route
	echo '900 others' >/etc/iproute2/rt_tables.d/others.conf
	chmod 600 /etc/iproute2/rt_tables.d/others.conf
	exits 2 setpriv --reuid=65534 --clear-groups $handler status --json >/tmp/forms/user 2>/dev/null
	rm /etc/iproute2/rt_tables.d/others.conf
	local n
	for n in 1 {6..13}; do # the links, and the ways
		exits 2 strace -f -qq -o /dev/null -e inject=sendto:error=ENOBUFS:when="$n" $handler status --json >"/tmp/forms/mute$n" 2>/dev/null
	done
	is_documented /tmp/forms/*
	# nothing is in the manual that no answer has; a VRF takes a kernel module, and "other" is what no
	# known reason explains
	form_lacks /tmp/forms/* >/tmp/lacking
	assert_same "" "$(grep -vxF -f <(printf '%s\n' "tunnel.vrf vrf" "vrf."{"name string","table number","rule number","rule null"} "path.reason other") /tmp/lacking)"
	# and that it is seen when something is not as documented
	local filter
	for filter in '.more = 1' 'del(.warning)' '.version = 2' '.tunnels[0].link = "sideways"' \
		'.tunnels[0].sources[0].path.refused = "no"' '.tunnels[0].sources[0].rules[0].kind = "route"'; do
		jq "$filter" /tmp/forms/well >/tmp/altered
		exits 1 is_documented /tmp/altered 2>/dev/null
	done
}

# lines_of N: the Nth block of lines under "Monitoring" in the manual.
lines_of() {
	awk -v n="$1" '/^\.Ss / { on = /Monitoring/ } /^\.Ed/ { in_it = 0 } on && in_it { print } on && /^\.Bd -literal/ { in_it = ++k == n }' \
		/usr/share/man/man8/sixxs-route.8 >"/tmp/lines$1"
	chmod 755 "/tmp/lines$1"
	head -n 1 "/tmp/lines$1" | grep -qx '#!/bin/sh'
}

@test "the manual's check for Nagios: a line, and the exit status as it is" {
	lines_of 1
	assert_same "sixxs-route ok: sixxs0 ok, sixxs1 ok" "$(exits 0 /tmp/lines1)"
	# as an ordinary user, as NRPE runs it
	assert_same "sixxs-route ok: sixxs0 ok, sixxs1 ok" "$(exits 0 setpriv --reuid=65534 --clear-groups /tmp/lines1)"
	ip -6 rule del from 2a02::2
	assert_same "sixxs-route drift: sixxs0 ok, sixxs1 missing" "$(exits 1 /tmp/lines1)"
	echo garbage | drop_in sixxs0
	assert_same "sixxs-route unknown: sixxs0 unknown, sixxs1 missing" "$(exits 2 /tmp/lines1)"
}

# is_textfile FILE: as node_exporter's textfile collector wants it: each line a TYPE or a sample of a
# metric whose TYPE came before, no sample twice, and a newline at the end.
is_textfile() {
	awk '
		BEGIN { label = "[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\[\"\\\\n])*\"" }
		/^# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (gauge|counter|untyped)$/ { if ($3 in typed) bad = bad "\n" $0; typed[$3] = 1; next }
		{
			name = series = $0
			sub(/[{ ].*/, "", name)
			sub(/ [^ ]*$/, "", series)
			if ($0 !~ "^[a-zA-Z_:][a-zA-Z0-9_:]*([{]" label "(," label ")*[}])? -?[0-9]+([.][0-9]+)?(e-?[0-9]+)?$" ||
			    !(name in typed) || seen[series]++)
				bad = bad "\n" $0
			n++
		}
		END { if (bad || !n) { print "wrong: " bad; exit 1 } }' "$1" >&2 &&
		[ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ')" = 0a ]
}

@test "the manual's metrics for node_exporter: the textfile's format, each tunnel's state, and the pings" {
	local place=/var/lib/prometheus/node-exporter
	mkdir -p $place
	lines_of 2
	exits 0 /tmp/lines2
	is_textfile $place/sixxs-route.prom
	has 'sixxs_route_status 0' <$place/sixxs-route.prom
	has 'sixxs_route_tunnel{interface="sixxs0",state="ok"} 1' <$place/sixxs-route.prom
	[ "$(grep -c ping_seconds $place/sixxs-route.prom)" = 1 ]
	# one source in two sections is one metric
	printf '[a]\ninterface = sixxs0\nsource = 2a02::1\ntable = 200\n[b]\ninterface = sixxs0\nsource = 2a02::1\ntable = 202\npriority = 16390\n' |
		drop_in sixxs0
	$handler apply sixxs0
	sed -i "s/status --json/& --ping $far_ip6/" /tmp/lines2
	exits 0 /tmp/lines2
	is_textfile $place/sixxs-route.prom
	[ "$(grep -cE '^sixxs_route_ping_seconds\{interface="sixxs[01]",source="2a02::[12]"\} [0-9.e-]+$' $place/sixxs-route.prom)" = 2 ]
	ip -6 rule del from 2a02::2
	exits 0 /tmp/lines2
	is_textfile $place/sixxs-route.prom
	has 'sixxs_route_status 1' <$place/sixxs-route.prom
	has 'sixxs_route_tunnel{interface="sixxs1",state="missing"} 1' <$place/sixxs-route.prom
	# where there is no answer, the last one stays, and its age tells
	cp $place/sixxs-route.prom /tmp/last
	sed -i 's/^sixxs-route /false /' /tmp/lines2
	run /tmp/lines2
	[ "$status" -ne 0 ]
	cmp /tmp/last $place/sixxs-route.prom
	# that what is wrong is seen
	local line
	for line in 'sixxs_route_status 0' 'untyped_metric 1' 'sixxs_route_tunnel{interface="x"} y' 'sixxs_route_tunnel{interface=x} 1'; do
		{ cat /tmp/last && echo "$line"; } >/tmp/altered
		exits 1 is_textfile /tmp/altered 2>/dev/null
	done
}

@test "JSON has the warnings that status writes to standard error: no watcher, and a kill switch that networkd opens" {
	drop_in sixxs2 <<-END
		[sixxs2]
		source = 2a02:2::1
		table = 202
		when_gone = unreachable
	END
	$handler apply sixxs2
	mkdir -p /run/systemd/system /run/systemd/units
	ln -s 0123456789abcdef0123456789abcdef /run/systemd/units/invocation:systemd-networkd.service
	keep 0 warned
	exits 0 $handler status 2>/tmp/err >/tmp/out
	assert_same "$(sed -n 's/^sixxs-route: warning: //p' /tmp/err)" "$(jq -r .warning /tmp/forms/warned)"
	assert_same 2 "$(grep -cE '^sixxs-route: warning: (no watcher|systemd-networkd) runs' /tmp/err)"
	rm -r /run/systemd/system /run/systemd/units
	keep 0 quiet
	assert_same null "$(jq .warning /tmp/forms/quiet)"
}
