// SPDX-License-Identifier: Apache-2.0
// The payout protocol: relayers that share one lane under leases, nodes that lag, a chain that
// reorganises. test/model/model.py runs it in the configurations of its table.
//
// The contract of this model neither refuses a second payment nor tells of the first one, so that
// what is proven is the protocol of src/relay and src/store alone.
//
// Where the model stands for several cases of the code it allows more than the code does: times
// (leases, graces, pauses) may run out at any moment, and whatever a node was ever given may be
// mined at any later time. Each action names the function it stands for.

// ---- sizes and how often each fault may happen; model.py sets them

#ifndef NONCES
#define NONCES 3
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2 // transactions signed for one nonce, at most 3
#endif
#ifndef BUMPS
#define BUMPS 0
#endif
#ifndef FILLS
#define FILLS 0 // attempt 3 is then the self-transfer that gives a nonce up
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef TAKEOVERS
#define TAKEOVERS 0 // leases that run out while their holder goes on
#endif
#ifndef REORGS
#define REORGS 0
#endif
#ifndef FOREIGN
#define FOREIGN 0 // nonces used by somebody else
#endif
#ifndef REVERTS
#define REVERTS 0 // executions that pay nothing, or not all of a batch
#endif
#ifndef EVICTIONS
#define EVICTIONS 0 // mempools that forget everything (matters to liveness only)
#endif

#define DEPTH         2           // blocks one reorganisation replaces, at most
#define CONFIRMATIONS (DEPTH + 1) // the setting: such a block cannot be replaced any more
#define JOBS          2
#define BOTH          3 // mask of both jobs
#define NODES         2
#define RELAYERS      2

// ---- the chain, and what each node has of it

#define NOTHING_MINED 0 // 1 to 3: that attempt of ours
#define SOMEBODY_ELSE 4
typedef Chain {
    byte head;          // height; the first block is 1
    int forks;          // two bits a height: which reorganisation made the block. Its hash.
    byte what[NONCES];  // what used the nonce
    byte at[NONCES];    // in the block at this height
    byte paid[NONCES]   // and which jobs that paid
};
Chain chain;       // the truth
Chain node[NODES]; // node 0 follows at once unless LAG_BOTH; node 1 when it likes
byte pool[NONCES]; // attempts some node was ever given, as bits: the miners' choice
byte reorganised;  // so many times
byte crashes = CRASHES, takeovers = TAKEOVERS, reorgs = REORGS, foreign = FOREIGN;
byte reverts = REVERTS, evictions = EVICTIONS, bumps = BUMPS, fills = FILLS;

#define FORK(c, h)   ((c.forks >> (2 * ((h) - 1))) & 3)
#define NONCE(c)     ((c.what[0] != 0) + (c.what[0] != 0 && c.what[1] != 0) + NONCE_LAST(c))
#if NONCES > 2
#define NONCE_LAST(c) (c.what[0] != 0 && c.what[1] != 0 && c.what[2] != 0)
#else
#define NONCE_LAST(c) 0
#endif
// The last block that is final for a node: lane_look.c, read_final; panel.c, final_block
#ifdef BUG_CONFIRM_EARLY
#define RULE (CONFIRMATIONS - 1)
#else
#define RULE CONFIRMATIONS
#endif
#ifdef LIAR_AHEAD // node 1 says that its head is that much further
#define FINAL(i) (node[i].head - RULE + 1 + DEPTH * (i))
#else
#define FINAL(i) (node[i].head - RULE + 1)
#endif

// ---- the store (src/store), and each relayer's memory of it (struct lane_slots)

#define NONE     0
#define OPEN     1
#define MINED    2
#define FINISHED 3 // final
#define FOREIGNED 4 // proven foreign
typedef Slot {
    byte state;
    byte attempts;  // signed for it, as bits
    byte jobs;      // they carry, as bits
    bool unresolved;
    byte in, in_at, in_fork // struct inclusion: attempt, height, hash; of a mined slot
};
typedef Lane {
    bool held;
    byte epoch;
    byte next_nonce;
    Slot slot[NONCES]
};
Lane store;
byte holder = RELAYERS; // of the lease; RELAYERS: nobody
Lane memory[RELAYERS];

#define QUEUED    0
#define BOUND     1 // assigned, sent, mined or unresolved: to one slot
#define CONFIRMED 2
byte job[JOBS];

