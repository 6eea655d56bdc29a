//! A fault as a person types it at a world that runs: `primary settle settle-then-hang`, with `slow = { by = "3s" }` where it
//! takes more, and perhaps `every 3` and `for 20s` behind it. The words are those of a scenario, and so is what is wrong with them.

use doubles::{Call, FaultSpec, Inject, Pick, RawInject, fault::FaultPlace, pick::RawPick};
use grammar::{Problems, duration, nearest};
use reports::event::FaultRef;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// A fault whose window begins when it is switched on.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedFault {
    pub on: String,
    pub call: Call,
    pub inject: Inject,
    pub pick: Pick,
    /// `None`: until somebody ends it.
    pub lasts: Option<Duration>,
}

/// The form, for whoever gets it wrong.
pub const FORM: &str = "FACILITATOR verify|settle|any FAULT [first N|nth N|every N] [for TIME], such as `primary settle settle-then-hang` or \
                        `primary any slow={by=\"3s\"} every 3 for 20s`; `list --faults` has the faults";

#[derive(Deserialize)]
struct Typed {
    inject: Spanned<RawInject>,
    pick: Option<RawPick>,
}

impl TypedFault {
    /// Reads the words, for a world with these facilitators.
    pub fn parse(words: &str, facilitators: &[&str]) -> Result<Self, String> {
        let words = split(words);
        let [on, call, rest @ ..] = &words[..] else { return Err(format!("a fault is {FORM}")) };
        if !facilitators.contains(&on.as_str()) {
            let meant = nearest(on, facilitators).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            return Err(format!("there is no facilitator `{on}`: {meant}there is {}", facilitators.join(", ")));
        }
        let call = match call.as_str() {
            "verify" => Call::Verify,
            "settle" => Call::Settle,
            "any" => Call::Any,
            other => return Err(format!("`{other}` is no call: verify, settle or any")),
        };
        let ends = rest.iter().position(|word| ["first", "nth", "every", "odds", "for"].contains(&word.as_str()));
        let (inject, options) = rest.split_at(ends.unwrap_or(rest.len()));
        let inject = inject.join(" ");
        let (name, value) = match inject.split_once(['=', '{']) {
            Some((name, _)) if inject[name.len()..].starts_with('{') => (name.trim(), &inject[name.len()..]),
            Some((name, value)) => (name.trim(), value.trim()),
            None => (inject.trim(), "{}"),
        };
        let known = Inject::CATALOGUE.map(|listed| listed.name);
        if name.is_empty() {
            return Err(format!("a fault is {FORM}"));
        }
        if !known.contains(&name) {
            let meant = nearest(name, &known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            return Err(format!("there is no fault `{name}`: {meant}`list --faults` has them all"));
        }
        let (mut pick, mut lasts) = (String::new(), None);
        for pair in options.chunks(2) {
            let [option, value] = pair else { return Err(format!("`{}` wants a value", pair[0])) };
            if option == "for" {
                let time = duration(value).ok_or_else(|| format!("`{value}` is no time, such as 20s"))?;
                lasts = Some(time);
            } else {
                pick = format!("\npick.{option} = {value}");
            }
        }
        let typed: Typed = toml::from_str(&format!("inject.{name} = {value}{pick}"))
            .map_err(|error| format!("{}: a fault is {FORM}", error.message()))?;
        let mut problems = Problems::default();
        let is_picked = typed.pick.is_some();
        // Chance has the seed of the world.
        let pick = typed.pick.map_or(Some(Pick::All), |pick| pick.check(Some(0), &mut problems));
        let at = typed.inject.span();
        let inject = typed.inject.into_inner().check(&FaultPlace { at, call }, is_picked, &mut problems);
        match (inject, pick) {
            (Some(inject), Some(pick)) if problems.is_empty() => Ok(Self { on: on.clone(), call, inject, pick, lasts }),
            _ => Err(problems.into_vec().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        }
    }
}

impl TypedFault {
    /// The fault as a double plays it, switched on at that time. `index` is its number among those that were typed.
    #[must_use]
    pub fn spec(&self, index: usize, seed: u64, now_us: u64) -> FaultSpec {
        let lasts = self.lasts.map_or(u64::MAX, |lasts| u64::try_from(lasts.as_micros()).unwrap_or(u64::MAX));
        FaultSpec {
            fault: FaultRef { index, on: self.on.clone(), inject: self.inject.name().to_owned() },
            call: self.call,
            window: now_us..now_us.saturating_add(lasts),
            pick: self.pick,
            seed,
            inject: self.inject.clone(),
        }
    }
}

/// Words, with what stands in braces or quotes kept together.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut depth, mut quoted) = (0_u32, false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter.is_whitespace() && depth == 0 && !quoted {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        } else {
            word.push(letter);
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use doubles::fault::slow::Slow;

    const BOTH: [&str; 2] = ["primary", "standby"];

    #[test]
    fn a_fault_is_typed_in_a_few_words() {
        let read = |words| TypedFault::parse(words, &BOTH).unwrap();
        let hang = read("primary settle settle-then-hang");
        assert_eq!((hang.on.as_str(), hang.call, hang.inject), ("primary", Call::Settle, Inject::SettleThenHang));
        assert_eq!((hang.pick, hang.lasts), (Pick::All, None));
        let slow = |words| {
            let slow = read(words);
            assert_eq!(slow.inject, Inject::Slow(Slow { by: Duration::from_secs(3) }));
            (slow.call, slow.pick, slow.lasts)
        };
        assert_eq!(slow(r#"standby any slow={by="3s"}"#), (Call::Any, Pick::All, None));
        assert_eq!(slow(r#"standby any slow { by = "3s" }"#), (Call::Any, Pick::All, None));
        let twenty = Some(Duration::from_secs(20));
        assert_eq!(slow(r#"standby any slow = { by = "3s" } every 3 for 20s"#), (Call::Any, Pick::Every(3), twenty));
        assert_eq!(read("primary settle hang first 2").pick, Pick::First(2));
    }

    #[test]
    fn what_is_no_fault_says_what_is_meant() {
        for (words, said) in [
            ("", "a fault is FACILITATOR"),
            ("primary settle", "a fault is FACILITATOR"),
            ("primry settle hang", "there is no facilitator `primry`: did you mean `primary`?"),
            ("primary setle hang", "`setle` is no call"),
            ("primary settle hangs", "there is no fault `hangs`: did you mean `hang`?"),
            ("primary settle slow", "missing field `by`"),
            ("primary verify settle-then-hang", "`settle-then-hang`"),
            ("primary settle hang first", "`first` wants a value"),
            ("primary settle hang first 0", "calls are counted from 1"),
            ("primary settle hang for ever", "`ever` is no time"),
        ] {
            let error = TypedFault::parse(words, &BOTH).expect_err(words);
            assert!(error.contains(said), "{words}: {error}");
        }
    }
}
