//! The page as one file for a browser: the same as in the terminal, with what was in the log and in the run on one time axis.

use super::{compare::Comparison, page::Page};
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:1.6rem}table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}\
code,pre{font:13px ui-monospace,monospace;background:#f3f3f3;padding:.1rem .3rem;overflow-wrap:anywhere}.cause{font-size:1.1rem;border-left:4px solid #b30000;padding-left:.8rem}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}code,pre{background:#262626}}";

/// The document. `run` is the comparison with a run, where there was one.
#[must_use]
pub fn render(page: &Page, run: Option<&Comparison>) -> String {
    let mut out = String::new();
    document(&mut out, page, run).expect("a string takes whatever it is given");
    out
}

fn document(out: &mut String, page: &Page, run: Option<&Comparison>) -> std::fmt::Result {
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
    )?;
    writeln!(out, "<title>Incident of {}</title><style>{STYLE}</style>", escaped(&page.from))?;
    writeln!(out, "<h1>{} to {}</h1>", escaped(&page.from), escaped(&page.to))?;
    writeln!(out, "<p>{} s, {} requests, {} of them failed.</p>", page.seconds, page.requests, page.failed)?;
    writeln!(out, "<p class=\"cause\">{}</p>", escaped(&page.cause.sentence))?;
    list(out, "", page.cause.evidence.iter().cloned())?;
    list(out, "Who was ill", page.ill.iter().map(|ill| ill.sentence.clone()))?;
    writeln!(
        out,
        "<h2>What callers got</h2><table><tr><th>count<th>answer<th>first<th>last<th>charged<th>one of them</tr>"
    )?;
    for it in &page.callers {
        let cells = [
            it.count.to_string(),
            it.answer.clone(),
            it.first.clone(),
            it.last.clone(),
            it.charged.to_owned(),
            it.request_id.clone(),
        ];
        writeln!(out, "<tr>{}</tr>", cells.map(|cell| format!("<td>{}", escaped(&cell))).concat())?;
    }
    writeln!(out, "</table>")?;
    for (title, payments) in [("Open payments", &page.open), ("Charged, and not collected", &page.owed)] {
        if payments.is_empty() {
            continue;
        }
        writeln!(out, "<h2>{title}: {}</h2><table>", payments.len())?;
        for it in payments {
            writeln!(
                out,
                "<tr><td>{}<td>{}<td><code>{}</code></tr>",
                escaped(&it.tenant),
                escaped(&it.since),
                escaped(&it.ask)
            )?;
        }
        writeln!(out, "</table>")?;
    }
    list(out, "Tenants cut off", page.tenants.iter().map(|it| format!("{}: {}", it.tenant, it.what)))?;
    list(out, "Deploys of the dispatcher", page.deploys.iter().cloned())?;
    writeln!(out, "<h2>Now</h2><ul>")?;
    for step in &page.now {
        writeln!(out, "<li>{}", escaped(&step.what))?;
        if let Some(command) = &step.command {
            writeln!(out, "<br><code>{}</code>", escaped(command))?;
        }
    }
    writeln!(out, "</ul>")?;
    list(out, "Later", page.later.iter().cloned())?;
    if let Some(run) = run {
        writeln!(
            out,
            "<h2>In the log, and in the run: {}</h2><pre>{}</pre>",
            escaped(run.verdict.as_str()),
            escaped(&run.to_string())
        )?;
    }
    list(out, "Left out", page.left_out.iter().cloned())
}

fn list(out: &mut String, title: &str, lines: impl Iterator<Item = String>) -> std::fmt::Result {
    let items: String = lines.map(|line| format!("<li>{}\n", escaped(&line))).collect();
    match (items.is_empty(), title.is_empty()) {
        (true, _) => Ok(()),
        (_, true) => writeln!(out, "<ul>{items}</ul>"),
        _ => writeln!(out, "<h2>{title}</h2><ul>{items}</ul>"),
    }
}

/// A log holds what strangers sent.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
