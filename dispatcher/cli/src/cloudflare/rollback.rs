//! Which version to go back to. Pure.

use super::steps::{There, Version};

/// The way back: from the versions that serve, to one that serves all requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    pub from: Vec<String>,
    pub to: String,
}

/// The version that was named, or the one that served all requests last.
pub fn choose(there: &There, named: Option<&str>) -> Result<Rollback, String> {
    let from: Vec<String> = there.serving().iter().map(|one| one.version.clone()).collect();
    if from.is_empty() {
        return Err("no version serves".to_owned());
    }
    let to = match named {
        Some(id) => {
            there.known.iter().find(|(known, _)| known == id).map(|(known, _)| known.clone()).ok_or_else(|| {
                let known: Vec<&str> = there.known.iter().map(|(id, _)| id.as_str()).collect();
                format!("there is no version {id:?} that can be deployed; there are {}", known.join(", "))
            })?
        }
        None => {
            let alone = there.deployments.iter().skip(1).filter_map(|versions| match &versions[..] {
                [one] if from != [one.version.clone()] => Some(one.version.clone()),
                _ => None,
            });
            alone.into_iter().next().ok_or_else(|| "no version before served all requests".to_owned())?
        }
    };
    if from == [to.clone()] { Err(format!("{to} serves all requests already")) } else { Ok(Rollback { from, to }) }
}

/// Cloudflare goes back over no migration of Durable Objects.
pub fn crosses_migration(is: &Version, to: &Version) -> Option<String> {
    (is.migration_tag != to.migration_tag).then(|| {
        let told = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "none".to_owned());
        format!(
            "its Durable Objects are at migration {}, and those that serve at {}",
            told(&to.migration_tag),
            told(&is.migration_tag)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudflare::steps::Serving;

    fn there(deployments: &[&[(&str, f64)]]) -> There {
        let serving = |(id, percent): &(&str, f64)| Serving { version: (*id).to_owned(), percent: *percent };
        There {
            deployments: deployments.iter().map(|one| one.iter().map(serving).collect()).collect(),
            known: Vec::from(["c", "b", "a"].map(|id| (id.to_owned(), None))),
            ..There::default()
        }
    }

    #[test]
    fn the_version_that_served_alone_before_is_the_one_to_go_back_to() {
        let to = |deployments: &[&[(&str, f64)]]| choose(&there(deployments), None).map(|back| back.to);
        assert_eq!(to(&[&[("b", 100.0)], &[("a", 100.0)]]), Ok("a".to_owned()));
        assert_eq!(to(&[&[("b", 10.0), ("a", 90.0)], &[("a", 100.0)]]), Ok("a".to_owned()));
        assert_eq!(
            to(&[&[("c", 100.0)], &[("c", 10.0), ("b", 90.0)], &[("c", 100.0)], &[("b", 100.0)]]),
            Ok("b".to_owned())
        );
        assert!(to(&[&[("a", 100.0)]]).is_err() && to(&[]).is_err());
    }

    #[test]
    fn a_version_that_is_named_must_be_one_that_can_be_deployed() {
        let there = there(&[&[("c", 100.0)], &[("b", 100.0)]]);
        assert_eq!(choose(&there, Some("a")).map(|back| back.to), Ok("a".to_owned()));
        assert!(choose(&there, Some("z")).unwrap_err().contains("there are c, b, a"));
        assert!(choose(&there, Some("c")).unwrap_err().contains("already"));
    }

    #[test]
    fn a_migration_is_not_gone_back_over() {
        let at = |tag: &str| Version { migration_tag: Some(tag.to_owned()), ..Version::default() };
        assert!(crosses_migration(&at("v6"), &at("v6")).is_none());
        assert!(crosses_migration(&at("v6"), &at("v5")).unwrap().contains("v5"));
    }
}
