//! Where messages go: `smtp://…`, `smtps://…` or `file:DIR`, read once at the start.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To a mail server.
    Server(Server),
    /// Into a folder, made when missing.
    Folder(PathBuf),
}

/// A mail server and how to talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) login: Option<(String, Password)>,
}

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// From its first byte (`smtps`).
    FromTheStart,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// By STARTTLS when the server offers it.
    WhenOffered,
    /// Never: this machine talks to itself.
    Loopback,
}

/// A password, which prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

const FORMS: &str = "write smtp://user:password@host:port, smtps://user:password@host or file:DIRECTORY";

impl Destination {
    /// Reads an address. The sentence of a refusal never repeats the address: it may hold a
    /// password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(folder) = text.strip_prefix("file:") {
            let folder = folder.strip_prefix("//").unwrap_or(folder);
            return if folder.is_empty() {
                Err(format!("the folder is missing; {FORMS}"))
            } else {
                Ok(Self::Folder(PathBuf::from(folder)))
            };
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| format!("no known form; {FORMS}"))?;
        let from_the_start = match scheme {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(format!("the scheme is not smtp, smtps or file; {FORMS}")),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(read_login(login)?), host),
            None => (None, rest),
        };
        let (host, port) = read_host(host)?;
        let required = read_query(query)?;
        let loopback = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let encryption = if from_the_start {
            Encryption::FromTheStart
        } else if required {
            Encryption::Required
        } else if loopback {
            Encryption::Loopback
        } else if login.is_some() {
            Encryption::Required
        } else {
            Encryption::WhenOffered
        };
        let usual = match (from_the_start, login.is_some()) {
            (true, _) => 465,
            (false, true) => 587,
            (false, false) => 25,
        };
        Ok(Self::Server(Server {
            host,
            port: port.unwrap_or(usual),
            encryption,
            login,
        }))
    }
}

fn read_login(login: &str) -> Result<(String, Password), String> {
    let (user, password) = login
        .split_once(':')
        .ok_or("the password is missing: write user:password@host, each percent-encoded")?;
    let (user, password) = (percent_decoded(user)?, percent_decoded(password)?);
    if user.is_empty() || password.is_empty() {
        return Err(
            "the user or the password is empty; leave user:password@ out for a server that asks for none".to_owned(),
        );
    }
    Ok((user, Password(password)))
}

fn read_host(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or("the closing bracket of the IPv6 address is missing")?;
        (host, rest.strip_prefix(':'))
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if host.is_empty() || !host.chars().all(fits) {
        return Err(format!(
            "the host is missing or has characters that no host has; {FORMS}"
        ));
    }
    let port = match port {
        None => None,
        Some(port) => Some(
            port.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or("the port is not a number from 1 to 65535")?,
        ),
    };
    Ok((host.to_owned(), port))
}

/// Whether TLS is required.
fn read_query(query: &str) -> Result<bool, String> {
    match query {
        "" => Ok(false),
        "tls=required" => Ok(true),
        _ => Err("after the ? only tls=required is known".to_owned()),
    }
}

fn percent_decoded(text: &str) -> Result<String, String> {
    let wrong =
        || "the user or the password is not percent-encoded as it should be: write %25 for a percent sign".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16)).ok_or_else(wrong);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| wrong())?);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "tests stop at what they did not expect"
    )]
    use super::*;
    use proptest::prelude::*;

    fn server(text: &str) -> Server {
        match Destination::parse(text).unwrap() {
            Destination::Server(server) => server,
            Destination::Folder(_) => panic!("{text} is a server"),
        }
    }

    #[test]
    fn the_three_forms_are_read() {
        assert_eq!(Destination::parse("file:mail"), Ok(Destination::Folder("mail".into())));
        assert_eq!(
            Destination::parse("file:///var/m"),
            Ok(Destination::Folder("/var/m".into()))
        );
        let plain = server("smtp://mail.example.nl");
        assert_eq!((plain.port, plain.encryption), (25, Encryption::WhenOffered));
        let login = server("smtp://me:p%40ss%3A@mail.example.nl");
        assert_eq!((login.port, login.encryption), (587, Encryption::Required));
        let (user, password) = login.login.unwrap();
        assert_eq!((user.as_str(), password.reveal()), ("me", "p@ss:"));
        let implicit = server("smtps://a:b@mail.example.nl/");
        assert_eq!((implicit.port, implicit.encryption), (465, Encryption::FromTheStart));
        assert_eq!(
            server("smtp://mail.example.nl?tls=required").encryption,
            Encryption::Required
        );
        for local in [
            "smtp://localhost:2525",
            "smtp://127.0.0.1:2525",
            "smtp://a:b@[::1]:2525",
        ] {
            assert_eq!(
                (server(local).port, server(local).encryption),
                (2525, Encryption::Loopback)
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        let wrong = [
            "",
            "mail",
            "http://x",
            "file:",
            "smtp://",
            "smtp://h:0",
            "smtp://h:99999",
            "smtp://secret@h",
            "smtp://u:%zzsecret@h",
            "smtp://u:secret@",
            "smtp://u:secret@h?x=1",
            "smtp://u:secret@h h",
            "smtp://:secret@h",
            "smtp://u:secret@[::1",
        ];
        for text in wrong {
            let error = Destination::parse(text).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(!format!("{:?}", server("smtp://u:secret@h")).contains("secret"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".{0,60}") {
            let _ = Destination::parse(&text);
            let _ = Destination::parse(&format!("smtp://{text}"));
        }
    }
}
