/*
 * The protocol by which events are counted exactly once: one partition of a log, two workers, the database, the roll-up.
 *
 * What is modelled                         where it is in the code
 *   position, lock, compare and move       streams/worker/store.py, sql/queries/stream.sql
 *   start at the database's position       streams/worker/transport.py
 *   acknowledgement after the commit       streams/worker/agent.py
 *   known gaps after retention             streams/worker/store.py (_skip_gap)
 *   the watchdog                           streams/worker/watchdog.py
 *   a topic's id, halts, their acceptance  streams/worker/stored_position.py, store.py (_lock), acceptance.py
 *   revisions, contributions taken back    streams/rules/classify.py, streams/worker/store.py
 *   fold of contributions into cells       streams/rollup/
 *
 * What may go wrong: a process dies between any two steps; a worker keeps a batch while its partition is given to the
 * other one (a zombie); the client loses a fetch that it had delivered; Kafka deletes records that were not read;
 * the topic is deleted and made again, with other events under the same offsets.
 * Each may happen a bounded number of times, at any moment.
 *
 * A record's amount is its revision, so that the cell must end at the sum of the highest revisions that were counted.
 * Every macro M_... breaks one promise; the check must then fail (tests/model/test_protocol_model.py).
 */

#define EVENTS 3
#define WORKERS 2
#define NOBODY 255

/* Events of the topic, then those of the topic that is made again under its name. */
#define EVENT(id, offset) ((id) * EVENTS + (offset))
byte revision_of[2 * EVENTS];                   /* event -> revision, chosen in any order */
#define RECORD(event) (((event) % EVENTS) % 2)  /* offsets 0 and 2 are of record 0, offset 1 is of record 1 */

/* ---- Kafka */
byte topic_id = 0;
bool complete = false;                          /* the sector has sent everything, and nobody makes the topic again */
byte log_end = 0;                               /* events that were appended */
byte log_start = 0;                             /* what lies below was deleted by retention */
byte group_offset = 0;                          /* what the consumer group has acknowledged; for monitoring only */
byte owner = 0;                                 /* the worker that the partition is assigned to */

/* ---- the database; each is changed by a commit only */
byte position = 0;
byte stored_id = 0;                             /* of the topic that the position counts in */
bool halted = false;                            /* nothing is stored until an operator has looked */
byte counted[2 * EVENTS];                       /* how often an event was written, by the account of its batches */
bool gap[2 * EVENTS];                           /* recorded: Kafka deleted it unread */
byte standing[2];                               /* record -> revision that counts; 0 = none */
short waiting = 0;                              /* contributions that wait for the roll-up */
short cell = 0;
byte lock = NOBODY;                             /* the position's row lock */

/* ---- faults that are still to come; a check may ask for others */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef REBALANCES
#define REBALANCES 1
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef DELETIONS
#define DELETIONS 1
#endif
#ifndef REMAKES
#define REMAKES 0
#endif
byte crashes = CRASHES, rebalances = REBALANCES, losses = LOSSES, deletions = DELETIONS, remakes = REMAKES;

inline store(event) {
    counted[event]++;
#ifdef M_LAST_ARRIVAL
    waiting = waiting + revision_of[event] - standing[RECORD(event)];
    standing[RECORD(event)] = revision_of[event];
#else
    if
    :: revision_of[event] > standing[RECORD(event)] ->
#ifdef M_KEEP_REPLACED
        waiting = waiting + revision_of[event];
#else
        waiting = waiting + revision_of[event] - standing[RECORD(event)];
#endif
        standing[RECORD(event)] = revision_of[event]
    :: else -> skip                             /* superseded or the same: kept in the history, counts nowhere */
    fi
#endif
}

inline write(event) {
    if
    :: event >= EVENTS && counted[event] > 0 -> skip    /* read again after an acceptance: same revision, same content */
    :: else -> store(event)
    fi
}

/* After an assignment, and every few seconds: does the position belong to this topic? */
inline judge() {
    if
#ifdef M_NO_TOPIC_ID
    :: stored_id = topic_id
#else
    :: topic_id != stored_id && position > 0 -> halted = true
    :: topic_id != stored_id && position == 0 && lock == NOBODY ->          /* an update waits for the row's lock */
        stored_id = topic_id                                                /* nothing was counted of the old one */
    :: else -> skip
#endif
    fi
}

