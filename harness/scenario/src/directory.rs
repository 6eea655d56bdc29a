//! What becomes of the stored tenant directory while the run is on: a new version, or one that nobody should believe. Each
//! change stands until the next one.

use super::world::{Tenant, World};
use grammar::{
    Name, Problem, Problems, Timeline, Usdc, Window,
    limits::MAX_BLOCKS,
    text::{NameText, PriceText, TimeText},
    time::{self, Misplaced},
};
use reports::event::FaultRef;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// The name that a change has where events name a facilitator.
const DIRECTORY: &str = "directory";

const MISPLACED: Misplaced = Misplaced {
    after_the_run: "the change comes after the run",
    out_of_order: "changes of the directory come in their order",
};

#[derive(Clone, Debug)]
pub struct DirectoryChange {
    index: usize,
    at: Duration,
    becomes: Becomes,
}

/// The content of the store from then on.
#[derive(Clone, Debug, PartialEq)]
pub enum Becomes {
    /// A sound snapshot of these tenants.
    NewVersion(Vec<Tenant>),
    /// A snapshot of these tenants, of which one's record is wrong.
    WrongRecord { tenants: Vec<Tenant>, of: Name, wrong: Wrong },
    /// A newer snapshot, a part of which is cut in half.
    Truncated(Part),
    /// A newer snapshot of which what names it is no JSON.
    Garbled,
    /// Nothing: the key that names the current snapshot is gone.
    Missing,
    /// The snapshot before the last one.
    Older,
    /// The same, and every read fails.
    Unreadable,
}

/// The fault of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It names a plan that nobody knows.
    Plan,
    /// It names the script of this tenant.
    ScriptOf(Name),
}

/// A key, or all keys of a kind, that a snapshot consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The key that says which snapshot is current.
    Current,
    /// The filter of all names.
    Names,
    /// The tenants' records.
    Records,
}

impl Part {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Names => "names",
            Self::Records => "records",
        }
    }
}

impl DirectoryChange {
    pub fn at(&self) -> Duration {
        self.at
    }

    pub fn becomes(&self) -> &Becomes {
        &self.becomes
    }

    /// For the marks of a run.
    pub fn window(&self) -> Window {
        Window::moment(self.at)
    }

    /// How events refer to it.
    pub fn reference(&self) -> FaultRef {
        let inject = match &self.becomes {
            Becomes::NewVersion(_) => "new-version",
            Becomes::WrongRecord { wrong: Wrong::Plan, .. } => "invalid-record",
            Becomes::WrongRecord { wrong: Wrong::ScriptOf(_), .. } => "foreign-script",
            Becomes::Truncated(_) => "truncated",
            Becomes::Garbled => "garbled",
            Becomes::Missing => "missing",
            Becomes::Older => "older",
            Becomes::Unreadable => "unreadable",
        };
        FaultRef { index: self.index, on: DIRECTORY.to_owned(), inject: inject.to_owned() }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "DirectoryChange")]
pub(super) struct RawDirectoryChange {
    /// When it is written; "0s" is before the first request.
    #[schemars(with = "TimeText")]
    at: Spanned<String>,
    /// The content of the store from then on.
    #[schemars(with = "RawBecomes")]
    becomes: Spanned<RawBecomes>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "Becomes")]
