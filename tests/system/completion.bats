#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Bash completion, asked as bash itself asks it.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

completion=/usr/share/bash-completion/completions/sixxs-route

setup_file() {
	install_handler
}

setup() {
	# shellcheck source=../../handler/dist/sixxs-route.bash
	. $completion
}

teardown() {
	rm -rf /etc/sixxs-route/conf.d/* /tmp/confs
}

# offers WORD...: what is offered for the last of these words, in byte order, on one line.
offers() {
	local name function
	read -r _ _ function name <<<"$(complete -p sixxs-route)"
	[ "$name" = sixxs-route ]
	COMP_WORDS=(sixxs-route "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	$function sixxs-route "${*: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | paste -sd' '
}

@test "the verbs are those that the program has for people" {
	local verbs
	verbs=$(sixxs-route --help | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' | grep -vx udev | LC_ALL=C sort | paste -sd' ')
	[ "$verbs" != "" ]
	assert_same "$verbs" "$(offers '')"
	[ "$(offers st)" = status ]
	[ "$(offers udev)" = "" ]
}

@test "the options are those that the program has, each where it is taken" {
	local options verb option value all
	options=$(sixxs-route --help | grep -o '^ .\{5\}--[a-z-]*\|^  -., --[a-z-]*\|^  *[a-z]* \[--[a-z]*' | grep -o -e '--.*')
	all=$(for verb in '' $(offers ''); do offers "$verb" -- | tr ' ' '\n'; done | LC_ALL=C sort -u)
	assert_same "$(LC_ALL=C sort -u <<<"$options")" "$all"
	for verb in $(offers '') udev; do
		for option in --all --dry-run --for --json --ping --probe --wait; do
			value=()
			[[ $option != --p* ]] || value=(2001:db8::1)
			[ $option != --for ] || value=(60)
			# no such interface or file can be, and no event is given: nothing is done
			run sixxs-route "$verb" $option "${value[@]}" /no/such
			[ "$status" != 0 ]
			case " $(offers "$verb" -) " in
			*" $option "*) [[ $output != *"$verb takes no $option"* ]] ;;
			*) [[ $output == *"$verb takes no $option"* ]] ;;
			esac
		done
	done
	[[ " $(offers guard --w) " == *" --wait "* ]]
	[[ " $(offers apply --w) " != *" --wait "* ]]
	[[ " $(offers status --) " != *" --all "* ]]
}

@test "interfaces are those of conf.d, by either key" {
	cp conf.d/{sixxs0,sixxs1,routed-prefix}.conf /etc/sixxs-route/conf.d
	cp conf.d/sixxs0.conf /etc/sixxs-route/conf.d/unread.example
	[ "$(offers apply '')" = "SixxsOffice sixxs0 sixxs1" ]
	[ "$(offers guard --wait s)" = "sixxs0 sixxs1" ]
	[ "$(offers remove S)" = SixxsOffice ]
	[ "$(offers status --json sixxs0 sixxs)" = sixxs1 ]
	[ "$(offers watch '')" = "" ]
}

@test "--conf-dir is followed" {
	mkdir -p "/tmp/confs/a b=*"
	printf '[x]\nInterface = "wg0" ; mine\r\n[y.1]\nsource = 1\n[z]\ninterface=he-z# x\n' >"/tmp/confs/a b=*/x.conf"
	[ "$(offers --conf-dir "/tmp/confs/a b=*" apply '')" = "wg0 y.1" ]
	[ "$(offers --conf-dir = "/tmp/confs/a b=*" apply w)" = wg0 ]
	cd /tmp/confs
	[ "$(offers --conf-dir "a b=*" apply w)" = wg0 ]
	[ "$(offers --conf-dir /tmp/con)" = /tmp/confs ]
	[ "$(offers --conf-dir = /tmp/con)" = /tmp/confs ]
	[ "$(offers --run-dir /tmp/con)" = /tmp/confs ]
	[ "$(offers --run-dir /tmp status --probe '')" = "" ]
}

@test "check takes files" {
	mkdir /tmp/confs
	touch /tmp/confs/a.conf /tmp/confs/b
	[ "$(offers check /tmp/confs/)" = "/tmp/confs/a.conf /tmp/confs/b" ]
}

@test "nothing that stands in a file is run or expanded" {
	cat >/etc/sixxs-route/conf.d/bad.conf <<-'E'
		[$(touch /tmp/ran)]
		[`touch /tmp/ran`]
		[a;touch /tmp/ran]
		[*]
		[~root]
		[x]
		interface = $(touch /tmp/ran)
		[$HOME]
		[waytoolongforaname]
		[-f]
		[good]
	E
	[ "$(offers apply '')" = good ]
	[ ! -e /tmp/ran ]
}

