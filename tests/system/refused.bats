#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Bad text and untrusted files: refused with file and line, and what is installed stays.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

conf=/etc/sixxs-route/conf.d
file=$conf/sixxs0.conf
good='[sixxs0]\nsource = 2a02::1\ntable = 200\n'

# A tunnel that stands, by another text than any test has.
setup() {
	begin
	printf '[sixxs0]\nsource = 2a02::9, 192.0.2.9\ntable = 209\nwhen_down = unreachable\n' | drop_in sixxs0
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	standing=$(snapshot)
	log_restart
}

# What is unknown stays: so first the refused files go, then the link.
teardown() {
	chown 0 $conf
	chmod 755 $conf
	rm -rf ${conf:?}/*
	finish
}

# refused PATTERN: by every run, each of which says why; and nothing changes.
refused() {
	local lines
	exits 1 $handler apply sixxs0 2>/tmp/told &&
		exits 1 event change sixxs0 "$(ifindex sixxs0)" &&
		exits 1 $handler apply --all 2>/dev/null &&
		assert_same "$standing" "$(snapshot)" || return
	lines=$(log_lines)
	: >$messages
	says "$1" 3 &&
		says 'sixxs0: its section cannot be read: nothing was changed; .*: sixxs-route apply' 3 &&
		grep -qE -- "^sixxs-route: $1" /tmp/told &&
		grep -q "^daemon.warn not all of $conf is good: orphaned rules and routes stay; " <<<"$lines" &&
		! grep -q ':0: ' <<<"$lines" && return
	printf '%s: not told, but:\n%s\n' "$1" "$lines" >&2
	return 1
}

says() { [ "$(grep -cE -- "^daemon.err $1" <<<"$lines")" -ge "$2" ]; }

# refuses LINE PATTERN TEXT: a drop-in of this text (as for printf %b).
refuses() {
	printf '%b' "$3" | drop_in sixxs0
	refused "$file:$1: .*($2)" && return
	printf 'line %s, %s, of: %s\n' "$@" >&2
	return 1
}

# refuses_whole TEXT PATTERN: no line of it is wrong.
refuses_whole() {
	printf '%b' "$1" | drop_in sixxs0
	exits 1 $handler apply sixxs0 2>/tmp/told &&
		exits 1 event change sixxs0 "$(ifindex sixxs0)" &&
		exits 1 $handler apply --all 2>/dev/null &&
		assert_same "$standing" "$(snapshot)" &&
		grep -qE -- "^sixxs-route: $file: $2" /tmp/told
}

@test "sections" {
	refuses 1 'not closed' '[sixxs0\n'
	refuses 4 'not closed' "${good}[sixxs1\n"
	refuses 1 'behind' '[sixxs0] ; text\nsource = 2a02::1\ntable = 200\n'
	refuses 1 'behind' '[sixxs0]x]\nsource = 2a02::1\ntable = 200\n'
	refuses 1 'behind' '[sixxs0]source=2a02::1]\ntable = 200\n'
	refuses 4 'without a name' "${good}[]\ntable = 201\n"
	refuses 1 'may hold only' '[sixxs0:b]\nc = 1\n'
	refuses 4 'may hold only' "${good}[six xs]\n"
	refuses 4 'may hold only' "${good}[sixxs\xc3\xa9]\n"
	refuses 4 'may hold only' "${good}[sixxs*]\n"
	refuses 4 'already' "${good}[sixxs0]\nmetric = 1\n"
	refuses 4 'already' "${good}[SixxS0]\nsource = 2a02::2\ntable = 201\n"
	refuses 1 'before the first section' "table = 200\n$good"
	refuses 1 'selects no packets' '[sixxs0]\ntable = 200\n'
	refuses 1 'has no table' '[sixxs0]\nsource = 2a02::1\n'
	refuses 1 'expected a name of at most' "[$(printf '%064d' 0)]\ninterface = sixxs0\nsource = 2a02::1\ntable = 200\n"
	refuses 1 'begins with' '[_x]\ninterface = sixxs0\nsource = 2a02::1\ntable = 200\n'
}

@test "keys" {
	refuses 4 'neither' "${good}x\n"
	refuses 4 'neither' "${good}x"
	refuses 4 'neither' "${good}metric\n"
	refuses 4 'no key' "${good}=7\n"
	refuses 4 'no key' "$good = 7\n"
	refuses 4 'may hold only' "${good}\"metric\" = 3\n"
	refuses 4 'may hold only' "${good}b:metric = 2\n"
	refuses 4 'may hold only' "${good}met ric = 2\n"
	refuses 4 'already' "${good}table = 201\n"
	refuses 4 'already' "${good}TABLE = 200\n"
	refuses 5 'already' "${good}mtu = \"1300\"\nmtu = 1400\n"
	refuses 4 'unknown key' "${good}sauce = 2a02::1\n"
	refuses 4 'unknown key' "${good}priorities = 7\n"
	refuses 6 'unknown key' "$good\n# text\nsauces=\n"
}

@test "values" {
	refuses 4 "second '='" "${good}metric == 7\n"
	refuses 4 "second '='" "${good}metric = = 7\n"
	refuses 4 'no blank before the comment' "${good}name = a;b\n"
	refuses 4 'no blank before the comment' "${good}name = a#b\n"
	refuses 4 'quote is not closed' "${good}name = \"office\n"
	refuses 4 'quote is not closed' "${good}name = 'office\n"
	refuses 4 'behind the quotes' "${good}name = \"office\" floor\n"
	refuses 4 'quote within' "${good}name = off\"ice\n"
	refuses 4 'backslash' "${good}name = off\\\\\\\\ice\n"
	refuses 4 'beyond ASCII' "${good}name = caf\xc3\xa9\n"
}

@test "bytes and lines" {
	refuses 1 'byte order mark' "\xef\xbb\xbf$good"
	refuses 4 'control byte \(0x00' "$good\0metric = 7\n"
	refuses 4 'control byte \(0x00' "${good}metric = 7\0\n"
	refuses 4 'control byte \(0x1b' "${good}name = a\x1b[31mb\n"
	refuses 4 'control byte \(0x1b' "$good# a\x1b[31mb\n"
	refuses 4 'control byte \(0x0c' "${good}name = a\f\n"
	refuses 4 'control byte \(0x0d' "${good}name = a\rb\n"
	refuses 4 'control byte \(0x7f' "${good}name = a\x7f\n"
	refuses 4 'backslash at the end' "$good# text \\\\\ntable = 201\n"
	refuses 4 'backslash at the end' "${good}metric = 7\\\\\n8\n"
	refuses 4 'backslash at the end' "${good}metric = 7\\\\"
	refuses 4 'backslash at the end' "${good}metric = 7\\\\\r\n"
	refuses 4 'longer than 1022' "$good#$(printf '%1022s' '')\n"
	refuses 4 'longer than 1022' "${good}name = $(printf '%02000d' 0)\n"
}

# value KEY VALUE: refused where it stands.
value() {
	case $1 in
	source) refuses 3 "$1 = .*expected " "[sixxs0]\ntable = 200\n$1 = $2\n" ;;
	table) refuses 3 "$1 = .*expected " "[sixxs0]\nsource = 2a02::1\n$1 = $2\n" ;;
	*) refuses 4 "$1 = .*expected " "$good$1 = $2\n" ;;
	esac
}

@test "numbers" {
	for text in '' 12abc 010 0x10 -1 +1 1.5 '1 2' 99999999999 18446744073709551617; do
		value metric "$text"
	done
	for text in 0 -1 200x 00 253 254 255 2147483648 4294967296 ''; do
		value table "$text"
	done
	for text in 0 32766 0x1; do value priority "$text"; done
	for text in 0 4294967295; do value metric "$text"; done
	for text in 0 67 65521 1279; do value mtu "$text"; done
	for text in -1 61 1s; do value wait "$text"; done
	refuses 4 'priority = 1: expected at least 2' "${good}priority = 1\nprefer_main = yes\n"
}

@test "words and names" {
	value table upstream
	value table main
	value table local
	for text in no-such UNREACHABLE yes ''; do value when_down "$text"; done
	for text in 1 YES true ''; do value prefer_main "$text"; done
	for text in main local default unspec all cache 1st 254 a/b 'a b' .a '' "$(printf 'a%063d' 0)"; do
		value name "$text"
	done
}

@test "interfaces" {
	# Nobody asks for a section of such a name, so all of the file is read for it.
	for name in 'a/b' "$(printf 'a%015d' 0)" .a -a 'a b' ''; do
		printf '[one]\ninterface = %s\nsource = 2a02::1\ntable = 200\n' "$name" | drop_in one
		exits 1 $handler apply --all 2>/tmp/told
		assert_same "$standing" "$(snapshot)"
		grep -qE "$conf/one.conf:2: interface = .*: expected an interface name" /tmp/told
	done
	printf '[longer-than-sixxs]\nsource = 2a02::1\ntable = 200\n' | drop_in one
	exits 1 $handler apply --all 2>/tmp/told
	grep -qE "$conf/one.conf:1: \[longer-than-sixxs\] is no name for an interface" /tmp/told
}

@test "sources and gateways" {
	for text in '' ::/0 0.0.0.0/0 2a02::1/0 2a02::1/129 192.0.2.1/33 2a02::1/ 2a02::1/08 2a02::1/-1 \
		256.1.1.1 192.0.2 2a02::g sixxs.net ff02::1 224.0.0.1 :: 0.0.0.0 2a02::1%sixxs0 \
		'2a02::1, 2a02::1' '2a02::1/64 2a02::2/64' '2a02::1,,2a02::2' '2a02::1,' ',2a02::1' \
		"$(for ((i = 1; i <= 65; i++)); do printf '2a02::%x ' $i; done)"; do
		value source "$text"
	done
	for text in '' fe80::1/64 fe80::g :: ff02::1 'fe80::1, fe80::2' 'fe80::1,'; do
		value gateway "$text"
	done
	refuses 4 'no source is IPv4' "${good}gateway = 192.0.2.1\n"
	refuses 3 'no source is IPv6' '[sixxs0]\nsource = 192.0.2.1\ngateway = fe80::1\ntable = 200\n'
}

@test "every complaint of a file is told, each with its line" {
	printf '[sixxs0]\nsource = x\ntable = y\nsauce = z\n' | drop_in sixxs0
	log_restart
	exits 1 $handler apply sixxs0
	for line in 2 3 4; do
		logged 1 "^daemon.err $file:$line: "
	done
}

@test "a foreign file of 5,000 unknown keys logs some tens of lines, and how many more" {
	# keys that no section has, and lines that are none
	for form in 'k&=&' 'k &=1'; do
		{
			echo '[sixxs0]'
			seq 5000 | sed "s/.*/$form/"
		} | drop_in sixxs0
		log_restart
		exits 1 $handler apply sixxs0 2>/tmp/told
		grep -qE "^sixxs-route: $file: 49[0-9]{2} more errors$" /tmp/told
		[ "$(wc -l </tmp/told)" -lt 40 ]
		[ "$(log_lines | wc -l)" -lt 40 ]
	done
}

