-- The audit becomes a chain: each entry holds a hash over itself and the entry before, so that none can be changed, left
-- out or put between without all later ones changing as well (activations/src/audit.rs says which bytes are hashed).

-- Written by one function (activations/src/desk/noting.rs), as the last thing of a transaction. Nothing changes an entry,
-- except that its reason can be taken out where it tells of a person who is to be forgotten: what is hashed of a reason
-- is its salted digest, which stays.
ALTER TABLE audit RENAME TO audit_before;
CREATE TABLE audit (
    number        BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3 and on, without a gap
    id            TEXT NOT NULL UNIQUE,
    at            BIGINT NOT NULL,
    actor         TEXT NOT NULL,
    act           TEXT NOT NULL,
    subject       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    reason_salt   TEXT NOT NULL,               -- empty: the reason was taken out
    reason_digest TEXT NOT NULL,
    line          BIGINT,                      -- the act is this line in the history of the activation that is the subject
    lines_digest  TEXT,                        -- of that history up to the line
    hash          TEXT NOT NULL,               -- empty: from before, and not in the chain yet
    CHECK ((line IS NULL) = (lines_digest IS NULL))
);
INSERT INTO audit (number, id, at, actor, act, subject, reason, reason_salt, reason_digest, hash)
    SELECT ROW_NUMBER() OVER (ORDER BY at, id), id, at, actor, act, subject, reason, '', '', '' FROM audit_before;
DROP TABLE audit_before;
CREATE INDEX audit_by_subject ON audit (subject, at);
CREATE INDEX audit_by_time ON audit (at);

-- The last entry's number and hash: one row, which whoever writes an entry changes. On PostgreSQL two writers wait for
-- each other here, and nowhere else. There is none before the first entry.
CREATE TABLE audit_head (
    one    BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    hash   TEXT NOT NULL,                      -- empty: the entries from before have yet to be chained
    CHECK (one = 1)
);
INSERT INTO audit_head (one, number, hash) SELECT 1, COUNT(*), '' FROM audit HAVING COUNT(*) > 0;

-- Each of these is written for PostgreSQL as it wants it (activations/src/store/postgres.rs).
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit FOR EACH ROW
WHEN (NOT (
    NEW.number = OLD.number AND NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.actor = OLD.actor AND NEW.act = OLD.act
    AND NEW.subject = OLD.subject AND COALESCE(NEW.line, 0) = COALESCE(OLD.line, 0)
    AND COALESCE(NEW.lines_digest, '') = COALESCE(OLD.lines_digest, '')
    AND (OLD.hash = '' OR (NEW.hash = OLD.hash AND NEW.reason_digest = OLD.reason_digest AND NEW.reason = '' AND NEW.reason_salt = ''))
))
BEGIN SELECT RAISE(ABORT, 'entries of the audit are never changed'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit FOR EACH ROW
BEGIN SELECT RAISE(ABORT, 'entries of the audit are never deleted'); END;

-- E-mails to the house, such as the digest to support, are rows like the others, and of no activation. SQLite can't
-- take a NOT NULL away, so the table is made anew.
ALTER TABLE emails RENAME TO emails_before;
CREATE TABLE emails (
    id              TEXT NOT NULL PRIMARY KEY,
    email_key       TEXT NOT NULL UNIQUE,
    activation_id   TEXT REFERENCES activations (id), -- none: it is to the house
    number          BIGINT,                  -- of the history line that it tells of
    kind            TEXT NOT NULL,
    language        TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    recipient_name  TEXT,
    data            TEXT NOT NULL,
    link            BIGINT,                  -- number of the link that it carries
    rendered        TEXT,
    message_id      TEXT NOT NULL UNIQUE,
    created_at      BIGINT NOT NULL,
    give_up_at      BIGINT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'withdrawn')),
    maybe_sent      BIGINT NOT NULL DEFAULT 0 CHECK (maybe_sent IN (0, 1)),
    sent_at         BIGINT,
    starts          BIGINT NOT NULL DEFAULT 0,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    lease_until     BIGINT,
    lease           TEXT,
    last_error      TEXT,
    CHECK ((activation_id IS NULL) = (number IS NULL)),
    CHECK (activation_id IS NOT NULL OR link IS NULL)
);
INSERT INTO emails (id, email_key, activation_id, number, kind, language, recipient, recipient_name, data, link, rendered,
    message_id, created_at, give_up_at, state, maybe_sent, sent_at, starts, attempts, next_attempt_at, lease_until, lease, last_error)
    SELECT id, email_key, activation_id, number, kind, language, recipient, recipient_name, data, link, rendered,
    message_id, created_at, give_up_at, state, maybe_sent, sent_at, starts, attempts, next_attempt_at, lease_until, lease, last_error
    FROM emails_before;
DROP TABLE emails_before;
CREATE INDEX emails_to_send ON emails (created_at) WHERE state = 'waiting';
CREATE INDEX emails_of_activation ON emails (activation_id);
CREATE INDEX emails_with_text ON emails (created_at) WHERE state <> 'waiting' AND recipient <> '';
CREATE INDEX emails_begun_often ON emails (lease_until) WHERE starts > 2;
