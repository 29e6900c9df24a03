//! A token endpoint of somebody else, which behaves as a test wants it to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This status, these header lines and this body, whatever it is asked.
    Say(u16, &'static str, String),
    /// Nothing, for ever.
    Hang,
    /// A body that never ends.
    Endless,
    /// Nothing, and it hangs up.
    Drop,
}

/// A token endpoint on a port of its own; it ends with this value.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    answer: watch::Sender<Answer>,
    asked: Arc<AtomicUsize>,
    last: watch::Receiver<String>,
    task: JoinHandle<()>,
}

/// A good answer.
pub(crate) fn token(token: &str, expires_in: u64) -> Answer {
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{expires_in}}}"#);
    Answer::Say(200, "content-type: application/json\r\n", body)
}

impl Endpoint {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (answer, answers) = watch::channel(answer);
        let (requests, last) = watch::channel(String::new());
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, answers.clone(), requests.clone()));
            }
        });
        Self { address, answer, asked, last, task }
    }

    /// Answers so from now on, those who wait included.
    pub(crate) fn answers(&self, answer: Answer) {
        self.answer.send_replace(answer);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The last request, whole.
    pub(crate) fn last(&self) -> String {
        self.last.borrow().clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, mut answers: watch::Receiver<Answer>, requests: watch::Sender<String>) {
    requests.send_replace(read(&mut stream).await);
    loop {
        let answer = answers.borrow_and_update().clone();
        match answer {
            Answer::Say(status, headers, body) => {
                let length = body.len();
                let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{headers}\r\n");
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                return;
            }
            Answer::Drop => return,
            Answer::Endless => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
                while stream.write_all(&[b' '; 4096]).await.is_ok() {}
                return;
            }
            Answer::Hang if answers.changed().await.is_err() => return,
            Answer::Hang => {}
        }
    }
}

/// A request with a body of known length.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let so_far = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return so_far;
            }
        }
        if stream.read_buf(&mut text).await.unwrap_or(0) == 0 {
            return so_far;
        }
    }
}
