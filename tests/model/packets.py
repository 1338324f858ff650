# SPDX-License-Identifier: MIT
"""Which way packets leave: by the kernel's rules and routes, and by what the manual says
of the drop-ins. That both are the same is what all of it is for, and neither asks what a
turn wants, or has written down.

A packet (F, S, NEAR) is of one family, and one selector takes it, or none (S is None):
then it is nobody's but for what a shared rule finds; NEAR: main has a more specific route
for it. A way is a link and a variant of its route, "main" (NEAR's),
"refused", or "elsewhere": by main's default route.
"""
from world import bits

ELSEWHERE, MAIN, REFUSED = "elsewhere", "main", "refused"


class Packets:
    def __init__(self, w):
        self.w = w
        self.all = [(f, s, near) for f, s in w.selectors for near in w.mains]
        self.all += [(f, None, False) for f in w.families]
        self.known = {}  # kernel -> the ways of all

    # --- by the kernel

    def look_up(self, kernel, f, s, x):
        """Of one source comes before of all, also if that refuses."""
        w = self.w
        for n in bits(kernel & w.routes):
            if w.all[n][0] == "from" and (w.all[n][1], w.all[n][3]) == (s, x):
                return w.all[n][2], w.all[n][4]
        if kernel & w.bit.get(("halt", s, x), 0):
            return REFUSED
        for n in bits(kernel & w.routes):  # variants that are metrics: the smaller first
            o = w.all[n]
            if o[0] == "route" and (o[1], o[3]) == (f, x):
                return o[2], o[4]
        return REFUSED if kernel & w.bit["stop", f, x] else None

    def walk(self, kernel, packet):
        w = self.w
        f, s, near = packet
        for p in range(w.priorities):
            if near and kernel & w.bit.get(("main", f, p, s), 0):
                return MAIN
            for x in range(w.tables_n):
                shared = w.bit.get(("shared", p, x), 0) if f == 6 else 0
                if kernel & (w.bit.get(("rule", f, p, s, x), 0) | shared):
                    way = self.look_up(kernel, f, s, x)
                    if way:
                        return way
        return ELSEWHERE

    def ways(self, kernel):
        kernel &= self.w.ours
        if kernel not in self.known:
            self.known[kernel] = tuple(self.walk(kernel, packet) for packet in self.all)
        return self.known[kernel]

    # --- by the drop-ins

    def takes(self, c, t, packet):
        """A selector other than source is of the families that the section names by its
        sources, of both where it names none, or refuses packets."""
        w = self.w
        f, s, _ = packet
        if s not in [w.word(word, t) for word in c.selectors]:
            return False
        named = [w.family[word] for word in c.selectors if word in w.family]
        return s in w.family or c.fallback > 0 or not named or f in named

    def sections(self, env, packet):
        """Those that select it, the first one first."""
        found = [(c, t) for c, t in env.sections() if self.takes(c, t, packet)]
        return sorted(found, key=lambda pair: min(env.looked_up(pair[0])))

    def expected(self, env, packet):
        near = packet[2]
        for c, t in self.sections(env, packet):
            link = env.links[t]
            if link is None and c.fallback != 2:
                continue
            if near and c.main:
                return MAIN
            if link is not None and link not in env.down:
                return link, c.variant
            if c.fallback:
                return REFUSED
        return ELSEWHERE

    def expected_all(self, env):
        if env.ways is None:
            env.ways = tuple(self.expected(env, packet) for packet in self.all)
        return env.ways

    def astray(self, env, kernel):
        """Of which packet the kernel's way is not the drop-ins'; or None."""
        ways, wanted = self.ways(kernel), self.expected_all(env)
        if ways == wanted:
            return None
        n = next(n for n, way in enumerate(ways) if way != wanted[n])
        return f"{self.all[n]} leaves by {ways[n]}, not by {wanted[n]}"

    def guarded(self, env):
        """The numbers of those that a kill switch keeps, whatever becomes of links."""
        return [n for n, packet in enumerate(self.all) if not packet[2] and any(
            c.fallback == 2 for c, _ in self.sections(env, packet))]

    def leaked(self, guarded, kernel):
        ways = self.ways(kernel)
        for n in guarded:
            if ways[n] == ELSEWHERE:
                return f"{self.all[n]} leaves elsewhere in spite of when_gone"
        return None
