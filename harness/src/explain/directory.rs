//! A change of the stored directory in words.

use scenario::{Becomes, DirectoryChange, Part, Wrong};

pub fn tell(change: &DirectoryChange) -> String {
    match change.becomes() {
        Becomes::NewVersion(tenants) => {
            let tenants: Vec<_> = tenants
                .iter()
                .map(|tenant| {
                    let price = tenant.price().map_or_else(|| "free".to_owned(), |price| format!("{price} USDC"));
                    format!("{} at {price} (script {})", tenant.id(), tenant.script())
                })
                .collect();
            format!("the directory is swapped for a new version, of {}", tenants.join(", "))
        }
        Becomes::WrongRecord { of, wrong: Wrong::Plan, .. } => {
            format!("the directory is swapped for a new version, in which {of} has a plan that nobody knows")
        }
        Becomes::WrongRecord { of, wrong: Wrong::ScriptOf(other), .. } => {
            format!("the directory is swapped for a new version, in which {of} names the script of {other}")
        }
        Becomes::Truncated(part) => {
            let part = match part {
                Part::Current => "the key that names it",
                Part::Names => "the filter of names",
                Part::Records => "every list of records",
            };
            format!("a new version of the directory is written, and {part} is cut in half")
        }
        Becomes::Garbled => {
            "a new version of the directory is written, and the key that names it is no JSON".to_owned()
        }
        Becomes::Missing => "the key that names the directory's version is gone".to_owned(),
        Becomes::Older => "the directory goes back to the version before".to_owned(),
        Becomes::Unreadable => "the directory can not be read any more".to_owned(),
    }
}
