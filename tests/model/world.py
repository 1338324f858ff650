# SPDX-License-Identifier: MIT
"""What there can be: the kernel's objects, and what drop-ins and links want of them.

Sets are bit masks. An object is a tuple: its kind, then its family where it has one.
  stop F X           the unreachable default of table X
  route F L X V      the default route by link L in table X; V: of which gateway or metric
  halt S X           the unreachable default of one source (steer)
  from S L X V       the default route of one source by link L (steer)
  main F P S         prefer_main's rule of selector S at priority P
  rule F P S X       what S selects looks in table X
  shared P X         the rule that who steers into table X at priority P has in common
  kept X, table X    no objects of the kernel: they stand on records; tables have owners
A selector is a word: from0 (a source, of one family), fwmark, user, iif (from_link), and
oif0 (bound), whose number is that of the name. Priority 0 comes before 1.
"""
import itertools
from collections import namedtuple

# selectors: words (steer: sources alone); bound is "oif" there. fallback: 0 none, 1
# when_down, 2 when_gone = unreachable; variant: gateway or metric
Section = namedtuple("Section", "selectors table main fallback variant steer priority")
UNKNOWN = "unknown"  # a drop-in that cannot be read
NOBODY = 99  # an owner who has no name


def bits(mask):
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class World:
    """kinds: selectors beside the sources, a word each. fours: how many of the sources
    are IPv4. together: how many selectors a section has at most. metrics: variants of a
    route are metrics, not gateways. fault: the name of one planted fault, or none."""

    def __init__(self, names=2, sources=2, tables=2, links=2, variants=1, metrics=False,
                 main=False, fallbacks=(0,), sections=1, steer=False, strangers="",
                 kinds="", fours=0, priorities=1, together=1, fault="", **steps):
        self.n, self.sources, self.tables_n, self.links = names, sources, tables, links
        self.variants, self.metrics, self.priorities = variants, metrics, priorities
        self.mains, self.fallbacks = (False, True)[:main + 1], fallbacks
        self.sections, self.steers, self.fault = sections, steer, fault
        self.together = together
        self.steps = steps  # what else may happen: see explore.py
        self.family = {f"from{s}": 4 if s >= sources - fours else 6
                       for s in range(sources)}
        self.words = [*self.family, *kinds.split()]
        self.families = (6, 4) if kinds or fours else (6,)
        self.selectors = [(f, s) for f in self.families for s in self.all_selectors()
                          if self.family.get(s, f) == f]
        self.name_objects(strangers)
        self.neighbours()
        self.empty = ((0,) * names, (0,) * len(self.keys), 0)

    @staticmethod
    def word(selector, t):  # as the kernel has it
        return f"oif{t}" if selector == "oif" else selector

    def all_selectors(self):
        return [s for word in self.words for s in dict.fromkeys(
            self.word(word, t) for t in range(self.n))]

    def name_objects(self, strangers):
        F, X, L = self.families, range(self.tables_n), range(self.links)
        P = range(self.priorities)
        # in the order in which they are added
        self.objects = [("stop", f, x) for f in F for x in X]
        self.objects += [("route", f, l, x, v)
                         for f in F for l in L for x in X for v in range(self.variants)]
        if self.steers:
            self.objects += [("halt", s, x) for s in self.steerable() for x in X]
            self.objects += [("from", s, l, x, v) for s in self.steerable()
                             for l in L for x in X for v in range(self.variants)]
        for p in P:
            if len(self.mains) > 1:
                self.objects += [("main", f, p, s) for f, s in self.selectors]
            self.objects += [("rule", f, p, s, x) for f, s in self.selectors for x in X]
            self.objects += [("shared", p, x) for x in X if self.steers]
        self.keys = self.objects + [("table", x) for x in X]
        if 2 in self.fallbacks and self.steps.get("unknown"):
            self.keys += [("kept", x) for x in X]
        rules = [o for o in self.objects if o[0] == "rule"]
        foreign = []
        if "narrow" in strangers:  # `from S to Y`: our protocol, our table, our priority
            foreign += [("narrow",) + o[1:] for o in rules]
        if "ahead" in strangers:  # `from S fwmark 1`, and it stands before ours
            foreign += [("ahead",) + o[1:] for o in rules]
        if "slot" in strangers:  # a default route in our table, of our metric
            foreign += [("default", f, x) for f in F for x in X]
        if "twin" in strangers:  # our rule with the protocol of others
            foreign += [("twin",) + o[1:] for o in rules]
        self.all = self.keys + foreign
        self.bit = {o: 1 << i for i, o in enumerate(self.all)}
        self.number = {o: i for i, o in enumerate(self.all)}
        self.ours = (1 << len(self.objects)) - 1
        self.table_keys = self.mask(lambda o: o[0] == "table")
        self.marks = self.mask(lambda o: o[0] in ("table", "kept"))
        self.kept = self.mask(lambda o: o[0] == "kept")
        self.foreign = self.mask(lambda o: o in foreign)
        self.routes = self.mask(lambda o: o[0] in ("route", "from"))
        self.rules = self.mask(lambda o: o[0] in ("rule", "main", "shared"))
        self.shared = self.mask(lambda o: o[0] == "shared")
        self.on_link = [self.mask(lambda o: o[0] in ("route", "from") and o[2] == l)
                        for l in L]

    def mask(self, test):
        return sum(b for o, b in self.bit.items() if test(o))

    def neighbours(self):
        """Of each object: its table, and what can be in its way, or it in theirs."""
        self.table_of = []
        self.slot = []  # ours that the kernel cannot have beside it
        self.owned = ~(self.kept | self.shared)  # a shared rule's are its table's
        self.never = []  # ours that may not be beside it: the shared rule, what is for all
        self.in_table = []  # of a route of one source: those in its table
        self.hit = []  # what a delete of it hits where there is none of these
        self.others = []  # ours that must not stay in its table (steer: of its source)
        self.elsewhere = []  # those on another link
        self.blocker = []  # the stranger's that an add meets as EEXIST
        self.ahead = []  # the stranger's that a delete hits before ours
        self.twin = []  # the stranger's that a delete without protocol hits
        self.careless = []  # ours that a delete hits that does not name all (a fault)
        self.owner_of = []  # its owner's number
        for o in self.keys:
            kind = o[0]
            x = (o[3] if kind in ("route", "from") else
                 o[-1] if kind != "main" else None)
            slot = others = elsewhere = 0
            blocker = None
            if kind in ("route", "from"):  # each source has a slot of its own
                others = self.mask(lambda p: p[0] == kind and p != o
                                   and (p[1], p[3]) == (o[1], x))
                elsewhere = others & self.mask(lambda p: p[2:3] != o[2:3])
                slot = others
                if self.metrics:
                    slot &= self.mask(lambda p: p[-1] == o[-1])
                blocker = ("default", o[1], x) if not self.metrics or not o[-1] else None
            if kind == "rule":
                blocker = ("narrow",) + o[1:]
            self.table_of.append(self.bit.get(("table", x), 0))
            self.slot.append(slot)
            self.never.append(self.mask(
                lambda p: self.takes_all(o, p) or self.takes_all(p, o)))
            self.in_table.append(self.mask(
                lambda p: p[0] in ("from", "halt") and (
                    p[3] if p[0] == "from" else p[2]) == x))
            self.hit.append(self.bit.get({"from": ("route", 6) + o[2:],
                                          "halt": ("stop", 6, x)}.get(kind), 0))
            self.others.append(others)
            self.elsewhere.append(elsewhere)
            self.blocker.append(self.bit.get(blocker, 0))
            rule = o[1:] if kind == "rule" else (None,)
            self.ahead.append(self.bit.get(("ahead",) + rule, 0))
            self.twin.append(self.bit.get(("twin",) + rule, 0))
            self.careless.append(self.mask(lambda p: self.are_mixed_up(o, p)))
            self.owner_of.append(self.number[self.owner_key(o)])

    @staticmethod
    def takes_all(rule, route):
        """A shared rule looks its table up for all packets of IPv6."""
        return rule[0] == "shared" and route[0] in ("stop", "route") and (
            route[1] == 6 and rule[2] == route[3 if route[0] == "route" else 2])

    def are_mixed_up(self, o, p):
        if self.fault == "nogroup" and o[0] == "shared" and p[0] == "rule":
            return p[1:3] == (6, o[1]) and p[4] == o[2]
        if o[0] != p[0] or o[0] not in ("rule", "main"):
            return False
        if self.fault == "noselector":
            return o[:3] == p[:3] and o[4:] == p[4:]
        return self.fault == "nopriority" and o[:2] == p[:2] and o[3:] == p[3:]

    def owner_key(self, o):
        if o[0] == "shared":
            return ("table", o[2])  # whoever shares it, and has that rule on record
        if o[0] not in ("rule", "main"):
            return o
        kind, f, p, s, *x = o
        if self.fault == "ownerfamily" and s not in self.family:
            f = self.families[0]
        if self.fault == "ownerpriority":
            p = 0
        if self.fault == "ownerkind" and s not in self.family:
            s = next(t for t in self.all_selectors() if t not in self.family)
        return (kind, f, p, s, *x)

    def all_sections(self):
        """For every world that is tried whole."""
        choices = [c for n in range(1, self.together + 1)
                   for c in itertools.combinations(self.words, n)]
        ret = [Section(*c, False, p) for c in itertools.product(
                   choices, range(self.tables_n), self.mains, self.fallbacks,
                   range(self.variants)) for p in range(self.priorities)]
        choices = [c for c in choices if set(c) <= set(self.steerable())]
        return ret + [Section(*c, True, p) for c in itertools.product(
                          choices, range(self.tables_n), (False,), self.fallbacks,
                          range(self.variants)) for p in range(self.priorities)]

    def steerable(self):
        return [s for s, f in self.family.items() if f == 6] if self.steers else []

    def tables_of(self, mask):
        ret = 0
        for n in bits(mask & self.ours):
            ret |= self.table_of[n]
        return ret

    def selectors_of(self, section, t):
        """Of a section of name t: its selectors with their families (routing/plan). Who
        refuses one family alone leaks the other."""
        words = [self.word(s, t) for s in section.selectors]
        named = {self.family[s] for s in words if s in self.family}
        wide = not named or section.fallback and self.fault != "onefamily"
        return [(f, s) for f in self.families for s in words
                if (self.family[s] == f if s in self.family else wide or f in named)]

    def want_section(self, c, t, link, up):
        ret = self.bit["table", c.table]
        if c.fallback == 2:
            ret |= self.bit.get(("kept", c.table), 0)
        if c.steer:
            return ret | self.want_steered(c, link, up)
        for f, s in self.selectors_of(c, t):
            ret |= self.bit["rule", f, c.priority, s, c.table]
            if c.main and not (self.fault == "onemain" and s in self.family):
                ret |= self.bit["main", f, c.priority, s]
            if c.fallback and not (self.fault == "linkless" and link is None):
                ret |= self.bit["stop", f, c.table]
            if up:
                ret |= self.bit["route", f, link, c.table, c.variant]
        return ret

    def want_steered(self, c, link, up):
        ret = self.bit["shared", c.priority, c.table]
        for s in c.selectors[:1] if self.fault == "onesource" else c.selectors:
            if c.fallback and not (self.fault == "linkless" and link is None):
                ret |= self.bit["stop", 6, c.table] if self.fault == "nosource" \
                    else self.bit["halt", s, c.table]
            if up:
                ret |= self.bit["from", s, link, c.table, c.variant]
        return ret

    def want(self, sections, t, link, up):  # what name t wants, given its link
        ret = 0
        for c in sections if sections not in (None, UNKNOWN) else ():
            if link is not None or c.fallback == 2:
                ret |= self.want_section(c, t, link, link is not None and up)
        return ret

    def show(self, mask):
        return ", ".join(" ".join(map(str, self.all[n])) for n in bits(mask)) or "nothing"

    def show_state(self, state):
        owners = [f"{self.show(1 << k)} -> "
                  f"{'nobody' if o == NOBODY else o - 1 if o > 0 else list(bits(-o))}"
                  for k, o in enumerate(state[1]) if o]
        return (f"records {[self.show(r) for r in state[0]]}; owners {owners}; "
                f"kernel: {self.show(state[2])}")


