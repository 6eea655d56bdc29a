//! `harness schema`: the JSON Schemas of the scenario language and of the report, written, printed or held against those that
//! are there.

use super::CommandError;
use crate::{cli::SchemaArgs, exit::Exit};
use scenario::{self, Library};
use system::output::{errln, out, outln};

pub fn schema(args: &SchemaArgs) -> Result<Exit, CommandError> {
    if args.print {
        out!("{}", if args.report { reports::schema::schema() } else { scenario::schema() });
        return Ok(Exit::Pass);
    }
    let library = Library::find();
    let mut exit = Exit::Pass;
    for (path, schema) in [(library.schema(), scenario::schema()), (library.report_schema(), reports::schema::schema())]
    {
        let failed = |source| CommandError::Document { path: path.clone(), source };
        if !args.check {
            std::fs::write(&path, &schema).map_err(failed)?;
            outln!("wrote {}", path.display());
        } else if std::fs::read_to_string(&path).map_err(failed)? != schema {
            errln!("{} is not what is read or written; write it anew with `harness schema`", path.display());
            exit = Exit::TooSlow;
        }
    }
    Ok(exit)
}
