//! The twins' look-alike of IGC-Santé TEST: authorities, and certificates by profile.
//!
//! Two ranges as in IGC-Santé: ELEMENTAIRE for organisations, FORT for persons, each a root and an
//! intermediate, RSA 2048 and SHA-256 throughout, leaves for three years with the private extension
//! whose TEST bit marks test certificates. Every authority carries `O=SOCLE JUMEAU NON OFFICIEL`: none
//! of this is issued by the ANS, and no certificate policy of the ANS is claimed.
//!
//! Order: the folder, profiles, errors. The encoding is in `issue`, keys and secret files in `keys`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use socle_identity::Environment;

use crate::credentials::{pem, read_certificates, read_file};
use crate::{Anchors, Certificate, Credentials, CredentialsError};

mod issue;
pub(crate) mod keys;
mod profile;
mod revocation;

use issue::{Signer, Template};
use profile::Range;
pub use profile::{Organisation, Person, Profile};

/// A certificate that ends within this time is made again.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A revocation list, good for a year, is made again at half of it.
const LIST_AGE_MAX: Duration = Duration::from_secs(180 * 24 * 3600);

/// The authorities of the twins, kept in a folder, and the certificates they signed.
///
/// Made once, in a second or two. Several processes may share the folder: a lock file keeps them from
/// making the same thing twice, so that tests can use one folder for all.
#[derive(Debug)]
pub struct TestPki {
    dir: PathBuf,
    anchors: Anchors,
    /// Serialises the makers of this process; the lock file does it between processes.
    making: Mutex<()>,
}

impl TestPki {
    /// Opens the folder, or makes the authorities in it. Blocking: call it outside async code.
    ///
    /// # Errors
    /// [`PkiError`] naming the file.
    pub fn open_or_create(dir: &Path) -> Result<Self, PkiError> {
        create_folder(dir)?;
        let _lock = Lock::take(dir)?;
        if Range::ALL.iter().any(|range| !authority_file(dir, range.intermediate_file()).exists()) {
            make_authorities(dir)?;
        }
        let files = Range::ALL.iter().flat_map(|range| [range.root_file(), range.intermediate_file()]);
        let files: Vec<_> = files.map(|name| authority_file(dir, name)).collect();
        let anchors = Anchors::from_pem_files(&files, Environment::Jumeau)?;
        Ok(Self { dir: dir.to_owned(), anchors, making: Mutex::new(()) })
    }

    /// What clients and servers of the twins trust.
    #[must_use]
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// The credentials called `name` in the folder, made at the first call, made again when they
    /// expire within 30 days or no longer fit the profile. Blocking.
    ///
    /// # Errors
    /// [`PkiError`] naming the file; [`PkiError::Name`] for a name that is not letters, digits, `-`.
    pub fn credentials(&self, name: &str, profile: &Profile) -> Result<Credentials, PkiError> {
        let mut all = self.credentials_for(&[(name, profile.clone())])?;
        all.pop().ok_or_else(|| PkiError::Name(name.to_owned()))
    }

    /// Several at once, in the order asked: missing keys are made in parallel.
    ///
    /// # Errors
    /// The first [`PkiError`].
    pub fn credentials_for(&self, wanted: &[(&str, Profile)]) -> Result<Vec<Credentials>, PkiError> {
        if let Some((bad, _)) = wanted.iter().find(|(name, _)| !is_file_name(name)) {
            return Err(PkiError::Name((*bad).to_owned()));
        }
        let now = Timestamp::now();
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = Lock::take(&self.dir)?;
        let mut kept: Vec<_> = wanted.iter().map(|(name, profile)| self.load(name, profile, now)).collect();
        let missing = kept.iter().filter(|credentials| credentials.is_none()).count();
        let mut keys = keys::generate_many(missing)?;
        for ((name, profile), place) in wanted.iter().zip(&mut kept) {
            if place.is_none()
                && let Some(key) = keys.pop()
            {
                *place = Some(self.make(name, profile, key, now)?);
            }
        }
        Ok(kept.into_iter().flatten().collect())
    }

