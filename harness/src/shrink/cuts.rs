//! Ways to make a scenario smaller, the largest cuts first. Whether what is left still makes sense is for the scenario
//! language to say.

use std::time::Duration;
use toml::{Table, Value};

/// A smaller scenario, and what was taken from it.
pub struct Cut {
    pub what: String,
    pub left: Table,
}

/// A rate is not halved below this: an arrival every two seconds.
const LOWEST_RATE: f64 = 0.5;
/// A run is not cut below this: a settlement and its reconciliation take about so long.
const SHORTEST: Duration = Duration::from_secs(2);

/// Every cut of one step.
#[must_use]
pub fn cuts(of: &Table) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for blocks in ["fault", "kill", "directory", "operator", "traffic"] {
        cuts.extend(without_blocks(of, &[blocks], blocks));
    }
    cuts.extend(without_phases(of));
    cuts.extend(shorter(of));
    cuts.extend(later(of));
    cuts.extend(without_clients(of));
    cuts.extend(without_blocks(of, &["world", "tenant"], "tenant"));
    cuts.extend(without_facilitators(of));
    cuts.extend(slower(of));
    cuts.extend(plainer(of));
    cuts
}

/// Only the expectations that `keep` wants.
#[must_use]
pub fn with_musts(of: &Table, keep: impl Fn(&str) -> bool) -> Table {
    let mut left = of.clone();
    if let Some(musts) = left.get_mut("must").and_then(Value::as_array_mut) {
        musts.retain(|must| must.get("id").and_then(Value::as_str).is_some_and(&keep));
    }
    left
}

/// All of a list's blocks, then each half, then each one.
fn without_blocks(of: &Table, path: &[&str], name: &str) -> Vec<Cut> {
    let Some(length) = array(of, path).map(Vec::len).filter(|length| *length > 0) else { return Vec::new() };
    let mut ranges = Vec::from([(0, length)]);
    if length > 2 {
        ranges.extend([(0, length / 2), (length / 2, length)]);
    }
    if length > 1 {
        ranges.extend((0..length).map(|at| (at, at + 1)));
    }
    let cut = |(from, to): (usize, usize)| {
        let what = if to - from == 1 { format!("{name} {to}") } else { format!("{} {name}s", to - from) };
        changed(of, what, |left| {
            let blocks = array_mut(left, path)?;
            blocks.drain(from..to);
            // An empty list is no list.
            if blocks.is_empty() {
                match path {
                    [key] => drop(left.remove(*key)),
                    _ => return None,
                }
            }
            Some(())
        })
    };
    ranges.into_iter().filter_map(cut).collect()
}

fn without_phases(of: &Table) -> Vec<Cut> {
    let phases = array(of, &["phase"]).map_or(0, Vec::len);
    let cut = |at: usize| {
        changed(of, format!("phase {}", at + 1), |left| {
            let phases = array_mut(left, &["phase"])?;
            phases.remove(at);
            // The first one begins with the run.
            phases.first_mut()?.as_table_mut()?.insert("from".to_owned(), "0s".into());
            Some(())
        })
    };
    (0..phases).rev().filter_map(cut).collect()
}

/// Ends everything earlier: at half of the run, or at nine tenths.
fn shorter(of: &Table) -> Vec<Cut> {
    let Some(ends) = end(of).filter(|ends| *ends > SHORTEST) else { return Vec::new() };
    let cut = |end: Duration| {
        changed(of, format!("what is after {}", show(end)), |left| {
            for list in ["traffic", "fault"] {
                let Some(blocks) = array_mut(left, &[list]) else { continue };
                blocks.retain(|block| block.get("from").and_then(time).is_none_or(|from| from < end));
                for block in blocks {
                    let to = block.get("to").and_then(time).filter(|to| *to > end);
                    if let (Some(_), Some(block)) = (to, block.as_table_mut()) {
                        block.insert("to".to_owned(), show(end).into());
                    }
                }
            }
            let phases = array_mut(left, &["phase"])?;
            phases.retain(|phase| phase.get("from").and_then(time).is_none_or(|from| from < end));
            if left.contains_key("end") {
                left.insert("end".to_owned(), show(end).into());
            }
            Some(())
        })
    };
    [ends / 2, ends * 9 / 10]
        .map(|end| Duration::from_millis(end.as_millis() as u64))
        .into_iter()
        .filter_map(cut)
        .collect()
}

