//! `package.json`: who a package is and what it needs.

use bytes::Bytes;

use super::{PackageError, PackageErrorKind, PackageId};
use crate::tape::{Document, Kind};

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its name and version.
    pub id: PackageId,
    /// What it needs, in the order of its manifest; a name or version that cannot be one is left to
    /// [`Self::odd_dependencies`].
    pub dependencies: Vec<PackageId>,
    /// What it needs and that cannot be the name of a package, as written.
    pub odd_dependencies: Vec<String>,
    /// The versions of FHIR that it is for: `4.0.1`.
    pub fhir_versions: Vec<String>,
    /// The beginning of its canonicals.
    pub canonical: Option<String>,
    /// What it is called.
    pub title: Option<String>,
}

impl Manifest {
    /// Reads a `package.json`.
    ///
    /// # Errors
    /// [`PackageError`] when it is not JSON, or has no usable name or version.
    pub fn read(subject: &str, bytes: Bytes) -> Result<Self, PackageError> {
        let failed = |kind: PackageErrorKind| PackageError::new(subject, kind);
        let document = Document::parse(bytes).map_err(|error| failed(error.into()))?;
        let root = document.root();
        let text =
            |member: &'static str| root.text(member).ok_or_else(|| failed(PackageErrorKind::Manifest { member }));
        let id = PackageId::new(text("name")?, text("version")?).map_err(|error| failed(error.into()))?;
        let dependencies = root.get("dependencies");
        if dependencies.is_some_and(|node| node.kind() != Kind::Object) {
            return Err(failed(PackageErrorKind::Manifest { member: "dependencies" }));
        }
        let (mut needed, mut odd) = (Vec::new(), Vec::new());
        for (name, version) in dependencies.into_iter().flat_map(|node| node.members()) {
            match PackageId::new(name, version.str().unwrap_or_default()) {
                Ok(id) => needed.push(id),
                Err(_) => odd.push(format!("{name}#{}", version.str().unwrap_or("?"))),
            }
        }
        let versions = root.all("fhirVersions").chain(root.all("fhir-version-list"));
        Ok(Self {
            id,
            dependencies: needed,
            odd_dependencies: odd,
            fhir_versions: versions.filter_map(|version| version.str().map(str::to_owned)).collect(),
            canonical: root.text("canonical").map(str::to_owned),
            title: root.text("title").map(str::to_owned),
        })
    }

    /// Is it for FHIR R4 (4.0.x, or 4.3 that shares it), as far as it says?
    #[must_use]
    pub fn is_r4(&self) -> bool {
        self.fhir_versions.is_empty()
            || self.fhir_versions.iter().any(|version| version.starts_with("4.0") || version.starts_with("4.3"))
    }
}
