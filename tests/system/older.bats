#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Drop-ins of the first version (tables, sources and gateways; no marks, users or links) mean what they
# meant there, and nothing that it installed is left. Three things have changed: a default route's metric
# is 2048 where none is named (was 1024); prefer_main passes over main's routes of a length of up to 7
# (was 0); and it is the default for prefixes, and with a gateway. What is expected below is what that
# version installed, but for these.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	install_handler
	uplink_up
	mkdir -p /run/systemd/system # nobody waits for a link
}

setup() { begin; }

teardown() {
	rm -f /etc/iproute2/rt_tables.d/admin.conf
	finish
}

# mean IFACE [ADDRESS...] <OURS: what IFACE.conf brings once the link is up and has these addresses.
# Down it lacks the default routes, and without an address that it is to get all rules. A "+" before a
# rule: prefer_main's new default adds it, and "prefer_main = no" takes it away.
mean() {
	local iface=$1 all address
	all=$(cat)
	tunnel_add "$iface"
	settle
	[ $# -gt 1 ] || assert_same "$(sed '/^default /d; s/^+//' <<<"$all")" "$(ours)"
	tunnel_up "$iface"
	for address in "${@:2}"; do
		ip address add "$address" dev "$iface"
	done
	exits 0 $handler apply "$iface"
	assert_same "${all//+/}" "$(ours)"
	exits 0 $handler check
	if [[ $all == *+* ]]; then
		printf '\nprefer_main = no\n' >>"/etc/sixxs-route/conf.d/$iface.conf"
		exits 0 $handler apply "$iface"
		assert_same "$(sed '/^+/d' <<<"$all")" "$(ours)"
	fi
	untroubled
}

@test "addresses of both families" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02::1/128 192.0.2.77, 2a02::2
		table = 200
	END
	mean sixxs0 <<-END
		16383: from 192.0.2.77 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 scope 253 metric 2048
		16383: from 2a02::1 lookup 200 proto 166
		16383: from 2a02::2 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		name: 200 sixxs0
	END
}

@test "a prefix with host bits, an address of the other family, quotes, comments, capitals" {
	drop_in SixxsOffice <<-END
		; the office
		[SixxsOffice]
		  SOURCE="2001:db8:48::5/48, 192.0.2.7"  # both
		Table = 202
		when_down = unreachable
	END
	mean SixxsOffice <<-END
		+16382: from 192.0.2.7 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 192.0.2.7 lookup 202 proto 166
		default dev SixxsOffice table 202 proto 166 scope 253 metric 2048
		unreachable default table 202 proto 166 metric 4294967295
		+16382: from 2001:db8:48::/48 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2001:db8:48::/48 lookup 202 proto 166
		default dev SixxsOffice table 202 proto 166 metric 2048 pref medium
		unreachable default dev lo table 202 proto 166 metric 4294967295 pref medium
		name: 202 SixxsOffice
	END
}

@test "prefer_main and a priority that are named" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02::1
		prefer_main = yes
		priority = 1000
		table = 203
	END
	mean sixxs0 <<-END
		999: from 2a02::1 lookup 254 suppress_prefixlength 7 proto 166
		1000: from 2a02::1 lookup 203 proto 166
		default dev sixxs0 table 203 proto 166 metric 2048 pref medium
		name: 203 sixxs0
	END
}

@test "prefer_main = no of a prefix and with a gateway" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02:12::/64
		gateway = 2a02:12::ffff
		prefer_main = no
		table = 303
	END
	mean sixxs0 <<-END
		16383: from 2a02:12::/64 lookup 303 proto 166
		default via 2a02:12::ffff dev sixxs0 table 303 proto 166 metric 2048 onlink pref medium
		name: 303 sixxs0
	END
}

@test "a gateway of each family, a metric and an mtu" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 198.51.100.7 2a02:d::1
		gateway = 198.51.100.1, fe80::1
		metric = 1024
		mtu = 1280
		table = 204
	END
	mean sixxs0 <<-END
		+16382: from 198.51.100.7 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 198.51.100.7 lookup 204 proto 166
		default via 198.51.100.1 dev sixxs0 table 204 proto 166 metric 1024 onlink mtu 1280
		+16382: from 2a02:d::1 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2a02:d::1 lookup 204 proto 166
		default via fe80::1 dev sixxs0 table 204 proto 166 metric 1024 onlink mtu 1280 pref medium
		name: 204 sixxs0
	END
}

@test "a gateway of one family alone" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 198.51.100.7 2a02:d::1
		gateway = 198.51.100.1
		table = 204
	END
	mean sixxs0 <<-END
		+16382: from 198.51.100.7 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 198.51.100.7 lookup 204 proto 166
		default via 198.51.100.1 dev sixxs0 table 204 proto 166 metric 2048 onlink
		+16382: from 2a02:d::1 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2a02:d::1 lookup 204 proto 166
		default dev sixxs0 table 204 proto 166 metric 2048 pref medium
		name: 204 sixxs0
	END
}

@test "the first priority: before it there is no room for prefer_main's rule" {
	drop_in Wg.0-x <<-END
		[Wg.0-x]
		source = 203.0.113.0/24
		priority = 1
		table = 1
	END
	mean Wg.0-x <<-END
		1: from 203.0.113.0/24 lookup 1 proto 166
		default dev Wg.0-x table 1 proto 166 scope 253 metric 2048
		name: 1 Wg.0-x
	END
}

