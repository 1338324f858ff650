# SPDX-License-Identifier: MIT
# make help lists the targets; each variable below may be set on the command line.

PREFIX       ?= /usr
SBINDIR      ?= $(PREFIX)/sbin
SYSCONFDIR   ?= /etc
UDEVRULESDIR ?= $(PREFIX)/lib/udev/rules.d
UNITDIR      ?= $(PREFIX)/lib/systemd/system
MANDIR       ?= $(PREFIX)/share/man
BASHCOMPDIR  ?= $(PREFIX)/share/bash-completion/completions
IPROUTE2DIR  ?= /etc/iproute2
RUNDIR       ?= /run/sixxs-route
DESTDIR      ?=

# -l:libiniparser.a saves an event some 6 % of its time, but misses that library's security fixes
INIPARSER    ?= -liniparser

CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wconversion
VERSION  := 0.1.0
BUILD    := build$(if $(SANITIZE),/sanitize)

CPPFLAGS += -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
            -DCONF_DIR='"$(SYSCONFDIR)/sixxs-route/conf.d"' -DRUN_DIR='"$(RUNDIR)"'
# fputs() of one text stays it: each function more that is used costs a start 600 instructions
WARNINGS += -fno-builtin-fputs
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2
# all symbols are bound before main, and then nothing can write to their addresses
LINKING  := -Wl,-z,now,-z,relro
ifdef SANITIZE
HARDEN   := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer
HELPER   := $(BUILD)/sanitize.o
endif
ALL_CFLAGS = -std=gnu11 -Ihandler $(WARNINGS) $(CFLAGS) $(HARDEN) $(EXTRA_CFLAGS)
# libc first: the loader then finds most symbols in the first library that it looks at
LIBS     := -lc -ludev -lmnl $(INIPARSER)
ifdef COVERAGE # set by tests/coverage
HARDEN     := -O0
INSTRUMENT := -fprofile-arcs -ftest-coverage -fprofile-update=atomic -fdata-sections \
              -fprofile-info-section=gcov_info
LIBS       += -Wl,-T,tests/coverage.ld -lgcov
HELPER     := $(BUILD)/coverage.o
endif

SOURCES  := $(wildcard handler/*.c handler/*/*.c)
# In one piece what an event runs, then what has large arrays, then all else: the kernel maps
# the program as it is used, and each place more costs an event some microseconds.
ROOMS    := guard config converge kernel lib netlink routing state
LARGE    := handler/lib/log.c handler/cmd/watch.c
EVENT    := handler/main.c $(addprefix handler/cmd/,options.c namespace.c udev.c uevent.c guard.c) \
            $(filter-out $(LARGE),$(foreach room,$(ROOMS),$(filter handler/$(room)/%,$(SOURCES))))
ORDERED  := $(EVENT) $(LARGE) $(filter-out $(EVENT) $(LARGE),$(SOURCES))
OBJECTS  := $(ORDERED:handler/%.c=$(BUILD)/%.o)
# what the unit tests and the fuzz targets link: all but main
PARTS    := $(filter-out $(BUILD)/main.o,$(OBJECTS))
UNITS    := $(patsubst tests/unit/%.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))

PROGRAM  := $(BUILD)/sixxs-route
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2);)

all: $(PROGRAM) ## build the program (default)

$(PROGRAM): $(OBJECTS) $(HELPER)
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(LINKING) $(LDFLAGS) -o $@ $^ $(LIBS)

# Written anew when the flags, and so the built-in paths, are others than last time.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CPPFLAGS) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CPPFLAGS) $(ALL_CFLAGS)' >$@

$(BUILD)/%.o: handler/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(INSTRUMENT) -MMD -MP -c -o $@ $<

$(BUILD)/sanitize.o $(BUILD)/coverage.o: $(BUILD)/%.o: tests/%.c $(BUILD)/flags
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/test_%: tests/unit/test_%.c $(PARTS) $(HELPER)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(PARTS) \
	    $(HELPER) -lcmocka $(LIBS)

FUZZ_CFLAGS := -std=gnu11 -Ihandler -gline-tables-only -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
               -Wall -Wextra -Werror=incompatible-pointer-types

build/fuzz/%.o: handler/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CLANG,$<)clang $(CPPFLAGS) $(FUZZ_CFLAGS) \
	    -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

# the parsers, and the rooms that they stand on
FUZZED := $(wildcard handler/lib/*.c handler/config/*.c handler/routing/*.c handler/state/*.c \
          handler/netlink/*.c handler/kernel/*.c) handler/cmd/uevent.c

# else make removes them after each target, and compiles them anew for the next
.SECONDARY: $(FUZZED:handler/%.c=build/fuzz/%.o)

build/fuzz/%: tests/fuzz/%.c $(FUZZED:handler/%.c=build/fuzz/%.o)
	$(call say,CLANG,$<)clang $(CPPFLAGS) $(FUZZ_CFLAGS) \
	    -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d build/fuzz/*.d build/fuzz/*/*.d)

