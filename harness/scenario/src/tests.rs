//! What the scenario language accepts, and what it says to what it does not: errors are the language's user interface,
//! so their whole text is pinned.

use super::*;
use doubles::fault::reset::{Reset, ResetAfter};
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::collections::BTreeSet;

/// Valid as it stands; each test below breaks one thing.
const GOOD: &str = include_str!("tests/good.toml");

fn good_with(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from:?} must stand once in good.toml");
    GOOD.replace(from, to)
}

/// The error as a person sees it, on a terminal of fixed width without colour.
fn error_of(text: &str) -> String {
    let error = Scenario::parse("scenarios/broken.toml", text).expect_err("the scenario is broken");
    let mut shown = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    handler.render_report(&mut shown, &error).expect("writing to a string");
    shown
}

/// The messages alone, for cases whose place and help are pinned elsewhere.
fn messages_of(text: &str) -> Vec<String> {
    let error = Scenario::parse("scenarios/broken.toml", text).expect_err("the scenario is broken");
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn every_scenario_of_the_library_is_valid_and_named_as_its_file() {
    let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let scenarios = library.scenarios().map_err(miette::Report::new).expect("the library is valid");
    assert!(scenarios.iter().any(|scenario| *scenario.id() == *"outage"));
    for scenario in scenarios {
        assert_eq!(library.load(scenario.id().as_str()).expect("named as its file").id(), scenario.id());
    }
}

/// The rule that `scenarios/README.md` gives for the profiles.
#[test]
fn profiles_are_what_the_readme_says() {
    let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let all = library.scenarios().expect("the library is valid");
    let tags = |of: &[Scenario]| -> BTreeSet<Name> { of.iter().flat_map(Scenario::tags).cloned().collect() };
    let (pr, later): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|scenario| scenario.profile() == Profile::Pr);
    assert_eq!(tags(&pr), tags(&all), "each tag is shown by one");
    let lasts: Duration = pr.iter().map(Scenario::end).sum();
    assert!(lasts <= Duration::from_secs(180), "{lasts:?} of traffic is no matter of minutes");
    for scenario in later {
        let first = if scenario.end() > Profile::LONGEST_NIGHTLY { Profile::Release } else { Profile::Nightly };
        assert_eq!(scenario.profile(), first, "{}", scenario.id());
    }
    let readme = include_str!("../../../scenarios/README.md");
    for tag in tags(&all) {
        assert!(readme.contains(&format!("| `{tag}` |")), "{tag} is not in the README");
    }
}

#[test]
fn scenarios_are_selected_by_profile_and_tag() {
    let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let ids = |profile, tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        library
            .select(&Selection { profile, tags })
            .map(|of| of.iter().map(|one| one.id().to_string()).collect::<Vec<_>>())
    };
    assert_eq!(ids(Some(Profile::Pr), &["crash"]).expect("there is one"), ["crash-under-load"]);
    assert!(ids(None, &["crash"]).expect("there are some").contains(&"crash-after-money-moved".to_owned()));
    assert_eq!(ids(Some(Profile::Release), &[]).expect("all"), ids(None, &[]).expect("all"));
    let count = |tags: &[&str]| ids(None, tags).expect("there are some").len();
    assert_eq!(count(&["crash", "tenant"]), count(&["crash"]) + count(&["tenant"]));
    let unknown = ids(None, &["crahs"]).expect_err("nothing has it");
    let help = miette::Diagnostic::help(&unknown).expect("it helps").to_string();
    assert!(help.starts_with("did you mean `crash`? There is: "), "{help}");
}

