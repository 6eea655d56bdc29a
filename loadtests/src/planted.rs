//! Builds of the dispatcher that do what none may: the bundle that ships, with a fault around it. A check that nobody has seen
//! fail says little.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use system::folders::write_private;

const AROUND: &str = include_str!("../assets/planted.mjs");
const BUNDLE: [&str; 2] = ["index.js", "index_bg.wasm"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// Takes 30 % more CPU time a request
    Slower,
    /// Dispatches without the limits key
    DropsLimits,
    /// Keeps 16 kB of each request
    Leaks,
    /// Answers 402 where a payment's outcome is unknown
    RefusesUnknown,
}

#[derive(Debug, thiserror::Error)]
pub enum PlantError {
    #[error("reading or writing a bundle in {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("{0} has no default export that a fault could be planted around")]
    NoEntry(PathBuf),
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::Slower, Self::DropsLimits, Self::Leaks, Self::RefusesUnknown];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Slower => "slower",
            Self::DropsLimits => "drops-limits",
            Self::Leaks => "leaks",
            Self::RefusesUnknown => "refuses-unknown",
        }
    }

    /// The check that has to see it.
    #[must_use]
    pub fn seen_by(self) -> &'static str {
        match self {
            Self::Slower => "LOAD-CPU",
            Self::DropsLimits => "LOAD-LIMITS",
            Self::Leaks => "LOAD-MEMORY",
            Self::RefusesUnknown => "LOAD-UNKNOWN",
        }
    }
}

/// Writes a copy of the bundle with the fault around it, and gives its entry. `amount` is what the fault needs: steps of work, or
/// bytes.
pub fn plant(fault: Fault, amount: u64, index_js: &Path, into: &Path) -> Result<PathBuf, PlantError> {
    let from = index_js.parent().unwrap_or(Path::new("."));
    for file in BUNDLE {
        let path = from.join(file);
        let content = fs::read(&path).map_err(|source| PlantError::File { path, source })?;
        let content = match file {
            "index.js" => {
                let text = String::from_utf8_lossy(&content);
                around(&text, fault, amount).ok_or_else(|| PlantError::NoEntry(index_js.to_owned()))?.into_bytes()
            }
            _ => content,
        };
        let path = into.join(file);
        write_private(&path, content).map_err(|source| PlantError::File { path, source })?;
    }
    Ok(into.join(BUNDLE[0]))
}

/// The module with another default export: esbuild writes them all at the end, as `export{a as B,c as default}`.
fn around(module: &str, fault: Fault, amount: u64) -> Option<String> {
    const DEFAULT: &str = " as default";
    let exports = module.rfind("export{").or_else(|| module.rfind("export {"))?;
    let at = module[exports..].find(DEFAULT)? + exports;
    let begins = module[..at].rfind(|one: char| !(one.is_ascii_alphanumeric() || one == '_' || one == '$'))? + 1;
    let original = &module[begins..at];
    let planted =
        AROUND.replace("FAULT", fault.name()).replace("AMOUNT", &amount.to_string()).replace("ORIGINAL", original);
    Some(format!("{}\n{planted}\n{}planted{}", &module[..exports], &module[exports..begins], &module[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stands_between_the_runtime_and_what_ships() {
        let module = "var Ot=1,Dt=2;export{Dt as TenantQuarantine,Ot as default};\n";
        let made = around(module, Fault::Leaks, 7).expect("there is an entry");
        assert!(
            made.starts_with("var Ot=1,Dt=2;\n")
                && made.ends_with("export{Dt as TenantQuarantine,planted as default};\n")
        );
        assert!(made.contains("const original = Ot;") && made.contains("new Uint8Array(7)"), "{made}");
        assert_eq!(around("export default 1", Fault::Leaks, 7), None);
    }
}
