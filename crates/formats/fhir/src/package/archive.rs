//! A `.tgz` read into memory: regular files only, each at a plain relative path.
//!
//! The reader knows POSIX ustar, the pax `path` and the GNU long name, which is all that `npm pack` and
//! the FHIR publisher write. Links, devices and absolute or climbing paths refuse the whole archive:
//! no honest package holds one.
//!
//! Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header File Format"; RFC 1952 (gzip).

use std::collections::BTreeMap;
use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use socle_finding::Text;

use super::{PackageError, PackageErrorKind};

/// What a package may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive as received.
    pub archive_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files together.
    pub total_bytes: u64,
    /// Files.
    pub files: usize,
}

impl Default for Limits {
    /// 256 MB received, 128 MB a file, 1 GB in all, 100 000 files: several times the largest published
    /// package (terminologies).
    fn default() -> Self {
        Self { archive_bytes: 256 << 20, file_bytes: 128 << 20, total_bytes: 1 << 30, files: 100_000 }
    }
}

impl Limits {
    pub(super) fn too_big(what: Text, limit: u64) -> PackageErrorKind {
        PackageErrorKind::TooBig { what, limit }
    }
}

pub(super) const ARCHIVE_BYTES: Text = Text::fixed("octets de l'archive", "bytes of the archive");
pub(super) const FILE_BYTES: Text = Text::fixed("octets d'un fichier", "bytes of a file");
pub(super) const TOTAL_BYTES: Text = Text::fixed("octets décompressés", "bytes once decompressed");
pub(super) const FILES: Text = Text::fixed("nombre de fichiers", "number of files");

const BLOCK: usize = 512;
/// A pax header or a GNU long name longer than this is no file name.
const LONGEST_NAME: u64 = 64 << 10;

/// The files of an archive, by path, in order.
pub(super) type Files = BTreeMap<String, Bytes>;

pub(super) fn read(subject: &str, archive: &[u8], limits: &Limits) -> Result<Files, PackageError> {
    if archive.len() as u64 > limits.archive_bytes {
        return Err(PackageError::new(subject, Limits::too_big(ARCHIVE_BYTES, limits.archive_bytes)));
    }
    let mut reader =
        Reader { input: MultiGzDecoder::new(archive), limits, total: 0, files: Files::new(), long_name: None };
    match reader.run() {
        Ok(()) => Ok(reader.files),
        Err((Some(path), kind)) => Err(PackageError::new(format!("{subject}!{path}"), kind)),
        Err((None, kind)) => Err(PackageError::new(subject, kind)),
    }
}

type Stop = (Option<String>, PackageErrorKind);

struct Reader<'a> {
    input: MultiGzDecoder<&'a [u8]>,
    limits: &'a Limits,
    total: u64,
    files: Files,
    /// The path of the next entry, when a header of its own gave it.
    long_name: Option<String>,
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        while let Some(header) = self.header()? {
            self.entry(&header)?;
        }
        Ok(())
    }

    /// The next header; none at the two empty blocks, or at the end of the data as some writers leave it.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, Stop> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) | Err(_) => return Err((None, PackageErrorKind::NotAnArchive)),
                Ok(read) => filled += read,
            }
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if checksum(&block) == octal(&block[148..156]) {
            Ok(Some(block))
        } else {
            Err((None, PackageErrorKind::NotAnArchive))
        }
    }

    fn entry(&mut self, header: &[u8; BLOCK]) -> Result<(), Stop> {
        let size = octal(&header[124..136]).ok_or((None, PackageErrorKind::NotAnArchive))?;
        match header[156] {
            // pax: for the next entry, or for all; GNU: a name too long for its field.
            b'x' => {
                let text = self.content(size, LONGEST_NAME, None)?;
                self.long_name = pax_path(&text).or(self.long_name.take());
                Ok(())
            }
            b'g' => self.content(size, LONGEST_NAME, None).map(drop),
            b'L' => {
                let text = self.content(size, LONGEST_NAME, None)?;
                self.long_name = Some(until_nul(&text));
                Ok(())
            }
            kind => {
                let path = self.long_name.take().unwrap_or_else(|| name(header));
                self.file(kind, path, size)
            }
        }
    }

    fn file(&mut self, kind: u8, path: String, size: u64) -> Result<(), Stop> {
        let Some(path) = plain(&path) else { return Err((Some(path), PackageErrorKind::PathEscape)) };
        match kind {
            b'5' => return self.content(size, 0, Some(&path)).map(drop),
            b'0' | 0 | b'7' => {}
            _ => return Err((Some(path), PackageErrorKind::NotAFile)),
        }
        if self.files.len() >= self.limits.files {
            return Err((None, Limits::too_big(FILES, self.limits.files as u64)));
        }
        let bytes = self.content(size, self.limits.file_bytes, Some(&path))?;
        if self.files.insert(path.clone(), bytes.into()).is_some() {
            return Err((Some(path), PackageErrorKind::Twice));
        }
        Ok(())
    }

    /// The bytes after a header, without the filling up to a whole block.
    fn content(&mut self, size: u64, most: u64, path: Option<&str>) -> Result<Vec<u8>, Stop> {
        let stop = |kind| (path.map(str::to_owned), kind);
        if size > most {
            return Err(stop(Limits::too_big(FILE_BYTES, most)));
        }
        self.total += size;
        if self.total > self.limits.total_bytes {
            return Err((None, Limits::too_big(TOTAL_BYTES, self.limits.total_bytes)));
        }
        // The header says the size; memory is taken as the bytes come, so that it cannot lie.
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 20)).unwrap_or_default());
        let filled = size.next_multiple_of(BLOCK as u64);
        let read = Read::by_ref(&mut self.input).take(filled).read_to_end(&mut bytes);
        match read {
            Ok(read) if read as u64 >= size => {
                bytes.truncate(usize::try_from(size).unwrap_or(usize::MAX));
                Ok(bytes)
            }
            _ => Err(stop(PackageErrorKind::NotAnArchive)),
        }
    }
}

/// The sum of the bytes of a header, its own field counted as spaces.
fn checksum(header: &[u8; BLOCK]) -> Option<u64> {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    Some(sum(&header[..148]) + 8 * u64::from(b' ') + sum(&header[156..]))
}

/// A number in octal, with spaces or zero bytes around it.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn until_nul(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn name(header: &[u8; BLOCK]) -> String {
    let name = until_nul(&header[..100]);
    let prefix = if &header[257..262] == b"ustar" { until_nul(&header[345..500]) } else { String::new() };
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// The `path` of a pax header: records `length key=value\n`.
fn pax_path(records: &[u8]) -> Option<String> {
    let mut rest = records;
    let mut path = None;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length.checked_sub(1)?)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            path = String::from_utf8(value.to_vec()).ok();
        }
        rest = rest.get(length..)?;
    }
    path
}

/// The path with `/` between plain names; none when it climbs, is absolute, or is no path on Windows.
pub(super) fn plain(path: &str) -> Option<String> {
    let steps: Vec<&str> = path.split('/').filter(|step| !matches!(*step, "" | ".")).collect();
    let is_absolute = path.starts_with('/');
    let safe = |step: &&str| *step != ".." && !step.contains(['\\', ':', '\0']) && !step.ends_with(['.', ' ']);
    (!is_absolute && !steps.is_empty() && steps.iter().all(safe)).then(|| steps.join("/"))
}
