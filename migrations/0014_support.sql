-- What support works with: the queue of what waits for a person, notes, proposals, what persons decided, and how an
-- activation is found. All of it is small, or found by an index, however much is finished.

-- A person takes an approval back before it has activated anybody, or wants it to take effect now.
INSERT INTO transitions (from_state, happening, to_state) VALUES
    ('scheduled', 'approval_withdrawn', 'under_review'),
    ('awaiting_confirmation', 'approval_withdrawn', 'under_review'),
    ('scheduled', 'effect_hastened', 'scheduled');

-- An activation that waits for a decision of a person, or for the answer to a question: one row for as long as it does.
-- Written in the transaction of the move that brings it there, and gone with the one that ends it. So the queue, its
-- filters and its counts look at what waits and at nothing else.
CREATE TABLE reviews (
    activation_id TEXT NOT NULL PRIMARY KEY REFERENCES activations (id),
    state         TEXT NOT NULL CHECK (state IN ('under_review', 'information_requested')),
    since         BIGINT NOT NULL,           -- when it came into review; a question and its answer don't change it
    method        TEXT NOT NULL,
    provider      TEXT NOT NULL,             -- of the payment that came last; empty: none did
    codes         TEXT NOT NULL,             -- of the reasons, each between two spaces: ' other_name surplus '
    assignee      TEXT,                      -- the account of who looks at it
    assigned_at   BIGINT,
    CHECK ((assignee IS NULL) = (assigned_at IS NULL))
);
CREATE INDEX reviews_in_order ON reviews (state, since, activation_id);

INSERT INTO reviews (activation_id, state, since, method, provider, codes)
SELECT a.id, a.state,
       COALESCE((SELECT MAX(h.at) FROM history h WHERE h.activation_id = a.id AND h.to_state = 'under_review'
                 AND h.from_state NOT IN ('under_review', 'information_requested')), a.created_at),
       a.method,
       COALESCE((SELECT p.provider FROM payments p WHERE p.activation_id = a.id ORDER BY p.received_at DESC, p.id DESC LIMIT 1), ''),
       ''
FROM activations a WHERE a.state IN ('under_review', 'information_requested');

-- What people write beside an activation; never changed.
CREATE TABLE notes (
    id            TEXT NOT NULL PRIMARY KEY,
    activation_id TEXT NOT NULL REFERENCES activations (id),
    at            BIGINT NOT NULL,
    author        TEXT NOT NULL,
    note          TEXT NOT NULL
);
CREATE INDEX notes_of_activation ON notes (activation_id);

-- An approval that waits for a second person, where the settings want one. It holds for the version of the activation
-- that it was made on, and ends with whatever changes that; the act itself is in the audit.
CREATE TABLE proposals (
    activation_id TEXT NOT NULL PRIMARY KEY REFERENCES activations (id),
    version       BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    person        TEXT NOT NULL,
    account       TEXT,                      -- that the person signed in by
    effect        TEXT NOT NULL CHECK (effect IN ('office_hours', 'now')),
    reason        TEXT NOT NULL
);

-- What persons decided, with the reasons why they were asked: what the report counts. One row a decision, written in
-- the transaction of its move; `withdrawn`: it was an approval, and was taken back.
CREATE TABLE verdicts (
    activation_id TEXT NOT NULL REFERENCES activations (id),
    number        BIGINT NOT NULL,           -- of the history line
    at            BIGINT NOT NULL,
    month         TEXT NOT NULL,             -- of the office's zone: '2026-03'
    outcome       TEXT NOT NULL CHECK (outcome IN ('approved', 'rejected', 'withdrawn')),
    codes         TEXT NOT NULL,             -- as in `reviews`
    PRIMARY KEY (activation_id, number)
);
CREATE INDEX verdicts_by_month ON verdicts (month, codes, outcome);

-- The words of an organisation's names, in small letters without accents (a-z and 0-9 only, so that they sort the same
-- in every database): how support finds it by a part of its name.
CREATE TABLE name_words (
    word            TEXT NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    PRIMARY KEY (word, organisation_id)
);
CREATE INDEX name_words_of_organisation ON name_words (organisation_id, word);

-- Hashes under a key that isn't in the database: of the creator's e-mail address, and of the paying account. Found by
-- them is who knows the whole of it. Filled in at the next start for what is there (activations/src/desk/support/finding.rs).
ALTER TABLE organisations ADD COLUMN creator_hash TEXT;
CREATE INDEX organisations_by_creator ON organisations (creator_hash) WHERE creator_hash IS NOT NULL;
ALTER TABLE payments ADD COLUMN account_hash TEXT;
CREATE INDEX payments_by_account ON payments (account_hash) WHERE account_hash IS NOT NULL;

-- What came in about an activation, also where its payment is another's by now; and a payment that names one that is over.
CREATE INDEX events_of_activation ON events (activation_id) WHERE activation_id IS NOT NULL;
CREATE INDEX payments_suggested ON payments (suggested) WHERE suggested IS NOT NULL;
