#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The two units at a boot of the real systemd, beside a /var/tmp that needs the network and units
# like cloud-init's: their order, their conditions, and what the watcher's sandbox leaves it.
# "tests/system/run tests/system/boot-units.bats"; ROOTFS: another Debian's root.

# shellcheck source=wait.bash
. "$BATS_TEST_DIRNAME/wait.bash"

teardown() {
	rm -rf /run/systemd/system/sixxs-route{,-boot}.service.d
	systemctl daemon-reload
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 40 --no-pager >&2
}

property() { systemctl show -P "$1" "$2"; }
pid() { property MainPID sixxs-route.service; }
refused() { ! "$@"; }
ruled() { ip -6 -N rule | grep -q 'proto 166'; }
active() { systemctl -q is-active "$1"; }
other() { active sixxs-route.service && [ "$(pid)" != "$1" ]; }
routed() { [ "$(ip -6 -N route show table 200 proto 166 2>/dev/null | wc -l)" -eq "$1" ]; }

# verify: what systemd finds in the order of a whole boot, fstab's mounts included.
verify() { systemd-analyze verify --man=no --generators=yes multi-user.target sixxs-route.service 2>&1; }

# drop_in UNIT SECTION LINE
drop_in() {
	mkdir -p "/run/systemd/system/$1.d"
	printf '[%s]\n%s\n' "$2" "$3" >"/run/systemd/system/$1.d/test.conf"
}

# jailed COMMAND...: in the watcher's view of the file system, with the capabilities that it has
jailed() {
	nsenter -t "$(pid)" -m setpriv --inh-caps=-all --bounding-set=-all,+net_admin "$@"
}

@test "the boot: both units ran, the one before network-pre.target, the other without a link" {
	[ "$(property ConditionResult sixxs-route-boot.service)" = yes ]
	[ "$(property Result sixxs-route-boot.service)" = success ]
	[ "$(property ExecMainExitTimestampMonotonic sixxs-route-boot.service)" -gt 0 ]
	[ "$(property ExecMainExitTimestampMonotonic sixxs-route-boot.service)" -lt "$(property ActiveEnterTimestampMonotonic network-pre.target)" ]
	[ ! -e /sys/class/net/sixxs0 ]
	active sixxs-route.service
	[ "$(property ActiveEnterTimestampMonotonic sixxs-route.service)" -lt "$(property ActiveEnterTimestampMonotonic network.target)" ]
	[ "$(property NRestarts sixxs-route.service)" -eq 0 ]
}

@test "the boot: the watcher's sandbox was not made in a /tmp that was just being emptied" {
	[ "$(property ActiveEnterTimestampMonotonic systemd-tmpfiles-setup.service)" -gt 0 ]
	[ "$(property ActiveEnterTimestampMonotonic systemd-tmpfiles-setup.service)" -le "$(property ExecMainStartTimestampMonotonic sixxs-route.service)" ]
}

@test "the boot: no job was dropped to break a cycle, and all that was beside them is there" {
	active network-pre.target
	active network.target
	active network-online.target
	active cloud.service
	active sysinit.target
	mountpoint -q /var/tmp
	run journalctl -b -q --no-pager -g 'ordering cycle|deleted to break'
	[ "$output" = "" ]
}

@test "verify: no cycle; with PrivateTmp=, or with the default dependencies, there is one" {
	run verify
	[ "$output" = "" ]
	drop_in sixxs-route.service Service PrivateTmp=yes
	run verify
	[[ $output == *"ordering cycle"*"sixxs-route.service/start"* && $output == *"var-tmp.mount/start"* ]]
	rm -r /run/systemd/system/sixxs-route.service.d
	drop_in sixxs-route-boot.service Unit DefaultDependencies=yes
	run verify
	[[ $output == *"ordering cycle"*"sixxs-route-boot.service/start"* ]]
}

@test "no unit of an administrator's mount is waited for" {
	local unit
	for unit in sixxs-route.service sixxs-route-boot.service; do
		run property After $unit
		[[ " $output " != *"var-tmp.mount"* && " $output " != *"remote-fs"* && " $output " == *" local-fs.target "* ]]
	done
	[ "$(property RequiresMountsFor sixxs-route.service)" = /run/sixxs-route ]
}

