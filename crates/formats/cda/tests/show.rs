//! The page of a document: nothing acts or fetches, whatever the document holds; everything is there to read.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod fixtures;

use base64::Engine as _;
use jiff::Timestamp;
use jiff::tz::Offset;
use proptest::prelude::*;
use socle_cda::letter::Letter;
use socle_cda::{Document, show};
use socle_finding::Lang;
use uuid::Uuid;

const MINIMAL: &str = include_str!("minimal.xml");
const MARK: &str = "Fièvre à 39,2 °C";

fn letter() -> String {
    let at: Timestamp = "2026-03-02T09:15:00Z".parse().unwrap();
    Letter::for_test_person(Uuid::from_u128(7), at, Offset::constant(1)).unwrap().to_xml()
}

fn page_of(xml: &str) -> String {
    let document = Document::parse(xml.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{error}"));
    show::page(&document, Lang::Fr).unwrap()
}

/// A tag of a page: its name and attributes. Values are escaped, so that a tag ends at the next `>`.
struct Tag<'p> {
    name: &'p str,
    attributes: Vec<(&'p str, &'p str)>,
}

fn tags(page: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    for piece in page.split('<').skip(1) {
        let inside = piece.split('>').next().unwrap();
        assert!(piece.contains('>'), "an unfinished tag: {inside}");
        let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
        let mut attributes = Vec::new();
        while let Some((key, after)) = rest.split_once("=\"") {
            let (value, left) = after.split_once('"').unwrap();
            attributes.push((key.trim(), value));
            rest = left;
        }
        tags.push(Tag { name, attributes });
    }
    tags
}

const ELEMENTS: &[&str] = &[
    "!DOCTYPE",
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "div",
    "header",
    "nav",
    "main",
    "footer",
    "section",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "span",
    "strong",
    "small",
    "sub",
    "sup",
    "br",
    "ins",
    "del",
    "table",
    "caption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "figure",
    "figcaption",
    "img",
    "object",
    "pre",
];
const ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "id",
    "class",
    "href",
    "src",
    "alt",
    "data",
    "type",
    "download",
    "scope",
    "colspan",
    "rowspan",
    "role",
    "tabindex",
    "aria-label",
    "aria-labelledby",
];
/// The only types that a page holds: none of them runs a script of the document.
const TYPES: &[&str] = &[
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/tiff",
    "application/rtf",
    "application/octet-stream",
];

/// The law of the page.
fn assert_harmless(page: &str) {
    for tag in tags(page) {
        let name = tag.name.trim_start_matches('/');
        assert!(ELEMENTS.contains(&name), "element {name}");
        for (key, value) in tag.attributes {
            assert!(ATTRIBUTES.contains(&key), "attribute {key} of {name}");
            let data = || TYPES.iter().any(|kind| value.starts_with(&format!("data:{kind};base64,")));
            match key {
                "href" => assert!(value.starts_with('#') || data(), "{value}"),
                "src" | "data" => assert!(data(), "{value}"),
                "http-equiv" => assert_eq!(value, "Content-Security-Policy"),
                _ => {}
            }
        }
    }
    let (_, style) = page.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    assert_eq!(style, show::PAGE_STYLE, "the style is ours alone");
    assert!(!style.contains("url(") && !style.contains("@import"));
}

#[test]
fn a_letter_is_shown_whole_with_its_landmarks() {
    let page = page_of(&letter());
    assert_harmless(&page);
    for part in [
        "<html lang=\"fr\">",
        "<main id=\"contenu\" lang=\"fr-FR\">",
        "<a class=\"skip\" href=\"#contenu\">",
        "<nav class=\"contents\" aria-label=\"Sommaire\">",
        "<h1>Lettre de liaison à la sortie de l'établissement de santé</h1>",
        "PAT-TROIS",
        "2\u{a0}79\u{a0}03\u{a0}51\u{a0}215\u{a0}189\u{a0}89",
        "identité de test",
        "Motif de l'hospitalisation</h2>",
        "<th scope=\"col\">Médicament</th>",
        "<th scope=\"row\">Entrée</th>",
        "LDL-SES 2022.01",
        "default-src 'none'",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let english = show::page(&Document::parse(letter().into_bytes()).unwrap(), Lang::En).unwrap();
    assert!(english.contains("<html lang=\"en\">") && english.contains("Birth name"), "labels");
    assert!(english.contains("<main id=\"contenu\" lang=\"fr-FR\">"), "the document's words stay French");
    fixtures::keep("letter.html", page.as_bytes());
}

/// A page with its own frame, such as the console's: one `main`, and a style that stays inside.
#[test]
fn a_fragment_leaves_the_landmarks_and_the_style_of_its_page_alone() {
    let document = Document::parse(letter().into_bytes()).unwrap();
    let fragment = show::fragment(&document, Lang::Fr).unwrap().into_string();
    assert!(!fragment.contains("<main") && fragment.matches("<h1").count() == 1, "{fragment}");
    assert!(fragment.starts_with("<div class=\"cda\">") && fragment.contains("<div class=\"body\" lang=\"fr-FR\">"));
    for rule in show::STYLE.lines().map(str::trim).filter(|line| line.contains('{') && !line.starts_with('@')) {
        let selectors = rule.split('{').next().unwrap().replace(":is(main, .body)", "");
        assert!(selectors.split(',').all(|selector| selector.trim().starts_with(".cda")), "{rule}");
    }
}

/// What a hostile sender puts in the narrative or around it.
#[test]
fn nothing_of_a_hostile_document_acts_or_fetches() {
    let inserts = [
        "<script>alert(1)</script>",
        "<script xmlns=\"http://www.w3.org/1999/xhtml\">alert(1)</script>",
        "<h:img xmlns:h=\"http://www.w3.org/1999/xhtml\" src=\"https://evil.example/x\" onerror=\"alert(1)\"/>",
        "<iframe src=\"https://evil.example\"/>",
        "<linkHtml href=\"javascript:alert(1)\">clic</linkHtml>",
        "<linkHtml href=\"https://evil.example/\">clic</linkHtml>",
        "<linkHtml href=\"#&quot; onclick=&quot;alert(1)\">clic</linkHtml>",
        "<content ID=\"a&quot; onmouseover=&quot;alert(1)\" styleCode=\"&quot;&gt;&lt;script&gt;\">x</content>",
        "<content styleCode=\"Bold\" style=\"background:url(https://evil.example)\">x</content>",
        "<content>&lt;script&gt;alert(1)&lt;/script&gt;</content>",
        "<content>&lt;/style&gt;&lt;img src=x onerror=alert(1)&gt;</content>",
        "<table><tr><td colspan=\"9999999999\" rowspan=\"-1\" onclick=\"x()\">x</td></tr></table>",
        "<table background=\"https://evil.example/x\"><tr><td>x</td></tr></table>",
        "<style>@import url(https://evil.example)</style>",
        "<renderMultiMedia referencedObject=\"nulle-part &quot;&gt;&lt;script&gt;\"/>",
        "<form action=\"https://evil.example\"><input/></form>",
        "<a href=\"https://evil.example\">x</a>",
        "<meta http-equiv=\"refresh\" content=\"0;url=https://evil.example\"/>",
        "<base href=\"https://evil.example\"/>",
    ];
    for insert in inserts {
        let xml = letter().replacen(MARK, &format!("{insert}{MARK}"), 1);
        let page = page_of(&xml);
        assert_harmless(&page);
        assert!(page.contains(MARK), "what follows is still shown: {insert}");
        assert!(!page.contains("alert(1)</script>"), "{insert}");
    }
    for (what, by) in [
        ("<title>Lettre", "<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        (">PAT-TROIS<", ">&lt;img src=x onerror=alert(1)&gt;<"),
        ("languageCode code=\"fr-FR\"", "languageCode code=\"&quot; onload=&quot;x\""),
        ("displayName=\"Hospitalisation", "displayName=\"&quot;&gt;&lt;script&gt;"),
        ("Motif de l'hospitalisation", "&lt;svg onload=alert(1)&gt;"),
    ] {
        let xml = letter().replacen(what, by, 1);
        assert_ne!(xml, letter(), "{what}");
        assert_harmless(&page_of(&xml));
    }
}

#[test]
fn a_file_is_what_its_bytes_say_and_never_a_page() {
    let html = b"<html><script>alert(1)</script></html>".as_slice();
    let cases: [(&str, &[u8], &str); 8] = [
        (
            "application/pdf",
            b"%PDF-1.4",
            "<object class=\"pdf\" type=\"application/pdf\" data=\"data:application/pdf;base64,",
        ),
        ("application/pdf", html, "href=\"data:application/octet-stream;base64,"),
        ("text/html", html, "href=\"data:application/octet-stream;base64,"),
        ("image/svg+xml", b"<svg onload='x'/>", "href=\"data:application/octet-stream;base64,"),
        ("image/jpeg", b"\x89PNG\r\n\x1a\n", "<img src=\"data:image/png;base64,"),
        ("image/jpeg", b"\xFF\xD8\xFF", "<img src=\"data:image/jpeg;base64,"),
        ("text/rtf", b"{\\rtf1}", "download=\"document.rtf\""),
        ("text/plain", b"<script>x</script>", "<pre>&lt;script&gt;x&lt;/script&gt;</pre>"),
    ];
    for (media_type, bytes, expected) in cases {
        let packed = base64::engine::general_purpose::STANDARD.encode(bytes);
        let xml = MINIMAL.replace("text/plain", media_type).replace("Qm9uam91cg==", &packed);
        let page = page_of(&xml);
        assert_harmless(&page);
        assert!(page.contains(expected), "{media_type}: {page}");
    }
    let lost = MINIMAL.replace("Qm9uam91cg==", "!!");
    assert!(page_of(&lost).contains("ne peut pas être lu"));
}

#[test]
fn an_image_of_the_narrative_is_shown_where_it_is_called_and_a_forgotten_one_after_the_text() {
    let png = base64::engine::general_purpose::STANDARD.encode(b"\x89PNG\r\n\x1a\n");
    let media = |id: &str| {
        format!(
            "<entry><observationMedia classCode=\"OBS\" moodCode=\"EVN\" ID=\"{id}\"><value mediaType=\"image/png\" representation=\"B64\">{png}</value></observationMedia></entry>"
        )
    };
    let call = "<renderMultiMedia referencedObject=\"i1\"><caption>Le rein &amp; le reste</caption></renderMultiMedia>";
    let xml = letter().replacen(MARK, &format!("{call}{MARK}"), 1);
    let end = "depuis deux jours.</paragraph></text>";
    let xml = xml.replacen(end, &format!("{end}{}{}", media("i1"), media("i2")), 1);
    let page = page_of(&xml);
    assert_harmless(&page);
    assert_eq!(page.matches("<img ").count(), 2);
    assert!(
        page.contains("alt=\"Le rein &amp; le reste\"")
            && page.contains("<figcaption>Le rein &amp; le reste</figcaption>")
    );
    assert!(page.contains("alt=\"Image du document, sans description\""));
}

#[test]
fn a_refused_header_is_shown_with_a_warning() {
    let xml = letter().replacen("279035121518989", "279035121518988", 1);
    let page = page_of(&xml);
    assert!(page.contains("role=\"alert\"") && page.contains("matricule faux"), "the key");
    let nobody = letter().replacen("<recordTarget>", "<recordTarget nullFlavor=\"UNK\">", 1);
    let page = page_of(&nobody);
    assert_harmless(&page);
    assert!(page.contains("Le patient ne peut pas être lu"));
    let none = MINIMAL.replacen("<id root=\"1.2.250.1.213.1.4.10\" extension=\"279035121518989\"/>", "", 1);
    assert!(page_of(&none).contains("identité non qualifiée"));
}

#[test]
fn every_published_document_is_shown_with_all_its_titles_and_words() {
    for (name, bytes) in fixtures::examples("every_published_document_is_shown") {
        let document = Document::parse(bytes).unwrap();
        let page = show::page(&document, Lang::Fr).unwrap();
        assert_harmless(&page);
        let text = text_of(&page);
        for section in document.sections().unwrap().iter().flat_map(socle_cda::sections::Section::all) {
            for line in section.title.iter().chain(&section.lines) {
                for word in line.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3) {
                    let ours = ["pièce", "jointe", "image", "voir", "document", "origine"].contains(&word);
                    assert!(ours || text.contains(word), "{name}: {word} is not shown");
                }
            }
        }
        fixtures::keep(&format!("{name}.html"), page.as_bytes());
    }
}

/// The page without its tags and files.
fn text_of(page: &str) -> String {
    let pieces = page.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text);
    pieces.collect::<Vec<_>>().join(" ").replace("&amp;", "&")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Anything put anywhere: a page that keeps the law, or no document at all.
    #[test]
    fn anything_put_anywhere_makes_a_harmless_page(
        at in 0usize..24_000,
        cut in 0usize..30,
        put in "(<script>|<a href=\"javascript:x\">|<img src='http://x'/>|&lt;|\"|'| onx=\"y\"|<td|</td>|[a-z<>&#;=\"' ]){0,4}",
    ) {
        let base = letter();
        let from = (0..=at.min(base.len())).rev().find(|at| base.is_char_boundary(*at)).unwrap();
        let to = ((from + cut).min(base.len())..=base.len()).find(|at| base.is_char_boundary(*at)).unwrap();
        let xml = format!("{}{put}{}", &base[..from], &base[to..]);
        if let Ok(document) = Document::parse(xml.into_bytes()) {
            assert_harmless(&show::page(&document, Lang::En).unwrap());
        }
    }
}
