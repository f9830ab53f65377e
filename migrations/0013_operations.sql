-- What operations sees and does: attempts, paused work, counts by the minute, schedules that are asked for.

-- Attempts at rows that ended in an error, and what people did to such a row since. Written in the transaction that
-- notes the failure on the row; the newest 20 of a row stay (activations/src/ledger/attempts.rs), and all of them go
-- with [retention] finished_days. `outcome`: again, given_up; retried, dropped, replayed by a person.
CREATE TABLE attempts (
    kind    TEXT NOT NULL,                   -- the kind of work, as the queue names it
    row_id  TEXT NOT NULL,                   -- not a foreign key: rows of seven tables, which may be purged first
    number  BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    error   TEXT NOT NULL,
    PRIMARY KEY (kind, row_id, number)
);
CREATE INDEX attempts_by_time ON attempts (at);

-- Kinds of work that nobody begins, on any machine, until somebody lets them go on. E-mails have a stop of their own
-- in `remembered`.
CREATE TABLE paused (
    kind   TEXT NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT NOT NULL,
    reason TEXT NOT NULL
);

-- How much of what happened in each minute (of the epoch), so that an overview of a day reads some thousand small rows
-- and never those that they count. `taken` and `refused` are counted in memory where they happen and added every few
-- seconds; the others are counted by their indexes once the minute is over (activations/src/desk/operations/tally.rs).
-- Kept for 8 days.
CREATE TABLE tallies (
    minute BIGINT NOT NULL,
    what   TEXT NOT NULL,                    -- taken, refused, decided, failed, given_up, set_apart, waiting
    part   TEXT NOT NULL,                    -- of what: the endpoint (and code), the outcome, the kind of work
    many   BIGINT NOT NULL,
    PRIMARY KEY (minute, what, part)
);

-- A schedule that a person wants run now: whoever takes the row runs it, once on however many machines.
CREATE TABLE asked_schedules (
    schedule TEXT NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL,
    actor    TEXT NOT NULL,
    reason   TEXT NOT NULL
);

-- Dropped by a person: not tried again, and kept visible with the reason in `attempts`.
ALTER TABLE events ADD COLUMN dropped_at BIGINT;
ALTER TABLE emails ADD COLUMN dropped_at BIGINT;
ALTER TABLE rereads ADD COLUMN dropped_at BIGINT;
ALTER TABLE checkouts ADD COLUMN dropped_at BIGINT;
ALTER TABLE deliveries ADD COLUMN dropped_at BIGINT;
ALTER TABLE refreshes ADD COLUMN dropped_at BIGINT;

-- What failed or was dropped is little, however much is finished; rows come into these indexes only then. Ids sort by
-- time, so that they are the order of lists.
CREATE INDEX activations_failed ON activations (id) WHERE set_apart_at IS NOT NULL;
CREATE INDEX events_failed ON events (id) WHERE state = 'quarantined';
CREATE INDEX emails_failed ON emails (id) WHERE state = 'failed';
CREATE INDEX rereads_failed ON rereads (id) WHERE state = 'failed';
CREATE INDEX checkouts_failed ON checkouts (id) WHERE state = 'failed';
CREATE INDEX deliveries_failed ON deliveries (id) WHERE state = 'failed';
CREATE INDEX events_dropped ON events (id) WHERE dropped_at IS NOT NULL;
CREATE INDEX emails_dropped ON emails (id) WHERE dropped_at IS NOT NULL;
CREATE INDEX rereads_dropped ON rereads (id) WHERE dropped_at IS NOT NULL;
CREATE INDEX checkouts_dropped ON checkouts (id) WHERE dropped_at IS NOT NULL;
CREATE INDEX deliveries_dropped ON deliveries (id) WHERE dropped_at IS NOT NULL;
CREATE INDEX refreshes_dropped ON refreshes (id) WHERE dropped_at IS NOT NULL;

-- The other way round it serves as well who knows the payment and not the account.
DROP INDEX events_by_payment;
CREATE INDEX events_by_payment ON events (payment_id, account);
