#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# boots: reboot cut cut
#
# The whole machine starts again, in order and by power cuts, with 6in4 tunnels that a unit makes at boot.

setup() {
	# shellcheck source=lib.bash
	. "$BATS_TEST_DIRNAME/lib.bash"
	log_restart
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 60 --no-pager -o short-precise >&2
}

# All is as the drop-ins say, and packets take the way both ways.
all_well() {
	wait_until 30 stand 0 1
	pings_both_ways 0 1
	[ "$(rules | grep -c 'proto sixxs$')" -eq 3 ]
	exits 0 sixxs-route status
	sixxs-route check
	[ "$(cd "$dropins" && echo *.conf)" = 'gone.conf sixxs0.conf sixxs1.conf' ]
}

@test "boot 1: installed as an administrator does" {
	install_here
	drop_ins
	printf '[gone]\nsource = 2a02::9\ntable = 209\nwhen_gone = unreachable\n' | drop_in gone
	systemctl enable sixxs-route-boot.service
	cat >/etc/systemd/system/tunnels.service <<-END
		[Unit]
		After=network.target

		[Service]
		Type=oneshot
		RemainAfterExit=yes
		Environment=SLOW=$SLOW
		ExecStart=bash -c '. $repo/tests/kernel/lib.bash; topology_up && far_ends_up && for n in 0 1; do far_start sit \$n && client_start sit \$n || exit; done'

		[Install]
		WantedBy=multi-user.target
	END
	systemctl daemon-reload
	systemctl enable --now tunnels.service
	sixxs-route apply --all
	all_well
}

@test "boot 2: after a reboot in order all is there" {
	systemctl is-active tunnels.service
	all_well
	[ -z "$(journalctl -b -q -t sixxs-route -p err -o cat)" ]
}

@test "boot 2: while a tunnel comes and goes, the power is cut" {
	systemd-run --unit=churn bash -c ". $repo/tests/kernel/lib.bash; while :; do client_stop sit 0; client_start sit 0; done"
	wait_until 60 eval '! rules | grep -q "from 2a02::1 "'
	wait_until 60 eval 'rules | grep -q "from 2a02::1 "'
}

@test "boot 3: after the cut all is there, and nothing is left of before" {
	systemctl is-active tunnels.service
	all_well
	[ "$(left_in /run/sixxs-route -name '*.record' -printf '%f\n' | sort | paste -sd' ')" = 'gone.record sixxs0.record sixxs1.record' ]
}

@test "boot 3: a drop-in that is being written over and over, as the power is cut" {
	systemd-run --unit=edits bash -c "SLOW=$SLOW; . $repo/tests/kernel/lib.bash; while :; do drop_ins; sixxs-route apply sixxs0 sixxs1; done"
	wait_until 60 systemctl is-active edits.service
	sleep 2
}

@test "boot 4: after that one, too: what is there is what the drop-ins say, and none is wrong" {
	systemctl is-active tunnels.service
	exits 0 sixxs-route check
	wait_until 30 stand 0 1
	pings_both_ways 0 1
	exits 0 sixxs-route status
	ip link del sixxs0
	ip link del sixxs1
	settle
	sixxs-route remove gone
	[ "$(rules | grep -c 'proto sixxs$')" -eq 0 ]
	[ -z "$(left_in /run/sixxs-route)" ]
}
