//! What else had the CPU while the run was on. A busy machine makes everybody wait, and that is not the dispatcher's fault.

use crate::{
    event::{Event, MachineLoad, Recorded},
    report::MachineSummary,
};

/// The readings of a stretch of the run, taken together; `None` where there are none. A reading is of the second before it.
#[must_use]
pub fn between(events: &[Recorded], from_us: u64, to_us: u64) -> Option<MachineSummary> {
    let in_it = |recorded: &&Recorded| recorded.at_us > from_us && recorded.at_us.saturating_sub(READING_US) < to_us;
    of(events.iter().filter(in_it))
}

/// The figures of the whole run.
#[must_use]
pub fn throughout(events: &[Recorded]) -> Option<MachineSummary> {
    of(events)
}

const READING_US: u64 = 1_000_000;

fn of<'a>(events: impl IntoIterator<Item = &'a Recorded>) -> Option<MachineSummary> {
    let loads: Vec<MachineLoad> = events
        .into_iter()
        .filter_map(|recorded| match &recorded.event {
            Event::MachineLoad(load) => Some(*load),
            _ => None,
        })
        .collect();
    let mean = |of: fn(&MachineLoad) -> f64| loads.iter().map(of).sum::<f64>() / loads.len() as f64;
    Some(MachineSummary {
        cores: loads.first()?.cores,
        ours: mean(|load| load.ours),
        others: mean(others),
        others_at_most: loads.iter().map(others).fold(0.0, f64::max),
    })
}

/// The part of a reading that was not the run's own. The two are not read at the same instant, so the difference may be
/// below nothing.
#[must_use]
pub fn others(load: &MachineLoad) -> f64 {
    (load.busy - load.ours).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    fn load(ms: u64, busy: f64, ours: f64) -> Recorded {
        at(ms, Event::MachineLoad(MachineLoad { cores: 2, busy, ours }))
    }

    #[test]
    fn a_stretch_has_the_readings_that_reach_into_it() {
        let events = [load(1_000, 0.5, 0.5), load(2_000, 1.5, 0.5), load(3_000, 2.0, 0.0), load(4_000, 0.1, 0.2)];
        let all = throughout(&events).unwrap();
        assert_eq!((all.cores, all.others, all.others_at_most), (2, 0.75, 2.0));
        assert_eq!(between(&events, 1_000_000, 2_000_000).map(|machine| machine.others), Some(1.0));
        assert_eq!(between(&events, 1_000_000, 2_000_001).map(|machine| machine.others), Some(1.5));
        assert_eq!(between(&events, 4_000_000, 9_000_000), None);
        assert_eq!(throughout(&[]), None);
    }
}
