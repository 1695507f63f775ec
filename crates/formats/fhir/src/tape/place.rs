//! Lines and columns, counted when somebody asks.

use memchr::{memchr_iter, memrchr};

/// A place in the received bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// From 0, in bytes.
    pub offset: usize,
}

impl Position {
    /// The place of a byte.
    pub(crate) fn of(bytes: &[u8], offset: usize) -> Self {
        let offset = offset.min(bytes.len());
        let (line, column) = after((1, 1), &bytes[..offset]);
        Self { line, column, offset }
    }

    /// The place at a line and column.
    pub(crate) fn at(bytes: &[u8], line: usize, column: usize) -> Self {
        let before = line.checked_sub(2).and_then(|nth| memchr_iter(b'\n', bytes).nth(nth));
        let start = before.map_or(0, |newline| newline + 1);
        let is_sign = |(_, byte): &(usize, &u8)| (**byte & 0xC0) != 0x80;
        let rest = bytes[start..].iter().enumerate().filter(is_sign).nth(column.saturating_sub(1));
        Self { line, column, offset: rest.map_or(bytes.len(), |(more, _)| start + more) }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The line and column at the start of each block, so that a question costs one block whatever the
/// document: one line of 100 MB and a million empty lines are both seen in the field.
pub(super) struct Places(Vec<(usize, usize)>);

const BLOCK: usize = 16 << 10;

impl Places {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let starts = bytes.chunks(BLOCK).scan((1, 1), |place, block| {
            let start = *place;
            *place = after(start, block);
            Some(start)
        });
        Self(starts.collect())
    }

    pub(super) fn position(&self, bytes: &[u8], offset: usize) -> Position {
        let offset = offset.min(bytes.len());
        let block = (offset / BLOCK).min(self.0.len().saturating_sub(1));
        let start = self.0.get(block).copied().unwrap_or((1, 1));
        let (line, column) = after(start, &bytes[block * BLOCK..offset]);
        Position { line, column, offset }
    }
}

/// The line and column after `text`, which starts at the given ones.
fn after((line, column): (usize, usize), text: &[u8]) -> (usize, usize) {
    let signs = |text: &[u8]| text.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
    match memrchr(b'\n', text) {
        None => (line, column + signs(text)),
        Some(last) => (line + memchr_iter(b'\n', text).count(), 1 + signs(&text[last + 1..])),
    }
}