#define ALL_READ (complete && position == EVENTS && stored_id == topic_id && !halted)

proctype Sector() {
    do
    :: log_end < EVENTS -> log_end++
    :: atomic { log_end == EVENTS -> complete = true; break }
    :: atomic { remakes > 0 && log_end > 0 -> remakes--; topic_id = 1; log_end = 0; log_start = 0; group_offset = 0 }
    :: atomic { deletions > 0 && log_start < log_end -> deletions--; log_start = log_end }
    od
}

proctype Coordinator() {
    do
    :: atomic { rebalances > 0 -> rebalances--; owner = 1 - owner }
    :: break
    od
}

/* The watch of any worker, and the operator. */
proctype Watch() {
    do
    :: atomic { topic_id != stored_id && !halted -> judge() }
    :: atomic {
        halted && lock == NOBODY ->             /* ioc position accept: from the start of the log that is there now */
        halted = false; position = 0; stored_id = topic_id; group_offset = 0
       }
    :: atomic { ALL_READ -> break }
    od
}

proctype Worker(byte me) {
    byte next, from, to, deleted_to, seen, event, mine, source;

start:
    /* After an assignment, and after every start: read the stored position and seek there. */
    atomic {
        judge();
        mine = topic_id;
        from = 0; to = 0; seen = 0; event = 0; source = 0;  /* what a process knew is forgotten with it; fewer states to visit */
        if
        :: lock == me -> lock = NOBODY          /* the session of a process that died is ended, its lock with it */
        :: else -> skip
        fi;
#ifdef M_START_AT_GROUP
        next = group_offset;
#else
        next = position;
#endif
        deleted_to = 0;
        if
        :: log_start > next -> next = log_start; deleted_to = log_start
        :: else -> skip
        fi
    }

fetch:
    do
    :: ALL_READ -> goto done
    :: atomic { owner == me && next > log_end -> next = log_start }         /* the client's own reset: earliest */
    :: owner == me && next < log_start ->       /* the client is told that this offset is gone, and starts anew */
        goto start
    :: atomic {
            /* Retention has emptied the partition: no batch will come, so the gap is recorded without one. */
            owner == me && deleted_to == log_end && position < deleted_to && lock == NOBODY && stored_id == mine &&
            topic_id == mine && !halted ->
            event = position;
            do
            :: event < deleted_to -> gap[EVENT(mine, event)] = true; event++
            :: else -> break
            od;
            position = deleted_to
        }
#ifndef M_NO_WATCHDOG
    :: owner == me && !halted && log_end == EVENTS && next == log_end && position < log_end ->
        goto start                              /* the watchdog: the log has an end, the position stays behind it */
#endif
    :: atomic {
            owner == me && !halted && next < log_end && next >= log_start ->
            from = next;
            source = topic_id;                  /* the client reads by the topic's name */
            to = from + 1;
            do
            :: to < log_end -> to++
            :: break
            od;
            next = to
        };
        break
    od;
    if
    :: atomic { losses > 0 -> losses--; from = 0; to = 0; goto fetch }       /* the client drops what it had delivered, and goes on behind it */
    :: atomic { crashes > 0 -> crashes--; goto start }
    :: skip
    fi;
#if defined(M_ACK_EARLY) || defined(M_START_AT_GROUP)
    group_offset = to;
    if
    :: atomic { crashes > 0 -> crashes--; goto start }
    :: skip
    fi;
#endif

    /* ---- one transaction */
#ifndef M_NO_POSITION_CHECK
    atomic { lock == NOBODY -> lock = me };
#endif
    seen = position;
    if
    :: atomic { crashes > 0 -> crashes--; goto start }
    :: skip
    fi;
#if !defined(M_NO_TOPIC_ID) && !defined(M_STALE_BATCH)
    if
    :: atomic { stored_id != mine || source != mine ->          /* the batch is of another topic than the position */
        if :: lock == me -> lock = NOBODY :: else -> skip fi;
        goto start }
    :: else -> skip
    fi;
#endif
    if
    :: seen >= to ->                            /* the whole batch is written already: acknowledge it */
        atomic { if :: lock == me -> lock = NOBODY :: else -> skip fi };
        goto acknowledge
    :: seen < from && from > deleted_to ->      /* a gap that Kafka did not make */
#if defined(M_SKIP_GAPS) || defined(M_START_AT_GROUP)
        skip
#else
        goto start
#endif
    :: else -> skip
    fi;
#ifdef M_NO_TRANSACTION
    /* Records first, the position in a transaction of its own. */
    atomic {
        event = (seen > from -> seen : from);
        do
        :: event < to -> write(EVENT(source, event)); event++
        :: else -> break
        od
    };
    if
    :: atomic { crashes > 0 -> crashes--; goto start }
    :: skip
    fi;
    atomic { position = to; lock = NOBODY };
#else
    atomic {                                    /* the commit */
#ifndef M_NO_POSITION_CHECK
        if
        :: position != seen ->                  /* UPDATE ... WHERE next_offset = seen moved nothing: roll back */
            lock = NOBODY;
            goto start
        :: else -> skip
        fi;
#endif
        event = seen;
        do
        :: event < from ->
            if
            :: from <= deleted_to -> gap[EVENT(source, event)] = true
            :: else -> skip
            fi;
            event++
        :: else -> break
        od;
#ifdef M_TRUST_OVERLAP
        event = from;
#else
        event = (seen > from -> seen : from);
#endif
        do
        :: event < to -> write(EVENT(source, event)); event++
        :: else -> break
        od;
        position = to;
        if :: lock == me -> lock = NOBODY :: else -> skip fi
    };
#endif
    if
    :: atomic { crashes > 0 -> crashes--; goto start }     /* committed, not acknowledged: the next start reads the position */
    :: skip
    fi;

acknowledge:
    atomic {
        if :: to > group_offset && stored_id == mine -> group_offset = to :: else -> skip fi;
        from = 0; to = 0; seen = 0; event = 0
    };
    goto fetch;
done:
    skip
}

