//! A mail server for tests, on a real port, that misbehaves on command.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// 4xx to a recipient.
    Greylists,
    /// 5xx to a recipient.
    RefusesRecipient,
    /// 5xx to the message, after it was handed over.
    RefusesMessage,
    /// 4xx to the message.
    PutsOffMessage,
    /// Takes the message and falls silent.
    SilentAfterData,
    /// Takes the message and hangs up.
    HangsUpAfterData,
    /// Hangs up in the middle of the talk before it.
    HangsUpAtRecipient,
    /// Accepts connections and says nothing.
    Silent,
    /// 535 to a login.
    RefusesLogin,
}

/// The server; ends with the test.
#[derive(Clone)]
pub(crate) struct PretendServer {
    pub(crate) port: u16,
    pub(crate) mood: Arc<Mutex<Mood>>,
    /// Messages it took, also when it did not say so.
    pub(crate) taken: Arc<Mutex<Vec<String>>>,
    pub(crate) connections: Arc<Mutex<u32>>,
}

impl PretendServer {
    pub(crate) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            mood: Arc::new(Mutex::new(mood)),
            taken: Arc::default(),
            connections: Arc::default(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *serving.connections.lock().unwrap() += 1;
                let serving = serving.clone();
                tokio::spawn(async move {
                    let _ = serving.talk(stream).await;
                });
            }
        });
        server
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mood = || *self.mood.lock().unwrap();
        if mood() == Mood::Silent {
            std::future::pending::<()>().await;
        }
        stream.write_all(b"220 pretend ESMTP\r\n").await?;
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let command = line.to_ascii_uppercase();
            let answer: &[u8] = if command.starts_with("EHLO") {
                b"250-pretend\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n"
            } else if command.starts_with("AUTH") && mood() == Mood::RefusesLogin {
                b"535 wrong password\r\n"
            } else if command.starts_with("AUTH") {
                b"235 welcome\r\n"
            } else if command.starts_with("RCPT") {
                match mood() {
                    Mood::Greylists => b"451 try again later\r\n",
                    Mood::RefusesRecipient => b"550 <ans@korenaar.example> no such user\r\n",
                    Mood::HangsUpAtRecipient => return Ok(()),
                    _ => b"250 ok\r\n",
                }
            } else if command.starts_with("DATA") {
                stream.write_all(b"354 go ahead\r\n").await?;
                let message = read_message(&mut stream).await?;
                if !matches!(mood(), Mood::RefusesMessage | Mood::PutsOffMessage) {
                    self.taken.lock().unwrap().push(message);
                }
                match mood() {
                    Mood::RefusesMessage => b"554 looks like spam\r\n",
                    Mood::PutsOffMessage => b"452 disk full\r\n",
                    Mood::HangsUpAfterData => return Ok(()),
                    Mood::SilentAfterData => {
                        std::future::pending::<()>().await;
                        b""
                    }
                    _ => b"250 taken\r\n",
                }
            } else if command.starts_with("QUIT") {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            } else {
                b"250 ok\r\n"
            };
            stream.write_all(answer).await?;
        }
    }
}

async fn read_message(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
