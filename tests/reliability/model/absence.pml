/* One key at a vendor that lists its tasks: intent, one request, look-ups, at most one more request after a proof.
 *
 * The property: made <= 1, the key is never bought twice, and an attempt whose task exists is never closed as absent.
 * README.md says what is modelled, and which cure each of these switches removes:
 *
 *     LOCAL_CLOCK  SEED_CONTRADICTS  MAYBE_IS_ABSENT  FORGETFUL  NO_SETTLE  NO_INTENT  NO_LOCK
 */

#ifndef TIME
#define TIME 8      /* units of the vendor's time */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef JUMPS
#define JUMPS 1     /* how often the clock here is set forward */
#endif

#define LAG    2    /* an accepted task is in the list after so long at most */
#define SETTLE 2
#define APART  1
#define KEPT   5    /* the list forgets a task after that */
#define AHEAD  3    /* by how much the clock here is set forward */
#define NEVER  255

#if defined(LOCAL_CLOCK) || defined(SEED_CONTRADICTS) || defined(MAYBE_IS_ABSENT) || defined(FORGETFUL)
#define UNCURED
#elif defined(NO_SETTLE) || defined(NO_INTENT) || defined(NO_LOCK)
#define UNCURED
#endif

mtype = { NONE, SUBMITTING, UNCERTAIN, ACCEPTED, ABSENT };

/* the vendor */
byte now = 0;
byte made = 0;
bool taken = false;       /* the task of the present attempt */
byte taken_at, seen_at;
bool reports;             /* it reports the number that it was sent; otherwise one of its own */

/* here */
byte ahead = 0;           /* of the clock here */
byte crashes = 0, jumps = 0;
byte lock = 0;            /* the kernel's: it ends with its holder */

/* the database */
mtype state = NONE;
byte attempts = 0;
byte begun;               /* when the intent was written, by the clock here */
byte ended;               /* when it became uncertain, by the clock here */
byte looked = NEVER;      /* the first look, by the vendor's clock */

#define CRASH if :: skip :: atomic { crashes < CRASHES -> crashes++; goto died } fi

inline request() {
    atomic {
        if
        :: made++;
           assert(made <= 1);
           taken = true; taken_at = now;
           if :: seen_at = now :: seen_at = now + 1 :: seen_at = now + LAG fi
        :: skip           /* it never arrives */
        fi
    }
}

inline intent() {
    atomic { state = SUBMITTING; attempts++; looked = NEVER; taken = false; begun = now + ahead }
}

proctype client() {
    byte date, here, first;
    bool ours, maybe;
start:
    first = NEVER; date = 0; here = 0; ours = false; maybe = false;
#ifndef NO_LOCK
    atomic { lock == 0 -> lock = _pid };
#endif
    CRASH;
    atomic {              /* its submitter is dead */
        if
        :: state == SUBMITTING -> state = UNCERTAIN; ended = now + ahead
        :: else
        fi
    };
    do
    :: (state == NONE || state == ABSENT) && attempts < 2 ->
#ifdef NO_INTENT
        request();
        CRASH;
        intent(); taken = (made > 0);
#else
        atomic {          /* the index of the database: one open attempt for a key */
            if
            :: state == NONE || state == ABSENT -> intent()
            :: else -> goto over
            fi
        };
        CRASH;
        request();
#endif
        CRASH;
        atomic {
            if
            :: state == SUBMITTING && taken -> state = ACCEPTED
            :: state == SUBMITTING -> state = UNCERTAIN; ended = now + ahead      /* the answer is lost */
            :: state != SUBMITTING -> skip
            fi
        };
        CRASH
    :: state == UNCERTAIN ->
        atomic {          /* one reading of the list */
            date = now; here = now + ahead; ours = false; maybe = false;
            if
            :: taken && seen_at <= now && now <= taken_at + KEPT ->
                if
                :: reports -> ours = true
                :: !reports ->
#ifdef SEED_CONTRADICTS
                    skip  /* "another number, so another task" */
#else
                    maybe = true
#endif
                :: maybe = true               /* it runs, and shows nothing yet */
                fi
            :: else
            fi;
            if
            :: !reports ->                    /* somebody else's task; no task of ours is seen to report its number */
#ifdef SEED_CONTRADICTS
                skip
#else
                maybe = true
#endif
            :: skip
            fi
        };
        CRASH;
        if
        :: ours -> atomic { state == UNCERTAIN -> state = ACCEPTED }
#ifndef MAYBE_IS_ABSENT
        :: !ours && maybe -> goto over        /* a person is asked */
        :: !ours && !maybe ->
#else
        :: !ours ->
#endif
            atomic { if :: looked == NEVER -> looked = date :: else fi };
            CRASH;
            if
#ifdef LOCAL_CLOCK
            :: here < ended + SETTLE -> skip
            :: here >= ended + SETTLE ->
#elif defined(NO_SETTLE)
            :: true ->
#else
            :: date < looked + SETTLE -> skip
            :: date >= looked + SETTLE ->
#endif
                if
                :: first == NEVER -> first = date
#ifdef LOCAL_CLOCK
                :: first != NEVER ->
#else
                :: first != NEVER && date < first + APART -> skip
                :: first != NEVER && date >= first + APART ->
#endif
#ifndef FORGETFUL
                    if
                    :: here > begun + KEPT || date > looked + KEPT -> goto over
                    :: else
                    fi;
#endif
                    atomic {
                        if
                        :: state == UNCERTAIN -> state = ABSENT
                        :: else
                        fi;
#ifndef UNCURED
                        assert(state != ABSENT || !taken)
#endif
                    }
                fi
            fi
        fi
    :: state == ACCEPTED -> goto over
    :: goto over                              /* the run ends, by itself or by Ctrl-C */
    od;
died:
over:
    atomic {
        if
        :: lock == _pid -> lock = 0
        :: else
        fi
    };
    goto start
}

active proctype clocks() {
    do
    :: atomic { now < TIME -> now++ }
    :: atomic { jumps < JUMPS -> jumps++; ahead = ahead + AHEAD }
    od
}

init {
    if :: reports = true :: reports = false fi;
    atomic { run client(); run client() }
}
