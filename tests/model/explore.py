# SPDX-License-Identifier: MIT
"""From nothing to all that turns, kills and others can lead to, and what must hold there.

A step is a turn of one name, whole or ended by a kill after any of its steps, in any Env,
with what may go wrong in that World; or what somebody else does. World's keywords:
  kill     a turn may end after any step        refuse    the kernel refuses a request
  full     no record or owner can be written    no_unlink no owner can be taken away
  split    a plan may need two sends            thief     somebody deletes one of ours
  lost     an owner is missing                  unknown   a drop-in cannot be read
  norecord a record is missing: then it takes all of `apply --all`: rounds, and a sweep
  folder   the run folder is missing: the same, and what is shared has been somebody's
           (NOBODY)
"""
import itertools
import random

from draw import Draw
from packets import Packets
from protocol import Turn, converge, holders, rounds, stays_as_it_is, waits_for
from world import NOBODY, UNKNOWN, Env, bits


class Wrong(Exception):
    pass


class Explorer:
    def __init__(self, world, seed=1, books=True):
        self.w = world
        # also: what one owns is on one's record, and records and owners end exact. Not
        # for a planted fault: its harm has to be found.
        self.books = books and not self.forgets()
        self.rng = random.Random(seed)
        self.draw = Draw(world, self.rng)
        self.before = {world.empty: None}  # state -> (state before, words)
        self.new = [world.empty]
        self.ways = 0
        self.packets = Packets(world)

    def forgets(self):  # so that it takes a sweep, too
        return self.w.steps.get("norecord") or self.w.steps.get("folder")

    # --- what must be true in every state, at every step of a turn

    @staticmethod
    def recorded(records):
        ret = 0
        for r in records:
            ret |= r
        return ret

    def always(self, state, foreign):
        records, owners, kernel = state
        known = self.recorded(records)
        if kernel & self.w.foreign != foreign:
            raise Wrong("a stranger's is gone: "
                        + self.w.show(foreign & ~kernel))
        if kernel & self.w.ours & ~known and not self.forgets():
            raise Wrong("on no record: " + self.w.show(kernel & self.w.ours & ~known))
        for k, o in enumerate(owners if self.books else ()):
            if o == NOBODY:
                continue
            for t in bits((1 << (o - 1)) if o > 0 else -o):
                if not records[t] >> k & 1:
                    raise Wrong(f"{t} owns what its record does not have: "
                                + self.w.show(1 << k))

    def reach(self, state, before, words):
        if state not in self.before:
            self.before[state] = (before, words)
            self.new.append(state)

    def story(self, state):
        lines = []
        while self.before[state]:
            before, words = self.before[state]
            lines.append(f"      {words()}\n        -> {self.w.show_state(state)}")
            state = before
        return "\n".join(reversed(lines))

    # --- steps

    def takes_others(self, kernel):
        return any(kernel & self.w.never[n] for n in bits(kernel & self.w.shared))

    def turn(self, state, t, env, **trouble):
        out = []
        turn = Turn(self.w, state, t, env, out, **trouble)
        turn.run(state)
        end = turn.now()
        if turn.robs:
            raise Wrong(f"a table's holder is robbed\n{self.story(state)}\n"
                        f"      turn of {t}, {env.show()}")
        if turn.hijacks and not trouble and not self.w.steps.get("lost") \
                and not self.takes_others(state[2]):
            raise Wrong(f"others' packets are taken\n{self.story(state)}\n"
                        f"      turn of {t}, {env.show()}")
        if not self.w.steps.get("kill"):
            out = []

        def words():
            return f"turn of {t}, whole or killed, {env.show()}, {trouble or ''}"
        for s in out + [end]:
            if s not in self.before:
                try:
                    self.always(s, state[2] & self.w.foreign)
                except Wrong as wrong:
                    raise Wrong(f"{wrong}\n{self.story(state)}\n      {words()}\n"
                                f"        -> {self.w.show_state(s)}") from None
                self.reach(s, state, words)

    def begin(self, kernel):  # owners, when there have been none: of NOBODY
        w, owners = self.w, [0] * len(self.w.empty[1])
        for n in bits(kernel & w.shared if w.fault != "unbegun" else 0):
            owners[w.table_of[n].bit_length() - 1] = NOBODY
        return tuple(owners)

    def by_others(self, state):  # every state to which somebody else may lead
        w = self.w
        records, owners, kernel = state
        if w.steps.get("lost"):
            for k, o in enumerate(owners):
                if o:
                    yield f"owner of {w.keys[k]} lost", (
                        records, owners[:k] + (0,) + owners[k + 1:], kernel)
        for t in range(w.n if w.steps.get("norecord") else 0):
            if records[t]:
                yield f"record of {t} lost", (
                    records[:t] + (0,) + records[t + 1:], owners, kernel)
        if w.steps.get("folder"):
            yield "the run folder is lost", ((0,) * w.n, self.begin(kernel), kernel)
        if w.steps.get("thief"):
            for n in bits(kernel & w.ours):
                yield f"somebody deletes {w.all[n]}", (
                    records, owners, kernel & ~(1 << n))
        for n in bits(w.foreign):
            o = w.all[n]
            if kernel >> n & 1:
                yield f"a stranger takes {o} away", (records, owners, kernel & ~(1 << n))
            elif o[0] not in ("default", "ahead") or not any(
                    1 << n in (w.blocker[r], w.ahead[r]) for r in bits(kernel & w.ours)):
                yield f"a stranger adds {o}", (records, owners, kernel | 1 << n)

    # --- the property

    def wrong(self, what, state, env, turns, end):
        raise Wrong(f"{what}\n{self.story(state)}\n      then turns of {turns}, "
                    f"{env.show()}\n        -> {self.w.show_state(end)}")

    def sweep(self, state):  # apply --all, after the turns
        records, owners, kernel = state
        kernel &= ~self.w.ours | self.recorded(records)
        names = [sum(1 << t for t in range(self.w.n) if records[t] >> k & 1)
                 for k in range(len(owners))]
        owners = tuple(
            (o if names[k] >> (o - 1) & 1 else 0) if o > 0 else -(-o & names[k])
            for k, o in enumerate(owners))
        return records, owners, kernel

    def are_there(self, want, kernel):  # but for what a stranger keeps out
        return all(kernel & (self.w.blocker[k] if k < len(self.w.blocker) else 0)
                   for k in bits(want & self.w.ours & ~kernel))

    def check(self, state, env, order):
        self.ways += 1
        w = self.w
        if UNKNOWN in env.drop_ins:
            return self.check_unknown(state, env, order)
        if not env.is_clean():
            return self.check_conflict(state, env, order)
        end, waiting = rounds(w, state, env, order)
        if waiting:
            return self.check_waiting(state, env, order, end, waiting)
        if self.forgets():
            end = self.sweep(end)
        records, owners, kernel = end
        if kernel & w.foreign != state[2] & w.foreign:
            self.wrong("a stranger's is gone: "
                       + w.show((kernel ^ state[2]) & w.foreign), state, env, order, end)
        everything = 0
        for want in env.want:
            everything |= want
        if kernel & w.ours & ~everything:
            self.wrong("leaked: " + w.show(kernel & w.ours & ~everything),
                       state, env, order, end)
        if not self.are_there(everything, kernel):
            self.wrong("lost: " + w.show(everything & w.ours & ~kernel),
                       state, env, order, end)
        if not kernel & w.foreign:  # these have rules of their own
            astray = self.packets.astray(env, kernel)
            if astray:
                self.wrong(astray, state, env, order, end)
            if 2 in w.fallbacks:
                self.check_kept(state, env, order, end)
        if w.fault:
            return
        for t, want in enumerate(env.want):
            if records[t] != want & (kernel | w.marks):
                self.wrong(f"record of {t} is not what holds", state, env, order, end)
        for k, o in enumerate(owners):
            names = sum(1 << t for t in range(w.n)
                        if (records[t] & ~w.kept) >> k & 1)
            if holders(records, owners[w.owner_of[k]], k) != names or (o and not names):
                self.wrong(f"owner of {w.keys[k]} is not {list(bits(names))}",
                           state, env, order, end)
        for t in order:
            if converge(w, end, t, env) != end:
                self.wrong(f"one more turn of {t} changes something",
                           state, env, order, end)
        for n in bits(kernel & w.ours):  # the watcher: lost object -> owner -> its turn
            if kernel & w.blocker[n]:
                continue
            t = next(bits(holders(records, owners[w.owner_of[n]], n)))
            after = converge(w, (records, owners, kernel & ~(1 << n)), t, env)
            if after != end:
                self.wrong(f"the watcher does not bring back {w.all[n]}",
                           state, env, order, end)

    def check_waiting(self, state, env, order, end, waiting):
        """Each for a table of another who waits, too: they keep what they have."""
        for t in waiting:
            if not waits_for(self.w, end, t, env) & set(waiting):
                self.wrong(f"{t} waits for nobody who waits", state, env, order, end)
            if end[0][t] != state[0][t]:
                self.wrong(f"{t} waits, and its record is another", state, env, order,
                           end)
        try:
            self.always(end, state[2] & self.w.foreign)
        except Wrong as wrong:
            self.wrong(str(wrong), state, env, order, end)

    def check_kept(self, state, env, order, end):
        """END: all drop-ins are carried out. What they want refused is from then on at no
        moment let out, also by a turn that is killed and comes again."""
        guarded = self.packets.guarded(env)
        if not guarded:
            return
        later = self.draw.edit(env)
        steps = [end[:2] + (end[2] & later.alive,)]
        for t in order:
            out = []
            steps.append(converge(self.w, steps[-1], t, later, out))
            killed = self.rng.choice(out or steps)
            again = converge(self.w, killed, t, later, out)
            for s in out + [killed, again]:
                leak = self.packets.leaked(guarded, s[2])
                if leak:
                    self.before.setdefault(end, (
                        state, lambda: f"turns of {order}, {env.show()}"))
                    self.wrong(leak, end, later, order, s)

    def check_conflict(self, state, env, order):
        w = self.w
        end = state
        # two: the second takes what the first has left; who waits for a table, and another for
        # what that one leaves, need one more each
        turns = order * (w.n if w.steers else 2)
        for t in turns:
            end = converge(w, end, t, env)
        records, owners, kernel = end
        try:
            self.always(end, state[2] & w.foreign)
        except Wrong as wrong:
            self.wrong(str(wrong), state, env, turns, end)
        for k in bits(w.table_keys):
            for t in bits(holders(records, owners[k], k)):
                shares = env.steers[t] >> k & 1
                table_wanted = env.want[t] >> k & 1 and shares == (owners[k] < 0)
                loser = any(not holders(records, owners[j], j) >> t & 1
                            or (env.steers[t] >> j & 1) != (owners[j] < 0)
                            for j in bits(env.want[t] & w.table_keys))
                if table_wanted and not loser and not self.are_there(env.want[t], kernel):
                    self.wrong(f"holder {t} lacks "
                               + w.show(env.want[t] & w.ours & ~kernel),
                               state, env, turns, end)
            if not holders(records, owners[k], k):
                self.free_table(state, env, turns, end, k)
        for t in order:
            after = converge(w, end, t, env)
            if after != end:
                self.wrong("more turns change something",
                           state, env, turns + (t,), after)

    def free_table(self, state, env, turns, end, k):
        """A wanted table without holder is wanted by losers elsewhere alone."""
        records, owners, _ = end
        for t, want in enumerate(env.want):
            if want >> k & 1 and all(holders(records, owners[j], j) in (0, 1 << t)
                                     for j in bits(want & self.w.table_keys)):
                self.wrong(f"nobody holds {self.w.keys[k]}", state, env, turns, end)

    def check_unknown(self, state, env, order):
        w = self.w
        end = state
        for t in order:
            end = converge(w, end, t, env)
        for u in range(w.n):
            if env.drop_ins[u] != UNKNOWN:
                continue
            if not stays_as_it_is(w, state, u, env):
                if end[0][u]:
                    self.wrong(f"{u} is away and unknown, and keeps "
                               + w.show(end[0][u]), state, env, order, end)
                continue
            held = sum(1 << k for k in bits(state[2] & env.alive & w.ours)
                       if state[1][k] == u + 1
                       and (not w.table_of[k]
                            or state[1][w.table_of[k].bit_length() - 1] == u + 1))
            if held & ~end[2] or end[0][u] != state[0][u]:
                self.wrong(f"{u} is unknown and lost " + w.show(held & ~end[2]),
                           state, env, order, end)
        try:
            self.always(end, state[2] & w.foreign)
        except Wrong as wrong:
            self.wrong(str(wrong), state, env, order, end)

    def check_full(self, state, env, t):  # a full /run stops no removal
        self.ways += 1
        if not env.want[t] and env.drop_ins[t] != UNKNOWN:
            end = converge(self.w, state, t, env, full=True)
            if end != converge(self.w, state, t, env):
                self.wrong("a full /run stops a removal", state, env, (t,), end)

    # --- all of a small world

    def every_env(self):
        w = self.w
        drop_ins = [None] + [(c,) for c in w.all_sections()]
        if w.sections > 1:
            drop_ins += [(a, b) for a, b in itertools.combinations(w.all_sections(), 2)
                         if a.table != b.table
                         and not set(a.selectors) & set(b.selectors)]
        if w.steps.get("unknown"):
            drop_ins.append(UNKNOWN)
        places = [p for p in itertools.product([None, *range(w.links)], repeat=w.n)
                  if all(p.count(l) == 1 for l in p if l is not None)]
        return [Env(w, d, p)
                for d in itertools.product(drop_ins, repeat=w.n) for p in places]

    def distinct(self, t, envs):  # those that a turn of t can tell apart
        ret = {}
        for e in envs:
            tables = e.want[t] & self.w.table_keys
            unknown = [d == UNKNOWN for d in e.drop_ins]
            claims = tuple((e.claims[u] & tables, e.steers[u] & tables, unknown[u])
                           for u in range(self.w.n) if u != t)
            away = unknown[t] and e.links[t] is None
            ret.setdefault((e.want[t], e.steers[t], e.alive, unknown[t], away, claims), e)
        return list(ret.values())

    def exhaust(self):
        w = self.w
        envs = self.every_env()
        turns = [self.distinct(t, envs) for t in range(w.n)]
        checks = {}
        for e in envs:
            if e.is_possible(w):
                key = (tuple(e.want), e.alive, tuple(e.claims), tuple(e.steers),
                       self.packets.expected_all(e))
                checks.setdefault(key, e)
        orders = list(itertools.permutations(range(w.n)))
        while self.new:
            state = self.new.pop()
            for env in checks.values():
                for order in orders:
                    self.check(state, env, order)
            for t in range(w.n):
                for env in turns[t]:
                    self.turn(state, t, env)
                    if w.steps.get("full"):
                        self.turn(state, t, env, full=True)
                        self.check_full(state, env, t)
                    if w.steps.get("no_unlink"):
                        self.turn(state, t, env, no_unlink=True)
                    for i in range(w.steps.get("refuse", 0)):
                        self.turn(state, t, env, refuse=1 << i)
            for words, s in self.by_others(state):
                self.reach(s, state, lambda words=words: words)

    # --- a sample of a large one

    def sample(self, rounds):
        rng, w = self.rng, self.w
        pool = self.new  # reach() appends
        orders = list(itertools.permutations(range(w.n)))
        for _ in range(rounds):
            state = pool[rng.randrange(len(pool))] if rng.random() < .7 else pool[-1]
            env = self.draw.env(rng.random() < .6)
            t = rng.randrange(w.n)
            trouble = {}
            if w.steps.get("refuse") and rng.random() < .5:
                trouble["refuse"] = 1 << rng.randrange(8) | 1 << rng.randrange(12)
            if w.steps.get("full") and rng.random() < .15:
                trouble["full"] = True
                self.check_full(state, env, t)
            if w.steps.get("no_unlink") and rng.random() < .2:
                trouble["no_unlink"] = True
            self.turn(state, t, env, **trouble)
            others = list(self.by_others(state))
            if others and rng.random() < .4:
                words, s = rng.choice(others)
                self.reach(s, state, lambda words=words: words)
            env = self.draw.env(rng.random() < .8)
            state = pool[rng.randrange(len(pool))]
            self.check(state, env, rng.choice(orders))
