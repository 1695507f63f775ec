//! The file: PDF 1.4, PDF/A-1b (ISO 19005-1:2005), by hand.
//!
//! What makes it PDF/A-1b: fonts embedded with CIDSet and ToUnicode, one device-independent colour space
//! (CalGray, so that no output intent is needed), XMP metadata that agree with the information
//! dictionary, an identifier in the trailer, no encryption, no transparency, nothing from outside.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use jiff::Timestamp;
use jiff::tz::Offset;
use socle_xml::write::escaped;

use super::font::{Embedded, Weight};
use super::layout::{Mark, PAGE_HEIGHT, PAGE_WIDTH, Pages};
use crate::time::Time;
use crate::xds::sha1_hex;

const PRODUCER: &str = "Socle";

/// What the file says of itself.
pub(super) struct Info {
    /// The document's title.
    pub(super) title: String,
    /// The document's creation: the copy has no time of its own, so that it is always the same.
    pub(super) created: Time,
}

/// Fixed numbers of objects; fonts and pages follow.
const CATALOG: usize = 1;
const PAGE_TREE: usize = 2;
const INFO: usize = 3;
const METADATA: usize = 4;
const FIRST_FONT: usize = 5;
/// Font, descendant, descriptor, program, CIDSet, ToUnicode.
const OBJECTS_OF_A_FONT: usize = 6;
const FIRST_PAGE: usize = FIRST_FONT + 2 * OBJECTS_OF_A_FONT;

/// None when a font cannot be cut down to its used part.
pub(super) fn write(pages: &Pages, info: &Info) -> Option<Vec<u8>> {
    let created = info.created.timestamp().or_else(|| Offset::UTC.to_timestamp(info.created.local()).ok());
    let created = created.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut file = File::new();
    file.object(CATALOG, &format!("<</Type/Catalog/Pages {PAGE_TREE} 0 R/Metadata {METADATA} 0 R/Lang(fr-FR)>>"));
    let kids: String = (0..pages.pages.len()).map(|n| format!("{} 0 R ", FIRST_PAGE + 2 * n)).collect();
    file.object(PAGE_TREE, &format!("<</Type/Pages/Count {}/Kids[{kids}]>>", pages.pages.len()));
    let date = created.strftime("D:%Y%m%d%H%M%SZ");
    file.object(INFO, &format!("<</Title<{}>/Producer({PRODUCER})/CreationDate({date})>>", utf16(&info.title)));
    file.stream(METADATA, "/Type/Metadata/Subtype/XML", xmp(&info.title, created).as_bytes(), false);
    font(&mut file, FIRST_FONT, &pages.regular.embed()?);
    font(&mut file, FIRST_FONT + OBJECTS_OF_A_FONT, &pages.bold.embed()?);
    for (rank, marks) in pages.pages.iter().enumerate() {
        page(&mut file, FIRST_PAGE + 2 * rank, marks);
    }
    Some(file.finish())
}

fn page(file: &mut File, number: usize, marks: &[Mark]) {
    let resources = format!(
        "<</Font<</F1 {FIRST_FONT} 0 R/F2 {} 0 R>>/ColorSpace<</Grey[/CalGray<</WhitePoint[0.9505 1 1.089]/Gamma 2.2>>]>>>>",
        FIRST_FONT + OBJECTS_OF_A_FONT
    );
    file.object(
        number,
        &format!(
            "<</Type/Page/Parent {PAGE_TREE} 0 R/MediaBox[0 0 {PAGE_WIDTH} {PAGE_HEIGHT}]/Resources{resources}/Contents {} 0 R>>",
            number + 1
        ),
    );
    file.stream(number + 1, "", content(marks).as_bytes(), true);
}

/// Black text, grey hairlines.
fn content(marks: &[Mark]) -> String {
    let mut out = String::from("/Grey cs\n");
    for mark in marks {
        // Writing to a String does not fail.
        let _ = match mark {
            Mark::Text { x, y, size, weight, glyphs } => {
                let font = if *weight == Weight::Bold { "F2" } else { "F1" };
                writeln!(out, "0 sc BT /{font} {size} Tf {x:.2} {y:.2} Td <{glyphs}> Tj ET")
            }
            Mark::Rule { x, y, width } => writeln!(out, "0.7 sc {x:.2} {y:.2} {width:.2} 0.4 re f"),
        };
    }
    out
}