PAGES := man8/sixxs-route.8 man5/sixxs-route.conf.5

# $(call fill,FILE,DESTINATION): with the paths of this installation
fill = sed 's|/usr/sbin/sixxs-route|@SBINDIR@/sixxs-route|; s|@SBINDIR@|$(SBINDIR)|; \
           s|/etc/sixxs-route|$(SYSCONFDIR)/sixxs-route|; s|/etc/iproute2|$(IPROUTE2DIR)|; \
           s|/usr/lib/udev/rules\.d|$(UDEVRULESDIR)|; s|/usr/lib/systemd/system|$(UNITDIR)|; \
           s|/run/sixxs-route|$(RUNDIR)|; \
           $(MAKE_RUNDIR)' $(1) \
           >$(DESTDIR)$(2) && chmod 644 $(DESTDIR)$(2)

# The watcher's unit makes it: systemd itself, but only below /run.
MAKE_RUNDIR := $(if $(filter /run/%,$(RUNDIR)), \
    s|^RuntimeDirectory=.*|RuntimeDirectory=$(RUNDIR:/run/%=%)|, \
    s|^RuntimeDirectory=.*|ExecStartPre=+/bin/mkdir -p $(RUNDIR)|; s|^BindPaths=|&-|)

SERVICES := sixxs-route.service sixxs-route-boot.service

