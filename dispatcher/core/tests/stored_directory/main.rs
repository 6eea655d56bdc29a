//! A stored directory that is swapped, truncated, lost and flooded while requests come: who is found, and what it costs in
//! reads.

use dispatcher_core::{
    directory::{
        Directory,
        cache::{Cache, Knows},
        snapshot,
        stored::{Stored, StoredTenants},
    },
    dispatch_key::DispatchKey,
    paywall::{UnixMillis, ports::Clock},
    ports::{DirectoryLog, DirectoryUnavailable, SnapshotStore, Tenants},
    protocol::Network,
    telemetry::DirectoryEvent,
    tenant::Available,
};
use serde_json::json;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

#[derive(Default)]
struct State {
    keys: RefCell<BTreeMap<String, Vec<u8>>>,
    reads: Cell<usize>,
    is_down: Cell<bool>,
    now: Cell<u64>,
    events: RefCell<Vec<DirectoryEvent>>,
}

#[derive(Clone, Default)]
struct World(Rc<State>);

impl SnapshotStore for World {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.reads.set(self.0.reads.get() + 1);
        if self.0.is_down.get() {
            Err("storage is down".to_owned())
        } else {
            Ok(self.0.keys.borrow().get(key).cloned())
        }
    }
}

impl Clock for World {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.now.get())
    }
    async fn sleep(&self, _millis: u64) {}
}

impl DirectoryLog for World {
    fn record(&self, event: &DirectoryEvent) {
        self.0.events.borrow_mut().push(event.clone());
    }
}

fn available() -> Available {
    Available { network: Network::BaseSepolia, facilitators: [].into() }
}

/// `t0` to `t<count-1>`, each with a host and a slug.
fn registry(tenants: usize, plan: &str) -> String {
    let tenant =
        |n| json!({"id": format!("t{n}"), "plan": plan, "slug": format!("t{n}"), "hosts": [format!("t{n}.example")]});
    json!({"tenants": (0..tenants).map(tenant).collect::<Vec<_>>()}).to_string()
}

impl World {
    fn isolate(&self) -> Stored<World, World, World> {
        let cache = Rc::new(Cache::new(available()));
        let (store, clock, log) = (self.clone(), self.clone(), self.clone());
        Stored { listed: Rc::new(Directory::default()), cache, store, clock, log }
    }

    fn publish(&self, version: u64, registry: &str) {
        self.0.keys.borrow_mut().extend(snapshot::publish(version, registry, &available()).unwrap());
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
        change(&mut self.0.keys.borrow_mut());
    }

    fn pass(&self, millis: u64) {
        self.0.now.set(self.0.now.get() + millis);
    }

    fn reads(&self) -> usize {
        self.0.reads.take()
    }

    fn said(&self) -> Vec<String> {
        self.0
            .events
            .take()
            .into_iter()
            .map(|event| format!("{} {:?} {}", event.event, event.version, event.why))
            .collect()
    }
}

type Isolate = Stored<World, World, World>;

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory waited"),
    }
}

/// Does the Worker's errands beside every answer.
fn refresh(isolate: &Isolate) {
    if let Some(job) = isolate.due() {
        ready(isolate.refresh(job));
    }
}

fn slug(isolate: &Isolate, slug: &str) -> Result<Option<String>, DirectoryUnavailable> {
    let found = ready(isolate.behind(&DispatchKey::slug(slug).unwrap()))?;
    Ok(found.map(|tenant| format!("{} {:?}", tenant.id, tenant.plan)))
}

fn pro(id: &str) -> Result<Option<String>, DirectoryUnavailable> {
    Ok(Some(format!("{id} Pro")))
}

