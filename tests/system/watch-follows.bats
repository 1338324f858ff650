#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The watcher: links that lose and get routes without a word, addresses, gateways and carriers that it
# follows, links that move and come again.

# shellcheck source=watch.bash
. "$BATS_TEST_DIRNAME/watch.bash"

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

@test "IPv6 is back on a link: at once where it is told, within seconds where nothing tells it" {
	local off on told=yes
	watch_start
	veth_tunnel
	for _ in 1 2; do
		wait_until 10 complete
		while IFS=/ read -r off on; do
			$off
			wait_until 2 counts 6 3
			# its next try by itself is seconds away
			if [ $told = yes ]; then
				wait_until 10 watch_due 2000
				$on
				watch_answered
				complete
			else
				wait_until 10 watch_due 4000
				$on
				wait_until 9 complete
			fi
		done <<<"$ipv6_off_and_on"
		tunnel_del sixxs0
		settle
		tunnel sixxs0
		told=no
	done
	# the same trouble is told once each time
	logged 4 '^daemon.err '
}

@test "a route that another has changed or replaced, and a nexthop that goes without a word" {
	watch_from_up
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

@test "a link that goes down without telling of its routes" {
	[ -e /proc/sys/net/ipv6/route/skip_notify_on_dev_down ] || skip "this kernel has no skip_notify_on_dev_down"
	sysctl -qw net.ipv6.route.skip_notify_on_dev_down=1
	watch_from_up
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

linkdown() { ip -6 route show table 200 | grep -q 'default dev sixxs0 .*linkdown'; }

@test "carrier lost with ignore_routes_with_linkdown, caches flushed, a bridge: nothing is lost" {
	watch_start
	veth_tunnel
	wait_until 10 complete
	local before
	before=$(state)
	sysctl -qw net.ipv4.conf.sixxs0.ignore_routes_with_linkdown=1 net.ipv6.conf.sixxs0.ignore_routes_with_linkdown=1
	ip link set other0 down
	wait_until 10 linkdown
	watch_answered
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
	watch_from_up
	udev_holds
	tunnel_del sixxs0
	wait_until 10 gone
	udev_goes_on
	settle
	gone
}

@test "source = auto: rules follow the link's global addresses" {
	drop_in sixxs0 <<<$'[sixxs0]\nsource = auto\ntable = 200\nname = none\nwait = 0'
	watch_start
	tunnel sixxs0
	watch_answered
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
	watch_answered
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
	watch_answered
	counts 6 65
	counts 4 0
	ip -batch - <<<$'address add 198.51.100.8/24 dev sixxs0\naddress add 198.51.100.9/24 dev sixxs0'
	watch_answered
	ip address add 198.51.100.10/24 dev sixxs0
	watch_answered
	logged 1 '^daemon.warn sixxs0: .*there are more addresses than the 64 that source = auto can follow'
	# status is content with what it has, and says what it has not
	sixxs-route status --json sixxs0 >/tmp/json 2>/tmp/told || true
	grep -q 'warning: sixxs0: \[sixxs0\]: there are more addresses than the 64' /tmp/told
	jq -e '[.findings[].severity] == ["warning"] and .state != "unknown"' /tmp/json >&2
	ip -batch - <<<$'address del 198.51.100.8/24 dev sixxs0\naddress del 198.51.100.9/24 dev sixxs0\naddress del 198.51.100.10/24 dev sixxs0'
	ip address del 2a02::1/64 dev sixxs0
	wait_until 10 counts 6 64
	wait_until 10 counts 4 2
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
	watch_answered
	via 169.254.10.3 && via6 fe80::3
	# by an object, which then names another, without a word of the route
	ip nexthop add id 5 via 169.254.10.4 dev sixxs0
	ip route add default nhid 5 metric 50
	wait_until 2 via 169.254.10.4
	ip nexthop replace id 5 via 169.254.10.5 dev sixxs0
	wait_until 2 via 169.254.10.5
	ip nexthop del id 5
	watch_answered
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
		watch_answered
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
	expired() { [[ $(ip -6 route get 2001:200::1) != *fe80::6* ]]; }
	wait_until 5 expired
	watch_answered
	via6 fe80::6
	ip -6 route add default via fe80::7 dev sixxs0 metric 60
	ip -6 route del default via fe80::6 dev sixxs0 metric 50 || true
	wait_until 2 via6 fe80::7
	logged 0 '^daemon.(err|warn)'
}

@test "gateway = auto: a filter that cannot be set is set later, and nothing is missed meanwhile" {
	routed_via() { [[ $(routes 200) == *"default via $1 "* ]]; }
	veth_tunnel
	sysctl -qw net.ipv6.conf.sixxs0.accept_dad=0
	strace -D -qq -o /tmp/trace -e trace=setsockopt -e inject=setsockopt:error=ENOMEM:when=9..10 \
		sixxs-route watch >/tmp/watch.log 2>&1 3>&- &
	watcher=$!
	watch_answered
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::1\ntable = 200\ngateway = auto\nprefer_main = no\nwait = 0'
	ip link set sixxs0 down
	ip link set sixxs0 up
	wait_until 10 grep 'SO_ATTACH_FILTER.*INJECTED' /tmp/trace
	for n in 1 2 3; do
		ip -6 route replace default via fe80::$n dev sixxs0 metric 4000
		wait_until 10 routed_via fe80::$n
	done
	[ "$(grep -c 'SO_ATTACH_FILTER.*INJECTED' /tmp/trace)" -eq 2 ]
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
