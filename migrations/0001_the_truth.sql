-- The truth: what was received, what was decided, what is still to be done.
--
-- Rules of this folder
--   * A migration is never edited after it has been released; the next one mends it. Changes are made
--     in two steps (add, later remove), so that the version before still runs beside this one.
--   * Columns are TEXT, BIGINT and BYTEA only, so that one text serves SQLite and PostgreSQL. Instants
--     are microseconds since 1970-01-01T00:00:00Z. Ids are made by the program. Booleans are 0 and 1.
--   * Kinds and states are rows of lookup tables, not CHECK lists, which SQLite can't alter.
--   * Rows that wait for work have the same columns (see `events`): a queue only says "look here".

-- The states of an activation, and the only moves between them. Written here alone; equal to the
-- table in the code, which a test holds. 'none' stands before the start.
CREATE TABLE states (
    state TEXT NOT NULL PRIMARY KEY,
    final BIGINT NOT NULL
);
INSERT INTO states (state, final) VALUES
    ('none', 0), ('awaiting_payment', 0), ('under_review', 0), ('information_requested', 0),
    ('approved', 0), ('scheduled', 0), ('awaiting_confirmation', 0),
    ('activated', 1), ('rejected', 1), ('expired', 1), ('cancelled', 1);

CREATE TABLE transitions (
    from_state TEXT NOT NULL REFERENCES states (state),
    happening  TEXT NOT NULL,
    to_state   TEXT NOT NULL REFERENCES states (state),
    PRIMARY KEY (from_state, happening, to_state)
);
INSERT INTO transitions (from_state, happening, to_state) VALUES
    ('none', 'started_ideal', 'awaiting_payment'),
    ('none', 'started_invoice', 'awaiting_payment'),
    ('awaiting_payment', 'payment_not_completed', 'awaiting_payment'),
    ('awaiting_payment', 'paid_in_part', 'awaiting_payment'),
    ('awaiting_payment', 'paid_clear', 'approved'),
    ('awaiting_payment', 'paid_unclear', 'under_review'),
    ('under_review', 'name_arrived', 'approved'),
    ('under_review', 'information_asked', 'information_requested'),
    ('information_requested', 'review_resumed', 'under_review'),
    ('under_review', 'person_approved', 'approved'),
    ('information_requested', 'person_approved', 'approved'),
    ('under_review', 'person_rejected', 'rejected'),
    ('information_requested', 'person_rejected', 'rejected'),
    ('approved', 'office_closed', 'scheduled'),
    ('scheduled', 'hours_changed', 'scheduled'),
    ('approved', 'link_sent', 'awaiting_confirmation'),
    ('scheduled', 'link_sent', 'awaiting_confirmation'),
    ('approved', 'activated_at_once', 'activated'),
    ('scheduled', 'activated_at_once', 'activated'),
    ('awaiting_confirmation', 'confirmed', 'activated'),
    ('awaiting_confirmation', 'link_resent', 'awaiting_confirmation'),
    ('approved', 'payment_reversed', 'under_review'),
    ('scheduled', 'payment_reversed', 'under_review'),
    ('awaiting_confirmation', 'payment_reversed', 'under_review'),
    ('approved', 'payment_doubted', 'under_review'),
    ('scheduled', 'payment_doubted', 'under_review'),
    ('awaiting_confirmation', 'payment_doubted', 'under_review'),
    ('approved', 'identifier_taken', 'under_review'),
    ('scheduled', 'identifier_taken', 'under_review'),
    ('awaiting_confirmation', 'identifier_taken', 'under_review'),
    ('awaiting_payment', 'reminded', 'awaiting_payment'),
    ('awaiting_confirmation', 'reminded', 'awaiting_confirmation'),
    ('information_requested', 'reminded', 'information_requested'),
    ('awaiting_payment', 'time_up', 'expired'),
    ('awaiting_confirmation', 'time_up', 'expired'),
    ('information_requested', 'time_up', 'expired'),
    ('awaiting_payment', 'withdrawn', 'cancelled'),
    ('under_review', 'withdrawn', 'cancelled'),
    ('information_requested', 'withdrawn', 'cancelled'),
    ('approved', 'withdrawn', 'cancelled'),
    ('scheduled', 'withdrawn', 'cancelled'),
    ('awaiting_confirmation', 'withdrawn', 'cancelled'),
    ('awaiting_payment', 'payment_noted', 'awaiting_payment'),
    ('under_review', 'payment_noted', 'under_review'),
    ('information_requested', 'payment_noted', 'information_requested'),
    ('approved', 'payment_noted', 'approved'),
    ('scheduled', 'payment_noted', 'scheduled'),
    ('awaiting_confirmation', 'payment_noted', 'awaiting_confirmation'),
    ('activated', 'payment_noted', 'activated');

