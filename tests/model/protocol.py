# SPDX-License-Identifier: MIT
"""One turn of the protocol: what handler/converge does for one name under the lock.

The state is what outlives a process: records, owners, kernel. Sets are bit masks.
  records[t]   the objects and tables on the record of name t (IFACE.record); 0: no file
  owners[k]    the owner of object or table k (owners/OBJECT): 0 nobody; t + 1 a link to
               t; negative: a folder of links (steer), minus the mask of the names in it
  kernel       our objects, and those of strangers
Drop-ins and links may be others at each turn, and so are no state (class Env).
"""
from collections import namedtuple

# fallback: 0 none, 1 when_down, 2 when_gone = unreachable; variant: gateway or metric
Section = namedtuple("Section", "source table main fallback variant steer")
UNKNOWN = "unknown"  # a drop-in that cannot be read


def bits(mask):
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class World:
    """The objects that there can be. metrics: variants of a route are metrics, not
    gateways. fault: the name of one planted fault, or none."""

    def __init__(self, names=2, sources=2, tables=2, links=2, variants=1, metrics=False,
                 main=False, fallbacks=(0,), sections=1, steer=False, strangers="",
                 fault="", **steps):
        self.n, self.sources, self.tables_n, self.links = names, sources, tables, links
        self.variants, self.metrics = variants, metrics
        self.mains, self.fallbacks = (False, True)[:main + 1], fallbacks
        self.sections, self.steers, self.fault = sections, steer, fault
        self.steps = steps  # what else may happen: see explore.py
        S, X, L = range(sources), range(tables), range(links)
        # in the order in which they are added
        self.objects = [("stop", x) for x in X]
        self.objects += [("route", l, x, v)
                         for l in L for x in X for v in range(variants)]
        if steer:
            self.objects += [("from", s, l, x) for s in S for l in L for x in X]
            self.objects += [("shared", x) for x in X]
        self.objects += [("main", s) for s in S] if main else []
        self.objects += [("rule", s, x) for s in S for x in X]
        self.keys = self.objects + [("table", x) for x in X]
        foreign = []
        if "narrow" in strangers:  # `from S to Y`: our protocol, our table, our priority
            foreign += [("narrow", s, x) for s in S for x in X]
        if "ahead" in strangers:  # `from S fwmark 1`, and it stands before ours
            foreign += [("ahead", s, x) for s in S for x in X]
        if "slot" in strangers:  # a default route in our table, of our metric
            foreign += [("default", x) for x in X]
        if "twin" in strangers:  # our rule with the protocol of others
            foreign += [("twin", s, x) for s in S for x in X]
        self.all = self.keys + foreign
        self.bit = {o: 1 << i for i, o in enumerate(self.all)}
        self.ours = (1 << len(self.objects)) - 1
        self.table_keys = self.mask(lambda o: o[0] == "table")
        self.foreign = self.mask(lambda o: o in foreign)
        self.routes = self.mask(lambda o: o[0] in ("route", "from"))
        self.rules = self.mask(lambda o: o[0] in ("rule", "main", "shared"))
        self.shared = self.mask(lambda o: o[0] == "shared")
        self.on_link = [self.mask(lambda o: (o[0] == "route" and o[1] == l)
                                  or (o[0] == "from" and o[2] == l)) for l in L]
        self.neighbours()
        self.empty = ((0,) * names, (0,) * len(self.keys), 0)

    def mask(self, test):
        return sum(b for o, b in self.bit.items() if test(o))

    def neighbours(self):
        """Of each object: its table, and what can be in its way, or it in theirs."""
        self.table_of = []
        self.slot = []  # ours that the kernel cannot have beside it
        self.others = []  # ours that must not stay in its table (steer: of its source)
        self.elsewhere = []  # those on another link
        self.blocker = []  # the stranger's that an add meets as EEXIST
        self.ahead = []  # the stranger's that a delete hits before ours
        self.twin = []  # the stranger's that a delete without protocol hits
        for o in self.objects:
            x = o[2] if o[0] == "route" else o[-1] if o[0] != "main" else None
            slot = others = elsewhere = 0
            blocker = None
            if o[0] == "route":
                others = self.mask(lambda p: p[0] == "route" and p[2] == x and p != o)
                elsewhere = others & self.mask(lambda p: p[1:2] != o[1:2])
                slot = others
                if self.metrics:
                    slot &= self.mask(lambda p: p[-1] == o[3])
                blocker = ("default", x) if not self.metrics or not o[3] else None
            if o[0] == "from":  # each source has a slot of its own
                others = elsewhere = slot = self.mask(
                    lambda p: p[0] == "from" and (p[1], p[3]) == (o[1], o[3]) and p != o)
            if o[0] == "rule":
                blocker = ("narrow",) + o[1:]
            self.table_of.append(self.bit.get(("table", x), 0))
            self.slot.append(slot)
            self.others.append(others)
            self.elsewhere.append(elsewhere)
            self.blocker.append(self.bit.get(blocker, 0))
            rule = o[1:] if o[0] == "rule" else (None,)
            self.ahead.append(self.bit.get(("ahead",) + rule, 0))
            self.twin.append(self.bit.get(("twin",) + rule, 0))

    def tables_of(self, mask):
        ret = 0
        for n in bits(mask & self.ours):
            ret |= self.table_of[n]
        return ret

    def want(self, sections, link, up):  # routing/: what a name wants, given its link
        ret = 0
        for c in sections if sections not in (None, UNKNOWN) else ():
            if link is None and (c.fallback != 2 or c.steer):
                continue
            if c.steer:
                ret |= self.bit["shared", c.table] | self.bit["table", c.table]
                ret |= self.bit["from", c.source, link, c.table] if up else 0
                continue
            ret |= self.bit["rule", c.source, c.table] | self.bit["table", c.table]
            ret |= self.bit["main", c.source] if c.main else 0
            ret |= self.bit["stop", c.table] if c.fallback else 0
            if link is not None and up:
                ret |= self.bit["route", link, c.table, c.variant]
        return ret

    def show(self, mask):
        return ", ".join(" ".join(map(str, self.all[n])) for n in bits(mask)) or "nothing"

    def show_state(self, state):
        owners = [f"{self.show(1 << k)} -> {o - 1 if o > 0 else list(bits(-o))}"
                  for k, o in enumerate(state[1]) if o]
        return (f"records {[self.show(r) for r in state[0]]}; owners {owners}; "
                f"kernel: {self.show(state[2])}")


