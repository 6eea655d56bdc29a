//! An event in a line, for a witness. Whoever reads it has the line's number, and finds the rest there.

use reports::{
    event::{Books, Event, Exchange, ExchangeKind, ExchangeOutcome, FacilitatorCall, FacilitatorEndpoint, Recorded},
    story::answer_of_call,
};

pub fn tell(recorded: &Recorded) -> String {
    let what = match &recorded.event {
        // These know better than the journal when they were.
        Event::ExchangeEnded(exchange) => return tell_exchange(exchange),
        Event::FacilitatorCalled(call) => return tell_call(call),
        Event::RunStarted(run) => format!("the run begins: {} arrivals planned", run.arrivals),
        Event::PhaseStarted { phase } => format!("phase {phase} begins"),
        Event::FaultStarted { fault } => format!("{} on {} begins", fault.inject, fault.on),
        Event::FaultEnded { fault } => format!("{} on {} ends", fault.inject, fault.on),
        Event::PurchaseEnded(purchase) => {
            let payments: Vec<_> = purchase.payments.iter().map(|payment| short(payment)).collect();
            let (n, outcome) = (purchase.purchase, purchase.outcome);
            format!("purchase {n} of {} ends {outcome:?}, having signed {}", purchase.tenant, payments.join(" and "))
        }
        Event::TransferMoved(transfer) => {
            let (payment, at) = (short(&transfer.payment), &transfer.facilitator);
            format!("money moves: {} of {payment} at {at}, transaction {}", transfer.value, transfer.transaction)
        }
        Event::TenantRan(run) => {
            let request = run.request_id.as_deref().unwrap_or("none");
            format!("script {} runs, request {request}", run.script)
        }
        Event::TenantEnded(end) => {
            let request = end.request_id.as_deref().unwrap_or("none");
            let cpu = end.cpu_used_ms.map_or_else(|| "?".to_owned(), |ms| format!("{ms:.1}"));
            let memory = end.memory_mb.zip(end.memory_limit_mb);
            let memory =
                memory.map_or_else(String::new, |(held, limit)| format!(", memory {held:.1} of {limit:.0} MB"));
            format!(
                "script {} ends {:?}, request {request}: CPU {cpu} of {} ms{memory}, subrequests {} of {}, {} refused",
                end.script,
                end.outcome,
                end.cpu_limit_ms,
                end.subrequests,
                end.subrequest_limit,
                end.subrequests_refused
            )
        }
        Event::DispatcherRequest(line) => {
            let code = line.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
            format!("dispatcher's line: request {} answered {}{code}", line.request_id, line.status)
        }
        Event::DispatcherPayment(line) => {
            let request = line.request_id.as_ref().map_or_else(String::new, |id| format!(", request {id}"));
            format!("dispatcher's line: {} of {} is {}{request}", short(&line.payment), line.tenant_id, line.stage)
        }
        Event::FacilitatorStanding(standing) => {
            let (at, call) = (&standing.facilitator, verb(standing.call));
            format!("dispatcher's line: {call} at {at} is {} ({})", standing.to, standing.reason)
        }
        Event::DirectoryChanged(change) => {
            let what = change.change.as_ref().map_or("as it is at first", |change| change.inject.as_str());
            let listed = change.tenants.as_ref().map_or_else(String::new, |tenants| {
                let ids: Vec<_> = tenants.iter().map(|tenant| tenant.id.as_str()).collect();
                format!(", with {}", ids.join(", "))
            });
            format!("the stored directory is {what}{listed}")
        }
        Event::OperatorActed(act) => {
            let status = act.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
            format!("an operator asks to {}, and is answered {status}", act.act.inject)
        }
        Event::DispatcherDirectory(line) => {
            let version = line.version.map_or_else(String::new, |version| format!(" version {version}"));
            let why = if line.why.is_empty() { String::new() } else { format!(" ({})", line.why) };
            format!("dispatcher's line: directory {}{version}{why}", line.event)
        }
        Event::EgressDecided(line) => {
            let what = line.refused.as_deref().or(line.host.as_deref()).unwrap_or("nothing");
            let decided = if line.refused.is_some() { "refuses" } else { "lets out" };
            format!("outbound Worker's line: it {decided} a request of {} ({what})", line.tenant_id)
        }
        Event::OutsideReached { url, script } => {
            format!("{url} is asked by script {}", script.as_deref().unwrap_or("unknown"))
        }
        Event::MachineLoad(load) => {
            format!(
                "the machine has {:.1} of {} cores busy, {:.1} of them with this run",
                load.busy, load.cores, load.ours
            )
        }
        Event::TenantBytesLogged { tenant, line } => format!("dispatcher's line with bytes of {tenant}: {line}"),
        Event::FacilitatorAskedElsewhere { facilitator, path } => format!("{facilitator} is asked for {path}"),
        Event::SecretLogged { what } => format!("dispatcher's line with {what} in it"),
        Event::DispatcherTrouble(line) => {
            let what = line.what.as_ref().map_or_else(String::new, |what| format!(", {what}"));
            let of = line.payment.as_ref().map_or_else(String::new, |key| format!(" with payment {}", short(key)));
            format!("dispatcher's line: trouble{of}{what} ({})", line.why)
        }
        Event::DispatcherOperator(line) => format!("dispatcher's line: operator {} got {}", line.route, line.status),
        Event::DispatcherAlert(line) => {
            let of =
                line.source.as_ref().or(line.tenant_id.as_ref()).map_or_else(String::new, |of| format!(" of {of}"));
            format!("dispatcher's line: alert {}{of}", line.alert)
        }
        Event::DispatcherKilled(_) => "the dispatcher is killed".to_owned(),
        Event::DispatcherStarted => "the dispatcher answers again".to_owned(),
        Event::LedgerAfterKill(state) | Event::LedgerState(state) => {
            let transaction = state.transaction.as_ref().map_or_else(String::new, |id| format!(", transaction {id}"));
            format!("ledger: {} is {}{transaction}", short(&state.payment), state.state)
        }
        Event::LedgerDisturbed { fault, payment } => {
            format!("the ledger is disturbed ({}) over {}", fault.inject, short(payment))
        }
        Event::TelemetryDisturbed { fault, batch } => format!("telemetry is disturbed ({}) at {batch}", fault.inject),
        Event::BooksRead(books) => {
            let Books { matched, kept, lost, put_aside, .. } = books;
            format!(
                "the books: {matched} settlements match; of the events {kept} are kept, {lost} lost, {put_aside} put aside"
            )
        }
        Event::NodeAsked { method, refused } => {
            let answer = if *refused { "an error" } else { "a result" };
            format!("the node is asked for {method}, and answers with {answer}")
        }
        Event::StorageLeft(left) => format!("{} is {} in storage after the run", short(&left.payment), left.state),
        Event::Unreadable { source, text } => format!("unreadable, from {source}: {text}"),
        Event::RunEnded => "the run ends".to_owned(),
    };
    format!("at {}, {what}", at(recorded.at_us))
}

