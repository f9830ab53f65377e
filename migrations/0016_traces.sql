-- Where each row that waits for work stands in a trace: the span that wrote it, as W3C Trace Context says it. Whoever
-- works on the row goes on from there, in another process and perhaps days later (activations/src/trace.rs).
--
-- Empty where no traces are put out, in rows from before, and in those of a process of the version before: then the
-- work begins a trace of its own. Nothing is decided by it, and nobody searches for it.
ALTER TABLE events ADD COLUMN traceparent TEXT;
-- Of what happened to it last: what comes of it now, or when the office opens, goes on from there.
ALTER TABLE activations ADD COLUMN traceparent TEXT;
ALTER TABLE emails ADD COLUMN traceparent TEXT;
ALTER TABLE rereads ADD COLUMN traceparent TEXT;
ALTER TABLE checkouts ADD COLUMN traceparent TEXT;
ALTER TABLE deliveries ADD COLUMN traceparent TEXT;
ALTER TABLE refreshes ADD COLUMN traceparent TEXT;
