//! Lays a table out as the Worker reads it. Done once, when the data set is deployed, on the seller's machine.

use crate::{
    bits,
    key::Key,
    kind::Kind,
    layout::{About, BLOCK_BYTES, BLOCK_WORDS, ColumnMeta, FORMAT, MAGIC, Meta, Parts},
    table::{Problems, Table, Value},
};
use sha3::{Digest, Keccak256};
use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

/// The platform takes Workers of 64 MiB. The Worker's own code and what is served beside the data need some of it.
pub const MAX_BYTES: usize = 56 * 1024 * 1024;
pub const MAX_ROWS: usize = 1 << 24;
pub const MAX_COLUMNS: usize = 256;
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Longer ones are not told as a column's least and greatest.
const MAX_TOLD_BYTES: usize = 200;
pub const DEFAULT_PREVIEW: usize = 5;
pub const MAX_PREVIEW: usize = 100;

#[derive(Clone, Debug)]
pub struct Options {
    /// Types of columns that are not to be inferred.
    pub kinds: BTreeMap<String, Kind>,
    /// The column whose values name rows. `None`: one called `id`, if it can.
    pub id: Option<String>,
    pub preview: usize,
    pub about: About,
}

impl Default for Options {
    fn default() -> Self {
        Self { kinds: BTreeMap::new(), id: None, preview: DEFAULT_PREVIEW, about: About::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("the data set has no rows")]
    Empty,
    #[error("{0}")]
    Values(Problems),
    #[error("there is no column {0:?}; there are {1}")]
    NoColumn(String, String),
    #[error("column {column:?} cannot name rows: {why}")]
    Id { column: String, why: String },
    #[error("the data set has {0} rows, and at most {MAX_ROWS} are possible")]
    Rows(usize),
    #[error("the data set has {0} columns, and at most {MAX_COLUMNS} are possible")]
    Columns(usize),
    #[error("laid out with its indices the data set has {0} bytes, and a Worker has room for {MAX_BYTES}")]
    Bytes(usize),
}

/// The bytes of a table as a data set.
pub fn build(table: &Table, options: &Options) -> Result<Vec<u8>, BuildError> {
    let rows = table.rows();
    match () {
        () if rows == 0 => return Err(BuildError::Empty),
        () if rows > MAX_ROWS => return Err(BuildError::Rows(rows)),
        () if table.names().len() > MAX_COLUMNS => return Err(BuildError::Columns(table.names().len())),
        () => {}
    }
    let known = |name: &String| table.names().contains(name);
    if let Some(name) = options.kinds.keys().chain(&options.id).find(|name| !known(name)) {
        return Err(BuildError::NoColumn(name.clone(), table.names().join(", ")));
    }
    let mut body = Vec::new();
    let mut columns = Vec::new();
    let mut problems = Problems::default();
    for (column, name) in table.names().iter().enumerate() {
        let values = || (0..rows).map(|row| table.value(column, row));
        let kind = options.kinds.get(name).copied().unwrap_or_else(|| Kind::of(values()));
        let mut words = Vec::with_capacity(rows);
        for (row, value) in values().enumerate() {
            let word = word(kind, value).unwrap_or_else(|what| {
                problems.push(table.problem(row, column, what));
                None
            });
            words.push(word);
        }
        if problems.is_empty() {
            columns.push(lay_out(name, kind, &words, &mut body));
        }
    }
    if !problems.is_empty() {
        return Err(BuildError::Values(problems));
    }
    let id = id_column(options.id.as_deref(), &columns, rows)?;
    let mut meta = Meta {
        format: FORMAT,
        version: String::new(),
        rows,
        id,
        preview: options.preview.min(MAX_PREVIEW),
        about: options.about.clone(),
        columns,
    };
    let digest = Keccak256::new().chain_update(json(&meta)).chain_update(&body).finalize();
    for byte in &digest[..8] {
        let _infallible = write!(meta.version, "{byte:02x}");
    }
    let head = json(&meta);
    let mut file = Vec::with_capacity(MAGIC.len() + 4 + head.len() + body.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&(head.len() as u32).to_le_bytes());
    file.extend_from_slice(&head);
    file.append(&mut body);
    if file.len() > MAX_BYTES { Err(BuildError::Bytes(file.len())) } else { Ok(file) }
}

fn json(meta: &Meta) -> Vec<u8> {
    serde_json::to_vec(meta).expect("the head has string keys and plain values")
}

fn word(kind: Kind, value: Value<'_>) -> Result<Option<Cow<'_, str>>, String> {
    let word = kind.read(value)?;
    match &word {
        Some(word) if word.len() > MAX_VALUE_BYTES => {
            Err(format!("has {} bytes, and at most {MAX_VALUE_BYTES} are possible", word.len()))
        }
        _ => Ok(word),
    }
}

fn lay_out(name: &str, kind: Kind, words: &[Option<Cow<'_, str>>], body: &mut Vec<u8>) -> ColumnMeta {
    let rows = words.len();
    let mut order: Vec<u32> = (0..rows as u32).collect();
    let word = |row: u32| words[row as usize].as_deref();
    let keys: Vec<Option<Key<'_>>> = words.iter().map(|word| word.as_deref().map(|word| Key::of(kind, word))).collect();
    order.sort_unstable_by(|one, other| {
        let by_key = keys[*one as usize].cmp(&keys[*other as usize]);
        by_key.then_with(|| word(*one).cmp(&word(*other))).then_with(|| one.cmp(other))
    });
    let nulls = words.iter().filter(|word| word.is_none()).count();
    let mut codes = vec![0; rows];
    let mut starts: Vec<u32> = Vec::new();
    let mut distinct: Vec<&str> = Vec::new();
    for (at, row) in order.iter().enumerate() {
        let is_new = at == 0 || word(order[at - 1]) != word(*row);
        if is_new {
            starts.push(at as u32);
            distinct.extend(word(*row));
        }
        codes[*row as usize] = (starts.len() - 1) as u32;
    }
    let is_unique = starts.len() == rows;
    starts.push(rows as u32);

    let words_at = body.len();
    let blocks = write_words(&distinct, body);
    let blocks_at = body.len();
    for (offset, first) in &blocks {
        body.extend_from_slice(&offset.to_le_bytes());
        body.extend_from_slice(&first.to_le_bytes());
    }
    let codes_at = body.len();
    bits::pack(codes.into_iter(), bits::width(starts.len() - 1), body);
    let order_at = body.len();
    bits::pack(order.into_iter(), bits::width(rows), body);
    let starts_at = (!is_unique).then_some(body.len());
    if !is_unique {
        bits::pack(starts.into_iter(), bits::width(rows + 1), body);
    }
    let told = |word: Option<&&str>| {
        word.filter(|word| word.len() <= MAX_TOLD_BYTES && kind != Kind::Json).map(|word| (*word).to_owned())
    };
    let parts = Parts {
        words: words_at,
        blocks: blocks_at,
        block_count: blocks.len() - 1,
        codes: codes_at,
        order: order_at,
        starts: starts_at,
    };
    let (min, max) = (told(distinct.first()), told(distinct.last()));
    ColumnMeta { name: name.to_owned(), kind, nulls, distinct: distinct.len(), min, max, parts }
}

/// Writes the dictionary, and gives where each block begins and with which value; the end comes last.
fn write_words(words: &[&str], body: &mut Vec<u8>) -> Vec<(u32, u32)> {
    let begin = body.len();
    let mut blocks = Vec::new();
    let (mut before, mut in_block, mut block_begin) = ("", BLOCK_WORDS, begin);
    for (index, word) in words.iter().enumerate() {
        if in_block == BLOCK_WORDS || body.len() - block_begin >= BLOCK_BYTES {
            blocks.push(((body.len() - begin) as u32, index as u32));
            (before, in_block, block_begin) = ("", 0, body.len());
        }
        let shared = before.bytes().zip(word.bytes()).take_while(|(one, other)| one == other).count();
        varint(shared, body);
        varint(word.len() - shared, body);
        body.extend_from_slice(&word.as_bytes()[shared..]);
        (before, in_block) = (word, in_block + 1);
    }
    blocks.push(((body.len() - begin) as u32, words.len() as u32));
    blocks
}

fn varint(mut number: usize, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// The reason why a column called `id` names no rows, if one is there and none was asked for.
#[must_use]
pub fn unused_id(meta: &Meta) -> Option<String> {
    let column = meta.columns.iter().find(|column| column.name == "id").filter(|_| meta.id.is_none())?;
    why_no_id(column, meta.rows)
}

fn why_no_id(column: &ColumnMeta, rows: usize) -> Option<String> {
    match column {
        ColumnMeta { kind: Kind::Json, .. } => Some("its values are lists or objects".to_owned()),
        ColumnMeta { nulls: 1.., .. } => Some(format!("{} rows have no value in it", column.nulls)),
        ColumnMeta { distinct, .. } if *distinct < rows => {
            Some(format!("{} of its values occur again", rows - distinct))
        }
        _ => None,
    }
}

fn id_column(asked: Option<&str>, columns: &[ColumnMeta], rows: usize) -> Result<Option<usize>, BuildError> {
    let at = |name: &str| columns.iter().position(|column| column.name == name);
    match asked {
        Some(name) => {
            let at = at(name).expect("it was looked up before");
            match why_no_id(&columns[at], rows) {
                Some(why) => Err(BuildError::Id { column: name.to_owned(), why }),
                None => Ok(Some(at)),
            }
        }
        None => Ok(at("id").filter(|at| why_no_id(&columns[*at], rows).is_none())),
    }
}