#[test]
fn a_scenario_says_what_its_file_says() {
    let scenario = Scenario::parse("good.toml", GOOD).map_err(miette::Report::new).expect("good.toml is good");
    assert_eq!(scenario.seed(), Some(42));
    assert_eq!(scenario.end(), Duration::from_secs(20));
    assert_eq!(scenario.traffic()[0].arrivals(), 100);
    assert_eq!(scenario.traffic()[0].tenants_for(ClientKind::Unpaid).len(), 2);
    assert_eq!(scenario.traffic()[0].tenants_for(ClientKind::Paid).len(), 1);
    assert_eq!(scenario.traffic()[0].path().as_str(), "/quote");
    assert_eq!(scenario.world().tenant("acme").and_then(Tenant::price).map(Usdc::atomic), Some(10_000));
    assert_eq!(scenario.faults()[0].pick(), Pick::First(3));
    assert_eq!(scenario.faults()[0].inject(), &Inject::Reset(Reset { after: ResetAfter::Head }));
    assert_eq!(scenario.faults()[1].reference().inject, "settle-then-hang");
    let outage = scenario.timeline().phase("outage").expect("there is one");
    assert_eq!(outage.window().to(), Duration::from_secs(15));
    assert_eq!(scenario.timeline().at(Duration::from_secs(5)).map(Phase::name), Some(outage.name()));
}

/// Recovery from what is still on would be blamed on the dispatcher.
#[test]
fn recovery_is_due_only_after_what_was_injected() {
    let lasting =
        good_with("to = \"12s\"\npick.first = 3", "to = \"20s\"").replace("within = \"5s\"", "within = \"3s\"");
    insta::assert_snapshot!(error_of(&lasting));
    let counted = lasting.replace("to = \"20s\"\ninject", "to = \"20s\"\npick.first = 3\ninject");
    Scenario::parse("good.toml", &counted).map_err(miette::Report::new).expect("three calls are soon over");
}

#[test]
fn traffic_can_grow() {
    let text = good_with("rate = 5", "ramp = { from = 0, to = 10 }");
    let scenario = Scenario::parse("good.toml", &text).map_err(miette::Report::new).expect("it is good");
    let traffic = &scenario.traffic()[0];
    assert_eq!((traffic.arrivals(), traffic.arriving().to_string().as_str()), (100, "from 0 to 10 a second"));
    assert_eq!(traffic.due(25), Duration::from_secs(10));
}

#[test]
fn a_scenario_that_names_no_profile_runs_nightly() {
    let profile_of = |text: &str| Scenario::parse("good.toml", text).map_err(miette::Report::new).unwrap().profile();
    assert_eq!(profile_of(GOOD), Profile::Nightly);
    assert_eq!(profile_of(&good_with("seed = 42", "seed = 42\nprofile = \"pr\"")), Profile::Pr);
}

#[test]
fn unknown_profile() {
    insta::assert_snapshot!(error_of(&good_with("seed = 42", "seed = 42\nprofile = \"prs\"")));
}

/// The README's example is what people start from.
#[test]
fn the_readme_shows_a_valid_scenario() {
    let readme = include_str!("../../../scenarios/README.md");
    let (_, example) = readme.split_once("```toml\n").expect("it has an example");
    let (example, _) = example.split_once("```").expect("which ends");
    Scenario::parse("README.md", example).map_err(miette::Report::new).expect("the example is valid");
}

#[test]
fn unknown_key() {
    insta::assert_snapshot!(error_of(&good_with("rate = 5", "rat = 5")));
}

#[test]
fn bad_unit() {
    insta::assert_snapshot!(error_of(&good_with("from = \"7s\"", "from = \"7sec\"")));
}

#[test]
fn missing_unit() {
    insta::assert_snapshot!(error_of(&good_with("from = \"7s\"", "from = \"7\"")));
}

#[test]
fn fault_on_a_facilitator_that_does_not_exist() {
    insta::assert_snapshot!(error_of(&good_with("on = \"standby\"", "on = \"stand-by\"")));
}

#[test]
fn unknown_fault() {
    insta::assert_snapshot!(error_of(&good_with("inject.settle-then-hang", "inject.settle-and-hang")));
}

#[test]
fn unknown_checker() {
    insta::assert_snapshot!(error_of(&good_with("hold.settle-at-most-once", "hold.settles-once")));
}

#[test]
fn unknown_client() {
    insta::assert_snapshot!(error_of(&good_with("unpaid = 2", "duplicates = 2")));
}

