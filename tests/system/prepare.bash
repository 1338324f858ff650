# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For FILE.prepare, in the boot before the one in which FILE.bats runs; from the repository's folder.

# As an administrator does. Another root has other libraries, and is to be built in as well.
install_handler() {
	make -s install ${ROOTFS:+BUILD=/var/tmp/build} >&2 &&
		udevadm control --reload &&
		systemctl daemon-reload
}

# early_unit NAME COMMAND TARGET LINE...: NAME.service runs it once at each boot, wanted by TARGET and as
# early as these lines of [Unit] let it.
early_unit() {
	printf '%s\n' '[Unit]' DefaultDependencies=no "${@:4}" '[Service]' Type=oneshot RemainAfterExit=yes "ExecStart=$2" \
		'[Install]' "WantedBy=$3" >"/etc/systemd/system/$1.service" &&
		systemctl enable "$1.service"
}

# systemd-networkd runs from the start of the boot, told to leave others' rules and routes alone; the
# addresses of the uplink are its.
networkd_has_uplink() {
	mkdir -p /etc/systemd/networkd.conf.d /etc/systemd/network &&
		printf '%s\n' '[Network]' ManageForeignRoutingPolicyRules=no ManageForeignRoutes=no \
			>/etc/systemd/networkd.conf.d/foreign.conf &&
		printf '%s\n' '[Match]' Name=net0 '[Network]' Address=192.0.2.1/24 Address=2001::1/64 Gateway=192.0.2.2 \
			Gateway=2001::2 IPv6AcceptRA=no >/etc/systemd/network/net0.network &&
		systemctl enable systemd-networkd.service
}
