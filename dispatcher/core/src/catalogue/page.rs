//! The catalogue as a page: one document, without a script and without anything from outside.

use super::entry::{Entry, UPTIME_DAYS, Uptime};
use crate::catalogue::request::PATH;

/// The page's only style. [`POLICY`] has its hash.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1.5rem;max-width:60rem;color-scheme:light dark}\
h1{font-size:1.5rem}article{border-top:1px solid #8886;padding:1rem 0}h2{font-size:1.1rem;margin:0}h2 b{float:right;font-weight:600}\
p{margin:.25rem 0}small,dt{opacity:.75}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}\
dd{margin:0;overflow-wrap:anywhere}pre,code{font:13px/1.4 ui-monospace,monospace}pre{overflow-x:auto}";

/// Allows nothing but the page's own style.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-0jI3Q15wkDwQDQqQU+WxdfedquR92aqFMIZgEW0ioHc='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page of some entries. `next` is the next page's `after`.
#[must_use]
pub fn page(entries: &[Entry], next: Option<u32>) -> String {
    let articles: String = entries.iter().map(article).collect();
    let nothing = if entries.is_empty() { "<p>Nothing on this page.</p>\n" } else { "" };
    let next = next
        .map_or(String::new(), |page| format!("<p><a rel=\"next\" href=\"{PATH}?after={page}\">Next page</a></p>\n"));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Catalogue</title>\n<style>{STYLE}</style>\n<main>\n<h1>Catalogue</h1>\n\
         <p>Each is paid by request, with x402: ask, sign what the 402 says, and ask again.</p>\n{articles}{nothing}{next}</main>\n</html>\n"
    )
}

fn article(entry: &Entry) -> String {
    let title = entry.title.as_ref().filter(|title| **title != entry.name);
    let title = title.map_or(String::new(), |title| format!(" <small>{}</small>", escaped(title)));
    let description = entry.description.as_deref().map_or(String::new(), |text| format!("<p>{}</p>\n", escaped(text)));
    let mut facts = vec![("Ask", format!("<code>{} {}</code>", escaped(&entry.method), escaped(&entry.url)))];
    facts.push(("Buy", format!("<code>{}</code>", escaped(&entry.buy))));
    if let Some(mime_type) = &entry.response.mime_type {
        facts.push(("Answer", escaped(mime_type)));
    }
    facts.extend(entry.accepts.first().map(|terms| ("Network", escaped(&terms.network))));
    let link = |url: &String| format!("<a rel=\"nofollow\" href=\"{0}\">{0}</a>", escaped(url));
    facts.extend(entry.documents.iter().map(|url| ("More", link(url))));
    if !entry.tags.is_empty() {
        facts.push(("Tags", escaped(&entry.tags.join(", "))));
    }
    facts.push(("Uptime", uptime(entry.uptime)));
    let facts: String = facts.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>\n")).collect();
    let schema = entry.response.schema.as_ref().map_or(String::new(), |schema| {
        format!(
            "<details><summary>Schema of the answer</summary><pre>{}</pre></details>\n",
            escaped(&format!("{schema:#}"))
        )
    });
    format!(
        "<article>\n<h2>{}{title} <b>{}</b></h2>\n{description}<dl>\n{facts}</dl>\n{schema}</article>\n",
        escaped(&entry.name),
        escaped(&entry.price)
    )
}

fn uptime(uptime: Option<Uptime>) -> String {
    let measured = uptime.and_then(|it| Some((it.share()?, it.good + it.bad)));
    measured.map_or("not measured yet".to_owned(), |(share, all)| {
        format!("{:.2} % of {all} requests in {UPTIME_DAYS} days", (share * 10_000.0).floor() / 100.0)
    })
}

fn escaped(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => told.push_str("&amp;"),
            '<' => told.push_str("&lt;"),
            '>' => told.push_str("&gt;"),
            '"' => told.push_str("&quot;"),
            '\'' => told.push_str("&#39;"),
            '\n' | '\t' => told.push(one),
            one if one.is_control() => told.push('\u{fffd}'),
            one => told.push(one),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::entry::Response;

    fn entry(description: &str) -> Entry {
        let bad = r#"x" onclick="y"#.to_owned();
        let response = Response { schema: Some(serde_json::json!({"</pre><script>": 1})), ..Response::default() };
        let mut entry = Entry::empty(bad);
        (entry.description, entry.response) = (Some(description.to_owned()), response);
        entry
    }

    #[test]
    fn nothing_that_a_seller_wrote_gets_out_of_its_place() {
        let page = page(&[entry("<script>alert(1)</script>\u{1b}[31m")], Some(3));
        assert!(!page.contains("<script") && !page.contains("\" onclick") && !page.contains('\u{1b}'), "{page}");
        assert!(page.contains("&lt;script&gt;") && page.contains("href=\"/catalog?after=3\""));
    }

    #[test]
    fn the_policy_allows_the_pages_style_and_nothing_else() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        use sha2::{Digest, Sha256};
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}'")), "the style's hash is {hash}");
        let page = page(&[entry("")], None);
        assert_eq!(
            (page.matches("<style").count(), page.matches("style=").count(), page.matches("<link").count()),
            (1, 0, 0)
        );
    }

    #[test]
    fn an_uptime_is_never_told_better_than_it_is() {
        assert_eq!(uptime(Some(Uptime { good: 99_999, bad: 1 })), "99.99 % of 100000 requests in 7 days");
        assert_eq!(uptime(Some(Uptime::default())), "not measured yet");
    }
}
