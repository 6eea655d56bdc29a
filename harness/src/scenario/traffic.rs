//! Open-model traffic: arrivals are due at their rate whatever the dispatcher does, as real callers' are.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::limits::{MAX_ARRIVALS, MAX_BLOCKS, MAX_RATE, MAX_RUN};
use super::name::{self, Name};
use super::phase::Timeline;
use super::problem::{Problem, Problems};
use super::time::{self, Window};
use super::world::World;

#[derive(Clone, Debug)]
pub struct Traffic {
    name: Name,
    window: Window,
    rate: f64,
    mix: Mix,
    tenants: Vec<Name>,
    paid_tenants: Vec<Name>,
}

impl Traffic {
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn window(&self) -> Window {
        self.window
    }

    /// Arrivals per second: more than 0, at most `MAX_RATE`.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    pub fn mix(&self) -> Mix {
        self.mix
    }

    /// Where unpaid arrivals go; never empty.
    pub fn tenants(&self) -> &[Name] {
        &self.tenants
    }

    /// Where paid arrivals go: those of `tenants` that have a price. Empty only if the mix has no paid share.
    pub fn paid_tenants(&self) -> &[Name] {
        &self.paid_tenants
    }

    /// How many arrivals are due in the whole window; the last one is due before its end.
    pub fn arrivals(&self) -> u64 {
        arrivals(self.rate, self.window.length())
    }
}

/// Shares of arrivals, relative to each other. At least one is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mix {
    #[serde(default)]
    paid: u32,
    #[serde(default)]
    unpaid: u32,
}

impl Mix {
    pub fn paid(self) -> u32 {
        self.paid
    }

    pub fn unpaid(self) -> u32 {
        self.unpaid
    }

    /// The sum of all shares: never zero.
    pub fn total(self) -> u64 {
        u64::from(self.paid) + u64::from(self.unpaid)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawTraffic {
    name: Spanned<String>,
    from: Spanned<String>,
    to: Spanned<String>,
    rate: Spanned<f64>,
    mix: Spanned<Mix>,
    tenants: Option<Spanned<Vec<Spanned<String>>>>,
}

/// When the run ends: where the file says so, else when the last traffic does.
pub(super) fn end_of_run(
    raw: Option<&Spanned<String>>,
    traffic: &[RawTraffic],
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
    if end > MAX_RUN {
        let label = format!("the limit is {}", time::show(MAX_RUN));
        problems.add(Problem::new(at, "the run is too long", label).help("a soak is the load tests' work"));
        return None;
    }
    Some(end)
}

pub(super) fn check(raw: Vec<RawTraffic>, world: &World, timeline: &Timeline, problems: &mut Problems) -> Vec<Traffic> {
    name::check_unique("traffic", &raw.iter().map(|block| &block.name).collect::<Vec<_>>(), problems);
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} traffic blocks");
        problems.add(Problem::new(extra.name.span(), what, "one too many"));
        return Vec::new();
    }
    let mut total = 0;
    let mut checked = Vec::new();
    for block in raw {
        let at = block.rate.span();
        let Some(traffic) = block.check(world, timeline, problems) else {
            continue;
        };
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
        let rate = check_rate(&self.rate, window, problems);
        let mix = *self.mix.get_ref();
        if mix.total() == 0 {
            problems.add(Problem::new(self.mix.span(), "the mix is empty", "no share is above 0"));
        }
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
        if mix.paid > 0 && paid_tenants.is_empty() {
            let problem = Problem::new(self.mix.span(), "nobody here can be paid", "has a paid share");
            problems.add(problem.help("give one of this traffic's tenants a price"));
        }
        Some(Traffic { name: name?, window: window?, rate: rate?, mix, tenants, paid_tenants })
    }
}

fn check_rate(raw: &Spanned<f64>, window: Option<Window>, problems: &mut Problems) -> Option<f64> {
    let rate = *raw.get_ref();
    if !(rate > 0.0 && rate <= MAX_RATE) {
        let what = format!("a rate is more than 0 and at most {MAX_RATE} arrivals per second");
        problems.add(Problem::new(raw.span(), what, "out of range"));
        return None;
    }
    if window.is_some_and(|window| arrivals(rate, window.length()) == 0) {
        problems.add(Problem::new(raw.span(), "no request would arrive", "too low for so short a window"));
        return None;
    }
    Some(rate)
}

fn arrivals(rate: f64, length: Duration) -> u64 {
    (rate * length.as_secs_f64()).floor() as u64
}
