-- What the platform API needs beside what it tells of.

-- Requests that came with an Idempotency-Key and did something, so that the same request sent again is answered and
-- not done again. The row is written in the transaction of what was done, and its key is the primary key: of two that
-- come at once one does it, and the other is rolled back. The answer is added before it is given; one that is lacking
-- was never given. Kept for a day (activations/src/desk/idempotency.rs).
CREATE TABLE kept_answers (
    caller          TEXT NOT NULL,           -- the API key, as the history names it
    idempotency_key TEXT NOT NULL,
    request         TEXT NOT NULL,           -- digest of method, address and body
    subject         TEXT NOT NULL,           -- the id of what was made or acted on
    done_at         BIGINT NOT NULL,
    status          BIGINT,
    location        TEXT,
    body            TEXT,
    PRIMARY KEY (caller, idempotency_key),
    CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX kept_answers_by_time ON kept_answers (done_at);

-- How many payments were made for the activation: the next one is asked for under a key of its own, since under the
-- same the provider would answer with the one that was broken off.
ALTER TABLE checkouts ADD COLUMN tries BIGINT NOT NULL DEFAULT 1;

-- Activations of an environment are found also where their organisation has been deleted since.
CREATE INDEX organisations_by_environment ON organisations (environment);