@test "no folder, no file, no section: nothing is offered, nothing is said" {
	run offers apply ''
	[ "$status" = 0 ]
	[ "$output" = "" ]
	run offers --conf-dir /nonexistent apply ''
	[ "$output" = "" ]
	mkdir /etc/sixxs-route/conf.d/folder.conf
	touch /etc/sixxs-route/conf.d/empty.conf
	run offers apply ''
	[ "$output" = "" ]
}

# typed TEXT: the line that a bash of its own has after TEXT and a tab.
typed() {
	local out=/tmp/typed
	rm -rf $out && mkdir $out && mkfifo $out/keys && : >$out/screen
	cat >$out/rc <<-E
		. $completion
		bind -x '"\C-xp": printf "%s|\n" "\$READLINE_LINE" >$out/line'
		PS1='READY> '
	E
	script -qec "bash --noprofile --rcfile $out/rc -i" /dev/null <$out/keys >$out/screen 3>&- &
	exec 9>$out/keys
	wait_until 10 grep -q READY $out/screen
	printf '%s\t\030p' "$1" >&9
	wait_until 10 test -s $out/line
	printf '\025exit\n' >&9
	exec 9>&-
	wait
	cat $out/line
}

# line WANTED TEXT
line() { assert_same "sixxs-route $1|" "$(typed "sixxs-route $2")"; }

# shellcheck disable=SC2016 # names as they are typed
@test "a real bash: folders and files of any name, quoted in any way; of links, those that can be served" {
	local folder link
	command -v script >/dev/null || skip "no script(1)"
	for folder in 'a b' "x'y" "\$(touch ran)" 'st*r' 'b!g'; do
		mkdir -p "/tmp/confs/$folder"
		printf '[wg0]\n[eth0@if5]\n[tun!x]\n[f\303\274n]\n["q"]\n[vlan.5]\n' >"/tmp/confs/$folder/-o ünï (1).conf"
	done
	line '--conf-dir /tmp/confs/a\ b/' '--conf-dir /tmp/confs/a'
	line '--conf-dir /tmp/confs/\$\(touch\ ran\)/' '--conf-dir /tmp/confs/\$'
	for folder in 'a\ b' '"a b"' "'a b'" 'a" "b' "x\\'y" "\"x'y\"" "'\$(touch ran)'" '"\$(touch ran)"' 'st\*r' "'b!g'"; do
		line "--conf-dir /tmp/confs/$folder apply wg0 " "--conf-dir /tmp/confs/$folder apply w"
		line "--conf-dir=/tmp/confs/$folder apply vlan.5 " "--conf-dir=/tmp/confs/$folder apply v"
	done
	line '--conf-dir ~/../tmp/confs/a\ b apply wg0 ' '--conf-dir ~/../tmp/confs/a\ b apply w'
	line '--conf-dir /tmp/confs/a\ b apply e' '--conf-dir /tmp/confs/a\ b apply e'
	line 'check /tmp/confs/a\ b/-o\ ünï\ \(1\).conf ' 'check /tmp/confs/a\ b/'
	for link in 'a$(id)' 'a;id' "q'uo" 'st*r' vlan.5; do
		ip tuntap add dev "$link" mode tun
	done
	line 'suggest vlan.5 ' 'suggest v'
	for link in a q s; do
		line "suggest $link" "suggest $link"
	done
	for link in 'a$(id)' 'a;id' "q'uo" 'st*r' vlan.5; do
		ip link del dev "$link"
	done
	[ ! -e ran ] && [ ! -e ~/ran ] && [ ! -e /tmp/confs/ran ]
}

@test "bash-completion finds it" {
	[ -e /usr/share/bash-completion/bash_completion ] || skip "bash-completion is not installed"
	run bash -c '. /usr/share/bash-completion/bash_completion
		_completion_loader sixxs-route
		complete -p sixxs-route'
	[[ $output == *"_sixxs_route sixxs-route"* ]]
}

# Built aside, once for the two tests that have it built for these places, and no better than they need.
built=(BUILD=/tmp/build CFLAGS=-O0 SYSCONFDIR=/special/SYSCONFDIR IPROUTE2DIR=/special/IPROUTE2DIR
	RUNDIR=/special/RUNDIR)

