//! A network that misbehaves: what goes through it is cut, held up or garbled while a test says so.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server::wait_for;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Fair,
    /// Connections end in the middle of what they carry, new ones too.
    Cut,
    /// Nothing passes, and nobody is told.
    Stalled,
    /// The first byte of each piece that the server sends is another one.
    Garbled,
}

/// Forwards one port to another until it is dropped.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    to: u16,
    weather: Mutex<Weather>,
    /// How many pieces or connections came to harm.
    harmed: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared {
            to: port,
            weather: Mutex::new(Weather::Fair),
            harmed: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            shared: Arc::clone(&shared),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                shared.take(client);
            }
        });
        proxy
    }

    /// Lasts until `harm` pieces have come to harm, then it is fair again.
    pub fn through(&self, weather: Weather, harm: usize) {
        let before = self.shared.harmed.load(Ordering::SeqCst);
        *self.shared.weather.lock().unwrap() = weather;
        if weather == Weather::Cut {
            self.shared.cut_all();
        }
        wait_for(&format!("something to be {weather:?}"), || {
            (self.shared.harmed.load(Ordering::SeqCst) >= before + harm).then_some(())
        });
        *self.shared.weather.lock().unwrap() = Weather::Fair;
    }
}

impl Shared {
    fn take(self: &Arc<Self>, client: TcpStream) {
        if self.weather() == Weather::Cut {
            self.harmed.fetch_add(1, Ordering::SeqCst);
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.to)) else {
            return;
        };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
            self.open.lock().unwrap().push(stream.try_clone().unwrap());
        }
        let (up, down) = (Arc::clone(self), Arc::clone(self));
        let (from_client, to_client) = (client.try_clone().unwrap(), client);
        let (from_server, to_server) = (server.try_clone().unwrap(), server);
        std::thread::spawn(move || up.carry(from_client, to_server, false));
        std::thread::spawn(move || down.carry(from_server, to_client, true));
    }

    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap()
    }

    fn cut_all(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
            self.harmed.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream, answers: bool) {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            while self.weather() == Weather::Stalled {
                // A held piece counts again and again: the harm is how long it lasts.
                self.harmed.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
            }
            match self.weather() {
                Weather::Cut => {
                    self.harmed.fetch_add(1, Ordering::SeqCst);
                    // Half of it arrives.
                    let _ = to.write_all(&piece[..length / 2]);
                    break;
                }
                Weather::Garbled if answers => {
                    self.harmed.fetch_add(1, Ordering::SeqCst);
                    piece[0] ^= 0x55;
                }
                Weather::Garbled | Weather::Fair | Weather::Stalled => {}
            }
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
