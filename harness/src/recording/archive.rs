//! A run in one file: a gzipped tar of the files that tell of it, its manifest first.
//!
//! Whoever hands over a file is trusted with nothing: it is read into memory and never unpacked to disk, and only plain
//! files of plain names are taken, of no more bytes than a run can have.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use miette::Diagnostic;
use tar::{Archive, Builder, EntryType, Header};
use thiserror::Error;

/// Larger than any run that a person would carry to another machine: an hour of fifty requests a second.
pub const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;

/// A run leaves five files, and a log for each dispatcher.
pub const MAX_FILES: usize = 32;

#[derive(Debug, Error, Diagnostic)]
pub enum ArchiveError {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is no export of a run")]
    #[diagnostic(help("`harness export RUN` makes one"))]
    NotAnArchive { path: PathBuf, source: io::Error },
    #[error("{path} is refused: `{entry}` in it is {what}")]
    #[diagnostic(help(
        "an export holds plain files of plain names, and nothing else; this one was made by something else"
    ))]
    Hostile { path: PathBuf, entry: String, what: &'static str },
    #[error("{path} is refused: it holds more than {what}")]
    TooMuch { path: PathBuf, what: String },
    #[error("{path} is there already")]
    #[diagnostic(help("name another file with -o, or remove this one"))]
    Taken { path: PathBuf },
    #[error("{path} cannot be written")]
    Write { path: PathBuf, source: io::Error },
}

/// Writes the files, in the order given. The export is there whole or not at all.
pub fn pack(path: &Path, files: &[(String, Vec<u8>)]) -> Result<(), ArchiveError> {
    if path.symlink_metadata().is_ok() {
        return Err(ArchiveError::Taken { path: path.to_owned() });
    }
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".part-{}", std::process::id()));
    let part = PathBuf::from(part);
    // Unlike a rename, a link puts nothing in the place of what has come there meanwhile.
    let written = write(&part, files).and_then(|()| match std::fs::hard_link(&part, path) {
        // Some file systems have no links.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => std::fs::rename(&part, path),
        linked => linked,
    });
    // Where it cannot be removed, nothing takes it for an export.
    let _ = std::fs::remove_file(&part);
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => ArchiveError::Taken { path: path.to_owned() },
        _ => ArchiveError::Write { path: path.to_owned(), source },
    })
}

fn write(path: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let mut archive = Builder::new(GzEncoder::new(File::create(path)?, Compression::default()));
    for (name, bytes) in files {
        // Owner, time and mode are left out: two exports of one run are one and the same.
        let mut header = Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.into_inner().and_then(GzEncoder::finish)?.sync_all()
}

/// The files by name.
pub fn unpack(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let file = File::open(path).map_err(|source| ArchiveError::Read { path: path.to_owned(), source })?;
    read(path, file)
}

fn read(path: &Path, packed: impl Read) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let broken = |source| ArchiveError::NotAnArchive { path: path.to_owned(), source };
    let too_much = |what: String| ArchiveError::TooMuch { path: path.to_owned(), what };
    // The bound is for what no entry owns up to: padding, and names that are kept outside of the header.
    let mut archive = Archive::new(GzDecoder::new(packed).take(2 * MAX_UNPACKED_BYTES));
    let mut files = BTreeMap::new();
    let mut claimed: u64 = 0;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = plain_name(&entry.path_bytes(), entry.header().entry_type());
        let name = name.map_err(|what| {
            let entry = String::from_utf8_lossy(&entry.path_bytes()).escape_debug().to_string();
            ArchiveError::Hostile { path: path.to_owned(), entry, what }
        })?;
        if files.len() == MAX_FILES {
            return Err(too_much(format!("{MAX_FILES} files")));
        }
        // What it claims is looked at before any of it is read.
        claimed = claimed.saturating_add(entry.size());
        if claimed > MAX_UNPACKED_BYTES {
            return Err(too_much(format!("{MAX_UNPACKED_BYTES} bytes")));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        if files.insert(name.clone(), bytes).is_some() {
            return Err(ArchiveError::Hostile { path: path.to_owned(), entry: name, what: "in it twice" });
        }
    }
    Ok(files)
}

