#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Where a tunnel's section is looked for, what it may say, and what ip then calls its table.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { begin; }

teardown() {
	rm -f /etc/iproute2/rt_tables.d/admin.conf
	finish
}

# comes IFACE: it is made, up, and seen to.
comes() { tunnel_add "$1" && tunnel_up "$1" && settle; }

our_rules() { rules | grep 'proto sixxs$'; }

section() { printf '[%s]\nsource = 2a02::%d\ntable = %d\n' "$1" "$2" $((200 + $2)); }

# names TEXT: what somebody else calls tables.
names() { printf '%s\n' "$1" >/etc/iproute2/rt_tables.d/admin.conf; }

# ---- sources ------------------------------------------------------------------------------

@test "IPv6 and IPv4 sources, addresses and prefixes, by commas and blanks" {
	drop_in sixxs0 <<-END
		[sixxs0]
		source = 2a02::1,192.0.2.7 , 2a02:8::/48	198.51.100.0/24,2a02::5
		table = 200
	END
	comes sixxs0
	assert_same "$(printf '16383: from %s lookup sixxs0 proto sixxs\n' 2a02::1 2a02:8::/48 2a02::5)" \
		"$(our_rules | grep -v '^16382: .* lookup main suppress_prefixlength 7 ')"
	assert_same "$(printf '16383: from %s lookup sixxs0 proto sixxs\n' 192.0.2.7 198.51.100.0/24)" \
		"$(rules4 | grep 'proto sixxs$' | grep -v '^16382: .* lookup main suppress_prefixlength 7 ')"
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	assert_same 'default dev sixxs0 proto sixxs scope link metric 2048' "$(routes4 sixxs0)"
}

@test "an IPv4 source alone brings no IPv6 route" {
	printf '[sixxs0]\nsource = 192.0.2.7\ntable = 200\nwhen_down = unreachable' | drop_in sixxs0
	comes sixxs0
	assert_same "" "$(our_rules)"
	assert_same "" "$(routes all | grep 'proto sixxs')"
	assert_same 2 "$(routes4 sixxs0 | wc -l)"
}

@test "64 sources" {
	many=$(for ((i = 1; i <= 32; i++)); do printf '2a02:%x::/32,10.0.0.%d ' $i $i; done)
	printf '[sixxs0]\nsource = %s\ntable = 200\nprefer_main = yes\n' "$many" | drop_in sixxs0
	comes sixxs0
	for ((i = 1; i <= 32; i++)); do
		our_rules | has "$(printf '16383: from 2a02:%x::/32 lookup sixxs0 proto sixxs' $i)"
		rules4 | has "16383: from 10.0.0.$i lookup sixxs0 proto sixxs"
	done
	assert_same 64 "$(our_rules | wc -l)"
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	replay sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
	printf '[sixxs0]\nsource = %s\ntable = 201\nprefer_main = yes\n' "$many" | drop_in sixxs0
	replay sixxs0
	assert_same 64 "$(our_rules | wc -l)"
}

@test "defaults that are written out" {
	printf '[sixxs0]\nsource = 2a02::1, 192.0.2.7\ntable = 200\n' | drop_in sixxs0
	comes sixxs0
	standing=$(kernel)
	drop_in sixxs0 <<-END
		[sixxs0]
		interface = sixxs0
		source = 2a02::1, 192.0.2.7
		source_link = sixxs0
		table = 200
		name = sixxs0
		priority = 16383
		route = default
		gateway = none
		metric = 2048
		mtu = none
		when_down = fallthrough
		when_gone = fallthrough
		carrier = ignored
		bound = no
		steer = rule
		prefer_main = no
		connect_limit = 4/60
	END
	exits 0 $handler apply sixxs0
	assert_same "$standing" "$(kernel)"
	exits 0 $handler check
	tunnel_del sixxs0
	settle
	comes sixxs0
	assert_same "$standing" "$(kernel)"
	untroubled
}

@test "host bits are masked" {
	printf '[sixxs0]\nsource = 2a02::1/64, 192.0.2.7/24\ntable = 200\n' | drop_in sixxs0
	comes sixxs0
	our_rules | has '16383: from 2a02::/64 lookup sixxs0 proto sixxs'
	rules4 | has '16383: from 192.0.2.0/24 lookup sixxs0 proto sixxs'
}

