//! Says of each line on stdin, a payment, whether the dispatcher's local checks would forward it. For the fuzzer of the
//! official facilitator library (`harness/assets/official-facilitator/fuzz.mjs`), which looks for what they forward and the
//! library throws at.

#[path = "../tests/official_throws/local_checks.rs"]
mod local_checks;

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        match local_checks::forwarded(&line?) {
            Ok(_) => writeln!(out, "forwarded")?,
            Err(why) => writeln!(out, "refused: {}", why.replace('\n', " "))?,
        }
        out.flush()?;
    }
    Ok(())
}