@test "where there is no drop-in nothing is run; where one is wrong, the watcher is all the same" {
	systemctl stop sixxs-route.service
	mv /etc/sixxs-route/conf.d/sixxs0.conf /etc/sixxs-route/sixxs0.kept
	ls /etc/sixxs-route/conf.d/*.example # which is none
	systemctl start sixxs-route-boot.service
	[ "$(property ConditionResult sixxs-route-boot.service)" = no ]
	refused active sixxs-route.service
	[ -z "$(systemctl list-jobs --no-legend)" ]
	echo '[' >/etc/sixxs-route/conf.d/sixxs0.conf
	run systemctl start sixxs-route-boot.service
	[ "$status" -ne 0 ]
	wait_until 10 active sixxs-route.service
	systemctl stop sixxs-route.service
	mv /etc/sixxs-route/sixxs0.kept /etc/sixxs-route/conf.d/sixxs0.conf
	systemctl start sixxs-route-boot.service
	[ "$(property ConditionResult sixxs-route-boot.service)" = yes ]
	wait_until 10 active sixxs-route.service
}

@test "the watcher serves a tunnel, its last one gone and come again, with the folder it began with" {
	local folder
	folder=$(stat -c %i /run/sixxs-route)
	for _ in 1 2 3; do
		ip tuntap add sixxs0 mode tun
		udevadm settle
		ip link set sixxs0 up
		wait_until 10 routed 1
		ip link set sixxs0 down
		wait_until 10 routed 0
		ip link set sixxs0 up
		wait_until 10 routed 1
		ip link del sixxs0
		udevadm settle
		refused ruled
	done
	[ "$(stat -c %i /run/sixxs-route)" = "$folder" ]
	[ "$(property NRestarts sixxs-route.service)" -eq 0 ]
}

@test "whatever ends the watcher, it comes back, and its folder stays" {
	local signal before folder
	folder=$(stat -c %i /run/sixxs-route)
	for signal in TERM INT KILL; do
		before=$(pid)
		kill -$signal "$before"
		wait_until 10 other "$before"
	done
	systemctl stop sixxs-route.service
	# it was told to: it is not only about to be started again
	[ "$(property ActiveState sixxs-route.service) $(property SubState sixxs-route.service)" = 'inactive dead' ]
	refused grep sixxs-route.service <<<"$(systemctl list-jobs --no-legend)"
	[ "$(stat -c '%i %U %a' /run/sixxs-route)" = "$folder root 755" ]
	systemctl start sixxs-route.service
	[ "$(stat -c %i /run/sixxs-route)" = "$folder" ]
}

@test "its sandbox: of the file system it writes its run folder, and nothing else" {
	local file
	mkdir -p /run/udev/rules.d /run/systemd/system
	for file in /run/udev/rules.d/50-x.rules /run/systemd/system/x.service /run/x /etc/x /etc/sixxs-route/conf.d/x.conf \
		/tmp/x /var/tmp/x /dev/shm/x /usr/sbin/x /var/lib/x; do
		touch "$file" && rm "$file" # anybody who is root
		run jailed touch "$file"
		[ "$status" -ne 0 ] && [ ! -e "$file" ]
	done
	jailed touch /run/sixxs-route/x
	rm /run/sixxs-route/x
	# and whatever else is there to be written to: /proc has no more than its own processes
	[ "$(awk '$6 ~ /^rw/ { print $5 }' "/proc/$(pid)/mountinfo" | sort -u | paste -sd' ')" = "/proc /run/sixxs-route" ]
	run jailed mount -o remount,bind,rw /run
	[ "$status" -ne 0 ]
}

@test "its sandbox: nobody there would do for it what it may not do itself" {
	[ -S /run/systemd/private ] && [ -S /run/udev/control ]
	run jailed find /run -type s -not -path '/run/systemd/journal/*' -not -path /run/systemd/notify
	[ "$output" = "" ]
	run jailed systemctl start network.target
	[ "$status" -ne 0 ]
}

@test "its sandbox: exposure under 2.0" {
	local score
	score=$(systemd-analyze security --no-pager sixxs-route.service | sed -nE 's/.*Overall exposure level.*: ([0-9.]+) .*/\1/p')
	echo "# systemd-analyze security: $score" >&3
	awk -v score="$score" 'BEGIN { exit !(score != "" && score < 2.0) }'
}

@test "what it says reaches the log, also after journald was restarted" {
	systemctl restart systemd-journald.service
	ip tuntap add sixxs0 mode tun
	udevadm settle
	ip link set sixxs0 up
	wait_until 10 routed 1
	said() { journalctl -b -q --no-pager -u sixxs-route.service -o cat | grep -q 'sixxs0: added 1 route'; }
	wait_until 10 said
	ip link del sixxs0
}
