//! Readable copies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod fixtures;

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use socle_cda::letter::Letter;
use socle_cda::pdf::{self, PdfError};
use socle_cda::{Body, Document, Header};
use uuid::Uuid;

const MINIMAL: &str = include_str!("minimal.xml");

fn letter() -> Document {
    let at = "2026-11-24T10:00:00Z".parse().unwrap();
    let letter = Letter::for_test_person(Uuid::from_u128(42), at, jiff::tz::Offset::constant(1)).unwrap();
    letter.to_document().unwrap()
}

/// The text of our own PDFs, page by page, through their ToUnicode maps: what a reader can copy and a
/// screen reader can speak.
fn text_of(pdf: &[u8]) -> String {
    let find = |what: &str, from: usize| {
        pdf[from..].windows(what.len()).position(|window| window == what.as_bytes()).map(|at| from + at)
    };
    let object = |number: usize| find(&format!("\n{number} 0 obj\n"), 0);
    let stream = |number: usize| -> String {
        let at = find("stream\n", object(number).unwrap()).unwrap() + 7;
        let mut out = String::new();
        flate2::read::ZlibDecoder::new(&pdf[at..]).read_to_string(&mut out).unwrap();
        out
    };
    let map = |number: usize| -> std::collections::HashMap<String, char> {
        let cmap = stream(number);
        let pair = |line: &str| {
            let (glyph, unicode) = line.strip_prefix('<')?.strip_suffix('>')?.split_once("> <")?;
            Some((glyph.to_owned(), char::from_u32(u32::from_str_radix(unicode, 16).ok()?)?))
        };
        cmap.lines().filter(|line| line.len() == 13).filter_map(pair).collect()
    };
    let maps = [map(10), map(16)];
    let mut text = String::new();
    for page in 0.. {
        let number = 17 + 2 * page;
        if object(number).is_none() {
            break;
        }
        for line in stream(number + 1).lines().filter(|line| line.contains(" Tj ")) {
            let glyphs = line.split('<').nth(1).unwrap().split('>').next().unwrap();
            let map = &maps[usize::from(line.contains("/F2"))];
            text.extend(glyphs.as_bytes().chunks(4).map(|g| map[std::str::from_utf8(g).unwrap()]));
            text.push('\n');
        }
    }
    text
}

#[test]
fn a_niveau_3_shows_header_and_narrative() {
    let document = letter();
    let pdf = pdf::of(&document).unwrap();
    assert_eq!(pdf, pdf::of(&document).unwrap(), "the same document gives the same bytes");
    let text = text_of(&pdf);
    for expected in [
        "Lettre de liaison à la sortie de l'établissement de santé",
        "PAT-TROIS",
        "DOMINIQUE MARIE-LOUISE",
        "28/03/1979",
        "279035121518989 (INS-NIR-TEST)",
        "24/11/2026 à 11 h 00",
        "DR Claire BERTHELOT, Médecin - Médecine interne (SM),",
        "Motif de l'hospitalisation",
        "Fièvre à 39,2 °C",
        "Céfixime 200 mg",
        "Suites à donner",
        "page 1/",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    fixtures::keep("letter.pdf", &pdf);
}

#[test]
fn a_niveau_1_gives_its_own_file_or_a_page_of_text() {
    let text = Document::parse(MINIMAL.as_bytes().to_vec()).unwrap();
    assert!(text_of(&pdf::of(&text).unwrap()).contains("Bonjour"));
    let with = |media: &str| Document::parse(MINIMAL.replace("text/plain", media).into_bytes()).unwrap();
    assert_eq!(pdf::of(&with("application/pdf")).unwrap(), b"Bonjour", "as it is, byte for byte");
    assert_eq!(pdf::of(&with("image/jpeg")), Err(PdfError::MediaType));
    let refused = Document::parse(MINIMAL.replace("<setId", "<other").into_bytes()).unwrap();
    assert!(matches!(pdf::of(&refused), Err(PdfError::Header(_))));
}

#[test]
fn the_file_name_follows_the_rule() {
    let document = letter();
    let name = pdf::file_name(Header::read(&document).unwrap());
    assert_eq!(name, "20261119_Lettre de liaison à la sortie d'un établissement de soins_PAT-TROIS_DOMINIQUE.pdf");
    let hostile = MINIMAL.replace("PAT-TROIS", "PAT/../TROIS_\"*").replace("\"11488-4\"", "\"99999-9\"");
    let document = Document::parse(hostile.into_bytes()).unwrap();
    assert_eq!(
        pdf::file_name(Header::read(&document).unwrap()),
        "20260302_CR de consultation_PAT..TROIS_DOMINIQUE.pdf"
    );
}

/// Every word of every narrative of the published examples is in the copy.
#[test]
fn copies_of_the_examples_lose_no_word() {
    for (name, bytes) in fixtures::examples("copies_of_the_examples") {
        let document = Document::parse(bytes).unwrap();
        let pdf = pdf::of(&document).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(pdf.starts_with(b"%PDF-"), "{name}");
        fixtures::keep(&name.replace(".xml", ".pdf"), &pdf);
        if document.body() != &Body::Level3 {
            continue;
        }
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        let shown = squeeze(&text_of(&pdf));
        let words = document
            .with_root(|root| {
                let is_narrative = |n: &socle_xml::roxmltree::Node<'_, '_>| {
                    n.tag_name().name() == "text" && n.parent().is_some_and(|p| p.tag_name().name() == "section")
                };
                let texts = root.descendants().filter(is_narrative).flat_map(|n| n.descendants());
                let words = texts.filter(socle_xml::roxmltree::Node::is_text).filter_map(|n| n.text());
                words.flat_map(str::split_whitespace).map(str::to_owned).collect::<Vec<_>>()
            })
            .unwrap();
        // A long word may be cut by a column's width, and its parts shown on lines among others.
        let lost: Vec<_> =
            words.iter().filter(|word| word.chars().count() <= 12 && !shown.contains(word.as_str())).collect();
        assert!(lost.is_empty(), "{name}: {lost:?}");
    }
}

/// Somebody else's PDF reader, when it is there.
#[test]
fn poppler_reads_the_copy() {
    let pdftotext = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut pdftotext) = pdftotext else {
        assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|v| v != "1"), "no pdftotext");
        println!("SKIPPED poppler_reads_the_copy: no pdftotext");
        return;
    };
    pdftotext.stdin.take().unwrap().write_all(&pdf::of(&letter()).unwrap()).unwrap();
    let output = pdftotext.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("Motif de l'hospitalisation") && text.contains("Céfixime 200 mg"), "{text}");
}
