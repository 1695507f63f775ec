//! Blobs on the disk: records appended to segment files `blobs/000001.seg`, `000002.seg`…
//!
//! A record is a header of 56 bytes (magic, digest, length, check of the three) and the bytes. The
//! index in the database says which records count; it is written after the records are synced, so what
//! lies behind the last indexed record is the rest of a crash, and is cut off at the next start. The
//! header serves the check of a segment by itself and the rebuilding of a lost index.
//!
//! Not here: the index (`blobs.rs`).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::folder::sync_folder;
use super::sql::{damaged, io};
use crate::{Blob, Digest, StoreError};

const MAGIC: [u8; 8] = *b"SOCLEB1\n";
const HEADER: usize = 56;

/// Where a blob's bytes begin (not its header), and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: i64,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The segment files, appended to by the writer alone.
pub(super) struct Segments {
    folder: PathBuf,
    /// A new segment begins when the current one is longer.
    roll_at: u64,
    number: i64,
    length: u64,
    /// `None`: the next append begins the segment `number`.
    file: Option<File>,
}

impl Segments {
    /// Opens the segments, cutting off what lies behind `end`, the end of the last indexed record.
    pub(super) fn open(folder: PathBuf, roll_at: u64, end: Option<(i64, u64)>) -> Result<Self, StoreError> {
        let Some((number, length)) = end else {
            return Ok(Self { folder, roll_at, number: 1, length: 0, file: None });
        };
        let path = segment_path(&folder, number);
        let file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(|source| damaged(format!("{} cannot be opened: {source}", path.display())))?;
        let found = file.metadata().map_err(io("read the size of a blob segment"))?.len();
        if found < length {
            return Err(damaged(format!("{} has {found} bytes of {length}", path.display())));
        }
        if found > length {
            file.set_len(length).map_err(io("cut the rest of a crash off a blob segment"))?;
        }
        Ok(Self { folder, roll_at, number, length, file: Some(file) })
    }

    /// Whether there is any segment.
    pub(super) fn any(folder: &Path) -> bool {
        segment_path(folder, 1).exists()
    }

    /// Appends a blob. It counts once [`Segments::sync`] has succeeded and its place is in the index.
    pub(super) fn append(&mut self, blob: &Blob) -> Result<Place, StoreError> {
        if self.length >= self.roll_at && self.file.is_some() {
            self.sync()?;
            self.begin_next();
        }
        let start = self.length;
        let file = self.current()?;
        let length = blob.bytes().len() as u64;
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.write_all(&header(&blob.digest(), length)))
            .and_then(|()| file.write_all(blob.bytes()))
            .map_err(io("append to a blob segment"))?;
        let offset = start + HEADER as u64;
        self.length = offset + length;
        Ok(Place { segment: self.number, offset, length })
    }

    /// Where the next record goes.
    pub(super) const fn end(&self) -> (i64, u64) {
        (self.number, self.length)
    }

    /// Takes back what was appended after `end`, none of which counts, after a failed write or sync: what lies before was
    /// synced. A full disk gets its room back.
    pub(super) fn take_back(&mut self, end: (i64, u64)) {
        if end == self.end() && self.file.is_none() {
            return;
        }
        let cut = match &self.file {
            Some(file) if self.number == end.0 => file.set_len(end.1).is_ok(),
            _ => false,
        };
        if cut {
            self.length = end.1;
        } else {
            self.begin_next();
        }
    }

    /// Makes everything appended durable.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        match &self.file {
            Some(file) => file.sync_data().map_err(io("sync a blob segment")),
            None => Ok(()),
        }
    }

    /// Leaves the current segment, if there is one, as it is.
    pub(super) fn begin_next(&mut self) {
        if self.file.take().is_some() {
            self.number += 1;
            self.length = 0;
        }
    }

    fn current(&mut self) -> Result<&mut File, StoreError> {
        if self.file.is_none() {
            // Truncates: a file of this number is the rest of a crash before its first record counted.
            let file = File::create(segment_path(&self.folder, self.number)).map_err(io("begin a blob segment"))?;
            sync_folder(&self.folder).map_err(io("begin a blob segment"))?;
            self.file = Some(file);
            self.length = 0;
        }
        self.file.as_mut().ok_or(StoreError::Closed)
    }
}

