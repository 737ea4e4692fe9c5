//! Listening where only this process looks.
//!
//! What the product itself calls (the database, the endpoint of Amazon SES) checks no credentials, as emulators do not,
//! and the database's answers are readable for any web page. A page can try every port of `127.0.0.1`; it can not try
//! every port of every address in 127.0.0.0/8, all of which are loopback (RFC 1122, section 3.2.1.3).

use std::net::Ipv4Addr;

use tokio::net::TcpListener;
use vestibule::id::Random;

use crate::StartError;

/// A listener on any free port of a random loopback address, or of `127.0.0.1` where the system knows no other.
pub(crate) async fn listen() -> Result<TcpListener, StartError> {
    let [a, b, c] = Random::System.bytes();
    match TcpListener::bind((Ipv4Addr::new(127, a, b, c.clamp(1, 254)), 0)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Listen),
    }
}