    /// Credentials made as on that day, with a new key, kept nowhere: a day four years ago gives
    /// expired ones, a day to come gives ones not yet valid. Blocking.
    ///
    /// # Errors
    /// [`PkiError`].
    pub fn credentials_made_on(&self, profile: &Profile, day: Timestamp) -> Result<Credentials, PkiError> {
        self.sign(profile, keys::generate()?, day)
    }

    /// Revokes a certificate: from now on [`Self::revocation_lists`] name it. Blocking.
    ///
    /// # Errors
    /// [`PkiError`]; a certificate of other authorities is refused.
    pub fn revoke(&self, certificate: &Certificate) -> Result<(), PkiError> {
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = Lock::take(&self.dir)?;
        for range in Range::ALL {
            let issuer = load_authority(&self.dir, range.intermediate_file())?;
            if issuer.certificate.subject() == certificate.issuer() {
                return write_list(&self.dir, range, &issuer, Some(certificate.serial()));
            }
        }
        let error = "the certificate is not of these authorities".to_owned();
        Err(PkiError::Make { what: "a revocation".to_owned(), error })
    }

    /// The files of the revocation lists, for [`Anchors::with_revocation_lists`]; made when there is
    /// none, and again at half of their year. Blocking.
    ///
    /// # Errors
    /// [`PkiError`] naming the file.
    pub fn revocation_lists(&self) -> Result<Vec<PathBuf>, PkiError> {
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = Lock::take(&self.dir)?;
        let mut files = Vec::new();
        for range in Range::ALL {
            let file = list_file(&self.dir, range);
            let age = fs::metadata(&file).and_then(|m| m.modified()).ok().and_then(|made| made.elapsed().ok());
            if age.is_none_or(|age| age > LIST_AGE_MAX) {
                write_list(&self.dir, range, &load_authority(&self.dir, range.intermediate_file())?, None)?;
            }
            files.push(file);
        }
        Ok(files)
    }

    /// What the folder holds under that name, if it still serves.
    fn load(&self, name: &str, profile: &Profile, now: Timestamp) -> Option<Credentials> {
        let chain = read_file(&self.leaf_file(name, "pem")).ok()?;
        let key = read_file(&self.leaf_file(name, "key")).ok()?;
        let credentials = Credentials::from_pem(&chain, &key).ok()?;
        let certificate = credentials.certificate();
        let lasts = certificate.not_after() > now.checked_add(RENEW_BEFORE).unwrap_or(now);
        let issuer = credentials.chain().get(1)?;
        let ours = self.anchors.intermediates().contains(issuer);
        (lasts && ours && profile.template().is_said_by(certificate)).then_some(credentials)
    }

    fn make(&self, name: &str, profile: &Profile, key: Vec<u8>, now: Timestamp) -> Result<Credentials, PkiError> {
        let credentials = self.sign(profile, key, now)?;
        keys::write_secret(&self.leaf_file(name, "key"), credentials.key_pem().as_bytes())?;
        write(&self.leaf_file(name, "pem"), credentials.chain_pem().as_bytes())?;
        Ok(credentials)
    }

    fn sign(&self, profile: &Profile, key: Vec<u8>, day: Timestamp) -> Result<Credentials, PkiError> {
        let issuer = load_authority(&self.dir, profile.range().intermediate_file())?;
        let leaf = CertificateDer::from(issue::issue(&profile.template(), &key, &issuer.signer(), day)?);
        let chain = vec![leaf, issuer.certificate.der().clone()];
        Ok(Credentials::new(chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)))?)
    }

    fn leaf_file(&self, name: &str, extension: &str) -> PathBuf {
        self.dir.join(format!("{name}.{extension}"))
    }
}

struct Authority {
    certificate: Certificate,
    key: Vec<u8>,
}

impl Authority {
    fn signer(&self) -> Signer<'_> {
        Signer { name: self.certificate.subject(), key: &self.key }
    }
}