proctype Rollup() {
    short taken;
    do
    :: ALL_READ && waiting == 0 -> break
    :: waiting != 0 ->
        taken = 0;
#ifdef M_TAKE_APART
        atomic { taken = waiting; waiting = 0 };
        if
        :: atomic { crashes > 0 -> crashes--; taken = 0 }  /* what was taken and not added is forgotten */
        :: skip
        fi;
        cell = cell + taken
#else
        if
        :: atomic { crashes > 0 -> crashes-- }   /* before the commit: nothing was taken */
        :: atomic {
            taken = waiting;
            waiting = 0;
            cell = cell + taken;
#ifdef M_SUM_TWICE
            cell = cell + taken;
#endif
           }
        fi
#endif
    od
}

/* What must hold at every moment. */
proctype Monitor() {
    byte event;
    do
    :: atomic { group_offset > position -> assert(false) }   /* acknowledged means committed */
    :: atomic {
        ALL_READ ->
        event = 0;
        do
        :: event < EVENTS ->
            /* Of the topic that is there: each once, or recorded as deleted: nothing vanishes. */
            assert(counted[EVENT(topic_id, event)] + gap[EVENT(topic_id, event)] == 1);
            assert(counted[event] <= 1);                     /* of the one before: not twice */
            event++
        :: else -> break
        od
       };
       break
    od
}

short expected;
byte highest[2];

init {
    byte event;
    /* A correction comes after its record, or before it. */
    if
    :: revision_of[0] = 1; revision_of[2] = 2
    :: revision_of[0] = 2; revision_of[2] = 1
    fi;
    revision_of[1] = 1;
    revision_of[3] = 3; revision_of[4] = 2; revision_of[5] = 4;
    atomic { run Sector(); run Coordinator(); run Worker(0); run Worker(1); run Rollup(); run Watch(); run Monitor() };
    /* The end: all processes are done. */
    _nr_pr == 1;
    d_step {
        event = 0;
        do
        :: event < 2 * EVENTS ->
            if
            :: counted[event] > 0 && revision_of[event] > highest[RECORD(event)] ->
                highest[RECORD(event)] = revision_of[event]
            :: else -> skip
            fi;
            event++
        :: else -> break
        od;
        expected = highest[0] + highest[1]
    };
    assert(cell == expected)                    /* figures follow from the records alone */
}
