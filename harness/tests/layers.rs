//! No room reaches up, and no two rooms of a crate import each other in a circle. Rooms are the modules below a crate's root; the
//! imports are read as text. Between crates the compiler holds the same, by what each `Cargo.toml` lists.
//!
//! Surprising constraint: code that only tests compile is left out, for a test may look at anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The floors of the harness, the ground first. A room may import from its own floor and from those below; within a floor no
/// circle is left.
const FLOORS: [&[&str]; 8] = [
    // How the command was called, what a process ends with, what a run needs installed, bugs in a copy of the sources, and HTTP with strangers.
    &["called", "exit", "planting", "setup", "http"],
    // What key-value storage holds; what both tiers share of a run.
    &["directory", "play"],
    // The two tiers.
    &["sim", "world", "live"],
    // A run of either tier, and a run read back.
    &["run", "recording"],
    // What is done with runs, with scenarios, and with other people's servers.
    &[
        "acceptance",
        "bench",
        "catalogue",
        "compare",
        "comparison",
        "drill",
        "explain",
        "incident",
        "pay",
        "probe",
        "selftest",
        "serve",
        "shrink",
        "swarm",
    ],
    &["cli", "gate"],
    &["commands"],
    &["audience"],
];

/// Every crate of the workspace, by its folder.
const CRATES: [&str; 24] = [
    "dispatcher/cli",
    "dispatcher/control",
    "dispatcher/core",
    "dispatcher/dataset",
    "dispatcher/dataset-worker",
    "dispatcher/outbound",
    "dispatcher/telemetry",
    "dispatcher/telemetry-worker",
    "dispatcher/worker",
    "dispatcher/x402-paywall",
    "dispatcher/x402-protocol",
    "harness",
    "harness/doubles",
    "harness/facts",
    "harness/gate",
    "harness/grammar",
    "harness/journal",
    "harness/judge",
    "harness/namespace",
    "harness/scenario",
    "harness/system",
    "harness/traffic",
    "loadtests",
    "reports",
];

/// An import of another room: from, to, and the line that has it.
struct Arrow {
    from: String,
    to: String,
    place: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness is a member of its workspace").to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file of tests alone, by the names that they have here.
fn is_of_tests(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let in_tests = path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "testing");
    in_tests || matches!(stem, "tests" | "testing" | "fixture") || stem.ends_with("_tests")
}

/// The text up to the module of its tests, without comments; lines stay where they are.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let next_is_module =
            lines.peek().is_some_and(|next| next.trim_start().starts_with("mod ") && next.ends_with('{'));
        if line.trim() == "#[cfg(test)]" && next_is_module {
            break;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    code
}

/// The paths of a `use`, one for each name in its braces.
fn expanded(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else { return vec![tree.to_owned()] };
    let (prefix, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let named = parts.into_iter().filter(|part| !part.trim().is_empty());
    named.flat_map(|part| expanded(&format!("{prefix}{}", part.trim()))).collect()
}

/// Every path that begins at the crate or above the module, with its line's number.
fn paths_in(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            let statement = code[..at].rfind([';', '{', '}']).map_or(0, |end| end + 1);
            let is_use = code[statement..at].split_whitespace().any(|word| word == "use");
            if is_use {
                let end = code[at..].find(';').map_or(code.len(), |end| at + end);
                paths.extend(expanded(&code[at..end]).into_iter().map(|path| (line, path)));
            } else {
                let is_of_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
                let end = code[at..].find(|letter| !is_of_path(letter)).map_or(code.len(), |end| at + end);
                paths.push((line, code[at..end].to_owned()));
            }
        }
    }
    paths
}

/// The modules that a file is in, from below the crate's root.
fn modules_of(path: &Path, sources: &Path) -> Vec<String> {
    let relative = path.strip_prefix(sources).expect("it was found there").with_extension("");
    let mut modules: Vec<_> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    modules.pop_if(|last| last == "mod");
    modules
}

