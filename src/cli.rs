//! The command line. Each command has a file; this one says what there is.

mod api_key;
mod audit;
mod backup;
mod bench;
mod cells;
mod check;
mod environment;
mod events;
mod explain;
mod import;
mod mail;
mod matching;
mod migrate;
mod migrate_data;
mod moment;
mod offline;
mod person;
mod queue;
mod replay;
mod schedules;
mod suggest;
mod user;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::serve::Role;
use crate::settings::{self, Settings};
use crate::traces::Traces;

/// Decides from a payment that a person may act for an organisation, and activates it.
#[derive(Parser)]
#[command(
    name = "eencent",
    version,
    long_about = "Decides from a one-cent iDEAL payment, or a paid invoice, that a person may act for an organisation, \
        and activates it. Payment providers post signed notifications; eencent verifies them, compares the account \
        holder's name with the organisation's registered names, and activates, or sets apart for review.\n\n\
        Without a command it serves: everything in one process, with nothing to install and nothing to set.",
    after_long_help = "Examples:\n  \
        eencent demo                      see the whole of it happen, on this machine, in seconds\n  \
        eencent check                     tell everything that is wrong with settings and connections\n  \
        eencent                           serve, with data in ./eencent-data\n  \
        eencent explain RF48K7M29QTX4BCD  why does this activation stand where it stands?\n\n\
        Settings: eencent check --defaults prints every setting with its explanation. They come from a file \
        (--config) and from the environment (EENCENT__SECTION__KEY), which goes first."
)]
pub struct Cli {
    /// File with settings; see `eencent check --defaults` for what can stand in it.
    #[arg(
        long,
        global = true,
        env = "EENCENT_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Everything in one process: listeners and workers. The default.
    #[command(after_long_help = "Examples:\n  \
        eencent serve\n  \
        EENCENT__LISTEN__PUBLIC=127.0.0.1:0 eencent serve     on a free port, which is printed\n  \
        EENCENT__WEBHOOKS__MOLLIE__PROVIDER=mollie EENCENT__WEBHOOKS__MOLLIE__SECRETS='[\"…\"]' eencent serve\n\n\
        SIGTERM or SIGINT ends it in an orderly way; a second one ends it at once.")]
    Serve,
    /// The public listener alone: notifications, platform API, the page to round off on.
    Receive,
    /// The workers alone: decide, carry out, send e-mails.
    Work,
    /// Support's console alone.
    Console,
    /// Play the main job on this machine, with providers that sign and post over HTTP.
    #[command(after_long_help = "Examples:\n  \
        eencent demo                  play it, print what happened, and keep running to look around\n  \
        eencent demo --exit           the same, and end; non-zero when a case ended wrong\n  \
        eencent demo --exit --json    the results for a program\n\n\
        It has a clock of its own, a fresh folder and free ports: it ends the same at any hour of any day.")]
    Demo(DemoArgs),
    /// Bring the database up to date. On SQLite `serve` does that by itself.
    Migrate,
    /// Write a backup of the SQLite database, while the server runs.
    #[command(after_long_help = "Examples:\n  \
        eencent backup /var/backups/eencent-$(date +%F).db\n\n\
        It is the database as it was at one moment, in one file, with FILE.links.key beside it: the key that links in \
        e-mails are made with, where it isn't a setting. Both are for their owner alone; who has them can read \
        everything. The file appears under its name once it is whole and on the disk. docs/backup.md tells the rest. \
        PostgreSQL is backed up with its own tools.")]
    Backup(backup::BackupArgs),
    /// Put a backup in the SQLite database's place, while no server runs.
    #[command(after_long_help = "Examples:\n  \
        eencent restore /var/backups/eencent-2026-11-21.db\n  \
        eencent restore --force eencent-2026-11-21.db      what is there is moved aside, and kept\n\n\
        The backup is checked first. Stop every eencent on this database before: one that works is noticed, one that \
        only receives (`eencent receive`) is not. What came in since the backup comes back by itself or by \
        `eencent import`: see docs/backup.md.")]
    Restore(backup::RestoreArgs),
    /// Copy everything from the SQLite database to an empty PostgreSQL, to go on there with several machines.
    #[command(after_long_help = "Examples:\n  \
        eencent migrate-data --to postgres://eencent:PASSWORD@db.example.nl/eencent\n  \
        eencent migrate-data --from sqlite://old/eencent.db --to postgres://eencent:PASSWORD@db.example.nl/eencent\n\n\
        Stop the server first. Everything goes over in one transaction, is counted and compared, and then counts; \
        when anything is wrong the target stays empty. The file is not changed, except that it is brought up to \
        date. At the end it tells what to set. The queue needs no copy: it is filled again from the database.")]
    MigrateData(migrate_data::MigrateDataArgs),
    /// Tell everything that is wrong with settings and connections, at once.
    #[command(after_long_help = "Examples:\n  \
        eencent check                 non-zero when something is wrong\n  \
        eencent check --defaults      print every setting with its explanation")]
    Check(check::CheckArgs),
    /// One page on an activation, an event, or a refused request: what came in and why it went as it went.
    #[command(after_long_help = "Examples:\n  \
        eencent explain RF48K7M29QTX4BCD          by payment reference: why is this in review? why no mail?\n  \
        eencent explain act_01JD5W9A4H8S6P…       by activation\n  \
        eencent explain tr_7UhSN1zuXS             by the provider's payment, or its event\n  \
        eencent explain req_01JD5W9A4H8S6P…       by X-Request-Id: why did I get 401?")]
    Explain(explain::ExplainArgs),
    /// Import bank statements: what came in on your own account, and whose activation it pays.
    #[command(after_long_help = "Examples:\n  \
        eencent import camt053-2026-11-21.xml\n  \
        eencent import --by 'P. de Boer' statements/*.sta\n  \
        eencent import --dry-run statement.xml      read it and tell what is in it; nothing is stored\n\n\
        It reads camt.053, camt.054 and MT940. A file is imported whole or not at all; one that can't be read is named with \
        line and reason, and the exit status is 1. A transaction is known by the bank's own reference, so that a \
        statement may be imported twice, or overlap another. Nothing in a statement proves where it comes from: who \
        imports it is recorded. A folder can be watched as well: statements.folder in the settings.")]
    Import(import::ImportArgs),
    /// Notifications without a server: verify recorded ones, send signed examples.
    Webhook {
        /// Which question.
        #[command(subcommand)]
        question: webhook::Question,
    },
    /// Compare an account holder's name with an organisation's registered names; one, or a file of many.
    #[command(after_long_help = "Examples:\n  \
        eencent match --account-name 'DE KORENAAR BV' --name 'De Korenaar B.V.'\n  \
        eencent match --account-name 'Bakkerij Jansen' --name 'J. Jansen' --trade-name 'Bakkerij Jansen' --legal-form Eenmanszaak\n  \
        eencent match --input names.csv --output verdicts.csv\n  \
        eencent match --input labelled.csv            only the summary, with a confusion table\n\n\
        The input has columns id, account_name and legal_name, and may have trade_names (a JSON list), legal_form, \
        country, expected (match or review) and reason (a class of yours, to count by), in any order; \
        the output has id, verdict (match or review), score, reasons. A verdict of review is no failure: \
        the exit status is 0 when every row got one.")]
    Match(matching::MatchArgs),
    /// Tell which of many registered names an account holder is likely to be; for a payment without a reference.
    #[command(after_long_help = "Examples:\n  \
        eencent suggest --names register.csv 'DE KORENAAR BV'\n  \
        eencent suggest --names register.csv --limit 3 --json < account-names.txt\n\n\
        The file has columns id and name (or legal_name), and may have trade_names (a JSON list). Two million names \
        take a few seconds to read. The list is for a person: being on top of it proves nothing.")]
    Suggest(suggest::SuggestArgs),
    /// Make, revoke and list the keys of the platform API.
    #[command(after_long_help = "Examples:\n  \
        eencent api-key make --name shop --scope platform       registers, starts, cancels, resends\n  \
        eencent api-key make --name support --scope review      decides, reads explanations\n  \
        eencent api-key make --name sales --scope operator      grants environments more organisations\n  \
        eencent api-key revoke shop\n  \
        eencent api-key list\n\n\
        A key is shown once, when it is made; only its hash is kept.")]
    ApiKey {
        /// What to do.
        #[command(subcommand)]
        act: api_key::Act,
    },
    /// Show how many organisations an environment may have, and grant it another number.
    #[command(after_long_help = "Examples:\n  \
        eencent environment show production-17\n  \
        eencent environment limit production-17 25 --by Jansen --reason \"order 2026-114\"\n\n\
        Two are free, or as many as organisations.free says. Over the API it takes a key with scope operator.")]
    Environment {
        /// What to do.
        #[command(subcommand)]
        act: environment::Act,
    },
    /// List events for the platform, and deliver them again.
    #[command(after_long_help = "Examples:\n  \
        eencent events list --state failed                          what was given up\n  \
        eencent events resend --by Jansen --reason outage           all of that again\n  \
        eencent events resend out_01… --by Jansen --reason asked    one event\n\n\
        docs/events.md says what is posted, and how to check it.")]
    Events {
        /// What to do.
        #[command(subcommand)]
        act: events::Act,
    },
    /// Hold all e-mails back and let them go again, see what wasn't delivered, and preview what is sent.
    #[command(after_long_help = "Examples:\n  \
        eencent mail stop --by Jansen --reason \"a wrong template\"\n  \
        eencent mail status\n  \
        eencent mail start --by Jansen --reason mended\n  \
        eencent mail list --state failed                           what could not be delivered, and why\n  \
        eencent mail resend eml_01… --by Jansen --reason \"new address\"\n  \
        eencent mail preview                                       which e-mails there are\n  \
        eencent mail preview round_off --language nl --format html > round_off.html\n  \
        eencent mail preview --out previews                        all of them, as text, page and message\n\n\
        While they are held back nothing is lost: decisions are made and links work; what is told of them waits. \
        docs/emails.md says how to write templates of your own.")]
    Mail {
        /// What to do.
        #[command(subcommand)]
        act: mail::Act,
    },
    /// See what waits, failed or was dropped; retry, drop, pause and resume it.
    #[command(after_long_help = "Examples:\n  \
        eencent queue status                                       each kind of work: what waits, since when, what failed\n  \
        eencent queue list --state failed                          what was set apart or given up, and why\n  \
        eencent queue show evt_01…                                 one row with every attempt\n  \
        eencent queue show ntf_01…                                 one message, its body masked\n  \
        eencent queue retry eml_01… --by Jansen --reason \"server is back\"\n  \
        eencent queue retry --kind email --state failed            counts them, and tells how to retry them all\n  \
        eencent queue drop --kind reread --state failed --of mollie --since 2d\n  \
        eencent queue pause delivery --by Jansen --reason \"the platform is down\"\n  \
        eencent queue resume delivery --by Jansen --reason mended\n\n\
        Kinds of work: event (a notification to decide on), approval, email, reread (a provider's API to ask), checkout \
        (a payment to make), delivery (an event for the platform), names (a register to ask). States: waiting, put_off \
        (waits after it failed), failed, dropped, done. Times: 2026-11-25T10:00:00Z, 2026-11-25, or so long ago: 90m, \
        12h, 3d. Every act asks who and why, and goes into the audit. docs/operations.md tells the rest.")]
    Queue {
        /// What to do.
        #[command(subcommand)]
        act: Box<queue::Act>,
    },
    /// Read stored notifications again, by today's program: for after it was mended.
    #[command(after_long_help = "Examples:\n  \
        eencent replay --since 2d --dry-run                        what would come of it; nothing is changed\n  \
        eencent replay --since 2d --by Jansen --reason \"1.4 reads the new field\"\n  \
        eencent replay --since 2026-11-24 --endpoint mollie --all --by Jansen --reason \"look at all again\"\n\n\
        What could not be read before, or is read otherwise now, waits to be processed again; with --all, also what says \
        the same. That harms nothing: a payment's picture only moves forward, and nothing is activated or mailed twice. \
        Each message is proven again by the secrets in the settings; one that can't be is left as it is, and counted. \
        Bodies are kept for retention.body_days.")]
    Replay(replay::ReplayArgs),
    /// List what happens at times of day, and have it happen now.
    #[command(after_long_help = "Examples:\n  \
        eencent schedules list\n  \
        eencent schedules run purge --by Jansen --reason \"the disk is nearly full\"\n\n\
        A server or worker that runs takes it within seconds, once, however many there are.")]
    Schedules {
        /// What to do.
        #[command(subcommand)]
        act: schedules::Act,
    },
    /// Add, list and keep out the people who work in the consoles.
    #[command(after_long_help = "Examples:\n  \
        eencent user add --email m.jansen@example.nl --name 'Marja Jansen' --role administrator --role support\n  \
        eencent user list\n  \
        eencent user invite m.jansen@example.nl --by Bakker --reason 'lost phone'\n  \
        eencent user disable m.jansen@example.nl --by Bakker --reason 'left'\n  \
        eencent user link m.jansen@example.nl --subject 'f2a9…' --by Bakker --reason 'single sign-on'\n\n\
        Nobody gets a password from us: whoever is added gets a link, and chooses one there. docs/console.md says what \
        each role may do, docs/sign-in.md how people sign in through an identity provider.")]
    User {
        /// What to do.
        #[command(subcommand)]
        act: user::Act,
    },
    /// Check that nobody changed the audit, list who did what and why, and export it.
    #[command(after_long_help = "Examples:\n  \
        eencent audit list --since 2026-11-01 --actor jansen       what she did\n  \
        eencent audit list --subject act_01…                       what was done about an activation\n  \
        eencent audit verify                                       non-zero when an entry was changed\n  \
        eencent audit export --format csv > audit.csv              for a spreadsheet\n  \
        eencent audit export 2>> heads.txt > audit.jsonl           and keep the head, on another machine\n  \
        eencent audit verify --head 1204:9f2c…                     it still holds the entry that was kept\n\n\
        Each entry holds a hash over itself and the entry before. Whoever can write the whole database could write all \
        of it anew: only a head that is kept elsewhere shows that. docs/audit.md says what is hashed.")]
    Audit {
        /// What to do.
        #[command(subcommand)]
        act: audit::Act,
    },
    /// Export or erase everything that is stored of one person.
    #[command(after_long_help = "Examples:\n  \
        eencent person export --email jansen@example.nl --out jansen.json --by Bakker --reason \"request 2026-114\"\n  \
        eencent person export --iban 'NL91 ABNA 0417 1643 00' --out - --by Bakker --reason \"request 2026-115\"\n  \
        eencent person erase --email jansen@example.nl                    what would go, what stays and why\n  \
        eencent person erase --email jansen@example.nl --yes --by Bakker --reason \"request 2026-114\"\n\n\
        By the address of whoever registered an organisation, all activations of it are theirs. By an account number only \
        the payments from it are: the activations are their creators'. Stop a half-way `erase` when you must: the same command goes on. \
        docs/personal-data.md says what is stored of whom and how long, what the law has you keep, and what backups hold.")]
    Person {
        /// What to do.
        #[command(subcommand)]
        act: person::Act,
    },
    /// Measure an installation: with activations and load that are made for it.
    Bench {
        /// What to do.
        #[command(subcommand)]
        act: bench::Act,
    },
}

/// How to play the demonstration.
#[derive(Args)]
pub struct DemoArgs {
    /// End when everything has been played.
    #[arg(long)]
    exit: bool,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
    /// Where the playground listens, a page on which you play the platform and the bank. It asks for no password.
    /// Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,
}

/// Does what the command line says.
///
/// # Errors
/// What went wrong, as a sentence that says what to do.
pub fn run() -> anyhow::Result<ExitCode> {
    end_with_the_reader();
    let Cli { config, command } = Cli::parse();
    let config = config.filter(|path| !path.as_os_str().is_empty());
    let settings = || Ok::<Settings, anyhow::Error>(settings::load(config.as_deref())?);
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve(Role::Serve, settings()?),
        Command::Receive => serve(Role::Receive, settings()?),
        Command::Work => serve(Role::Work, settings()?),
        Command::Console => serve(Role::Console, settings()?),
        Command::Demo(DemoArgs { exit, json, listen }) => wait_for(crate::demo::run(exit, json, &listen)),
        Command::Migrate => wait_for(migrate::run(settings()?)),
        Command::Backup(args) => wait_for(backup::backup(args, settings()?)),
        Command::Restore(args) => wait_for(backup::restore(args, settings()?)),
        Command::MigrateData(args) => wait_for(migrate_data::run(args, settings()?)),
        Command::Check(args) => check::run(&args, config.as_deref()),
        Command::Explain(args) => wait_for(explain::run(args, settings()?)),
        Command::Import(args) => wait_for(import::run(args, settings()?)),
        Command::Webhook { question } => webhook::run(question),
        Command::Match(args) => matching::run(&args),
        Command::Suggest(args) => suggest::run(&args),
        Command::ApiKey { act } => wait_for(api_key::run(act, settings()?)),
        Command::Mail { act } => wait_for(mail::run(act, settings()?)),
        Command::Audit { act } => wait_for(audit::run(act, settings()?)),
        Command::Environment { act } => wait_for(environment::run(act, settings()?)),
        Command::Events { act } => wait_for(events::run(act, settings()?)),
        Command::Person { act } => wait_for(person::run(act, settings()?)),
        Command::Queue { act } => wait_for(queue::run(*act, settings()?)),
        Command::Replay(args) => wait_for(replay::run(args, settings()?)),
        Command::Schedules { act } => wait_for(schedules::run(act, settings()?)),
        Command::User { act } => wait_for(user::run(act, settings()?)),
        Command::Bench { act } => wait_for(bench::run(act, settings)),
    }
}

fn serve(role: Role, settings: Settings) -> anyhow::Result<ExitCode> {
    let traces = Traces::begin(&settings.traces, role);
    let layer = traces.as_ref().map(Traces::layer);
    crate::logging::start(&settings.log, layer).context("the log can't be started")?;
    wait_for(async move {
        crate::serve::run(role, settings, traces).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Runs a command that waits for things.
pub fn wait_for(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // What the database answers comes from a thread of its own, by the queue that all share. A transaction waits for
        // it, and a hundred messages for the transaction: looked for after each other task, not after every thirtieth.
        .global_queue_interval(2)
        .event_interval(16)
        .enable_all()
        .build()
        .context("the machine gives no threads; close other programs, or raise its limits")?;
    let done = runtime.block_on(command);
    // What is still running has been told to stop, and had its time.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}

/// As shells tell the end by SIGPIPE.
const NOBODY_READS: i32 = 128 + 13;

/// Makes `… | head` end quietly, as other programs do: whoever reads has seen enough. Rust ignores the signal that would
/// do so, and panics where the next line can't be printed. What had not been committed isn't.
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let told = panic.payload_as_str().unwrap_or_default();
        if told.starts_with("failed printing to stdout") && told.contains("Broken pipe") {
            std::process::exit(NOBODY_READS);
        }
        usual(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_teaches() {
        let mut command = Cli::command().term_width(110).version("0.0.0");
        command.build();
        insta::assert_snapshot!("eencent", command.render_long_help());
        for name in [
            "serve",
            "demo",
            "backup",
            "restore",
            "migrate-data",
            "check",
            "explain",
            "import",
            "match",
            "suggest",
            "api-key",
            "environment",
            "events",
            "mail",
            "queue",
            "replay",
            "schedules",
            "user",
            "audit",
        ] {
            let help = command.find_subcommand_mut(name).unwrap().render_long_help();
            insta::assert_snapshot!(name, help);
        }
        let webhook = command.find_subcommand_mut("webhook").unwrap();
        for name in ["verify", "send"] {
            let help = webhook.find_subcommand_mut(name).unwrap().render_long_help();
            insta::assert_snapshot!(format!("webhook-{name}"), help);
        }
        let queue = command.find_subcommand_mut("queue").unwrap();
        for name in ["list", "retry", "drop", "pause"] {
            let help = queue.find_subcommand_mut(name).unwrap().render_long_help();
            insta::assert_snapshot!(format!("queue-{name}"), help);
        }
        let person = command.find_subcommand_mut("person").unwrap();
        insta::assert_snapshot!("person", person.render_long_help());
        for name in ["export", "erase"] {
            let help = person.find_subcommand_mut(name).unwrap().render_long_help();
            insta::assert_snapshot!(format!("person-{name}"), help);
        }
        let bench = command.find_subcommand_mut("bench").unwrap();
        for name in ["seed", "load"] {
            let help = bench.find_subcommand_mut(name).unwrap().render_long_help();
            insta::assert_snapshot!(format!("bench-{name}"), help);
        }
    }
}
