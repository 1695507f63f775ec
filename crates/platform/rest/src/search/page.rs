//! What a next link carries: the search and the place in its answer, sealed, so that an address holds nobody's name
//! and a place cannot be made up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use socle_fhir::IssueType;
use socle_finding::Text;
use socle_store::Cursor;

use crate::problem::{Answered, Problem};

/// A place in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// After this one, or at the beginning.
    pub(crate) after: Option<Cursor>,
    /// The search, as a query string.
    pub(crate) search: String,
}

/// Seals places with a key of the installation.
pub(crate) struct Sealer {
    key: LessSafeKey,
    /// What the places belong to: one of another base does not open.
    about: String,
}

impl Sealer {
    /// None when the key is refused, which a key of 32 bytes never is.
    pub(crate) fn new(key: &[u8; 32], about: &str) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
        Some(Self { key: LessSafeKey::new(key), about: about.to_owned() })
    }

    pub(crate) fn seal(&self, kind: &str, place: &Place) -> Answered<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| unusable())?;
        let after = place.after.map_or(0, |cursor| cursor.to_u64());
        let mut sealed = format!("{after} {}", place.search).into_bytes();
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), self.aad(kind), &mut sealed)
            .map_err(|_| unusable())?;
        let all = [&nonce[..], &sealed, tag.as_ref()].concat();
        Ok(URL_SAFE_NO_PAD.encode(all))
    }

    pub(crate) fn open(&self, kind: &str, text: &str) -> Answered<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unusable())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(unusable)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, self.aad(kind), &mut sealed).map_err(|_| unusable())?;
        let text = std::str::from_utf8(opened).map_err(|_| unusable())?;
        let (after, search) = text.split_once(' ').ok_or_else(unusable)?;
        let after = after.parse().map_err(|_| unusable())?;
        let after = (after > 0).then(|| Cursor::from_u64(after));
        Ok(Place { after, search: search.to_owned() })
    }

    fn aad(&self, kind: &str) -> Aad<Vec<u8>> {
        Aad::from(format!("{} {kind}", self.about).into_bytes())
    }
}

fn unusable() -> Problem {
    Problem::bad_request(
        IssueType::Value,
        "search.html#Paging",
        Text::fixed("ce lien de page n'est pas un des nôtres", "this page link is none of ours"),
        Text::fixed("refaites la recherche depuis sa première page", "search again from the first page"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_opens_where_it_was_sealed_and_nowhere_else() {
        let sealer = Sealer::new(&[7; 32], "base").unwrap();
        let place = Place { after: Some(Cursor::from_u64(42)), search: "name=x".into() };
        let sealed = sealer.seal("Patient", &place).unwrap();
        assert_eq!(sealer.open("Patient", &sealed).unwrap(), place);
        assert!(sealer.open("Observation", &sealed).is_err());
        assert!(Sealer::new(&[7; 32], "other").unwrap().open("Patient", &sealed).is_err());
        assert!(Sealer::new(&[8; 32], "base").unwrap().open("Patient", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                sealer.open("Patient", &changed).is_err()
                    || URL_SAFE_NO_PAD.decode(&changed) == URL_SAFE_NO_PAD.decode(&sealed)
            );
        }
        assert!(sealer.open("Patient", "").is_err());
    }
}
