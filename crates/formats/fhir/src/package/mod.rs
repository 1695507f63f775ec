//! FHIR packages: read, kept, and seen from where one stands.
//!
//! [`PackageId`] names one (`id.rs`). [`Package`] is one that is open (`content.rs`): a manifest
//! (`manifest.rs`), an index of its resources (`index.rs`), and its files, read when asked; it comes from
//! an archive (`archive.rs`), a folder, or the [`Cache`] (`cache.rs`), which follows the layout that the
//! ecosystem shares, `{root}/{id}#{version}/package/*.json`. [`Closure`] (`closure.rs`) is a package with
//! all that it depends on; [`View`] (`view.rs`) resolves canonicals from there, so that FR Core 1.1.0
//! under SAS and FR Core 2.2.0 under the annuaire live side by side.
//!
//! ```
//! use socle_fhir::definitions::Definitions as _;
//! use socle_fhir::package::{Cache, Closure, View};
//!
//! let cache = Cache::at("/nowhere/packages");
//! assert!(cache.list()?.is_empty(), "a folder that is not there keeps nothing");
//! // What can be seen from no package at all is R4.
//! let view = View::of(Closure::of(&[], &cache));
//! assert!(view.structure("http://hl7.org/fhir/StructureDefinition/Patient|4.0.1").is_some());
//! assert!(view.structure("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient").is_none());
//! # Ok::<(), socle_fhir::package::PackageError>(())
//! ```
//!
//! Not here: the network (whoever wants a registry gives the bytes to [`Package::from_archive`]), nor
//! what a resource means (`definitions`, `snapshot`, `profile`).
//!
//! Source: the FHIR NPM package specification (packages2.fhir.org), FHIR R4 §2.1.0.2 (canonical URLs).

mod archive;
mod cache;
mod closure;
mod content;
mod error;
mod id;
mod index;
mod manifest;
#[cfg(test)]
mod tests;
mod view;

pub use archive::Limits;
pub use cache::{Added, Cache, Kept};
pub use closure::{Closure, Missing, Shelf};
pub use content::Package;
pub use error::{PackageError, PackageErrorKind};
pub use id::{BadPackageId, PackageId};
pub use index::Entry;
pub use manifest::Manifest;
pub use view::View;