class Env:
    """What a turn meets: a drop-in a name (sections, None or UNKNOWN), a link a name, and
    which links are down."""

    def __init__(self, w, drop_ins, links, down=()):
        self.drop_ins, self.links, self.down = drop_ins, links, down
        self.ways = None  # see packets.py
        self.want = [w.want(d, t, l, l not in down)
                     for t, (d, l) in enumerate(zip(drop_ins, links))]
        self.claims, self.steers = [], []
        for d in drop_ins:
            known = d if d not in (None, UNKNOWN) else ()
            self.claims.append(w.table_keys if d == UNKNOWN else
                               sum(w.bit["table", c.table] for c in known))
            self.steers.append(sum(w.bit["table", c.table] for c in known if c.steer))
        self.alive = ~sum(m for l, m in enumerate(w.on_link)
                          if l not in links or l in down)

    def sections(self):
        return [(c, t) for t, d in enumerate(self.drop_ins) if d not in (None, UNKNOWN)
                for c in d]

    def looked_up(self, c, there=True):
        """At which priorities C's table is looked up for its packets: at those of all who
        share it, as a shared rule is for all packets. there: of those who are there."""
        return {d.priority for d, t in self.sections()
                if d == c or d.steer and c.steer and d.table == c.table
                and (not there or self.links[t] is not None or d.fallback == 2)}

    def is_possible(self, w):
        """No two sections' tables are looked up at one priority for the same packets."""
        taken = [(w.word(s, t), self.looked_up(c, False))
                 for c, t in self.sections() for s in c.selectors]
        return not any(a[0] == b[0] and a[1] & b[1]
                       for a, b in itertools.combinations(taken, 2))

    def is_clean(self):
        """No conflict: two names have a table both if both share it."""
        return not any(a & b & ~(shares & shared) for (a, shares), (b, shared) in
                       itertools.combinations(zip(self.claims, self.steers), 2))

    def show(self):
        text = lambda d: d if d in (None, UNKNOWN) else [tuple(c) for c in d]
        return (f"drop-ins (selectors, table, main, fallback, variant, steer, priority) "
                f"{[text(d) for d in self.drop_ins]}, links {self.links}, "
                f"down {sorted(self.down)}")
