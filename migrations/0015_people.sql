-- The people who work in the consoles: who they are, what each may do, and where each is signed in.

CREATE TABLE accounts (
    id              TEXT NOT NULL PRIMARY KEY,
    email           TEXT NOT NULL UNIQUE,    -- in lower case: what one signs in with
    name            TEXT NOT NULL CHECK (name <> ''),
    roles           TEXT NOT NULL,           -- names of roles, a space between two
    language        TEXT NOT NULL CHECK (language IN ('nl', 'en')),
    subject         TEXT UNIQUE,             -- issuer and subject, of who signs in through an identity provider
    password_hash   TEXT,                    -- argon2id, with its salt and parameters
    second_factor   BYTEA,                   -- the secret of the codes, sealed with a key that isn't in the database
    last_step       BIGINT,                  -- of the newest code that was taken: none is taken twice
    failures        BIGINT NOT NULL DEFAULT 0,
    locked_until    BIGINT,
    created_at      BIGINT NOT NULL,
    disabled_at     BIGINT,
    signed_in_at    BIGINT,
    CHECK ((password_hash IS NULL) = (second_factor IS NULL)),
    CHECK (subject IS NULL OR password_hash IS NULL)
);

-- Links with which somebody chooses a password and a second factor, once. Only their hashes.
CREATE TABLE invitations (
    token_hash TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX invitations_of_account ON invitations (account_id);

-- Where somebody is signed in. Only the hash of what the browser holds: who reads this can't be anybody.
CREATE TABLE sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,              -- whatever happens
    ended_at   BIGINT,
    agent      TEXT NOT NULL                 -- the browser, as it calls itself
);
CREATE INDEX sessions_of_account ON sessions (account_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);