/// A file right at the top, or nothing.
fn plain_name(path: &[u8], kind: EntryType) -> Result<String, &'static str> {
    if kind.is_symlink() || kind.is_hard_link() {
        return Err("a link");
    }
    if kind != EntryType::Regular {
        return Err("no plain file");
    }
    let name = std::str::from_utf8(path).map_err(|_| "of a name that is no text")?;
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) if !name.contains(['/', '\\']) => Ok(name.to_owned()),
        _ => Err("outside of the run's folder"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// An archive as a stranger could make it: the name is put into the header by hand, because the library refuses to.
    fn archive(entries: &[(&str, EntryType, u64, &[u8])]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        for (name, kind, claims, bytes) in entries {
            let mut header = Header::new_ustar();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(*claims);
            header.set_mode(0o644);
            header.set_cksum();
            gzip.write_all(header.as_bytes()).unwrap();
            gzip.write_all(bytes).unwrap();
            gzip.write_all(&vec![0; bytes.len().next_multiple_of(512) - bytes.len()]).unwrap();
        }
        gzip.write_all(&[0; 1024]).unwrap();
        gzip.finish().unwrap()
    }

    fn plain(name: &str) -> (&str, EntryType, u64, &[u8]) {
        (name, EntryType::Regular, 2, b"{}")
    }

    fn refused(packed: &[u8]) -> String {
        read(Path::new("run.tar.gz"), packed).expect_err("it is refused").to_string()
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let path = std::env::temp_dir().join(format!("402claw-packed-{}.tar.gz", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let files = [("manifest.json".to_owned(), b"{}".to_vec()), ("events.jsonl".to_owned(), vec![b'x'; 100_000])];
        pack(&path, &files).unwrap();
        assert_eq!(unpack(&path).unwrap(), BTreeMap::from(files.clone()));
        assert!(matches!(pack(&path, &files), Err(ArchiveError::Taken { .. })), "nothing is overwritten");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for name in ["../events.jsonl", "/etc/passwd", "runs/events.jsonl", "..", ".", "./events.jsonl", "a\\b"] {
            let said = refused(&archive(&[plain("manifest.json"), plain(name)]));
            assert!(said.ends_with("is outside of the run's folder"), "{name}: {said}");
        }
    }

    #[test]
    fn links_folders_and_doubles_are_refused() {
        for (kind, what) in [
            (EntryType::Symlink, "is a link"),
            (EntryType::Link, "is a link"),
            (EntryType::Directory, "is no plain file"),
            (EntryType::Char, "is no plain file"),
        ] {
            let said = refused(&archive(&[("events.jsonl", kind, 0, b"")]));
            assert!(said.ends_with(what), "{said}");
        }
        let said = refused(&archive(&[plain("a"), plain("a")]));
        assert!(said.ends_with("is in it twice"), "{said}");
    }

    #[test]
    fn more_than_a_run_can_have_is_refused_before_it_is_read() {
        let names: Vec<String> = (0..=MAX_FILES).map(|n| n.to_string()).collect();
        let many: Vec<_> = names.iter().map(|name| plain(name)).collect();
        assert!(refused(&archive(&many)).ends_with("it holds more than 32 files"));
        let claims = archive(&[("events.jsonl", EntryType::Regular, MAX_UNPACKED_BYTES + 1, b"")]);
        assert!(refused(&claims).ends_with("bytes"), "{}", refused(&claims));
        let half = MAX_UNPACKED_BYTES / 2 + 1;
        let claims = archive(&[plain("a"), ("b", EntryType::Regular, 2 * half, b"")]);
        assert!(refused(&claims).ends_with("bytes"), "{}", refused(&claims));
    }

    #[test]
    fn what_is_no_archive_is_told_so() {
        for packed in [&b"hello"[..], b""] {
            assert_eq!(refused(packed), "run.tar.gz is no export of a run");
        }
        let whole = archive(&[plain("manifest.json")]);
        assert_eq!(refused(&whole[..whole.len() / 2]), "run.tar.gz is no export of a run");
    }
}
