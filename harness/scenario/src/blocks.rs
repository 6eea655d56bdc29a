//! Open-model traffic: arrivals are due at their rate whatever the dispatcher does, as real callers' are.

use super::world::World;
use grammar::{
    Name, Problem, Problems, Rate, RequestPath, Timeline, Window,
    limits::{MAX_ADDRESSES, MAX_ARRIVALS, MAX_BLOCKS, MAX_OWN_PAYERS, MAX_RATE},
    name,
    rate::{self, RawRamp},
    text::{NameText, TimeText},
    time,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;
use traffic::{AddressesIn, Arriving, Mix, Traffic};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Traffic", extend("oneOf" = [{"required": ["rate"]}, {"required": ["ramp"]}, {"required": ["at-ms"]}]))]
pub(super) struct RawTraffic {
    #[schemars(with = "NameText")]
    name: Spanned<String>,
    /// When the first arrival is due.
    #[schemars(with = "TimeText")]
    from: Spanned<String>,
    /// Before this the last one is due.
    #[schemars(with = "TimeText")]
    to: Spanned<String>,
    /// Arrivals per second, due whatever the dispatcher does.
    #[schemars(with = "Option<f64>", range(max = MAX_RATE), extend("exclusiveMinimum" = 0))]
    rate: Option<Spanned<f64>>,
    /// In place of `rate`: arrivals per second that grow or ebb in a straight line.
    #[schemars(with = "Option<RawRamp>")]
    ramp: Option<Spanned<RawRamp>>,
    /// In place of `rate`: the moments of the arrivals, in milliseconds from `from` on and in order.
    #[schemars(with = "Option<Vec<u64>>", length(min = 1))]
    at_ms: Option<Spanned<Vec<u64>>>,
    /// Shares by kind of client, relative to each other.
    #[schemars(with = "Mix")]
    mix: Spanned<Mix>,
    /// The path that clients ask a tenant for: "/quote" unless given.
    #[schemars(with = "Option<String>", regex(pattern = r"^/[A-Za-z0-9._~/-]*$"))]
    path: Option<Spanned<String>>,
    /// The tenants that they go to: all tenants unless given. Who pays goes to those that have a price.
    #[schemars(with = "Option<Vec<NameText>>", length(min = 1))]
    tenants: Option<Spanned<Vec<Spanned<String>>>>,
    /// How many addresses they call from: each from one of its own unless given.
    #[schemars(with = "Option<u64>", range(min = 1, max = MAX_ADDRESSES))]
    addresses: Option<Spanned<u64>>,
    /// The network that they call from: `ipv4` unless given.
    #[serde(default)]
    addresses_in: AddressesIn,
    /// How many payers they have, of which no other traffic has any: the run's common ones unless given.
    #[schemars(with = "Option<u64>", range(min = 1, max = MAX_OWN_PAYERS))]
    payers: Option<Spanned<u64>>,
}

/// When the run ends: where the file says so, else when the last traffic does.
pub(super) fn end_of_run(
    raw: Option<&Spanned<String>>,
    traffic: &[RawTraffic],
    longest: Duration,
    problems: &mut Problems,
) -> Option<Duration> {
    let (end, at) = match raw {
        Some(raw) => (time::check_positive(raw, problems)?, raw.span()),
        None => {
            // A bad time is reported with its window, which is checked later; here it is only not the latest.
            let mut ignored = Problems::default();
            let ends =
                traffic.iter().filter_map(|block| Some((time::check(&block.to, &mut ignored)?, block.to.span())));
            let Some(last) = ends.max_by_key(|(end, _)| *end) else {
                // No run to check anything against. That there is no traffic is said already; a bad `to` is not.
                for block in traffic {
                    time::check(&block.to, problems);
                }
                return None;
            };
            last
        }
    };
    if end > longest {
        let label = format!("the limit is {}", time::show(longest));
        let help = "a soak is the load tests' work; with `only = \"sim\"` a run may last nine days";
        problems.add(Problem::new(at, "the run is too long", label).help(help));
        return None;
    }
    Some(end)
}

pub(super) fn check(
    raw: Vec<RawTraffic>,
    world: &World,
    timeline: &Timeline,
    is_simulated_only: bool,
    problems: &mut Problems,
) -> Vec<Traffic> {
    name::check_unique("traffic", &raw.iter().map(|block| &block.name).collect::<Vec<_>>(), problems);
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} traffic blocks");
        problems.add(Problem::new(extra.name.span(), what, "one too many"));
        return Vec::new();
    }
    let mut total = 0;
    let mut checked = Vec::new();
    for block in raw {
        let at = block.name.span();
        let mix_at = block.mix.span();
        let Some(traffic) = block.check(world, timeline, problems) else {
            continue;
        };
        if let Some(client) = traffic.mix().clients().find(|client| client.takes_days() && !is_simulated_only) {
            let label = format!("`{}` comes back after days", client.name());
            let problem = Problem::new(mix_at, "nobody waits for this client in real time", label);
            problems.add(problem.help("put `only = \"sim\"` above the first table"));
        }
        total += traffic.arrivals();
        if total > MAX_ARRIVALS {
            let label = format!("{total} arrivals up to here, the limit is {MAX_ARRIVALS}");
            problems.add(Problem::new(at, "the scenario has too much traffic", label));
            break;
        }
        checked.push(traffic);
    }
    checked
}