#[test]
fn wrong_value_of_a_fault() {
    insta::assert_snapshot!(error_of(&good_with("{ after = \"head\" }", "{ after = \"body\" }")));
}

#[test]
fn phases_out_of_order() {
    insta::assert_snapshot!(error_of(&good_with("from = \"15s\"", "from = \"4s\"")));
}

#[test]
fn empty_file() {
    insta::assert_snapshot!(error_of("# nothing yet\n"));
}

#[test]
fn not_toml() {
    insta::assert_snapshot!(error_of(&good_with("seed = 42", "seed: 42")));
}

#[test]
fn huge_file() {
    insta::assert_snapshot!(error_of(&"#".repeat(limits::MAX_FILE_BYTES + 1)));
}

#[test]
fn settle_fault_on_verify() {
    insta::assert_snapshot!(error_of(&good_with("call = \"settle\"", "call = \"verify\"")));
}

#[test]
fn id_of_another_rule() {
    insta::assert_snapshot!(error_of(&good_with("id = \"MONEY-1\"", "id = \"MONEY-2\"")));
}

#[test]
fn several_problems_are_shown_at_once() {
    let text = good_with("on = \"standby\"", "on = \"nobody\"").replace("phase = \"steady\"", "phase = \"study\"");
    insta::assert_snapshot!(error_of(&text));
}

/// Nothing that only a reader of the source would understand.
#[test]
fn what_the_reader_of_toml_says_is_told_in_plain_words() {
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            "hold.settle-at-most-once = {}",
            "hold.latency = 5",
            "invalid type: integer `5`",
            "expected a table: `latency = { phase =",
        ),
        (
            "inject.settle-then-hang = {}",
            "inject.slow = \"1s\"",
            "invalid type: string \"1s\"",
            "expected a table: `slow = { by =",
        ),
        ("hold.settle-at-most-once = {}", "", "missing key `hold`", "add `hold.settle-at-most-once = {}`"),
        ("inject.settle-then-hang = {}", "", "missing key `inject`", "add `inject.hang = {}`"),
        ("title = \"A good scenario\"", "", "missing key `title`", "add `title = "),
        (
            "title = \"A good scenario\"",
            "title = 5",
            "invalid type: integer `5`",
            "write `\"5\"`, in quotes; a time has a unit: `\"5s\"`",
        ),
        ("seed = 42", "seed = \"x\"", "invalid type: string \"x\"", "expected a whole number, not below 0"),
        ("seed = 42", "tags = \"x\"", "invalid type: string \"x\"", "expected a list"),
        ("seed = 42", "profile = 5", "one name stands here", "a name in quotes"),
        ("seed = 42", "profile = {}", "one name stands here", "a name in quotes"),
        (
            "inject.settle-then-hang = {}",
            "inject = { hang = {}, refuse = {} }",
            "one name stands here",
            "a name in quotes",
        ),
        (
            "hold.settle-at-most-once = {}",
            "hold.latency = []",
            "invalid length 0",
            "expected a table: `latency = { phase =",
        ),
        ("[[traffic]]", "[traffic]", "invalid type: map", "one of a list has double brackets"),
        ("rate = 5", "rate = \"5\"", "invalid type: string \"5\"", "expected a number"),
        ("rate = 5", "rate = 5\nrate = 6", "duplicate key", "take one of the two out"),
        ("{ paid = 8, unpaid = 2 }", "5", "invalid type: integer `5`", "expected a table"),
        ("within = \"5s\"", "", "missing key `within`", "add a time: `within = \"5s\"`"),
    ];
    for (from, to, message, help) in cases {
        let text = good_with(from, to).replace(", }", " }");
        let error = Scenario::parse("scenarios/broken.toml", &text).expect_err("the scenario is broken");
        let problem = &error.problems()[0];
        assert_eq!(problem.to_string(), *message, "{to}");
        let said = miette::Diagnostic::help(problem).map(|help| help.to_string()).unwrap_or_default();
        assert!(said.starts_with(help), "{to}: {said}");
        assert!(!said.contains("Raw") && !said.contains("struct"), "{said}");
    }
}

