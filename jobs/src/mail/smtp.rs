//! Messages to a mail server.
//!
//! lettre speaks the protocol; this file walks through it command by command, for two reasons.
//! First, what an error means depends on when it comes: before the message is handed over nothing
//! has happened and it is safe to try again, after it the mail may have arrived, and lettre's own
//! `send` doesn't tell the two apart. Second, lettre's limit on time covers connecting only: with a
//! server that falls silent after `DATA` it waits for ever.
//!
//! | when | temporary (4xx, network, silence) | for good (5xx) |
//! |---|---|---|
//! | connect, TLS, greeting, login, `MAIL FROM` | later | later: these are about our settings, which somebody mends; no letter is given up for a password that was changed |
//! | `RCPT TO`, `DATA` | later | never |
//! | the message itself | 4xx: later; no answer: uncertain | never |

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use eencent_activations::desk::Trouble;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::address::{Encryption, Server};
use super::{Refused, Sealed};

/// A mail server, and connections to it that are kept for the next letter.
pub(crate) struct Smtp {
    server: Server,
    /// For everything before the message, and again for the message.
    timeout: Duration,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
    /// One for each connection that may be open.
    places: Semaphore,
    /// Trusted beside the system's.
    ca: Option<Certificate>,
}

/// Reads certificates in PEM.
///
/// # Errors
/// A sentence.
pub(super) fn certificates(file: &Path) -> Result<Certificate, String> {
    let pem = std::fs::read(file).map_err(|error| format!("{} can't be read: {error}", file.display()))?;
    let wrong = || {
        format!(
            "{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)",
            file.display()
        )
    };
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(wrong());
    }
    Certificate::from_pem(&pem).map_err(|_| wrong())
}

/// A connection is kept this long; servers hang up after a few minutes.
const KEPT_FOR: Duration = Duration::from_secs(20);

impl Smtp {
    pub(crate) fn new(server: Server, timeout: Duration, connections: usize, ca: Option<Certificate>) -> Self {
        Self {
            server,
            timeout,
            idle: Mutex::default(),
            places: Semaphore::new(connections.max(1)),
            ca,
        }
    }

    pub(crate) async fn hand_over(&self, sealed: &Sealed) -> Result<(), Refused> {
        let Ok(Ok(_place)) = tokio::time::timeout(self.timeout, self.places.acquire()).await else {
            return Err(Refused::Later(Trouble::Unreachable.told(format_args!(
                "no connection to the mail server was free within {:?}",
                self.timeout
            ))));
        };
        let opened = tokio::time::timeout(self.timeout, self.open_envelope(sealed)).await;
        let mut connection = match opened {
            Ok(opened) => opened?,
            Err(_) => {
                return Err(Refused::Later(
                    Trouble::Unreachable.told(format_args!("the mail server didn't answer within {:?}", self.timeout)),
                ));
            }
        };
        match tokio::time::timeout(self.timeout, connection.message(&sealed.bytes)).await {
            Ok(Ok(_)) => {
                self.keep(connection);
                Ok(())
            }
            Ok(Err(error)) if error.is_permanent() => Err(Refused::Never(
                Trouble::MessageRefused.told(sentence("refused the message", &error)),
            )),
            Ok(Err(error)) if error.is_transient() => Err(Refused::Later(
                Trouble::PutOff.told(sentence("put off the message", &error)),
            )),
            Ok(Err(error)) => Err(Refused::Uncertain(
                Trouble::NoAnswer.told(sentence("was lost while it took the message", &error)),
            )),
            Err(_) => Err(Refused::Uncertain(Trouble::NoAnswer.told(format_args!(
                "the mail server took the message and didn't answer within {:?}",
                self.timeout
            )))),
        }
    }

    pub(crate) async fn check(&self) -> Result<(), String> {
        let greeting = async {
            let mut connection = self.connect().await.map_err(|(_, said)| said)?;
            connection.abort().await;
            Ok(())
        };
        match tokio::time::timeout(self.timeout, greeting).await {
            Ok(checked) => checked,
            Err(_) => Err(format!("the mail server didn't answer within {:?}", self.timeout)),
        }
    }

