//! CSV as RFC 4180 has it, strictly: quotes close, every row has the columns of the heading.
//!
//! Lenient readers shift a cell and go on; here a shifted cell is an error with its row.

use socle_finding::Text;

use super::problem::Problems;

/// Largest table read: 8 MB, 100 000 rows, 64 columns.
const BYTES_MAX: usize = 8 << 20;
const ROWS_MAX: usize = 100_000;
const COLUMNS_MAX: usize = 64;

/// One row below the heading.
pub(super) struct Row {
    /// As a spreadsheet counts: the heading is 1.
    pub(super) number: usize,
    cells: Vec<String>,
}

/// A table whose heading is the expected one.
pub(super) struct Table {
    columns: &'static [&'static str],
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// The cell of a column that the table declares; empty for another name.
    pub(super) fn cell<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        let at = self.columns.iter().position(|name| *name == column);
        at.and_then(|at| row.cells.get(at)).map_or("", String::as_str)
    }
}

/// Reads a table. Rows that are not whole are reported and left out.
pub(super) fn read(text: &str, columns: &'static [&'static str], problems: &mut Problems<'_>) -> Table {
    let mut table = Table { columns, rows: Vec::new() };
    if text.len() > BYTES_MAX {
        problems.add(
            0,
            "",
            Text::fixed("table de plus de 8 Mo", "a table of more than 8 MB"),
            Text::fixed("vérifiez que c'est bien cette table", "check that this is the table meant"),
        );
        return table;
    }
    let mut records = Records { text: text.strip_prefix('\u{feff}').unwrap_or(text), at: 0 };
    let mut number = 0;
    while let Some(record) = records.next_record() {
        number += 1;
        let cells = match record {
            Ok(cells) => cells,
            Err(message) => {
                problems.add(
                    number,
                    "",
                    message,
                    Text::fixed(
                        "fermez les guillemets et doublez ceux du texte (RFC 4180)",
                        "close the quotes and double those inside the text (RFC 4180)",
                    ),
                );
                return table;
            }
        };
        if number == 1 {
            if !is_heading(&cells, columns, problems) {
                return table;
            }
            continue;
        }
        if number > ROWS_MAX {
            problems.add(
                number,
                "",
                Text::fixed("plus de 100 000 lignes", "more than 100 000 rows"),
                Text::fixed("divisez la table", "split the table"),
            );
            return table;
        }
        if cells.len() != columns.len() {
            problems.add(
                number,
                "",
                Text::new(
                    format!("{} cellules au lieu de {}", cells.len(), columns.len()),
                    format!("{} cells instead of {}", cells.len(), columns.len()),
                ),
                Text::fixed(
                    "une virgule dans un texte demande des guillemets autour du texte",
                    "a comma inside a text needs quotes around the text",
                ),
            );
            continue;
        }
        table.rows.push(Row { number, cells });
    }
    table
}

fn is_heading(cells: &[String], columns: &[&str], problems: &mut Problems<'_>) -> bool {
    let wanted = columns.iter().enumerate().find(|(at, name)| cells.get(*at).map(String::as_str) != Some(**name));
    if let Some((at, name)) = wanted {
        let found = cells.get(at).map_or("", String::as_str);
        problems.add(
            1,
            name,
            Text::new(
                format!("« {found} » au lieu de « {name} » en colonne {}", at + 1),
                format!("`{found}` instead of `{name}` in column {}", at + 1),
            ),
            Text::new(
                format!("donnez ces colonnes dans cet ordre : {}", columns.join(",")),
                format!("give these columns in this order: {}", columns.join(",")),
            ),
        );
        return false;
    }
    if cells.len() == columns.len() {
        return true;
    }
    problems.add(
        1,
        cells.get(columns.len()).map_or("", String::as_str),
        Text::fixed("colonne inconnue", "unknown column"),
        Text::fixed("retirez-la", "take it out"),
    );
    false
}

struct Records<'a> {
    text: &'a str,
    at: usize,
}

