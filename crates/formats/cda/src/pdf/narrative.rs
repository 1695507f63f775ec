//! The narrative block of CDA (NarrativeBlock.xsd) as blocks of text.
//!
//! Everything a person may read is kept: an element we do not know is read through.

use socle_xml::roxmltree::Node;

/// Something that stands alone on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// The document's title.
    Title(String),
    /// A section's title and its depth, from 1.
    Heading(u8, String),
    /// A paragraph, or an item of a list with its marker. A line feed is a `br`.
    Paragraph {
        /// `•`, `1.` or nothing.
        marker: String,
        /// Depth of the list.
        indent: u8,
        /// The text.
        text: String,
    },
    /// Rows.
    Table(Vec<Row>),
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Cells; those that a row above extends over are there, empty.
    pub(super) cells: Vec<Cell>,
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its text; a line feed parts paragraphs and items.
    pub(super) text: String,
    /// A `th`.
    pub(super) bold: bool,
    /// Columns that it covers.
    pub(super) span: usize,
}

/// No table of a document is wider; a hostile colspan costs no more.
const MOST_COLUMNS: usize = 64;

/// The blocks of a `text` element.
pub(super) fn blocks_of(text: Node<'_, '_>) -> Vec<Block> {
    let mut reading = Reading::default();
    reading.walk(text);
    reading.flush();
    reading.blocks
}

/// The text of a `text` element, one line a paragraph, item or row.
pub(crate) fn lines_in(text: Node<'_, '_>) -> Vec<String> {
    let lines = |block: &Block| match block {
        Block::Table(rows) => rows.iter().map(row_line).collect(),
        other => vec![lines_of(std::slice::from_ref(other))],
    };
    let all = blocks_of(text).iter().flat_map(lines).collect::<Vec<String>>();
    all.into_iter().map(|line| line.replace('\n', " / ")).filter(|line| !line.is_empty()).collect()
}

/// The text of an element on one line.
pub(super) fn inline_text(node: Node<'_, '_>) -> String {
    lines_of(&blocks_of(node)).replace('\n', " ")
}

/// Blocks as lines: the content of a cell.
fn lines_of(blocks: &[Block]) -> String {
    let line = |block: &Block| match block {
        Block::Title(text) | Block::Heading(_, text) => text.clone(),
        Block::Paragraph { marker, text, .. } if marker.is_empty() => text.clone(),
        Block::Paragraph { marker, text, .. } => format!("{marker} {text}"),
        Block::Table(rows) => rows.iter().map(row_line).collect::<Vec<_>>().join("\n"),
    };
    blocks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A row as one line.
pub(super) fn row_line(row: &Row) -> String {
    let texts = row.cells.iter().map(|cell| cell.text.as_str()).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(" | ")
}

#[derive(Default)]
struct Reading {
    blocks: Vec<Block>,
    line: String,
    marker: String,
    indent: u8,
}

impl Reading {
    fn walk(&mut self, parent: Node<'_, '_>) {
        for node in parent.children() {
            if node.is_text() {
                self.push(node.text().unwrap_or_default());
            } else if node.is_element() {
                self.element(node);
            }
        }
    }

    fn element(&mut self, node: Node<'_, '_>) {
        match node.tag_name().name() {
            "br" => self.line.push('\n'),
            "paragraph" | "caption" => {
                self.flush();
                self.walk(node);
                self.flush();
            }
            "list" => self.list(node),
            "table" => {
                self.flush();
                self.blocks.push(Block::Table(rows_of(node)));
            }
            "renderMultiMedia" => {
                self.walk(node);
                self.push(" [pièce jointe ou image : voir le document d'origine] ");
            }
            "content" if node.attribute("revised") == Some("delete") => {
                self.push(" [supprimé : ");
                self.walk(node);
                self.push("] ");
            }
            "footnote" => {
                self.push(" (");
                self.walk(node);
                self.push(") ");
            }
            "colgroup" | "col" => {}
            _ => self.walk(node),
        }
    }

    fn list(&mut self, list: Node<'_, '_>) {
        self.flush();
        let ordered = list.attribute("listType") == Some("ordered");
        self.indent = self.indent.saturating_add(1);
        let mut rank = 0;
        for node in list.children().filter(Node::is_element) {
            if node.tag_name().name() != "item" {
                self.element(node);
                continue;
            }
            rank += 1;
            self.marker = if ordered { format!("{rank}.") } else { "•".to_owned() };
            self.walk(node);
            self.flush();
            self.marker.clear();
        }
        self.indent = self.indent.saturating_sub(1);
    }

    /// White space folds, a line feed made by `br` stays.
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            if !c.is_whitespace() {
                self.line.push(c);
            } else if !self.line.is_empty() && !self.line.ends_with([' ', '\n']) {
                self.line.push(' ');
            }
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.line).trim().to_owned();
        if !text.is_empty() {
            let marker = std::mem::take(&mut self.marker);
            self.blocks.push(Block::Paragraph { marker, indent: self.indent, text });
        }
    }
}