class Env:
    """What a turn meets: a drop-in a name (sections, None or UNKNOWN), a link a name, and
    which links are down."""

    def __init__(self, w, drop_ins, links, down=()):
        self.drop_ins, self.links, self.down = drop_ins, links, down
        self.want = [w.want(d, l, l not in down) for d, l in zip(drop_ins, links)]
        self.claims, self.steers = [], []
        for d in drop_ins:
            known = d if d not in (None, UNKNOWN) else ()
            self.claims.append(w.table_keys if d == UNKNOWN else
                               sum(w.bit["table", c.table] for c in known))
            self.steers.append(sum(w.bit["table", c.table] for c in known if c.steer))
        self.alive = ~sum(m for l, m in enumerate(w.on_link)
                          if l not in links or l in down)

    def show(self):
        text = lambda d: d if d in (None, UNKNOWN) else [tuple(c) for c in d]
        return (f"drop-ins (source, table, main, fallback, variant, steer) "
                f"{[text(d) for d in self.drop_ins]}, links {self.links}, "
                f"down {sorted(self.down)}")


def holders(records, owner):  # nobody: no link, or one to a name without a record
    names = (1 << (owner - 1)) if owner > 0 else -owner
    return sum(1 << u for u in bits(names) if records[u])


class Turn:
    """A turn of name t. out gets the state after each step, where a kill may end it.
    refuse: a mask of the requests, in order, that the kernel refuses. full: no record and
    no owner can be written (taken away they can be). no_unlink: no owner can be taken
    away."""

    def __init__(self, w, state, t, env, out, refuse, full, no_unlink):
        self.w, self.t, self.env, self.out = w, t, env, out
        self.refuse, self.full, self.no_unlink = refuse, full, no_unlink
        self.records, self.owners, self.kernel = list(state[0]), list(state[1]), state[2]
        self.kernel &= env.alive
        self.old, self.want = state[0][t], env.want[t]
        self.count = 0  # of requests
        # deletes that failed; adds that met a stranger's; adds that failed
        self.kept = self.taken = self.refused = 0

    def now(self):
        return tuple(self.records), tuple(self.owners), self.kernel

    def step(self):
        if self.out is not None:
            self.out.append(self.now())

    def mine(self, k):
        o = self.owners[k]
        return o == self.t + 1 or (o < 0 and -o >> self.t & 1)

    # 1. the conflict check

    def in_conflict(self):
        """Another holds a table that I want, and its drop-in still claims it, or cannot
        be read. Sharing (steer) is no conflict, whatever stands there from before: a link
        or a folder."""
        w, env = self.w, self.env
        for k in bits(self.want & w.table_keys):
            b, folder = 1 << k, self.owners[k] < 0
            shared = env.steers[self.t] & b
            if folder and shared and self.mine(k) and w.fault != "mutual":
                continue  # I share it already
            for u in bits(holders(self.records, self.owners[k]) & ~(1 << self.t)):
                if env.drop_ins[u] == UNKNOWN:
                    both = shared and folder
                else:
                    both = shared and env.steers[u] & b and (folder or w.fault != "kinds")
                if env.claims[u] & b and not both:
                    return w.fault != "steal"
        return False

    # 2. the record of old plus new, then the owners

    def write_owner(self, k):
        folder = 1 << k & (self.w.shared | self.env.steers[self.t])
        if self.mine(k) and (self.owners[k] < 0) == bool(folder):
            return True
        if self.owners[k] and (self.owners[k] < 0) != bool(folder):
            self.owners[k] = 0  # a link where a folder is needed, or the reverse
            self.step()
        if self.full:
            return False
        self.owners[k] = -(-self.owners[k] | 1 << self.t) if folder else self.t + 1
        self.step()
        return True

    def write_owners(self):
        only = self.w.table_keys if self.w.fault == "table" else -1
        return all(self.write_owner(k) for k in bits(self.want & only))

    def write_ahead(self):
        """True: go on. A plan of deletes alone writes nothing here."""
        fault = self.w.fault
        if not self.want:
            return not (fault == "ownerwrite" and self.old and self.full)
        if fault == "ownersfirst":
            self.write_owners()
        if self.old | self.want != self.old:
            if self.full and fault != "carryon":
                return False
            if not self.full:
                self.records[self.t] = self.old | self.want
                self.step()
        return self.write_owners() or fault == "carryon"

    # 3. the send

    def deletable(self, k):
        b, fault = 1 << k, self.w.fault
        if fault == "noroute" and b & self.w.routes:
            return True
        if fault == "first" and b & self.w.shared:
            return True
        if fault == "table":
            if b & self.w.routes or not self.w.table_of[k]:
                return True
            k = self.w.table_of[k].bit_length() - 1
        if fault == "missing":
            return self.mine(k)
        # mine, or nobody's
        return not holders(self.records, self.owners[k]) & ~(1 << self.t)

    def is_refused(self):
        self.count += 1
        return self.refuse >> (self.count - 1) & 1

    def delete(self, k):
        b = 1 << k
        if b & self.w.rules & ~self.seen:
            return  # not there: the kernel would take a stranger's with more selectors
        if self.is_refused():
            self.kept |= b
        elif self.w.fault == "noprotocol" and self.kernel & self.w.twin[k]:
            self.kernel &= ~self.w.twin[k]
        elif self.kernel & b:
            self.delete_first(b, self.kernel & self.w.ahead[k])
        elif b & self.w.rules:
            self.kernel &= ~(self.w.blocker[k] | self.w.ahead[k])

    def delete_first(self, b, ahead):
        """What a stranger has before ours goes, and comes back in the same send."""
        if not ahead or self.w.fault not in ("noway", "later"):
            self.kernel &= ~b
            return
        self.kernel &= ~ahead  # the delete has hit it
        if self.w.fault == "later":
            self.step()
            self.kernel = (self.kernel | ahead) & ~b

    def add(self, k):
        b = 1 << k
        self.taken &= ~b
        self.refused &= ~b
        if self.is_refused():
            self.refused |= b
        elif self.kernel & b:
            pass  # EEXIST; the look finds ours
        elif self.kernel & (self.w.slot[k] | self.w.blocker[k]):
            if self.w.fault != ("noroutelook" if b & self.w.routes else "nolook"):
                self.taken |= b  # EEXIST; the look finds another
        else:
            self.kernel |= b

    def send(self):
        """What stands in a wanted object's slot goes right before it, all else last."""
        w = self.w
        gone = self.old & ~self.want & w.ours
        gone = sum(1 << k for k in bits(gone) if self.deletable(k))
        # a rule is looked for before it is deleted
        self.seen = self.kernel if w.fault not in ("blind", "nolook") else -1
        for k in bits(self.want & w.ours):
            for g in bits(gone & w.slot[k]):
                self.delete(g)
                gone &= ~(1 << g)
            self.add(k)
        if w.steps.get("split"):
            self.step()  # beyond 128 requests it is several sends, adds first
        for g in sorted(bits(gone), reverse=True):
            self.delete(g)
        self.step()

    def evict(self):
        """The second send: the first also asked for the default routes of my table."""
        w = self.w
        for k in bits(self.want & w.routes):
            where = w.others if w.fault != "otherlink" else w.elsewhere
            rivals = self.kernel & ~self.want & where[k]
            if not rivals or w.fault == "noevict":
                continue
            kept = self.kept
            for r in bits(rivals):
                self.delete(r)
            self.kept = kept | (self.kept & self.old)  # not another's line
            if 1 << k & (self.taken | self.refused) or w.fault == "again":
                self.add(k)
            self.step()

    # 4. the owners that are no longer needed, then the record of what holds

    def holds(self):
        w = self.w
        # a refused add may be there from before
        unsure = self.old if w.fault != "drop" else 0
        lacks = self.taken | (self.refused & ~unsure)
        ret = (self.want & ~lacks | self.kept) & w.ours
        return ret | self.want & w.table_keys | w.tables_of(ret)

    def write_after(self):
        hold = self.holds()
        if self.w.fault == "recordfirst":
            self.records[self.t] = hold
            self.step()
        for k in bits((self.old | self.want) & ~hold):
            if not self.mine(k):
                continue
            if self.no_unlink:
                if self.w.fault == "unlink":
                    continue
                return  # the record keeps what I own
            o = self.owners[k]
            self.owners[k] = 0 if o > 0 else -(-o & ~(1 << self.t))
            self.step()
        if self.records[self.t] != hold and not (self.full and hold):
            self.records[self.t] = hold
            self.step()


def converge(w, state, t, env, out=None, refuse=0, full=False, no_unlink=False):
    """Returns the state after a turn of t; see Turn."""
    turn = Turn(w, state, t, env, out, refuse, full, no_unlink)
    if env.drop_ins[t] != UNKNOWN and not turn.in_conflict() and turn.write_ahead():
        turn.send()
        turn.evict()
        turn.write_after()
    return turn.now()