#define SENT(n, s) ((pool[n] & BIT(NEWEST(s))) != 0)
#define BIT(a)    (1 << ((a) - 1))
#define NEWEST(s) ((s.attempts & 4) -> 3 : ((s.attempts & 2) -> 2 : 1))
#define HAS(set, j) (((set) >> (j)) & 1)
#define PAYS(n, a) (FILLS > 0 && (a) == 3 -> 0 : store.slot[n].jobs)

// ---- promises

#define PROMISE(number, holds) assert((holds) || !number) // pan prints the number
// 1: no job is paid twice, on any canonical chain there ever is.
#if NONCES > 2
#define PAID_LAST(j) HAS(chain.paid[2], j)
#else
#define PAID_LAST(j) 0
#endif
#define PAID_TWICE(j) (HAS(chain.paid[0], j) + HAS(chain.paid[1], j) + PAID_LAST(j) > 1)
#define PROMISE_1     PROMISE(1, !PAID_TWICE(0) && !PAID_TWICE(1))
// 3: a job leaves its slot only where no attempt of the slot can ever pay it.
// 5: a job is confirmed only where the final chain pays it.
#define IS_FINAL(n) (chain.what[n] != 0 && chain.at[n] + DEPTH <= chain.head)
#ifdef PROMISE_1_ALONE
#define PROMISE_3(n, j) skip
#define PROMISE_5(n, j) skip
#else
#define PROMISE_3(n, j) PROMISE(3, IS_FINAL(n) && !HAS(chain.paid[n], j))
#define PROMISE_5(n, j) PROMISE(5, IS_FINAL(n) && HAS(chain.paid[n], j))
#endif
// 4: what is sent is in the store.
#define PROMISE_4(n, a) PROMISE(4, store.slot[n].attempts & BIT(a))

// What the model can do is shown as well: with REACH set, getting there is the violation.
#ifndef REACH
#define REACH 0
#endif
#define REACHED(number, there) assert(!(REACH == number && (there)))

// ---- blocks

inline sync(i)
{
    d_step {
        node[i].head = chain.head;
        node[i].forks = chain.forks;
        k = 0;
        do
        :: k < NONCES ->
            node[i].what[k] = chain.what[k];
            node[i].at[k] = chain.at[k];
            node[i].paid[k] = chain.paid[k];
            k++
        :: else -> break
        od;
        k = 0
    }
}

#ifdef LAG_BOTH
#define FOLLOW skip
#else
#define FOLLOW sync(0)
#endif

// One more nonce in the block that is being made: any of ours that a node was given, or a foreign
// transaction. A payment may revert, a batch may pay some of its jobs only.
inline include()
{
    k = NONCE(chain);
    if
    :: pool[k] & 1 -> a = 1; p = PAYS(k, 1)
    :: pool[k] & 2 -> a = 2; p = PAYS(k, 2)
    :: pool[k] & 4 -> a = 3; p = PAYS(k, 3)
    :: foreign > 0 -> a = SOMEBODY_ELSE; p = 0; foreign--
    fi;
    if
    :: true
    :: p != 0 && reverts > 0 -> p = 0; reverts--
    :: p == BOTH && reverts > 0 -> p = 1; reverts--
    :: p == BOTH && reverts > 0 -> p = 2; reverts--
    fi;
    chain.what[k] = a;
    chain.at[k] = chain.head;
    chain.paid[k] = p;
    k = 0; a = 0; p = 0
}

#define CAN_INCLUDE (NONCE(chain) < NONCES && (pool[NONCE(chain)] != 0 || foreign > 0))
#define RIPENS(n) (chain.what[n] != 0 && !IS_FINAL(n))
#if NONCES > 2
#define SOMETHING_RIPENS (RIPENS(0) || RIPENS(1) || RIPENS(2))
#else
#define SOMETHING_RIPENS (RIPENS(0) || RIPENS(1))
#endif

inline new_block()
{
    chain.head++;
    chain.forks = chain.forks | (reorganised << (2 * (chain.head - 1)))
}

// Up to three nonces in one block.
inline fill_block()
{
    do
    :: CAN_INCLUDE -> include()
    :: break
    od
}

