//! The narrative: a closed list of XHTML elements and attributes, nothing that runs (FHIR R4 §2.4.0.2,
//! txt-1, txt-2). One scan over the text, no tree.

use socle_finding::Text;

/// What is wrong with a narrative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    NotADiv,
    Namespace,
    NotWellFormed,
    Element(String),
    Attribute(String),
    Entity,
    Empty,
    Scheme,
    Anchor,
}

impl Fault {
    pub(super) const fn rule(&self) -> &'static str {
        match self {
            Self::Empty => "txt-2",
            Self::Element(_) | Self::Attribute(_) => "txt-1",
            _ => "2.4.0.2",
        }
    }

    pub(super) fn message(&self) -> Text {
        match self {
            Self::NotADiv => Text::fixed("le récit n'est pas un <div>", "the narrative is no <div>"),
            Self::Namespace => {
                Text::fixed("le <div> n'est pas dans l'espace de noms XHTML", "the <div> is not in the XHTML namespace")
            }
            Self::NotWellFormed => {
                Text::fixed("le récit n'est pas du XML bien formé", "the narrative is not well-formed XML")
            }
            Self::Element(name) => Text::new(
                format!("l'élément <{name}> n'est pas permis dans un récit"),
                format!("the element <{name}> is not allowed in a narrative"),
            ),
            Self::Attribute(name) => Text::new(
                format!("l'attribut {name} n'est pas permis dans un récit"),
                format!("the attribute {name} is not allowed in a narrative"),
            ),
            Self::Entity => Text::fixed("entité inconnue dans le récit", "unknown entity in the narrative"),
            Self::Empty => Text::fixed("le récit est vide", "the narrative is empty"),
            Self::Anchor => {
                Text::fixed("ce lien ne mène à aucune ancre du récit", "this link leads to no anchor of the narrative")
            }
            Self::Scheme => Text::fixed(
                "ce lien ne mène à rien qu'un lecteur puisse ouvrir",
                "this link leads to nothing that a reader can open",
            ),
        }
    }

    pub(super) const fn mend(&self) -> Text {
        match self {
            Self::NotADiv => Text::fixed("entourez le récit d'un <div>", "wrap the narrative in a <div>"),
            Self::Namespace => Text::fixed(
                "écrivez <div xmlns=\"http://www.w3.org/1999/xhtml\">",
                "write <div xmlns=\"http://www.w3.org/1999/xhtml\">",
            ),
            Self::NotWellFormed => {
                Text::fixed("fermez chaque élément, échappez < et &", "close each element, escape < and &")
            }
            Self::Element(_) | Self::Attribute(_) => Text::fixed(
                "gardez la mise en forme simple : ni script, ni formulaire, ni objet",
                "keep to simple formatting: no script, no form, no object",
            ),
            Self::Entity => Text::fixed(
                "écrivez le caractère lui-même, ou &#160; et ses semblables",
                "write the character itself, or &#160; and its like",
            ),
            Self::Empty => Text::fixed("écrivez un texte ou mettez une image", "write a text or put an image"),
            Self::Anchor => {
                Text::fixed("ajoutez l'id visé, ou retirez le lien", "add the id it leads to, or remove the link")
            }
            Self::Scheme => {
                Text::fixed("utilisez http, https, mailto, tel ou #ancre", "use http, https, mailto, tel or #anchor")
            }
        }
    }
}

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "article",
    "aside",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "map",
    "area",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "label",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
];

/// Everything that is wrong, in order; one fault that breaks the XML ends the scan.
pub(crate) fn check(text: &str) -> Vec<Fault> {
    check_with(text, &|_| true)
}

/// The same; links to `#id` lead to an element of the narrative, or to what `is_elsewhere` knows.
pub(super) fn check_with(text: &str, is_elsewhere: &dyn Fn(&str) -> bool) -> Vec<Fault> {
    let mut scan = Scan {
        text,
        at: 0,
        open: Vec::new(),
        faults: Vec::new(),
        has_content: false,
        started: false,
        ids: Vec::new(),
        links: Vec::new(),
    };
    if let Err(fault) = scan.run() {
        scan.faults.push(fault);
    } else if !scan.has_content {
        scan.faults.push(Fault::Empty);
    }
    let dead = scan.links.iter().filter(|link| !scan.ids.contains(link) && !is_elsewhere(link)).count();
    scan.faults.extend(std::iter::repeat_n(Fault::Anchor, dead));
    scan.faults
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    open: Vec<&'a str>,
    faults: Vec<Fault>,
    has_content: bool,
    started: bool,
    /// What links can lead to, and where they do.
    ids: Vec<&'a str>,
    links: Vec<&'a str>,
}