/// Other faults: the place is pinned above for each kind of check, here only that it is found.
#[test]
fn what_makes_no_sense_is_refused() {
    let cases: &[(&str, &str, &str)] = &[
        ("to = \"10s\"", "to = \"7s\"", "the window ends before it begins"),
        ("to = \"12s\"", "to = \"21s\"", "the window reaches past the end of the run"),
        ("from = \"0s\" # phase", "from = \"1s\"", "the first phase starts at \"0s\""),
        ("from = \"15s\"", "from = \"20s\"", "the phase starts after the run"),
        ("rate = 5", "rate = 0", "a rate is more than 0 and at most 1000 arrivals per second"),
        ("rate = 5", "rate = nan", "a rate is more than 0 and at most 1000 arrivals per second"),
        ("rate = 5", "rate = 0.01", "no request would arrive"),
        ("rate = 5", "", "the traffic has no rate"),
        ("rate = 5", "rate = 5\nramp = { from = 1, to = 9 }", "the traffic has both a rate and a ramp"),
        ("rate = 5", "ramp = { from = -1, to = 9 }", "a ramp goes between 0 and 1000 arrivals per second"),
        ("rate = 5", "ramp = { from = 1, to = 1001 }", "a ramp goes between 0 and 1000 arrivals per second"),
        ("rate = 5", "ramp = { from = 0, to = 0 }", "no request would arrive"),
        ("seed = 42", "tags = [\"Crash\"]", "`Crash` is not a name"),
        ("seed = 42", "tags = [\"crash\", \"crash\"]", "there are two tags called `crash`"),
        ("{ paid = 8, unpaid = 2 }", "{}", "the mix is empty"),
        ("rate = 5", "rate = 5\npath = \"/a/../b\"", "`/a/../b` is not a path"),
        ("rate = 5", "rate = 5\npath = \"quote\"", "`quote` is not a path"),
        ("price = \"0.01\"", "", "nobody here can be paid"),
        ("price = \"0.01\"", "price = \"1 cent\"", "`1 cent` is not a price"),
        ("price = \"0.01\"", "price = \"0\"", "a price is more than 0 and at most 1 USDC"),
        ("id = \"acme\"", "id = \"Acme\"", "`Acme` is not a name"),
        ("id = \"acme\"", "id = \"globex\"", "there are two tenants called `globex`"),
        ("facilitators = [\"primary\", \"standby\"]", "facilitators = []", "a world has 1 to 8 facilitators"),
        ("network = \"eip155:84532\"", "network = \"base\"", "`base` is not an EVM network"),
        ("pick.first = 3", "pick.first = 0", "calls are counted from 1"),
        ("pick.first = 3", "pick.odds = 1.5", "odds are above 0 and below 1"),
        ("inject.reset = { after = \"head\" }", "inject.refuse = {}", "`refuse` cannot be on call = \"verify\""),
        (
            "inject.reset = { after = \"head\" }",
            "inject.status = { code = 200, body = \"html\" }",
            "a status fault answers with 300 to 599",
        ),
        (
            "inject.reset = { after = \"head\" }",
            "inject.decline = { reason = \"\" }",
            "the reason is not an x402 reason code",
        ),
        (
            "inject.reset = { after = \"head\" }",
            "inject.lie = { about = \"amount\" }",
            "a verify answer says nothing of that",
        ),
        (
            "inject.reset = { after = \"head\" }",
            "inject.lie = { about = \"payer\", money = \"moved\" }",
            "no money moves on verify",
        ),
        (
            "inject.settle-then-hang = {}",
            "inject.lie = { about = \"payer\" }",
            "a lie on settle says whether the money moved behind it",
        ),
        (
            "inject.settle-then-hang = {}",
            "inject.lie = { about = \"success\", money = \"moved\" }",
            "success is no lie when the money moved",
        ),
        ("within = \"5s\"", "within = \"6s\"", "the run ends before recovery is due"),
        ("quantile = 95.0", "quantile = 100.0", "a quantile is in percent, above 0 and below 100"),
        ("id = \"LATENCY-steady\"", "id = \"LATENCY\"", "`LATENCY` is not the id of the rule that `latency` judges"),
        ("id = \"LIVE-1\"", "id = \"LIVE-10\"", "`LIVE-10` is not the id of the rule that `recovers` judges"),
        ("id = \"LIVE-1\"", "id = \"MONEY-1\"", "there are two musts called `MONEY-1`"),
        ("title = \"A good scenario\"", "title = \" \"", "the title is empty"),
        ("at-most = \"900ms\"", "at-most = \"21s\"", "the bound is longer than the run"),
        ("{ paid = 8, unpaid = 2 }", "{ paid = 8, unpaid = 0 }", "invalid value: integer `0`"),
        ("network = ", "verify-timeout = \"16s\"\nnetwork = ", "the dispatcher would not wait for so long"),
        ("network = ", "settle-timeout = \"2m\"\nnetwork = ", "the dispatcher would not wait for so long"),
        ("price = ", "facilitators = []\nprice = ", "the tenant names no facilitator"),
        (
            "price = ",
            "facilitators = [\"standby\", \"standby\"]\nprice = ",
            "there are two facilitators called `standby`",
        ),
        (
            "price = ",
            "rates = { tenant = 1, payer = 0, address = 1 }\nprice = ",
            "a rate is 1 to 1000000 requests in ten seconds",
        ),
        (
            "hold.faults-bit = {}",
            "hold.alerts-are-told-once = { alert = \"unpaid_flood\", at-most = 0 }",
            "an alert that has to be told is told once at least",
        ),
        (
            "hold.faults-bit = {}",
            "hold.alerts-are-told-once = { alert = \"unpaid-flood\", at-most = 1 }",
            "unknown name `unpaid-flood`",
        ),
        (
            "hold.faults-bit = {}",
            "hold.standing-seldom-changes = { at-most = 100001 }",
            "the bound could not be missed",
        ),
    ];
    for (from, to, message) in cases {
        let messages = messages_of(&good_with(from, to));
        assert!(messages.iter().any(|said| said == message), "{from} -> {to}: wanted {message:?}, got {messages:?}");
    }
}