inline drop_blocks(depth)
{
    d_step {
        chain.head = chain.head - depth;
        chain.forks = chain.forks & ((1 << (2 * chain.head)) - 1);
        k = 0;
        do
        :: k < NONCES ->
            if
            :: chain.at[k] > chain.head ->
                chain.what[k] = 0;
                chain.at[k] = 0;
                chain.paid[k] = 0
            :: else
            fi;
            k++
        :: else -> break
        od;
        k = 0
    }
}

// A block comes only where it changes something: it holds a transaction, or it makes one final.
proctype miners()
{
    byte k, a, p;
end_miners:
    do
    :: atomic { CAN_INCLUDE -> new_block(); include(); fill_block(); PROMISE_1; FOLLOW }
    :: atomic { SOMETHING_RIPENS -> new_block(); FOLLOW }
#if REORGS > 0
    // As many blocks take the place of those that go.
    :: atomic {
        reorgs > 0 && chain.head >= 1 && SOMETHING_RIPENS ->
        reorgs--;
        reorganised++;
        drop_blocks(1);
        new_block();
        fill_block();
        PROMISE_1;
        FOLLOW
    }
    :: atomic {
        reorgs > 0 && chain.head >= 2 && SOMETHING_RIPENS ->
        reorgs--;
        reorganised++;
        drop_blocks(2);
        new_block();
        fill_block();
        new_block();
        fill_block();
        PROMISE_1;
        FOLLOW
    }
#endif
#if EVICTIONS > 0
    :: atomic {
        evictions > 0 && (pool[0] != 0 || pool[1] != 0) ->
        evictions--;
        pool[0] = 0;
        pool[1] = 0;
#if NONCES > 2
        pool[2] = 0
#endif
    }
#endif
    od
}

#define BEHIND(i) (node[i].head != chain.head || node[i].forks != chain.forks)

proctype node_1()
{
    byte k;
end_node:
    do
    :: atomic { BEHIND(1) -> sync(1) }
    od
}

#ifdef LAG_BOTH
proctype node_0()
{
    byte k;
end_node:
    do
    :: atomic { BEHIND(0) -> sync(0) }
    od
}
#endif

// ---- one relayer

#define ME       memory[me]
#define OTHER    memory[1 - me]
#define MY(n)    ME.slot[n]
#define THE(n)   store.slot[n]

// lanes.c, lane_check: every write of a step is refused where the epoch is another.
#ifdef BUG_NO_EPOCH
#define MAY_WRITE ME.held
#else
#define MAY_WRITE (ME.held && ME.epoch == store.epoch)
#endif

#define MY_OPEN(n)  (MAY_WRITE && MY(n).state == OPEN && THE(n).state == OPEN)
#define MY_MINED(n) (MAY_WRITE && MY(n).state == MINED && THE(n).state == MINED)

inline forget() // lane.c, lane_forget
{
    d_step {
        ME.held = false;
        ME.epoch = 0;
        ME.next_nonce = 0;
        k = 0;
        do
        :: k < NONCES ->
            MY(k).state = NONE;
            MY(k).attempts = 0;
            MY(k).jobs = 0;
            MY(k).unresolved = false;
            MY(k).in = 0;
            MY(k).in_at = 0;
            MY(k).in_fork = 0;
            k++
        :: else -> break
        od;
        k = 0
    }
}

// Of what a relayer remembers that has lost its lease unawares, only what it may still send
// matters: all it would write is refused. The rest is dropped, so that the states are fewer.
#ifdef BUG_NO_EPOCH
#define OUTDATE skip
#else
#define OUTDATE outdate()
#endif
inline outdate()
{
    OTHER.next_nonce = 0;
    k = 0;
    do
    :: k < NONCES ->
        if
        :: OTHER.slot[k].state != OPEN || (evictions == 0 && SENT(k, OTHER.slot[k])) ->
            OTHER.slot[k].state = NONE;
            OTHER.slot[k].attempts = 0
        :: else
        fi;
        OTHER.slot[k].jobs = 0;
        OTHER.slot[k].unresolved = false;
        OTHER.slot[k].in = 0;
        OTHER.slot[k].in_at = 0;
        OTHER.slot[k].in_fork = 0;
        k++
    :: else -> break
    od
}