/// Reads a blob, its header and its digest checked.
pub(super) fn read(folder: &Path, digest: &Digest, place: Place) -> Result<Bytes, StoreError> {
    let wrong = |what: String| StoreError::BlobDamaged { digest: *digest, what };
    let path = segment_path(folder, place.segment);
    let mut file = File::open(&path).map_err(|source| wrong(format!("{}: {source}", path.display())))?;
    let (mut head, mut bytes) = ([0; HEADER], Vec::new());
    read_record(&mut file, place, &mut head, &mut bytes).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => wrong(format!("{} ends before it", path.display())),
        _ => StoreError::Io { doing: "read a blob", source },
    })?;
    if head != header(digest, place.length) {
        return Err(wrong(format!("its header in {} at {} was changed", path.display(), place.offset)));
    }
    if Digest::of(&bytes) != *digest {
        return Err(wrong(format!("its bytes in {} at {} were changed", path.display(), place.offset)));
    }
    Ok(bytes.into())
}

fn read_record(file: &mut File, place: Place, head: &mut [u8; HEADER], bytes: &mut Vec<u8>) -> io::Result<()> {
    file.seek(SeekFrom::Start(place.offset.saturating_sub(HEADER as u64)))?;
    file.read_exact(head)?;
    // Grows as it reads: a length edited in the index does not reserve memory.
    let read = file.take(place.length).read_to_end(bytes)?;
    if read as u64 == place.length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn header(digest: &Digest, length: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..40].copy_from_slice(digest.as_bytes());
    header[40..48].copy_from_slice(&length.to_le_bytes());
    let check = Digest::of(&header[..48]);
    header[48..].copy_from_slice(&check.as_bytes()[..8]);
    header
}

fn segment_path(folder: &Path, number: i64) -> PathBuf {
    folder.join(format!("{number:06}.seg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(n: u8) -> Blob {
        Blob::new(vec![n; 100])
    }

    fn segments(folder: &Path, roll_at: u64) -> Segments {
        Segments::open(folder.to_owned(), roll_at, None).unwrap()
    }

    fn sizes(folder: &Path) -> Vec<u64> {
        let size = |n| std::fs::metadata(segment_path(folder, n)).map(|file| file.len()).ok();
        (1..9).map_while(size).collect()
    }

    #[test]
    fn a_segment_ends_at_its_limit_and_every_blob_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut segments = segments(dir.path(), 200);
        let places: Vec<_> = (0..5).map(|n| segments.append(&blob(n)).unwrap()).collect();
        assert_eq!(
            places.iter().map(|place| (place.segment, place.offset)).collect::<Vec<_>>(),
            [(1, 56), (1, 212), (2, 56), (2, 212), (3, 56)]
        );
        for (n, place) in places.into_iter().enumerate() {
            assert_eq!(read(dir.path(), &blob(n as u8).digest(), place).unwrap(), blob(n as u8).bytes());
        }
    }

    #[test]
    fn what_is_taken_back_leaves_its_room_and_what_came_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut segments = segments(dir.path(), 400);
        let kept = segments.append(&blob(0)).unwrap();
        let end = segments.end();
        segments.append(&blob(1)).unwrap();
        segments.take_back(end);
        assert_eq!(sizes(dir.path()), [156]);
        // Across the end of a segment, the later one goes, and the rest of the former one stays unindexed.
        for n in 2..6 {
            segments.append(&blob(n)).unwrap();
        }
        assert_eq!(sizes(dir.path()), [468, 312]);
        segments.take_back(end);
        let next = segments.append(&blob(9)).unwrap();
        assert_eq!((next.segment, next.offset), (3, 56));
        for (blob, place) in [(blob(0), kept), (blob(9), next)] {
            assert_eq!(read(dir.path(), &blob.digest(), place).unwrap(), blob.bytes());
        }
    }

    #[test]
    fn taking_back_nothing_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut segments = segments(dir.path(), 400);
        segments.take_back(segments.end());
        segments.append(&blob(0)).unwrap();
        segments.take_back(segments.end());
        assert_eq!(segments.append(&blob(1)).unwrap().offset, 212);
        assert_eq!(sizes(dir.path()), [312]);
    }
}
