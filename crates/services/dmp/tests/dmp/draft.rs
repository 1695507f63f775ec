//! A valid ITI-41 request, taken apart so that one thing at a time can be broken, and other requests made by
//! hand. The client cannot send any of this.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use socle_cda::xds::{DocumentEntry, RegistryObjects, Submission};
use socle_dmp::client::Document;
use socle_dmp::model::Vihf;
use socle_dmp::wire::PROVIDE;
use socle_dmp::wire::documents::{Attached, write_provide};
use socle_dmp::wire::response::read_query;
use socle_dmp::wire::vihf::{Issue, write};
use socle_identity::QualifiedIdentity;
use socle_trust::Credentials;
use socle_trust::https::{Body, ClientLimits, HttpsClient};
use socle_trust::tls::{Versions, client_config};
use socle_xml::mtom::{self, Part};
use socle_xml::signature::xades::{Content, LotDocument, LotToSign, write_lot};
use socle_xml::signature::{Algorithm, Signer, sign};
use socle_xml::soap::{self, NS_WSSE};
use socle_xml::{Limits, NodeExt, decode, parse};

use crate::support::{Twin, automaton, letter, lot_of, oid, patient, pki, seal, software, structure, tls_keys};

/// A signed VIHF and what is around it.
pub(crate) struct Security {
    pub(crate) vihf: Vihf,
    pub(crate) at: Timestamp,
    pub(crate) issuer: Option<String>,
    pub(crate) keys: Credentials,
    pub(crate) algorithm: Algorithm,
    /// Replaced in the assertion before it is signed.
    pub(crate) before: Vec<(String, String)>,
}

impl Security {
    pub(crate) fn feeding(patient: &QualifiedIdentity) -> Self {
        let vihf = Vihf::indirect(structure(crate::support::STRUCTURE), automaton(), software()).about(patient);
        Self { vihf, at: Timestamp::now(), issuer: None, keys: seal(), algorithm: Algorithm::RsaSha256, before: vec![] }
    }

    pub(crate) fn to_xml(&self) -> String {
        let issuer = self.issuer.clone().unwrap_or_else(|| self.keys.certificate().subject().to_string());
        let issue =
            Issue { at: self.at, authenticated_at: None, issuer: &issuer, version: "3.0", algorithm: self.algorithm };
        let mut assertion = write(&self.vihf, &issue);
        for (from, to) in &self.before {
            assert!(assertion.contains(from), "`{from}` is not in the assertion");
            assertion = assertion.replace(from, to);
        }
        sign(&assertion, &signer(&self.keys)).unwrap()
    }
}

pub(crate) fn signer(keys: &Credentials) -> Signer {
    Signer::from_der(keys.chain().iter().map(|der| der.to_vec()).collect(), keys.key().secret_der()).unwrap()
}

pub(crate) fn envelope(action: &str, url: &str, assertion: &str, body: &str) -> String {
    let mut outgoing = soap::Outgoing::request(action, url, body);
    outgoing.headers.push(format!("<wsse:Security xmlns:wsse=\"{NS_WSSE}\">{assertion}</wsse:Security>"));
    outgoing.to_xml()
}

/// A feed.
pub(crate) struct Draft {
    pub(crate) security: Security,
    pub(crate) lot_keys: Credentials,
    pub(crate) lot_algorithm: Algorithm,
    pub(crate) submission: Submission,
    pub(crate) documents: Vec<(DocumentEntry, Bytes)>,
    /// Is the lot signed at all?
    pub(crate) is_signed: bool,
    /// The documents that the manifest names, when they are not those of the lot.
    pub(crate) manifest: Option<Vec<(String, Bytes)>>,
    /// Replaced in the body.
    pub(crate) body: Vec<(String, String)>,
    /// Takes the place of the assertion.
    pub(crate) swap: Option<String>,
    /// Replaced in the envelope, once the assertion is signed.
    pub(crate) envelope: Vec<(String, String)>,
    pub(crate) parts: fn(&mut Vec<Part>),
    pub(crate) wire: fn(String, Vec<u8>) -> (String, Vec<u8>),
    pub(crate) service: &'static str,
    pub(crate) action: &'static str,
}

impl Draft {
    pub(crate) fn valid() -> Self {
        Self::of(letter())
    }

    pub(crate) fn of(document: Document) -> Self {
        let set = lot_of(&document);
        let mut entry = document.entry;
        entry.id = "Doc01".into();
        Self {
            security: Security::feeding(&patient()),
            lot_keys: seal(),
            lot_algorithm: Algorithm::RsaSha256,
            submission: Submission::new(set, vec![entry.clone()]),
            documents: vec![(entry, document.bytes)],
            is_signed: true,
            manifest: None,
            body: Vec::new(),
            swap: None,
            envelope: Vec::new(),
            parts: |_| {},
            wire: |content_type, body| (content_type, body),
            service: "repository",
            action: PROVIDE.request,
        }
    }

    /// Changes the one entry, in the metadata alone.
    pub(crate) fn entry(&mut self, change: impl FnOnce(&mut DocumentEntry)) {
        change(&mut self.submission.entries[0]);
    }