#[test]
fn a_file_of_old_line_ends_is_not_called_empty() {
    let messages = messages_of(&GOOD.replace('\n', "\r"));
    assert!(!messages.contains(&"the file is empty".to_owned()), "{messages:?}");
}

#[test]
fn chance_needs_a_seed() {
    let text = good_with("seed = 42\n", "").replace("pick.first = 3", "pick.odds = 0.5");
    assert_eq!(messages_of(&text), ["a fault by chance needs the scenario's seed"]);
}

#[test]
fn faults_that_could_never_bite_are_refused() {
    let shadowed = good_with("pick.first = 3", "").replace("call = \"settle\"", "call = \"verify\"");
    let shadowed = shadowed.replace("on = \"standby\"", "on = \"primary\"").replace("settle-then-hang", "hang");
    assert_eq!(messages_of(&shadowed), ["`hang` overlaps fault 1 of the file, which takes every call"]);
    let closed = GOOD.replace("on = \"standby\"", "on = \"primary\"").replace("call = \"settle\"", "call = \"any\"");
    let closed = closed.replace("settle-then-hang", "refuse");
    assert_eq!(messages_of(&closed), ["`refuse` overlaps fault 1 of the file, whose calls could not arrive"]);
}

fn good_with_kill(when: &str) -> String {
    format!("{GOOD}\n[[kill]]\nwhen.{when}\n")
}

