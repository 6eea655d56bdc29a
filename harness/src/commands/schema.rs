//! `harness schema`: the scenario language's JSON Schema, written, printed or held against the one that is there.

use super::CommandError;
use crate::{cli::SchemaArgs, exit::Exit};
use scenario::{self, Library};
use system::output::{errln, out, outln};

pub fn schema(args: &SchemaArgs) -> Result<Exit, CommandError> {
    let schema = scenario::schema();
    if args.print {
        out!("{schema}");
        return Ok(Exit::Pass);
    }
    let path = Library::find().schema();
    let failed = |source| CommandError::Document { path: path.clone(), source };
    if !args.check {
        std::fs::write(&path, &schema).map_err(failed)?;
        outln!("wrote {}", path.display());
    } else if std::fs::read_to_string(&path).map_err(failed)? != schema {
        errln!("{} is not what the language is; write it anew with `harness schema`", path.display());
        return Ok(Exit::TooSlow);
    }
    Ok(Exit::Pass)
}
