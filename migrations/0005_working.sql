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
