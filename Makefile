# SPDX-License-Identifier: MIT
# make help lists the targets; each variable below may be set on the command line.

PREFIX       ?= /usr
SBINDIR      ?= $(PREFIX)/sbin
SYSCONFDIR   ?= /etc
UDEVRULESDIR ?= $(PREFIX)/lib/udev/rules.d
UNITDIR      ?= $(PREFIX)/lib/systemd/system
MANDIR       ?= $(PREFIX)/share/man
RUNDIR       ?= /run/sixxs-route
DESTDIR      ?=

CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wconversion
VERSION  := 0.1.0
BUILD    := build$(if $(SANITIZE),/sanitize)

CPPFLAGS += -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
            -DCONF_DIR='"$(SYSCONFDIR)/sixxs-route/conf.d"' -DRUN_DIR='"$(RUNDIR)"'
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifdef SANITIZE
HARDEN   := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer
endif
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CFLAGS) $(HARDEN) $(EXTRA_CFLAGS)
LIBS     := -ludev -lmnl -liniparser

SOURCES  := $(wildcard handler/*.c)
OBJECTS  := $(SOURCES:handler/%.c=$(BUILD)/%.o)
# what the unit tests and the fuzz targets link: all but main
PARTS    := $(filter-out $(BUILD)/main.o,$(OBJECTS))
UNITS    := $(patsubst tests/unit/%.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))

PROGRAM  := $(BUILD)/sixxs-route
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2);)

all: $(PROGRAM) ## build the program (default)

$(PROGRAM): $(OBJECTS)
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: handler/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/test_%: tests/unit/test_%.c $(PARTS)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Ihandler -MMD -MP -o $@ $< $(PARTS) \
	    -lcmocka $(LIBS)

-include $(wildcard $(BUILD)/*.d)

install: all ## install below DESTDIR
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(UDEVRULESDIR) \
	    $(DESTDIR)$(SYSCONFDIR)/sixxs-route/conf.d \
	    $(DESTDIR)$(SYSCONFDIR)/iproute2/rt_protos.d \
	    $(DESTDIR)$(SYSCONFDIR)/iproute2/rt_tables.d
	install -m 755 $(PROGRAM) $(DESTDIR)$(SBINDIR)/sixxs-route
	sed 's|@SBINDIR@|$(SBINDIR)|' rules.d/99-tunnel-sixxs.rules \
	    >$(DESTDIR)$(UDEVRULESDIR)/99-tunnel-sixxs.rules
	chmod 644 $(DESTDIR)$(UDEVRULESDIR)/99-tunnel-sixxs.rules
	for f in conf.d/*.conf; do install -m 644 $$f \
	    $(DESTDIR)$(SYSCONFDIR)/sixxs-route/$$f.example; done
	printf '166\tsixxs\n' >$(DESTDIR)$(SYSCONFDIR)/iproute2/rt_protos.d/sixxs-route.conf
	chmod 644 $(DESTDIR)$(SYSCONFDIR)/iproute2/rt_protos.d/sixxs-route.conf
	ln -sfn $(RUNDIR)/rt_tables $(DESTDIR)$(SYSCONFDIR)/iproute2/rt_tables.d/sixxs-route.conf

uninstall: ## remove what install installed; drop-ins stay
	rm -f $(DESTDIR)$(SBINDIR)/sixxs-route \
	    $(DESTDIR)$(UDEVRULESDIR)/99-tunnel-sixxs.rules \
	    $(patsubst %,$(DESTDIR)$(SYSCONFDIR)/sixxs-route/%.example,$(wildcard conf.d/*.conf)) \
	    $(DESTDIR)$(SYSCONFDIR)/iproute2/rt_protos.d/sixxs-route.conf \
	    $(DESTDIR)$(SYSCONFDIR)/iproute2/rt_tables.d/sixxs-route.conf
	-rmdir $(DESTDIR)$(SYSCONFDIR)/sixxs-route/conf.d $(DESTDIR)$(SYSCONFDIR)/sixxs-route 2>/dev/null

clean: ## remove what was built
	rm -rf build

.PHONY: all install uninstall clean
.DELETE_ON_ERROR:
