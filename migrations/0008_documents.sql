-- Payments that somebody has to look at, read in order.
CREATE INDEX payments_to_allocate ON payments (id) WHERE standing = 'unallocated';
CREATE INDEX payments_beyond ON payments (id) WHERE standing = 'surplus';

-- Which question it waits for (the history line that asked), and which documents it has.
ALTER TABLE activations ADD COLUMN asked BIGINT;
ALTER TABLE activations ADD COLUMN invoice BIGINT;
ALTER TABLE activations ADD COLUMN credit_note BIGINT;

-- Where an organisation is, for its invoice: JSON of street, postcode and city; NULL: not known.
ALTER TABLE organisations ADD COLUMN address TEXT;

-- What support asked, and what the creator answered through the link in the e-mail. Written by the desk in the
-- transaction of the move; the answer's text goes with [retention] answer_days, that there was one stays.
CREATE TABLE questions (
    activation_id TEXT NOT NULL REFERENCES activations (id),
    number        BIGINT NOT NULL,           -- of the history line that asked
    token_hash    TEXT NOT NULL UNIQUE,
    asked_at      BIGINT NOT NULL,
    question      TEXT NOT NULL,
    answered_at   BIGINT,
    answer        TEXT,
    PRIMARY KEY (activation_id, number),
    CHECK (answer IS NULL OR answered_at IS NOT NULL)
);
CREATE INDEX questions_answered ON questions (answered_at) WHERE answer IS NOT NULL;

-- Files that came with an answer. Their kind is what their bytes are, not what they are called. They stand here and
-- not in a folder: so they are there exactly when the answer is, on every machine, and in every backup.
CREATE TABLE uploads (
    id            TEXT NOT NULL PRIMARY KEY,
    activation_id TEXT NOT NULL,
    number        BIGINT NOT NULL,
    position      BIGINT NOT NULL,           -- in the order in which they were sent
    name          TEXT NOT NULL,             -- as the creator calls it
    media_type    TEXT NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    size          BIGINT NOT NULL CHECK (size > 0),
    digest        TEXT NOT NULL,             -- SHA-256, in hexadecimal
    content       BYTEA NOT NULL,
    uploaded_at   BIGINT NOT NULL,
    FOREIGN KEY (activation_id, number) REFERENCES questions (activation_id, number)
);
CREATE INDEX uploads_of_question ON uploads (activation_id, number);
CREATE INDEX uploads_by_time ON uploads (uploaded_at);

-- Invoices and credit notes, numbered 1, 2, 3, … without a gap: the number is taken alone, in the transaction of the
-- move that they belong to, and no row is ever deleted or changed. `facts` is all that they say, as it was then.
CREATE TABLE invoices (
    sequence      BIGINT NOT NULL PRIMARY KEY CHECK (sequence > 0),
    number        TEXT NOT NULL UNIQUE,      -- as it is printed
    kind          TEXT NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    activation_id TEXT NOT NULL REFERENCES activations (id),
    credits       BIGINT REFERENCES invoices (sequence),
    token_hash    TEXT NOT NULL UNIQUE,
    issued_at     BIGINT NOT NULL,
    facts         TEXT NOT NULL,
    UNIQUE (activation_id, kind),
    CHECK ((kind = 'credit_note') = (credits IS NOT NULL))
);