-- An organisation, as the platform registered it. Written by the platform API.
CREATE TABLE organisations (
    id            TEXT NOT NULL PRIMARY KEY,
    environment   TEXT NOT NULL,
    legal_name    TEXT NOT NULL CHECK (legal_name <> ''),
    trade_names   TEXT NOT NULL,             -- JSON list of text
    legal_form    TEXT,                      -- the register's own wording
    country       TEXT NOT NULL,             -- ISO 3166-1 alpha-2
    names_source  TEXT NOT NULL CHECK (names_source IN ('register', 'entered')),
    creator       TEXT NOT NULL,             -- JSON: name, email, language, role
    language      TEXT NOT NULL,
    active        BIGINT NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    activated_at  BIGINT,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    deleted_at    BIGINT,
    CHECK ((active = 1) = (activated_at IS NOT NULL)),
    CHECK (active = 0 OR deleted_at IS NULL)
);
CREATE INDEX organisations_of_environment ON organisations (environment) WHERE deleted_at IS NULL;

-- How many organisations an environment may have, where that isn't the default.
CREATE TABLE environments (
    environment        TEXT NOT NULL PRIMARY KEY,
    organisation_limit BIGINT NOT NULL
);

-- What an organisation can be recognised by. `active` is set by the move to `activated`, and only one
-- organisation anywhere can hold an active identifier: the loser of a race goes to review.
CREATE TABLE identifiers (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    position        BIGINT NOT NULL,
    scheme          TEXT NOT NULL,
    value           TEXT NOT NULL,
    active          BIGINT NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    PRIMARY KEY (organisation_id, scheme, value)
);
CREATE UNIQUE INDEX one_active_holder_of_an_identifier ON identifiers (scheme, value) WHERE active = 1;
CREATE INDEX identifiers_by_value ON identifiers (scheme, value);