/// Rows of `thead`, `tbody`, `tfoot`, in order, with the caption as a row of its own.
fn rows_of(table: Node<'_, '_>) -> Vec<Row> {
    let mut rows = Vec::new();
    // Rows still to be covered by a cell above, per column.
    let mut covered: Vec<usize> = Vec::new();
    let wanted = |n: &Node<'_, '_>| matches!(n.tag_name().name(), "caption" | "tr");
    for node in table.descendants().filter(|n| n.is_element() && wanted(n) && owner(*n) == Some(table)) {
        if node.tag_name().name() == "caption" {
            rows.push(Row { cells: vec![Cell { text: inline_text(node), bold: true, span: MOST_COLUMNS }] });
            continue;
        }
        rows.push(row_of(node, &mut covered));
    }
    rows
}

/// The table that a row belongs to: a cell may hold a table of its own.
fn owner<'a, 'i>(node: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    node.ancestors().skip(1).find(|n| n.tag_name().name() == "table")
}

fn row_of(tr: Node<'_, '_>, covered: &mut Vec<usize>) -> Row {
    let mut row = Row::default();
    let mut column = 0;
    for node in tr.children().filter(|n| matches!(n.tag_name().name(), "td" | "th")) {
        column = skip_covered(&mut row, covered, column);
        let size = |name: &str| node.attribute(name).and_then(|n| n.trim().parse::<usize>().ok()).unwrap_or(1);
        let span = size("colspan").clamp(1, MOST_COLUMNS - column.min(MOST_COLUMNS - 1));
        let height = size("rowspan").clamp(1, 1_000);
        row.cells.push(Cell { text: lines_of(&blocks_of(node)), bold: node.tag_name().name() == "th", span });
        covered.resize(covered.len().max(column + span), 0);
        covered[column..column + span].fill(height - 1);
        column += span;
        if column >= MOST_COLUMNS {
            break;
        }
    }
    skip_covered(&mut row, covered, column);
    row
}

fn skip_covered(row: &mut Row, covered: &mut [usize], mut column: usize) -> usize {
    while let Some(left) = covered.get_mut(column).filter(|left| **left > 0) {
        *left -= 1;
        row.cells.push(Cell { span: 1, ..Cell::default() });
        column += 1;
    }
    column
}

#[cfg(test)]
mod tests {
    use socle_xml::roxmltree::Document;

    use super::*;

    fn lines(xml: &str) -> Vec<String> {
        let xml = format!("<text xmlns=\"urn:hl7-org:v3\">{xml}</text>");
        let tree = Document::parse(&xml).unwrap();
        blocks_of(tree.root_element()).iter().map(|block| lines_of(std::slice::from_ref(block))).collect()
    }

    #[test]
    fn everything_a_person_reads_is_kept() {
        let cases: [(&str, &[&str]); 10] = [
            ("  un \n texte  ", &["un texte"]),
            ("un<br/>deux", &["un\ndeux"]),
            ("<paragraph>un</paragraph>entre<paragraph>deux</paragraph>", &["un", "entre", "deux"]),
            ("<content styleCode=\"Bold\">gras</content> et CO<sub>2</sub>", &["gras et CO2"]),
            ("<list><caption>titre</caption><item>a</item><item>b</item></list>", &["titre", "• a", "• b"]),
            (
                "<list listType=\"ordered\"><item>a<list><item>b</item></list></item><item>c</item></list>",
                &["1. a", "• b", "2. c"],
            ),
            (
                "<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
                &["A | B\n1 | 2"],
            ),
            ("<renderMultiMedia referencedObject=\"x\"/>", &["[pièce jointe ou image : voir le document d'origine]"]),
            ("<content revised=\"delete\">non</content>", &["[supprimé : non]"]),
            ("<linkHtml href=\"http://example.org\">lien</linkHtml><inconnu>lu</inconnu>", &["lienlu"]),
        ];
        for (xml, expected) in cases {
            assert_eq!(lines(xml), expected, "{xml}");
        }
    }

    #[test]
    fn spans_keep_columns_in_place_and_cost_nothing_when_hostile() {
        let rows = |xml: &str| {
            let xml = format!("<table>{xml}</table>");
            let tree = Document::parse(&xml).unwrap();
            let texts = |row: &Row| row.cells.iter().map(|cell| (cell.text.clone(), cell.span)).collect::<Vec<_>>();
            rows_of(tree.root_element()).iter().map(texts).collect::<Vec<_>>()
        };
        let cell = |text: &str, span| (text.to_owned(), span);
        assert_eq!(
            rows("<tr><td rowspan=\"2\">a</td><td colspan=\"2\">b</td></tr><tr><td>c</td><td>d</td></tr>"),
            [vec![cell("a", 1), cell("b", 2)], vec![cell("", 1), cell("c", 1), cell("d", 1)]]
        );
        let hostile = "<tr><td colspan=\"4000000000\" rowspan=\"4000000000\">a</td><td>b</td></tr>";
        assert_eq!(rows(hostile), [vec![cell("a", 64)]]);
        let nested = rows("<tr><td><table><tr><td>x</td><td>y</td></tr></table></td></tr>");
        assert_eq!(nested, [vec![cell("x | y", 1)]]);
    }
}