// lane.c, take_lease and load_slots; lanes.c, lane_acquire: the epoch grows each time
inline acquire()
{
    d_step {
        OUTDATE;
        holder = me;
        store.epoch++;
        ME.held = true;
        ME.epoch = store.epoch;
        ME.next_nonce = store.next_nonce;
        k = 0;
        do
        :: k < NONCES ->
            if
            :: THE(k).state == OPEN || THE(k).state == MINED -> // slots.c, slots_unfinished
                MY(k).state = THE(k).state;
                MY(k).attempts = THE(k).attempts;
                MY(k).jobs = THE(k).jobs;
                MY(k).unresolved = THE(k).unresolved;
                MY(k).in = THE(k).in;
                MY(k).in_at = THE(k).in_at;
                MY(k).in_fork = THE(k).in_fork
            :: else
            fi;
            k++
        :: else -> break
        od;
        k = 0
    }
}

// ---- assigning: lane_work.c, work_assign and add_new_slots; slot_assign.c, slot_assign: nonce,
// slot, attempt and jobs in one transaction. The preflight always says that it pays.

#define ASSIGNABLE(set)                                                                            \
    ((!HAS(set, 0) || job[0] == QUEUED) && (!HAS(set, 1) || job[1] == QUEUED))
#define NONCE_LEFT (ME.next_nonce < NONCES && ME.next_nonce == store.next_nonce)
// The nonces somebody else used come first.
#define UNUSED (NONCE(node[0]) <= ME.next_nonce || NONCE(node[1]) <= ME.next_nonce)
#define USED   (NONCE(node[0]) > ME.next_nonce || NONCE(node[1]) > ME.next_nonce)

// The jobs of a slot are claimed with it.
#ifdef BUG_CLAIM_APART
#define CLAIMED(set) 0 // in a transaction of its own, which a crash forestalls
#else
#define CLAIMED(set) (set)
#endif
inline bind(set)
{
    d_step {
        k = ME.next_nonce;
        THE(k).state = OPEN;
        THE(k).attempts = 1;
        THE(k).jobs = set;
        MY(k).state = OPEN;
        MY(k).attempts = 1;
        MY(k).jobs = set;
        store.next_nonce++;
        ME.next_nonce++;
        if
        :: HAS(CLAIMED(set), 0) -> job[0] = BOUND
        :: else
        fi;
        if
        :: HAS(CLAIMED(set), 1) -> job[1] = BOUND
        :: else
        fi;
        k = 0
    }
}

// ---- sending: lane_send.c, send_step: the newest bytes of an open slot. No look at the lease: who
// has lost it unawares sends what is in its memory. That an answer is lost changes nothing.

#define SENDABLE(n) (ME.held && MY(n).state == OPEN && !SENT(n, MY(n)) && !IS_FINAL(n))
inline send(n)
{
    PROMISE_4(n, NEWEST(MY(n)));
    REACHED(7, ME.epoch != store.epoch);
    pool[n] = pool[n] | BIT(NEWEST(MY(n)))
}

// ---- mending: plan_mend.c, plan_mend; slot_assign.c, attempt_add

#define MENDABLE(n) (MY_OPEN(n) && !MY(n).unresolved)
#define BUMPABLE(n) (MENDABLE(n) && bumps > 0 && NEWEST(MY(n)) < ATTEMPTS)
#define FILLABLE(n) (MENDABLE(n) && fills > 0 && NEWEST(MY(n)) < 3 && MY(n).jobs != 0)

inline add_attempt(n, which)
{
    THE(n).attempts = THE(n).attempts | BIT(which);
    MY(n).attempts = MY(n).attempts | BIT(which)
}

// ---- judging: plan_track.c, plan_track, on what lane_look.c has read; each call may be answered
// by another node

// A node has a receipt of an attempt we know of.
#ifdef BUG_FORGET_HASHES
#define ASKED(n) BIT(NEWEST(MY(n)))
#else
#define ASKED(n) (MY(n).attempts)
#endif
#define RECEIPT(i, n)                                                                              \
    (node[i].what[n] != 0 && node[i].what[n] != SOMEBODY_ELSE &&                                   \
     (ASKED(n) & BIT(node[i].what[n])) != 0)
#define KNOWN(i, n)                                                                                \
    (MY(n).state == MINED && MY(n).in == node[i].what[n] && MY(n).in_at == node[i].at[n] &&        \
     MY(n).in_fork == FORK(node[i], node[i].at[n]))
