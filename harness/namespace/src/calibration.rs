//! What a calibration measured, for people and, by serde, for programs.

use super::cut_off::Priority;
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calibration {
    pub load_average: String,
    pub watcher: Priority,
    pub rows: Vec<Row>,
    pub memory: Hoard,
}

/// Milliseconds throughout.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub cpu_ms: u32,
    pub loops: usize,
    /// Loops that ended with the exception that the platform throws.
    pub cut_off: usize,
    pub cpu_at_cut_off: Quantiles,
    pub wall: Quantiles,
    pub neighbour_alone: Quantiles,
    pub neighbour_beside: Quantiles,
    pub neighbour_requests: usize,
    pub neighbour_failures: usize,
}

/// Loops that take memory as fast as one thread can; megabytes, and milliseconds from request to exception.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hoard {
    pub memory_mb: f64,
    pub loops: usize,
    pub cut_off: usize,
    pub memory_at_cut_off: Quantiles,
    pub wall: Quantiles,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    pub p50: f64,
    pub p95: f64,
    pub max: f64,
}

impl Calibration {
    /// Whether every loop was cut off and the neighbour always answered.
    pub fn holds(&self) -> bool {
        let cpu = self.rows.iter().all(|row| row.cut_off == row.loops && row.neighbour_failures == 0);
        cpu && self.memory.cut_off == self.memory.loops
    }

    pub fn render(&self) -> String {
        let mut text = format!(
            "CPU cut-off, endless loops beside a neighbour under load; milliseconds\nload average {}; watcher's priority {}\n\n\
             cpuMs  cut off  CPU at cut-off p50/p95/max   wall p50   neighbour p50/p95   alone p50/p95   asked  failed\n",
            self.load_average,
            match self.watcher {
                Priority::RealTime => "real-time",
                Priority::Ordinary => "ordinary (real-time takes root or CAP_SYS_NICE)",
            }
        );
        for row in &self.rows {
            let (cpu, beside, alone) = (row.cpu_at_cut_off, row.neighbour_beside, row.neighbour_alone);
            text += &format!(
                "{:>5}  {:>2} / {:<2}  {:>8.2} {:>8.2} {:>8.2}   {:>8.1}   {:>8.2} {:>8.2}   {:>6.2} {:>6.2}  {:>6}  {:>6}\n",
                row.cpu_ms,
                row.cut_off,
                row.loops,
                cpu.p50,
                cpu.p95,
                cpu.max,
                row.wall.p50,
                beside.p50,
                beside.p95,
                alone.p50,
                alone.p95,
                row.neighbour_requests,
                row.neighbour_failures
            );
        }
        let Hoard { memory_mb, loops, cut_off, memory_at_cut_off: held, wall } = &self.memory;
        text += &format!(
            "\nmemory cut-off, loops that write to ever more of it\n\n   MB  cut off  MB at cut-off p50/p95/max   wall p50\n\
             {memory_mb:>5}  {cut_off:>2} / {loops:<2}  {:>8.1} {:>8.1} {:>8.1}   {:>8.1}\n",
            held.p50, held.p95, held.max, wall.p50
        );
        text
    }
}

impl Quantiles {
    /// By nearest rank; zeros of nothing.
    pub fn of(mut values: Vec<f64>) -> Quantiles {
        values.sort_by(f64::total_cmp);
        let rank = |percent: usize| {
            let at = (values.len() * percent).div_ceil(100).saturating_sub(1);
            (values.get(at).copied().unwrap_or_default() * 1e3).round() / 1e3
        };
        Quantiles { p50: rank(50), p95: rank(95), max: rank(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let twenty = (1..=20).rev().map(f64::from).collect();
        assert_eq!(Quantiles::of(twenty), Quantiles { p50: 10.0, p95: 19.0, max: 20.0 });
        assert_eq!(Quantiles::of(Vec::new()), Quantiles { p50: 0.0, p95: 0.0, max: 0.0 });
    }

    #[test]
    fn a_loop_that_was_not_cut_off_breaks_the_calibration() {
        let none = Quantiles::of(Vec::new());
        let row = Row {
            cpu_ms: 10,
            loops: 25,
            cut_off: 25,
            cpu_at_cut_off: none,
            wall: none,
            neighbour_alone: none,
            neighbour_beside: none,
            neighbour_requests: 9,
            neighbour_failures: 0,
        };
        let memory = Hoard { memory_mb: 128.0, loops: 25, cut_off: 25, memory_at_cut_off: none, wall: none };
        let holds = |row: &Row, memory: &Hoard| {
            let (rows, memory) = (vec![row.clone()], memory.clone());
            Calibration { load_average: String::new(), watcher: Priority::Ordinary, rows, memory }.holds()
        };
        assert!(holds(&row, &memory));
        assert!(!holds(&Row { cut_off: 24, ..row.clone() }, &memory));
        assert!(!holds(&Row { neighbour_failures: 1, ..row.clone() }, &memory));
        assert!(!holds(&row, &Hoard { cut_off: 24, ..memory }));
    }
}