fn tell_exchange(exchange: &Exchange) -> String {
    let kind = match exchange.kind {
        ExchangeKind::Unpaid => "unpaid request",
        ExchangeKind::Challenge => "first request",
        ExchangeKind::Payment => "payment",
        ExchangeKind::Resend => "resent payment",
        ExchangeKind::Duplicate => "payment at the same time",
        ExchangeKind::Elsewhere => "payment for another request",
        ExchangeKind::Preflight => "preflight",
        ExchangeKind::Stolen => "another caller's payment",
    };
    let outcome = match &exchange.outcome {
        ExchangeOutcome::HungUp => "the client hung up".to_owned(),
        ExchangeOutcome::Failed { what } => format!("no answer ({what})"),
        ExchangeOutcome::Answered(answer) => {
            let code = answer.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
            let request = answer.request_id.as_deref().unwrap_or("none");
            format!("{}{code}, request {request}", answer.status)
        }
    };
    let flaw = exchange.flaw.as_ref().map_or_else(String::new, |flaw| format!(" ({})", flaw.name));
    let (from, to) = (at(exchange.sent_us), at(exchange.ended_us));
    let (number, method, target) = (exchange.exchange, &exchange.method, &exchange.target);
    format!("from {from} to {to}, {kind}{flaw} #{number}, {method} {target} of {}: {outcome}", exchange.tenant)
}

fn tell_call(call: &FacilitatorCall) -> String {
    let about = call.payment.as_deref().map_or_else(|| "something unreadable".to_owned(), short);
    let answer = answer_of_call(call);
    let (from, to, facilitator) = (at(call.received_us), at(call.ended_us), &call.facilitator);
    let (verb, nth) = (verb(call.endpoint), call.nth);
    format!("from {from} to {to}, {facilitator} is asked to {verb} {about} (call {nth}): {answer}")
}

fn verb(endpoint: FacilitatorEndpoint) -> &'static str {
    match endpoint {
        FacilitatorEndpoint::Verify => "verify",
        FacilitatorEndpoint::Settle => "settle",
        FacilitatorEndpoint::Supported => "list what it supports:",
    }
}

/// A payment's key is long; its end tells it apart.
pub fn short(payment: &str) -> String {
    let nonce = payment.rsplit(':').next().unwrap_or(payment);
    format!("payment {}", nonce.get(..12).unwrap_or(nonce))
}

/// A moment of the run.
pub fn at(us: u64) -> String {
    format!("{:.3} s", us as f64 / 1e6)
}

/// How long something took.
pub fn ms(us: u64) -> String {
    format!("{:.1}", us as f64 / 1e3)
}
