//! Keys that pay and addresses that are paid, for trying things out. A key lies in a file that its owner alone may read, or comes
//! in the environment; never on a command line, which others can see.

use crate::{exit::Exit, failure::Failure, home::Home};
use std::env;
use x402_protocol::{hex, signature::Signer};

/// Holds a key in place of the file.
pub const BUYER_KEY: &str = "CLAW_BUYER_KEY";

/// The key that pays.
pub fn buyer(home: &Home) -> Result<Signer, Failure> {
    match env::var(BUYER_KEY) {
        Ok(text) => read(&text)
            .ok_or_else(|| Failure::invalid(format!("{BUYER_KEY} is not a key: 0x and 64 hexadecimal digits"))),
        Err(_) => kept(home, "buyer.key"),
    }
}

/// The key of a seller who has given no address, for the test environment alone.
pub fn test_seller(home: &Home) -> Result<Signer, Failure> {
    kept(home, "seller.key")
}

/// The key in a file, which is made where there is none.
fn kept(home: &Home, name: &str) -> Result<Signer, Failure> {
    if let Some(text) = home.read(name)? {
        return read(&text).ok_or_else(|| Failure::invalid(format!("{} is not a key", home.path(name).display())));
    }
    home.make()?;
    let secret = random()?;
    home.write_secret(name, format!("{}\n", hex::encode(&secret)).as_bytes())?;
    Signer::from_secret(&secret).ok_or_else(|| Failure::new(Exit::Failed, "no key could be drawn; try again"))
}

fn read(text: &str) -> Option<Signer> {
    hex::decode::<32>(text.trim()).ok().and_then(|secret| Signer::from_secret(&secret))
}

pub fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Failure::new(Exit::Failed, format!("the system has no randomness: {error}"))),
    }
}
