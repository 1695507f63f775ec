//! Why a package cannot be used.

use socle_finding::{Lang, Text};

use super::{BadPackageId, PackageId};
use crate::tape::JsonError;

/// A package, or a part of one, that cannot be used: which, what, how to mend it.
#[derive(Debug, thiserror::Error)]
#[error("{subject}: {}; {}", .kind.message().en, .kind.mend().en)]
pub struct PackageError {
    /// The archive, the folder, the package or the file in it.
    pub subject: String,
    /// What is wrong.
    pub kind: PackageErrorKind,
}

impl PackageError {
    /// What is wrong with which.
    pub fn new(subject: impl Into<String>, kind: impl Into<PackageErrorKind>) -> Self {
        Self { subject: subject.into(), kind: kind.into() }
    }

    /// The sentence for a person: which, what, how to mend it.
    #[must_use]
    pub fn shown(&self, lang: Lang) -> String {
        let (message, mend) = (self.kind.message(), self.kind.mend());
        match lang {
            Lang::Fr => format!("{} : {} ; {}", self.subject, message.fr, mend.fr),
            Lang::En => format!("{}: {}; {}", self.subject, message.en, mend.en),
        }
    }
}

/// What can be wrong with a package.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.message().en)]
#[non_exhaustive]
pub enum PackageErrorKind {
    /// The disk said no.
    Io(#[from] std::io::Error),
    /// Not a gzip of a tar, or one that is cut.
    NotAnArchive,
    /// More than a package may cost.
    TooBig {
        /// Of what.
        what: Text,
        /// How much is allowed.
        limit: u64,
    },
    /// A path that leaves the package.
    PathEscape,
    /// A link, a device, a pipe.
    NotAFile,
    /// The same path twice.
    Twice,
    /// No `package/package.json`.
    NoManifest,
    /// A manifest that is not JSON.
    Json(JsonError),
    /// A member of the manifest that is missing or of the wrong kind.
    Manifest {
        /// Which.
        member: &'static str,
    },
    /// A name that cannot be that of a package.
    Id(#[from] BadPackageId),
    /// The package is not kept here.
    Unknown,
    /// Another content is kept under that name.
    Differs {
        /// The name.
        id: PackageId,
    },
    /// The file is not the one that was added.
    Altered,
    /// There is no folder for packages: no home folder, none was named.
    NoHome,
}

impl From<JsonError> for PackageErrorKind {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl PackageErrorKind {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> Text {
        match self {
            Self::Io(error) => Text::new(
                format!("illisible ou non inscriptible ({error})"),
                format!("cannot be read or written ({error})"),
            ),
            Self::NotAnArchive => Text::fixed(
                "ce n'est pas un paquet : archive tar compressée par gzip attendue, ou archive tronquée",
                "this is no package: a tar archive compressed by gzip is expected, or it is cut",
            ),
            Self::TooBig { what, limit } => {
                Text::new(format!("{} : plus que {limit}", what.fr), format!("{}: more than {limit}", what.en))
            }
            Self::PathEscape => {
                Text::fixed("un chemin de l'archive sort du paquet", "a path of the archive leaves the package")
            }
            Self::NotAFile => Text::fixed(
                "l'archive contient un lien ou un fichier spécial",
                "the archive holds a link or a special file",
            ),
            Self::Twice => Text::fixed("ce fichier figure deux fois", "this file is there twice"),
            Self::NoManifest => Text::fixed("package/package.json manque", "package/package.json is missing"),
            Self::Json(error) => Text::new(error.shown(Lang::Fr), error.shown(Lang::En)),
            Self::Manifest { member } => Text::new(
                format!("« {member} » manque dans package.json, ou n'a pas la forme attendue"),
                format!("`{member}` is missing in package.json, or has not the expected form"),
            ),
            Self::Id(BadPackageId::NoVersion) => Text::fixed(
                "un paquet s'écrit id#version, par exemple hl7.fhir.fr.core#2.1.0",
                "a package is written id#version, such as hl7.fhir.fr.core#2.1.0",
            ),
            Self::Id(BadPackageId::Name) => Text::fixed(
                "l'identifiant d'un paquet est fait de lettres, de chiffres, de . - et _",
                "the id of a package is made of letters, digits, . - and _",
            ),
            Self::Id(BadPackageId::Version) => Text::fixed(
                "la version d'un paquet est faite de lettres, de chiffres, de . - _ et +",
                "the version of a package is made of letters, digits, . - _ and +",
            ),
            Self::Unknown => Text::fixed("ce paquet n'est pas installé", "this package is not installed"),
            Self::Differs { id } => Text::new(
                format!("{id} est déjà installé avec un autre contenu"),
                format!("{id} is installed already with another content"),
            ),
            Self::Altered => Text::fixed(
                "le fichier a changé depuis l'ajout du paquet (somme SHA-256 différente)",
                "the file has changed since the package was added (another SHA-256)",
            ),
            Self::NoHome => Text::fixed("aucun dossier de paquets", "there is no folder for packages"),
        }
    }

    /// How to mend it.
    #[must_use]
    pub const fn mend(&self) -> Text {
        match self {
            Self::Io(_) => Text::fixed("vérifiez le chemin et les droits", "check the path and the rights"),
            Self::NotAnArchive => Text::fixed(
                "téléchargez à nouveau le fichier .tgz publié, ou donnez le dossier",
                "download the published .tgz again, or give the folder",
            ),
            Self::TooBig { .. } => Text::fixed(
                "aucun paquet publié n'est aussi grand : vérifiez sa provenance",
                "no published package is that big: check where it comes from",
            ),
            Self::PathEscape | Self::NotAFile | Self::Twice => Text::fixed(
                "n'utilisez pas cette archive : vérifiez sa provenance",
                "do not use this archive: check where it comes from",
            ),
            Self::NoManifest => Text::fixed(
                "donnez un paquet FHIR (--with pour de simples ressources)",
                "give a FHIR package (--with for resources alone)",
            ),
            Self::Json(_) | Self::Manifest { .. } => Text::fixed(
                "corrigez package.json, ou demandez-le à qui publie le paquet",
                "mend package.json, or ask whoever publishes the package",
            ),
            Self::Id(_) => Text::fixed("corrigez le nom", "mend the name"),
            Self::Unknown => Text::fixed(
                "« socle package list » montre ce qui est là ; « socle package add » l'ajoute",
                "`socle package list` shows what is there; `socle package add` adds it",
            ),
            Self::Differs { .. } => Text::fixed(
                "retirez-le d'abord (socle package remove) si c'est bien le nouveau qu'il faut",
                "remove it first (socle package remove) if the new one is right",
            ),
            Self::Altered => Text::fixed(
                "retirez le paquet et ajoutez-le à nouveau (socle package remove, puis add)",
                "remove the package and add it again (socle package remove, then add)",
            ),
            Self::NoHome => Text::fixed(
                "donnez-en un par --packages ou par la variable SOCLE_PACKAGES",
                "name one by --packages or by the variable SOCLE_PACKAGES",
            ),
        }
    }
}
