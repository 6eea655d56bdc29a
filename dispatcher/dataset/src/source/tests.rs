//! Files as they come.

use super::*;
use crate::table::Value::{self, Bare, Json, Null, Number, Quoted, Text};

fn rows(table: &Table) -> Vec<Vec<Value<'_>>> {
    let columns = 0..table.names().len();
    (0..table.rows()).map(|row| columns.clone().map(|column| table.value(column, row)).collect()).collect()
}

fn ok(text: &str) -> Table {
    read(text.as_bytes(), &SourceOptions::default()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn error(bytes: impl AsRef<[u8]>) -> String {
    let read = read(bytes.as_ref(), &SourceOptions::default());
    read.map(|table| format!("{:?}", rows(&table))).expect_err("it is wrong").to_string()
}

#[test]
fn fields_in_quotes_hold_anything() {
    let table = ok("a,b\r\n\"x, \"\"y\"\"\r\nz\",\r\n\"\",2\r\n");
    assert_eq!(rows(&table), [[Quoted("x, \"y\"\r\nz"), Null], [Quoted(""), Bare("2")]]);
    assert_eq!((table.line(0), table.line(1)), (Some(2), Some(4)));
}

#[test]
fn the_delimiter_is_the_one_that_makes_rows_of_one_length() {
    for (text, names) in [
        ("a;b\n1,5;2\n3,5;4\n", &["a", "b"][..]),
        ("a\tb\n1\t2\n", &["a", "b"]),
        ("a|b|c\n1|2|3\n", &["a", "b", "c"]),
        ("name\nx\ny\n", &["name"]),
        ("a,b\n\"1;2\",3\n", &["a", "b"]),
    ] {
        assert_eq!(ok(text).names(), names, "{text:?}");
    }
}

#[test]
fn json_that_has_an_object_a_line_is_read_by_lines() {
    let json = SourceOptions { format: Some(Format::Json), ..SourceOptions::default() };
    let table = read(b"{\"a\":1}\n\n{\"a\":2}\n", &json).unwrap();
    assert_eq!(rows(&table), [[Number("1")], [Number("2")]]);
    let told = |text: &str| read(text.as_bytes(), &json).unwrap_err().to_string();
    assert!(told(r#"{"meta":{},"items":[{"a":1}]}"#).contains("take out the list \"items\", such as by `jq '.items'`"));
    assert!(told("{\n  \"a\": 1\n}\n").contains("one object is no list of objects"));
}

#[test]
fn marks_before_the_first_name_are_no_part_of_it() {
    assert_eq!(ok("\u{feff}\u{feff}id\n1\n").names(), ["id"]);
}

#[test]
fn every_encoding_gives_the_same_text() {
    let text = "név,ár\nžluť 🐎,1\n";
    let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    let all = [
        text.as_bytes().to_vec(),
        marked(&[0xef, 0xbb, 0xbf], text.into()),
        marked(&[0xff, 0xfe], wide(u16::to_le_bytes)),
        marked(&[0xfe, 0xff], wide(u16::to_be_bytes)),
        wide(u16::to_le_bytes),
    ];
    for bytes in all {
        let table = read(&bytes, &SourceOptions::default()).unwrap();
        assert_eq!((table.names()[0].as_str(), table.value(0, 0)), ("név", Bare("žluť 🐎")));
    }
    let options = SourceOptions { encoding: Some(Encoding::Windows1252), ..SourceOptions::default() };
    assert_eq!(read(b"a\n\x80 caf\xe9\n", &options).unwrap().value(0, 0), Bare("€ café"));
    assert!(error(b"a\nx\nca\xe9\n").starts_with("line 3, column 3: byte 0xe9 is not UTF-8"));
    assert!(error([&[0xff, 0xfe][..], b"a\0\n"].concat()).contains("odd number"));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, said) in [
        ("", "the file is empty"),
        ("\u{feff}\n \n", "the file is empty"),
        (
            "a,b\n1\n1,2\n1,2,3\n",
            "row 1, line 2: has 1 fields, and the header 2\nrow 3, line 4: has 3 fields, and the header 2",
        ),
        ("a,b\n1,\"x\n2,3\n", "row 1, line 2, column \"2\": a quote is opened here and never closed"),
        ("a,b\n1,\"x\"y\n", "row 1, line 2, column \"2\": something follows the closing quote"),
        ("a,b,a\n1,2,3\n", "column \"3 (a)\": has the name of a column before it"),
        ("a,,c\n1,2,3\n", "column \"2 ()\": has no name"),
        ("1,2\n3,4\n", "line 1: the header has numbers only"),
        ("a[0],b\n1,2\n", "column \"1 (a[0])\": has [, ]"),
        ("[{\"a\":1},{\"a\":1,\"a\":2}]", "row 2, line 1: an object has \"a\" twice"),
        ("[{\"a\":1},7]", "row 2, line 1: invalid type: integer `7`, expected an object"),
        ("[{\"a\":1}", "row 2, line 1: EOF while parsing a list"),
        ("{\"a\":1}\n{\"a\":}\n{\"a\":3\n", "row 2, line 2: expected value, at character 6\nrow 3, line 3: EOF"),
    ] {
        let said_of_it = error(text);
        assert!(said_of_it.starts_with(said), "{text:?}: {said_of_it}");
    }
}

#[test]
fn json_keeps_its_numbers_and_what_is_nested() {
    let table =
        ok("[{\"n\": 12345678901234567890, \"s\": \"a\\u00e9\"},\n {\"x\": [1, {\"k\": \"a b\"}], \"n\": 1.50}]");
    assert_eq!(table.names(), ["n", "s", "x"]);
    assert_eq!(
        rows(&table),
        [[Number("12345678901234567890"), Text("aé"), Null], [Number("1.50"), Null, Json("[1,{\"k\":\"a b\"}]")]]
    );
    let lines = ok("{\"a\": 1}\n\n{\"a\": null, \"b\": true}\r\n");
    assert_eq!(rows(&lines), [[Number("1"), Null], [Null, Value::Boolean(true)]]);
}

#[test]
fn a_file_without_a_header_is_read_if_one_says_so() {
    let options = SourceOptions { has_header: false, nulls: vec!["NA".to_owned()], ..SourceOptions::default() };
    let table = read(b"1,NA\n3,\"NA\"\n", &options).unwrap();
    assert_eq!(table.names(), ["column_1", "column_2"]);
    assert_eq!(rows(&table), [[Bare("1"), Null], [Bare("3"), Quoted("NA")]]);
}
