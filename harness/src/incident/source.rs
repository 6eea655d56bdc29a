//! Where a log is read from: files, run folders, standard input, packed or not, in any encoding that a tool writes. What it cannot be
//! read as is told by its name: "nothing was found" would send its reader to look in the log.

use super::foreign::Foreign;
use flate2::read::MultiGzDecoder;
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// A log larger than this is an export of more than one incident.
pub const MAX_LOG_BYTES: u64 = 256 * 1024 * 1024;
/// Standard input, as tools name it.
const STDIN: &str = "-";
/// The files of a run's folder, or of an export, that have it; the first that is there.
const OF_A_RUN: [&str; 2] = ["events.jsonl", "wrangler.log"];

/// Text, and where it is from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub text: String,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceError {
    #[error("{name} cannot be read")]
    Read { name: String, source: io::Error },
    #[error("{} has neither {}", .0.display(), OF_A_RUN.join(" nor "))]
    #[diagnostic(help("a folder is that of a run, as `serve` and `scenario` leave it"))]
    NoRun(PathBuf),
    #[error("{name} is {what}")]
    #[diagnostic(help("{mend}"))]
    Foreign { name: String, what: &'static str, mend: &'static str },
    #[error("{name} is {form}, and cannot be unpacked: {why}")]
    #[diagnostic(help("it may have been cut off: copy it again"))]
    Packed { name: String, form: &'static str, why: String },
    #[error("{0} has over {MAX_LOG_BYTES} bytes, unpacked")]
    #[diagnostic(help("cut the log to the minutes of the incident"))]
    TooLarge(String),
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        if path == Path::new(STDIN) {
            return Self::of("standard input", read(io::stdin().lock(), "standard input")?);
        }
        let path = if path.is_dir() {
            let files = OF_A_RUN.iter().map(|file| path.join(file));
            files.into_iter().find(|file| file.is_file()).ok_or_else(|| SourceError::NoRun(path.to_owned()))?
        } else {
            path.to_owned()
        };
        let name = path.display().to_string();
        let file = fs::File::open(&path).map_err(|source| SourceError::Read { name: name.clone(), source })?;
        let bytes = read(file, &name)?;
        Self::of(&name, bytes)
    }

    /// Unpacks and decodes.
    fn of(name: &str, mut bytes: Vec<u8>) -> Result<Self, SourceError> {
        // Packed more than once, as by a tool that packs what it is sent, is still packed.
        while let Some((form, unpacked)) = unpacked(&bytes, name)? {
            bytes = unpacked;
            if form == "tar" {
                break;
            }
        }
        if let Some(Foreign { what, mend }) = Foreign::by_its_bytes(&bytes) {
            return Err(SourceError::Foreign { name: name.to_owned(), what, mend });
        }
        let text = decoded(&bytes);
        // Colours, of a log that was written by way of a terminal.
        let text = if text.contains('\u{1b}') { anstream::adapter::strip_str(&text).to_string() } else { text };
        Ok(Self { name: name.to_owned(), text })
    }
}

fn read(from: impl Read, name: &str) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    let read = from.take(MAX_LOG_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| SourceError::Read { name: name.to_owned(), source })?;
    if bytes.len() as u64 > MAX_LOG_BYTES { Err(SourceError::TooLarge(name.to_owned())) } else { Ok(bytes) }
}

/// The bytes that are in it, and what it was; `None` where it is not packed.
fn unpacked(bytes: &[u8], name: &str) -> Result<Option<(&'static str, Vec<u8>)>, SourceError> {
    let failed = |form: &'static str, why: String| SourceError::Packed { name: name.to_owned(), form, why };
    let bounded = |form: &'static str, from: &mut dyn Read| match read(from, name) {
        Err(SourceError::Read { source, .. }) => Err(failed(form, source.to_string())),
        read => read.map(|bytes| Some((form, bytes))),
    };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return bounded("gzip", &mut MultiGzDecoder::new(bytes));
    }
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut decoder =
            ruzstd::decoding::StreamingDecoder::new(bytes).map_err(|error| failed("zstd", error.to_string()))?;
        return bounded("zstd", &mut decoder);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return from_tar(bytes).map(|bytes| Some(("tar", bytes))).map_err(|why| failed("a tar archive", why));
    }
    Ok(None)
}