#[test]
fn a_kill_says_what_decides_its_moment() {
    let text = good_with_kill("payment = { reaches = \"handed-over\", from = \"3s\", to = \"9s\" }");
    let scenario = Scenario::parse("good.toml", &text).map_err(miette::Report::new).expect("it is good");
    let When::Payment { reaches: Stage::HandedOver, window } = scenario.kills()[0].when() else {
        panic!("{:?}", scenario.kills())
    };
    assert_eq!((window.from(), window.to()), (Duration::from_secs(3), Duration::from_secs(9)));
    assert_eq!(scenario.kills()[0].reference().inject, "kill at handed_over");
    assert!(scenario.without_faults().kills().is_empty());
}

#[test]
fn unknown_stage_of_a_kill() {
    insta::assert_snapshot!(error_of(&good_with_kill("payment = { reaches = \"paid\", from = \"3s\", to = \"9s\" }")));
}

#[test]
fn kills_that_do_not_fit_their_window() {
    insta::assert_snapshot!(error_of(&good_with_kill("random = { times = 4, from = \"3s\", to = \"9s\" }")));
}

#[test]
fn kills_that_make_no_sense_are_refused() {
    let cases: &[(&str, &str)] = &[
        ("at = \"20s\"", "the kill comes after the run"),
        ("at = \"soon\"", "`soon` is not a time"),
        ("money-moves = { from = \"9s\", to = \"21s\" }", "the window reaches past the end of the run"),
        ("random = { times = 0, from = \"3s\", to = \"9s\" }", "0 kills do not fit between 3s and 9s"),
    ];
    for (when, message) in cases {
        assert_eq!(messages_of(&good_with_kill(when)), [*message], "{when}");
    }
    let unseeded = good_with_kill("random = { times = 1, from = \"3s\", to = \"9s\" }").replace("seed = 42\n", "");
    assert_eq!(messages_of(&unseeded), ["a kill at random needs the scenario's seed"]);
}

#[test]
fn an_operator_that_makes_no_sense_is_refused() {
    let messages = |actions: &[(&str, &str)]| {
        let block = |(at, does): &(&str, &str)| format!("\n[[operator]]\nat = \"{at}\"\ndoes.{does}\n");
        messages_of(&format!("{GOOD}{}", actions.iter().map(block).collect::<String>()))
    };
    let (put, lift) = ("quarantine = { tenant = \"acme\" }", "lift-quarantine = { tenant = \"acme\" }");
    assert_eq!(messages(&[("3s", lift)]), ["nobody has put acme into quarantine by then"]);
    assert_eq!(messages(&[("3s", put), ("2s", lift)]), ["operators' actions come in their order"]);
    assert_eq!(messages(&[("3s", put), ("30s", lift)]), ["the operator acts after the run"]);
    assert_eq!(messages(&[("3s", "quarantine = { tenant = \"acne\" }")]), ["there is no tenant `acne`"]);
    assert_eq!(messages(&[("3s", "quarantine = { tenant = \"acme\", for = \"0s\" }")]).len(), 1);
}

#[test]
fn too_much_traffic_is_refused() {
    let messages = messages_of(&good_with("rate = 5", "rate = 1000").replace("\"20s\"", "\"101s\""));
    assert_eq!(messages, ["the scenario has too much traffic"]);
}

#[test]
fn nothing_to_expect_is_refused() {
    let (without_musts, _) = GOOD.split_once("[[must]]").expect("there are some");
    assert_eq!(messages_of(without_musts), ["the scenario has no [[must]]"]);
}

/// The names that the TOML reader expects are the catalogue's, so a list cannot leave one out.
#[test]
fn the_catalogues_list_all_that_can_be_written() {
    let names = |listed: &[Listed]| listed.iter().map(|listed| listed.name).collect::<Vec<_>>();
    for (good, unknown, listed) in [
        ("inject.settle-then-hang = {}", "inject.zzz = {}", names(&Inject::CATALOGUE)),
        ("hold.settle-at-most-once = {}", "hold.zzz = {}", names(&Checker::CATALOGUE)),
        ("mix = { paid = 8, unpaid = 2 }", "mix.zzz = 1", names(&ClientKind::CATALOGUE)),
    ] {
        let error = toml::from_str::<RawScenario>(&good_with(good, unknown)).err();
        let said = error.expect("zzz is unknown").message().to_owned();
        let (_, expected) = said.split_once("expected one of ").expect("the reader lists them");
        let expected: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert_eq!(expected, listed);
    }
}

