//! The planting on sources of a few lines. Where the text alone would prove little, the planted code is compiled and run.

use super::*;
use judge::RULES;
use std::{env, fs, process::Command};

const FILE: &str = "dispatcher/x402-protocol/src/offer.rs";

fn bug(name: &str, edits: &[(&str, &str, &str)]) -> Bug {
    let edit = |(file, right, wrong): &(&str, &str, &str)| Edit {
        file: (*file).to_owned(),
        right: (*right).to_owned(),
        wrong: (*wrong).to_owned(),
    };
    Bug {
        name: name.to_owned(),
        says: "It breaks.".to_owned(),
        why: "It is easily done.".to_owned(),
        rule: RULES[0],
        scenarios: vec!["outage".to_owned()],
        tier: Tier::Sim,
        edits: edits.iter().map(edit).collect(),
    }
}

fn here(name: &str, edits: &[(&str, &str)]) -> Bug {
    bug(name, &edits.iter().map(|(right, wrong)| (FILE, *right, *wrong)).collect::<Vec<_>>())
}

/// A workspace of one file beside those that the planting always changes.
fn sources(text: &str) -> Texts {
    let start = "fn parse(env: &Env) -> u8 { 1 }";
    [(FILE, text), (SWITCH_IN, "mod offer;\n"), (START.file, start)]
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .into()
}

fn planted(text: &str, bugs: &[Bug]) -> String {
    plant(&sources(text), bugs).expect("they fit").remove(FILE).expect("it is changed")
}

/// Why the bug `b` cannot be planted.
fn misfit(text: &str, edits: &[(&str, &str)]) -> Why {
    let mut misfits = plant(&sources(text), &[here("b", edits)]).expect_err("it does not fit");
    assert_eq!((misfits.len(), misfits[0].bug.as_str(), misfits[0].file.as_str()), (1, "b", FILE), "{misfits:?}");
    misfits.remove(0).why
}

