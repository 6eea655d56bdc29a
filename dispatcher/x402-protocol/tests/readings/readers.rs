//! Readers that are not ours.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use std::{
    fmt,
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

/// A payment, as twelve texts. Addresses, hashes and signatures count as bytes, so all is in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts([String; 12]);

impl Facts {
    pub fn new(facts: [String; 12]) -> Self {
        Self(facts.map(|fact| fact.to_lowercase()))
    }

    pub fn version(&self) -> &str {
        &self.0[0]
    }

    pub fn is_permit(&self) -> bool {
        self.0[4] == "permit2"
    }

    /// The part that the payer signed, with the signature.
    pub fn signed(&self) -> &[String] {
        &self.0[4..]
    }
}

pub enum Reader {
    Go,
    Process { name: &'static str, program: &'static str, script: &'static str },
}

const NODE: Reader = Reader::Process {
    name: "Node",
    program: "node",
    script: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readings/read.mjs"),
};
const PYTHON: Reader = Reader::Process {
    name: "Python",
    program: "python3",
    script: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readings/read.py"),
};

impl Reader {
    /// Those that this machine has.
    pub fn present() -> Vec<Self> {
        let has = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        assert!(has("node"), "node is not on this machine, and this project needs it");
        let mut readers = vec![Self::Go, NODE];
        if has("python3") {
            readers.push(PYTHON);
        } else {
            eprintln!("NOTE: python3 is not on this machine, so how Python reads payments was not compared");
        }
        readers
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Go => "Go",
            Self::Process { name, .. } => name,
        }
    }

    /// The payments in these texts.
    pub fn payments(&self, texts: &[&str]) -> Vec<Option<Facts>> {
        match self {
            Self::Go => texts.iter().map(|text| Model::read(text)?.facts()).collect(),
            Self::Process { program, script, .. } => ask(program, script, "payments", texts),
        }
    }

    /// The payments in these questions to facilitators.
    pub fn questions(&self, texts: &[&str]) -> Vec<Option<Facts>> {
        match self {
            Self::Go => texts.iter().map(|text| Model::read(text)?.member("paymentPayload")?.facts()).collect(),
            Self::Process { program, script, .. } => ask(program, script, "questions", texts),
        }
    }
}

fn ask(program: &str, script: &str, what: &str, texts: &[&str]) -> Vec<Option<Facts>> {
    let mut child = Command::new(program)
        .args([script, what])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().expect("it was piped");
    let lines: String =
        texts.iter().map(|text| serde_json::to_string(text).expect("any text can be written as JSON") + "\n").collect();
    // Beside the reading, or both would wait for the other once a pipe is full.
    let writing = thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{program}: {error}"));
    writing.join().expect("it does not panic").unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} failed");
    let text = String::from_utf8(output.stdout).expect("it writes UTF-8");
    let read: Vec<Option<Facts>> = text
        .lines()
        .map(|line| {
            let facts: Option<[String; 12]> =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            facts.map(Facts::new)
        })
        .collect();
    assert_eq!(read.len(), texts.len(), "{program} did not answer for each text");
    read
}

/// The payment that a reader finds who takes the first of two members and minds their case.
pub fn first_wins(text: &str) -> Option<Facts> {
    Model { mode: Mode::First, ..Model::read(text)? }.facts()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Names are looked for without their case. The later member wins, and objects are merged: as Go's `encoding/json`
    /// decodes into structs.
    Go,
    First,
}

/// A reader that is written here.
struct Model {
    mode: Mode,
    tree: Tree,
}

#[derive(Clone)]
enum Tree {
    Scalar(Option<String>),
    Object(Vec<(String, Tree)>),
}

impl Model {
    fn read(text: &str) -> Option<Self> {
        Some(Self { mode: Mode::Go, tree: serde_json::from_str(text).ok()? })
    }

    fn member(&self, name: &str) -> Option<Self> {
        let Tree::Object(members) = &self.tree else { return None };
        let found = match self.mode {
            Mode::First => members.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()),
            Mode::Go => {
                let named = members.iter().filter(|(own, _)| equal_fold(own, name)).map(|(_, value)| value);
                named.fold(None, |before, later| Some(decoded_over(before, later)))
            }
        };
        Some(Self { mode: self.mode, tree: found? })
    }

    fn text(&self, path: &[&str]) -> Option<String> {
        let [first, rest @ ..] = path else {
            let Tree::Scalar(text) = &self.tree else { return None };
            return text.clone();
        };
        self.member(first)?.text(rest)
    }

    fn facts(&self) -> Option<Facts> {
        let version = self.text(&["x402Version"])?;
        let is_permit = self.member("payload")?.member("permit2Authorization").is_some();
        let transfer = if is_permit { "permit2Authorization" } else { "authorization" };
        let signed = |path: &[&str]| self.text(&[&["payload", transfer], path].concat());
        let of =
            |permit: &[&str], authorization: &str| if is_permit { signed(permit) } else { signed(&[authorization]) };
        let (network, amount, pay_to) = match version.as_str() {
            "1" => (self.text(&["network"])?, String::new(), String::new()),
            _ => (
                self.text(&["accepted", "network"])?,
                self.text(&["accepted", "amount"])?,
                self.text(&["accepted", "payTo"])?,
            ),
        };
        Some(Facts::new([
            version,
            network,
            amount,
            pay_to,
            if is_permit { "permit2" } else { "eip3009" }.to_owned(),
            signed(&["from"])?,
            of(&["witness", "to"], "to")?,
            of(&["permitted", "amount"], "value")?,
            of(&["witness", "validAfter"], "validAfter")?,
            of(&["deadline"], "validBefore")?,
            signed(&["nonce"])?,
            self.text(&["payload", "signature"])?,
        ]))
    }
}

/// A value decoded into one that is there already: `null` changes nothing, and an object adds to it.
fn decoded_over(before: Option<Tree>, later: &Tree) -> Tree {
    match (before, later) {
        (Some(before), Tree::Scalar(None)) => before,
        (Some(Tree::Object(mut members)), Tree::Object(more)) => {
            members.extend(more.iter().cloned());
            Tree::Object(members)
        }
        (_, later) => later.clone(),
    }
}

/// Go's `strings.EqualFold`, for a name in ASCII.
fn equal_fold(name: &str, known: &str) -> bool {
    let folded = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(folded).eq(known.chars().map(folded))
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Tree;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }
            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Scalar(None))
            }
            fn visit_bool<E>(self, yes: bool) -> Result<Tree, E> {
                Ok(Tree::Scalar(Some(yes.to_string())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
                Ok(Tree::Scalar(Some(number.to_string())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
                Ok(Tree::Scalar(Some(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
                Ok(Tree::Scalar(Some(number.to_string())))
            }
            fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Scalar(Some(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
                while items.next_element::<Tree>()?.is_some() {}
                Ok(Tree::Scalar(Some("a list".to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = entries.next_entry()? {
                    members.push(member);
                }
                Ok(Tree::Object(members))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
