#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# As boot-gone.bats, with systemd-networkd from the start of the boot and both ManageForeign settings
# off; it configures the uplink by which packets must not leave.

# shellcheck source=tests/system/boot-gone.bash
. "$BATS_TEST_DIRNAME/boot-gone.bash"

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 60 --no-pager >&2
}

sends_by_net0() { [ "$(passed net0 4 8998)" -gt 50 ] && [ "$(passed net0 6 8998)" -gt 50 ]; }

@test "the boot beside systemd-networkd: not one packet has left by the uplink that it configured" {
	active uplink.service
	active systemd-networkd.service
	[ "$(systemctl show -P ExecMainExitTimestampMonotonic sixxs-route-boot.service)" -lt \
		"$(systemctl show -P ExecMainStartTimestampMonotonic systemd-networkd.service)" ]
	# the control: by the routes that networkd has made
	wait_until 60 sends_by_net0
	ip route show default dev net0 | grep 'proto static'
	held
	sixxs-route status wg1
	run sixxs-route check
	[[ $output != *'systemd-networkd runs'* ]]
}

@test "a hundred restarts beside it, which configures its links again meanwhile: not one packet" {
	mark
	local i
	for i in {1..10}; do
		restarts 10
		networkctl reconfigure net9 net0
		[ $((i % 5)) -ne 0 ] || systemctl restart systemd-networkd.service
	done
	held
	sixxs-route status wg1
}
