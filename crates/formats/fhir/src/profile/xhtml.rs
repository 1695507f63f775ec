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
                "écrivez le caractère lui-même, ou une entité de HTML 4",
                "write the character itself, or an entity of HTML 4",
            ),
            Self::Empty => Text::fixed("écrivez un texte ou mettez une image", "write a text or put an image"),
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
    let mut scan = Scan { text, at: 0, open: Vec::new(), faults: Vec::new(), has_content: false, started: false };
    if let Err(fault) = scan.run() {
        scan.faults.push(fault);
    } else if !scan.has_content {
        scan.faults.push(Fault::Empty);
    }
    scan.faults
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    open: Vec<&'a str>,
    faults: Vec<Fault>,
    has_content: bool,
    started: bool,
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
            if name == "href" && element == "a" && is_dead(value) {
                self.faults.push(Fault::Scheme);
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

fn is_entity(name: &str) -> bool {
    ENTITIES.split_ascii_whitespace().any(|known| known == name)
}

/// HTML 4 (XHTML 1.0 appendix A.2). `reg` is there too: XHTML has it.
const ENTITIES: &str = "quot amp lt gt apos OElig oelig Scaron scaron Yuml circ tilde ensp emsp thinsp zwnj zwj lrm rlm ndash mdash \
lsquo rsquo sbquo ldquo rdquo bdquo dagger Dagger permil lsaquo rsaquo euro fnof Alpha Beta Gamma Delta Epsilon Zeta Eta Theta \
Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma Tau Upsilon Phi Chi Psi Omega alpha beta gamma delta epsilon zeta eta theta iota \
kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega thetasym upsih piv bull hellip prime Prime oline \
frasl weierp image real trade alefsym larr uarr rarr darr harr crarr lArr uArr rArr dArr hArr forall part exist empty nabla isin \
notin ni prod sum minus lowast radic prop infin ang and or cap cup int there4 sim cong asymp ne equiv le ge sub sup nsub sube \
supe oplus otimes perp sdot lceil rceil lfloor rfloor lang rang loz spades clubs hearts diams nbsp iexcl cent pound curren yen \
brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 \
frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde \
Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring \
aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
uacute ucirc uuml yacute thorn yuml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_broken_per_narrative() {
        let div = |inside: &str| format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>");
        for (text, wanted) in [
            (div("<p class='a'>texte <b>gras</b><br/>&nbsp;&#160;</p>"), None),
            (div("<img src=\"#a\" alt=\"b\"/>"), None),
            (div("<a href='https://a'>b</a><!-- c -->"), None),
            (div(" <p> </p> "), Some(Fault::Empty)),
            (div("<script>1</script>"), Some(Fault::Element("script".into()))),
            (div("<p onclick='1'>a</p>"), Some(Fault::Attribute("onclick".into()))),
            (div("<p>a"), Some(Fault::NotWellFormed)),
            (div("<p>a</b></p>"), Some(Fault::NotWellFormed)),
            (div("a &foo; b"), Some(Fault::Entity)),
            (div("a & b"), Some(Fault::NotWellFormed)),
            (div("<a href='urn:uuid:1'>a</a>"), Some(Fault::Scheme)),
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
