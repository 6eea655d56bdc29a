//! `docs/peer-checks.md` promises scenarios and tests by name: every one of them is there.

use std::{fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness is a member of its workspace")
}

/// The names between backquotes in the table's last column.
fn promised(page: &str) -> Vec<(&str, &str)> {
    let rows = page.lines().filter(|line| line.starts_with("| P") || line.starts_with("| R"));
    let columns = rows.map(|row| row.trim_matches('|').split(" | ").collect::<Vec<_>>());
    let named = columns.map(|columns| (columns[0].trim(), *columns.last().expect("a row has columns")));
    named.flat_map(|(id, shown)| shown.split('`').skip(1).step_by(2).map(move |name| (id, name))).collect()
}

#[test]
fn everything_that_the_page_names_exists() {
    let page = fs::read_to_string(root().join("docs/peer-checks.md")).expect("the page is there");
    let promised = promised(&page);
    for (id, name) in &promised {
        let there = match name.split_once("::") {
            Some((file, test)) => {
                fs::read_to_string(root().join(file)).is_ok_and(|source| source.contains(&format!("fn {test}(")))
            }
            None => root().join("scenarios").join(format!("{name}.toml")).is_file(),
        };
        assert!(there, "{id} is shown by `{name}`, which does not exist");
    }
    let shown = |id: &str| promised.iter().any(|(ids, _)| ids.split(", ").any(|one| one == id));
    let checks = (1..=24).map(|n| format!("R{n}")).filter(|id| !["R11", "R19", "R21"].contains(&id.as_str()));
    for id in checks.chain(["R11a", "R11b", "R11c", "R11d", "R11e", "R11f"].map(str::to_owned)) {
        assert!(shown(&id), "{id} has no row");
    }
}
