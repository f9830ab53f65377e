//! PostgreSQL, for several machines on one truth.
//!
//! Transactions run at READ COMMITTED: what a transaction decides on, it holds ([`super::Store::held`]), and
//! what two of them may both insert has a unique index. A batch of the purge is the exception: its statements see one
//! moment. `synchronous_commit` is set on, whatever the
//! server's default: what was committed survives it. A statement that hangs is ended by the server,
//! before whoever asked for it has given up.

use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _, SqlSafeStr as _};

use super::{READERS, StoreError, without_password};

/// How many transactions write at once.
const WRITERS: u32 = 8;

/// What every connection is told first. Bodies and e-mails are compressed by LZ4 where the server was built with it:
/// its own way costs it a fifth of all the work.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = '20s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET application_name = 'eencent'; SET timezone = 'UTC'; \
     SELECT set_config(name, 'lz4', false) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";

/// How long the first connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Whether an address is one of PostgreSQL.
pub(super) fn is_one(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The connections that write, and those that read.
pub(super) async fn connect(url: &str) -> Result<(AnyPool, AnyPool), StoreError> {
    let open = |error: sqlx::Error| StoreError::Open(without_password(url), what_to_do(&error), error);
    // Once without a pool, which would try again for seconds before it says what is wrong.
    let first = tokio::time::timeout(CONNECT_LIMIT, AnyConnection::connect(url)).await;
    let first = first.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut)).map_err(open)?;
    first.close().await.map_err(open)?;
    let write = options(WRITERS).connect(url).await.map_err(open)?;
    let read = options(READERS).connect(url).await.map_err(open)?;
    Ok((write, read))
}

fn options(connections: u32) -> AnyPoolOptions {
    super::pool(connections).after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(SESSION).await?;
            Ok(())
        })
    })
}

/// What an operator can do, by PostgreSQL's error code.
fn what_to_do(error: &sqlx::Error) -> &'static str {
    let code = match error {
        sqlx::Error::Database(error) => error.code(),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => {
            return "nothing answers there; check that PostgreSQL runs, its address, and what is between";
        }
        sqlx::Error::Tls(_) => return "no encrypted connection; check sslmode and sslrootcert in the address",
        sqlx::Error::Configuration(_) => return "the address can't be read; a password is percent-encoded (@ is %40)",
        _ => None,
    };
    match code.as_deref() {
        Some("28P01" | "28000") => "the user or the password is refused; check both, and the server's pg_hba.conf",
        Some("3D000") => "there is no such database; make it with: createdb NAME",
        Some("53300") => "the server has no connection left; raise max_connections, or run fewer processes",
        Some("57P03") => "the server is starting or stopping; try again in a moment",
        _ => "see the cause",
    }
}

/// The migrations, as PostgreSQL takes them: a table has to be there before another refers to it, and the
/// tables of activations and their history refer to each other. So constraints that are checked at the
/// end of a transaction are added at the end of their file. (SQLite can't add one later.) And a trigger that
/// refuses has a function to call.
pub(super) fn migrations(all: &Migrator) -> Migrator {
    let mut migrations = all.migrations.to_vec();
    for migration in &mut migrations {
        // The checksum stays that of the file.
        migration.sql = sqlx::AssertSqlSafe(refusing(&deferred_last(migration.sql.as_str()))).into_sql_str();
    }
    Migrator::with_migrations(migrations)
}

fn deferred_last(sql: &str) -> String {
    let mut table = "";
    let (mut kept, mut later) = (String::new(), String::new());
    for line in sql.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = rest.split(' ').next().unwrap_or_default();
        }
        let constraint = line.trim().trim_end_matches(',');
        if constraint.starts_with("FOREIGN KEY") && constraint.contains("DEFERRABLE") {
            later.push_str(&format!("ALTER TABLE {table} ADD {constraint};\n"));
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept + &later
}

/// The body of a trigger that refuses, as SQLite has it, around what it says.
const REFUSES: (&str, &str) = ("BEGIN SELECT RAISE(ABORT, '", "'); END;");

/// What PostgreSQL's triggers call instead.
const REFUSE: &str = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
     'BEGIN RAISE EXCEPTION ''%'', TG_ARGV[0]; END';\n";

fn refusing(sql: &str) -> String {
    let mut refuses = false;
    let mut adapted = String::new();
    for line in sql.lines() {
        let said = line
            .strip_prefix(REFUSES.0)
            .and_then(|rest| rest.strip_suffix(REFUSES.1));
        match said {
            Some(said) => adapted.push_str(&format!("EXECUTE FUNCTION refuse('{said}');")),
            None => adapted.push_str(line),
        }
        refuses |= said.is_some();
        adapted.push('\n');
    }
    if refuses { REFUSE.to_owned() + &adapted } else { adapted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deferred_constraints_come_after_all_tables() {
        let sql = "CREATE TABLE a (\n    id TEXT,\n    FOREIGN KEY (id) REFERENCES b (id) DEFERRABLE INITIALLY DEFERRED,\n    CHECK (id <> '')\n);\n\
                   CREATE TABLE b (\n    id TEXT PRIMARY KEY\n);";
        assert_eq!(
            deferred_last(sql),
            "CREATE TABLE a (\n    id TEXT,\n    CHECK (id <> '')\n);\nCREATE TABLE b (\n    id TEXT PRIMARY KEY\n);\n\
             ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b (id) DEFERRABLE INITIALLY DEFERRED;\n"
        );
    }
    #[test]
    fn a_trigger_that_refuses_calls_the_function_that_comes_before_it() {
        let sql = "CREATE TRIGGER t BEFORE DELETE ON a FOR EACH ROW\nBEGIN SELECT RAISE(ABORT, 'never'); END;\n";
        assert_eq!(
            refusing(sql),
            format!("{REFUSE}CREATE TRIGGER t BEFORE DELETE ON a FOR EACH ROW\nEXECUTE FUNCTION refuse('never');\n")
        );
        assert_eq!(refusing("SELECT 1;\n"), "SELECT 1;\n");
    }
}