impl Records<'_> {
    fn next_record(&mut self) -> Option<Result<Vec<String>, Text>> {
        if self.at >= self.text.len() {
            return None;
        }
        let mut cells = Vec::new();
        loop {
            match self.cell() {
                Ok((cell, ended)) => {
                    cells.push(cell);
                    if cells.len() > COLUMNS_MAX {
                        return Some(Err(Text::fixed("plus de 64 colonnes", "more than 64 columns")));
                    }
                    if ended {
                        return Some(Ok(cells));
                    }
                }
                Err(message) => return Some(Err(message)),
            }
        }
    }

    /// One cell, and whether it ends its row.
    fn cell(&mut self) -> Result<(String, bool), Text> {
        let rest = &self.text[self.at..];
        let (cell, used) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (cell, used) = quoted_cell(quoted)?;
                (cell, used + 1)
            }
            None => {
                let end = rest.find([',', '\n', '\r']).unwrap_or(rest.len());
                if rest[..end].contains('"') {
                    return Err(Text::fixed(
                        "guillemet au milieu d'une cellule sans guillemets",
                        "a quote inside a cell that is not quoted",
                    ));
                }
                (rest[..end].to_owned(), end)
            }
        };
        let after = &rest[used..];
        let (step, ended) = match after.as_bytes() {
            [b',', ..] => (1, false),
            [b'\r', b'\n', ..] => (2, true),
            [b'\n', ..] => (1, true),
            [] => (0, true),
            _ => return Err(Text::fixed("texte après le guillemet fermant", "text after the closing quote")),
        };
        self.at += used + step;
        Ok((cell, ended))
    }
}

/// What stands between the quotes, and how many bytes that took with the closing one.
fn quoted_cell(text: &str) -> Result<(String, usize), Text> {
    let mut cell = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('"') {
        cell.push_str(&text[at..at + found]);
        at += found + 1;
        if !text[at..].starts_with('"') {
            return Ok((cell, at));
        }
        cell.push('"');
        at += 1;
    }
    Err(Text::fixed("guillemet jamais fermé", "a quote that never closes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
        let mut problems = Problems::new("t.csv");
        let table = read(text, &["a", "b"], &mut problems);
        match problems.found.first() {
            Some(problem) => Err(problem.to_string()),
            None => Ok(table.rows.into_iter().map(|row| row.cells).collect()),
        }
    }

    #[test]
    fn quotes_commas_and_line_ends_are_those_of_rfc_4180() {
        let text = "\u{feff}a,b\r\n\"x,\"\"y\"\"\",\"two\nlines\"\n,";
        assert_eq!(
            rows(text).unwrap(),
            [vec!["x,\"y\"".to_owned(), "two\nlines".to_owned()], vec![String::new(), String::new()]]
        );
    }

    #[test]
    fn a_table_that_is_not_whole_is_refused_with_its_row() {
        let cases = [
            ("quote never closed", "a,b\n\"x,y", "row 2: a quote that never closes"),
            ("quote in the middle", "a,b\nx\"y,z", "row 2: a quote inside a cell"),
            ("text after the quote", "a,b\n\"x\"y,z", "row 2: text after the closing quote"),
            ("a cell too many", "a,b\nx,y,z", "row 2: 3 cells instead of 2"),
            ("a cell missing", "a,b\n1,2\nx", "row 3: 1 cells instead of 2"),
            ("other heading", "a,c\n", "row 1, column b: `c` instead of `b` in column 2"),
            ("column missing", "a\n", "row 1, column b"),
            ("unknown column", "a,b,c\n", "row 1, column c: unknown column"),
        ];
        for (name, text, said) in cases {
            let error = rows(text).unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
        assert!(rows("").unwrap().is_empty());
    }

    proptest! {
        /// What is written by the rules reads back, whatever the cells hold.
        #[test]
        fn any_cell_survives_its_quoting(cells in proptest::collection::vec(("\\PC{0,12}[\",\n\r]{0,3}", ".{0,9}"), 0..5)) {
            let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
            let mut text = "a,b\n".to_owned();
            for (a, b) in &cells {
                text.push_str(&format!("{},{}\n", quoted(a), quoted(b)));
            }
            let expected: Vec<_> = cells.into_iter().map(|(a, b)| vec![a, b]).collect();
            prop_assert_eq!(rows(&text), Ok(expected));
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = rows(&format!("a,b\n{text}"));
        }
    }
}