@test "the last priority and table, and a name" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02:8::1
		priority = 32765
		table = 2147483647
		name = my.table-1
		wait = 0
		connect_limit = 64/86400
		when_down = fallthrough
	END
	mean sixxs0 <<-END
		32765: from 2a02:8::1 lookup 2147483647 proto 166
		default dev sixxs0 table 2147483647 proto 166 metric 2048 pref medium
		name: 2147483647 my.table-1
	END
}

@test "no name" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02:7::1
		table = 208
		name = none
	END
	mean sixxs0 <<-END
		16383: from 2a02:7::1 lookup 208 proto 166
		default dev sixxs0 table 208 proto 166 metric 2048 pref medium
	END
}

@test "a table by the administrator's name" {
	echo '7100 seven' >/etc/iproute2/rt_tables.d/admin.conf
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02:6::1
		table = seven
	END
	mean sixxs0 <<-END
		16383: from 2a02:6::1 lookup 7100 proto 166
		default dev sixxs0 table 7100 proto 166 metric 2048 pref medium
	END
}

@test "lines that end as in DOS, and a last one that does not end" {
	printf '[sixxs0]\r\nsource = 2a02:9::1\r\ntable = 252' | drop_in sixxs0
	mean sixxs0 <<-END
		16383: from 2a02:9::1 lookup 252 proto 166
		default dev sixxs0 table 252 proto 166 metric 2048 pref medium
		name: 252 sixxs0
	END
}

@test "the link's own addresses" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = auto
		table = 205
	END
	mean sixxs0 10.9.8.2/24 10.9.8.3/24 fd00::5/128 <<-END
		16383: from 10.9.8.2 lookup 205 proto 166
		16383: from 10.9.8.3 lookup 205 proto 166
		default dev sixxs0 table 205 proto 166 scope 253 metric 2048
		16383: from fd00::5 lookup 205 proto 166
		default dev sixxs0 table 205 proto 166 metric 2048 pref medium
		name: 205 sixxs0
	END
}

@test "the link's own addresses, refused while it is down, and a gateway" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = auto
		gateway = 10.9.9.1
		when_down = unreachable
		priority = 30000
		table = 206
	END
	mean sixxs0 10.9.9.2/24 2a0f::5/64 <<-END
		+29999: from 10.9.9.2 lookup 254 suppress_prefixlength 7 proto 166
		30000: from 10.9.9.2 lookup 206 proto 166
		default via 10.9.9.1 dev sixxs0 table 206 proto 166 metric 2048 onlink
		unreachable default table 206 proto 166 metric 4294967295
		+29999: from 2a0f::5 lookup 254 suppress_prefixlength 7 proto 166
		30000: from 2a0f::5 lookup 206 proto 166
		default dev sixxs0 table 206 proto 166 metric 2048 pref medium
		unreachable default dev lo table 206 proto 166 metric 4294967295 pref medium
		name: 206 sixxs0
	END
}

@test "a section of another name: its table bears the section's" {
	drop_in sixxs0 <<-END
		[office]
		interface = sixxs0
		source = 2a02::1
		table = 200
	END
	mean sixxs0 <<-END
		16383: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		name: 200 office
	END
}

# ---- an upgrade ---------------------------------------------------------------------------

# What that version has installed for [sixxs0] as below, and for sixxs1, which is gone.
older_has_installed() {
	tunnel_add sixxs0
	tunnel_up sixxs0
	ip -6 rule add from 2a02:8::/48 lookup main suppress_prefixlength 0 priority 16382 protocol 166
	ip -6 rule add from 2a02:8::/48 lookup 200 priority 16383 protocol 166
	ip -6 route add default dev sixxs0 table 200 metric 1024 protocol 166
	ip -6 route add unreachable default table 200 metric 4294967295 protocol 166
	ip -4 rule add from 192.0.2.77 lookup main suppress_prefixlength 0 priority 16382 protocol 166
	ip -4 rule add from 192.0.2.77 lookup 201 priority 16383 protocol 166
	ip -4 route add unreachable default table 201 metric 4294967295 protocol 166
	mkdir -p /run/sixxs-route
	printf '200 sixxs0\n201 sixxs1\n' >/run/sixxs-route/rt_tables
}

@test "apply --all takes away all that it had installed, prefer_main's rules too" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02:8::/48
		table = 200
		prefer_main = yes
		when_down = unreachable
	END
	handler_off
	older_has_installed
	settle
	handler_on
	exits 1 $handler status >/tmp/status
	[ "$(squeeze </tmp/status | grep -c 'left over rule 16382: from [^ ]* lookup main stale')" -eq 2 ]
	exits 0 $handler apply --all
	assert_same "$(cat <<-END
		16382: from 2a02:8::/48 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2a02:8::/48 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		unreachable default dev lo table 200 proto 166 metric 4294967295 pref medium
		name: 200 sixxs0
	END
	)" "$(ours)"
	told '^daemon.info swept what no tunnel accounts for: ip -6 rule del priority 16382 from 2a02:8::/48 lookup 254 suppress_prefixlength 0 protocol 166$'
}

@test "what would be swept is what --dry-run prints" {
	older_has_installed
	$handler --dry-run apply --all >/tmp/commands
	sh -e /tmp/commands
	assert_same '' "$(ours | grep -v '^name: ')"
	exits 0 $handler apply --all
	assert_same '' "$(ours)"
}
