//! `harness pay`: one purchase, for people who try things.

use super::{
    CommandError,
    preparation::{runtime, setting_up},
};
use crate::{
    cli::{Format, PayArgs, PayingClient},
    exit::Exit,
    http::request_form::RequestForm,
    pay::{self, Bought, Order},
    setup,
};
use system::output::{out, outln};

pub fn pay(args: &PayArgs) -> Result<Exit, CommandError> {
    let runtime = runtime()?;
    let form = RequestForm::new(args.method.clone(), &args.headers, args.body.clone());
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let order = Order { url: &args.url, form, seed, patience: args.patience };
    if args.header {
        outln!("{}", runtime.block_on(pay::header_of(&order))?);
        return Ok(Exit::Pass);
    }
    let is_told = args.print.format == Format::Table;
    let bought = match args.client {
        PayingClient::Ours => {
            let tell = |step: &pay::Step| {
                if is_told {
                    outln!("{step}");
                }
            };
            runtime.block_on(pay::buy(&order, &tell))?
        }
        PayingClient::Official => {
            let (node, program) = runtime.block_on(setting_up(|root, progress, cancelled| {
                let node = setup::ensure_namespace(root, progress, cancelled)?.node;
                Ok((node, setup::official_client(pay::official_program(), root, progress, cancelled)?))
            }))?;
            let (payer, answered) = runtime.block_on(pay::official(&order, &node, &program))?;
            if is_told {
                outln!("payer     {payer}, by @x402/fetch\nanswer    {answered}");
            }
            Bought { payment: None, paid: Some("its price".to_owned()), answers: vec![answered] }
        }
    };
    match args.print.format {
        Format::Table => outln!("          {}", bought.verdict()),
        Format::Json => out!("{}\n", serde_json::to_string_pretty(&bought).map_err(CommandError::Json)?),
    }
    Ok(bought.exit())
}
