//! Tables: rows with a separator, quoted or not; and code systems that are one table with a code and a
//! name, whatever their columns are called (CCAM, CIM-10 and other lists that are published as CSV).

use std::io::BufRead;

use super::ImportError;
use crate::terminology::code_system::{CodeSystem, CodeSystemBuilder};
use crate::terminology::model::{Concept, Content, Property, PropertyValue};

/// A row is shorter than this: a longer one is a file of another kind.
const MAX_ROW: usize = 1 << 20;

/// The rows of a table, the names of the columns first.
pub(super) struct Rows<R> {
    reader: R,
    separator: char,
    /// Fields may stand between double quotes (RFC 4180).
    is_quoted: bool,
    columns: Vec<String>,
    line: usize,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(reader: R, separator: char, is_quoted: bool) -> Result<Self, ImportError> {
        let mut rows = Self { reader, separator, is_quoted, columns: Vec::new(), line: 0 };
        let first = rows.next()?.ok_or(ImportError::Empty)?;
        rows.columns = first.into_iter().map(|name| name.trim_start_matches('\u{FEFF}').trim().to_owned()).collect();
        Ok(rows)
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Result<usize, ImportError> {
        let place = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        place.ok_or_else(|| ImportError::Column(name.to_owned()))
    }

    /// The line of the row that was read last, from 1.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    pub(super) fn next(&mut self) -> Result<Option<Vec<String>>, ImportError> {
        let mut text = String::new();
        loop {
            let before = text.len();
            self.line += 1;
            if self.reader.read_line(&mut text)? == 0 {
                if before == 0 {
                    return Ok(None);
                }
                return Err(ImportError::Line { line: self.line, what: "a quoted field is not closed" });
            }
            if text.len() > MAX_ROW {
                return Err(ImportError::Line { line: self.line, what: "the line is longer than 1 MiB" });
            }
            // A quoted field may hold line ends.
            let is_open = self.is_quoted && text.matches('"').count() % 2 == 1;
            if is_open {
                continue;
            }
            let row = text.trim_end_matches(['\r', '\n']);
            if row.is_empty() {
                text.clear();
                continue;
            }
            return Ok(Some(self.split(row)));
        }
    }

    fn split(&self, row: &str) -> Vec<String> {
        if !self.is_quoted || !row.contains('"') {
            return row.split(self.separator).map(str::to_owned).collect();
        }
        let mut fields = vec![String::new()];
        let mut letters = row.chars().peekable();
        let mut is_inside = false;
        while let Some(letter) = letters.next() {
            match letter {
                '"' if is_inside && letters.peek() == Some(&'"') => {
                    letters.next();
                    push(&mut fields, '"');
                }
                '"' => is_inside = !is_inside,
                letter if letter == self.separator && !is_inside => fields.push(String::new()),
                letter => push(&mut fields, letter),
            }
        }
        fields
    }
}

fn push(fields: &mut [String], letter: char) {
    if let Some(last) = fields.last_mut() {
        last.push(letter);
    }
}

/// A field, empty when the row is too short.
pub(super) fn field(row: &[String], at: usize) -> &str {
    row.get(at).map(|text| text.trim()).unwrap_or_default()
}

/// How a table is a code system. The names of the columns are those of its first line.
#[derive(Debug, Clone)]
pub struct Layout<'a> {
    /// The canonical to give it.
    pub url: &'a str,
    /// Its edition.
    pub version: Option<&'a str>,
    /// The language of the names.
    pub language: &'a str,
    /// Between two fields.
    pub separator: char,
    /// The column of the code.
    pub code: &'a str,
    /// The column of the name.
    pub display: &'a str,
    /// The column of the code above, when there is one.
    pub parent: Option<&'a str>,
    /// Columns to keep as properties.
    pub properties: &'a [&'a str],
}

/// Reads a table, in UTF-8.
///
/// ```
/// use socle_fhir::terminology::import::table::{Layout, read};
///
/// let csv = "code;libelle;parent\nAA;\"Chapitre \"\"un\"\"\";\nAA01;Acte;AA\n";
/// let layout = Layout { url: "http://example.org/actes", version: Some("2026"), language: "fr", separator: ';',
///     code: "code", display: "libelle", parent: Some("parent"), properties: &[] };
/// let system = read(csv.as_bytes(), &layout)?;
/// let (above, act) = (system.find("AA").unwrap(), system.find("AA01").unwrap());
/// assert!(system.hierarchy().subsumes(above, act));
/// assert_eq!(system.is_named(above, "Chapitre \"un\""), Some(true));
/// # Ok::<(), socle_fhir::terminology::import::ImportError>(())
/// ```
///
/// # Errors
/// When a column is missing, a row is broken or there is no concept.
pub fn read(reader: impl BufRead, layout: &Layout<'_>) -> Result<CodeSystem, ImportError> {
    let mut rows = Rows::new(reader, layout.separator, true)?;
    let (code, display) = (rows.column(layout.code)?, rows.column(layout.display)?);
    let parent = layout.parent.map(|name| rows.column(name)).transpose()?;
    let columns: Result<Vec<_>, _> = layout.properties.iter().map(|name| rows.column(name)).collect();
    let columns = columns?;
    let mut builder = CodeSystemBuilder::new(layout.url, Content::Complete);
    builder.language(layout.language);
    if let Some(version) = layout.version {
        builder.version(version);
    }
    let mut is_empty = true;
    while let Some(row) = rows.next()? {
        let own = field(&row, code);
        if own.is_empty() {
            return Err(ImportError::Line { line: rows.line(), what: "the code is empty" });
        }
        let property = |name: &str, at: usize| {
            let value = field(&row, at);
            (!value.is_empty()).then(|| Property { code: name.into(), value: PropertyValue::Text(value.into()) })
        };
        let mut properties: Vec<_> =
            layout.properties.iter().zip(&columns).filter_map(|(name, at)| property(name, *at)).collect();
        properties.extend(parent.and_then(|at| property("parent", at)));
        let concept = Concept {
            code: own.into(),
            display: Some(field(&row, display)).filter(|name| !name.is_empty()).map(Into::into),
            properties,
            ..Concept::default()
        };
        builder.add(concept, None);
        is_empty = false;
    }
    if is_empty { Err(ImportError::Empty) } else { Ok(builder.finish()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout<'static> = Layout {
        url: "http://e/t",
        version: None,
        language: "fr",
        separator: ',',
        code: "code",
        display: "nom",
        parent: None,
        properties: &["tarif"],
    };

    #[test]
    fn rows_are_read_as_rfc_4180_says() {
        let text = "\u{FEFF}Code,nom,tarif\r\n\r\n01,\"Un, deux\net \"\"trois\"\"\",7\r\n02,Deux\r\n";
        let system = read(text.as_bytes(), &LAYOUT).unwrap();
        assert_eq!(system.len(), 2);
        assert_eq!(system.concepts()[0].display.as_deref(), Some("Un, deux\net \"trois\""));
        assert_eq!(system.concepts()[0].properties[0].value, PropertyValue::Text("7".into()));
        assert!(system.concepts()[1].properties.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let cases = [
            ("", "the file has no concept: check that it is the file that is expected here"),
            ("code,tarif\n", "the file has no column nom: check that it is the file that is expected here"),
            ("code,nom,tarif\n", "the file has no concept: check that it is the file that is expected here"),
            ("code,nom,tarif\n01,a,1\n,b,2\n", "line 3: the code is empty"),
            ("code,nom,tarif\n01,\"a,1\n", "line 3: a quoted field is not closed"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text.as_bytes(), &LAYOUT).unwrap_err().to_string(), expected);
        }
    }
}
