//! The only way to write XML here: elements, attributes and text go in, escaping is not the caller's affair.
//!
//! Names are `&'static str`, so that data cannot become markup. Namespaces are declared where the caller
//! says, with the prefix that the caller says: several national services compare prefixes. Order: the
//! writer, then [`subtree`], which makes a node of a read document stand alone.

use std::borrow::Cow;
use std::io;

use quick_xml::escape::{escape, partial_escape};
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use roxmltree::Node;

use crate::c14n::Canonical;

/// Writes one document or fragment, front to back.
///
/// Characters that XML 1.0 cannot carry (most controls, U+FFFE, U+FFFF) are written as U+FFFD, the
/// replacement character: a reader sees that something was there.
///
/// ```
/// use socle_xml::write::Writer;
/// let mut w = Writer::fragment();
/// w.open("r:Nom").ns("r", "urn:example").attr("type", "a\"b").text("L'Été & co").close();
/// assert_eq!(w.finish(), r#"<r:Nom xmlns:r="urn:example" type="a&quot;b">L'Été &amp; co</r:Nom>"#);
/// ```
pub struct Writer {
    inner: quick_xml::Writer<Vec<u8>>,
    /// A start tag that may still take attributes.
    pending: Option<BytesStart<'static>>,
    open: Vec<&'static str>,
}

impl Writer {
    /// A fragment: no XML declaration.
    #[must_use]
    pub fn fragment() -> Self {
        Self { inner: quick_xml::Writer::new(Vec::with_capacity(1024)), pending: None, open: Vec::new() }
    }

    /// A document: begins with the XML declaration, in UTF-8.
    #[must_use]
    pub fn document() -> Self {
        let mut writer = Self::fragment();
        writer.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        writer
    }

    /// Opens an element, by its lexical name.
    pub fn open(&mut self, name: &'static str) -> &mut Self {
        self.flush();
        self.pending = Some(BytesStart::new(name));
        self.open.push(name);
        self
    }

    /// Declares a namespace on the element just opened; the empty prefix is the default namespace.
    pub fn ns(&mut self, prefix: &'static str, uri: &str) -> &mut Self {
        if prefix.is_empty() {
            return self.attr("xmlns", uri);
        }
        self.attribute(&format!("xmlns:{prefix}"), uri)
    }

    /// Writes an attribute on the element just opened. Without one, does nothing.
    pub fn attr(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.attribute(name, value)
    }

    /// Writes an attribute if there is a value.
    pub fn attr_opt(&mut self, name: &'static str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if !text.is_empty() {
            self.flush();
            let text = printable(text);
            self.event(Event::Text(BytesText::from_escaped(partial_escape(text.as_ref()))));
        }
        self
    }

    /// Copies XML that is already written: by this writer, by [`subtree`], or received and parsed before.
    pub fn raw(&mut self, xml: &str) -> &mut Self {
        if !xml.is_empty() {
            self.flush();
            self.event(Event::Text(BytesText::from_escaped(xml)));
        }
        self
    }

    /// Closes the innermost open element; `<a/>` when it is empty.
    pub fn close(&mut self) -> &mut Self {
        if let Some(start) = self.pending.take() {
            self.open.pop();
            self.event(Event::Empty(start));
        } else if let Some(name) = self.open.pop() {
            self.event(Event::End(BytesEnd::new(name)));
        }
        self
    }

    /// An element with nothing but text.
    pub fn leaf(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.open(name).text(text).close()
    }

    /// An element with nothing but text, if there is one.
    pub fn leaf_opt(&mut self, name: &'static str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.leaf(name, text),
            None => self,
        }
    }

    /// The text written; what is still open is closed.
    #[must_use]
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        // Everything written came from `&str`, so the lossless branch is the only one taken.
        String::from_utf8(self.inner.into_inner())
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }

    fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        if let Some(start) = &mut self.pending {
            start.push_attribute((name, printable(value).as_ref()));
        }
        self
    }

    fn flush(&mut self) {
        if let Some(start) = self.pending.take() {
            self.event(Event::Start(start));
        }
    }

    fn event(&mut self, event: Event<'_>) {
        let written: io::Result<()> = self.inner.write_event(event);
        debug_assert!(written.is_ok(), "writing to memory does not fail");
    }
}

/// Escapes text for an element or an attribute in double quotes, for the rare caller without a [`Writer`].
#[must_use]
pub fn escaped(text: &str) -> String {
    escape(printable(text).as_ref()).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// XML 1.0 §2.2: `Char ::= #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]`.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml_char) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_xml_char(c) { c } else { '\u{FFFD}' }).collect())
}

/// Writes a node of a read document so that it stands alone: every namespace in scope is declared on it.
/// Comments are dropped; the source bytes are the place to keep them.
#[must_use]
pub fn subtree(node: Node<'_, '_>) -> String {
    Canonical::default().of(node)
}