/// Elements inside each other: no narrative needs more.
const MAX_DEPTH: usize = 200;

impl<'a> Scan<'a> {
    fn run(&mut self) -> Result<(), Fault> {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let next = memchr::memchr2(b'<', b'&', rest.as_bytes()).unwrap_or(rest.len());
            self.characters(&rest[..next])?;
            self.at += next;
            match rest.as_bytes().get(next) {
                Some(b'<') => self.tag()?,
                Some(_) => self.entity()?,
                None => {}
            }
        }
        if !self.started {
            return Err(Fault::NotADiv);
        }
        if self.open.is_empty() { Ok(()) } else { Err(Fault::NotWellFormed) }
    }

    fn characters(&mut self, text: &str) -> Result<(), Fault> {
        if self.has_content && !self.open.is_empty() {
            return Ok(());
        }
        let blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
        if blank {
            return Ok(());
        }
        if self.open.is_empty() {
            return Err(if self.started { Fault::NotWellFormed } else { Fault::NotADiv });
        }
        self.has_content = true;
        Ok(())
    }

    fn entity(&mut self) -> Result<(), Fault> {
        let rest = &self.text[self.at + 1..];
        let end = rest.bytes().take(32).position(|byte| byte == b';').ok_or(Fault::NotWellFormed)?;
        let name = &rest[..end];
        let known = match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(hex) => !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
                None => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
            },
            None => is_entity(name),
        };
        if !known {
            self.faults.push(Fault::Entity);
        }
        if self.open.is_empty() {
            return Err(Fault::NotADiv);
        }
        self.has_content = true;
        self.at += end + 2;
        Ok(())
    }

    fn tag(&mut self) -> Result<(), Fault> {
        let rest = &self.text[self.at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("-->").ok_or(Fault::NotWellFormed)?;
            self.at += 4 + end + 3;
            return Ok(());
        }
        if rest.starts_with("<?") {
            let end = rest.find("?>").ok_or(Fault::NotWellFormed)?;
            self.at += end + 2;
            return Ok(());
        }
        if let Some(close) = rest.strip_prefix("</") {
            let end = close.find('>').ok_or(Fault::NotWellFormed)?;
            let name = close[..end].trim_end();
            if self.open.pop() != Some(name) {
                return Err(Fault::NotWellFormed);
            }
            self.at += 2 + end + 1;
            return Ok(());
        }
        self.start_tag()
    }

    fn start_tag(&mut self) -> Result<(), Fault> {
        if self.open.is_empty() && self.started {
            return Err(Fault::NotWellFormed);
        }
        self.at += 1;
        let name = self.name()?;
        let bare = name.rsplit(':').next().unwrap_or(name);
        if !self.started && bare != "div" {
            return Err(Fault::NotADiv);
        }
        let is_root = !self.started;
        self.started = true;
        if ELEMENTS.binary_search(&bare).is_err() && !ELEMENTS.contains(&bare) {
            self.faults.push(Fault::Element(name.to_owned()));
        }
        self.has_content |= bare == "img";
        let mut has_namespace = false;
        loop {
            let before = self.at;
            self.space();
            match self.text.as_bytes().get(self.at) {
                Some(b'>') => {
                    self.at += 1;
                    if self.open.len() >= MAX_DEPTH {
                        return Err(Fault::NotWellFormed);
                    }
                    self.open.push(name);
                    break;
                }
                Some(b'/') => {
                    if self.text.as_bytes().get(self.at + 1) != Some(&b'>') {
                        return Err(Fault::NotWellFormed);
                    }
                    self.at += 2;
                    break;
                }
                Some(_) if self.at > before => self.attribute(bare, &mut has_namespace)?,
                _ => return Err(Fault::NotWellFormed),
            }
        }
        if is_root && !has_namespace {
            self.faults.push(Fault::Namespace);
        }
        Ok(())
    }

    fn attribute(&mut self, element: &str, has_namespace: &mut bool) -> Result<(), Fault> {
        let name = self.name()?;
        self.space();
        if self.text.as_bytes().get(self.at) != Some(&b'=') {
            return Err(Fault::NotWellFormed);
        }
        self.at += 1;
        self.space();
        let quote = match self.text.as_bytes().get(self.at) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(Fault::NotWellFormed),
        };
        let inside = &self.text[self.at + 1..];
        let end = memchr::memchr(quote, inside.as_bytes()).ok_or(Fault::NotWellFormed)?;
        let value = &inside[..end];
        if value.contains('<') {
            return Err(Fault::NotWellFormed);
        }
        self.at += end + 2;
        if name == "xmlns" || name.starts_with("xmlns:") {
            *has_namespace |= value == "http://www.w3.org/1999/xhtml";
            return Ok(());
        }
        if name.starts_with("xml:") || ATTRIBUTES.contains(&name) {
            match name {
                "href" if element == "a" && is_dead(value) => self.faults.push(Fault::Scheme),
                "href" if element == "a" => {
                    self.links.extend(value.strip_prefix('#').filter(|anchor| !anchor.is_empty()));
                }
                "id" => self.ids.push(value),
                "name" if element == "a" => self.ids.push(value),
                _ => {}
            }
            return Ok(());
        }
        self.faults.push(Fault::Attribute(name.to_owned()));
        Ok(())
    }

    fn name(&mut self) -> Result<&'a str, Fault> {
        let rest = &self.text[self.at..];
        let is_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.') || *byte >= 0x80;
        let end = rest.bytes().take_while(is_name).count();
        if end == 0 {
            return Err(Fault::NotWellFormed);
        }
        self.at += end;
        Ok(&rest[..end])
    }

    fn space(&mut self) {
        self.at += self.text.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }
}

