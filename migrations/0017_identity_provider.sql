-- Signing in through an identity provider. Nothing is kept when somebody sets off for it: the browser holds what binds
-- its answer (activations/src/people/trip.rs). Here are the answers that were taken, so that none is taken twice; only
-- hashes, until the trip would be too old anyway.
CREATE TABLE provider_answers (
    state_hash TEXT NOT NULL PRIMARY KEY,
    taken_at   BIGINT NOT NULL
);
CREATE INDEX provider_answers_by_time ON provider_answers (taken_at);
