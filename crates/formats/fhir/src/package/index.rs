//! What resources a package holds, known without decoding them again.
//!
//! The index is made by reading every file once, since the `.index.json` of published packages may list
//! files that are gone and miss others. It is kept beside the package, in [`FILE`], with the SHA-256 of
//! each file: a file that changed since is seen when it is read.

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use socle_finding::{Lang, Text};

use crate::tape::{Document, Node};
use crate::write::Json;

/// Where the index of a kept package is, beside its `package` folder.
pub(super) const FILE: &str = ".socle-index.json";
const FORMAT: u64 = 1;

/// One resource of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its file below `package/`: `StructureDefinition-fr-core-patient.json`.
    pub path: Box<str>,
    /// `StructureDefinition`
    pub kind: Box<str>,
    /// Its id.
    pub id: Option<Box<str>>,
    /// Its canonical.
    pub url: Option<Box<str>>,
    /// Its business version.
    pub version: Option<Box<str>>,
    /// It shows how the package is used, and defines nothing.
    pub is_example: bool,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: Box<str>,
}

/// All resources of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// Files that should hold a resource and do not: path and why.
    pub(super) unread: Vec<(Box<str>, Text)>,
    /// SHA-256 of the archive that was added; none for a folder.
    pub(super) archive: Option<Box<str>>,
    /// The last change of the folder when the index was made, nanoseconds since 1970.
    pub(super) changed: u64,
}

pub(super) fn hex(bytes: &[u8]) -> Box<str> {
    bytes.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}")).into()
}

pub(super) fn sha256(bytes: &[u8]) -> Box<str> {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Is the file at this path one that may hold a resource; and is it an example?
pub(super) fn role(path: &str) -> Option<bool> {
    if !path.ends_with(".json") || path.rsplit('/').next().is_some_and(|name| name.starts_with('.')) {
        return None;
    }
    match path.split_once('/') {
        None => (path != "package.json").then_some(false),
        Some(("example" | "examples", name)) => (!name.contains('/')).then_some(true),
        Some(_) => None,
    }
}

impl Index {
    /// Adds the file at a path, if it is one that holds a resource.
    pub(super) fn add(&mut self, path: &str, bytes: &Bytes) {
        let Some(is_example) = role(path) else { return };
        let sha256 = sha256(bytes);
        match Document::parse(bytes.clone()) {
            Ok(document) => self.entries.extend(Entry::of(path, document.root(), is_example, sha256)),
            Err(error) => {
                let why = Text::new(error.shown(Lang::Fr), error.shown(Lang::En));
                self.unread.push((path.into(), why));
            }
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut json = Json::new();
        json.object(|root| {
            root.number("format", FORMAT).number("changed", self.changed).maybe("archive", self.archive.as_deref());
            root.array("entries", |list| {
                for entry in &self.entries {
                    list.object(|item| entry.write(item));
                }
            });
            root.array("unread", |list| {
                for (path, why) in &self.unread {
                    list.object(|item| {
                        item.text("path", path).text("fr", &why.fr).text("en", &why.en);
                    });
                }
            });
        });
        json.finish()
    }

    /// Reads what [`Self::write`] wrote; none when it is of another time or broken: it is then made again.
    pub(super) fn read(bytes: Bytes) -> Option<Self> {
        let document = Document::parse(bytes).ok()?;
        let root = document.root();
        if root.get("format")?.u64()? != FORMAT {
            return None;
        }
        let unread = |node: Node<'_>| {
            let why = Text::new(node.text("fr")?.to_owned(), node.text("en")?.to_owned());
            Some((node.text("path")?.into(), why))
        };
        Some(Self {
            entries: root.all("entries").map(Entry::read).collect::<Option<_>>()?,
            unread: root.all("unread").map(unread).collect::<Option<_>>()?,
            archive: root.text("archive").map(Into::into),
            changed: root.get("changed")?.u64()?,
        })
    }
}

impl Entry {
    fn of(path: &str, root: Node<'_>, is_example: bool, sha256: Box<str>) -> Option<Self> {
        Some(Self {
            path: path.into(),
            kind: root.resource_type()?.into(),
            id: root.text("id").map(Into::into),
            url: root.text("url").map(Into::into),
            version: root.text("version").map(Into::into),
            is_example,
            sha256,
        })
    }

    fn write(&self, item: &mut crate::write::Object<'_>) {
        item.text("path", &self.path).text("kind", &self.kind).maybe("id", self.id.as_deref());
        item.maybe("url", self.url.as_deref()).maybe("version", self.version.as_deref());
        if self.is_example {
            item.bool("example", true);
        }
        item.text("sha256", &self.sha256);
    }

    fn read(node: Node<'_>) -> Option<Self> {
        Some(Self {
            path: node.text("path")?.into(),
            kind: node.text("kind")?.into(),
            id: node.text("id").map(Into::into),
            url: node.text("url").map(Into::into),
            version: node.text("version").map(Into::into),
            is_example: node.get("example").and_then(Node::bool).unwrap_or(false),
            sha256: node.text("sha256")?.into(),
        })
    }
}
