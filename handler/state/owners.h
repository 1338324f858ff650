/* SPDX-License-Identifier: MIT */
/*
 * Which tunnel wanted an object last: RUN_DIR/owners/OBJECT, a symbolic link whose text is
 * the interface's name. A table that tunnels share has a folder with such a link for each
 * of them instead, and they are also those of its shared rule. An object may stand on two
 * records, when drop-ins change or a link is renamed; its owner alone may delete it. All but
 * the look-ups are called under the lock.
 */
#ifndef OWNERS_H
#define OWNERS_H

#include "routing/object.h"
#include "state/run_dir.h"

#include <net/if.h>
#include <stdbool.h>

/*
 * Returns 1 with *ret, the owner's interface; 0: nobody, also if it is not on the owner's
 * record (*ret is empty if what is asked for as one's own has not even a former owner);
 * -EISDIR or -ENOTDIR: others share what is asked for as one's own, or another has for
 * itself what is asked for as shared; -errno. Of what is shared: another than IFNAME, if
 * there is one.
 */
int owners_get(int runfd, const struct object *object, const char *ifname,
	       char ret[static IFNAMSIZ]);

/*
 * Each tunnel that has a share in it, and has it on its record, in no order: see
 * run_dir_each. What one has for itself has none.
 */
int owners_each_sharer(int runfd, const struct object *object, run_dir_fn *fn,
		       void *data);

/*
 * The first owners of a run folder. UNOWNED: what counts as having had one, for whoever
 * wants it next. Returns 0 or -errno.
 */
int owners_begin(int runfd, const struct objects *unowned);

/*
 * IFNAME wants it from now on; owners_get has named no conflict. Returns 1: there was an
 * owner, of whatever kind; 0: there was none; -ENOENT: nothing has begun; -errno.
 */
int owners_set(int runfd, const struct object *object, const char *ifname);

/*
 * Whether it has a folder, so that whoever wants it next joins others; not, where that
 * cannot be seen.
 */
bool owners_is_shared(int runfd, const struct object *object);

/* IFNAME, whose it is, no longer needs it. Returns 0 or -errno. */
int owners_clear(int runfd, const struct object *object, const char *ifname);

/*
 * Takes away the links of objects that no record has by IS_RECORDED, those to tunnels
 * without a record, the shares that are not on their tunnel's, and a beginning that was cut
 * short. Returns 0 or -errno.
 */
typedef bool owners_fn(const void *data, const struct object *object);
int owners_tidy(int runfd, owners_fn *is_recorded, const void *data);

#endif
