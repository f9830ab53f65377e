-- Names from a register: from when they are, and fetching them again before a decision.

-- When the names were taken from their register; NULL: they are not from one, or nobody said when. Of what was there
-- before it is known that they are no newer than the organisation.
ALTER TABLE organisations ADD COLUMN names_at BIGINT;
UPDATE organisations SET names_at = created_at WHERE names_source = 'register';

-- An activation whose decision waits for its organisation's names. The desk writes the row when it finds them too old
-- to decide on, in the transaction that would have decided; the job asks the register, outside of any transaction; and
-- what comes of it ends the row in the transaction that decides. One row an activation, asked again when names get old
-- once more before anything is decided.
-- `found`: registered (the names are with the organisation), ended (it is not registered any more), unknown (the
-- register has no such number), nothing (it didn't answer for a day), unasked (no register is configured any more).
-- `failed` lasts until the next minute: then it is decided on without the register, which is a reason for review.
CREATE TABLE refreshes (
    id              TEXT NOT NULL PRIMARY KEY,
    activation_id   TEXT NOT NULL UNIQUE REFERENCES activations (id),
    asked_at        BIGINT NOT NULL,
    answered_at     BIGINT,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'answered', 'failed')),
    found           TEXT,
    starts          BIGINT NOT NULL DEFAULT 0,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    lease_until     BIGINT,
    lease           TEXT,
    last_error      TEXT,
    CHECK ((state = 'answered') = (found IS NOT NULL))
);
CREATE INDEX refreshes_to_do ON refreshes (asked_at) WHERE state = 'waiting';
CREATE INDEX refreshes_begun_often ON refreshes (lease_until) WHERE starts > 2;
CREATE INDEX refreshes_failed ON refreshes (asked_at) WHERE state = 'failed';
CREATE INDEX refreshes_done ON refreshes (asked_at) WHERE state <> 'waiting';