fn font(file: &mut File, first: usize, font: &Embedded) {
    let [descendant, descriptor, program, set, to_unicode] = [1, 2, 3, 4, 5].map(|n| first + n);
    let name = &font.name;
    file.object(
        first,
        &format!(
            "<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H/DescendantFonts[{descendant} 0 R]/ToUnicode {to_unicode} 0 R>>"
        ),
    );
    let widths: String = font.widths.iter().map(|width| format!("{width} ")).collect();
    file.object(
        descendant,
        &format!(
            "<</Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>\
             /FontDescriptor {descriptor} 0 R/W[0[{widths}]]/CIDToGIDMap/Identity>>"
        ),
    );
    let ([ascent, descent, capitals], [left, bottom, right, top]) = (font.metrics, font.bounds);
    file.object(
        descriptor,
        &format!(
            "<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{left} {bottom} {right} {top}]/ItalicAngle 0\
             /Ascent {ascent}/Descent {descent}/CapHeight {capitals}/StemV 80/FontFile2 {program} 0 R/CIDSet {set} 0 R>>"
        ),
    );
    file.stream(program, &format!("/Length1 {}", font.program.len()), &font.program, true);
    file.stream(set, "", &cid_set(font.widths.len()), true);
    file.stream(to_unicode, "", to_unicode_map(&font.shows).as_bytes(), true);
}

/// One bit per glyph of the subset, the highest first (ISO 32000-1 9.8.3.2).
fn cid_set(glyphs: usize) -> Vec<u8> {
    let mut bits = vec![0xFF; glyphs / 8];
    let rest = glyphs % 8;
    if rest > 0 {
        bits.push(0xFF << (8 - rest));
    }
    bits
}

fn to_unicode_map(shows: &[(u16, char)]) -> String {
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
         /CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n\
         /CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n\
         1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n",
    );
    for part in shows.chunks(100) {
        let lines: String = part.iter().map(|(glyph, c)| format!("<{glyph:04X}> <{}>\n", utf16_of(*c))).collect();
        let _ = write!(map, "{} beginbfchar\n{lines}endbfchar\n", part.len());
    }
    map.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    map
}

fn utf16_of(c: char) -> String {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().map(|unit| format!("{unit:04X}")).collect()
}

/// With its byte order mark.
fn utf16(text: &str) -> String {
    std::iter::once('\u{FEFF}').chain(text.chars()).map(utf16_of).collect()
}

fn xmp(title: &str, created: Timestamp) -> String {
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
         <rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\
         <pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>\n\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt></dc:title></rdf:Description>\n\
         <rdf:Description rdf:about=\"\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\
         <pdf:Producer>{PRODUCER}</pdf:Producer></rdf:Description>\n\
         <rdf:Description rdf:about=\"\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\">\
         <xmp:CreateDate>{}</xmp:CreateDate></rdf:Description>\n\
         </rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>",
        escaped(title),
        created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
}

/// Objects and where they are.
struct File {
    bytes: Vec<u8>,
    /// Offset of object n at n − 1.
    offsets: Vec<usize>,
}

impl File {
    fn new() -> Self {
        // Bytes above 127 tell that the file is binary (ISO 19005-1 6.1.2).
        Self { bytes: b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n".to_vec(), offsets: Vec::new() }
    }

    fn begin(&mut self, number: usize) {
        self.offsets.resize(self.offsets.len().max(number), 0);
        self.offsets[number - 1] = self.bytes.len();
        self.bytes.extend(format!("{number} 0 obj\n").bytes());
    }

    fn object(&mut self, number: usize, body: &str) {
        self.begin(number);
        self.bytes.extend(body.bytes());
        self.bytes.extend(b"\nendobj\n");
    }

    /// Metadata must stay readable for tools that know no PDF: they are not compressed.
    fn stream(&mut self, number: usize, entries: &str, content: &[u8], compress: bool) {
        self.begin(number);
        let packed = if compress { deflated(content) } else { content.to_vec() };
        let filter = if compress { "/Filter/FlateDecode" } else { "" };
        self.bytes.extend(format!("<<{entries}{filter}/Length {}>>\nstream\n", packed.len()).bytes());
        self.bytes.extend(packed);
        self.bytes.extend(b"\nendstream\nendobj\n");
    }

    fn finish(mut self) -> Vec<u8> {
        let id = sha1_hex(&self.bytes);
        let start = self.bytes.len();
        let size = self.offsets.len() + 1;
        self.bytes.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
        for offset in &self.offsets {
            self.bytes.extend(format!("{offset:010} 00000 n \n").bytes());
        }
        let trailer = format!(
            "trailer\n<</Size {size}/Root {CATALOG} 0 R/Info {INFO} 0 R/ID[<{id}><{id}>]>>\nstartxref\n{start}\n%%EOF\n"
        );
        self.bytes.extend(trailer.bytes());
        self.bytes
    }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
