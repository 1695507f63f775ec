//! The name and the version of a package.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// `hl7.fhir.fr.core#2.1.0`. Both parts are safe as parts of a file name, on Windows too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId {
    name: Box<str>,
    version: Box<str>,
}

/// Not the name of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPackageId {
    /// There is no `#`.
    #[error("a package is written id#version, such as hl7.fhir.fr.core#2.1.0")]
    NoVersion,
    /// The id holds something else than letters, digits, `.`, `-`, `_`, is empty or too long.
    #[error("the id of a package is made of letters, digits, `.`, `-` and `_`, and begins with a letter or a digit")]
    Name,
    /// The same for the version, where `+` is allowed as well.
    #[error(
        "the version of a package is made of letters, digits, `.`, `-`, `_` and `+`, and begins with a letter or a digit"
    )]
    Version,
}

impl PackageId {
    const LONGEST: usize = 128;

    /// A name and a version.
    ///
    /// # Errors
    /// [`BadPackageId`] when one of them could not be the part of a file name.
    pub fn new(name: &str, version: &str) -> Result<Self, BadPackageId> {
        let plain = |text: &str, extra: &[u8]| {
            (1..=Self::LONGEST).contains(&text.len())
                && text.as_bytes()[0].is_ascii_alphanumeric()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte) || extra.contains(&byte))
        };
        if !plain(name, b"") {
            return Err(BadPackageId::Name);
        }
        // A folder whose name ends with a dot cannot be opened on Windows.
        if !plain(version, b"+") || version.ends_with('.') {
            return Err(BadPackageId::Version);
        }
        Ok(Self { name: name.to_ascii_lowercase().into(), version: version.into() })
    }

    /// `hl7.fhir.fr.core`
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `2.1.0`
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Is `other` what this asks for? `1.1.x` asks for any patch of 1.1, `latest` for anything.
    #[must_use]
    pub fn admits(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        if self.version == other.version || &*self.version == "latest" {
            return true;
        }
        self.wildcard().is_some_and(|prefix| other.version.starts_with(prefix))
    }

    /// Does it name exactly one version?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        &*self.version != "latest" && self.wildcard().is_none()
    }

    fn wildcard(&self) -> Option<&str> {
        self.version.strip_suffix(".x").map(|prefix| &self.version[..=prefix.len()])
    }

    /// Which version is newer, as Semantic Versioning 2.0.0 §11 orders them; the name is not looked at.
    #[must_use]
    pub fn by_version(&self, other: &Self) -> Ordering {
        fn split(version: &str) -> (&str, Option<&str>) {
            let version = version.split('+').next().unwrap_or_default();
            version.split_once('-').map_or((version, None), |(core, label)| (core, Some(label)))
        }
        let ((core, label), (other_core, other_label)) = (split(&self.version), split(&other.version));
        by_parts(core, other_core).then_with(|| match (label, other_label) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(label), Some(other)) => by_parts(label, other),
        })
    }
}

fn by_parts(one: &str, other: &str) -> Ordering {
    let mut ours = one.split('.');
    let mut theirs = other.split('.');
    loop {
        let ordering = match (ours.next(), theirs.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

impl FromStr for PackageId {
    type Err = BadPackageId;

    fn from_str(text: &str) -> Result<Self, BadPackageId> {
        let (name, version) = text.split_once('#').ok_or(BadPackageId::NoVersion)?;
        Self::new(name, version)
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.name, self.version)
    }
}