fn arrows(folder: &str) -> Vec<Arrow> {
    let sources = root().join(folder).join("src");
    let files: Vec<_> = rust_files(&sources).into_iter().filter(|file| !is_of_tests(file)).collect();
    let rooms: BTreeSet<String> =
        files.iter().filter_map(|file| modules_of(file, &sources).into_iter().next()).collect();
    let mut arrows = Vec::new();
    for file in &files {
        let modules = modules_of(file, &sources);
        if matches!(modules.as_slice(), [root] if root == "lib" || root == "main") {
            continue;
        }
        let text = fs::read_to_string(file).expect("a source is UTF-8");
        for (line, path) in paths_in(&code_of(&text)) {
            let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
            let mut above = modules.as_slice();
            let ups = parts.iter().take_while(|part| **part == "super").count();
            above = &above[..above.len().saturating_sub(ups)];
            if ups == 0 {
                above = &[];
            }
            parts.drain(..ups.max(1));
            let to = above.first().map(String::as_str).or(parts.first().copied()).unwrap_or_default();
            if to != modules[0] && rooms.contains(to) {
                let place = format!("{}:{line}", file.strip_prefix(root()).unwrap_or(file).display());
                arrows.push(Arrow { from: modules[0].clone(), to: to.to_owned(), place });
            }
        }
    }
    arrows
}

/// Everything that can be reached from each room.
fn reach(arrows: &[Arrow]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Arrow { from, to, .. } in arrows {
        reach.entry(from).or_default().insert(to);
    }
    loop {
        let before: usize = reach.values().map(BTreeSet::len).sum();
        let step = reach.clone();
        for reached in reach.values_mut() {
            let further: Vec<_> = reached.iter().filter_map(|room| step.get(room)).flatten().copied().collect();
            reached.extend(further);
        }
        if reach.values().map(BTreeSet::len).sum::<usize>() == before {
            return reach;
        }
    }
}

/// The arrows of a crate that lead back to where they came from.
fn knot(folder: &str) -> Vec<String> {
    let arrows = arrows(folder);
    let reach = reach(&arrows);
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|reached| reached.contains(to));
    let tied = arrows.iter().filter(|arrow| reaches(&arrow.to, &arrow.from));
    tied.map(|Arrow { from, to, place }| format!("{place}: {from} -> {to}, which leads back to {from}")).collect()
}

#[test]
fn no_two_rooms_of_a_crate_import_each_other_in_a_circle() {
    let tied: Vec<_> = CRATES.into_iter().flat_map(knot).collect();
    assert!(tied.is_empty(), "\n{}\n", tied.join("\n"));
}

#[test]
fn no_room_of_the_harness_reaches_up() {
    let floor = |room: &str| FLOORS.iter().position(|floor| floor.contains(&room));
    let up: Vec<_> = arrows("harness")
        .into_iter()
        .filter_map(|Arrow { from, to, place }| match (floor(&from), floor(&to)) {
            (Some(own), Some(above)) if above > own => Some(format!("{place}: {from} reaches up to {to}")),
            (Some(_), Some(_)) => None,
            _ => Some(format!("{place}: {from} or {to} is on no floor")),
        })
        .collect();
    assert!(up.is_empty(), "\n{}\n", up.join("\n"));
}

#[test]
fn the_crates_are_those_of_the_workspace() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let members = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).expect("it lists them");
    let members: BTreeSet<_> = members.split('"').skip(1).step_by(2).collect();
    assert_eq!(members, CRATES.into_iter().collect());
}

#[test]
fn an_arrow_is_read_however_it_is_written() {
    let code = code_of(
        "use crate::{\n    a::X,\n    b::{c, d::E},\n};\npub(crate) use super::f::G;\nlet _ = crate::h::i(); // crate::j\n\
         #[cfg(test)]\nmod tests {\n    use crate::k;\n}\n",
    );
    let mut paths = paths_in(&code);
    paths.sort();
    let paths: Vec<_> = paths.iter().map(|(line, path)| (*line, path.as_str())).collect();
    assert_eq!(
        paths,
        [(1, "crate::a::X"), (1, "crate::b::c"), (1, "crate::b::d::E"), (5, "super::f::G"), (6, "crate::h::i"),]
    );
}
