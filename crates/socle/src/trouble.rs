//! What went wrong, said to a person in their language: what happened, and what to do about it.
//!
//! [`Trouble`] is a sentence of the command line's own. [`told`] finds the words for the errors of the
//! libraries that a user can meet; what has none is shown as the technical detail that it is.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use socle_fhir::package::PackageError;
use socle_finding::{Finding, Text};
use socle_identity::{EnvironmentMix, MssAddressError, UnknownDevice};
use socle_store::StoreError;
use socle_trust::https::{HttpError, HttpErrorKind};
use socle_trust::{CertificateError, CredentialsError};
use socle_xml::library::LibraryError;

use crate::config::ConfigError;

/// A sentence in both languages, and what to do.
#[derive(Debug)]
pub(crate) struct Trouble {
    said: Text,
    mend: Option<Text>,
    cause: Option<anyhow::Error>,
}

impl Trouble {
    /// What happened, known when the program is written.
    pub(crate) const fn fixed(fr: &'static str, en: &'static str) -> Self {
        Self { said: Text::fixed(fr, en), mend: None, cause: None }
    }

    /// What happened, with particulars.
    pub(crate) fn new(fr: String, en: String) -> Self {
        Self { said: Text::new(fr, en), mend: None, cause: None }
    }

    /// What to do.
    pub(crate) fn mend(self, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { mend: Some(Text::new(fr.into(), en.into())), ..self }
    }