// A node has the block the slot was mined in; or another one at its height.
#define SAME_BLOCK(i, n)                                                                           \
    (node[i].head >= MY(n).in_at && FORK(node[i], MY(n).in_at) == MY(n).in_fork)
#ifdef BUG_NO_BLOCK_HASH
#define SEEN_BLOCK(i, n) (node[i].head >= MY(n).in_at)
#else
#define SEEN_BLOCK(i, n) SAME_BLOCK(i, n)
#endif
#define OTHER_BLOCK(i, n)                                                                          \
    (node[i].head >= MY(n).in_at && FORK(node[i], MY(n).in_at) != MY(n).in_fork)

// TRACK_MINED; slot_track.c, slot_mined. The node that has the receipt has its block as well.
#define SEES_MINED(i, n)                                                                           \
    (MAY_WRITE && (MY(n).state == OPEN || MY(n).state == MINED) &&                                 \
     (THE(n).state == OPEN || THE(n).state == MINED) && RECEIPT(i, n) && !KNOWN(i, n))

inline put(n, now_, by_, height_, made_)
{
    REACHED(2, now_ == OPEN);
    REACHED(8, MY(n).unresolved);
    REACHED(9, now_ == MINED && MY(n).state == MINED);
    THE(n).state = now_;
    THE(n).in = by_;
    THE(n).in_at = height_;
    THE(n).in_fork = made_;
    THE(n).unresolved = false;
    MY(n).state = now_;
    MY(n).in = by_;
    MY(n).in_at = height_;
    MY(n).in_fork = made_;
    MY(n).unresolved = false
}

inline put_mined(i, n)
{
    put(n, MINED, node[i].what[n], node[i].at[n], FORK(node[i], node[i].at[n]))
}

// lane_agree.c, agree_on_tracks: both endpoints must share the verdicts that end a slot or take it
// back (FINALITY_ENDPOINTS=2, the default for two); each is asked by itself. With
// FINALITY_ENDPOINTS=1 the word of either is enough.
#ifdef ONE_ENDPOINT
#define AGREED(said, n) (said(0, n) || said(1, n))
#else
#define AGREED(said, n) (said(0, n) && said(1, n))
#endif

// TRACK_UNMINED; slot_track.c, slot_unmined
#ifdef BUG_NO_UNMINED
#define SEES_UNMINED(n) false
#else
#define SEES_UNMINED(n) (MY_MINED(n) && AGREED(OTHER_BLOCK, n))
#endif

// TRACK_FINAL: the block is one that is final for the endpoint that says so. panel.c, ask_witness
#ifdef BUG_MIXED_NODES
// ... or for the other one.
#define SAYS_FINAL(i, n)                                                                           \
    (SEEN_BLOCK(i, n) && (FINAL(0) >= MY(n).in_at || FINAL(1) >= MY(n).in_at))
#else
#define SAYS_FINAL(i, n) (SEEN_BLOCK(i, n) && FINAL(i) >= MY(n).in_at)
#endif
#ifdef ONE_ENDPOINT
#define SEES_FINAL(i, n) (MY_MINED(n) && SAYS_FINAL(i, n))
#else
#define SEES_FINAL(i, n) ((i) == 0 && MY_MINED(n) && AGREED(SAYS_FINAL, n))
#endif

// slot_settle.c, jobs_settle: back to the queue, where PROMISE_3 must hold.
inline requeue(n, set)
{
    if
    :: HAS(set, 0) -> PROMISE_3(n, 0); job[0] = QUEUED
    :: else
    fi;
    if
    :: HAS(set, 1) -> PROMISE_3(n, 1); job[1] = QUEUED
    :: else
    fi
}
inline confirm(n, set)
{
    if
    :: HAS(set, 0) -> PROMISE_5(n, 0); job[0] = CONFIRMED
    :: else
    fi;
    if
    :: HAS(set, 1) -> PROMISE_5(n, 1); job[1] = CONFIRMED
    :: else
    fi
}
inline end_slot(n, now_)
{
#ifndef PROMISE_1_ALONE
    pool[n] = 0; // the nonce is used for good (promise 3): none of it can be mined any more
#endif
    THE(n).state = now_;
    THE(n).attempts = 0;
    THE(n).jobs = 0;
    THE(n).unresolved = false;
    THE(n).in = 0;
    THE(n).in_at = 0;
    THE(n).in_fork = 0;
    MY(n).state = NONE;
    MY(n).attempts = 0;
    MY(n).jobs = 0;
    MY(n).unresolved = false;
    MY(n).in = 0;
    MY(n).in_at = 0;
    MY(n).in_fork = 0
}
// plan_settle.c, plan_settle; slot_settle.c, slot_final: what was paid is confirmed, the rest goes
// back.
inline settle(i, n)
{
    d_step {
        REACHED(4, MY(n).in != 3 && node[i].paid[n] == 0);
        REACHED(5, MY(n).jobs == BOTH && node[i].paid[n] != 0 && node[i].paid[n] != BOTH);
        REACHED(6, FILLS > 0 && MY(n).in == 3);
        confirm(n, (MY(n).jobs & node[i].paid[n]));
        requeue(n, (MY(n).jobs & (BOTH ^ node[i].paid[n])));
        end_slot(n, FINISHED)
    }
}