/// `urn:` names a thing, it does not open it; `javascript:` and `data:` open too much.
fn is_dead(href: &str) -> bool {
    let scheme = href.split(':').next().unwrap_or_default();
    href.contains(':') && matches!(scheme.to_ascii_lowercase().as_str(), "urn" | "javascript" | "vbscript" | "data")
}

/// Those of XML: a narrative is XML, and has no DTD that could name others.
fn is_entity(name: &str) -> bool {
    matches!(name, "amp" | "lt" | "gt" | "quot" | "apos")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_broken_per_narrative() {
        let div = |inside: &str| format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>");
        for (text, wanted) in [
            (div("<p class='a'>texte <b>gras</b><br/>&amp;&#160;</p>"), None),
            (div("<img src=\"#a\" alt=\"b\"/>"), None),
            (div("<a href='https://a'>b</a><!-- c -->"), None),
            (div(" <p> </p> "), Some(Fault::Empty)),
            (div("<script>1</script>"), Some(Fault::Element("script".into()))),
            (div("<p onclick='1'>a</p>"), Some(Fault::Attribute("onclick".into()))),
            (div("<p>a"), Some(Fault::NotWellFormed)),
            (div("<p>a</b></p>"), Some(Fault::NotWellFormed)),
            (div("a &foo; b"), Some(Fault::Entity)),
            (div("a & b"), Some(Fault::NotWellFormed)),
            (div("a &nbsp; b"), Some(Fault::Entity)),
            (div("<a href='urn:uuid:1'>a</a>"), Some(Fault::Scheme)),
            (div("<p id='b'><a href='#b'>a</a></p>"), None),
            (div("<p a=b>a</p>"), Some(Fault::NotWellFormed)),
            ("<p xmlns='http://www.w3.org/1999/xhtml'>a</p>".into(), Some(Fault::NotADiv)),
            ("<div>a</div>".into(), Some(Fault::Namespace)),
            ("texte".into(), Some(Fault::NotADiv)),
            (div("a") + "b", Some(Fault::NotWellFormed)),
            (String::new(), Some(Fault::NotADiv)),
            ("<div".into(), Some(Fault::NotWellFormed)),
        ] {
            assert_eq!(check(&text).first(), wanted.as_ref(), "{text}");
        }
    }
}