    /// A field of `socle.toml` that must be given in this environment.
    pub(crate) fn missing(field: &str, fr: &str, en: &str) -> Self {
        Self::new(format!("{field} manque dans la configuration"), format!("{field} is missing in the configuration"))
            .mend(format!("indiquez {fr}"), format!("give {en}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said.en)
    }
}

impl Error for Trouble {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(AsRef::as_ref)
    }
}

/// Says what was being done, on top of what a library says.
pub(crate) trait OrTrouble<T> {
    /// The trouble, with the error below it.
    fn or_trouble(self, trouble: impl FnOnce() -> Trouble) -> Result<T, Trouble>;
}

impl<T, E: Into<anyhow::Error>> OrTrouble<T> for Result<T, E> {
    fn or_trouble(self, trouble: impl FnOnce() -> Trouble) -> Result<T, Trouble> {
        self.map_err(|error| Trouble { cause: Some(error.into()), ..trouble() })
    }
}

/// What one error of a chain means to a person.
pub(crate) struct Told {
    pub said: Text,
    pub mend: Option<Text>,
    /// Its own causes add nothing.
    pub is_whole: bool,
}

impl Told {
    const fn whole(said: Text, mend: Option<Text>) -> Self {
        Self { said, mend, is_whole: true }
    }
}

/// The words for an error, when it is one that a user can meet.
pub(crate) fn told(error: &(dyn Error + 'static)) -> Option<Told> {
    if let Some(trouble) = error.downcast_ref::<Trouble>() {
        return Some(Told { said: trouble.said.clone(), mend: trouble.mend.clone(), is_whole: false });
    }
    error
        .downcast_ref::<ConfigError>()
        .map(|error| Told::whole(error.said(), Some(error.mend())))
        .or_else(|| error.downcast_ref().map(address))
        .or_else(|| error.downcast_ref().map(device))
        .or_else(|| error.downcast_ref().map(http))
        .or_else(|| error.downcast_ref().and_then(store))
        .or_else(|| error.downcast_ref().and_then(credentials))
        .or_else(|| error.downcast_ref().map(mix))
        .or_else(|| error.downcast_ref().and_then(|error: &std::io::Error| system(error.kind())))
        .or_else(|| error.downcast_ref().map(|error: &socle_cda::DocumentError| finding(&error.finding())))
        .or_else(|| error.downcast_ref().map(|error: &socle_fhir::JsonError| finding(&error.issue().finding)))
        .or_else(|| error.downcast_ref().map(package))
        .or_else(|| error.downcast_ref().map(library))
}

fn finding(finding: &Finding) -> Told {
    Told::whole(finding.message.clone(), Some(finding.mend.clone()))
}

fn package(error: &PackageError) -> Told {
    let message = error.kind.message();
    let (fr, en) = (format!("{} : {}", error.subject, message.fr), format!("{}: {}", error.subject, message.en));
    Told::whole(Text::new(fr, en), Some(error.kind.mend()))
}

fn library(error: &LibraryError) -> Told {
    let (said, mend) = match error {
        LibraryError::NotATestBed { path } => (
            Text::new(
                format!("{} n'est pas un banc de test du CI-SIS", path.display()),
                format!("{} is no test bed of the CI-SIS", path.display()),
            ),
            Text::fixed("donnez son dossier ou son archive ZIP", "give its folder or its ZIP archive"),
        ),
        LibraryError::Unknown { id } => (
            Text::new(format!("aucun banc de test {id} n'est installé"), format!("no test bed {id} is installed")),
            Text::fixed("« socle package list » montre ce qui est là", "`socle package list` shows what is there"),
        ),
        LibraryError::Ambiguous { id } => (
            Text::new(
                format!("plusieurs bancs de test commencent par {id}"),
                format!("several test beds begin with {id}"),
            ),
            Text::fixed("donnez plus de signes", "give more signs"),
        ),
        LibraryError::Io { path, source } => (
            Text::new(
                format!("{} ne se lit pas ou ne s'écrit pas ({source})", path.display()),
                format!("{} cannot be read or written ({source})", path.display()),
            ),
            Text::fixed("vérifiez le chemin et les droits", "check the path and the rights"),
        ),
    };
    Told::whole(said, Some(mend))
}

fn address(error: &MssAddressError) -> Told {
    let said = match error {
        MssAddressError::NoAt => Text::fixed("une adresse de messagerie contient un @", "a mail address holds an @"),
        MssAddressError::Local => Text::fixed(
            "ce qui précède le @ n'est pas un nom de boîte aux lettres",
            "what stands before the @ is not a mailbox name",
        ),
        MssAddressError::Domain => {
            Text::fixed("ce qui suit le @ n'est pas un nom de domaine", "what stands after the @ is not a domain name")
        }
        MssAddressError::PatientIsMatricule => Text::fixed(
            "une adresse de patient.mssante.fr est un matricule INS de 15 chiffres, clé comprise",
            "an address of patient.mssante.fr is a matricule INS of 15 digits with its right key",
        ),
    };
    let mend = Text::fixed(
        "écrivez nom@domaine (dr.marie.martin@medecin.mssante.test), ou « patient » pour le patient du document",
        "write name@domain (dr.marie.martin@medecin.mssante.test), or `patient` for the patient of the document",
    );
    Told::whole(said, Some(mend))
}

fn device(error: &UnknownDevice) -> Told {
    Told::whole(
        Text::new(
            format!("« {} » n'est pas un dispositif à haut niveau de confiance", error.0),
            format!("`{}` is no device of high confidence", error.0),
        ),
        Some(Text::fixed(
            "donnez l'un de CN, PA, CS, eCN, IN, AV, LECV, AN, LEP, CC, ANCV",
            "give one of CN, PA, CS, eCN, IN, AV, LECV, AN, LEP, CC, ANCV",
        )),
    )
}

fn http(error: &HttpError) -> Told {
    let host = &error.host;
    let said = match &error.kind {
        HttpErrorKind::Url(_) => {
            Text::new(format!("{host} : adresse inutilisable"), format!("{host}: unusable address"))
        }
        HttpErrorKind::PlainHttp => Text::new(
            format!("{host} : http sans TLS est réservé à cette machine, utilisez https"),
            format!("{host}: plain http is for this machine only, use https"),
        ),
        HttpErrorKind::Connect(detail) => {
            Text::new(format!("{host} : personne ne répond ({detail})"), format!("{host}: nobody answers ({detail})"))
        }
        HttpErrorKind::Tls(detail) => {
            Text::new(format!("{host} : TLS refusé ({detail})"), format!("{host}: TLS refused ({detail})"))
        }
        HttpErrorKind::Timeout { after } => Text::new(
            format!("{host} : pas de réponse en {} ms", after.as_millis()),
            format!("{host}: no answer within {} ms", after.as_millis()),
        ),
        HttpErrorKind::TooBig { limit } => Text::new(
            format!("{host} : réponse de plus de {limit} octets"),
            format!("{host}: an answer of more than {limit} bytes"),
        ),
        HttpErrorKind::Broken(detail) => Text::new(
            format!("{host} : échange interrompu ({detail})"),
            format!("{host}: the exchange broke ({detail})"),
        ),
    };
    Told::whole(said, None)
}

fn store(error: &StoreError) -> Option<Told> {
    let (said, mend) = match error {
        StoreError::Folder { path, source } => (
            Text::new(
                format!("le dossier de données {} est inutilisable ({source})", path.display()),
                format!("the data folder {} cannot be used ({source})", path.display()),
            ),
            Text::fixed(
                "créez-le, donnez à cet utilisateur le droit d'y écrire, ou choisissez un autre dossier (data = …)",
                "create it, give this user the right to write there, or choose another folder (data = …)",
            ),
        ),
        StoreError::InUse { path } => (
            Text::new(
                format!("un autre processus utilise le dossier de données {}", path.display()),
                format!("another process uses the data folder {}", path.display()),
            ),
            Text::fixed(
                "arrêtez-le, ou choisissez un autre dossier (data = …)",
                "stop it, or choose another folder (data = …)",
            ),
        ),
        StoreError::Newer { found, known, .. } => (
            Text::new(
                format!("le dossier de données a le schéma {found}, ce programme va jusqu'à {known}"),
                format!("the data folder has schema {found}, this program knows up to {known}"),
            ),
            Text::fixed(
                "lancez le programme plus récent, ou restaurez une sauvegarde antérieure",
                "run the newer program, or restore a backup made before",
            ),
        ),
        StoreError::Damaged { what } => (
            Text::new(format!("les données sont endommagées : {what}"), format!("the stored data is damaged: {what}")),
            Text::fixed(
                "gardez une copie du dossier, puis restaurez la dernière sauvegarde",
                "keep a copy of the folder, then restore the last backup",
            ),
        ),
        StoreError::Key { path, problem } => (
            Text::new(
                format!("fichier de clé {} : {problem}", path.display()),
                format!("the key file {} {problem}", path.display()),
            ),
            Text::fixed(
                "restaurez-le d'une sauvegarde : sans lui, le journal d'audit ne peut être ni lu ni poursuivi",
                "restore it from a backup: without it the audit log can be neither read nor continued",
            ),
        ),
        StoreError::DiskFull => (
            Text::fixed("le disque du dossier de données est plein", "the disk of the data folder is full"),
            Text::fixed("libérez de la place, puis recommencez", "free some space, then try again"),
        ),
        _ => return None,
    };
    Some(Told::whole(said, Some(mend)))
}

fn credentials(error: &CredentialsError) -> Option<Told> {
    let (said, mend) = match error {
        CredentialsError::File { file, error } => (
            Text::new(format!("{file} : lecture impossible ({error})"), format!("{file}: cannot be read ({error})")),
            Text::fixed("vérifiez le chemin et les droits du fichier", "check the path and the rights of the file"),
        ),
        CredentialsError::NotPem { file, what } => (
            Text::new(
                format!("{file} ne contient pas le bloc PEM attendu ({})", pem_block(what)),
                format!("{file} holds no PEM block of {what}"),
            ),
            Text::fixed(
                "donnez un fichier PEM (RFC 7468), feuille d'abord",
                "give a PEM file (RFC 7468), the leaf first",
            ),
        ),
        CredentialsError::Certificate { file, error: CertificateError::Der(_) } => (
            Text::new(format!("{file} n'est pas un certificat X.509"), format!("{file} is not an X.509 certificate")),
            Text::fixed(
                "donnez le certificat délivré par l'IGC-Santé",
                "give the certificate that IGC-Santé delivered",
            ),
        ),
        CredentialsError::Environment { file, mix: crossing } => {
            let Told { said, mend, .. } = mix(crossing);
            (Text::new(format!("{file} : {}", said.fr), format!("{file}: {}", said.en)), mend?)
        }
        CredentialsError::Pkcs12 { file } => (
            Text::new(
                format!("{file} ne s'ouvre pas : mot de passe faux, ou pas un PKCS#12"),
                format!("{file} does not open: wrong password, or not a PKCS#12"),
            ),
            Text::fixed("vérifiez le fichier et son mot de passe", "check the file and its password"),
        ),
        CredentialsError::KeyMismatch => (
            Text::fixed("la clé privée n'est pas celle du certificat", "the private key is not the certificate's"),
            Text::fixed("donnez les deux fichiers d'une même paire", "give the two files of one pair"),
        ),
        _ => return None,
    };
    Some(Told::whole(said, Some(mend)))
}

fn pem_block(what: &str) -> &'static str {
    if what.contains("key") { "clé privée" } else { "certificat" }
}

fn mix(error: &EnvironmentMix) -> Told {
    Told::whole(
        Text::new(
            format!("appartient à l'environnement « {} » et ne peut servir en « {} »", error.belongs_to, error.used_in),
            error.to_string(),
        ),
        Some(Text::fixed("un seul environnement par configuration", "one environment per configuration")),
    )
}

fn system(kind: ErrorKind) -> Option<Told> {
    let said = match kind {
        ErrorKind::NotFound => Text::fixed("le fichier n'existe pas", "there is no such file"),
        ErrorKind::PermissionDenied => {
            Text::fixed("cet utilisateur n'en a pas le droit", "this user has not the right to do it")
        }
        ErrorKind::IsADirectory => Text::fixed("c'est un dossier, pas un fichier", "it is a folder, not a file"),
        ErrorKind::AddrInUse => Text::fixed("le port est déjà pris", "the port is already taken"),
        ErrorKind::AddrNotAvailable => {
            Text::fixed("cette machine n'a pas cette adresse", "this machine has not that address")
        }
        ErrorKind::StorageFull => Text::fixed("le disque est plein", "the disk is full"),
        _ => return None,
    };
    Some(Told::whole(said, None))
}