@test "a file as other systems write it: CRLF, tabs, quotes, comments, no last newline" {
	printf '# text\r\n\r\n [sixxs0]\r\n\tSource\t=\t"2a02::1" ; text\r\n; text\r\ntable=200 # text' | drop_in sixxs0
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
}

@test "the longest line, the largest file" {
	{
		section sixxs0 1
		printf '#%1021s\n' ''
		printf '#%98s\n' '' | awk '{ for (i = 0; i < 655; i++) print }'
	} >/tmp/large
	truncate -s 65536 /tmp/large
	tr '\0' '#' </tmp/large | head -c 65536 | drop_in sixxs0
	assert_same 65536 "$(stat -c %s /etc/sixxs-route/conf.d/sixxs0.conf)"
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
}

@test "the samples" {
	install -m 644 "$repo"/conf.d/*.conf /etc/sixxs-route/conf.d/
	for iface in sixxs0 sixxs1 SixxsOffice; do
		tunnel_add $iface
		tunnel_up $iface
	done
	settle
	exits 0 $handler apply --all
	for iface in sixxs0 sixxs1 SixxsOffice; do
		routes all | grep -qE "^default dev $iface table [^ ]+ proto sixxs metric 2048 "
	done
	logged 0 '^daemon.err'
	rm /etc/sixxs-route/conf.d/*
	exits 0 $handler apply --all
	assert_same '' "$(our_rules)"
	tunnel_del SixxsOffice
}

# ---- look-up ------------------------------------------------------------------------------

@test "several sections in one file, which bears neither's name" {
	{
		section sixxs0 1
		section sixxs1 2
	} | drop_in tunnels
	comes sixxs0
	comes sixxs1
	assert_same "$(printf '16383: from 2a02::%d lookup sixxs%d proto sixxs\n' 1 0 2 1)" "$(our_rules)"
}

@test "the interface's own file comes first" {
	section sixxs0 1 | drop_in 00
	section sixxs0 2 | drop_in sixxs0
	comes sixxs0
	assert_same '16383: from 2a02::2 lookup sixxs0 proto sixxs' "$(our_rules)"
}

@test "then the first file in byte order" {
	section sixxs0 1 | drop_in a
	section sixxs0 2 | drop_in B
	section sixxs0 3 | drop_in _
	section sixxs0 4 | drop_in sixxs0.old
	comes sixxs0
	assert_same '16383: from 2a02::2 lookup sixxs0 proto sixxs' "$(our_rules)"
	rm /etc/sixxs-route/conf.d/B.conf
	replay sixxs0
	assert_same '16383: from 2a02::3 lookup sixxs0 proto sixxs' "$(our_rules)"
	rm /etc/sixxs-route/conf.d/_.conf
	replay sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
}

@test "files of other names are not read" {
	for name in .sixxs0.conf sixxs0.conf.example sixxs0 sixxs0.conf~ .conf sixxs0.CONF; do
		section sixxs0 1 >/etc/sixxs-route/conf.d/"$name"
	done
	mkdir /etc/sixxs-route/conf.d/more
	section sixxs0 1 >/etc/sixxs-route/conf.d/more/sixxs0.conf
	comes sixxs0
	assert_same "$baseline" "$(snapshot)"
	untroubled
}

@test "interface: a label of its own, and capitals" {
	printf '[Office]\ninterface = sixxsBIG\nsource = 2a02::1\ntable = 200\n' | drop_in any
	comes sixxsBIG
	assert_same '16383: from 2a02::1 lookup Office proto sixxs' "$(our_rules)"
}

@test "two interfaces that differ only in capitals" {
	{
		section_text big sixxsX 2a02::1 200
		section_text small sixxsx 2a02::2 201
	} | drop_in any
	comes sixxsX
	assert_same '16383: from 2a02::1 lookup big proto sixxs' "$(our_rules)"
	comes sixxsx
	assert_same "$(printf '16383: from 2a02::%d lookup %s proto sixxs\n' 1 big 2 small)" "$(our_rules)"
}

@test "a section's name counts with its capitals" {
	section sixxsBIG 1 | drop_in any
	comes sixxsbig
	assert_same "$baseline" "$(snapshot)"
	comes sixxsBIG
	assert_same '16383: from 2a02::1 lookup sixxsBIG proto sixxs' "$(our_rules)"
}

@test "the label is no interface where the key says another" {
	printf '[sixxs0]\ninterface = sixxs7\nsource = 2a02::1\ntable = 200\n' | drop_in any
	comes sixxs0
	assert_same "$baseline" "$(snapshot)"
	untroubled
}

@test "another tunnel's broken file is no harm" {
	section sixxs0 1 | drop_in sixxs0
	printf '[sixxs1\n' | drop_in 00
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
	untroubled
}

@test "a broken file that does not mention the interface is no harm" {
	section sixxs0 1 | drop_in zz
	printf '[sixxs1\n' | drop_in 00
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
}

@test "a broken file that may hold the section: told, and what another file answers is known" {
	section sixxs0 1 | drop_in zz
	comes sixxs0
	standing=$(snapshot)
	printf '[sixxs0\n' | drop_in 00
	exits 0 $handler apply sixxs0
	logged 1 '^daemon.err /etc/sixxs-route/conf.d/00.conf:1: '
	assert_same "$standing" "$(snapshot)"
	section sixxs0 3 | drop_in zz
	exits 0 $handler apply sixxs0
	assert_same '16383: from 2a02::3 lookup sixxs0 proto sixxs' "$(our_rules)"
}

# unanswered: by the files there are: nothing is done, not even by a replay.
unanswered() {
	standing=$(snapshot)
	rm /etc/sixxs-route/conf.d/zz.conf
	exits 1 $handler apply sixxs0
	logged 1 '^daemon.err sixxs0: its section cannot be read: nothing was changed'
	replay sixxs0
	assert_same "$standing" "$(snapshot)"
}

@test "a broken file that may hold the section, and no other that does: nothing is done" {
	section sixxs0 1 | drop_in zz
	comes sixxs0
	printf '[sixxs0\n' | drop_in 00
	unanswered
}

@test "a file that cannot be read at all may hold any section" {
	section sixxs0 1 | drop_in zz
	comes sixxs0
	standing=$(snapshot)
	mkdir /etc/sixxs-route/conf.d/00.conf
	exits 0 $handler apply sixxs0
	logged 1 '^daemon.err /etc/sixxs-route/conf.d/00.conf: not a regular file$'
	assert_same "$standing" "$(snapshot)"
	unanswered
}

@test "one wrong file stops no other tunnel's apply --all" {
	section sixxs0 1 | drop_in any
	ln -s nowhere /etc/sixxs-route/conf.d/00.conf
	mkdir /etc/sixxs-route/conf.d/01.conf
	printf '[sixxs9\n' | drop_in 02
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	exits 0 $handler remove sixxs0
	exits 1 $handler apply --all
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
}

# ---- IFNAME.conf answers for IFNAME alone --------------------------------------------------

own=/etc/sixxs-route/conf.d/sixxs0.conf

@test "IFNAME.conf that is empty, or of comments, takes nothing away, whatever others say" {
	section sixxs0 1 | drop_in sixxs0
	section sixxs0 2 | drop_in zz
	comes sixxs0
	standing=$(snapshot)
	for text in '' '\n' '# [sixxs0]\n# source = 2a02::1\n' '[sixxs1]\nsource = 2a02::3\ntable = 203\n'; do
		printf '%b' "$text" | drop_in sixxs0
		log_restart
		exits 1 $handler apply sixxs0
		logged 1 "^daemon.err $own: there is no section for sixxs0 in it; to end a tunnel delete its file, or put a link to /dev/null there$"
		exits 1 event change sixxs0 "$(ifindex sixxs0)"
		exits 1 $handler apply --all
		assert_same "$standing" "$(snapshot)"
	done
	section sixxs0 1 | drop_in sixxs0
	rm /etc/sixxs-route/conf.d/zz.conf
	exits 0 $handler apply sixxs0
	assert_same "$standing" "$(snapshot)"
}

@test "IFNAME.conf that is deleted ends the tunnel; another file's section takes its place" {
	section sixxs0 1 | drop_in sixxs0
	section sixxs0 2 | drop_in zz
	comes sixxs0
	rm $own
	exits 0 $handler apply sixxs0
	assert_same '16383: from 2a02::2 lookup sixxs0 proto sixxs' "$(our_rules)"
	rm /etc/sixxs-route/conf.d/zz.conf
	exits 0 $handler apply sixxs0
	assert_same '' "$(our_rules)"
	untroubled
}

@test "a link to /dev/null in its place: no section, here or elsewhere" {
	section sixxs0 1 | drop_in sixxs0
	section sixxs0 2 | drop_in zz
	comes sixxs0
	ln -sf /dev/null $own
	exits 0 $handler apply sixxs0
	assert_same '' "$(our_rules)"
	exits 0 $handler apply --all
	assert_same '' "$(our_rules)"
	tunnel_del sixxs0
	settle
	comes sixxs0
	assert_same "$baseline" "$(snapshot)"
	rm $own
	exits 0 $handler apply sixxs0
	assert_same '16383: from 2a02::2 lookup sixxs0 proto sixxs' "$(our_rules)"
}

@test "a symbolic link whose way is root's is followed" {
	mkdir -p /etc/tunnels/a
	section sixxs0 1 >/etc/tunnels/a/tunnel
	ln -s ../../tunnels/link $own
	ln -s /etc/tunnels/a/tunnel /etc/tunnels/link
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
	exits 0 $handler apply --all
	untroubled
	standing=$(snapshot)
	chmod 777 /etc/tunnels/a
	exits 1 $handler apply sixxs0
	told "^daemon.err $own: a symbolic link is not followed where others can write to a folder on its way, or own it$"
	chmod 755 /etc/tunnels/a
	chown 1234 /etc/tunnels
	exits 1 $handler apply sixxs0
	assert_same "$standing" "$(snapshot)"
	rm -r /etc/tunnels
	exits 1 $handler apply sixxs0
	told "^daemon.err $own: a symbolic link that leads to no file: No such file or directory$"
	assert_same "$standing" "$(snapshot)"
}

@test "the other section of the file is wrong: no harm" {
	{
		section sixxs0 1
		printf '[sixxs1]\ntable = zero\n'
	} | drop_in any
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
}

# ---- claims -------------------------------------------------------------------------------

@test "a table that two sections of a file claim" {
	drop_in any <<-END
		[sixxs0]
		source = 2a02::1
		table = 200
		[sixxs1]
		source = 2a02::2
		table = 200
	END
	comes sixxs0
	comes sixxs1
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
	logged 1 '^daemon.err /etc/sixxs-route/conf.d/any.conf:6: table 200 belongs to \[sixxs0\] already, in line 1$'
	logged 1 '^daemon.err sixxs1: its section cannot be read'
}

@test "a source that two sections of a file claim" {
	drop_in any <<-END
		[sixxs0]
		source = 2a02::1/64
		table = 200
		[sixxs1]
		source = 2a02::2, 2a02::7/64
		table = 201
	END
	comes sixxs0
	comes sixxs1
	assert_same '16383: from 2a02::/64 lookup sixxs0 proto sixxs' "$(our_rules | grep -v '^16382: ')"
	logged 1 '^daemon.err /etc/sixxs-route/conf.d/any.conf:5: source 2a02::/64 belongs to \[sixxs0\] already, in line 1, at the same priority$'
}

@test "two sections of a file for one interface: two ways out" {
	{
		section_text one sixxs0 2a02::1 200
		section_text two sixxs0 2a02::2 201
	} | drop_in any
	comes sixxs0
	assert_same "$(printf '16383: from 2a02::%d lookup %s proto sixxs\n' 1 one 2 two)" "$(our_rules)"
	untroubled
}

@test "a table that two files claim: apply --all tells, and the first has it" {
	section sixxs0 1 | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
	comes sixxs0
	comes sixxs1
	printf '[sixxs0]\nsource = 2a02::1\ntable = 201\n' | drop_in sixxs0
	log_restart
	exits 1 $handler apply --all
	logged 1 '^daemon.err /etc/sixxs-route/conf.d/sixxs1.conf:3: table 201 belongs to \[sixxs0\] already, in line 1 of sixxs0.conf$'
}

@test "a source that two files claim: apply --all tells" {
	section sixxs0 1 | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::1\ntable = 202\n' | drop_in sixxs1
	comes sixxs0
	log_restart
	exits 1 $handler apply --all
	logged 1 '^daemon.err /etc/sixxs-route/conf.d/sixxs1.conf:2: source 2a02::1 belongs to \[sixxs0\] already, in line 1 of sixxs0.conf, at the same priority$'
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
}

# ---- tables by name, and names of tables --------------------------------------------------

@test "a table by the name that iproute2 has for it" {
	names '0x12d	upstream'
	printf '[sixxs0]\nsource = 2a02::1\ntable = upstream\n' | drop_in sixxs0
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup upstream proto sixxs' "$(our_rules)"
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes 301)"
	untroubled
	exits 1 test -e /run/sixxs-route/rt_tables
}

@test "the largest table and the smallest" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 2147483647\n' | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::2\ntable = 1\n' | drop_in sixxs1
	comes sixxs0
	comes sixxs1
	assert_same "$(printf '16383: from 2a02::%d lookup sixxs%d proto sixxs\n' 1 0 2 1)" "$(our_rules)"
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes 2147483647)"
	assert_same 'default dev sixxs1 proto sixxs metric 2048 pref medium' "$(routes 1)"
}

@test "a name that iproute2 has for this very table stays its owner's" {
	names $'200\tsixxs0'
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup sixxs0 proto sixxs' "$(our_rules)"
	untroubled
	exits 1 test -e /run/sixxs-route/rt_tables
	tunnel_del sixxs0
	settle
	assert_same $'200\tsixxs0' "$(cat /etc/iproute2/rt_tables.d/admin.conf)"
	rm /etc/iproute2/rt_tables.d/admin.conf
}

@test "a name that iproute2 has for another table: a warning, and no name" {
	names '300 sixxs0'
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup 200 proto sixxs' "$(our_rules)"
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes 200)"
	told '^daemon.warn sixxs0: table 200 gets no name: iproute2 gives the name sixxs0 to table 300; '
	logged 0 '^daemon.err'
	exits 1 test -e /run/sixxs-route/rt_tables
}

@test "a table by a name that begins with a digit: it is that name" {
	echo '778 10vpn' >/etc/iproute2/rt_tables.d/zz.conf
	printf '[sixxs0]\nsource = 2a02::1\ntable = 10vpn\nwait = 0\n' | drop_in sixxs0
	tunnel_add sixxs0
	settle
	has '16383: from 2a02::1 lookup 10vpn proto sixxs' <<<"$(rules)"
	untroubled
	tunnel_del sixxs0
	settle
	rm /etc/iproute2/rt_tables.d/zz.conf
}

@test "a table that iproute2 calls something else: a warning, and no name" {
	names '200 upstream'
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup upstream proto sixxs' "$(our_rules)"
	told '^daemon.warn sixxs0: table 200 does not get the name sixxs0: iproute2 calls it upstream; '
	logged 0 '^daemon.err'
	exits 1 test -e /run/sixxs-route/rt_tables
}

@test "two tunnels want the same name: the second goes without" {
	{
		section sixxs0 1
		echo 'name = office'
	} | drop_in sixxs0
	{
		section sixxs1 2
		echo 'name = office'
	} | drop_in sixxs1
	comes sixxs0
	comes sixxs1
	assert_same $'16383: from 2a02::1 lookup office proto sixxs\n16383: from 2a02::2 lookup 202 proto sixxs' "$(our_rules)"
	told '^daemon.warn sixxs1: table 202 gets no name: another tunnel gave the name office to table 201; '
	tunnel_del sixxs0
	settle
	replay sixxs1
	assert_same '16383: from 2a02::2 lookup office proto sixxs' "$(our_rules)"
}

@test "an interface that is called as ip's own words: no name, and no harm" {
	{
		section_text one sixxs0 2a02::1 200
		printf '%s\n' '[main]' 'source = 2a02::2' 'table = 201'
	} | drop_in any
	tunnel_add main
	tunnel_up main
	exits 0 $handler apply main
	assert_same '16383: from 2a02::2 lookup 201 proto sixxs' "$(our_rules)"
	exits 1 test -e /run/sixxs-route/rt_tables
	exits 0 $handler remove main
}

@test "no iproute2 folder at all" {
	mv /etc/iproute2 /etc/iproute2.away
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	comes sixxs0
	assert_same '16383: from 2a02::1 lookup 200 proto 166' "$(rules | grep 2a02)"
	mv /etc/iproute2.away /etc/iproute2
	untroubled
}
