//! Answers, and the errors among them: JSON with a code that programs may rely on.

use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    /// A tenant's version, for the next change of it.
    pub version: Option<u64>,
    /// Methods that the path has, after a 405.
    pub allow: Option<String>,
}

impl Answer {
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body, version: None, allow: None }
    }

    #[must_use]
    pub fn versioned(body: Value, version: u64) -> Self {
        Self { version: Some(version), ..Self::ok(body) }
    }

    #[must_use]
    pub fn error(status: u16, code: &str, message: impl Into<String>) -> Self {
        let body = json!({"error": {"code": code, "message": message.into()}});
        Self { status, body, version: None, allow: None }
    }

    /// For a tenant that is not there, and as well for one that is another's.
    #[must_use]
    pub fn no_tenant(id: &str) -> Self {
        Self::error(404, "tenant_not_found", format!("there is no tenant {id:?}"))
    }
}

impl From<worker::Error> for Answer {
    fn from(error: worker::Error) -> Self {
        // The log says more; a database's own words are nobody else's.
        web_sys::console::error_1(&format!("the database: {error}").into());
        Self::error(503, "database_unavailable", "the database does not answer; try again")
    }
}
