//! Every HTTP client of the harness begins here: no proxy, and a TLS library that has been told whose cryptography to use,
//! without which building a client panics.

use reqwest::{Client, ClientBuilder};
use rustls::crypto::{CryptoProvider, ring};

/// For servers of the harness's own, on this machine. Trusts no certificate, since none of them has one: reading those of
/// the system takes longer than a request.
pub fn builder() -> ClientBuilder {
    any().tls_certs_only([])
}

/// For servers that somebody else runs, whose certificates the system vouches for; `SSL_CERT_FILE` names others.
pub fn of_strangers() -> ClientBuilder {
    any()
}

#[expect(clippy::disallowed_methods, reason = "this is where clients are to come from")]
fn any() -> ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // Fails where another thread was faster, with the same.
        let _ = ring::default_provider().install_default();
    }
    Client::builder().no_proxy()
}