    pub(crate) fn message(mut self, twin: &Twin) -> (String, Vec<u8>) {
        if self.is_signed {
            self.sign();
        }
        let mut parts: Vec<_> = self
            .documents
            .iter()
            .map(|(entry, bytes)| Part {
                content_id: format!("{}@test", entry.id),
                content_type: entry.mime_type.clone(),
                bytes: bytes.clone(),
            })
            .collect();
        let attached: Vec<_> = self
            .documents
            .iter()
            .zip(&parts)
            .map(|((entry, _), part)| Attached { id: &entry.id, content_id: &part.content_id })
            .collect();
        let body = replace(write_provide(&self.submission, &attached), &self.body);
        let assertion = self.swap.take().unwrap_or_else(|| self.security.to_xml());
        let envelope = envelope(self.action, &twin.url(self.service), &assertion, &body);
        let envelope = replace(envelope, &self.envelope);
        (self.parts)(&mut parts);
        let outgoing = mtom::write(&envelope, self.action, &parts);
        (self.wire)(outgoing.content_type.clone(), outgoing.to_bytes().to_vec())
    }

    fn sign(&mut self) {
        let default = self.documents.iter().map(|(entry, bytes)| (entry.unique_id.clone(), bytes.clone())).collect();
        let named = self.manifest.take().unwrap_or(default);
        let documents: Vec<_> =
            named.iter().map(|(unique_id, bytes)| LotDocument { unique_id, content: Content::Xml(bytes) }).collect();
        let lot = LotToSign {
            submission_set: &self.submission.set.unique_id,
            signature_id: "S",
            documents: &documents,
            signing_time: Timestamp::now(),
            algorithm: self.lot_algorithm,
        };
        let xml = Bytes::from(write_lot(&lot, &signer(&self.lot_keys)).unwrap());
        let author = self.submission.set.authors.first().cloned().unwrap_or_default();
        let entry = DocumentEntry::signature("Sig01", &oid(), &self.documents[0].0, author, &xml, Timestamp::now());
        self.submission.sign(entry.clone());
        self.documents.push((entry, xml));
    }

    pub(crate) async fn post(self, twin: &Twin) -> Answer {
        let service = self.service;
        let (content_type, body) = self.message(twin);
        post(twin, service, &content_type, body).await
    }
}

fn replace(mut text: String, spoil: &[(String, String)]) -> String {
    for (from, to) in spoil {
        assert!(text.contains(from), "`{from}` is not in the message");
        text = text.replace(from, to);
    }
    text
}

pub(crate) fn https(keys: Option<&Credentials>) -> HttpsClient {
    let tls = client_config(pki().anchors(), keys, Versions::Tls12).unwrap();
    HttpsClient::new(&tls, ClientLimits::default())
}

pub(crate) async fn post(twin: &Twin, service: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    post_as(twin, service, content_type, body, &tls_keys()).await
}

pub(crate) async fn post_as(
    twin: &Twin,
    service: &str,
    content_type: &str,
    body: impl Into<Body>,
    keys: &Credentials,
) -> Answer {
    let request = http::Request::post(twin.url(service)).header(CONTENT_TYPE, content_type).body(body.into()).unwrap();
    let response = https(Some(keys)).send(request).await.unwrap();
    let content_type = response.headers().get(CONTENT_TYPE).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    Answer { status: response.status().as_u16(), content_type, body: response.into_body() }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    content_type: String,
    body: Bytes,
}

impl Answer {
    /// `Success`, the code of the first registry error, or the subcode (or code) of the fault.
    pub(crate) fn code(&self) -> String {
        let incoming = match mtom::receive(&self.content_type, self.body.clone(), &mtom::Limits::default()) {
            Ok(incoming) if !self.content_type.starts_with("text/") => incoming,
            _ => return format!("HTTP {}", self.status),
        };
        let text = decode(&incoming.root, &Limits::ENVELOPE).unwrap();
        let document = parse(&text, &Limits::ENVELOPE).unwrap();
        let envelope = soap::read(&document).unwrap();
        if let Some(fault) = envelope.fault() {
            let subcode = fault.subcode.as_deref().map(|code| code.rsplit('}').next().unwrap().to_owned());
            return subcode.unwrap_or_else(|| fault.code.as_str().to_owned());
        }
        let content = envelope.content.unwrap();
        let error = content.descendants().find(|node| node.tag_name().name() == "RegistryError");
        if let Some(error) = error {
            return error.attribute("errorCode").unwrap().to_owned();
        }
        let status = content.descendants().find_map(|node| node.attribute("status")).unwrap();
        status.rsplit(':').next().unwrap().to_owned()
    }

    /// The whole text, for what must not be in it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The objects of a query's answer.
    pub(crate) fn objects(&self) -> RegistryObjects {
        let text = decode(&self.body, &Limits::ENVELOPE).unwrap();
        let document = parse(&text, &Limits::ENVELOPE).unwrap();
        read_query(soap::read(&document).unwrap().content.unwrap()).unwrap().objects
    }

    /// Location and context of each registry error.
    pub(crate) fn errors(&self) -> Vec<String> {
        let incoming = mtom::receive(&self.content_type, self.body.clone(), &mtom::Limits::default()).unwrap();
        let text = decode(&incoming.root, &Limits::ENVELOPE).unwrap();
        let document = parse(&text, &Limits::ENVELOPE).unwrap();
        let all = document.descendants().filter(|node| node.is(Some(socle_dmp::wire::NS_RS), "RegistryError"));
        all.map(|e| format!("{} {}", e.attribute("location").unwrap_or_default(), e.attribute("codeContext").unwrap()))
            .collect()
    }
}