/// Begins everything later: after half of the run, or after a tenth.
fn later(of: &Table) -> Vec<Cut> {
    let Some(ends) = end(of).filter(|ends| *ends > SHORTEST) else { return Vec::new() };
    let cut = |gone: Duration| {
        changed(of, format!("what is before {}", show(gone)), |left| {
            for list in ["traffic", "fault"] {
                let Some(blocks) = array_mut(left, &[list]) else { continue };
                blocks.retain(|block| block.get("to").and_then(time).is_none_or(|to| to > gone));
            }
            for (_, value) in left.iter_mut() {
                earlier(value, gone);
            }
            if let Some(end) = left.get_mut("end") {
                moved(end, gone);
            }
            let phases = array_mut(left, &["phase"])?;
            // Of those that began by then the last one goes on.
            let over = phases.iter().filter(|phase| phase.get("from").and_then(time) == Some(Duration::ZERO)).count();
            phases.drain(..over.saturating_sub(1));
            Some(())
        })
    };
    [ends / 2, ends / 10]
        .map(|gone| Duration::from_millis(gone.as_millis() as u64))
        .into_iter()
        .filter_map(cut)
        .collect()
}

/// Moves each moment in it, whatever it is a moment of.
fn earlier(value: &mut Value, by: Duration) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| earlier(one, by)),
        Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                match key.as_str() {
                    "from" | "to" | "at" => moved(value, by),
                    _ => earlier(value, by),
                }
            }
        }
        _ => {}
    }
}

fn moved(moment: &mut Value, by: Duration) {
    if let Some(at) = time(moment) {
        *moment = show(at.saturating_sub(by)).into();
    }
}

/// The end that the file names, or that of its last traffic.
fn end(of: &Table) -> Option<Duration> {
    let last = || array(of, &["traffic"]).into_iter().flatten().filter_map(|block| time(block.get("to")?)).max();
    of.get("end").and_then(time).or_else(last)
}

fn without_clients(of: &Table) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (at, block) in array(of, &["traffic"]).into_iter().flatten().enumerate() {
        let kinds: Vec<_> =
            block.get("mix").and_then(Value::as_table).into_iter().flat_map(Table::keys).cloned().collect();
        if kinds.len() < 2 {
            continue;
        }
        cuts.extend(kinds.into_iter().filter_map(|kind| {
            changed(of, format!("{kind} clients"), |left| {
                let mix = array_mut(left, &["traffic"])?.get_mut(at)?.get_mut("mix")?.as_table_mut()?;
                mix.remove(&kind).map(drop)
            })
        }));
    }
    cuts
}

fn without_facilitators(of: &Table) -> Vec<Cut> {
    let names: Vec<_> = array(of, &["world", "facilitators"]).into_iter().flatten().filter_map(Value::as_str).collect();
    if names.len() < 2 {
        return Vec::new();
    }
    let cut = |name: &&str| {
        changed(of, format!("facilitator {name}"), |left| {
            array_mut(left, &["world", "facilitators"])?.retain(|other| other.as_str() != Some(*name));
            for tenant in array_mut(left, &["world", "tenant"])? {
                if let Some(own) = tenant.get_mut("facilitators").and_then(Value::as_array_mut) {
                    own.retain(|other| other.as_str() != Some(*name));
                }
            }
            Some(())
        })
    };
    names.iter().rev().filter_map(cut).collect()
}

