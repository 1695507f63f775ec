//! What is wrong with a table: file, row, column, what, and what to do.

use std::fmt;

use socle_finding::Text;

/// One problem. Rows count as a spreadsheet counts them: the heading is row 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The table.
    pub file: String,
    /// The row, 0 when it is the file as a whole.
    pub row: usize,
    /// The column, empty when it is the row as a whole.
    pub column: String,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub mend: Text,
}

impl Problem {
    /// The problem in both languages, with its place.
    #[must_use]
    pub fn said(&self) -> Text {
        let place = |row: &str, column: &str| {
            let mut place = self.file.clone();
            if self.row > 0 {
                place.push_str(&format!(", {row} {}", self.row));
            }
            if !self.column.is_empty() {
                place.push_str(&format!(", {column} {}", self.column));
            }
            place
        };
        Text::new(
            format!("{} : {} ({})", place("ligne", "colonne"), self.message.fr, self.mend.fr),
            format!("{}: {} ({})", place("row", "column"), self.message.en, self.mend.en),
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said().en)
    }
}

/// A catalogue that cannot be used: all its problems.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the catalogue has {} problem(s), the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
pub struct CatalogueError(pub Vec<Problem>);

/// Collects the problems of one table.
pub(super) struct Problems<'a> {
    pub(super) file: &'a str,
    pub(super) found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    pub(super) const fn new(file: &'a str) -> Self {
        Self { file, found: Vec::new() }
    }

    pub(super) fn add(&mut self, row: usize, column: &str, message: Text, mend: Text) {
        self.found.push(Problem { file: self.file.to_owned(), row, column: column.to_owned(), message, mend });
    }
}
