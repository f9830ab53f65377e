-- What an e-mail says: JSON of subject, text and HTML, made once, at its first attempt. Apart from the e-mail's row, which is
-- written at each step of its way: SQLite writes a row as a whole, and what it says is ten times the rest of it. Written
-- by whoever holds the e-mail; deleted when the e-mail is emptied.
-- `emails.rendered` has what e-mails from before say, until they are emptied; nothing is written there any more.
CREATE TABLE renderings (
    email_id TEXT NOT NULL PRIMARY KEY REFERENCES emails (id),
    words    TEXT NOT NULL
);