/// The output of a program that calls `said()` of the planted file with each of these bugs.
fn told(test: &str, text: &str, bugs: &[Bug]) -> Vec<String> {
    let folder = env::temp_dir().join(format!("harness-planting-test-{}-{test}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder of our own");
    let (source, program) = (folder.join("main.rs"), folder.join("main"));
    let calls = |name: &str| format!("planted::plant({name:?}); println!(\"{{}}\", said());");
    let calls: Vec<_> = [""].into_iter().chain(bugs.iter().map(|bug| bug.name.as_str())).map(calls).collect();
    let main = format!("#![allow(warnings)]\n{}\n{SWITCH}\nfn main() {{ {} }}\n", planted(text, bugs), calls.concat());
    fs::write(&source, main).expect("it is ours");
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let built = rustc.args(["--edition", "2024", "-o"]).arg(&program).arg(&source).output().expect("there is a rustc");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let output = Command::new(&program).output().expect("it was built");
    fs::remove_dir_all(&folder).expect("it is ours");
    String::from_utf8(output.stdout).expect("it is UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn each_bug_gets_a_body_of_its_own_though_their_edits_overlap() {
    let text = "fn said() -> u64 {\n    let (a, b) = (1, 2);\n    a + b * 10\n}\n";
    let bugs = [
        here("one", &[("a + b * 10", "a - a")]),
        here("two", &[("b * 10", "b * 100")]),
        here("three", &[("(1, 2)", "(3, 4)"), ("+ b", "+ 5 * b")]),
    ];
    assert_eq!(told("overlap", text, &bugs), ["21", "0", "201", "203"]);
}

#[test]
fn a_bug_may_change_several_functions_and_files() {
    let text = "fn one() -> u8 { 1 }\nfn two() -> u8 { 2 }\nfn said() -> String { format!(\"{}{}\", one(), two()) }\n";
    assert_eq!(told("several", text, &[here("b", &[("{ 1 }", "{ 3 }"), ("{ 2 }", "{ 4 }")])]), ["12", "34"]);
    let other = "dispatcher/core/src/plan.rs";
    let mut sources = sources("fn f() { one(); }");
    sources.insert(other.to_owned(), "fn g() { two(); }".to_owned());
    let planted = plant(&sources, &[bug("b", &[(FILE, "one", "three"), (other, "two", "four")])]).expect("it fits");
    assert_eq!(
        planted[FILE],
        "fn f() { if crate::planted::has(\"b\") /* bug: b */ { three(); } else /* bug: none */ { one(); } }"
    );
    assert_eq!(
        planted[other],
        "fn g() { if ::x402_protocol::planted::has(\"b\") /* bug: b */ { four(); } else /* bug: none */ { two(); } }"
    );
}

#[test]
fn methods_async_functions_closures_and_functions_in_functions_are_changed() {
    let text = "
        use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
        struct Till(u64);
        trait Pays { fn pay(&self) -> u64 { 7 } }
        impl Pays for Till {}
        impl Till {
            fn change(&self) -> u64 { let more = |by: u64| { let twice = |n: u64| n * 2; twice(by) + self.0 }; more(5) }
            async fn later(&self) -> Result<u64, ()> { let n = async { 20 }.await; if n > 100 { return Err(()); } Ok(n + self.0) }
        }
        fn outer() -> u64 { fn inner() -> u64 { 1 } inner() + 1 }
        fn said() -> String {
            let till = Till(3);
            let mut later = pin!(till.later());
            let Poll::Ready(later) = later.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
            format!(\"{} {} {later:?} {}\", till.pay(), till.change(), outer())
        }";
    let bugs = [
        here("a", &[("n * 2", "n * 3")]),
        here("b", &[("n > 100", "n > 10")]),
        here("c", &[("{ 7 }", "{ 8 }"), ("async { 20 }", "async { 30 }")]),
        here("d", &[("inner() -> u64 { 1 }", "inner() -> u64 { 5 }")]),
        here("e", &[("inner() + 1", "inner() + 2")]),
    ];
    let right = "7 13 Ok(23) 2";
    let wrong = ["7 18 Ok(23) 2", "7 13 Err(()) 2", "8 13 Ok(33) 2", "7 13 Ok(23) 6", "7 13 Ok(23) 3"];
    assert_eq!(told("kinds", text, &bugs), [&[right][..], &wrong].concat());
}

#[test]
fn where_a_functions_type_is_hidden_its_closures_and_async_blocks_are_changed() {
    let text = "
        fn even(up_to: u64) -> impl Iterator<Item = u64> { (0..up_to).filter(|n| n % 2 == 0) }
        fn said() -> String { format!(\"{:?}\", even(5).collect::<Vec<_>>()) }";
    let odd = here("odd", &[("n % 2 == 0", "n % 2 == 1")]);
    assert_eq!(told("hidden", text, &[odd]), ["[0, 2, 4]", "[1, 3]"]);
    assert_eq!(misfit(text, &[("0..up_to", "1..up_to")]), Why::HiddenType { function: "even".to_owned() });
}

#[test]
fn a_constant_is_another_in_the_functions_that_use_it() {
    let text = "
        /// How long.
        const MARGIN: u64 = 6 * 1;
        struct Window;
        impl Window { pub const LENGTH: u64 = 10; fn length(&self) -> u64 { Self::LENGTH } }
        fn opens() -> u64 { let margin = MARGIN; margin }
        fn said() -> String { format!(\"{} {} {}\", opens(), MARGIN + 1, Window.length()) }";
    let bugs = [
        here("a-margin", &[("6 * 1", "60")]),
        here("b", &[("Self::LENGTH", "Self::LENGTH + 1"), ("LENGTH: u64 = 10", "LENGTH: u64 = 20")]),
    ];
    assert_eq!(told("constant", text, &bugs), ["6 7 10", "60 61 10", "6 7 21"]);
}

#[test]
fn a_constant_that_the_compiler_needs_is_refused_with_the_place() {
    let used = "const A: usize = 1;\nfn f() -> usize { A }\n";
    let elsewhere = |more: &str| misfit(&format!("{used}{more}"), &[("A: usize = 1", "A: usize = 2")]);
    let at = |file: &str, line| Why::ConstantUsedElsewhere { constant: "A".to_owned(), file: file.to_owned(), line };
    assert_eq!(elsewhere("const B: usize = A;"), at(FILE, 3));
    assert_eq!(elsewhere("fn g(_: [u8; A]) {}"), at(FILE, 3));
    assert_eq!(elsewhere("const fn g() -> usize { A }"), Why::ConstFunction { function: "g".to_owned() });
    assert_eq!(elsewhere("mod m { const A: usize = 3; }"), Why::ConstantTwice { constant: "A".to_owned() });
    let of_trait = "trait T { const A: u8; }\nimpl T for S { const A: u8 = 1; }";
    assert_eq!(misfit(of_trait, &[("u8 = 1", "u8 = 2")]), Why::ConstantOfTrait { constant: "A".to_owned() });

    let other = "dispatcher/core/src/plan.rs";
    let mut sources = sources("pub const A: u8 = 1;\n");
    sources.insert(other.to_owned(), "use x402_protocol::offer::A;\n#[cfg(test)]\nmod tests {}\n".to_owned());
    let bugs = [here("b", &[("u8 = 1", "u8 = 2")])];
    assert_eq!(plant(&sources, &bugs).expect_err("it is used there")[0].why, at(other, 1));
    sources.insert(FILE.to_owned(), "const A: u8 = 1;\n".to_owned());
    plant(&sources, &bugs).expect("another's word is no use of a private constant");
}

#[test]
fn a_right_text_that_occurs_twice_or_never_is_refused_with_its_lines() {
    let text = "fn f() -> u8 {\n    one()\n}\nfn g() -> u8 {\n    one()\n}\n";
    let error = plant(&sources(text), &[here("b", &[("one()", "two()")])]).expect_err("it is ambiguous");
    let why = "its `right` is found more than once, in the lines 2 and 5";
    assert_eq!(error[0].to_string(), format!("the bug `b` does not fit {FILE}: {why}"));
    assert_eq!(misfit("fn f() { aaa(); }", &[("aa", "b")]), Why::Ambiguous { lines: vec![1, 1] });
    assert_eq!(misfit(text, &[("three()", "four()")]), Why::Missing { right: "three()".to_owned() });
    assert_eq!(misfit(text, &[(" \n", "four()")]), Why::Empty);
    assert_eq!(misfit(text, &[("f() -> u8 {\n    one()", "f() -> u8 {\n    one()")]), Why::Same);
}

#[test]
fn what_is_in_no_function_is_refused_with_the_place() {
    let text = "#[derive(Debug)]\nstruct S { a: u8 }\nmacro_rules! m { () => { 1 + 1 }; }\nthread_local! { static T: u8 = 9; }\n\
                const fn c() -> u8 { 5 }\nfn f(x: u8) -> u8 { m!() + 2 }\n#[cfg(test)]\nmod tests { fn t() -> u8 { 3 } }\n\
                #[test]\nfn u() { assert_eq!(f(0), 4); }\n";
    let why = |right| misfit(text, &[(right, "wrong")]);
    assert_eq!(why("Debug"), Why::OutsideFunctions { line: 1 });
    assert_eq!(why("a: u8"), Why::OutsideFunctions { line: 2 });
    assert_eq!(why("1 + 1"), Why::InMacro { line: 3 });
    assert_eq!(why("= 9"), Why::InMacro { line: 4 });
    assert_eq!(why("5"), Why::ConstFunction { function: "c".to_owned() });
    assert_eq!(why("f(x: u8)"), Why::OutsideFunctions { line: 6 });
    assert_eq!(why("-> u8 { m!() + 2 }"), Why::OutsideFunctions { line: 6 });
    assert_eq!(why("{ 3 }"), Why::InTests { line: 8 });
    assert_eq!(why("f(0), 4"), Why::InTests { line: 10 });
    // What a macro is given in a function is the function's.
    assert!(planted(text, &[here("b", &[("m!() + 2", "m!() + 7")])]).contains("{ m!() + 7 }"));
}

#[test]
fn two_edits_of_one_bug_may_not_overlap_and_what_is_left_must_be_rust() {
    let text = "fn f() -> u8 { one() + two() }";
    assert_eq!(misfit(text, &[("one() +", "1 +"), ("+ two()", "+ 2")]), Why::Overlapping { line: 1 });
    assert!(matches!(misfit(text, &[("one() +", "(")]), Why::Broken { function, .. } if function == "f"));
}

#[test]
fn a_compilers_error_is_laid_at_the_bug_whose_code_it_is_about() {
    let text = "const A: u8 = 1;\nfn f() -> u8 {\n    A\n}\nfn g() {}\n";
    let bugs = [here("number", &[("u8 = 1", "u8 = one")]), here("word", &[("{\n    A", "{\n    wrong(A)")])];
    let planted = plant(&sources(text), &bugs).expect("they are Rust, as far as that can be seen");
    let blamed = |word: &str| {
        let lines = planted[FILE].lines().enumerate();
        let (line, column) =
            lines.filter_map(|(line, text)| Some((line, text.find(word)?))).next().expect("it is there");
        found_wrong(&format!("error: no\n  --> {FILE}:{}:{}\n", line + 1, column + 1), &planted)
    };
    assert_eq!(blamed("one;"), BTreeSet::from(["number"]));
    assert_eq!(blamed("wrong(A)"), BTreeSet::from(["word"]));
    assert_eq!(blamed("fn g()"), BTreeSet::new());
    assert_eq!(found_wrong("  --> elsewhere.rs:1:1\n   --> no place\n", &planted), BTreeSet::new());
}

#[test]
fn a_bug_is_planted_only_where_its_tier_runs_it() {
    let worker = "dispatcher/worker/src/answer.rs";
    let mut sources = sources("");
    sources.insert(worker.to_owned(), "fn f() -> u8 { 1 }".to_owned());
    let mut planted = bug("b", &[(worker, "1", "2")]);
    let why = |bugs: &[Bug]| plant(&sources, bugs).expect_err("it is not run")[0].why.to_string();
    assert_eq!(why(std::slice::from_ref(&planted)), "only the live tier runs this file");
    assert!(why(&[bug("b", &[("reports/src/lib.rs", "1", "2")])]).starts_with("no self-test runs this file"));
    planted.tier = Tier::Live;
    plant(&sources, &[planted]).expect("there it is run");
}

#[test]
fn the_worker_learns_at_its_start_which_bug_bites() {
    let planted = plant(&sources(""), &[]).expect("they fit");
    let start = &planted[START.file];
    assert!(start.contains("{ ::dispatcher_core::protocol::planted::plant(&env.var(\"SEEDED_BUG\")"), "{start}");
    assert!(planted[SWITCH_IN].starts_with("mod offer;\n") && planted[SWITCH_IN].contains("pub fn has("));
    assert!(planted[HARNESS_SWITCH].contains("HAS_BUGS: bool = true"));
    let without: Texts = [(SWITCH_IN, ""), (START.file, "fn read(env: &Env) {}")]
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .into();
    assert_eq!(plant(&without, &[]).expect_err("no start")[0].why, Why::NoStart { function: START.function });
}
