#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The drop-in changes while the tunnel is up, and its event is replayed: the old is gone, the
# new is there, and both are what a tunnel that comes only now gets.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	begin
	section $'source = 2a02::1\ntable = 200\n'
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	old=$(ours)
}

teardown() { finish; }

section() { printf '[sixxs0]\n%s\n' "$1" | drop_in sixxs0; }

# becomes KEYS <OURS: the section's keys change to these, and back.
becomes() {
	local new
	new=$(cat)
	section "$1"
	replay sixxs0
	assert_same "$new" "$(ours)"
	section $'source = 2a02::1\ntable = 200\n'
	replay sixxs0
	assert_same "$old" "$(ours)"
	tunnel_del sixxs0
	section "$1"
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	assert_same "$new" "$(ours)"
	untroubled
}

@test "table" {
	becomes $'source = 2a02::1\ntable = 70000' <<-END
		16383: from 2a02::1 lookup 70000 proto 166
		default dev sixxs0 table 70000 proto 166 metric 2048 pref medium
		name: 70000 sixxs0
	END
}

@test "source" {
	becomes $'source = 2a02::7\ntable = 200' <<-END
		16383: from 2a02::7 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		name: 200 sixxs0
	END
}

@test "source: one more, of the other family too" {
	becomes $'source = 2a02::1 2a02:8::/48, 192.0.2.77\ntable = 200' <<-END
		16382: from 192.0.2.77 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 192.0.2.77 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 scope 253 metric 2048
		16382: from 2a02::1 lookup 254 suppress_prefixlength 7 proto 166
		16382: from 2a02:8::/48 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2a02::1 lookup 200 proto 166
		16383: from 2a02:8::/48 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		name: 200 sixxs0
	END
}

@test "source: from one family to the other" {
	becomes $'source = 192.0.2.77\ntable = 200' <<-END
		16383: from 192.0.2.77 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 scope 253 metric 2048
		name: 200 sixxs0
	END
}

@test "priority" {
	becomes $'source = 2a02::1\ntable = 200\npriority = 100' <<-END
		100: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		name: 200 sixxs0
	END
}

@test "name" {
	becomes $'source = 2a02::1\ntable = 200\nname = office' <<-END
		16383: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		name: 200 office
	END
}

@test "name: none" {
	becomes $'source = 2a02::1\ntable = 200\nname = none' <<-END
		16383: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
	END
}

@test "gateway" {
	becomes $'source = 2a02::1\ntable = 200\ngateway = fe80::1' <<-END
		16382: from 2a02::1 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2a02::1 lookup 200 proto 166
		default via fe80::1 dev sixxs0 table 200 proto 166 metric 2048 onlink pref medium
		name: 200 sixxs0
	END
}

@test "prefer_main: no, where its default would be yes" {
	becomes $'source = 2a02:8::/48\ntable = 200\ngateway = fe80::1\nprefer_main = no' <<-END
		16383: from 2a02:8::/48 lookup 200 proto 166
		default via fe80::1 dev sixxs0 table 200 proto 166 metric 2048 onlink pref medium
		name: 200 sixxs0
	END
}

@test "gateway: one for each family" {
	becomes $'source = 2a02::1, 192.0.2.77\ntable = 200\ngateway = fe80::1, 198.51.100.9' <<-END
		16382: from 192.0.2.77 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 192.0.2.77 lookup 200 proto 166
		default via 198.51.100.9 dev sixxs0 table 200 proto 166 metric 2048 onlink
		16382: from 2a02::1 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2a02::1 lookup 200 proto 166
		default via fe80::1 dev sixxs0 table 200 proto 166 metric 2048 onlink pref medium
		name: 200 sixxs0
	END
}

@test "metric" {
	becomes $'source = 2a02::1\ntable = 200\nmetric = 7' <<-END
		16383: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 7 pref medium
		name: 200 sixxs0
	END
}

@test "mtu" {
	becomes $'source = 2a02::1\ntable = 200\nmtu = 1300' <<-END
		16383: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 mtu 1300 pref medium
		name: 200 sixxs0
	END
}

@test "when_down" {
	becomes $'source = 2a02::1, 192.0.2.77\ntable = 200\nwhen_down = unreachable' <<-END
		16383: from 192.0.2.77 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 scope 253 metric 2048
		unreachable default table 200 proto 166 metric 4294967295
		16383: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		unreachable default dev lo table 200 proto 166 metric 4294967295 pref medium
		name: 200 sixxs0
	END
}

@test "prefer_main" {
	becomes $'source = 2a02::1\ntable = 200\nprefer_main = yes' <<-END
		16382: from 2a02::1 lookup 254 suppress_prefixlength 7 proto 166
		16383: from 2a02::1 lookup 200 proto 166
		default dev sixxs0 table 200 proto 166 metric 2048 pref medium
		name: 200 sixxs0
	END
}

everything=$'source = 2a02:9::/48, 192.0.2.77\ntable = 70000\npriority = 100\nname = office
gateway = fe80::1\nmetric = 7\nmtu = 1300\nwhen_down = unreachable\nprefer_main = yes\nwait = 1'

