//! A web server of an identity provider's, on which its metadata is published, or something else.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Response, StatusCode, header},
};
use tokio::net::TcpListener;
use url::Url;

/// What the server answers.
#[derive(Clone, Debug)]
pub enum Published {
    /// A document.
    Document(String),
    /// A document that takes a while.
    Late(String, Duration),
    /// A redirect.
    Elsewhere(String),
    /// Nothing but a status.
    Status(u16),
    /// The head of a document, whose rest never comes.
    Endless,
    /// A document of so many bytes.
    Large(usize),
    /// Octets that are said to be compressed by gzip.
    Gzip(Vec<u8>),
}

/// The server. It ends with the test.
pub struct Publisher {
    /// Where the metadata is.
    pub url: Url,
    published: Arc<Mutex<Published>>,
    asked: Arc<AtomicUsize>,
}

impl Publisher {
    /// A server that answers with `published` until it is told otherwise.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(published: Published) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metadata", listener.local_addr().unwrap()).parse().unwrap();
        let (published, asked) = (Arc::new(Mutex::new(published)), Arc::new(AtomicUsize::new(0)));
        let state = (published.clone(), asked.clone());
        let router = Router::new().fallback(move || {
            let (published, asked) = state.clone();
            async move {
                asked.fetch_add(1, Ordering::SeqCst);
                let published = published.lock().unwrap().clone();
                answer(published).await
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, published, asked }
    }

    /// From now on it answers with `published`.
    ///
    /// # Panics
    /// When an earlier answer panicked.
    pub fn publish(&self, published: Published) {
        *self.published.lock().unwrap() = published;
    }

    /// How often it was asked so far.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(published: Published) -> Response<Body> {
    let built = Response::builder();
    let built = match published {
        Published::Document(document) => built.body(document.into()),
        Published::Late(document, late) => {
            tokio::time::sleep(late).await;
            built.body(document.into())
        }
        Published::Elsewhere(location) => {
            built.status(StatusCode::FOUND).header(header::LOCATION, location).body(Body::empty())
        }
        Published::Status(status) => built.status(status).body(Body::empty()),
        Published::Endless => {
            let head = futures_util::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"<a>"))]);
            built.body(Body::from_stream(futures_util::StreamExt::chain(head, futures_util::stream::pending())))
        }
        Published::Large(bytes) => built.body(vec![b' '; bytes].into()),
        Published::Gzip(octets) => built.header(header::CONTENT_ENCODING, "gzip").body(octets.into()),
    };
    built.unwrap()
}
