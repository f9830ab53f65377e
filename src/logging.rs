//! The log: on standard error, one line an event, without personal data (types print masked).

use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, registry};

use crate::settings::{Log, LogFormat};

/// Starts logging as the settings say, and beside it what makes traces, if anything does; a second start is refused.
///
/// # Errors
/// When something logs already.
pub fn start(log: &Log, traces: Option<Box<dyn Layer<Registry> + Send + Sync>>) -> Result<(), TryInitError> {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    match traces {
        // What isn't logged isn't made at all.
        None => registry().with(filter).with(lines(log)).try_init(),
        Some(traces) => registry().with(traces).with(lines(log).with_filter(filter)).try_init(),
    }?;
    // The message of a panic may quote what was being worked on; the place is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(place, "a part of the program panicked");
    }));
    Ok(())
}

fn lines<S: Subscriber + for<'a> LookupSpan<'a>>(log: &Log) -> Box<dyn Layer<S> + Send + Sync> {
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    }
}

/// Whether a level can be used, for the settings. The filter takes any word for the name of a part
/// and logs nothing else then; a word by itself must be a level here.
pub fn is_level(level: &str) -> bool {
    let usable = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
    level.split(',').all(|part| usable(part.trim())) && EnvFilter::try_new(level).is_ok()
}
