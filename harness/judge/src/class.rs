//! The class of each rule, in the words in which other checkers sort theirs. By the rule's family, so that a new rule of an old
//! family has one; a test holds every rule to be in a family.

use reports::class::Class;

/// Families whose rules differ in class have an entry for each rule, before the family's own.
const CLASSES: [(&str, Class); 22] = [
    ("MONEY-1", Class::Security),
    ("MONEY-2", Class::Security),
    ("MONEY-3", Class::Resilience),
    ("MONEY-4", Class::Resilience),
    ("MONEY-5", Class::Resilience),
    ("MONEY-6", Class::Normative),
    ("MONEY-7", Class::Security),
    ("MONEY-8", Class::Resilience),
    ("MONEY-9", Class::Resilience),
    ("MONEY-10", Class::Security),
    ("MONEY-11", Class::Security),
    ("MONEY-12", Class::Resilience),
    ("ISO", Class::Security),
    ("EGRESS", Class::Security),
    ("ANSWER", Class::Normative),
    ("ALERT", Class::Resilience),
    ("COST", Class::Resilience),
    ("FAIR", Class::Resilience),
    ("LIVE", Class::Resilience),
    ("LATENCY", Class::Resilience),
    ("BASELINE", Class::Resilience),
    ("COVER", Class::Coverage),
];

/// `None` where the id is of no family.
#[must_use]
pub fn class_of(rule: &str) -> Option<Class> {
    let family = rule.split('-').next().unwrap_or(rule);
    let found = CLASSES.iter().find(|(id, _)| *id == rule).or_else(|| CLASSES.iter().find(|(id, _)| *id == family));
    found.map(|(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RULES;

    #[test]
    fn every_rule_has_a_class() {
        for rule in RULES {
            assert!(class_of(rule.id).is_some(), "{} is of no family", rule.id);
        }
        assert_eq!(class_of("MONEY-1"), Some(Class::Security));
        assert_eq!(class_of("MONEY"), None);
    }
}
