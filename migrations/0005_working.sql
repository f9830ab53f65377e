-- Processes that work, on a database which several can work on, and when each last gave a sign, by the
-- database's own clock. A process writes its own row every few seconds; one that has been silent is taken for
-- dead by the others, and what it had claimed is free before its leases run out. The instance is the first part
-- of its leases. Nobody loses a claim that is alive: see `activations/src/ledger/pulse.rs`.
CREATE TABLE working (
    instance TEXT NOT NULL PRIMARY KEY,
    seen_at  BIGINT NOT NULL
);

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
