#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# check: everything that is wrong with the drop-ins, in one go.

bats_require_minimum_version 1.5.0
# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"
# shellcheck disable=SC2154 # run sets stderr
: "${stderr=}"

dir=/etc/sixxs-route/conf.d

setup_file() {
	install_handler
}

setup() {
	good
}

teardown() {
	rm -rf ${dir:?}/* $dir/.[!.]* /etc/udev/rules.d/* /run/udev/rules.d /run/systemd/units \
		/etc/systemd/networkd.conf /etc/systemd/networkd.conf.d /run/systemd/networkd.conf.d \
		/usr/lib/systemd/networkd.conf.d /etc/iproute2/rt_tables.d/others.conf /tmp/drafts
	chmod 755 $dir
}

good() {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
}

# found LINE...: check prints these lines and no other; the exit status is 1 if there is an error.
found() {
	local wanted=''
	[ $# = 0 ] || wanted=$(printf '%s\n' "$@")
	run --separate-stderr sixxs-route check
	assert_same "$wanted" "$output"
	[ "$stderr" = "" ]
	case $wanted in
	*': error: '*) [ "$status" = 1 ] ;;
	*) [ "$status" = 0 ] ;;
	esac
}

@test "what is well is not mentioned, and nothing is touched" {
	local before
	before=$(snapshot)
	cp conf.d/sixxs[01].conf conf.d/routed-prefix.conf $dir
	sed -i 's/SixxsOffice/sixxsOffice/' $dir/routed-prefix.conf
	found
	# each sample by itself, under its interface's name
	for file in lan:wg2 marked:wg0 never:wg3 uplink:eth1 user:wg1; do
		rm $dir/*
		cp conf.d/${file%:*}.conf $dir/${file#*:}.conf
		found
	done
	assert_same "" "$(left_in /run/sixxs-route)"
	assert_same "$before" "$(snapshot)"
}

@test "every error of every file, in the order of files and lines" {
	printf '[b]\nsource = 2a02::x, ff02::1\ntable = 255\ncolour = red\n\n[c]\nwait = 61\n' | drop_in b
	printf '[a\nnonsense\n' | drop_in a
	found "$dir/a.conf:1: error: the section's bracket is not closed: expected [NAME]" \
		"$dir/a.conf:2: error: neither a [section] nor a key with '=': expected KEY = VALUE" \
		"$dir/b.conf:2: error: source = 2a02::x: expected auto, auto/prefix, an IPv6 or IPv4 address, or a prefix like 2001:db8::/48" \
		"$dir/b.conf:2: error: source = ff02::1: expected a unicast address or prefix" \
		"$dir/b.conf:3: error: table = 255: expected a number from 1 to 252 or from 256 to 2147483647, or a name that rt_tables of iproute2 gives to one" \
		"$dir/b.conf:4: error: unknown key colour: expected one of interface, source, source_link, fwmark, user, bound, from_link, table, name, priority, route, gateway, metric, mtu, prefer_main, steer, when_down, when_gone, carrier, wait, connect_limit" \
		"$dir/b.conf:6: error: [c] has no table: expected a line table = ..." \
		"$dir/b.conf:7: error: wait = 61: expected a number of seconds from 0 to 60"
}

@test "the event path says the same" {
	local checked
	printf '[sixxs0]\nsource = nowhere\ntable = 0\nconnect_limit = 4\n' | drop_in sixxs0
	run -1 sixxs-route check
	checked=$output
	[ "${#lines[@]}" = 3 ]
	tunnel_add sixxs0
	run -1 sixxs-route apply sixxs0
	tunnel_del sixxs0
	assert_same "${checked//: error: /: }" \
		"$(sed -n 's/^sixxs-route: \(.*conf:[0-9]*: \)/\1/p' <<<"$output")"
}

@test "one interface, table or source claimed twice" {
	printf '[more]\ninterface = sixxs0\nsource = 2a02::9\ntable = 209\n' | drop_in more
	printf '[sixxs2]\nsource = 2a02::3\ntable = 201\n' | drop_in sixxs2
	printf '[sixxs3]\nsource = 2a02:0::2\ntable = 203\n' | drop_in sixxs3
	found "$dir/more.conf:1: warning: not used: interface sixxs0 has its section in line 1 of sixxs0.conf" \
		"$dir/sixxs2.conf:3: error: table 201 belongs to [sixxs1] already, in line 1 of sixxs1.conf" \
		"$dir/sixxs3.conf:2: error: source 2a02::2 belongs to [sixxs1] already, in line 1 of sixxs1.conf, at the same priority"
}

@test "names that iproute2 gives to others, and one for two" {
	mkdir -p /etc/iproute2/rt_tables.d
	printf '7\tvoice\n8\tvideo\n' >/etc/iproute2/rt_tables.d/others.conf
	printf '[sixxs2]\nsource = 2a02::3\nname = voice\ntable = 202\n' | drop_in sixxs2
	printf '[sixxs3]\nsource = 2a02::4\n\ntable = 8\n' | drop_in sixxs3
	printf '[sixxs4]\nsource = 2a02::5\ntable = 204\nname = both\n' | drop_in sixxs4
	printf '[sixxs5]\nsource = 2a02::6\ntable = 205\nname = both\n' | drop_in sixxs5
	printf '[sixxs6]\nsource = 2a02::7\ntable = voice\n' | drop_in sixxs6
	found "$dir/sixxs2.conf:3: warning: table 202 gets no name: iproute2 gives the name voice to table 7; set another name, or name = none" \
		"$dir/sixxs3.conf:4: warning: table 8 does not get the name sixxs3: iproute2 calls it video; set name = none, or another table" \
		"$dir/sixxs5.conf:4: warning: name both is that of table 204 of [sixxs4] too, line 1 of sixxs4.conf: the tunnel that comes later gets no name; set another, or name = none"
	# and so says the event path
	tunnel_add sixxs2
	run -0 sixxs-route apply sixxs2
	tunnel_del sixxs2
	[[ $output == *"sixxs2: table 202 gets no name: iproute2 gives the name voice to table 7"* ]]
}

@test "names in use by a tunnel that is up are its own" {
	tunnel_add sixxs0
	tunnel_up sixxs0
	sixxs-route apply sixxs0
	printf '[sixxs0]\nsource = 2a02::1\ntable = 300\n' | drop_in sixxs0
	found
	tunnel_del sixxs0
	settle
}

@test "a prefix prefers main by itself, so there is nothing to warn of" {
	for said in '' 'prefer_main = yes' 'prefer_main = no'; do
		printf '[sixxs0]\ntable = 200\nsource = 2a02::1, 2a02:1::/48\n%s\n' "$said" | drop_in sixxs0
		found
	done
}

@test "a source within another tunnel's, whose rule does not come later" {
	printf '[sixxs2]\ntable = 202\nprefer_main = yes\nsource = 192.0.2.0/24\n[sixxs3]\ntable = 203\nsource = 192.0.2.7, 192.0.2.8\n' | drop_in sixxs2
	printf '[sixxs4]\nsource = 2a02::/48\ntable = 204\nprefer_main = yes\n' | drop_in sixxs4
	found "$dir/sixxs0.conf:2: warning: source 2a02::1 lies within 2a02::/48 of [sixxs4], line 1 of sixxs4.conf, at the same priority: set its priority below 16382 (smaller numbers are matched first)" \
		"$dir/sixxs1.conf:2: warning: source 2a02::2 lies within 2a02::/48 of [sixxs4], line 1 of sixxs4.conf, at the same priority: set its priority below 16382 (smaller numbers are matched first)" \
		"$dir/sixxs2.conf:7: warning: source 192.0.2.7 lies within 192.0.2.0/24 of [sixxs2], line 1, at the same priority: set its priority below 16382 (smaller numbers are matched first)"
	printf '[sixxs4]\nsource = 2a02::/48\ntable = 204\nprefer_main = yes\npriority = 5\n' | drop_in sixxs4
	printf 'priority = 16372\n' >>$dir/sixxs2.conf
	found "$dir/sixxs0.conf:2: warning: source 2a02::1 lies within 2a02::/48 of [sixxs4], line 1 of sixxs4.conf, whose rule comes first: set its priority below 4 (smaller numbers are matched first)" \
		"$dir/sixxs1.conf:2: warning: source 2a02::2 lies within 2a02::/48 of [sixxs4], line 1 of sixxs4.conf, whose rule comes first: set its priority below 4 (smaller numbers are matched first)"
	# what it recommends helps, and no more than that; a tunnel's own sources are no matter
	printf '[sixxs4]\nsource = 2a02::/48\ntable = 204\nprefer_main = yes\npriority = 16385\n' | drop_in sixxs4
	found
	printf '[sixxs4]\nsource = 2a02::/48\ntable = 204\nprefer_main = yes\npriority = 16384\n' | drop_in sixxs4
	run $handler check
	[ "$status" -eq 1 ] && [[ $output == *"prefer_main's rule stands at 16383"* ]]
	printf '[sixxs4]\nsource = 2a02::/48, 2a02::9\ntable = 204\nprefer_main = yes\npriority = 16393\n' | drop_in sixxs4
	found
}

@test "an interface without a file of its name, whose events no udev rule hands over" {
	local place=$dir/any.conf:1 warning rule
	printf '[wg7]\nsource = 2a02::3\ntable = 202\n' | drop_in any
	warning="$place: warning: udev does not run sixxs-route for wg7: move the section into wg7.conf; or put this line into /etc/udev/rules.d/90-tunnels.rules, then run udevadm control --reload; udevadm trigger: SUBSYSTEM==\"net\", KERNEL==\"wg7\", ENV{SIXXS_ROUTE}=\"\$name\""
	found "$warning"
	# what it recommends helps
	mv $dir/any.conf $dir/wg7.conf
	found
	mv $dir/wg7.conf $dir/any.conf
	mkdir -p /etc/udev/rules.d /run/udev/rules.d
	# shellcheck disable=SC2016 # udev's
	printf '# ENV{SIXXS_ROUTE}="$name"\n' >/run/udev/rules.d/90-tunnels.rules
	found "$warning"
	rule=${warning##*trigger: }
	printf '%s\n' "$rule" >/run/udev/rules.d/90-tunnels.rules
	found
	ln -s /dev/null /etc/udev/rules.d/90-tunnels.rules
	found "$warning"
	rm /etc/udev/rules.d/90-tunnels.rules
	# udev has seen the link, by a line that does not fit
	printf '%s\n' "${rule/wg7/wg8}" >/run/udev/rules.d/90-tunnels.rules
	udev_control --reload
	tunnel_add wg7
	settle
	found "$warning"
	printf '%s\n' "$rule" >/run/udev/rules.d/90-tunnels.rules
	udev_control --reload
	udevadm trigger /sys/class/net/wg7
	settle
	found
	rm /run/udev/rules.d/90-tunnels.rules
	udev_control --reload
	tunnel_del wg7
	settle
}

@test "a line for it that is read too late" {
	printf '[wg7]\nsource = 2a02::3\ntable = 202\n' | drop_in any
	mkdir -p /etc/udev/rules.d
	# shellcheck disable=SC2016 # udev's
	printf 'SUBSYSTEM=="net", KERNEL=="wg7", ENV{SIXXS_ROUTE}="$name"\n' >/etc/udev/rules.d/99-wireguard.rules
	found "$dir/any.conf:1: warning: udev does not run sixxs-route for wg7: udev reads /etc/udev/rules.d/99-wireguard.rules too late, after 99-tunnel-sixxs.rules; rename it to a name that sorts before, such as 90-tunnels.rules, then run: udevadm control --reload; udevadm trigger"
	# so it is: nothing comes at its add
	udev_control --reload
	tunnel_add wg7
	tunnel_up wg7
	settle
	exits 1 grep -q 2a02::3 <<<"$(rules)"
	# what it recommends helps
	mv /etc/udev/rules.d/99-wireguard.rules /etc/udev/rules.d/90-tunnels.rules
	udev_control --reload
	udevadm trigger /sys/class/net/wg7
	settle
	found
	grep -q 2a02::3 <<<"$(rules)"
	rm /etc/udev/rules.d/90-tunnels.rules
	udev_control --reload
	tunnel_del wg7
	settle
}

@test "our own rules that are not installed, not where udev reads them, or hidden" {
	local ours=/usr/lib/udev/rules.d/99-tunnel-sixxs.rules none
	none="$dir:1: warning: udev does not run sixxs-route for any interface: 99-tunnel-sixxs.rules is in none of the folders that udev reads; install it into /usr/lib/udev/rules.d or /etc/udev/rules.d (make install UDEVRULESDIR=...), then run: udevadm control --reload; udevadm trigger"
	mkdir -p /opt/udev/rules.d /etc/udev/rules.d
	mv $ours /opt/udev/rules.d/
	found "$none"
	mv /opt/udev/rules.d/${ours##*/} /etc/udev/rules.d/
	found
	mv /etc/udev/rules.d/${ours##*/} $ours
	ln -s /dev/null /etc/udev/rules.d/${ours##*/}
	found "/etc/udev/rules.d/${ours##*/}:1: warning: udev does not run sixxs-route for any interface: this file is in place of the rules of sixxs-route; remove it, then run: udevadm control --reload; udevadm trigger"
	rm /etc/udev/rules.d/${ours##*/}
	found
	# no tunnel, no harm
	mv $ours /opt/udev/rules.d/
	rm -r ${dir:?}/*
	found
	mv /opt/udev/rules.d/${ours##*/} $ours
}

# As systemd does for a unit that is active.
networkd_runs() {
	mkdir -p /run/systemd/units
	ln -s 0123456789abcdef0123456789abcdef /run/systemd/units/invocation:systemd-networkd.service
}

@test "systemd-networkd, when it runs and deletes our rules" {
	local warning=': warning: systemd-networkd runs, and deletes our rules whenever it configures a link: put the lines "[Network]" and "ManageForeignRoutingPolicyRules=no" into /etc/systemd/networkd.conf.d/zz-sixxs-route.conf, then run systemctl restart systemd-networkd'
	local main=/etc/systemd/networkd.conf drop=/etc/systemd/networkd.conf.d
	mkdir -p /run/systemd/netif
	found
	networkd_runs
	found "$main:1$warning"
	printf '[Network]\n#ManageForeignRoutingPolicyRules=no\n' >$main
	found "$main:1$warning"
	printf '[Network]\n ManageForeignRoutingPolicyRules = False \n' >$main
	found
	mkdir -p /usr/lib/systemd/networkd.conf.d
	mv $main /usr/lib/systemd/networkd.conf.d/50-a.conf
	found
	rm /usr/lib/systemd/networkd.conf.d/50-a.conf
	found "$main:1$warning"
	# what it recommends helps
	mkdir -p $drop
	printf '[Network]\nManageForeignRoutingPolicyRules=no\n' >$drop/zz-sixxs-route.conf
	found
	# no tunnel, no harm
	rm -r $drop ${dir:?}/*
	found
}

@test "a link that has neighbours, without a gateway" {
	local text='sixxs0 has neighbours, as Ethernet has: without a gateway every far address is looked for among them, and none is reached: set gateway = auto, or the next hop'"'s address"
	good
	ip link add sixxs0 type veth peer name other0
	found "$dir/sixxs0.conf:1: warning: $text"
	printf '[sixxs0]\nsource = auto\ntable = 200\ngateway = none\n' | drop_in sixxs0
	found "$dir/sixxs0.conf:4: warning: $text"
	printf '[sixxs0]\nsource = 2a02::1, 192.0.2.7\ntable = 200\ngateway = fe80::1\n' | drop_in sixxs0
	found "$dir/sixxs0.conf:4: warning: $text"
	for key in 'gateway = auto' 'gateway = fe80::1, 192.0.2.8' 'route = none'; do
		printf '[sixxs0]\nsource = 2a02::1, 192.0.2.7\ntable = 200\n%s\n' "$key" | drop_in sixxs0
		found
	done
	ip link del sixxs0
	good
	tunnel_add sixxs0
	found
	tunnel_del sixxs0
	settle
}

@test "a rule of others that comes before ours, and leads elsewhere" {
	uplink_up
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	found
	ip -6 route add default dev net0 table 77
	ip -6 rule add table 77 protocol static
	found "$dir/sixxs0.conf:1: warning: sixxs0: its packets leave by another link: rule 16382: from all lookup 77 (protocol 4 static) is not ours and comes before rule 16383: delete it, or give it a priority above that, such as 32765"
	# what comes after ours, or takes nothing of the tunnel's, is nobody's concern
	ip -6 rule del table 77
	ip -6 rule add table 77 priority 32000
	ip -6 rule add table 77 from 2001:db8::/32
	ip -6 rule add table 78
	found
	# nor one by which only a network of main is found, though it has the first address that is asked about
	ip -6 route add 2000::/16 dev net0
	ip -6 rule add table main suppress_prefixlength 0 priority 100
	found
	ip -6 rule del priority 100
	ip -6 route del 2000::/16 dev net0
	# nor is one where nothing of ours stands
	$handler remove sixxs0
	ip -6 rule add table 77 priority 100
	found
	ip -6 rule flush table 77 && ip -6 rule flush table 78
	ip -6 route flush table 77
	tunnel_del sixxs0
	ip link del net0
	settle
}

@test "gateway = auto, and main has no default route by the link of a family that has a source" {
	local text='gateway = auto: main has no %sdefault route by net0 that tells the next hop: until it has, what the section selects finds no %sroute in table 200: set gateway to the next hop'"'s address if none is to come"
	lacks() { found "$dir/net0.conf:4: warning: ${text//%s/$1}"; }
	rm $dir/sixxs[01].conf
	printf '[net0]\nsource = 2001:db8:7::1, 198.51.100.1\ntable = 200\ngateway = auto\n' | drop_in net0
	found # there is no such link: nothing is known
	uplink_up
	settle
	found
	ip -6 route del default
	ip route del default
	found # the last one stays, where it is installed
	sixxs-route remove net0 2>/dev/null
	lacks ''
	ip -6 route add default via fe80::1 dev net0
	lacks 'IPv4 '
	ip route add default via 192.0.2.254 dev net0
	found
	ip -6 route del default via fe80::1 dev net0
	lacks 'IPv6 '
	# a family without a source needs none; where no source tells, one of both will do
	sed -i 's/^source.*/source = 198.51.100.1/' $dir/net0.conf
	found
	sed -i 's/^source.*/fwmark = 7/' $dir/net0.conf
	found
	ip route del default
	lacks ''
	ip link set net0 down # of one that is down nothing is known
	found
	ip link del net0
	settle
}

@test "a route of main that refuses, which prefer_main lets come first" {
	printf '[sixxs0]\nsource = 2001:db8:7::/48, 198.51.100.0/24\ntable = 200\n' | drop_in sixxs0
	uplink_up
	found
	ip -6 route add unreachable 2000::/3 metric 7
	ip route add blackhole default metric 5000
	found "$dir/sixxs0.conf:1: warning: prefer_main lets a route of main come first that refuses packets (ip -6 route: unreachable 2000::/3 metric 7): delete that route, or set prefer_main = no"
	ip route add prohibit 0.0.0.0/1
	found "$dir/sixxs0.conf:1: warning: prefer_main lets a route of main come first that refuses packets (ip -6 route: unreachable 2000::/3 metric 7): delete that route, or set prefer_main = no" \
		"$dir/sixxs0.conf:1: warning: prefer_main lets a route of main come first that refuses packets (ip -4 route: prohibit 0.0.0.0/1 metric 0): delete that route, or set prefer_main = no"
	# a network that main knows comes first as it is meant to
	ip -6 route del unreachable 2000::/3
	ip route del prohibit 0.0.0.0/1
	ip -6 route add unreachable 2001:db8::/32
	found
	ip -6 route add unreachable 2000::/3
	sed -i '$ a prefer_main = no' $dir/sixxs0.conf
	found
	ip -6 route del unreachable 2000::/3
	ip -6 route del unreachable 2001:db8::/32
	ip route del blackhole default metric 5000
	ip link del net0
	settle
}

@test "a default route of others in a table that tunnels share, once a table" {
	local n lines
	for n in 0 1; do
		printf '[sixxs%d]\nsource = 2a02::%d\nsteer = source-route\ntable = 400\n' $n $((n + 1)) | drop_in sixxs$n
	done
	printf '[sixxs2]\nsource = 2a02::3\nsteer = source-route\ntable = 401\n' | drop_in sixxs2
	uplink_up
	found
	ip -6 route add default dev net0 table 400 protocol static
	ip -6 route add 8000::/1 dev net0 table 401
	ip -6 route add unreachable ::/1 table 401 metric 7
	lines=("$dir/sixxs0.conf:4: warning: table 400 has a route that is not ours (default dev net0 metric 1024, protocol 4 static): by the rule that tunnels share there it takes packets of the whole host: delete it, or set another table"
		"$dir/sixxs2.conf:4: warning: table 401 has a route that is not ours (unreachable ::/1 metric 7, protocol 3 boot; and 1 more): by the rule that tunnels share there it takes packets of the whole host: delete it, or set another table")
	found "${lines[@]}"
	# the kernel is asked once a table
	strace -o /tmp/calls -e trace=sendto sixxs-route check >/dev/null
	assert_same 2 "$(grep -c RTA_TABLE /tmp/calls)"
	# in a table of its own it is not every packet that comes there
	sed -i '/^steer/d' $dir/sixxs2.conf
	found "${lines[0]}"
	# nor is what takes a part of all sources less
	ip -6 route del default table 400
	ip -6 route add default from ::/1 dev net0 table 400
	found "$dir/sixxs0.conf:4: warning: table 400 has a route that is not ours (default from ::/1 dev net0 metric 1024, protocol 3 boot): by the rule that tunnels share there it takes packets of the whole host: delete it, or set another table"
	ip -6 route del default from ::/1 table 400
	# nor a part of a tunnel's
	tunnel_add sixxs1
	tunnel_up sixxs1
	sixxs-route apply sixxs1 2>/dev/null
	ip -6 route add default from 2a02::2 dev net0 table 400 metric 7
	found "$dir/sixxs0.conf:4: warning: table 400 has a route that is not ours (default from 2a02::2 dev net0 metric 7, protocol 3 boot): by the rule that tunnels share there it takes a tunnel's packets, from 2a02::2: delete it, or set another table"
	ip -6 route del default from 2a02::2 dev net0 table 400 metric 7
	ip link del sixxs1
	settle
	sixxs-route remove sixxs1
	# what takes no packet of others
	ip -6 route add default from 2a02:7::/64 dev net0 table 400
	ip -6 route add fc00::/8 dev net0 table 400
	ip -6 route add throw default table 400
	found
	ip -6 route flush table 400
	ip -6 route flush table 401
	ip link del net0
	settle
}

@test "route = none in a table that tunnels share" {
	local n said
	for n in 1 2; do
		printf '[sixxs%d]\nsource = 2a02::%d\nsteer = source-route\ntable = 400\n' $n $((n + 1)) | drop_in sixxs$n
	done
	printf '[sixxs0]\nsource = 2a02::1\nroute = none\ntable = 400\n' | drop_in sixxs0
	said="$dir/sixxs0.conf:4: warning: table 400: tunnels with steer = source-route share it, as [sixxs1], line 1 of sixxs1.conf: it has routes for their sources alone, and what somebody puts there for this section takes packets of the whole host: set another table"
	found "$said"
	# the files alone say so, too
	run -0 sixxs-route check $dir/sixxs0.conf $dir/sixxs1.conf
	[[ $output == *'table 400: tunnels with steer = source-route share it, as [sixxs1]'* ]]
	# what does not count shares nothing; a tunnel's own table may have such rules beside it
	sed -i 's/^source .*/source = 10.0.0.1/' $dir/sixxs[12].conf
	run -1 sixxs-route check
	[[ $output != *'share it'* ]]
	printf '[sixxs1]\nsource = 2a02::2\ntable = 400\n' | drop_in sixxs1
	rm $dir/sixxs2.conf
	found
}

@test "what cannot be read, of udev and networkd, is told only where something depends on it" {
	local rule=/etc/udev/rules.d/50-vendor.rules networkd=/etc/systemd/networkd.conf.d/vendor.conf
	mkdir -p ${rule%/*} ${networkd%/*}
	printf '# a vendor\n' | tee $rule >$networkd
	chmod 600 $rule $networkd
	assert_same '' "$(exits 0 setpriv --reuid=65534 --clear-groups $handler check)"
	printf '[wg0]\nsource = 2a02::7\ntable = 207\n' | drop_in any
	exits 0 setpriv --reuid=65534 --clear-groups $handler check >/tmp/told
	has "$rule:1: warning: cannot be read: Permission denied; whether udev hands over the interfaces' events was not checked" </tmp/told
	assert_same 1 "$(wc -l </tmp/told)"
	networkd_runs
	exits 0 setpriv --reuid=65534 --clear-groups $handler check >/tmp/told
	has "$networkd:1: warning: cannot be read: Permission denied; whether systemd-networkd deletes our rules was not checked" </tmp/told
	assert_same 2 "$(wc -l </tmp/told)"
	rm -r $rule ${networkd%/*}
}

@test "a file of names that cannot be read is told by its path" {
	local names=/etc/iproute2/rt_tables.d/others.conf
	echo '900 voice' >$names
	chmod 600 $names
	exits 0 setpriv --reuid=65534 --clear-groups $handler check >/tmp/told
	assert_same "$names:1: warning: cannot be read: Permission denied; conflicts with other names of tables were not checked" "$(cat /tmp/told)"
	sed -i 's/^table.*/table = voice/' $dir/sixxs0.conf
	exits 1 setpriv --reuid=65534 --clear-groups $handler check >/tmp/told
	grep -E "^$dir/sixxs0.conf:[0-9]+: error: table = voice: cannot read $names, which may have this name: Permission denied\$" /tmp/told
	assert_same 2 "$(wc -l </tmp/told)" # and the warning, for sixxs1's sake
}

@test "files that are not read" {
	cp $dir/sixxs0.conf $dir/sixxs0.conf.example
	cp $dir/sixxs0.conf $dir/sixxs2.config
	cp $dir/sixxs0.conf $dir/.sixxs3.conf
	touch $dir/README $dir/README.txt $dir/.gitignore $dir/.sixxs0.conf.swp $dir/sixxs0.conf~
	mkdir $dir/old $dir/folder.conf
	found "$dir/.sixxs3.conf:1: warning: not read, as its name begins with a dot" \
		"$dir/folder.conf:1: error: not a regular file" \
		"$dir/old:1: warning: not read, as its name does not end in .conf" \
		"$dir/sixxs0.conf~:1: warning: not read, as its name does not end in .conf" \
		"$dir/sixxs2.config:1: warning: not read, as its name does not end in .conf"
}

@test "a name with odd bytes is printed escaped" {
	printf 'x\n' >"$dir/"$'\e[31m\xff.conf'
	found "$dir/\\x1b[31m\\xff.conf:1: error: neither a [section] nor a key with '=': expected KEY = VALUE"
}

@test "what is not trusted" {
	chmod 666 $dir/sixxs0.conf
	chown 65534 $dir/sixxs1.conf
	ln -s sixxs1.conf $dir/sixxs2.conf
	ln -s /tmp/nowhere $dir/sixxs3.conf
	found "$dir/sixxs0.conf:1: error: mode 0666: group and others must not be able to write" \
		"$dir/sixxs1.conf:1: error: owned by uid 65534: expected root or who runs this program" \
		"$dir/sixxs2.conf:1: error: owned by uid 65534: expected root or who runs this program" \
		"$dir/sixxs3.conf:1: error: a symbolic link is not followed where others can write to a folder on its way, or own it"
	chmod 777 $dir
	found "$dir:1: error: mode 0777: group and others must not be able to write"
}

@test "a folder that is not there" {
	run -1 sixxs-route check --conf-dir /nonexistent
	[ "$output" = "/nonexistent:1: error: there is no such folder" ]
	mv $dir /tmp/away
	found "$dir:1: warning: there is no such folder: no tunnel is configured"
	mv /tmp/away $dir
}

@test "a file without a section" {
	: >$dir/sixxs2.conf
	printf '# nothing\n' >$dir/any.conf
	found "$dir/any.conf:1: warning: there is no section in it" \
		"$dir/sixxs2.conf:1: warning: there is no section in it"
	# where there is a link of that name, it is missed
	tunnel_add sixxs2
	tunnel_add sixxs3
	settle
	printf '[sixxs4]\nsource = 2a02::3\ntable = 203\n' >$dir/sixxs3.conf
	found "$dir/any.conf:1: warning: there is no section in it" \
		"$dir/sixxs2.conf:1: warning: there is no section in it" \
		"$dir/sixxs2.conf:1: error: this file is named after the link sixxs2 and has no section for it: nothing is done or undone for that link; to end a tunnel delete its file, or put a link to /dev/null there" \
		"$dir/sixxs3.conf:1: error: this file is named after the link sixxs3 and has no section for it: nothing is done or undone for that link; to end a tunnel delete its file, or put a link to /dev/null there"
	ln -sf /dev/null $dir/sixxs2.conf
	rm $dir/sixxs3.conf $dir/any.conf
	found
	tunnel_del sixxs2
	tunnel_del sixxs3
	settle
}

@test "a section where a file of the interface's name overrules it" {
	printf '[sixxs2]\nsource = 2a02::3\ntable = 202\n[sixxs3]\nsource = 2a02::4\ntable = 203\n' | drop_in any
	ln -s /dev/null $dir/sixxs2.conf
	printf '[sixxs4]\nsource = 2a02::5\ntable = 204\n' | drop_in sixxs3
	found "$dir/any.conf:1: warning: not used: sixxs2.conf is a link to /dev/null, so sixxs2 has no section" \
		"$dir/any.conf:4: error: not used: sixxs3.conf has no section for sixxs3; delete that file, or put the section there"
}

@test "FILE: these alone, wherever they are" {
	mkdir -m 777 /tmp/drafts
	printf '[sixxs0]\nsource = 2a02::1\ntable = 201\n' >/tmp/drafts/draft
	cd /tmp/drafts
	run -0 sixxs-route check draft # though its table is in use in conf.d
	[ "$output" = "" ]
	printf '[sixxs1]\nsource = 2a02::1\ntable = 202\nname = default\n' >second
	run -1 sixxs-route check ./draft second nope
	assert_same "nope:1: error: there is no such file
second:2: error: source 2a02::1 belongs to [sixxs0] already, in line 1 of ./draft, at the same priority
second:4: error: name = default: expected none, or a name of at most 63 letters, digits, '_', '.' and '-' which begins with a letter and is no word of ip(8)" "$output"
	# no root is needed, and what a user has written is the user's
	chown 65534 draft
	run -1 sixxs-route check draft
	[ "$output" = "draft:1: error: owned by uid 65534: expected root or who runs this program" ]
	run -0 setpriv --reuid=65534 --clear-groups /usr/sbin/sixxs-route check draft
	[ "$output" = "" ]
	run -1 sixxs-route check /tmp/drafts
	[ "$output" = "/tmp/drafts:1: error: not a regular file" ]
	printf '[wg0]\nsource = 2a02::1\ntable = 203\n' >third # what a host lacks is not the file's
	run -0 sixxs-route check third
	[ "$output" = "" ]
}

@test "the form is one that editors jump to" {
	printf 'x\n' | drop_in x
	printf '[wg7]\nsource = 2a02::/32\ntable = 202\n' | drop_in y
	run -1 sixxs-route check
	[ "${#lines[@]}" = 4 ]
	for line in "${lines[@]}"; do
		[[ $line =~ ^/[^:]+:[0-9]+:\ (error|warning):\ [^$'\n']+$ ]]
	done
}

@test "a thousand drop-ins take no more than seconds, nor if each lies within another's source" {
	local i
	for ((i = 2; i < 1000; i++)); do
		printf '[sixxs%d]\nsource = 2001:db8::%x\ntable = %d\n' $i $i $((1000 + i)) >$dir/sixxs$i.conf
	done
	run -0 timeout $((10 * SLOW)) sixxs-route check
	[ "$output" = "" ]
	printf '[sixxs1000]\nsource = 2001:db8::/32\ntable = 2000\nprefer_main = yes\n' | drop_in sixxs1000
	run -0 timeout $((10 * SLOW)) sixxs-route check
	[ "${#lines[@]}" = 998 ]
}

# calls N: how many system calls check makes with as many drop-ins, whose links are up and have all
calls() {
	local i
	for ((i = 2; i < $1; i++)); do
		printf '[t%d]\nsource = 2001:db8::%x\ntable = %d\n' $i $i $((1000 + i)) >$dir/t$i.conf
		[ -e /sys/class/net/t$i ] || printf 'tuntap add dev t%d mode tun\nlink set dev t%d group 8 up\n' $i $i
	done | ip -batch -
	sixxs-route apply --all
	strace -o /tmp/calls sixxs-route check
	grep -c '(' /tmp/calls
}

@test "a section costs check ten system calls, whatever their number, and the kernel no question about its packets" {
	local few many
	few=$(calls 20)
	many=$(calls 120)
	echo "$few, $many" >&2
	[ $((many - few)) -le $((100 * 11)) ]
	# two of them about sixxs0 and sixxs1, which are no links: may they be other names of some?
	[ "$(grep -c sendto /tmp/calls)" -le 8 ]
	ip link del group 8
	rm $dir/t*.conf
	sixxs-route apply --all
}

@test "from some hundred files on, a section in a file of another name is told, once" {
	local i
	for ((i = 2; i < 299; i++)); do
		printf '[sixxs%d]\nsource = 2001:db8::%x\ntable = %d\n' $i $i $((1000 + i)) >$dir/sixxs$i.conf
	done
	printf '[sixxs300]\nsource = 2a02::300\ntable = 300\n' | drop_in y
	found
	printf '[sixxs301]\nsource = 2a02::301\ntable = 301\n[sixxs302]\nsource = 2a02::302\ntable = 302\n' | drop_in z
	found "$dir/y.conf:1: warning: each event of sixxs300 looks into all 301 files for this section, and so do those of other links whose sections are in no file of their name: move it into sixxs300.conf, which is looked at first"
	rm $dir/z.conf
	printf '[sixxs301]\nsource = 2a02::301\ntable = 301\n' | drop_in sixxs301
	found "$dir/y.conf:1: warning: each event of sixxs300 looks into all 301 files for this section: move it into sixxs300.conf, which is looked at first"
	rm $dir/y.conf
	found
}

@test "a full disk is no success" {
	printf 'x\n' | drop_in x
	run -1 --separate-stderr bash -c 'sixxs-route check >/dev/full'
	[[ $stderr == *"check is incomplete"* ]]
	cd conf.d
	printf '[wg7]\nsource = 2a02::3\ntable = 202\n' | drop_in x
	run -1 bash -c 'sixxs-route check >/dev/full 2>/dev/null'
}

@test "source = auto of one link in two sections, at one priority: an error; at two, or of another link: none" {
	local two
	printf '[sixxs0]\nsource = auto\ntable = 200\n' >$dir/sixxs0.conf
	two='[b]\ninterface = sixxs1\nsource = auto\nsource_link = sixxs0\ntable = 201\n'
	printf %b "$two" >$dir/sixxs1.conf
	run -1 $handler check
	assert_same "$dir/sixxs1.conf:3: error: source is that of [sixxs0], in line 1 of sixxs0.conf, at the same priority: set another priority for one of them" "$output"
	printf %b "${two}priority = 16390\n" >$dir/sixxs1.conf
	exits 0 $handler check
	printf %b "${two/source_link = sixxs0/source_link = sixxs2}" >$dir/sixxs1.conf
	exits 0 $handler check
	printf %b "${two/= auto/= auto\/prefix}" >$dir/sixxs1.conf
	exits 0 $handler check
}