@test "everything at once" {
	becomes "$everything" <<-END
		99: from 192.0.2.77 lookup 254 suppress_prefixlength 7 proto 166
		100: from 192.0.2.77 lookup 70000 proto 166
		default dev sixxs0 table 70000 proto 166 scope 253 metric 7 mtu 1300
		unreachable default table 70000 proto 166 metric 4294967295
		99: from 2a02:9::/48 lookup 254 suppress_prefixlength 7 proto 166
		100: from 2a02:9::/48 lookup 70000 proto 166
		default via fe80::1 dev sixxs0 table 70000 proto 166 metric 7 onlink mtu 1300 pref medium
		unreachable default dev lo table 70000 proto 166 metric 4294967295 pref medium
		name: 70000 office
	END
}

@test "interface: the section is another interface's" {
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	printf '[sixxs0]\ninterface = sixxs7\nsource = 2a02::1\ntable = 200\n' | drop_in office
	replay sixxs0
	assert_same "$baseline" "$(snapshot)"
	tunnel_add sixxs7
	tunnel_up sixxs7
	settle
	assert_same "${old//dev sixxs0/dev sixxs7}" "$(ours)"
}

# While a packet could be on its way, at no time neither the old nor the new is there.
@test "the new is there before the old goes" {
	section $'source = 2a02::1\ntable = 201'
	exits 0 $handler --verbose apply sixxs0
	log_lines | sed -nE 's/.*"?ip -6 (rule|route) (add|del).*: done$/\1 \2/p' >/tmp/order
	assert_same $'route add\nrule add\nrule del\nroute del' "$(cat /tmp/order)"
}

@test "the table's name is what ip then shows" {
	section $'source = 2a02::1\ntable = 70000\nname = office'
	replay sixxs0
	rules | has '16383: from 2a02::1 lookup office proto sixxs'
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes office)"
	exits 255 ip -6 route show table sixxs0
}

# sections NAME TABLE...: of sixxs0, each with a source of its own; then the tables' names, after one replay.
sections() {
	local n=0
	for ((; $#; n++)); do
		printf '[%s]\ninterface = sixxs0\nsource = 2a02::%d\ntable = %d\n' "$1" $n "$2"
		shift 2
	done | drop_in sixxs0
	replay sixxs0
	LC_ALL=C sort /run/sixxs-route/rt_tables
}

@test "sections swap their tables' names, or pass them on: right after one replay, without a word" {
	assert_same $'200 blue\n201 red' "$(sections blue 200 red 201)"
	assert_same $'200 red\n201 blue' "$(sections blue 201 red 200)"
	assert_same $'200 red\n201 blue' "$(sections red 200 blue 201)"
	assert_same $'200 blue\n201 green\n202 red' "$(sections red 202 blue 200 green 201)"
	assert_same $'200 green\n201 red\n202 blue' "$(sections blue 202 red 201 green 200)"
	untroubled
}

@test "the section is deleted and its file is not: that is told, and takes nothing away" {
	log_restart
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs0
	replay sixxs0
	assert_same "$old" "$(ours)"
	told '^daemon.err .*/sixxs0.conf: there is no section for sixxs0 in it; to end a tunnel delete its file'
}

@test "the file is deleted" {
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	replay sixxs0
	assert_same "$baseline" "$(snapshot)"
}

@test "the file is deleted, and then the interface goes" {
	section "$everything"
	replay sixxs0
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	tunnel_del sixxs0
	settle
	assert_same "$baseline" "$(snapshot)"
}

@test "conf.d is deleted, and then the interface goes" {
	rm -r /etc/sixxs-route/conf.d
	tunnel_del sixxs0
	settle
	assert_same "$baseline" "$(snapshot)"
}

@test "the file changes, and then the interface goes" {
	section "$everything"
	tunnel_del sixxs0
	settle
	assert_same "$baseline" "$(snapshot)"
}

@test "the file becomes unreadable, and then the interface goes" {
	section $'source ='
	tunnel_del sixxs0
	settle
	assert_same "$baseline" "$(snapshot)"
}

@test "the file changes twice before the replay" {
	section "$everything"
	section $'source = 2a02::3\ntable = 203'
	replay sixxs0
	assert_same "$(sed 's/::1 /::3 /; s/200/203/' <<<"$old")" "$(ours)"
}

@test "two tunnels swap their sources" {
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	section $'source = 2a02::2\ntable = 200\n'
	printf '[sixxs1]\nsource = 2a02::1\ntable = 201\n' | drop_in sixxs1
	replay sixxs0 sixxs1
	assert_same "$(printf '16383: from 2a02::%d lookup 20%d proto 166\n' 2 0 1 1)" \
		"$(ours | grep ^16383 | sort -k5)"
}

# Whose turn is first finds the other's route still there, and has another one.
@test "two tunnels swap their tables" {
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	both=$(ours)
	section $'source = 2a02::1\ntable = 201\n'
	printf '[sixxs1]\nsource = 2a02::2\ntable = 200\n' | drop_in sixxs1
	exits 0 $handler apply --all
	assert_same "$(sed -E 's/2a02::1 /2a02::3 /; s/2a02::2 /2a02::1 /; s/2a02::3 /2a02::2 /
		s/sixxs0/sixxs2/; s/sixxs1/sixxs0/; s/sixxs2/sixxs1/' <<<"$both" | sort)" "$(ours | sort)"
}
