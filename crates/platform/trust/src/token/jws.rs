use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::TokenError;

/// Longest token read: those of Pro Santé Connect are 1 to 2 KB.
const TOKEN_MAX: usize = 16 * 1024;

/// The accepted signature algorithms (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5, SHA-256.
    Rs256,
    /// RSA PSS, SHA-256.
    Ps256,
    /// ECDSA P-256, SHA-256.
    Es256,
}

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A token taken apart; nothing of it is believed yet.
pub(super) struct Compact<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
    /// What is signed: header and payload as they came.
    pub(super) signed: &'a str,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
    #[serde(default)]
    b64: Option<serde_json::Value>,
}

pub(super) fn parse(token: &str) -> Result<Compact<'_>, TokenError> {
    if token.len() > TOKEN_MAX {
        return Err(TokenError::Malformed("longer than 16 KB"));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed("not three parts"))?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed("not three parts"))?;
    if payload.contains('.') {
        return Err(TokenError::Malformed("more than three parts"));
    }
    let header: Header = serde_json::from_slice(&decode(header)?)
        .map_err(|_| TokenError::Malformed("the header is not a JSON object with `alg`"))?;
    // An extension that its author calls critical must be understood or refused (RFC 7515 §4.1.11).
    if header.crit.is_some() || header.b64.is_some() {
        return Err(TokenError::Malformed("the header holds an extension that is not understood"));
    }
    Ok(Compact {
        algorithm: Algorithm::parse(&header.alg).ok_or(TokenError::Algorithm)?,
        kid: header.kid,
        typ: header.typ,
        signed,
        payload: decode(payload)?,
        signature: decode(signature)?,
    })
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed("a part is not base64url without padding"))
}

/// `header.payload` ready to be signed.
pub(super) fn signing_input(header: &str, payload: &[u8]) -> String {
    let mut out = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 400);
    URL_SAFE_NO_PAD.encode_string(header, &mut out);
    out.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut out);
    out
}

pub(super) fn append_signature(token: &mut String, signature: &[u8]) {
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, token);
}