fn load_authority(dir: &Path, name: &str) -> Result<Authority, PkiError> {
    let file = authority_file(dir, name);
    let source = file.display().to_string();
    let der = read_certificates(&read_file(&file)?, &source)?.swap_remove(0);
    let certificate =
        Certificate::from_der(&der).map_err(|error| CredentialsError::Certificate { file: source, error })?;
    Ok(Authority { certificate, key: keys::read(&file.with_extension("key"))? })
}

/// Makes both ranges anew: a root without its intermediate is of no use.
fn make_authorities(dir: &Path) -> Result<(), PkiError> {
    let now = Timestamp::now();
    let mut keys = keys::generate_many(Range::ALL.len() * 2)?.into_iter();
    for range in Range::ALL {
        let (Some(root_key), Some(key)) = (keys.next(), keys.next()) else { break };
        let root = range.root_template();
        write_authority(
            dir,
            range.root_file(),
            &root,
            &root_key,
            &Signer { name: &root.subject, key: &root_key },
            now,
        )?;
        let signer = Signer { name: &root.subject, key: &root_key };
        write_authority(dir, range.intermediate_file(), &range.intermediate_template(), &key, &signer, now)?;
    }
    Ok(())
}

fn list_file(dir: &Path, range: Range) -> PathBuf {
    dir.join(range.intermediate_file()).with_extension("crl")
}

fn write_list(dir: &Path, range: Range, issuer: &Authority, serial: Option<&[u8]>) -> Result<(), PkiError> {
    let file = list_file(dir, range);
    let previous = if file.exists() { Some(read_file(&file)?) } else { None };
    write(&file, &revocation::list(previous.as_deref(), serial, &issuer.signer(), Timestamp::now())?)
}

/// The key before the certificate: a certificate without its key would pass for a whole authority.
fn write_authority(
    dir: &Path,
    name: &str,
    template: &Template,
    key: &[u8],
    signer: &Signer<'_>,
    now: Timestamp,
) -> Result<(), PkiError> {
    let file = authority_file(dir, name);
    let der = issue::issue(template, key, signer, now)?;
    keys::write_key(&file.with_extension("key"), key)?;
    write(&file, pem("CERTIFICATE", &der).as_bytes())
}

fn authority_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.pem"))
}

/// Upper case is for authorities, lower case for what is asked by name.
fn is_file_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(allowed)
}

/// Whole or not at all, as for secrets.
fn write(file: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    let draft = file.with_extension("new");
    fs::write(&draft, bytes).and_then(|()| fs::rename(&draft, file)).map_err(|e| PkiError::at(file, &e))
}

#[cfg(unix)]
fn create_folder(dir: &Path) -> Result<(), PkiError> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| PkiError::at(dir, &e))
}

#[cfg(not(unix))]
fn create_folder(dir: &Path) -> Result<(), PkiError> {
    fs::create_dir_all(dir).map_err(|e| PkiError::at(dir, &e))
}

/// An exclusive lock on the folder, released at drop.
struct Lock(#[expect(dead_code, reason = "held for its lock, which the system releases when the file closes")] File);

impl Lock {
    fn take(dir: &Path) -> Result<Self, PkiError> {
        let file = dir.join("lock");
        let lock =
            File::create(&file).and_then(|lock| lock.lock().map(|()| lock)).map_err(|e| PkiError::at(&file, &e))?;
        Ok(Self(lock))
    }
}

/// Why the twins' keys could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// A file or the folder.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: String,
        /// The system's words.
        error: String,
    },
    /// A file of the folder does not hold what it should.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A key or a certificate could not be made.
    #[error("{what} could not be made: {error}")]
    Make {
        /// Which one.
        what: String,
        /// Why.
        error: String,
    },
    /// A name for credentials that would not make a file name everywhere.
    #[error("`{0}` does not name credentials: 1 to 64 lower-case letters, digits and `-`")]
    Name(String),
}

impl PkiError {
    fn at(file: &Path, error: &std::io::Error) -> Self {
        Self::File { file: file.display().to_string(), error: error.to_string() }
    }
}