// ---- unresolved: our nonce is used, and one node knows none of our hashes

#define ABSENT(i, n) (!RECEIPT(i, n))
#define SEES_USED(n)                                                                               \
    (MY_OPEN(n) && !MY(n).unresolved &&                                                            \
     (NONCE(node[0]) > n || NONCE(node[1]) > n) && (ABSENT(0, n) || ABSENT(1, n)))
// TRACK_FREED: a reorganisation gave the nonce back. panel.c, panel_nonce_is_free
#define SAYS_FREE(i, n) (NONCE(node[i]) <= n)
#define SEES_FREED(n)                                                                              \
    (MY_OPEN(n) && MY(n).unresolved && AGREED(SAYS_FREE, n))
inline set_unresolved(n, doubt)
{
    REACHED(3, MY(n).unresolved && !(doubt));
    THE(n).unresolved = doubt;
    MY(n).unresolved = doubt
}

// proof.c, proof_seek: every witness has the block that is final for the lane, by hash; the block is
// final for the witness as well; there the nonce is used; and it knows a receipt for none of our
// hashes. Then slot_settle.c, slot_foreign.
#ifdef BUG_PROOF_BY_ONE_HEAD
#define FINAL_TOO(i, f) true
#elif defined(BUG_PROOF_NOT_FINAL)
#define FINAL_TOO(i, f) true
#else
#define FINAL_TOO(i, f) ((f) <= FINAL(i))
#endif
#define WITNESS(i, n, f)                                                                           \
    (node[i].head >= (f) && FINAL_TOO(i, f) && node[i].what[n] != 0 && node[i].at[n] <= (f) &&     \
     ABSENT(i, n))
#ifdef BUG_PROOF_NOT_FINAL
#define PROOF_BLOCK(x) node[x].head
#else
#define PROOF_BLOCK(x) FINAL(x)
#endif
#define PROVEN(n, f)                                                                               \
    ((f) >= 1 && WITNESS(0, n, f) && WITNESS(1, n, f) && FORK(node[0], f) == FORK(node[1], f))
#ifdef BUG_NO_PROOF
#define SEES_FOREIGN(n) false
#else
#define SEES_FOREIGN(n)                                                                            \
    (MY_OPEN(n) && MY(n).unresolved && (PROVEN(n, PROOF_BLOCK(0)) || PROVEN(n, PROOF_BLOCK(1))))
#endif
inline give_back(n)
{
    d_step {
        REACHED(1, MY(n).jobs != 0);
        requeue(n, MY(n).jobs);
        end_slot(n, FOREIGNED)
    }
}

// What a worse relayer would do; model.py shows that each is found.
#if defined(BUG_RENONCE)
// "nonce too low", and one node knows no receipt: paid anew, with another nonce.
#define BUG_GIVES_BACK(n)                                                                          \
    (MY_OPEN(n) && (NONCE(node[0]) > n || NONCE(node[1]) > n) && (ABSENT(0, n) || ABSENT(1, n)))
#elif defined(BUG_ONE_NULL)
// The nonce is used for good, and one node knows no receipt.
#define USED_AT(i, n) (node[i].what[n] != 0 && node[i].at[n] <= FINAL(i))
#define BUG_GIVES_BACK(n)                                                                          \
    (MY_OPEN(n) && (USED_AT(0, n) || USED_AT(1, n)) && (ABSENT(0, n) || ABSENT(1, n)))