-- One attempt to activate one organisation by one method. Written by the desk, never without a line
-- in `history`: (id, version, state) has to be the newest line's, so that neither an illegal move nor
-- a move without a line can be committed.
CREATE TABLE activations (
    id              TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    method          TEXT NOT NULL CHECK (method IN ('ideal', 'invoice')),
    reference       TEXT NOT NULL UNIQUE,
    amount_minor    BIGINT NOT NULL CHECK (amount_minor > 0),
    currency        TEXT NOT NULL,
    completion      TEXT NOT NULL CHECK (completion IN ('link', 'immediate')),
    identifier_scheme TEXT NOT NULL,
    identifier_value  TEXT NOT NULL,
    started_by      TEXT NOT NULL,           -- key and person, as the history names them
    state           TEXT NOT NULL REFERENCES states (state),
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT,                  -- NULL: doesn't expire in this state
    remind_at       BIGINT,                  -- NULL: no reminder to come
    due_at          BIGINT,                  -- when the approval takes effect
    made_at         BIGINT,                  -- the instant of payment that office hours look at; NULL after a person decided
    decided_at      BIGINT,
    reasons         TEXT NOT NULL DEFAULT '[]', -- JSON: why it was set apart for review
    lacks_only_the_name BIGINT NOT NULL DEFAULT 0 CHECK (lacks_only_the_name IN (0, 1)),
    touched         BIGINT NOT NULL DEFAULT 0 CHECK (touched IN (0, 1)), -- a person has acted on it
    flags           TEXT NOT NULL DEFAULT '[]', -- JSON: surplus, reversed after activation
    question        TEXT,                    -- what support asked last
    links           BIGINT NOT NULL DEFAULT 0,
    starts          BIGINT NOT NULL DEFAULT 0,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    lease_until     BIGINT,
    lease           TEXT,
    last_error      TEXT,
    set_apart_at    BIGINT,
    FOREIGN KEY (id, version, state) REFERENCES history (activation_id, number, to_state) DEFERRABLE INITIALLY DEFERRED,
    CHECK (state NOT IN ('approved', 'scheduled') OR due_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_activation ON activations (organisation_id)
    WHERE state NOT IN ('activated', 'rejected', 'expired', 'cancelled');
CREATE INDEX activations_to_carry_out ON activations (due_at) WHERE state IN ('approved', 'scheduled');
CREATE INDEX activations_to_expire ON activations (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX activations_to_remind ON activations (remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX activations_by_state ON activations (state, created_at);
CREATE INDEX activations_of_organisation ON activations (organisation_id);

-- What happened to an activation, a line for each move. Never changed: a mistake is compensated.
-- A line starts where the line before it ended.
CREATE TABLE history (
    activation_id TEXT NOT NULL REFERENCES activations (id) DEFERRABLE INITIALLY DEFERRED,
    number        BIGINT NOT NULL,
    previous      BIGINT,
    at            BIGINT NOT NULL,
    happening     TEXT NOT NULL,
    from_state    TEXT NOT NULL,
    to_state      TEXT NOT NULL,
    actor         TEXT NOT NULL,             -- 'system', 'creator', or key and person
    reason        TEXT NOT NULL,
    PRIMARY KEY (activation_id, number),
    UNIQUE (activation_id, number, to_state),
    FOREIGN KEY (from_state, happening, to_state) REFERENCES transitions (from_state, happening, to_state),
    FOREIGN KEY (activation_id, previous, from_state) REFERENCES history (activation_id, number, to_state),
    CHECK ((previous IS NULL AND number = 1 AND from_state = 'none') OR (previous IS NOT NULL AND number = previous + 1))
);

-- A verified message as it came, byte for byte. Written by the inbox in the transaction that is
-- committed before the provider gets its answer.
CREATE TABLE notifications (
    id          TEXT NOT NULL PRIMARY KEY,
    endpoint    TEXT NOT NULL,
    provider    TEXT NOT NULL,
    account     TEXT NOT NULL,
    mode        TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    request_id  TEXT NOT NULL,
    proven_by   TEXT NOT NULL,
    headers     TEXT NOT NULL,
    body        BYTEA NOT NULL
);
CREATE INDEX notifications_by_time ON notifications (received_at);
CREATE INDEX notifications_by_request ON notifications (request_id);

-- What a message says, item by item, and whether it has been dealt with.
-- `kind`: payment, conflict (the id of an earlier event with other contents), ignored, quarantined.
-- `state`: waiting until the job has run; then processed, ignored or quarantined (somebody must look).
CREATE TABLE events (
    id              TEXT NOT NULL PRIMARY KEY,
    notification_id TEXT NOT NULL REFERENCES notifications (id),
    account         TEXT NOT NULL,
    event_id        TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('payment', 'conflict', 'ignored', 'quarantined')),
    payment_id      TEXT,
    told            TEXT NOT NULL,           -- JSON: the notification in our words; or why it isn't one
    conflicts_with  TEXT REFERENCES events (id),
    received_at     BIGINT NOT NULL,
    repeats         BIGINT NOT NULL DEFAULT 0,
    repeated_at     BIGINT,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'processed', 'ignored', 'quarantined')),
    processed_at    BIGINT,
    activation_id   TEXT REFERENCES activations (id),
    -- The columns of waiting work: how often begun without an end, how often failed, when again, and
    -- who is at it. A claim holds for a lease; whoever lost it can't write (the lease is a new text each time).
    starts          BIGINT NOT NULL DEFAULT 0,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    lease_until     BIGINT,
    lease           TEXT,
    last_error      TEXT
);
CREATE INDEX events_to_process ON events (received_at) WHERE state = 'waiting';
CREATE INDEX events_by_event_id ON events (event_id);
CREATE INDEX events_by_payment ON events (account, payment_id);
CREATE INDEX events_of_notification ON events (notification_id);
CREATE INDEX events_set_apart ON events (received_at) WHERE state = 'quarantined';

-- What has been seen, kept for 400 days whatever else is purged: Adyen sends again for 30, and a
-- repeat must not become a second payment. Two keys an event: event:<id>, payment:<id>:<status>.
CREATE TABLE seen (
    account TEXT NOT NULL,
    seen_key TEXT NOT NULL,
    event   TEXT NOT NULL,                   -- events.id; not a foreign key, it outlives the event
    digest  TEXT NOT NULL,
    facts   TEXT NOT NULL,                   -- JSON: what it said about money
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account, seen_key)
);
CREATE INDEX seen_by_time ON seen (seen_at);

-- Requests that were not believed, in samples; never their bodies. For "why did I get 401?".
CREATE TABLE refusals (
    request_id  TEXT NOT NULL PRIMARY KEY,
    endpoint    TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    code        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    claimed_id  TEXT,
    remote      TEXT NOT NULL
);
CREATE INDEX refusals_by_time ON refusals (received_at);
CREATE INDEX refusals_by_claimed_id ON refusals (claimed_id) WHERE claimed_id IS NOT NULL;

