-- What is purged, and the indexes that find it (activations/src/desk/retention.rs says what goes when).
--
-- None of them makes committing a message dearer: `notifications_by_time` is replaced by one of the same size.
-- A new payment, link or decision costs one entry more; rows come into the others when they are done with.

-- Since when the body and the headers are gone. NULL: they are there.
ALTER TABLE notifications ADD COLUMN emptied_at BIGINT;
CREATE INDEX notifications_to_empty ON notifications (received_at) WHERE emptied_at IS NULL;
CREATE INDEX notifications_emptied ON notifications (received_at) WHERE emptied_at IS NOT NULL;
DROP INDEX notifications_by_time;

-- An event that a later one contradicts can't go before that one does.
CREATE INDEX events_contradicted ON events (conflicts_with) WHERE conflicts_with IS NOT NULL;

-- When retention last looked at who paid; a payment that changes later is looked at again.
ALTER TABLE payments ADD COLUMN looked_over_at BIGINT;
CREATE INDEX payments_to_look_over ON payments (changed_at) WHERE changed_at > COALESCE(looked_over_at, 0);

CREATE INDEX emails_with_text ON emails (created_at) WHERE state <> 'waiting' AND recipient <> '';
CREATE INDEX rereads_done ON rereads (asked_at) WHERE state <> 'waiting';
CREATE INDEX outgoing_events_done ON outgoing_events (created_at) WHERE state <> 'waiting';
CREATE INDEX checkouts_done ON checkouts (created_at) WHERE state <> 'waiting' AND look_at IS NULL;
CREATE INDEX links_by_end ON links (expires_at);
CREATE INDEX decisions_by_time ON decisions (at);
