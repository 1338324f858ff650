/* SPDX-License-Identifier: MIT */
/*
 * What status says of one tunnel: its sections, each rule and route that is wanted or
 * there, each path. Pure: from the values of section, record and kernel state.
 */
#ifndef TUNNEL_STATUS_H
#define TUNNEL_STATUS_H

#include "kernel/kernel_state.h"
#include "status/path.h"

/* In rising order: that of a tunnel is the highest of its parts. */
enum state {
	STATE_OK,
	STATE_UNCONFIGURED, /* no section, and nothing is installed */
	STATE_ABSENT,       /* no link, and nothing is installed */
	STATE_NO_IPV6,      /* wanted of IPv6, which the kernel does not have */
	STATE_WAITING,      /* the link is down, and only its routes are not there */
	STATE_HELD,         /* by intent: as waiting, whatever the link says */
	STATE_NO_CARRIER,   /* all is there, and the link carries nothing */
	STATE_SILENT,       /* all is there, and nobody answers an echo */
	STATE_ASTRAY,       /* all is there, and still packets leave another way */
	STATE_MISSING,      /* wanted, and not there */
	STATE_STALE,        /* there, ours, and not wanted */
	STATE_CHANGED,      /* as an older drop-in had it: a replay was not done */
	STATE_UNKNOWN,
};

#define N_STATES (STATE_UNKNOWN + 1)

/* For people and programs. */
const char *state_name(enum state state);

enum state state_worse(enum state a, enum state b);

/* Anything from STATE_NO_CARRIER to STATE_CHANGED. */
bool state_is_drift(enum state state);

/* Whether apply can mend it: from STATE_MISSING to STATE_CHANGED. */
bool state_is_mendable(enum state state);

struct object_status {
	struct object object;
	enum state state;
	bool wanted, there;
	bool lost; /* on nobody's record: its tunnel's turn does not know it, the sweep does */
};

/* One of the tunnel's sections, and its table's name. */
struct section_status {
	struct section section;
	enum state name_state;
	bool name_unread; /* its line stands in our file, where ip(8) does not look */
};

enum section_state { SECTION_NONE, SECTION_FOUND, SECTION_UNKNOWN };

struct tunnel_status {
	char ifname[IFNAMSIZ];
	enum section_state section;
	bool clashes;      /* why it is SECTION_UNKNOWN: another section is first */
	size_t order;      /* in which it was found */
	size_t n_sections; /* with SECTION_FOUND at least 1, else 0 */
	struct section_status *sections;
	bool looked;        /* the following is so; else the kernel did not say */
	struct link link;   /* ifindex 0: absent */
	bool no_carrier;    /* it is up all the same */
	char vrf[IFNAMSIZ]; /* that the link is in; "": in none */
	uint32_t vrf_table;
	uint32_t vrf_rule; /* priority of the one that looks there before ours; 0: none */
	bool recorded;     /* it has a record */
	bool record_bad;   /* one that cannot be read: what was installed is not known */
	size_t n_items;
	struct object_status *item;
	size_t n_paths; /* one for each selector of a wanted rule */
	struct path *path;
	enum state state;
};

/* The link of that name, and what it is in. */
void tunnel_status_find_link(struct tunnel_status *status,
			     const struct kernel_state *kernel);

/*
 * Fills the items from the section, the link, the record and what there is. Returns 0 or
 * -ENOMEM.
 */
int tunnel_status_fill(struct tunnel_status *status, bool has_record,
		       const struct objects *recorded, const struct kernel_state *kernel);

/* Returns 0 or -ENOMEM. */
int tunnel_status_add_section(struct tunnel_status *status,
			      const struct section *section);

/* Whether something of ours that no record has must be this tunnel's. */
bool tunnel_status_owns(const struct tunnel_status *status, const struct object *object);

/*
 * Something of ours that is there, not wanted, and on nobody's record. Returns 0 or
 * -ENOMEM.
 */
int tunnel_status_add_lost(struct tunnel_status *status, const struct object *object);

/* Whether nothing is wanted for want of an address (source = auto). */
bool tunnel_status_waits_for_address(const struct tunnel_status *status);

void tunnel_status_free(struct tunnel_status *status);

#endif
