-- Each event to the platform goes to each endpoint of [events] that wants its type: a delivery of its own, with its
-- own attempts. Those of one activation go to an endpoint in the order of its history.
CREATE TABLE deliveries (
    id              TEXT NOT NULL PRIMARY KEY,
    event_id        TEXT NOT NULL REFERENCES outgoing_events (id),
    endpoint        TEXT NOT NULL,
    activation_id   TEXT NOT NULL REFERENCES activations (id),
    number          BIGINT NOT NULL,         -- of the history line that the event tells of
    created_at      BIGINT NOT NULL,
    give_up_at      BIGINT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    delivered_at    BIGINT,
    starts          BIGINT NOT NULL DEFAULT 0,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    lease_until     BIGINT,
    lease           TEXT,
    last_error      TEXT,
    CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX deliveries_to_make ON deliveries (created_at) WHERE state = 'waiting';
CREATE INDEX deliveries_begun_often ON deliveries (lease_until) WHERE starts > 2;
CREATE INDEX deliveries_in_order ON deliveries (activation_id, endpoint, number);
CREATE INDEX deliveries_of_event ON deliveries (event_id);

-- Whether an event was told is told by its deliveries; there were none before.
UPDATE outgoing_events SET state = 'sent' WHERE state = 'waiting';