enum RawBecomes {
    /// A sound snapshot under the next version number.
    NewVersion {
        /// Tenants of the world that were not listed.
        #[serde(default)]
        #[schemars(with = "Vec<NameText>")]
        add: Vec<Spanned<String>>,
        /// Tenants that are not listed any more.
        #[serde(default)]
        #[schemars(with = "Vec<NameText>")]
        remove: Vec<Spanned<String>>,
        /// Tenants that are listed otherwise.
        #[serde(default)]
        change: Vec<RawEdit>,
    },
    /// A new version in which this tenant's record names a plan that nobody knows.
    InvalidRecord {
        #[schemars(with = "NameText")]
        tenant: Spanned<String>,
    },
    /// A new version in which this tenant's record names the script of another.
    ForeignScript {
        #[schemars(with = "NameText")]
        tenant: Spanned<String>,
        #[schemars(with = "NameText")]
        of: Spanned<String>,
    },
    /// A new version that was not written to its end.
    Truncated { part: Part },
    /// A new version of which the key that names it is no JSON.
    Garbled {},
    /// The key that names the current snapshot is gone.
    Missing {},
    /// The key names the version before again.
    Older {},
    /// Every read fails.
    Unreadable {},
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "TenantEdit")]
struct RawEdit {
    #[schemars(with = "NameText")]
    tenant: Spanned<String>,
    /// Its price from then on, in USDC.
    #[schemars(with = "Option<PriceText>")]
    price: Option<Spanned<String>>,
    /// The version of its Worker that runs from then on.
    #[schemars(with = "Option<NameText>")]
    script_version: Option<Spanned<String>>,
}

/// The directory as changes lead from one to the next.
struct Listed<'a> {
    world: &'a World,
    tenants: Vec<Tenant>,
    sound_versions: usize,
}

pub(super) fn check(
    raw: Vec<RawDirectoryChange>,
    world: &World,
    timeline: &Timeline,
    problems: &mut Problems,
) -> Vec<DirectoryChange> {
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} changes of the directory");
        problems.add(Problem::new(extra.at.span(), what, "one too many"));
        return Vec::new();
    }
    if let Some(first) = raw.first().filter(|_| !world.stores_directory()) {
        let problem = Problem::new(first.becomes.span(), "the directory is not stored", "nothing there to change");
        problems.add(problem.help("write directory = \"stored\" in [world]"));
        return Vec::new();
    }
    let mut listed = Listed { world, tenants: world.listed().cloned().collect(), sound_versions: 1 };
    let mut changes: Vec<DirectoryChange> = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let before = changes.last().map(DirectoryChange::at);
        let at = time::check_moment(&raw.at, before, timeline.end(), &MISPLACED, problems);
        let place = raw.becomes.span();
        let becomes = listed.after(raw.becomes.into_inner(), place, problems);
        if let (Some(at), Some(becomes)) = (at, becomes) {
            changes.push(DirectoryChange { index, at, becomes });
        }
    }
    changes
}

impl Listed<'_> {
    fn after(&mut self, raw: RawBecomes, place: std::ops::Range<usize>, problems: &mut Problems) -> Option<Becomes> {
        Some(match raw {
            RawBecomes::NewVersion { add, remove, change } => {
                for name in &add {
                    self.add(name, problems)?;
                }
                for name in &remove {
                    let at = self.position(name, problems)?;
                    self.tenants.remove(at);
                }
                for edit in &change {
                    let at = self.position(&edit.tenant, problems)?;
                    self.tenants[at] = edit.apply(&self.tenants[at], problems)?;
                }
                self.sound_versions += 1;
                Becomes::NewVersion(self.tenants.clone())
            }
            RawBecomes::InvalidRecord { tenant } => self.wrong_record(&tenant, Wrong::Plan, problems)?,
            RawBecomes::ForeignScript { tenant, of } => {
                let other = self.position(&of, problems)?;
                if tenant.get_ref() == of.get_ref() {
                    problems.add(Problem::new(of.span(), "its own script is no foreign one", "the same tenant"));
                    return None;
                }
                let of = self.tenants[other].id().clone();
                self.wrong_record(&tenant, Wrong::ScriptOf(of), problems)?
            }
            RawBecomes::Truncated { part } => Becomes::Truncated(part),
            RawBecomes::Garbled {} => Becomes::Garbled,
            RawBecomes::Missing {} => Becomes::Missing,
            RawBecomes::Older {} if self.sound_versions < 2 => {
                let problem = Problem::new(place, "there is no older version yet", "the first one is current");
                problems.add(problem.help("let a new-version come before it"));
                return None;
            }
            RawBecomes::Older {} => Becomes::Older,
            RawBecomes::Unreadable {} => Becomes::Unreadable,
        })
    }

    fn wrong_record(&mut self, raw: &Spanned<String>, wrong: Wrong, problems: &mut Problems) -> Option<Becomes> {
        let of = self.tenants[self.position(raw, problems)?].id().clone();
        self.sound_versions += 1;
        Some(Becomes::WrongRecord { tenants: self.tenants.clone(), of, wrong })
    }

    fn position(&self, raw: &Spanned<String>, problems: &mut Problems) -> Option<usize> {
        let found = self.tenants.iter().position(|tenant| *tenant.id() == *raw.get_ref().as_str());
        if found.is_none() {
            let names: Vec<_> = self.tenants.iter().map(|tenant| tenant.id().as_str()).collect();
            problems.add(Problem::unknown(raw.span(), "listed tenant", raw.get_ref(), &names));
        }
        found
    }

    fn add(&mut self, raw: &Spanned<String>, problems: &mut Problems) -> Option<()> {
        let id = self.world.find_tenant(raw, problems)?;
        if self.tenants.iter().any(|tenant| *tenant.id() == id) {
            let problem = Problem::new(raw.span(), format!("`{id}` is listed already"), "added twice");
            problems.add(problem.help("write listed = false at the tenant, so that it comes later"));
            return None;
        }
        self.tenants.extend(self.world.tenant(id.as_str()).cloned());
        Some(())
    }
}

