# SPDX-License-Identifier: MIT
"""Drop-ins and links by chance, for worlds that are too large to be tried whole."""
from world import UNKNOWN, Env, Section


class Draw:
    def __init__(self, world, rng):
        self.w, self.rng = world, rng

    def section(self, t, taken, tables):
        """Of name t: selectors that nobody has taken at that priority."""
        rng, w = self.rng, self.w
        steer = w.steers and rng.random() < .6
        x = rng.choice(range(w.tables_n)) if steer else tables.pop() if tables else None
        p = rng.randrange(w.priorities)
        free = [s for s in (w.steerable() if steer else w.words)
                if (w.word(s, t), p) not in taken
                and not (steer and (s, "in", x) in taken)]
        if x is None or not free:
            return None
        n = rng.randint(1, min(w.together, len(free)))
        words = tuple(sorted(rng.sample(free, n)))
        taken |= {(w.word(s, t), p) for s in words}
        if steer:  # in a shared table a source has one route
            taken |= {(s, "in", x) for s in words}
        return Section(words, x, not steer and rng.choice(w.mains),
                       rng.choice(w.fallbacks), rng.randrange(w.variants), steer, p)

    def links(self):
        rng, w = self.rng, self.w
        links = rng.sample(range(w.links), w.links) + [None] * w.n
        links = [l if rng.random() < .85 else None for l in links[:w.n]]
        return tuple(links), {l for l in links if l is not None and rng.random() < .1}

    def env(self, tidy):
        while True:
            env = self.any_env(tidy)
            if not self.w.steers or env.is_possible(self.w):
                return env

    def any_env(self, tidy):  # tidy: no conflict, but for steer's kinds
        rng, w = self.rng, self.w
        drop_ins = [None] * w.n
        taken = set()
        tables = rng.sample(range(w.tables_n), w.tables_n)
        for t in rng.sample(range(w.n), w.n):
            sections = []
            for _ in range(rng.randint(1, w.sections)):
                if not tidy:
                    tables = rng.sample(range(w.tables_n), w.tables_n)
                    tables = [x for x in tables if x not in [c.table for c in sections]]
                c = self.section(t, taken, tables)
                if c and c.table not in [d.table for d in sections]:
                    sections.append(c)
            unread = w.steps.get("unknown") and rng.random() < .07
            if unread or sections and rng.random() < .8:
                drop_ins[t] = UNKNOWN if unread else tuple(sections)
        return Env(w, drop_ins, *self.links())

    def edit(self, env):
        """Other links, and one name's section in another table, at another priority,
        steered or no longer, or not to be read: the same packets are selected."""
        rng, w = self.rng, self.w
        drop_ins = list(env.drop_ins)
        t = rng.randrange(w.n)
        free = [x for x in range(w.tables_n)
                if not any(claims & w.bit["table", x] for claims in env.claims)]
        if drop_ins[t] and rng.random() < .5:
            c, *others = drop_ins[t]
            c = c._replace(priority=rng.randrange(w.priorities))
            if w.steers and not c.main and set(c.selectors) <= set(w.steerable()):
                c = c._replace(steer=rng.random() < .7)
            if c.steer:
                free += [d.table for d, u in env.sections() if d.steer and u != t]
            if free and rng.random() < .5:
                c = c._replace(table=rng.choice(free))
            drop_ins[t] = (c, *others)
            later = Env(w, drop_ins, env.links)
            if not (later.is_possible(w) and later.is_clean()):
                drop_ins[t] = env.drop_ins[t]
        if w.steps.get("unknown") and rng.random() < .2:
            drop_ins[t] = UNKNOWN
        return Env(w, drop_ins, *self.links())
