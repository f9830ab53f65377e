-- What has to be read from a provider's own API: a message left it out, or proved nothing.
--
-- One row a subject ("payment/tr_1", in the provider's own words) and endpoint. The inbox writes it in the
-- transaction that commits the message; a repeat of the message asks again. What was read goes through
-- the inbox like any message, known by what it says, so that reading twice tells once.
CREATE TABLE rereads (
    id              TEXT NOT NULL PRIMARY KEY,
    endpoint        TEXT NOT NULL,
    subject         TEXT NOT NULL,
    event           TEXT NOT NULL,           -- events.id that asked last; not a foreign key, it may be purged first
    claimed         TEXT,                    -- the status that the message claimed, if it did
    asked_at        BIGINT NOT NULL,
    answered_at     BIGINT,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'answered', 'failed')),
    starts          BIGINT NOT NULL DEFAULT 0,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    lease_until     BIGINT,
    lease           TEXT,
    last_error      TEXT,
    UNIQUE (endpoint, subject)
);
CREATE INDEX rereads_to_do ON rereads (asked_at) WHERE state = 'waiting';
CREATE INDEX rereads_of_event ON rereads (event);