impl RawEdit {
    fn apply(&self, tenant: &Tenant, problems: &mut Problems) -> Option<Tenant> {
        let mut edited = tenant.clone();
        if let Some(raw) = &self.price {
            let price = Usdc::check(raw, problems)?;
            if tenant.price().is_none() {
                let problem = Problem::new(raw.span(), format!("`{}` is free", tenant.id()), "had no price before");
                problems
                    .add(problem.help("judges ask of a tenant whether it charges, and take one answer for the run"));
                return None;
            }
            edited = edited.at_price(price);
        }
        if let Some(raw) = &self.script_version {
            edited = edited.in_version(Name::check("version", raw, problems)?);
        }
        Some(edited)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;

    const GOOD: &str = include_str!("tests/directory.toml");

    fn said(from: &str, to: &str) -> String {
        assert_eq!(GOOD.matches(from).count(), 1, "{from:?} must stand once");
        let broken = Scenario::parse("directory.toml", &GOOD.replace(from, to)).expect_err("it is broken");
        broken.problems().iter().map(|problem| problem.to_string() + "\n").collect()
    }

    #[test]
    fn what_could_not_come_about_is_refused() {
        Scenario::parse("directory.toml", GOOD).map_err(miette::Report::new).expect("it is sound");
        for (from, to, why) in [
            ("directory    = \"stored\"", "", "the directory is not stored"),
            ("remove = [\"hooli\"]", "remove = [\"holi\"]", "there is no listed tenant `holi`"),
            ("add = [\"initech\"]", "add = [\"hooli\"]", "`hooli` is listed already"),
            ("{ tenant = \"acme\", price", "{ tenant = \"hooli\", price", "there is no listed tenant `hooli`"),
            (
                "remove = [\"hooli\"], change = [{ tenant = \"acme\"",
                "change = [{ tenant = \"hooli\"",
                "`hooli` is free",
            ),
            ("of = \"globex\"", "of = \"acme\"", "its own script is no foreign one"),
            ("at                = \"2s\"", "at = \"1s\"", "changes of the directory come in their order"),
            ("at                     = \"10s\"", "at = \"20s\"", "the change comes after the run"),
            (
                "\"1s\"\nbecomes.new-version",
                "\"1s\"\nbecomes.older = {}\n[[directory]]\nat = \"1500ms\"\nbecomes.new-version",
                "there is no older version yet",
            ),
        ] {
            let said = said(from, to);
            assert!(said.contains(why), "{from} -> {to}: {said}");
        }
    }
}
