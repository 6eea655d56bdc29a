//! `harness schema`: the JSON Schemas of the scenario language and of the report, written, printed or held against those that
//! are there.

use super::{CommandError, show};
use crate::{cli::SchemaArgs, exit::Exit};
use scenario::{self, Library};
use serde_json::json;
use std::fmt::Write;
use system::output::{errln, out};

pub fn schema(args: &SchemaArgs) -> Result<Exit, CommandError> {
    if args.print {
        out!("{}", if args.report { reports::schema::schema() } else { scenario::schema() });
        return Ok(Exit::Pass);
    }
    let library = Library::find();
    let (mut exit, mut files, mut text) = (Exit::Pass, Vec::new(), String::new());
    for (path, schema) in [(library.schema(), scenario::schema()), (library.report_schema(), reports::schema::schema())]
    {
        let failed = |source| CommandError::Document { path: path.clone(), source };
        if !args.check {
            std::fs::write(&path, &schema).map_err(failed)?;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "wrote {}", path.display());
        } else if std::fs::read_to_string(&path).map_err(failed)? != schema {
            errln!("{} is not what is read or written; write it anew with `harness schema`", path.display());
            exit = Exit::TooSlow;
        }
        files.push(path);
    }
    let told = json!({"files": files, "written": !args.check, "exit_code": exit.code()});
    show(args.format, &told, || text)?;
    Ok(exit)
}
