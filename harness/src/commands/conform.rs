//! `harness conform`: any server or facilitator, from outside.

use super::{CommandError, preparation::runtime, show, write_judged};
use crate::{
    cli::ConformArgs,
    exit::Exit,
    http::request_form::{RequestForm, header_map},
    probe::{self, ConformError, Reach, Settling, Start, Target},
};
use system::{interrupt::interrupted, output::errln};

pub fn conform(args: &ConformArgs) -> Result<Exit, CommandError> {
    let reach = if args.allow_remote { Reach::Anywhere } else { Reach::Loopback };
    let target = |url: &str| Target::parse(url, reach).map_err(ConformError::from);
    let form = RequestForm::new(args.method.clone(), &args.headers, args.body.clone());
    let say = |what: &str| errln!("{what}");
    let found = runtime()?.block_on(async {
        let checked = async {
            match (&args.url, &args.start, &args.facilitator) {
                (Some(url), Some(command), _) => {
                    let start = Start { command: command.clone(), variable: args.facilitator_env.clone() };
                    probe::started(&target(url)?, &form, &start, &say).await
                }
                (Some(url), None, _) => probe::server(&target(url)?, &form).await,
                (None, _, Some(url)) => {
                    let settling = if args.settle { Settling::Allowed } else { Settling::Never };
                    probe::facilitator(&target(url)?, &header_map(&args.facilitator_headers), settling).await
                }
                (None, _, None) => panic!("clap asks for one of the two"),
            }
        };
        tokio::select! {
            found = checked => Ok(found?),
            () = interrupted() => Err(CommandError::Interrupted),
        }
    })?;
    write_judged(&args.report, || found.report())?;
    show(args.print, &found, || found.table())?;
    Ok(found.exit())
}
