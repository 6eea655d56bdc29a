//! The runtime's configuration as capnp text. Only what the harness's Workers need of it.

use super::{Layout, SocketStyle};

/// The whole file: one socket on loopback in front of the service `main`.
pub fn config(layout: &Layout, v8_flags: &[String], port: u16) -> String {
    let style = match layout.socket {
        SocketStyle::Host => "host",
        SocketStyle::Proxy => "proxy",
    };
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\n\
         const config :Workerd.Config = (\n  v8Flags = {},\n  services = {},\n  extensions = {},\n  \
         sockets = [(name = \"http\", address = \"127.0.0.1:{port}\", http = (style = {style}), service = \"main\")],\n);\n",
        list(v8_flags.iter().map(|flag| quoted(flag))),
        // Facilitator doubles listen on loopback, which the runtime keeps Workers from unless it is told.
        list(
            layout.services.iter().cloned().chain(["(name = \"internet\", network = (allow = [\"private\"]))".into()])
        ),
        list(layout.extensions.iter().cloned()),
    )
}

pub fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(",\n    "))
}

/// A literal of type Text.
pub fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            '\r' => literal.push_str("\\r"),
            _ => literal.push(character),
        }
    }
    literal.push('"');
    literal
}

/// A variable binding.
pub fn text_binding(name: &str, value: &str) -> String {
    format!("(name = {}, text = {})", quoted(name), quoted(value))
}

pub fn module(name: &str, file: &str) -> String {
    format!("(name = {}, esModule = embed {})", quoted(name), quoted(file))
}

pub fn wasm(name: &str, file: &str) -> String {
    format!("(name = {}, wasm = embed {})", quoted(name), quoted(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_ends_where_it_should() {
        assert_eq!(quoted(r#"{"a": "b\n"}"#), r#""{\"a\": \"b\\n\"}""#);
        assert_eq!(quoted("one\ntwo"), r#""one\ntwo""#);
    }
}