-- One picture of one payment, made of all its events in any order; only ever moves forward.
-- `standing`: counts (towards its activation), surplus, unallocated, other_mode, not_paid.
CREATE TABLE payments (
    id             TEXT NOT NULL PRIMARY KEY,
    account        TEXT NOT NULL,
    payment_id     TEXT NOT NULL,
    provider       TEXT NOT NULL,
    endpoint       TEXT NOT NULL,
    mode           TEXT NOT NULL,
    mode_fits      BIGINT NOT NULL CHECK (mode_fits IN (0, 1)),
    status         TEXT NOT NULL,
    amount_minor   BIGINT,
    currency       TEXT,
    holder_name    TEXT,
    account_number TEXT,                     -- JSON: iban or last_digits
    reference      TEXT,                     -- JSON: what in the messages ties it
    paid_at        BIGINT,
    paid_at_proven BIGINT NOT NULL CHECK (paid_at_proven IN (0, 1)),
    name_proven    BIGINT NOT NULL CHECK (name_proven IN (0, 1)),
    name_awaited_until BIGINT,               -- a companion message will carry the name
    conflicting    BIGINT NOT NULL DEFAULT 0 CHECK (conflicting IN (0, 1)),
    received_at    BIGINT NOT NULL,          -- of the first message that said paid, else of the first
    activation_id  TEXT REFERENCES activations (id),
    suggested      TEXT REFERENCES activations (id), -- it names one that is over, which it can't revive
    tied_by        TEXT,
    standing       TEXT NOT NULL CHECK (standing IN ('counts', 'surplus', 'unallocated', 'other_mode', 'not_paid')),
    changed_at     BIGINT NOT NULL,
    UNIQUE (account, payment_id)
);
CREATE INDEX payments_of_activation ON payments (activation_id);
CREATE INDEX payments_unallocated ON payments (received_at) WHERE standing = 'unallocated';

-- A decision with its inputs as they were: nothing is computed again to explain it.
CREATE TABLE decisions (
    activation_id TEXT NOT NULL REFERENCES activations (id),
    number        BIGINT NOT NULL,           -- of the history line that it led to
    at            BIGINT NOT NULL,
    outcome       TEXT NOT NULL,
    record        TEXT NOT NULL,             -- JSON
    PRIMARY KEY (activation_id, number)
);

-- E-mails to creators, written in the transaction of the move that they tell of. Unique by key, so
-- that a move told twice can't mail twice. `rendered` is made once, at the first attempt.
CREATE TABLE emails (
    id              TEXT NOT NULL PRIMARY KEY,
    email_key       TEXT NOT NULL UNIQUE,
    activation_id   TEXT NOT NULL REFERENCES activations (id),
    number          BIGINT NOT NULL,         -- of the history line that it tells of
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
    last_error      TEXT
);
CREATE INDEX emails_to_send ON emails (created_at) WHERE state = 'waiting';
CREATE INDEX emails_of_activation ON emails (activation_id);

-- Signed events to the platform, written in the transaction of the move that they tell of.
CREATE TABLE outgoing_events (
    id            TEXT NOT NULL PRIMARY KEY,
    event_key     TEXT NOT NULL UNIQUE,
    activation_id TEXT NOT NULL REFERENCES activations (id),
    number        BIGINT NOT NULL,           -- of the history line that it tells of
    type          TEXT NOT NULL,
    payload       TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed'))
);
CREATE INDEX outgoing_events_of_activation ON outgoing_events (activation_id);

-- Links to round off. The token itself is derived from a key and is never stored.
CREATE TABLE links (
    token_hash    TEXT NOT NULL PRIMARY KEY,
    activation_id TEXT NOT NULL REFERENCES activations (id),
    number        BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT,
    UNIQUE (activation_id, number)
);

-- Keys to the platform API: only their hashes. Revoked ones stay, the history names them.
CREATE TABLE api_keys (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    key_hash   TEXT NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX one_live_key_of_a_name ON api_keys (name) WHERE revoked_at IS NULL;

-- Acts of persons and keys that no history line holds: registering, changing, deleting, keys.
CREATE TABLE audit (
    id      TEXT NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT NOT NULL,
    act     TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason  TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, at);

-- A schedule fires once for each of its times, on however many machines.
CREATE TABLE schedule_runs (
    schedule TEXT NOT NULL,
    fire_at  BIGINT NOT NULL,
    PRIMARY KEY (schedule, fire_at)
);

-- What has to be remembered between starts, such as the office hours that schedules were made with.
CREATE TABLE remembered (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