install: all ## install below DESTDIR
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(UDEVRULESDIR) $(DESTDIR)$(UNITDIR) \
	    $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 \
	    $(DESTDIR)$(SYSCONFDIR)/sixxs-route/conf.d \
	    $(DESTDIR)$(IPROUTE2DIR)/rt_protos.d $(DESTDIR)$(IPROUTE2DIR)/rt_tables.d
	install -m 755 $(PROGRAM) $(DESTDIR)$(SBINDIR)/sixxs-route
	$(call fill,rules.d/99-tunnel-sixxs.rules,$(UDEVRULESDIR)/99-tunnel-sixxs.rules)
	for unit in $(SERVICES); do $(call fill,handler/dist/$$unit,$(UNITDIR)/$$unit) || exit; done
	$(call fill,handler/dist/sixxs-route.bash,$(BASHCOMPDIR)/sixxs-route)
	for page in $(PAGES); do $(call fill,handler/dist/$${page#*/},$(MANDIR)/$$page) || exit; done
	for f in conf.d/*.conf; do install -m 644 $$f \
	    $(DESTDIR)$(SYSCONFDIR)/sixxs-route/$$f.example; done
	printf '166\tsixxs\n' >$(DESTDIR)$(IPROUTE2DIR)/rt_protos.d/sixxs-route.conf
	chmod 644 $(DESTDIR)$(IPROUTE2DIR)/rt_protos.d/sixxs-route.conf
	ln -sfn $(RUNDIR)/rt_tables $(DESTDIR)$(IPROUTE2DIR)/rt_tables.d/sixxs-route.conf

uninstall: ## remove what install installed; drop-ins stay
	rm -f $(DESTDIR)$(SBINDIR)/sixxs-route \
	    $(DESTDIR)$(UDEVRULESDIR)/99-tunnel-sixxs.rules \
	    $(SERVICES:%=$(DESTDIR)$(UNITDIR)/%) \
	    $(DESTDIR)$(BASHCOMPDIR)/sixxs-route \
	    $(PAGES:%=$(DESTDIR)$(MANDIR)/%) \
	    $(patsubst %,$(DESTDIR)$(SYSCONFDIR)/sixxs-route/%.example,$(wildcard conf.d/*.conf)) \
	    $(DESTDIR)$(IPROUTE2DIR)/rt_protos.d/sixxs-route.conf \
	    $(DESTDIR)$(IPROUTE2DIR)/rt_tables.d/sixxs-route.conf
	-rmdir $(DESTDIR)$(SYSCONFDIR)/sixxs-route/conf.d $(DESTDIR)$(SYSCONFDIR)/sixxs-route 2>/dev/null

DEB := build/deb/sixxs-route-$(VERSION)

deb: ## build the Debian package, into build/deb
	rm -rf build/deb
	mkdir -p $(DEB)
	cp -r LICENSE Makefile README.md conf.d handler rules.d tests $(DEB)
	mv $(DEB)/handler/dist/debian $(DEB)/debian
	cd $(DEB) && env -i PATH="$$PATH" LC_ALL=C.UTF-8 dpkg-buildpackage --no-sign --build=binary

check-package: ## build the package twice, check it, and try it on a booted machine (as root)
	tests/package/run

# JOBS=N: as many parts at a time as that, by default twice as many as there are processors
check: all ## run all tests, some at a time (as root; SANITIZE=1: with ASan and UBSan)
	@$(MAKE) --no-print-directory $(if $(findstring j,$(MAKEFLAGS)),,-j$$(nproc)) $(UNITS)
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/check $(BUILD)

check-clients: all ## try it with other people's tunnel clients and network managers (as root; CLIENTS='openvpn …')
	tests/clients/run $(CLIENTS)

check-debian13: ## run all tests on a bare Debian 13 (as root; needs debootstrap)
	tests/bare trixie check

# RELEASE=bookworm: kernel 6.1, RELEASE=trixie: 6.12; TESTS='FILE...': only those
check-kernel: ## run real tunnels and the system tests on Debian's own kernel (as root; hours)
	tests/kernel/run $(RELEASE) $(TESTS)

unit: all $(UNITS) ## run the unit tests
	tests/unit/run $(BUILD)

protocol: ## try the model of who owns what, the part that takes seconds
	tests/model/run

model: ## try all of it (minutes)
	tests/model/run all

memcheck: all $(UNITS) ## run the unit tests and each verb under valgrind
	tests/memcheck $(BUILD)

system: all ## run the system tests, on private machines
	BUILD=$(BUILD) tests/system/run $(TESTS)

FUZZ_SECONDS = $(if $(filter long,$(FUZZ)),60,3)

fuzz: ## fuzz each parser for a few seconds (FUZZ=long: a minute)
	tests/fuzz/run $(FUZZ_SECONDS)

faults: all ## kill and fail the program at a sample of its calls (FAULTS=all: all; SEED=N)
	tests/faults/run

coverage: ## say which branches no test reaches
	tests/coverage

# OUT=FOLDER: where the tables and plots go
OUT = build/bench

bench: all ## measure an event, the commands and the watcher, beside others and with 10,000 tunnels
	tests/bench/run $(OUT)

lint: ## check the sources' form, and analyse them
	tests/lint

print-cflags:
	@echo $(CPPFLAGS) $(ALL_CFLAGS)

demo: all ## see the story of the two tunnels work, on a private machine
	tests/system/machine tests/demo/demo

# Each by name: what builds and shows it, and what tests it.
DEPS_DEMO := gcc libc6-dev make pkg-config libudev-dev libmnl-dev libiniparser-dev \
             bash coreutils util-linux procps udev iproute2 iputils-ping socat nftables jq busybox
DEPS_SYSTEM := bats strace valgrind tcpdump curl openvpn systemd systemd-sysv dbus bash-completion \
             libcap2-bin netbase python3
DEPS_TEST := $(DEPS_SYSTEM) libcmocka-dev clang clang-format clang-tidy libclang-rt-dev cppcheck \
             shellcheck mandoc gcovr

# plots what "make bench" has measured
DEPS_BENCH := gnuplot-nox

# builds the Debian package, and checks it
DEPS_PACKAGE := build-essential debhelper lintian

# tests/clients
DEPS_CLIENTS := openvpn openssl wireguard-go wireguard-tools tinc fastd socat systemd network-manager \
                ifupdown isc-dhcp-client dnsmasq-base frr bird2

# runs virtual machines with Debian's kernels, and what those need beside the system tests'
DEPS_KERNEL  := qemu-system-x86 debootstrap e2fsprogs
DEPS_MACHINE := linux-image-amd64 kmod wireguard-tools

deps: ## install all packages that building, the demo and the tests need (Debian)
	@$(call install_packages,$(DEPS_DEMO) $(DEPS_TEST))

deps-bench: ## install what the plots of "make bench" need beside them
	@$(call install_packages,$(DEPS_BENCH))

deps-demo: ## install only those that building and the demo need
	@$(call install_packages,$(DEPS_DEMO))

deps-package: ## install what making and checking the Debian package needs beside them
	@$(call install_packages,$(DEPS_PACKAGE))

deps-clients: ## install the programs that check-clients tries it with
	@$(call install_packages,$(DEPS_CLIENTS))

deps-kernel: ## install what the tests on Debian's own kernels need beside them
	@$(call install_packages,$(DEPS_KERNEL))

deps-machine:
	@$(call install_packages,$(DEPS_DEMO) $(DEPS_SYSTEM) $(DEPS_MACHINE))

# Nothing is downloaded, or asked for, where all is there.
define install_packages
	dpkg-query -W -f '$${db:Status-Status}\n' $(1) 2>&1 | grep -qvx installed || exit 0; \
	apt-get -q update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $(1)
endef

format: ## lay out the C sources
	clang-format -i handler/*.[ch] handler/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch]

clean: ## remove what was built
	rm -rf build

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

FORCE:

.PHONY: FORCE all install uninstall check check-debian13 unit protocol model memcheck system \
        fuzz faults coverage bench lint print-cflags deb check-package demo deps deps-bench deps-demo \
        deps-package deps-clients check-clients check-kernel deps-kernel deps-machine format clean help
.DELETE_ON_ERROR:
