//! Blocks as lines on A4 pages. Lengths are in points, from the lower left corner.

use super::font::{Font, Weight};
use super::narrative::{Block, Cell, Row, row_line};

pub(super) const PAGE_WIDTH: f32 = 595.0;
pub(super) const PAGE_HEIGHT: f32 = 842.0;
/// A document of 64 MB could make many more; nobody reads them.
pub(super) const MOST_PAGES: usize = 2_000;
const MARGIN: f32 = 50.0;
const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
const TOP: f32 = PAGE_HEIGHT - MARGIN;
/// Below it is the footer.
const BOTTOM: f32 = MARGIN + 14.0;
const BODY: f32 = 9.5;
const TABLE: f32 = 8.5;
const SMALL: f32 = 7.5;
const LEADING: f32 = 1.35;
const INDENT: f32 = 14.0;
const PADDING: f32 = 4.0;
const MOST_COLUMNS: usize = 10;

/// A mark on a page.
pub(super) enum Mark {
    /// A text, its glyphs encoded.
    Text { x: f32, y: f32, size: f32, weight: Weight, glyphs: String },
    /// A hairline from `x` over `width`.
    Rule { x: f32, y: f32, width: f32 },
}

/// Pages and the fonts they use.
pub(super) struct Pages {
    pub(super) pages: Vec<Vec<Mark>>,
    pub(super) regular: Font,
    pub(super) bold: Font,
}

/// Pages being filled.
pub(super) struct Layout {
    pages: Pages,
    y: f32,
}

impl Layout {
    /// An empty first page; none when the fonts cannot be read.
    pub(super) fn new() -> Option<Self> {
        let (regular, bold) = (Font::open(Weight::Regular)?, Font::open(Weight::Bold)?);
        Some(Self { pages: Pages { pages: vec![Vec::new()], regular, bold }, y: TOP })
    }

    /// Sets a block below the last one.
    pub(super) fn set(&mut self, block: &Block) {
        match block {
            Block::Title(text) => self.heading(text, 15.0, 0.0),
            Block::Heading(level, text) => {
                let size = match level {
                    1 => 11.5,
                    2 => 10.5,
                    _ => BODY,
                };
                self.heading(text, size, 10.0);
            }
            Block::Paragraph { marker, indent, text } => self.paragraph(marker, *indent, text),
            Block::Table(rows) => self.table(rows),
        }
    }

    /// The pages, each with its footer and number; none when they are too many.
    pub(super) fn finish(mut self, footer: &str) -> Option<Pages> {
        let count = self.pages.pages.len();
        if count > MOST_PAGES {
            return None;
        }
        for page in 0..count {
            let number = format!("page {}/{count}", page + 1);
            let x = PAGE_WIDTH - MARGIN - self.pages.regular.width(&number, SMALL);
            for (x, text) in [(MARGIN, footer), (x, number.as_str())] {
                let glyphs = self.pages.regular.encode(text);
                let mark = Mark::Text { x, y: MARGIN - 6.0, size: SMALL, weight: Weight::Regular, glyphs };
                self.pages.pages[page].push(mark);
            }
        }
        Some(self.pages)
    }

