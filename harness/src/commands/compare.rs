//! `harness compare`: two sides of one scenario, by the runs that each of them has, which are over.

use super::{CommandError, show, write_judged};
use crate::{
    cli::CompareArgs,
    compare::{Comparison, Side, runs_at},
    exit::Exit,
    recording::Recording,
};
use scenario::Library;

pub fn compare(args: &CompareArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let mut sides = [&args.first, &args.second].map(|path| Side::new(&path.display().to_string()));
    for (side, path) in sides.iter_mut().zip([&args.first, &args.second]) {
        for run in runs_at(path) {
            side.add(Recording::open(&run, None, &library)?.into_events());
        }
    }
    let [first, second] = sides;
    let comparison = Comparison::of(&first, &second, args.allowed / 100.0);
    write_judged(&args.report, || comparison.report())?;
    show(args.print, &comparison, || comparison.table())?;
    Ok(comparison.exit())
}