/// The run's events in an export, or its log.
fn from_tar(bytes: &[u8]) -> Result<Vec<u8>, String> {
    for wanted in OF_A_RUN {
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().map_err(|error| error.to_string())? {
            let mut entry = entry.map_err(|error| error.to_string())?;
            let is_it = entry.path().is_ok_and(|path| path.file_name().is_some_and(|name| name == wanted));
            if is_it {
                let mut bytes = Vec::new();
                entry.by_ref().take(MAX_LOG_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
                return Ok(bytes);
            }
        }
    }
    Err(format!("it has neither {}", OF_A_RUN.join(" nor ")))
}

/// Text of UTF-8, or of UTF-16 in either order of bytes. A log may be cut anywhere, also inside a character.
fn decoded(bytes: &[u8]) -> String {
    let units = |two: &[u8], big: bool| match *two {
        [a, b] if big => u16::from_be_bytes([a, b]),
        [a, b] => u16::from_le_bytes([a, b]),
        _ => 0xfffd,
    };
    let utf_16 = |bytes: &[u8], big: bool| {
        let units: Vec<u16> = bytes.chunks(2).map(|two| units(two, big)).collect();
        String::from_utf16_lossy(&units)
    };
    let start = &bytes[..bytes.len().min(64)];
    let zeros = |first: usize| start.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count() * 2;
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, false),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, true),
        _ if start.len() >= 4 && zeros(0) >= start.len() - 2 => utf_16(bytes, true),
        _ if start.len() >= 4 && zeros(1) >= start.len() - 2 => utf_16(bytes, false),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    text.trim_start_matches('\u{feff}').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    const LINE: &str = "{\"log\":\"request\"}\r\n";

    fn text(bytes: &[u8]) -> String {
        Source::of("log", bytes.to_owned()).map_err(miette::Report::new).unwrap().text
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_log_is_unpacked_and_decoded() {
        let utf_16: Vec<u8> = LINE.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let other_way: Vec<u8> = LINE.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = [&[0xff, 0xfe][..], &utf_16].concat();
        let with_mark = ["\u{feff}", LINE].concat();
        for bytes in [LINE.as_bytes(), &utf_16, &other_way, &marked, with_mark.as_bytes(), &gzip(&marked)] {
            assert_eq!(text(bytes), LINE);
        }
        // Two members, as of files that were put together, and twice packed.
        assert_eq!(text(&[gzip(b"a\n"), gzip(b"b\n")].concat()), "a\nb\n");
        assert_eq!(text(&gzip(&gzip(b"a\n"))), "a\n");
        assert_eq!(text("\u{1b}[31mred\u{1b}[0m".as_bytes()), "red");
        // `a\n` as zstd, stored.
        assert_eq!(text(&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x02, 0x11, 0x00, 0x00, b'a', b'\n']), "a\n");
    }

    #[test]
    fn an_export_of_a_run_is_read() {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in [("serve-1/manifest.json", "{}"), ("serve-1/events.jsonl", LINE)] {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            header.set_cksum();
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        let bytes = archive.into_inner().unwrap();
        assert_eq!((text(&bytes), text(&gzip(&bytes))), (LINE.to_owned(), LINE.to_owned()));
    }

    #[test]
    fn what_is_cut_off_or_of_another_form_is_named() {
        let cut = gzip(LINE.as_bytes());
        let error = |bytes: &[u8]| Source::of("log", bytes.to_owned()).unwrap_err().to_string();
        assert!(error(&cut[..cut.len() - 6]).contains("is gzip, and cannot be unpacked"));
        assert!(error(b"PK\x03\x04rest").contains("a zip file"));
        assert!(error(b"").contains("empty"));
        assert!(error(b"\x7fELF\x02\x01\x01\x00\x00\x00").contains("a program"));
    }
}