    /// Everything up to the server's "go ahead".
    async fn open_envelope(&self, sealed: &Sealed) -> Result<AsyncSmtpConnection, Refused> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => self
                .connect()
                .await
                .map_err(|(trouble, said)| Refused::Later(trouble.told(said)))?,
        };
        let from = sealed.envelope.from().cloned();
        connection
            .command(Mail::new(from, vec![]))
            .await
            .map_err(|error| Refused::Later(Trouble::NotLetIn.told(sentence("refused the sender", &error))))?;
        for to in sealed.envelope.to() {
            connection
                .command(Rcpt::new(to.clone(), vec![]))
                .await
                .map_err(|error| refused(Trouble::AddressRefused, "refused the recipient", &error))?;
        }
        connection
            .command(Data)
            .await
            .map_err(|error| refused(Trouble::MessageRefused, "refused to take a message", &error))?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, (Trouble, String)> {
        let server = &self.server;
        let hello = ClientId::default();
        let tls = || {
            let builder = TlsParameters::builder(server.host.clone());
            let builder = match &self.ca {
                Some(ca) => builder.add_root_certificate(ca.clone()),
                None => builder,
            };
            let wrong = |error: Error| (Trouble::NotLetIn, sentence("can't be reached by TLS", &error));
            builder.build().map_err(wrong)
        };
        let from_the_start = match server.encryption {
            Encryption::FromTheStart => Some(tls()?),
            _ => None,
        };
        let address = (server.host.as_str(), server.port);
        let unreachable = |error: &Error| (Trouble::Unreachable, sentence("can't be reached", error));
        let mut connection = if let Some(tls) = from_the_start {
            AsyncSmtpConnection::connect_tokio1(address, Some(self.timeout), &hello, Some(tls), None)
                .await
                .map_err(|error| unreachable(&error))?
        } else {
            let stream = TcpStream::connect(address).await.map_err(|error| {
                (
                    Trouble::Unreachable,
                    format!("the mail server can't be reached: {error}"),
                )
            })?;
            // A message goes out in several writes, and the last must not wait for the server to acknowledge the
            // one before: forty milliseconds a letter. (Where encryption begins with the first byte, lettre gives no
            // way to say so.)
            stream.set_nodelay(true).ok();
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello)
                .await
                .map_err(|error| unreachable(&error))?
        };
        let encrypt = match server.encryption {
            Encryption::Required => true,
            Encryption::WhenOffered => connection.can_starttls(),
            Encryption::FromTheStart | Encryption::Loopback => false,
        };
        if encrypt {
            let wrong = "can't encrypt (STARTTLS); check its certificate (mail.ca_file), or the port";
            connection
                .starttls(tls()?, &hello)
                .await
                .map_err(|error| (Trouble::NotLetIn, sentence(wrong, &error)))?;
        }
        if let Some((user, password)) = &server.login {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            let wrong = "refused the login; check user and password in mail.url";
            connection
                .auth(DEFAULT_MECHANISMS, &credentials)
                .await
                .map_err(|error| (Trouble::NotLetIn, sentence(wrong, &error)))?;
        }
        Ok(connection)
    }

    /// A connection of before that still answers.
    async fn kept(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                idle.pop()?
            };
            if since.elapsed() < KEPT_FOR && connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !connection.has_broken() {
            idle.push((connection, Instant::now()));
        }
    }
}

fn refused(trouble: Trouble, what: &str, error: &Error) -> Refused {
    let said = sentence(what, error);
    if error.is_permanent() {
        Refused::Never(trouble.told(said))
    } else if error.is_transient() {
        Refused::Later(Trouble::PutOff.told(said))
    } else {
        Refused::Later(Trouble::Unreachable.told(said))
    }
}

/// What the server said, for the row and the log. Servers like to repeat the recipient's address,
/// so anything that looks like one is left out, and no more than a line is kept.
fn sentence(what: &str, error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        said = format!("{said}: {deeper}");
        cause = deeper.source();
    }
    let words: Vec<&str> = said
        .split_whitespace()
        .map(|word| if word.contains('@') { "***" } else { word })
        .collect();
    let said: String = words.join(" ").chars().take(300).collect();
    format!("the mail server {what}: {said}")
}