impl RawTraffic {
    fn check(self, world: &World, timeline: &Timeline, problems: &mut Problems) -> Option<Traffic> {
        let name = Name::check("traffic", &self.name, problems);
        let window = Window::check(&self.from, &self.to, timeline.end(), problems);
        let arriving = check_arriving(&self, window, problems);
        let mix_at = self.mix.span();
        let mix = self.mix.into_inner();
        if mix.total() == 0 {
            let problem = Problem::new(mix_at.clone(), "the mix is empty", "nobody has a share");
            problems.add(problem.help("such as `mix = { paid = 8, unpaid = 2 }`; see `harness list --clients`"));
        }
        let path = match &self.path {
            Some(raw) => RequestPath::check(raw, problems),
            None => Some(RequestPath::default()),
        };
        let tenants: Vec<Name> = match &self.tenants {
            None => world.tenants().iter().map(|tenant| tenant.id().clone()).collect(),
            Some(named) if named.get_ref().is_empty() => {
                let problem = Problem::new(named.span(), "the traffic goes to no tenant", "empty");
                problems.add(problem.help("leave `tenants` out for all of them"));
                return None;
            }
            Some(named) => {
                let found: Vec<_> = named.get_ref().iter().map(|raw| world.find_tenant(raw, problems)).collect();
                found.into_iter().collect::<Option<_>>()?
            }
        };
        let priced = |name: &&Name| world.tenant(name.as_str()).is_some_and(|tenant| tenant.price().is_some());
        let paid_tenants: Vec<Name> = tenants.iter().filter(priced).cloned().collect();
        if let Some(client) = mix.clients().find(|client| client.wants_official() && !world.is_official()) {
            let label = format!("has a share of `{}`", client.name());
            let problem = Problem::new(mix_at.clone(), "this client is for official facilitators", label);
            problems.add(problem.help("write official = true in [world]"));
        }
        if let Some(client) = mix.clients().find(|client| client.pays() && paid_tenants.is_empty()) {
            let label = format!("has a share of `{}`", client.name());
            let problem = Problem::new(mix_at, "nobody here can be paid", label);
            problems.add(problem.help("give one of this traffic's tenants a price"));
        }
        let addresses = check_share("addresses", self.addresses, MAX_ADDRESSES, problems);
        let payers = check_share("payers", self.payers, MAX_OWN_PAYERS, problems);
        let (name, window, arriving, path) = (name?, window?, arriving?, path?);
        Some(Traffic {
            name,
            window,
            arriving,
            mix,
            path,
            tenants,
            paid_tenants,
            addresses,
            addresses_in: self.addresses_in,
            payers,
        })
    }
}

fn check_share(what: &str, raw: Option<Spanned<u64>>, most: u64, problems: &mut Problems) -> Option<u64> {
    let raw = raw?;
    let count = *raw.get_ref();
    if !(1..=most).contains(&count) {
        let what = format!("a traffic block has 1 to {most} {what} of its own");
        problems.add(Problem::new(raw.span(), what, format!("{count} of them")));
    }
    Some(count)
}

fn check_arriving(raw: &RawTraffic, window: Option<Window>, problems: &mut Problems) -> Option<Arriving> {
    let Some(at_ms) = &raw.at_ms else { return check_rate(raw, window, problems).map(Arriving::Rate) };
    let moments = at_ms.get_ref();
    let length_ms = window.map_or(u64::MAX, |window| window.length().as_millis() as u64);
    let what = if raw.rate.is_some() || raw.ramp.is_some() {
        Some("the traffic has both moments and a rate")
    } else if moments.is_empty() {
        Some("no request would arrive")
    } else if !moments.is_sorted() {
        Some("moments are in order")
    } else if moments.last().is_some_and(|last| *last >= length_ms) {
        Some("the last arrival is due after the traffic's end")
    } else {
        None
    };
    match what {
        Some(what) => {
            let problem = Problem::new(at_ms.span(), what, "these");
            problems.add(problem.help("milliseconds from `from` on, in place of `rate`: at-ms = [0, 120, 250]"));
            None
        }
        None => Some(Arriving::At(moments.iter().map(|ms| Duration::from_millis(*ms)).collect())),
    }
}

fn check_rate(raw: &RawTraffic, window: Option<Window>, problems: &mut Problems) -> Option<Rate> {
    let (rate, at) = rate::check(raw.rate.as_ref(), raw.ramp.as_ref(), raw.name.span(), problems)?;
    if window.is_some_and(|window| rate.arrivals(window.length()) == 0) {
        problems.add(Problem::new(at, "no request would arrive", "too low for so short a window"));
        return None;
    }
    Some(rate)
}