@test "installed elsewhere it looks there, and the manuals name no other place; uninstalled it is gone" {
	local page text path places=("${built[@]}" DESTDIR=/tmp/dest PREFIX=/opt/x)
	make -s -j2 install "${places[@]}" >&2
	grep -q '/special/SYSCONFDIR/sixxs-route/conf.d' /tmp/dest/opt/x/share/bash-completion/completions/sixxs-route
	for page in man5/sixxs-route.conf.5 man8/sixxs-route.8; do
		text=$(cat /tmp/dest/opt/x/share/man/$page)
		# but others' files, and other systems' places
		run grep -nE '(^|[^a-z])/(usr|etc|run)/' <<<"$(sed 's|/etc/udev/rules.d/90-tunnels||; s|/etc/netns/||; s|/etc/passwd||
			s|/etc/systemd/networkd.conf.d||; /^\.It \(Fedora\|Arch\) /d' <<<"$text")"
		[ "$output" = "" ]
		# what the page says is there is there
		while read -r path; do
			[ -e "/tmp/dest$path" ] || [ -L "/tmp/dest$path" ]
		done < <(grep -oE '/(opt|special)/[A-Za-z0-9_./-]*[A-Za-z]' <<<"$text" | grep -v '^/special/RUNDIR')
	done
	[[ $text == *"ExecStartPre=/opt/x/sbin/sixxs-route guard"* ]]
	make -s uninstall "${places[@]}"
	run find /tmp/dest -type f -o -type l
	[ "$output" = "" ]
	rm -rf /tmp/dest
}

@test "each variable that the manual names says where something goes, and what names the place follows it" {
	local variables variable places=("${built[@]}") dest=/tmp/dest/special
	variables=$(sed -n 's/^\.Ev PREFIX , \(.*\)/\1 DESTDIR/p' "$repo/handler/dist/sixxs-route.8" | tr -d ,)
	[ "$(wc -w <<<"$variables")" -eq 9 ]
	for variable in $variables; do
		places+=("$variable=/special/$variable")
	done
	places+=("DESTDIR=$dest")
	make -s -j2 install "${places[@]}" >&2
	for variable in ${variables/DESTDIR/}; do # of RUNDIR no file is there
		[ "$variable" = RUNDIR ] || [ -n "$(find "$dest/special/$variable" -type f)" ]
	done
	[ -z "$(find $dest -type f ! -path "$dest/special/*")" ]
	[ "$(readlink $dest/special/IPROUTE2DIR/rt_tables.d/sixxs-route.conf)" = /special/RUNDIR/rt_tables ]
	$dest/special/SBINDIR/sixxs-route --help | grep -F '(/special/RUNDIR)'
	$dest/special/SBINDIR/sixxs-route --help | grep -F '(/special/SYSCONFDIR/sixxs-route/conf.d)'
	grep -F 'BindPaths=-/special/RUNDIR' $dest/special/UNITDIR/sixxs-route.service
	grep -F 'ExecStart=/special/SBINDIR/sixxs-route watch' $dest/special/UNITDIR/sixxs-route.service
	grep -F 'RUN+="/special/SBINDIR/sixxs-route udev"' $dest/special/UDEVRULESDIR/99-tunnel-sixxs.rules
	grep -F 'TEST=="/special/SYSCONFDIR/sixxs-route/conf.d/' $dest/special/UDEVRULESDIR/99-tunnel-sixxs.rules
	grep -F '/special/SYSCONFDIR/sixxs-route/conf.d' $dest/special/BASHCOMPDIR/sixxs-route
	grep -F '/special/UNITDIR/sixxs-route.service' $dest/special/MANDIR/man8/sixxs-route.8
	make -s uninstall "${places[@]}" >&2
	run find $dest -type f -o -type l
	[ "$output" = "" ]
	rm -rf /tmp/dest /tmp/build
}

@test "what the manual and the README say of other systems is a place that make takes" {
	local setting page=$repo/handler/dist/sixxs-route.8
	while read -r _ setting; do
		grep -qF "$setting" "$repo/README.md"
		make -s install DESTDIR=/tmp/dest "$setting" >&2
		[ -n "$(find "/tmp/dest${setting#*=}" -type f -name '*sixxs*')" ]
		make -s uninstall DESTDIR=/tmp/dest "$setting" >&2
		run find /tmp/dest -type f -o -type l
		[ "$output" = "" ]
		rm -rf /tmp/dest
	done < <(sed -nE 's/^\.It ([A-Z][A-Za-z]*) Ta .*\b([A-Z]+DIR=[^ ,]+).*/\1 \2/p' "$page")
	[ "$(grep -cE '^\.It (Arch|Alpine) Ta .*DIR=' "$page")" -eq 2 ]
}
