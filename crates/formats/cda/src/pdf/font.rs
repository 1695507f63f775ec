//! The two fonts of our PDFs (DejaVu Sans, freely embeddable), and their parts that a document uses.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use subsetter::GlyphRemapper;
use ttf_parser::Face;

/// A font of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// DejaVu Sans.
    Regular,
    /// DejaVu Sans Bold.
    Bold,
}

/// A font, and the glyphs used so far.
pub(super) struct Font {
    data: &'static [u8],
    face: Face<'static>,
    name: &'static str,
    glyphs: GlyphRemapper,
    /// Number in the subset → what it shows.
    shows: BTreeMap<u16, char>,
}

/// What the file needs of a font.
pub(super) struct Embedded {
    /// With the tag that names a subset.
    pub(super) name: String,
    /// The subset, a TrueType font.
    pub(super) program: Vec<u8>,
    /// Width of each glyph, in thousandths of the size.
    pub(super) widths: Vec<i32>,
    /// Number → character.
    pub(super) shows: Vec<(u16, char)>,
    /// Ascender, descender, height of capitals, in thousandths.
    pub(super) metrics: [i32; 3],
    /// Bounding box, in thousandths.
    pub(super) bounds: [i32; 4],
}

impl Font {
    /// None when the font inside the program cannot be read.
    pub(super) fn open(weight: Weight) -> Option<Self> {
        let (data, name) = match weight {
            Weight::Regular => (dejavu::sans::regular(), "DejaVuSans"),
            Weight::Bold => (dejavu::sans::bold(), "DejaVuSans-Bold"),
        };
        let face = Face::parse(data, 0).ok()?;
        Some(Self { data, face, name, glyphs: GlyphRemapper::new(), shows: BTreeMap::new() })
    }

    fn glyph(&self, c: char) -> Option<(char, ttf_parser::GlyphId)> {
        [c, '\u{FFFD}', '?'].into_iter().find_map(|c| self.face.glyph_index(c).map(|glyph| (c, glyph)))
    }

    fn thousandths(&self, units: i32) -> i32 {
        let em = i32::from(self.face.units_per_em());
        (units * 1000 + em / 2).div_euclid(em)
    }

    /// Width of a text at a size.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(c)).sum::<f32>() * size
    }

    /// Advance of a character, for a size of 1.
    pub(super) fn advance(&self, c: char) -> f32 {
        let advance = self.glyph(c).and_then(|(_, glyph)| self.face.glyph_hor_advance(glyph)).unwrap_or_default();
        f32::from(advance) / f32::from(self.face.units_per_em())
    }

    /// The text as numbers of glyphs in the subset, in hexadecimal.
    pub(super) fn encode(&mut self, text: &str) -> String {
        let mut hex = String::with_capacity(text.len() * 4);
        for c in text.chars() {
            let Some((shown, glyph)) = self.glyph(c) else { continue };
            let number = self.glyphs.remap(glyph.0);
            self.shows.insert(number, shown);
            // Writing to a String does not fail.
            let _ = write!(hex, "{number:04X}");
        }
        hex
    }

    /// The subset of what was encoded.
    pub(super) fn embed(&self) -> Option<Embedded> {
        let program = subsetter::subset(self.data, 0, &self.glyphs).ok()?;
        // The subset holds the components of composite glyphs too: it is what must be described.
        let subset = Face::parse(&program, 0).ok()?;
        let advance = |glyph| i32::from(subset.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or_default());
        let widths = (0..subset.number_of_glyphs()).map(|glyph| self.thousandths(advance(glyph))).collect();
        let bounds = self.face.global_bounding_box();
        let vertical = [self.face.ascender(), self.face.descender(), self.face.capital_height().unwrap_or(1493)];
        Some(Embedded {
            name: format!("SOCLEA+{}", self.name),
            widths,
            shows: self.shows.iter().map(|(number, c)| (*number, *c)).collect(),
            metrics: vertical.map(|units| self.thousandths(i32::from(units))),
            bounds: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(|u| self.thousandths(i32::from(u))),
            program,
        })
    }
}
