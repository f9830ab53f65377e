-- What keeps a claim and the sweep as quick when a hundred thousand rows wait as when ten do.

-- Rows that were begun three times and more without an end: hardly ever any. A claim looks here whether one of
-- them is being worked on, since only one is at a time (`activations/src/ledger.rs`, ALONE_FROM).
CREATE INDEX events_begun_often ON events (lease_until) WHERE starts > 2;
CREATE INDEX activations_begun_often ON activations (lease_until) WHERE starts > 2;
CREATE INDEX emails_begun_often ON emails (lease_until) WHERE starts > 2;
CREATE INDEX rereads_begun_often ON rereads (lease_until) WHERE starts > 2;
CREATE INDEX checkouts_begun_often ON checkouts (lease_until) WHERE starts > 2;

-- Approvals in the order in which they take effect. An index of `due_at` under the condition on the state is never
-- taken by SQLite, which prefers the one by state and then sorts all that are scheduled; so the condition is in what
-- is indexed (`activations/src/ledger.rs`, Work::due_by).
DROP INDEX activations_to_carry_out;
CREATE INDEX activations_to_carry_out
    ON activations ((CASE WHEN set_apart_at IS NOT NULL THEN NULL WHEN state = 'approved' THEN 0 WHEN state = 'scheduled' THEN due_at END))
    WHERE CASE WHEN set_apart_at IS NOT NULL THEN NULL WHEN state = 'approved' THEN 0 WHEN state = 'scheduled' THEN due_at END IS NOT NULL;