#[test]
fn an_id_is_known_from_the_snapshots_names_and_only_a_snapshot_without_ids_knows_nothing() {
    let world = World::default();
    let isolate = world.isolate();
    assert_eq!(ready(isolate.knows("t0")), Knows::No, "there is no directory");
    world.publish(1, &registry(500, "pro"));
    let isolate = world.isolate();
    assert!((0..500).all(|n| ready(isolate.knows(&format!("t{n}"))) == Knows::Yes));
    let taken_for_known = (500..1_500).filter(|n| ready(isolate.knows(&format!("t{n}"))) != Knows::No).count();
    assert!(taken_for_known < 40, "{taken_for_known} of a thousand");
    world.change(|keys| {
        // As a dispatcher from before has written it: all names, and no ids.
        let names = keys["1/names"].len();
        keys.insert("1/names".into(), vec![0; names]);
        let current = format!(r#"{{"format":1,"version":1,"buckets":32,"filterBytes":{names}}}"#);
        keys.insert("current".into(), current.into_bytes());
    });
    assert_eq!(ready(world.isolate().knows("t0")), Knows::Nothing);
    world.0.is_down.set(true);
    assert_eq!(ready(world.isolate().knows("t0")), Knows::Nothing);
}

#[test]
fn what_is_wrong_with_a_registry_is_told_with_its_place() {
    let told = |registry: &str| snapshot::publish(1, registry, &available()).map_err(|error| error.to_string());
    assert!(told("\u{feff}{\"tenants\": []}").is_ok());
    assert_eq!(told("{\n\"tenants\": [],\n}").unwrap_err(), "line 3, column 1: trailing comma");
    assert!(told("").unwrap_err().starts_with("is empty"));
    assert!(told("{\"byHost\": {}}").unwrap_err().contains("unknown field `byHost`"));
}

#[test]
fn every_name_is_found_and_no_other() {
    let world = World::default();
    world.publish(1, &registry(500, "pro"));
    let isolate = world.isolate();
    for n in 0..500 {
        let name = format!("t{n}");
        assert_eq!(slug(&isolate, &name), pro(&name));
        let host = DispatchKey::host(&format!("{name}.example")).unwrap();
        assert_eq!(ready(isolate.behind(&host)).unwrap().unwrap().id, name);
        assert_eq!(slug(&isolate, &format!("x{n}")), Ok(None));
    }
    assert_eq!(world.said(), ["adopted Some(1) "]);
}

#[test]
fn a_name_costs_a_read_once_and_an_unknown_name_next_to_none() {
    let world = World::default();
    world.publish(1, &registry(10_000, "pro"));
    let isolate = world.isolate();
    assert_eq!(slug(&isolate, "t7"), pro("t7"));
    assert_eq!(world.reads(), 3, "current, names, bucket");
    for _ in 0..1_000 {
        assert_eq!(slug(&isolate, "t7"), pro("t7"));
    }
    assert_eq!(world.reads(), 0);
    for n in 0..10_000 {
        assert_eq!(slug(&isolate, &format!("unknown-{n}")), Ok(None));
    }
    let reads = world.reads();
    assert!(reads < 200, "a flood of 10000 unknown names cost {reads} reads");
}

#[test]
fn an_update_is_seen_without_anybody_waiting() {
    let world = World::default();
    world.publish(1, &registry(100, "free"));
    let isolate = world.isolate();
    assert_eq!(slug(&isolate, "t7").unwrap().unwrap(), "t7 Free");
    world.publish(2, &registry(101, "pro"));
    world.pass(10_000);
    isolate_is_asked_without_reads(&world, &isolate, "t7", "t7 Free");
    refresh(&isolate);
    isolate_is_asked_without_reads(&world, &isolate, "t7", "t7 Free");
    refresh(&isolate);
    isolate_is_asked_without_reads(&world, &isolate, "t7", "t7 Pro");
    assert_eq!(slug(&isolate, "t100"), pro("t100"), "who is new is found at once");
    assert_eq!(world.said(), ["adopted Some(1) ", "adopted Some(2) "]);
}

fn isolate_is_asked_without_reads(world: &World, isolate: &Isolate, name: &str, found: &str) {
    world.reads();
    assert_eq!(slug(isolate, name).unwrap().unwrap(), found);
    assert_eq!(world.reads(), 0, "a request waited for storage");
}

#[test]
fn a_directory_that_is_lost_or_broken_or_older_keeps_the_last_good_one_and_says_so() {
    type Break = fn(&mut BTreeMap<String, Vec<u8>>);
    let cases: [(&str, Break, &str); 10] = [
        ("the pointer is lost", |keys| drop(keys.remove("current")), "kept Some(5) current: is missing"),
        ("the pointer is cut", |keys| keys.get_mut("current").unwrap().truncate(9), "kept Some(5) current: EOF"),
        ("the pointer is garbage", |keys| drop(keys.insert("current".into(), vec![0xff; 9])), "current: invalid utf-8"),
        (
            "another format",
            |keys| {
                drop(keys.insert("current".into(), br#"{"format":3,"version":6,"buckets":1,"filterBytes":1}"#.into()))
            },
            "kept Some(5) current: format is not one",
        ),
        (
            "an older version",
            |keys| {
                drop(keys.insert("current".into(), br#"{"format":1,"version":4,"buckets":1,"filterBytes":1}"#.into()))
            },
            "kept Some(5) current: version 4 is older",
        ),
        (
            "a version without its names",
            |keys| {
                drop(keys.insert("current".into(), br#"{"format":1,"version":6,"buckets":1,"filterBytes":1}"#.into()))
            },
            "kept Some(5) 6/names is missing",
        ),
        (
            "a version whose names have no sum",
            |keys| {
                drop(keys.insert("current".into(), br#"{"format":2,"version":6,"buckets":1,"filterBytes":1}"#.into()))
            },
            "kept Some(5) current: filterSum is missing",
        ),
        (
            "a version whose names have lost one bit",
            |keys| {
                let names = filter_of(6, keys);
                let (byte, bit) = (0..names.len() * 8)
                    .map(|at| (at / 8, at % 8))
                    .find(|(byte, bit)| names[*byte] >> bit & 1 == 1)
                    .unwrap();
                names[byte] &= !(1 << bit);
            },
            "kept Some(5) 6/names is not what was written: its sum is",
        ),
        (
            "a version whose names are another's",
            |keys| filter_of(6, keys).rotate_left(1),
            "kept Some(5) 6/names is not what was written: its sum is",
        ),
        ("everything is lost", BTreeMap::clear, "kept Some(5) current: is missing"),
    ];
    for (case, broken, said) in cases {
        let world = World::default();
        world.publish(5, &registry(100, "pro"));
        let isolate = world.isolate();
        assert_eq!(slug(&isolate, "t7"), pro("t7"));
        world.said();
        world.change(broken);
        for _ in 0..3 {
            world.pass(10_000);
            refresh(&isolate);
            assert_eq!(slug(&isolate, "t7"), pro("t7"), "{case}");
        }
        let events = world.said();
        assert!(matches!(&events[..], [once] if once.contains(said)), "{case}: {events:?}");
        world.publish(7, &registry(100, "business"));
        world.pass(10_000);
        refresh(&isolate);
        refresh(&isolate);
        assert_eq!(slug(&isolate, "t0").unwrap().unwrap(), "t0 Business", "{case}: it did not heal");
    }
}

/// Publishes a version, and hands out its filter to be broken.
fn filter_of(version: u64, keys: &mut BTreeMap<String, Vec<u8>>) -> &mut Vec<u8> {
    keys.extend(snapshot::publish(version, &registry(100, "pro"), &available()).unwrap());
    keys.get_mut(&format!("{version}/names")).unwrap()
}

#[test]
fn names_that_were_broken_from_the_start_make_nobody_unknown() {
    let world = World::default();
    world.publish(1, &registry(100, "pro"));
    world.change(|keys| filter_of(2, keys).fill(0));
    let isolate = world.isolate();
    assert_eq!(slug(&isolate, "t7"), Err(DirectoryUnavailable), "and not that there is none");
    world.publish(3, &registry(100, "pro"));
    world.pass(1_000);
    assert_eq!(slug(&isolate, "t7"), pro("t7"));
}

#[test]
fn a_snapshot_from_before_sums_is_read() {
    let world = World::default();
    world.publish(1, &registry(100, "pro"));
    world.change(|keys| {
        let current = String::from_utf8(keys["current"].clone()).unwrap().replace(r#""format":2"#, r#""format":1"#);
        let (without, _) = current.split_once(r#","filterSum""#).unwrap();
        keys.insert("current".into(), format!("{without}}}").into_bytes());
    });
    assert_eq!(slug(&world.isolate(), "t7"), pro("t7"));
}

#[test]
fn a_bucket_that_is_lost_is_served_from_the_version_before() {
    let world = World::default();
    world.publish(1, &registry(10, "pro"));
    let (warm, cold) = (world.isolate(), world.isolate());
    assert_eq!(slug(&warm, "t7"), pro("t7"));
    // Knows version 1, and has none of its buckets.
    assert_eq!(slug(&cold, "unknown"), Ok(None));
    world.publish(2, &registry(11, "business"));
    world.change(|keys| keys.retain(|key, _| !key.starts_with("2/") || key == "2/names"));
    for isolate in [&warm, &cold] {
        world.pass(10_000);
        refresh(isolate);
        assert_eq!(slug(isolate, "t7"), pro("t7"));
        assert_eq!(slug(isolate, "t10"), Err(DirectoryUnavailable), "who is new cannot be known, and is not denied");
    }
    let fresh = world.isolate();
    assert_eq!(slug(&fresh, "t7"), Err(DirectoryUnavailable));
    assert!(world.said().iter().any(|event| event.starts_with("kept Some(2) 2/0 is missing")));
}

#[test]
fn storage_that_is_down_is_not_asked_by_every_request() {
    let world = World::default();
    world.0.is_down.set(true);
    let isolate = world.isolate();
    for _ in 0..100 {
        assert_eq!(slug(&isolate, "t7"), Err(DirectoryUnavailable));
    }
    assert_eq!(world.reads(), 1);
    world.0.is_down.set(false);
    world.publish(1, &registry(10, "pro"));
    world.pass(1_000);
    assert_eq!(slug(&isolate, "t7"), pro("t7"));
}

#[test]
fn nothing_published_is_an_empty_directory_until_something_is() {
    let world = World::default();
    let isolate = world.isolate();
    for _ in 0..100 {
        assert_eq!(slug(&isolate, "t7"), Ok(None));
    }
    assert_eq!(world.reads(), 1);
    world.publish(1, &registry(10, "pro"));
    world.pass(10_000);
    refresh(&isolate);
    assert_eq!(slug(&isolate, "t7"), pro("t7"));
}

#[test]
fn a_wrong_record_in_a_bucket_is_left_out_alone_and_reported() {
    let world = World::default();
    world.publish(1, &registry(3, "pro"));
    world.change(|keys| {
        let bucket = String::from_utf8(keys.remove("1/0").unwrap()).unwrap();
        let wrong = bucket.replace(r#""id":"t1","plan":"pro""#, r#""id":"t1","plan":"gold""#);
        assert_ne!(bucket, wrong);
        keys.insert("1/0".to_owned(), wrong.into_bytes());
    });
    let isolate = world.isolate();
    assert_eq!((slug(&isolate, "t0"), slug(&isolate, "t1"), slug(&isolate, "t2")), (pro("t0"), Ok(None), pro("t2")));
    let said = world.said();
    assert!(said[1].starts_with("left_out Some(1) 1/0: tenants[1] (\"t1\"): unknown variant `gold`"), "{said:?}");
}

#[test]
fn a_bucket_in_the_wrong_place_is_not_believed() {
    let world = World::default();
    world.publish(1, &registry(100, "pro"));
    world.change(|keys| {
        let (first, second) = (keys["1/0"].clone(), keys["1/1"].clone());
        keys.insert("1/0".to_owned(), second);
        keys.insert("1/1".to_owned(), first);
    });
    let isolate = world.isolate();
    let denied = (0..100).filter(|n| slug(&isolate, &format!("t{n}")) == Err(DirectoryUnavailable)).count();
    assert!(denied > 0 && (0..100).all(|n| slug(&isolate, &format!("t{n}")) != Ok(None)));
}

#[test]
fn memory_is_bounded_however_many_tenants_are_asked_for() {
    let world = World::default();
    world.publish(1, &registry(17_000, "pro"));
    let isolate = world.isolate();
    for n in 0..17_000 {
        assert_eq!(slug(&isolate, &format!("t{n}")), pro(&format!("t{n}")));
    }
    let stored: usize = world.0.keys.borrow().values().map(Vec::len).sum();
    assert!(isolate.cache.held_bytes() < stored * 2 / 3, "{} of {stored} bytes", isolate.cache.held_bytes());
}

#[test]
fn what_is_wrong_is_not_published() {
    let error = |registry: &str| snapshot::publish(1, registry, &available()).unwrap_err().to_string();
    assert!(error(r#"{"tenants":[{"id":"a","plan":"gold"}]}"#).contains("tenants[0] (\"a\"): unknown variant `gold`"));
    let twice = r#"{"tenants":[{"id":"a","plan":"pro","slug":"x"},{"id":"b","plan":"pro","slug":"x"}]}"#;
    assert!(error(twice).contains("tenants[1]: slug/x is listed twice"));
    assert!(error(r#"{"byHost":{}}"#).contains("neither"));
}

#[test]
fn a_walk_through_all_pages_meets_each_tenant_once_at_one_read_a_page_and_leaves_requests_their_buckets() {
    let world = World::default();
    world.publish(1, &registry(1_000, "pro"));
    let isolate = world.isolate();
    ready(isolate.behind(&DispatchKey::slug("t7").unwrap())).unwrap().expect("it is there");
    let held = isolate.cache.held_bytes();
    world.reads();
    let (mut met, mut pages) = (Vec::new(), 0);
    loop {
        let page = ready(isolate.page(pages)).unwrap();
        pages += 1;
        met.extend(page.tenants.into_iter().map(|(key, tenant)| (tenant.id.clone(), key.to_string())));
        if page.is_last {
            break;
        }
    }
    assert_eq!((world.reads(), isolate.cache.held_bytes()), (pages as usize, held));
    let ids: std::collections::BTreeSet<_> = met.iter().map(|(id, _)| id).collect();
    assert_eq!((met.len(), ids.len()), (1_000, 1_000));
    assert!(met.iter().all(|(id, key)| *key == format!("host/{id}.example")), "a host comes before a slug");
    assert!(ready(isolate.page(pages)).unwrap().tenants.is_empty());
}

#[test]
fn tenants_of_a_variable_come_before_those_of_a_store_and_a_store_that_is_down_is_told() {
    let world = World::default();
    world.publish(1, &registry(3, "pro"));
    let listed = r#"{"tenants":[{"id":"a","plan":"pro","slug":"a"},{"id":"b","plan":"pro","slug":"b"}]}"#;
    let listed = Rc::new(Directory::from_json(listed, &available()).unwrap());
    let isolate = Stored { listed, ..world.isolate() };
    let ids = |number| {
        ready(isolate.page(number)).map(|page| page.tenants.iter().map(|(_, it)| it.id.clone()).collect::<Vec<_>>())
    };
    assert_eq!((ids(0).unwrap(), ids(1).unwrap().len()), (vec!["a".to_owned(), "b".to_owned()], 3));
    world.0.is_down.set(true);
    assert_eq!(ids(1), Err(DirectoryUnavailable));
}
