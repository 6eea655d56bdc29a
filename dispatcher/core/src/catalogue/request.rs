//! A request for the catalogue, read: its form and its page.

use crate::message::Inbound;

/// The path of the catalogue, on hosts that are no tenant's.
pub const PATH: &str = "/catalog";

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Html,
    Json,
    /// The form in which facilitators list resources.
    Bazaar,
}

/// A page of the catalogue, in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub form: Form,
    /// The page that was had before; `None`: the first is wanted.
    pub after: Option<u32>,
}

impl Asked {
    /// Reads a request. `None`: its query has a word that is not known here.
    #[must_use]
    pub fn read(request: &impl Inbound) -> Option<Self> {
        let wants_a_page = request.header("accept").is_some_and(|accept| accept.contains("text/html"));
        let mut asked = Self { form: if wants_a_page { Form::Html } else { Form::Json }, after: None };
        for pair in request.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=')? {
                ("form", "html") => asked.form = Form::Html,
                ("form", "json") => asked.form = Form::Json,
                ("form", "bazaar") => asked.form = Form::Bazaar,
                ("after", page) => asked.after = Some(page.parse().ok()?),
                _ => return None,
            }
        }
        Some(asked)
    }

    /// The number of the page that is asked for.
    #[must_use]
    pub fn page(&self) -> u32 {
        self.after.map_or(0, |before| before.saturating_add(1))
    }
}

impl Form {
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json | Self::Bazaar => "application/json",
        }
    }
}
