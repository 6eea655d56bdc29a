//! A tenant process's own files: its modules and workerd's config, in a folder that no other process is started from.
//! Surprising constraint: two processes that shared a folder were seen to mix up their answers.

use super::{
    headers::CF,
    memory::Memory,
    script::{ModuleKind, Script},
};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// The socket on which the process serves, and the one on which it reaches the outside; both in its folder.
pub const INBOUND: &str = "in";
pub const OUTBOUND: &str = "out";
pub const CONFIG: &str = "workerd.capnp";

/// Module names that a script cannot have: no file of a folder starts so.
const SHIM: &str = "namespace-shim.mjs";
const SUBREQUESTS: &str = "namespace-subrequests.mjs";
const UNTOUCHED: &str = "namespace-untouched.mjs";
const SHIM_SOURCE: &str = include_str!("../../assets/namespace/tenant-shim.mjs");
const SUBREQUESTS_SOURCE: &str = include_str!("../../assets/namespace/subrequests.mjs");
const UNTOUCHED_SOURCE: &str = include_str!("../../assets/namespace/untouched.mjs");
/// The name that the shim's source imports in place of the main module.
const TENANT: &str = "\"./TENANT\"";

/// Writes the files and gives the config's path.
pub fn write(folder: &Path, script: &Script, memory: Memory) -> io::Result<PathBuf> {
    fs::write(folder.join("shim"), shim(&script.main))?;
    fs::write(folder.join("subrequests"), SUBREQUESTS_SOURCE)?;
    fs::write(folder.join("untouched"), UNTOUCHED_SOURCE)?;
    for (nth, module) in script.modules.iter().enumerate() {
        fs::write(folder.join(file_of(nth)), &module.content)?;
    }
    let config = folder.join(CONFIG);
    fs::write(&config, text(folder, script, memory))?;
    Ok(config)
}

/// Modules are files by number, so that no name of a tenant's choosing becomes a path.
fn file_of(nth: usize) -> String {
    format!("module-{nth}")
}

fn shim(main: &str) -> String {
    let specifier = serde_json::to_string(&format!("./{main}")).expect("a string is JSON");
    SHIM_SOURCE.replace(TENANT, &specifier)
}

fn text(folder: &Path, script: &Script, memory: Memory) -> String {
    let mut modules = format!(
        "(name = {}, esModule = embed \"shim\"),\n        (name = {}, esModule = embed \"subrequests\"),\n        \
         (name = {}, esModule = embed \"untouched\")",
        quoted(SHIM),
        quoted(SUBREQUESTS),
        quoted(UNTOUCHED)
    );
    for (nth, module) in script.modules.iter().enumerate() {
        let (name, kind, file) = (quoted(&module.name), field(module.kind), file_of(nth));
        let _infallible = write!(modules, ",\n        (name = {name}, {kind} = embed \"{file}\")");
    }
    let vars: Vec<String> = script.settings.vars.iter().map(|(name, value)| binding(name, value)).collect();
    let flags: Vec<String> = script.settings.compatibility_flags.iter().map(|flag| quoted(flag)).collect();
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "tenant", worker = (
      modules = [
        {modules}
      ],
      compatibilityDate = {date},
      compatibilityFlags = [{flags}],
      bindings = [{bindings}],
      globalOutbound = "outbound",
    )),
    (name = "outbound", external = (address = {outbound}, http = (style = proxy))),
  ],
  sockets = [
    (name = "in", address = {inbound}, service = "tenant", http = (style = proxy, cfBlobHeader = {cf})),
  ],
  # V8's helpers on other threads would be charged to the invocation, and would let its CPU time outrun the wall clock.
  # V8 collects garbage with an eye on the limit: what it holds is watched from outside, garbage and all.
  v8Flags = ["--single-threaded", "--max-heap-size={memory}"],
);
"#,
        date = quoted(&script.settings.compatibility_date),
        flags = flags.join(", "),
        bindings = vars.join(", "),
        outbound = quoted(&format!("unix:{}", folder.join(OUTBOUND).display())),
        inbound = quoted(&format!("unix:{}", folder.join(INBOUND).display())),
        cf = quoted(CF.as_str()),
    )
}

fn field(kind: ModuleKind) -> &'static str {
    match kind {
        ModuleKind::EsModule => "esModule",
        ModuleKind::CommonJs => "commonJsModule",
        ModuleKind::Json => "json",
        ModuleKind::Text => "text",
        ModuleKind::Data => "data",
        ModuleKind::Wasm => "wasm",
    }
}

fn binding(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => format!("(name = {}, text = {})", quoted(name), quoted(text)),
        json => format!("(name = {}, json = {})", quoted(name), quoted(&json.to_string())),
    }
}

/// A string of Cap'n Proto's text format, which knows no Unicode escapes: all but plain ASCII is told byte by byte.
fn quoted(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    });
    format!("\"{}\"", bytes.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{
        super::script::{Module, Settings},
        *,
    };
    use std::sync::OnceLock;

    #[test]
    fn no_name_or_value_of_a_tenant_gets_out_of_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nd\u{fc}"), r#""a\"b\\c\x0ad\xc3\xbc""#);
    }

    #[test]
    fn the_config_names_modules_vars_and_sockets() {
        let module = |name: &str, kind| Module { name: name.to_owned(), kind, content: Vec::new() };
        let vars = [("TEXT".to_owned(), "x".into()), ("JSON".to_owned(), serde_json::json!([1]))];
        let script = Script {
            name: "alpha".to_owned(),
            generation: 1,
            main: "index.mjs".to_owned(),
            modules: vec![module("index.mjs", ModuleKind::EsModule), module("a/\"b.txt", ModuleKind::Text)],
            settings: Settings { vars: vars.into(), ..Settings::default() },
            started: OnceLock::new(),
        };
        let config = text(Path::new("/f"), &script, Memory::megabytes(128));
        for part in [
            r#"(name = "namespace-shim.mjs", esModule = embed "shim")"#,
            r#"(name = "a/\"b.txt", text = embed "module-1")"#,
            r#"(name = "TEXT", text = "x")"#,
            r#"(name = "JSON", json = "[1]")"#,
            r#"address = "unix:/f/in""#,
            r#"address = "unix:/f/out""#,
            r#""--max-heap-size=128""#,
        ] {
            assert!(config.contains(part), "{part} is not in {config}");
        }
    }

    #[test]
    fn the_shim_runs_the_main_module() {
        assert!(shim("lib/index.mjs").contains(r#"import * as tenant from "./lib/index.mjs";"#));
    }
}
