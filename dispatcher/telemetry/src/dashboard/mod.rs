//! The page for operators: three files, none of which has a figure in it. The script asks the platform API for those.

use dispatcher_core::operations::question::{Page, Told};

/// A file of the page.
pub fn file(page: Page) -> Told {
    let (content_type, text) = match page {
        Page::Html => ("text/html; charset=utf-8", include_str!("page.html")),
        Page::Style => ("text/css; charset=utf-8", include_str!("dashboard.css")),
        Page::Script => ("text/javascript; charset=utf-8", include_str!("dashboard.js")),
    };
    Told { content_type: content_type.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_no_script_or_style_of_its_own_and_no_outside_resource() {
        let html = file(Page::Html).text;
        assert!(!html.contains("style=") && !html.contains(" onclick") && !html.contains("<style"), "{html}");
        assert_eq!(html.matches("<script").count(), html.matches("<script src=\"/__platform/").count());
        for page in [Page::Html, Page::Style, Page::Script] {
            let outside = file(page).text.replace("http://www.w3.org/2000/svg", "");
            assert!(!outside.contains("http://") && !outside.contains("https://"), "{page:?}");
        }
        let script = file(Page::Script).text;
        assert!(!script.contains("innerHTML ") && !script.contains("insertAdjacentHTML") && !script.contains("eval("));
    }
}
