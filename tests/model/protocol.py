# SPDX-License-Identifier: MIT
"""One turn of the protocol: what handler/converge does for one name under the lock.

The state is what outlives a process: records, owners, kernel. Sets are bit masks.
  records[t]   the objects and tables on the record of name t (IFACE.record); 0: no file
  owners[k]    the owner of object or table k (owners/OBJECT): 0 nobody; t + 1 a link to
               t; negative: a folder of links (steer), minus the mask of the names in it;
               NOBODY: a link to no name
  kernel       our objects, and those of strangers
Drop-ins and links may be others at each turn, and so are no state (Env of world.py).
"""
from world import NOBODY, UNKNOWN, bits


def holders(records, owner, k):  # nobody: no link, or one to a name without k on record
    if owner == NOBODY:
        return 0
    names = (1 << (owner - 1)) if owner > 0 else -owner
    return sum(1 << u for u in bits(names) if records[u] >> k & 1)


def stays_as_it_is(w, state, t, env):
    """The drop-in cannot be read. Without a link nothing is wanted but by when_gone."""
    kept = state[0][t] & w.kept and w.fault != "nokept"
    return env.drop_ins[t] == UNKNOWN and (env.links[t] is not None or kept)


class Turn:
    """A turn of name t. out gets the state after each step, where a kill may end it.
    refuse: a mask of the requests, in order, that the kernel refuses. full: no record and
    no owner can be written (taken away they can be). no_unlink: no owner can be taken
    away."""

    def __init__(self, w, state, t, env, out=None, refuse=0, full=False, no_unlink=False):
        self.w, self.t, self.env, self.out = w, t, env, out
        self.refuse, self.full, self.no_unlink = refuse, full, no_unlink
        self.records, self.owners, self.kernel = list(state[0]), list(state[1]), state[2]
        self.kernel &= env.alive
        self.old, self.want = state[0][t], env.want[t]
        self.count = 0  # of requests
        # deletes that failed; adds that met a stranger's, that failed, that were done
        self.kept = self.taken = self.refused = self.done = 0
        self.hijacks = False  # others' packets could be taken at some moment
        self.robs = False  # what another has in a table that it holds was taken away
        self.turning = 0  # tables of my own that become shared

    def now(self):
        return tuple(self.records), tuple(self.owners), self.kernel

    def step(self):
        if self.out is not None:
            self.out.append(self.now())

    def owner(self, k):
        return self.owners[self.w.owner_of[k]]

    def mine(self, k):
        o = self.owner(k)
        return o == self.t + 1 or (o < 0 and -o >> self.t & 1)

    def others(self, k):
        return holders(self.records, self.owner(k), k) & ~(1 << self.t)

    # 1. the conflict check

    def in_conflict(self):
        """Another holds a table that I want, and its drop-in still claims it, or cannot
        be read. Sharing (steer) is no conflict; but a table that becomes shared, or is no
        longer, its holders have to leave first."""
        w, env = self.w, self.env
        for k in bits(self.want & w.table_keys):
            b, folder = 1 << k, self.owner(k) < 0
            shared = env.steers[self.t] & b
            if folder and shared and self.mine(k) and w.fault != "mutual":
                continue  # I share it already
            for u in bits(self.others(k)):
                if folder != bool(shared) and w.fault != "kinds":
                    return True
                if env.drop_ins[u] == UNKNOWN:
                    both = shared and folder
                else:
                    both = shared and env.steers[u] & b
                if env.claims[u] & b and not both:
                    return w.fault != "steal"
        return False

    # 2. the record of old plus new, then the owners

    def write_owner(self, k):
        folder = 1 << k & (self.w.shared | self.env.steers[self.t])
        if self.mine(k) and (self.owner(k) < 0) == bool(folder):
            return True
        if self.turns(k) and self.w.fault != "turned":
            self.turning |= 1 << k
            folder = 0
            if self.owner(k) == self.t + 1:
                return True
        k = self.w.owner_of[k]
        if self.owners[k] and (self.owners[k] < 0) != bool(folder):
            self.change_kind(k)
        if self.full:
            return False
        names = -self.owners[k] if self.owners[k] < 0 else 0
        self.owners[k] = -(names | 1 << self.t) if folder else self.t + 1
        self.step()
        return True

    def change_kind(self, k):
        """A link where a folder is needed, or the reverse: they change places."""
        if self.w.fault == "neither":
            self.owners[k] = 0
            self.step()

    def clear_tables(self):
        """A table that becomes shared may hold what a name has left there that had it
        before, and has had no turn since."""
        for k in bits(self.want & self.w.shared):
            table = self.w.table_of[k].bit_length() - 1
            left = self.kernel & self.w.never[k] & ~self.goes()
            if self.owner(table) >= 0 and left and self.w.fault != "uncleared":
                self.robs |= self.others(table) > 0
                self.kernel &= ~left
                self.step()

    def is_new(self, k):  # as far as owners tell
        return self.owner(k) in (0, self.t + 1)

    def clear_shared(self):
        """And one that becomes a name's own the rule of those whose records are lost."""
        own = self.want & self.w.table_keys & ~self.env.steers[self.t]
        left = sum(1 << k for k in bits(self.kernel & self.w.shared & ~self.goes())
                   if self.w.table_of[k] & own)
        fresh = all(self.is_new(k) for k in bits(own))
        if left and not fresh and self.w.fault != "unshared":
            self.kernel &= ~left
            self.step()

    def turns(self, k):
        """My own table becomes shared: until nothing there is for all, nobody may join."""
        return self.env.steers[self.t] >> k & 1 and self.owner(k) >= 0 and any(
            self.w.never[n] & self.old for n in self.shared_of(k))

    def shared_of(self, table):
        return [n for n in bits(self.w.shared) if self.w.table_of[n] >> table & 1]

    def write_owners(self):
        only = self.w.table_keys if self.w.fault == "table" else self.w.owned
        tables = self.want & only & self.w.table_keys
        return all(self.write_owner(k)
                   for k in [*bits(tables), *bits(self.want & only & ~tables)])

    def write_ahead(self):
        """True: go on. A plan of deletes alone writes nothing here."""
        fault = self.w.fault
        if not self.want:
            return not (fault == "ownerwrite" and self.old and self.full)
        if self.old | self.want != self.old:
            if self.full and fault != "carryon":
                return False
            if not self.full:
                self.records[self.t] = self.old | self.want
                self.step()
        if fault != "late":
            self.clear_shared()
        self.clear_tables()
        written = self.write_owners()
        if fault == "late":
            self.clear_shared()
        return written or fault == "carryon"

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
        if fault == "ownerpriority" and b & self.w.shared:
            return not -min(self.owner(k), 0) & ~(1 << self.t)
        # mine, or nobody's
        return not holders(self.records, self.owner(k), k) & ~(1 << self.t)

    def goes(self):  # what the plan will delete
        gone = self.old & ~self.want & self.w.ours
        return sum(1 << k for k in bits(gone) if self.deletable(k))

    def left_rules(self):
        """All shared rules of a table that I shared, and nobody does from now on: also one
        of another priority, which a lost record had."""
        left = [n for k in bits(self.old & ~self.want & self.w.table_keys)
                if self.owner(k) < 0 and not self.others(k) for n in self.shared_of(k)]
        return self.kernel & sum(1 << n for n in left) if self.w.fault != "left" else 0

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
        elif self.kernel & self.w.careless[k]:  # the first that fits
            self.kernel &= ~(1 << next(bits(self.kernel & self.w.careless[k])))
        elif self.kernel & b:
            self.delete_first(b, self.kernel & self.w.ahead[k])
        elif self.w.fault == "unguarded" and not self.kernel & self.w.in_table[k]:
            self.kernel &= ~self.w.hit[k]  # the kernel's look-up ends at what is for all
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
            self.done |= b

    def send(self):
        """What stands in a wanted object's slot goes right before it, all else last."""
        w = self.w
        gone = self.goes() | self.left_rules()
        # a rule is looked for before it is deleted
        self.seen = self.kernel if w.fault not in ("blind", "nolook") else -1
        if w.fault == "deletesfirst":
            self.delete_all(gone)
            gone = 0
        # for the rules that come: the shared one has to go first
        last = sum(1 << k for k in bits(self.want & w.ours)
                   if gone & w.never[k] & w.shared and w.fault != "order")
        for k in [*bits(self.want & w.ours & ~last), *bits(last)]:
            way = w.slot[k] | (w.never[k] if w.fault != "order" else 0)
            for g in bits(gone & way):
                self.delete(g)
                gone &= ~(1 << g)
            self.add(k)
            self.together()
        self.delete_all(gone)

    def together(self):
        """Notes what no packet may ever meet: see packets.py."""
        k = self.kernel
        self.hijacks |= any(k & self.w.never[n] for n in bits(k & self.w.shared))

    def delete_all(self, gone):
        if self.w.steps.get("split"):
            self.step()  # beyond 128 requests it is several sends, adds first
        for g in sorted(bits(gone), reverse=True):
            self.delete(g)
        self.step()

    def evict(self):
        """The second send: the first also asked for the default routes of my table."""
        w = self.w
        for k in bits(self.want & w.routes):
            where = w.others if w.fault != "otherlink" else w.elsewhere
            if w.all[k][0] == "from" and self.done >> k & 1:
                continue  # it has not been looked for: who had the source has a record
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
        return ret | self.want & w.marks | w.tables_of(ret)

    def turn_tables(self, hold):
        w = self.w
        for k in bits(self.turning):
            if any(w.never[n] & hold for n in self.shared_of(k)):
                continue
            self.change_kind(k)
            self.owners[k] = -(1 << self.t)
            self.step()

    def write_after(self):
        hold = self.holds()
        self.turn_tables(hold)
        for k in bits((self.old | self.want) & ~hold & self.w.owned):
            if not self.mine(k):
                continue
            if self.no_unlink:
                return  # the record keeps what I own
            k = self.w.owner_of[k]
            o = self.owners[k]
            self.owners[k] = 0 if o > 0 else -(-o & ~(1 << self.t))
            self.step()
        if self.records[self.t] != hold and not (self.full and hold):
            self.records[self.t] = hold
            self.step()

    def run(self, state):
        """Returns whether it did nothing, as another has a table that it wants."""
        if stays_as_it_is(self.w, state, self.t, self.env):
            return False
        if self.in_conflict():
            return True
        if self.write_ahead():
            self.send()
            self.evict()
            self.write_after()
        return False


def converge(w, state, t, env, out=None, **trouble):
    """Returns the state after a turn of t; see Turn."""
    turn = Turn(w, state, t, env, out, **trouble)
    turn.run(state)
    return turn.now()


def rounds(w, state, env, order):
    """As apply --all: who waits for a table until its holder has left it gets one more
    turn, as long as one less waits. Returns the state and who waits still."""
    waiting = order
    while True:
        left = []
        for t in waiting:
            turn = Turn(w, state, t, env)
            if turn.run(state):
                left.append(t)
            state = turn.now()
        if not left or len(left) == len(waiting):
            return state, left
        waiting = left


def waits_for(w, state, t, env):
    """Whose tables are in the way of a turn of t, which they hold in the other way."""
    turn = Turn(w, state, t, env)
    return {u for k in bits(turn.want & w.table_keys)
            if (turn.owner(k) < 0) != bool(env.steers[t] >> k & 1)
            for u in bits(turn.others(k))}
