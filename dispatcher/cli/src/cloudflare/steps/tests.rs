//! Tests of the steps of a deploy: what each plans, and what it leaves alone.

use super::*;
use crate::cloudflare::worker::fixture::worker;

const CONFIG: &str = r#"{"name": "d", "main": "m", "compatibility_date": "2026-10-01", "vars": {"A": "1"},
    "migrations": [{"tag": "v9", "new_sqlite_classes": ["A"]}, {"tag": "v10", "new_sqlite_classes": ["B"]}]}"#;

fn serving(version: &str, percent: f64) -> Serving {
    Serving { version: version.to_owned(), percent }
}

fn version(tag: &str, migration: &str) -> Version {
    Version {
        tag: Some(tag.to_owned()),
        bindings: vec![json!({"name": "A", "type": "plain_text", "text": "1"})],
        compatibility_date: "2026-10-01".to_owned(),
        migration_tag: Some(migration.to_owned()),
    }
}

/// One version serves, `old`; `new` has the tag of what is wanted.
fn there(worker: &Worker, serves: &[(&str, f64)]) -> There {
    let tag = |id: &str| if id == "new" { worker.tag() } else { "digest-old".to_owned() };
    There {
        deployments: vec![serves.iter().map(|(id, percent)| serving(id, *percent)).collect()],
        known: serves.iter().map(|(id, _)| ((*id).to_owned(), Some(tag(id)))).collect(),
        versions: serves.iter().map(|(id, _)| ((*id).to_owned(), version(&tag(id), "v10"))).collect(),
        settings: json!({}),
        crons: Vec::new(),
    }
}

fn planned(worker: &Worker, there: &There, percent: u32) -> Result<Plan, Refusal> {
    let (consumers, ids) = (BTreeMap::new(), BTreeMap::new());
    plan(&Wanted { worker, percent, consumers: &consumers, ids: &ids }, there)
}

#[test]
fn the_first_deploy_is_for_all_requests_and_has_all_migrations() {
    let worker = worker(CONFIG);
    let told = planned(&worker, &There::default(), 100).unwrap();
    assert!(
        matches!(&told.steps[..], [Step::Replace { migrations: Some(all) }] if all["steps"].as_array().unwrap().len() == 2)
    );
    assert_eq!(planned(&worker, &There::default(), 10), Err(Refusal::NothingBeside { worker: "d".to_owned() }));
}

#[test]
fn a_migration_is_for_all_requests() {
    let worker = worker(CONFIG);
    let mut there = there(&worker, &[("old", 100.0)]);
    there.versions.get_mut("old").unwrap().migration_tag = Some("v9".to_owned());
    let told = planned(&worker, &there, 100).unwrap();
    assert!(matches!(&told.steps[..], [Step::Replace { migrations: Some(all) }] if all["old_tag"] == "v9"));
    assert!(matches!(planned(&worker, &there, 50), Err(Refusal::MigrationInParts { .. })));
    there.versions.get_mut("old").unwrap().migration_tag = Some("v11".to_owned());
    assert!(matches!(planned(&worker, &there, 100), Err(Refusal::UnknownMigration(_))));
}

#[test]
fn a_share_goes_to_the_new_version_and_the_rest_to_the_old_one() {
    let worker = worker(CONFIG);
    let told = planned(&worker, &there(&worker, &[("old", 100.0)]), 10).unwrap();
    let rest = Some("old".to_owned());
    assert_eq!(told.steps, [Step::Version, Step::Deploy { version: None, percent: 10, rest: rest.clone() }]);
    let shared = there(&worker, &[("old", 90.0), ("new", 10.0)]);
    assert_eq!(planned(&worker, &shared, 10).unwrap().steps, []);
    let more = planned(&worker, &shared, 50).unwrap();
    assert_eq!(more.steps, [Step::Deploy { version: Some("new".to_owned()), percent: 50, rest }]);
    let all = planned(&worker, &shared, 100).unwrap();
    assert_eq!(all.steps, [Step::Deploy { version: Some("new".to_owned()), percent: 100, rest: None }]);
}

