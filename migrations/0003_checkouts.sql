-- The payment that is made at a provider for an activation, where the settings name one. Written by the
-- desk in the transaction of the start; the job fills in what the provider answers. Making one twice is
-- prevented by the provider, which is told the same key at every attempt.
CREATE TABLE checkouts (
    id              TEXT NOT NULL PRIMARY KEY,
    activation_id   TEXT NOT NULL UNIQUE REFERENCES activations (id),
    endpoint        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'made', 'failed')),
    payment_id      TEXT,
    url             TEXT,                    -- where the payer is sent
    subject         TEXT,                    -- by which it is read back
    looks           BIGINT NOT NULL DEFAULT 0,
    look_at         BIGINT,                  -- when it is read back, though no message told of it
    starts          BIGINT NOT NULL DEFAULT 0,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    lease_until     BIGINT,
    lease           TEXT,
    last_error      TEXT,
    CHECK ((state = 'made') = (url IS NOT NULL))
);
CREATE INDEX checkouts_to_make ON checkouts (created_at) WHERE state = 'waiting';
CREATE INDEX checkouts_to_look_at ON checkouts (look_at) WHERE look_at IS NOT NULL;
