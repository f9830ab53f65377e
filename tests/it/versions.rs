//! The next version beside this one, while one takes the other's place.

use crate::load::{Load, activations, count};
use crate::payments::NAME;
use crate::server::Installation;

/// What a next version's migration does first: it adds, and takes nothing away.
const NEXT: &str = "ALTER TABLE activations ADD COLUMN of_the_next_version TEXT; \
    ALTER TABLE events ADD COLUMN of_the_next_version BIGINT NOT NULL DEFAULT 0; \
    CREATE TABLE of_the_next_version (id TEXT NOT NULL PRIMARY KEY); \
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
    SELECT 9999, 'next', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1;";

#[test]
fn fault_39_74_this_version_goes_on_while_the_next_ones_migration_is_made_and_does_not_start_after_it() {
    let installation = Installation::new();
    let server = installation.serve();
    let views = activations(&server, 40);
    let load = Load::start(&views, |_| NAME, vec![server.public.clone()]);
    load.goes_on();
    installation.sql(NEXT);
    let (acknowledged, refused) = load.ended();
    assert_eq!(refused, 0, "a request was refused during the migration");
    count(&server, &installation, &views, acknowledged, refused);
    drop(server);
    let late = installation.run(&["serve"]);
    assert!(!late.status.success());
    assert!(late.stderr.contains("newer version"), "{}", late.stderr);
}
