//! A stand-in of a provider's or a register's API, over real HTTP: answers what a test says, as badly as it says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// One answer.
#[derive(Clone)]
pub enum Reply {
    /// A status and a JSON body.
    Json(u16, Value),
    /// Sent elsewhere.
    Redirect(String),
    /// Takes the request, says nothing, and holds on.
    Silence,
    /// Closes the connection.
    HangsUp,
    /// A body that never ends.
    Giant,
    /// These lines between the status and the body, as they are.
    Raw(u16, &'static str, String),
    /// The first half of a JSON body, then nothing.
    CutOff(Value),
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub head: String,
    pub body: String,
}

#[derive(Default)]
struct Script {
    /// By `METHOD /path`: the answers in order; the last one stays.
    replies: HashMap<String, Vec<Reply>>,
    asked: Vec<Asked>,
}

/// The API; gone when dropped, as far as anybody notices.
#[derive(Clone)]
pub struct StandIn {
    script: Arc<Mutex<Script>>,
    pub url: String,
}

impl StandIn {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let ours = Self { script, url };
        let theirs = ours.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let api = theirs.clone();
                std::thread::spawn(move || api.serve(stream));
            }
        });
        ours
    }

    /// What `METHOD /path` answers: each in turn, the last for ever.
    pub fn answers(&self, request: &str, replies: &[Reply]) {
        let mut script = self.script.lock().unwrap();
        script.replies.insert(request.to_owned(), replies.to_vec());
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let line = head.lines().next().unwrap_or_default();
        let line = line.trim_end_matches(" HTTP/1.1").to_owned();
        let length = head
            .lines()
            .find_map(|header| {
                header
                    .to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let reply = {
            let mut script = self.script.lock().unwrap();
            let body = String::from_utf8_lossy(&body).into_owned();
            script.asked.push(Asked { head, body });
            match script.replies.get_mut(&line) {
                Some(replies) if replies.len() > 1 => replies.remove(0),
                Some(replies) => replies[0].clone(),
                None => Reply::Json(404, serde_json::json!({ "status": 404, "title": "Not Found" })),
            }
        };
        let _ = say(&mut stream, reply);
    }
}

fn say(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Json(status, body) => {
            let body = body.to_string();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
        }
        Reply::Redirect(to) => write!(
            stream,
            "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
        // Until the one who asked has had enough.
        Reply::Silence => stream.read(&mut [0]).map(drop),
        Reply::HangsUp => Ok(()),
        Reply::Giant => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\""
            )?;
            let block = [b'x'; 64 * 1024];
            loop {
                stream.write_all(&block)?;
            }
        }
        Reply::Raw(status, headers, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Reply::CutOff(body) => {
            let body = body.to_string();
            let half = body.get(..body.len() / 2).unwrap_or_default();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{half}",
                body.len()
            )
        }
    }
}