#[test]
fn every_example_of_the_catalogues_can_be_written() {
    for listed in Inject::CATALOGUE {
        let call = match listed.name {
            "refuse" => "call = \"any\"",
            _ => "call = \"settle\"",
        };
        let text = good_with("inject.settle-then-hang = {}", &format!("inject.{} = {}", listed.name, listed.example));
        let parsed = Scenario::parse("example.toml", &text.replace("call = \"settle\"", call));
        assert_eq!(parsed.map_err(miette::Report::new).expect(listed.name).faults()[1].inject().name(), listed.name);
    }
    for listed in Checker::CATALOGUE {
        let (rule, _) = listed.says.split_once(':').expect("the rule comes first");
        let id = rule.replace('…', "x");
        let text = GOOD.split_once("[[must]]").expect("there are some").0;
        let text = text
            .replace("[world]", "[world]\ndirectory = \"stored\"\ncpu-limit-policy = \"quarantine\"")
            .replace("price = \"0.01\"", "price = \"0.01\"\negress = {}");
        let text = format!("{text}[[must]]\nid = \"{id}\"\nhold.{} = {}\n", listed.name, listed.example);
        let parsed = Scenario::parse("example.toml", &text).map_err(miette::Report::new).expect(listed.name);
        assert_eq!(parsed.musts()[0].checker().name(), listed.name);
        assert!(!parsed.musts()[0].checker().expects().is_empty());
    }
}

const OFFICIAL: &str = include_str!("../../../scenarios/official-facilitator.toml");
const OFFICIAL_MIX: &str = "{ paid = 3, paid-v1 = 2, paid-permit2 = 2, unpaid = 1 }";
const WANT_OFFICIAL: [&str; 1] = ["hostile"];

#[test]
fn what_only_official_facilitators_are_for_needs_them() {
    for name in WANT_OFFICIAL {
        let problems = error_of(&good_with("unpaid = 2", &format!("{name} = 2")));
        assert!(problems.contains("this client is for official facilitators"), "{problems}");
    }
}

#[test]
fn official_facilitators_do_no_wrong_and_list_what_they_serve() {
    let fault = "[[fault]]\non = \"primary\"\ncall = \"any\"\nfrom = \"0s\"\nto = \"1s\"\ninject.refuse = {}\n";
    let problems = error_of(&format!("{OFFICIAL}\n{fault}"));
    assert!(problems.contains("primary is official, and does no wrong on demand"), "{problems}");
    let listed = OFFICIAL.replacen("official     = true", "official = true\nother-networks = [\"standby\"]", 1);
    assert!(error_of(&listed).contains("an official facilitator lists what it serves"));
}

#[test]
fn every_kind_of_client_can_be_in_a_mix() {
    for listed in ClientKind::CATALOGUE {
        let mix = format!("{{ {} = {} }}", listed.name, listed.example);
        let text = if WANT_OFFICIAL.contains(&listed.name) {
            OFFICIAL.replacen(OFFICIAL_MIX, &mix, 1)
        } else {
            // Some are of the simulated tier alone.
            format!("only = \"sim\"\n{}", good_with("{ paid = 8, unpaid = 2 }", &mix))
        };
        let scenario = Scenario::parse("example.toml", &text).map_err(miette::Report::new).expect(listed.name);
        let mix = scenario.traffic()[0].mix();
        assert_eq!((mix.pick(0).name(), mix.pick(mix.total() - 1).name()), (listed.name, listed.name));
    }
}

#[test]
fn an_unknown_scenario_is_answered_with_the_nearest() {
    let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let error = library.load("outag").map(|scenario| scenario.id().to_string()).expect_err("there is none");
    let help = miette::Diagnostic::help(&error).expect("it helps").to_string();
    assert!(help.starts_with("did you mean `outage`? `harness list` shows the "), "{help}");
}