#elif defined(BUG_REQUEUE_UNMINED)
#define BUG_GIVES_BACK(n) (MY_MINED(n) && (OTHER_BLOCK(0, n) || OTHER_BLOCK(1, n)))
#elif defined(BUG_REVERT_NOT_FINAL)
#define REVERTED(i, n) (RECEIPT(i, n) && (node[i].paid[n] & MY(n).jobs) == 0)
#define BUG_GIVES_BACK(n) (MY_OPEN(n) && MY(n).jobs != 0 && (REVERTED(0, n) || REVERTED(1, n)))
#else
#define BUG_GIVES_BACK(n) false
#endif

#define OF_SLOT(n)                                                                                 \
    :: atomic { SENDABLE(n) -> send(n) }                                                           \
    :: atomic { SEES_MINED(0, n) -> put_mined(0, n) }                                              \
    :: atomic { SEES_MINED(1, n) -> put_mined(1, n) }                                              \
    :: atomic { SEES_UNMINED(n) -> put(n, OPEN, 0, 0, 0) }                            \
    :: atomic { SEES_FINAL(0, n) -> settle(0, n) }                                                 \
    :: atomic { SEES_FINAL(1, n) -> settle(1, n) }                                                 \
    :: atomic { SEES_USED(n) -> set_unresolved(n, true) }                                          \
    :: atomic { SEES_FREED(n) -> set_unresolved(n, false) }                                        \
    :: atomic { SEES_FOREIGN(n) || BUG_GIVES_BACK(n) -> give_back(n) }

#define BUMP_OF_SLOT(n)                                                                            \
    :: atomic { BUMPABLE(n) -> bumps--; add_attempt(n, (NEWEST(MY(n)) + 1)) }
#define FILL_OF_SLOT(n)                                                                            \
    :: atomic { FILLABLE(n) -> fills--; add_attempt(n, 3) }

proctype relayer(byte me)
{
    byte k;
end_relayer:
    do
    // A new process, one that lost its lease, or one that waits for another's to run out.
    :: atomic {
        !ME.held && (holder == me || (holder == RELAYERS && me == 0)) ->
        acquire()
    }
    :: atomic {
        !ME.held && holder != RELAYERS && holder != me && takeovers > 0 ->
        takeovers--;
        acquire()
    }
    // Killed: what is not in the store is gone.
    :: atomic { ME.held && crashes > 0 -> crashes--; forget() }
    // STATUS_DENIED: its next write tells it that the lease is lost.
    :: atomic { ME.held && ME.epoch != store.epoch -> forget() }
    :: atomic { MAY_WRITE && NONCE_LEFT && UNUSED && ASSIGNABLE(1) -> bind(1) }
    // Before the first of them is bound the jobs differ in nothing.
    :: atomic { MAY_WRITE && NONCE_LEFT && UNUSED && ASSIGNABLE(2) && ME.next_nonce > 0 -> bind(2) }
    :: atomic { MAY_WRITE && NONCE_LEFT && UNUSED && ASSIGNABLE(3) -> bind(3) }
    // lane_work.c, absorb: a nonce somebody else used before we did gets an empty slot.
    :: atomic { FOREIGN > 0 && MAY_WRITE && NONCE_LEFT && USED -> bind(0) }
#ifdef BUG_BUMP_NEW_NONCE
    :: atomic { MAY_WRITE && NONCE_LEFT && job[0] == BOUND && MY(0).jobs == 1 -> bind(1) }
#endif
#ifdef BUG_SEND_FIRST
    :: atomic { MENDABLE(0) && bumps > 0 -> PROMISE_4(0, 2); pool[0] = pool[0] | BIT(2) }
#endif
    OF_SLOT(0)
    OF_SLOT(1)
    BUMP_OF_SLOT(0)
    BUMP_OF_SLOT(1)
    FILL_OF_SLOT(0)
    FILL_OF_SLOT(1)
#if NONCES > 2
    OF_SLOT(2)
    BUMP_OF_SLOT(2)
    FILL_OF_SLOT(2)
#endif
    od
}

init
{
    atomic {
        run miners();
        run node_1();
#ifdef LAG_BOTH
        run node_0();
#endif
        run relayer(0);
        run relayer(1)
    }
}

#ifdef LIVENESS
ltl both_paid { <> (job[0] == CONFIRMED && job[1] == CONFIRMED) }
#endif