#[test]
fn whatever_is_done_is_not_done_again() {
    let worker = worker(CONFIG);
    let done = there(&worker, &[("new", 100.0)]);
    assert_eq!(planned(&worker, &done, 100), Ok(Plan { steps: Vec::new(), diff: Vec::new() }));
    // It broke off between the upload and its deployment.
    let mut half = there(&worker, &[("old", 100.0)]);
    half.known.insert(0, ("new".to_owned(), Some(worker.tag())));
    let told = planned(&worker, &half, 100).unwrap();
    assert_eq!(told.steps, [Step::Deploy { version: Some("new".to_owned()), percent: 100, rest: None }]);
}

#[test]
fn a_third_version_waits_until_two_are_one() {
    let worker = worker(CONFIG);
    assert_eq!(planned(&worker, &there(&worker, &[("a", 50.0), ("b", 50.0)]), 10), Err(Refusal::TwoServe));
    assert_eq!(planned(&worker, &there(&worker, &[("new", 100.0)]), 10).map(|plan| plan.steps), Ok(Vec::new()));
}

#[test]
fn a_secret_is_uploaded_again_because_nobody_can_compare_it() {
    let mut worker = worker(CONFIG);
    worker.secrets.insert("KEY".to_owned(), "k".to_owned());
    let told = planned(&worker, &there(&worker, &[("new", 100.0)]), 100).unwrap();
    assert_eq!(told.steps, [Step::Version, Step::Deploy { version: None, percent: 100, rest: None }]);
    assert!(told.diff.contains(&"+ secret KEY".to_owned()), "{:?}", told.diff);
}

#[test]
fn secrets_that_are_nowhere_stop_it() {
    let worker = worker(&CONFIG.replace("\"A\": \"1\"", "\"FACILITATORS\": \"[]\""));
    let told = planned(&worker, &There::default(), 100);
    assert_eq!(told, Err(Refusal::SecretsMissing(vec!["PLATFORM_TOKEN".to_owned()])));
}

#[test]
fn settings_crons_and_consumers_are_set_where_they_differ() {
    let worker = worker(&CONFIG.replace(
        "\"vars\"",
        r#""observability": {"enabled": true}, "triggers": {"crons": ["* * * * *"]}, "queues": {"consumers": [
            {"queue": "events", "max_batch_size": 100, "max_batch_timeout": 5, "dead_letter_queue": "dead"}]}, "vars""#,
    ));
    let mut there = there(&worker, &[("new", 100.0)]);
    let ids = [Resource::Queue("events".to_owned()), Resource::Queue("dead".to_owned())];
    let ids = ids.into_iter().map(|one| (one, "id".to_owned())).collect();
    let mut consumers = BTreeMap::new();
    let planned = |there: &There, consumers: &BTreeMap<String, (String, Value)>| {
        plan(&Wanted { worker: &worker, percent: 100, consumers, ids: &ids }, there).unwrap().steps
    };
    let steps = planned(&there, &consumers);
    assert!(
        matches!(&steps[..], [Step::Settings(_), Step::Crons(_), Step::Consume { consumer: None, body, .. }]
        if body["settings"]["max_wait_time_ms"] == 5_000),
        "{steps:?}"
    );
    there.settings = json!({"observability": {"enabled": true, "head_sampling_rate": 1}, "tail_consumers": null});
    there.crons = vec!["* * * * *".to_owned()];
    let is = json!({"settings": {"batch_size": 100, "max_wait_time_ms": 5000, "max_retries": 3}, "dead_letter_queue": "dead"});
    consumers.insert("events".to_owned(), ("c1".to_owned(), is));
    assert_eq!(planned(&there, &consumers), []);
}

#[test]
fn a_diff_names_what_comes_what_goes_and_what_changes() {
    let worker = worker(&CONFIG.replace("\"A\": \"1\"", "\"A\": \"2\", \"B\": \"new\""));
    let mut there = there(&worker, &[("old", 100.0)]);
    let old = there.versions.get_mut("old").unwrap();
    old.bindings.push(json!({"name": "GONE", "type": "plain_text", "text": "x"}));
    old.bindings.push(json!({"name": "KEPT", "type": "secret_text"}));
    old.compatibility_date = "2026-09-01".to_owned();
    let diff = planned(&worker, &there, 100).unwrap().diff;
    let line = |start: &str| diff.iter().any(|line| line.starts_with(start));
    assert!(line("~ binding A ") && line("+ binding B ") && line("- binding GONE "), "{diff:?}");
    assert!(line("~ compatibility date 2026-09-01 -> 2026-10-01"), "{diff:?}");
    assert!(!diff.iter().any(|line| line.contains("KEPT")), "{diff:?}");
}