@test "a hostile text reaches the log as plain ASCII" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = %%n%%s%%s\n\x1b]0;x\x07 = \xff\n' | drop_in sixxs0
	exits 1 $handler apply sixxs0 2>/tmp/told
	exits 1 grep -qP '[^\x20-\x7e]' /tmp/told
	told "^daemon.err $file:4: "
}

@test "so does a hostile name of a file" {
	printf '[sixxs0\n' >$conf/$'00\e[31m\nforged: \xff.conf'
	rm $file
	exits 1 $handler apply sixxs0 2>/tmp/told
	exits 1 grep -qP '[^\x20-\x7e]' /tmp/told
	told "^daemon.err $conf/00.x1b.31m.x0aforged: .xff.conf:1: the section's bracket is not closed"
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' >$conf/$'00\e[31m\nforged: \xff.conf'
	printf '[sixxs1]\nsource = 2a02::1\ntable = 201\n' | drop_in sixxs1
	exits 1 $handler apply --all 2>/tmp/told
	exits 1 grep -qP '[^\x20-\x7e]' /tmp/told
	told "^daemon.err $conf/sixxs1.conf:2: source 2a02::1 belongs to .sixxs0. already, in line 1 of 00.x1b.31m.x0a"
}

# ---- trust --------------------------------------------------------------------------------

refused_file() { refused "$file: .*($1)"; }
refused_folder() { refused "$conf: .*($1)"; }

@test "a file of another owner" {
	chown 1234 $file
	refused_file 'owned by uid 1234'
}

@test "a file that others may write" {
	for mode in 0664 0646 0666 0777; do
		chmod $mode $file
		refused_file "mode $mode"
	done
}

@test "a symbolic link whose way is not root's, or that leads nowhere" {
	mv $file /tmp/elsewhere.conf
	ln -s /tmp/elsewhere.conf $file
	refused_file 'symbolic link is not followed where others can write'
	rm /tmp/elsewhere.conf
	refused_file 'symbolic link'
	mkdir /etc/theirs
	chown 1234 /etc/theirs
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' >/etc/theirs/sixxs0.conf
	ln -sf /etc/theirs/sixxs0.conf $file
	refused_file 'symbolic link is not followed where others can write'
	chown 0 /etc/theirs
	rm /etc/theirs/sixxs0.conf
	refused_file 'symbolic link that leads to no file'
	rmdir /etc/theirs
}

@test "a file without a section for its interface" {
	refuses_whole '' 'there is no section for sixxs0 in it'
	refuses_whole '# text\n' 'there is no section for sixxs0 in it'
	refuses_whole '[sixxs1]\nsource = 2a02::1\ntable = 200\n' 'there is no section for sixxs0 in it'
}

@test "a FIFO, a socket, a device, a folder" {
	rm $file
	mkfifo $file
	refused_file 'not a regular file'
	rm $file
	mknod $file c 1 5
	refused_file 'not a regular file'
	rm $file
	mkdir $file
	refused_file 'not a regular file'
	rmdir $file
	socat UNIX-LISTEN:$file,mode=600 /dev/null 3>&- &
	wait_until 10 test -S $file
	refused_file 'cannot be opened|not a regular file'
	kill $!
}

@test "a file of more than 64 KiB" {
	printf '%b' "$good" >$file
	printf '#%127s\n' '' | awk '{ for (i = 0; i < 512; i++) print }' >>$file
	refused_file 'expected at most 65536'
}

@test "a folder of another owner, or that others may write" {
	chown 1234 $conf
	refused_folder 'owned by uid 1234'
	chown 0 $conf
	for mode in 0775 0757 1777; do
		chmod $mode $conf
		refused_folder "mode $mode"
	done
}

@test "a folder that is a symbolic link, or none at all" {
	mv $conf /tmp/conf.d
	ln -s /tmp/conf.d $conf
	refused_folder 'cannot be opened'
	rm $conf
	touch $conf
	refused_folder 'cannot be opened'
	rm $conf
	mv /tmp/conf.d $conf
}

@test "a refused file does not hinder the removal" {
	chmod 666 $file
	tunnel_del sixxs0
	settle
	assert_same "$baseline" "$(snapshot)"
}

@test "nor does it bring a tunnel that comes now anything" {
	tunnel_del sixxs0
	settle
	chmod 666 $file
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	assert_same "$baseline" "$(snapshot)"
	told "^daemon.err $file: mode 0666"
}
