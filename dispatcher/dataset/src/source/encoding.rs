//! Bytes into text, without a character lost or guessed.

use super::SourceError;
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// The encoding that old spreadsheets call ANSI.
    Windows1252,
}

impl Encoding {
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            "windows-1252" | "latin1" | "iso-8859-1" => Some(Self::Windows1252),
            _ => None,
        }
    }
}

/// Decodes a file's bytes; the mark at its beginning is no part of the text.
pub fn decode(bytes: &[u8], told: Option<Encoding>) -> Result<Cow<'_, str>, SourceError> {
    let marked = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Some((Encoding::Utf8, rest)),
        [0xff, 0xfe, rest @ ..] => Some((Encoding::Utf16Le, rest)),
        [0xfe, 0xff, rest @ ..] => Some((Encoding::Utf16Be, rest)),
        _ => None,
    };
    let (encoding, bytes) = match (marked, told) {
        (Some((marked, rest)), told) if told.is_none_or(|told| told == marked) => (marked, rest),
        (_, told) => (told.or_else(|| without_mark(bytes)).unwrap_or(Encoding::Utf8), bytes),
    };
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            wrong(valid, bytes[error.valid_up_to()], "UTF-8 (--encoding names another, such as windows-1252)")
        }),
        Encoding::Utf16Le => utf16(bytes, u16::from_le_bytes),
        Encoding::Utf16Be => utf16(bytes, u16::from_be_bytes),
        Encoding::Windows1252 => windows_1252(bytes).map(Cow::Owned),
    }
}

/// Text of a spreadsheet in UTF-16 begins with an ASCII character, whose other byte is zero.
fn without_mark(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [1..=255, 0, 1..=255, 0, ..] => Some(Encoding::Utf16Le),
        [0, 1..=255, 0, 1..=255, ..] => Some(Encoding::Utf16Be),
        _ => None,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, SourceError> {
    if bytes.len() % 2 == 1 {
        return Err(SourceError::OddBytes);
    }
    let units = bytes.chunks_exact(2).map(|two| unit([two[0], two[1]]));
    let mut text = String::with_capacity(bytes.len() / 2);
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.push(character),
            Err(error) => return Err(wrong(&text, (error.unpaired_surrogate() >> 8) as u8, "UTF-16: half a pair")),
        }
    }
    Ok(Cow::Owned(text))
}

/// The characters of 0x80 to 0x9f; five bytes are none.
const WINDOWS: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”', '•',
    '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

fn windows_1252(bytes: &[u8]) -> Result<String, SourceError> {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            0x80..=0x9f => match WINDOWS[usize::from(byte - 0x80)] {
                '\0' => return Err(wrong(&text, *byte, "Windows-1252")),
                character => text.push(character),
            },
            byte => text.push(char::from(*byte)),
        }
    }
    Ok(text)
}

fn wrong(before: &str, byte: u8, encoding: &'static str) -> SourceError {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    SourceError::Encoding { line, column, byte, encoding }
}