    fn font(&mut self, weight: Weight) -> &mut Font {
        match weight {
            Weight::Regular => &mut self.pages.regular,
            Weight::Bold => &mut self.pages.bold,
        }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Begins a page when less than this is left.
    fn need(&mut self, height: f32) {
        if self.y - height < BOTTOM && self.y < TOP {
            // Beyond the limit nothing is kept: the document will be refused as a whole.
            if self.pages.pages.len() <= MOST_PAGES {
                self.pages.pages.push(Vec::new());
            } else if let Some(page) = self.pages.pages.last_mut() {
                page.clear();
            }
            self.y = TOP;
        }
    }

    /// Writes a line whose top is at the cursor, without moving it.
    fn write(&mut self, x: f32, text: &str, size: f32, weight: Weight) {
        if text.is_empty() {
            return;
        }
        let y = self.y - size;
        let glyphs = self.font(weight).encode(text);
        self.mark(Mark::Text { x, y, size, weight, glyphs });
    }

    fn heading(&mut self, text: &str, size: f32, before: f32) {
        let lines = wrap(self.font(Weight::Bold), text, WIDTH, size);
        // A heading stays with the first lines of what it announces.
        self.need(before + size * LEADING * lines.len().min(4) as f32 + 3.0 * BODY * LEADING);
        if self.y < TOP {
            self.y -= before;
        }
        for line in lines {
            self.need(size * LEADING);
            self.write(MARGIN, &line, size, Weight::Bold);
            self.y -= size * LEADING;
        }
        self.y -= 2.0;
    }

    fn paragraph(&mut self, marker: &str, indent: u8, text: &str) {
        let left = MARGIN + INDENT * f32::from(indent.min(12));
        let lines = wrap(&self.pages.regular, text, PAGE_WIDTH - MARGIN - left, BODY);
        for (rank, line) in lines.iter().enumerate() {
            self.need(BODY * LEADING);
            if rank == 0 && !marker.is_empty() {
                let width = self.pages.regular.width(marker, BODY);
                self.write(left - width - 4.0, marker, BODY, Weight::Regular);
            }
            self.write(left, line, BODY, Weight::Regular);
            self.y -= BODY * LEADING;
        }
        self.y -= 2.0;
    }

    /// A table that does not fit, or has too many columns, is set row by row, as lines.
    fn table(&mut self, rows: &[Row]) {
        let columns = rows.iter().map(columns_of).max().unwrap_or_default();
        if columns == 0 {
            return;
        }
        let Some(widths) = (columns <= MOST_COLUMNS).then(|| self.column_widths(rows, columns)).flatten() else {
            rows.iter().for_each(|row| self.paragraph("", 0, &row_line(row)));
            return;
        };
        self.y -= 4.0;
        for row in rows {
            self.row(row, &widths);
        }
        self.y -= 6.0;
    }

    /// Each column gets its longest word at least, and its longest line if there is room; none when the
    /// words do not fit.
    fn column_widths(&self, rows: &[Row], columns: usize) -> Option<Vec<f32>> {
        let mut least = vec![24.0_f32; columns];
        let mut wanted = least.clone();
        for row in rows {
            let mut column = 0;
            for cell in &row.cells {
                let end = (column + cell.span).min(columns);
                widen(&mut least[column.min(end)..end], self.widest(cell, &mut cell.text.split_whitespace()));
                widen(&mut wanted[column.min(end)..end], self.widest(cell, &mut cell.text.split('\n')));
                column += cell.span;
            }
        }
        let (floor, ceiling): (f32, f32) = (least.iter().sum(), wanted.iter().sum());
        if ceiling <= WIDTH {
            if let Some(last) = wanted.last_mut() {
                *last += WIDTH - ceiling;
            }
            return Some(wanted);
        }
        if floor > WIDTH {
            return None;
        }
        Some(shared_out(least, &wanted, WIDTH - floor))
    }

    fn widest(&self, cell: &Cell, parts: &mut dyn Iterator<Item = &str>) -> f32 {
        let font = if cell.bold { &self.pages.bold } else { &self.pages.regular };
        parts.map(|part| font.width(part, TABLE)).fold(0.0, f32::max) + 2.0 * PADDING + 0.1
    }

    /// A row stays on one page when a page can hold it.
    fn row(&mut self, row: &Row, widths: &[f32]) {
        let mut cells: Vec<(f32, Weight, Vec<String>)> = Vec::new();
        let (mut x, mut column) = (MARGIN, 0);
        for cell in &row.cells {
            let end = (column + cell.span).min(widths.len());
            let width: f32 = widths.get(column..end).unwrap_or_default().iter().sum();
            let weight = if cell.bold { Weight::Bold } else { Weight::Regular };
            let lines = wrap(self.font(weight), &cell.text, width - 2.0 * PADDING, TABLE);
            cells.push((x + PADDING, weight, lines));
            x += width;
            column = end;
        }
        let height = cells.iter().map(|(_, _, lines)| lines.len()).max().unwrap_or_default();
        let whole = height as f32 * TABLE * LEADING + 4.0;
        if whole < TOP - BOTTOM {
            self.need(whole);
        }
        for line in 0..height {
            self.need(TABLE * LEADING);
            for (x, weight, lines) in &cells {
                self.write(*x, lines.get(line).map_or("", String::as_str), TABLE, *weight);
            }
            self.y -= TABLE * LEADING;
        }
        self.y -= 1.0;
        self.mark(Mark::Rule { x: MARGIN, y: self.y, width: WIDTH });
        self.y -= 3.0;
    }
}

/// Gives each column an equal part of what is left, those that want less first: short columns (labels,
/// dates) keep their lines whole, long ones take the rest.
fn shared_out(mut widths: Vec<f32>, wanted: &[f32], mut left: f32) -> Vec<f32> {
    let mut order: Vec<usize> = (0..widths.len()).collect();
    order.sort_by(|a, b| (wanted[*a] - widths[*a]).total_cmp(&(wanted[*b] - widths[*b])));
    for (done, column) in order.iter().enumerate() {
        let part = left / (order.len() - done) as f32;
        let given = part.min(wanted[*column] - widths[*column]);
        widths[*column] += given;
        left -= given;
    }
    widths
}

/// Makes columns wide enough together; the last one takes what is missing.
fn widen(columns: &mut [f32], width: f32) {
    let now: f32 = columns.iter().sum();
    if let Some(last) = columns.last_mut() {
        *last += (width - now).max(0.0);
    }
}

/// Columns that a row needs; a caption that covers everything needs one.
fn columns_of(row: &Row) -> usize {
    match row.cells.as_slice() {
        [only] => only.span.min(1),
        cells => cells.iter().map(|cell| cell.span).sum(),
    }
}

/// Lines that fit a width. A word wider than a line is cut.
fn wrap(font: &Font, text: &str, width: f32, size: f32) -> Vec<String> {
    let most = (width / size).max(1.0);
    let space = font.advance(' ');
    let mut lines = Vec::new();
    for part in text.split('\n') {
        let (mut line, mut used) = (String::new(), 0.0);
        for word in part.split_whitespace() {
            let length: f32 = word.chars().map(|c| font.advance(c)).sum();
            if !line.is_empty() && used + space + length > most {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if !line.is_empty() {
                line.push(' ');
                used += space;
            }
            for c in word.chars() {
                let advance = font.advance(c);
                if used + advance > most && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += advance;
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::new().unwrap()
    }

    #[test]
    fn lines_fit_and_lose_nothing() {
        let font = Font::open(Weight::Regular).unwrap();
        let long = "anticonstitutionnellement".repeat(20);
        for text in ["", "un mot", "un  deux\ntrois", long.as_str(), "é à ç œ µ ≥ → 漢字 \u{1F600}"] {
            let lines = wrap(&font, text, 120.0, BODY);
            for line in &lines {
                assert!(font.width(line, BODY) <= 120.1, "{line}");
            }
            let without_space = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(without_space(&lines.join(" ")), without_space(text));
        }
        assert_eq!(wrap(&font, "a", 0.0, BODY), ["a"]);
    }

    #[test]
    fn everything_stays_between_the_margins_whatever_the_blocks() {
        let cell = |text: &str, span| Cell { text: text.into(), bold: false, span };
        let words = "mot ".repeat(3_000);
        let mut layout = layout();
        layout.set(&Block::Title("Titre ".repeat(60)));
        layout.set(&Block::Heading(1, "Section".into()));
        layout.set(&Block::Paragraph { marker: "•".into(), indent: 200, text: words.clone() });
        layout.set(&Block::Table(vec![Row { cells: vec![cell("a", 1), cell(&words, 1), cell("b", 1)] }]));
        layout.set(&Block::Table(vec![Row { cells: (0..40).map(|_| cell("x", 1)).collect() }]));
        layout.set(&Block::Table(vec![Row { cells: vec![cell("seule", 64)] }, Row::default()]));
        layout.set(&Block::Table(Vec::new()));
        let pages = layout.finish("pied").unwrap();
        assert!(pages.pages.len() > 5);
        for mark in pages.pages.iter().flatten() {
            let (x, y) = match mark {
                Mark::Text { x, y, .. } | Mark::Rule { x, y, .. } => (*x, *y),
            };
            assert!(
                (MARGIN - 20.0..PAGE_WIDTH - 20.0).contains(&x) && (30.0..PAGE_HEIGHT - 30.0).contains(&y),
                "{x} {y}"
            );
        }
    }

    #[test]
    fn endless_documents_are_refused() {
        let mut layout = layout();
        for _ in 0..MOST_PAGES {
            layout.set(&Block::Paragraph { marker: String::new(), indent: 0, text: "x\n".repeat(70) });
        }
        assert!(layout.finish("").is_none());
    }
}
