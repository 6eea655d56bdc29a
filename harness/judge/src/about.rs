//! What a rule's parameters may name of the rest of a scenario's file, and how they are read.

use grammar::{Name, Problem, Problems, Timeline, Window, limits::MAX_ARRIVALS, time};
use std::time::Duration;
use toml::Spanned;

/// The rest of a scenario's file.
pub trait About {
    fn timeline(&self) -> &Timeline;
    /// The traffic blocks, and when each of them sends.
    fn traffic(&self) -> Vec<(&Name, Window)>;
    /// The kinds of clients that there are.
    fn clients(&self) -> Vec<&'static str>;
    fn tenants(&self) -> Vec<&Name>;
    fn facilitators(&self) -> Vec<&Name>;
    /// A fault that is still on at that moment: its number in the file, and its end.
    fn fault_beyond(&self, at: Duration) -> Option<(usize, Duration)>;
}

/// Reads a bound. Whatever takes longer than the whole run would not be seen to.
pub fn bound(raw: &Spanned<String>, about: &impl About, problems: &mut Problems) -> Option<Duration> {
    let (bound, timeline) = (time::check_positive(raw, problems)?, about.timeline());
    if bound > timeline.end() {
        let label = format!("the run ends at {}", time::show(timeline.end()));
        problems
            .add(Problem::new(raw.span(), "the bound is longer than the run", label).help("it could not be missed"));
        return None;
    }
    Some(bound)
}

/// Reads a count. There is no more of anything than can arrive.
pub fn count(raw: &Spanned<usize>, problems: &mut Problems) -> Option<usize> {
    let count = *raw.get_ref();
    if u64::try_from(count).is_ok_and(|count| count <= MAX_ARRIVALS) {
        return Some(count);
    }
    let label = format!("the limit is {MAX_ARRIVALS}, as many as can arrive");
    problems.add(Problem::new(raw.span(), "the bound could not be missed", label));
    None
}

/// Reads a share of what there was before, so it cannot be more than all.
pub fn share(raw: &Spanned<f64>, problems: &mut Problems) -> Option<f64> {
    let percent = *raw.get_ref();
    if percent > 0.0 && percent <= 100.0 {
        return Some(percent);
    }
    problems.add(Problem::new(raw.span(), "a share is in percent, above 0 and at most 100", "out of range"));
    None
}

/// Finds a phase by its name.
pub fn phase(raw: &Spanned<String>, about: &impl About, problems: &mut Problems) -> Option<Name> {
    about.timeline().find(raw, problems).map(|phase| phase.name().clone())
}

/// Finds a traffic block by its name.
pub fn traffic(raw: &Spanned<String>, about: &impl About, problems: &mut Problems) -> Option<Name> {
    let names: Vec<_> = about.traffic().into_iter().map(|(name, _)| name.as_str()).collect();
    find("traffic block", &names, raw, problems)
}

/// Finds a kind of client by its name.
pub fn client(raw: &Spanned<String>, about: &impl About, problems: &mut Problems) -> Option<Name> {
    find("kind of client", &about.clients(), raw, problems)
}

/// Finds a tenant by its id.
pub fn tenant(raw: &Spanned<String>, about: &impl About, problems: &mut Problems) -> Option<Name> {
    let names: Vec<_> = about.tenants().into_iter().map(Name::as_str).collect();
    find("tenant", &names, raw, problems)
}

/// Finds a facilitator by its id.
pub fn facilitator(raw: &Spanned<String>, about: &impl About, problems: &mut Problems) -> Option<Name> {
    let names: Vec<_> = about.facilitators().into_iter().map(Name::as_str).collect();
    find("facilitator", &names, raw, problems)
}

fn find(kind: &str, names: &[&str], raw: &Spanned<String>, problems: &mut Problems) -> Option<Name> {
    if !names.contains(&raw.get_ref().as_str()) {
        problems.add(Problem::unknown(raw.span(), kind, raw.get_ref(), names));
        return None;
    }
    Name::new(raw.get_ref())
}
