-- Processes that work, on a database which several can work on, and when each last gave a sign, by the
-- database's own clock. A process writes its own row every few seconds; one that has been silent is taken for
-- dead by the others, and what it had claimed is free before its leases run out. The instance is the first part
-- of its leases. Nobody loses a claim that is alive: see `activations/src/ledger/pulse.rs`.
CREATE TABLE working (
    instance TEXT NOT NULL PRIMARY KEY,
    seen_at  BIGINT NOT NULL
);
