//! RSA private keys and the files that keep secrets.

use std::path::Path;

use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::OsRng;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

use super::PkiError;
use crate::credentials::{pem, read_file};

/// RSA 2048, as the leaves of IGC-Santé.
const BITS: usize = 2048;

/// A new RSA key, PKCS#8 DER. Takes a fraction of a second of one core.
pub(crate) fn generate() -> Result<Vec<u8>, PkiError> {
    let wrong = |error: String| PkiError::Make { what: "an RSA key".to_owned(), error };
    let key = RsaPrivateKey::new(&mut OsRng, BITS).map_err(|e| wrong(e.to_string()))?;
    let der = key.to_pkcs8_der().map_err(|e| wrong(e.to_string()))?;
    Ok(der.as_bytes().to_vec())
}

/// Several new keys, on as many cores as there are.
pub(crate) fn generate_many(count: usize) -> Result<Vec<Vec<u8>>, PkiError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let batch = cores.min(count - keys.len());
        let made: Result<Vec<_>, _> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..batch).map(|_| scope.spawn(generate)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(thread_died()))).collect()
        });
        keys.extend(made?);
    }
    Ok(keys)
}

fn thread_died() -> PkiError {
    PkiError::Make { what: "an RSA key".to_owned(), error: "its thread died".to_owned() }
}

/// The PKCS#8 key of a PEM file, made if the file does not exist.
pub(crate) fn open_or_create(file: &Path) -> Result<Vec<u8>, PkiError> {
    if file.exists() {
        return read(file);
    }
    let key = generate()?;
    write_key(file, &key)?;
    Ok(key)
}

pub(crate) fn read(file: &Path) -> Result<Vec<u8>, PkiError> {
    let bytes = read_file(file)?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(&bytes).map_err(|_| PkiError::File {
        file: file.display().to_string(),
        error: "no PEM private key (PKCS#8)".to_owned(),
    })?;
    Ok(key.secret_pkcs8_der().to_vec())
}

pub(crate) fn write_key(file: &Path, der: &[u8]) -> Result<(), PkiError> {
    write_secret(file, pem("PRIVATE KEY", der).as_bytes())
}

/// Writes a whole file or none of it, readable by its owner only where the platform has modes.
pub(crate) fn write_secret(file: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    crate::write_secret(file, bytes).map_err(|error| PkiError::at(file, &error))
}