fn slower(of: &Table) -> Vec<Cut> {
    let blocks = array(of, &["traffic"]).map_or(0, Vec::len);
    let cut = |at: usize| {
        changed(of, format!("half of traffic {}", at + 1), |left| {
            let block = array_mut(left, &["traffic"])?.get_mut(at)?.as_table_mut()?;
            let number = |rate: &Value| rate.as_float().or(rate.as_integer().map(|rate| rate as f64));
            if let Some(ramp) = block.remove("ramp") {
                // As many come in a steady stream.
                let middle = f64::midpoint(number(ramp.get("from")?)?, number(ramp.get("to")?)?);
                block.insert("rate".to_owned(), middle.into());
                return Some(());
            }
            if let Some(moments) = block.get_mut("at-ms").and_then(Value::as_array_mut) {
                let half = moments.len() / 2;
                return (half > 0).then(|| moments.truncate(half));
            }
            let rate = block.get_mut("rate")?;
            let half = number(rate)? / 2.0;
            (half >= LOWEST_RATE).then(|| *rate = half.into())
        })
    };
    (0..blocks).filter_map(cut).collect()
}

/// The keys of the world beyond those who are in it, and of the rest beyond what it has to say.
fn plainer(of: &Table) -> Vec<Cut> {
    let keys = [
        "dispatchers",
        "verify-timeout",
        "settle-timeout",
        "wants-key",
        "other-networks",
        "cpu-limit-policy",
        "directory",
        "network",
    ];
    let world = keys.into_iter().filter_map(|key| {
        changed(of, key.to_owned(), |left| left.get_mut("world")?.as_table_mut()?.remove(key).map(drop))
    });
    let blocks: [(&[&str], &str, &[&str]); 3] = [
        (
            &["world", "tenant"],
            "tenant",
            &["seller", "payment-flow", "payment-identifier", "facilitators", "rates", "egress", "listed"],
        ),
        (&["traffic"], "traffic", &["path", "tenants", "addresses", "one-network", "payers"]),
        (&["fault"], "fault", &["pick"]),
    ];
    let optional = blocks.into_iter().flat_map(|(path, name, keys)| {
        let count = array(of, path).map_or(0, Vec::len);
        (0..count).flat_map(|at| keys.iter().map(move |key| (at, *key))).filter_map(move |(at, key)| {
            changed(of, format!("{name} {}'s {key}", at + 1), |left| {
                array_mut(left, path)?.get_mut(at)?.as_table_mut()?.remove(key).map(drop)
            })
        })
    });
    world.chain(optional).collect()
}

/// `None` where the change is not to be made.
fn changed(of: &Table, what: String, change: impl FnOnce(&mut Table) -> Option<()>) -> Option<Cut> {
    let mut left = of.clone();
    change(&mut left)?;
    (left != *of).then_some(Cut { what, left })
}

fn array<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Vec<Value>> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(*key))?.as_array()
}

fn array_mut<'a>(table: &'a mut Table, path: &[&str]) -> Option<&'a mut Vec<Value>> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get_mut(*first)?, |value, key| value.get_mut(*key))?.as_array_mut()
}

fn time(value: &Value) -> Option<Duration> {
    match value.as_str()? {
        "0s" => Some(Duration::ZERO),
        text => scenario::duration(text),
    }
}

fn show(time: Duration) -> String {
    scenario::show(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage() -> Table {
        include_str!("../../../scenarios/outage.toml").parse().expect("the shipped scenario is TOML")
    }

    #[test]
    fn every_cut_is_smaller_and_says_what_it_took() {
        let whole = outage();
        let all = cuts(&whole);
        let said: Vec<_> = all.iter().map(|cut| cut.what.as_str()).collect();
        for what in [
            "3 faults",
            "fault 2",
            "phase 3",
            "what is after 19s",
            "what is before 19s",
            "unpaid clients",
            "tenant 1",
            "facilitator standby",
        ] {
            assert!(said.contains(&what), "{what}: {said:?}");
        }
        assert!(all.iter().all(|cut| cut.left != whole));
    }

    #[test]
    fn cutting_on_comes_to_an_end() {
        let mut left = outage();
        let mut steps = 0;
        while let Some(cut) = cuts(&left).into_iter().next() {
            left = cut.left;
            steps += 1;
            assert!(steps < 200, "{left}");
        }
    }

    #[test]
    fn only_the_wanted_expectations_stay() {
        let left = with_musts(&outage(), |id| id == "MONEY-3");
        assert_eq!(array(&left, &["must"]).map(Vec::len), Some(1));
    }
}
