//! An operator's action in words.

use scenario::{Does, OperatorAction, show};

pub fn tell(action: &OperatorAction) -> String {
    match action.does() {
        Does::Quarantine { tenant, lasting } => {
            let how_long =
                lasting.map_or_else(|| "until that is lifted".to_owned(), |lasting| format!("for {}", show(lasting)));
            format!("an operator puts {tenant} into quarantine, {how_long}")
        }
        Does::LiftQuarantine { tenant } => format!("an operator takes {tenant} out of quarantine"),
    }
}
