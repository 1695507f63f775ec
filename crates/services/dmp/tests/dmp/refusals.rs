//! A feed with one thing wrong per row, and the code that the twin answers.

use bytes::Bytes;
use socle_cda::xds::{Cumulation, Cx, Visibility, sha1_hex};
use socle_cda::{Code, UtcTime};
use socle_dmp::client::Document;
use socle_dmp::model::query::Filter;
use socle_xml::mtom::Part;
use socle_xml::signature::Algorithm;

use crate::draft::{Draft, Security, post};
use crate::support::{Twin, deposit, letter, letter_for, patient, patient_of, reader};

type Row = (&'static str, fn(&mut Draft), &'static str);

async fn all(twin: &Twin, rows: &[Row]) {
    for (case, spoil, expected) in rows {
        let mut draft = Draft::valid();
        spoil(&mut draft);
        let answer = draft.post(twin).await;
        assert_eq!(answer.code(), *expected, "{case}: {}", answer.text());
        assert!(!answer.text().contains("DOMINIQUE"), "{case}: the answer names the patient");
    }
    nothing_is_kept(twin).await;
}

/// All or nothing: what was refused left no trace.
async fn nothing_is_kept(twin: &Twin) {
    let found = twin.client().find(&patient(), &reader(), Filter::default()).await.unwrap();
    assert_eq!(found.entries.len(), 0, "something refused was kept");
}

#[tokio::test]
async fn the_valid_draft_is_valid() {
    let twin = Twin::start().await;
    assert_eq!(Draft::valid().post(&twin).await.code(), "Success");
    let found = twin.client().find(&patient(), &reader(), Filter::default()).await.unwrap();
    assert_eq!(found.entries.len(), 1);
}

#[tokio::test]
async fn metadata_that_are_wrong_are_refused() {
    let twin = Twin::start().await;
    let rows: [Row; 20] = [
        ("no title", |d| d.entry(|e| e.title = None), "XDSRegistryMetadataError"),
        ("no author", |d| d.entry(|e| e.authors.clear()), "XDSRegistryMetadataError"),
        ("no legalAuthenticator", |d| d.entry(|e| e.legal_authenticator = None), "XDSRegistryMetadataError"),
        ("no serviceStartTime", |d| d.entry(|e| e.service_start = None), "XDSRegistryMetadataError"),
        ("no sourcePatientId", |d| d.entry(|e| e.source_patient_id = None), "XDSRegistryMetadataError"),
        ("class of another type", |d| d.entry(|e| e.class_code = class("31")), "XDSRegistryMetadataError"),
        ("class that is none", |d| d.entry(|e| e.class_code = class("99")), "XDSRegistryMetadataError"),
        ("type of another system", |d| d.entry(|e| e.type_code.system = "1.2.3".into()), "XDSRegistryMetadataError"),
        ("type that is none", |d| d.entry(|e| e.type_code.code = "0000-0".into()), "XDSRegistryMetadataError"),
        (
            "format of another system",
            |d| d.entry(|e| e.format_code.system = "1.2.3".into()),
            "XDSRegistryMetadataError",
        ),
        ("facility that is none", |d| d.entry(|e| e.facility.code = "SA99".into()), "XDSRegistryMetadataError"),
        (
            "setting of another system",
            |d| d.entry(|e| e.practice_setting.system = "1".into()),
            "XDSRegistryMetadataError",
        ),
        ("no N, R or V", |d| d.entry(|e| e.confidentiality.clear()), "XDSRegistryMetadataError"),
        (
            "masked and invisible at once",
            |d| d.entry(|e| e.set_visibility(Visibility::new(true, true, false, Cumulation::Allowed).unwrap())),
            "XDSRegistryMetadataError",
        ),
        ("content type that is none", |d| d.submission.set.content_type.code = "99".into(), "XDSRegistryMetadataError"),
        (
            "time with an offset",
            |d| {
                let time = d.submission.entries[0].creation_time.to_string();
                d.body.push((format!(">{time}<"), format!(">{time}+0100<")));
            },
            "XDSRegistryMetadataError",
        ),
        ("entry outside the lot", |d| d.submission.associations.clear(), "XDSRegistryMetadataError"),
        ("association to nothing", |d| d.submission.replace("Doc77", "urn:uuid:0"), "XDSRegistryMetadataError"),
        ("wrong hash", |d| d.entry(|e| e.hash = Some(sha1_hex(b"other"))), "XDSRepositoryMetadataError"),
        ("wrong size", |d| d.entry(|e| e.size = Some(1)), "XDSRepositoryMetadataError"),
    ];
    all(&twin, &rows).await;
}

fn class(code: &str) -> Code {
    Code::new(code, socle_cda::codes::CLASSES, "x")
}

#[tokio::test]
async fn the_patient_is_the_same_everywhere() {
    let twin = Twin::start().await;
    let rows: [Row; 4] = [
        (
            "VIHF of another",
            |d| d.security = Security::feeding(&patient_of("277076322082910")),
            "XDSPatientIdDoesNotMatch",
        ),
        (
            "lot of another",
            |d| d.submission.set.patient_id = Cx::from(patient_of("277076322082910").ins()),
            "XDSPatientIdDoesNotMatch",
        ),
        (
            "entry of another",
            |d| d.entry(|e| e.patient_id = Cx::from(patient_of("277076322082910").ins())),
            "XDSPatientIdDoesNotMatch",
        ),
        (
            "document of another",
            |d| {
                // Everything says PAT-TROIS but the document itself.
                let other = letter_for(patient_of("277076322082910").ins());
                let mut entry = other.entry.clone();
                entry.patient_id = Cx::from(patient().ins());
                *d = Draft::of(Document { entry, ..other });
            },
            "XDSPatientIdDoesNotMatch",
        ),
    ];
    all(&twin, &rows).await;
}

#[tokio::test]
async fn the_document_is_what_its_entry_says() {
    let twin = Twin::start().await;
    let rows: [Row; 7] = [
        ("title", |d| d.entry(|e| e.title = Some("Autre".into())), "XDSRepositoryMetadataError"),
        ("creationTime", |d| d.entry(|e| e.creation_time = time("20200101000000")), "XDSRepositoryMetadataError"),
        ("confidentiality", |d| d.entry(|e| e.confidentiality[0].code = "V".into()), "XDSRepositoryMetadataError"),
        ("mimeType", |d| d.entry(|e| e.mime_type = "application/xslt+xml".into()), "XDSRepositoryMetadataError"),
        ("language", |d| d.entry(|e| e.language = "en-US".into()), "XDSRepositoryMetadataError"),
        (
            "type of the same class",
            |d| d.entry(|e| e.type_code = Code::new("11488-4", "2.16.840.1.113883.6.1", "x")),
            "XDSRepositoryMetadataError",
        ),
        ("not CDA", |d| other_content(d, b"<a/>"), "XDSRepositoryMetadataError"),
    ];
    all(&twin, &rows).await;
}

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

/// The same metadata around other bytes, signed as such.
fn other_content(d: &mut Draft, bytes: &'static [u8]) {
    let bytes = Bytes::from_static(bytes);
    d.entry(|e| {
        e.hash = Some(sha1_hex(&bytes));
        e.size = Some(bytes.len() as u64);
    });
    d.documents[0].1 = bytes;
}

#[tokio::test]
async fn parts_and_documents_go_together() {
    let twin = Twin::start().await;
    let rows: [Row; 7] = [
        ("a part is missing", |d| d.parts = |parts| drop(parts.remove(0)), "XDSMissingDocument"),
        (
            "a part that nobody includes",
            |d| d.parts = |parts| parts.push(Part { content_id: "extra@test".into(), ..parts[0].clone() }),
            "XDSMissingDocumentMetadata",
        ),
        (
            "an id that no entry has",
            |d| body(d, "Document id=\"Doc01\"", "Document id=\"Doc02\""),
            "XDSMissingDocument",
        ),
        (
            "an entry whose document is another's",
            |d| body(d, "Document id=\"Sig01\"", "Document id=\"Doc01\""),
            "XDSRepositoryMetadataError",
        ),
        ("a document without id", |d| body(d, "Document id=\"Doc01\"", "Document"), "XDSRepositoryMetadataError"),
        ("an href that is no cid", |d| body(d, "cid:Doc01", "file:///etc/passwd#"), "XDSMissingDocument"),
        (
            "text beside the Include",
            |d| body(d, "Document id=\"Doc01\">", "Document id=\"Doc01\">eHg="),
            "XDSMissingDocument",
        ),
    ];
    all(&twin, &rows).await;
}

fn body(d: &mut Draft, from: &str, to: &str) {
    d.body.push((from.to_owned(), to.to_owned()));
}

#[tokio::test]
async fn a_lot_is_signed_over_what_it_holds() {
    let twin = Twin::start().await;
    let rows: [Row; 6] = [
        ("no signature", |d| d.is_signed = false, "XDSRepositoryMetadataError"),
        (
            "the manifest has another digest",
            |d| d.manifest = Some(vec![(d.documents[0].0.unique_id.clone(), Bytes::from_static(b"<other/>"))]),
            "XDSRepositoryMetadataError",
        ),
        (
            "the manifest names another document",
            |d| d.manifest = Some(vec![("1.2.3.4".into(), d.documents[0].1.clone())]),
            "XDSRepositoryMetadataError",
        ),
        (
            "the manifest names one document more",
            |d| {
                let (entry, bytes) = &d.documents[0];
                d.manifest = Some(vec![(entry.unique_id.clone(), bytes.clone()), ("1.2.3".into(), bytes.clone())]);
            },
            "XDSRepositoryMetadataError",
        ),
        (
            "the signature signs nothing",
            |d| body(d, "AssociationType:signs", "AssociationType:APND"),
            "XDSRepositoryMetadataError",
        ),
        ("SHA-1, for a strict twin", |d| d.lot_algorithm = Algorithm::RsaSha1, "XDSRepositoryMetadataError"),
    ];
    all(&twin, &rows).await;
}

#[tokio::test]
async fn soap_and_addressing_have_their_faults() {
    let twin = Twin::start().await;
    let rows: [Row; 10] = [
        ("no action", |d| envelope(d, "wsa:Action", "wsa:Act"), "MessageAddressingHeaderRequired"),
        ("no message id", |d| envelope(d, "wsa:MessageID", "wsa:Id"), "MessageAddressingHeaderRequired"),
        ("another action", |d| d.action = "urn:ihe:iti:2007:RegistryStoredQuery", "ActionNotSupported"),
        ("ITI-41 at the registry", |d| d.service = "registry", "ActionNotSupported"),
        ("a service that is not there yet", |d| d.service = "habilitations", "Receiver"),
        ("ITI-41 at the patients", |d| d.service = "patients", "ActionNotSupported"),
        ("SOAP 1.1", |d| envelope(d, socle_xml::soap::NS_SOAP12, socle_xml::soap::NS_SOAP11), "VersionMismatch"),
        (
            "a header that must be understood",
            |d| envelope(d, "<soap:Header>", "<soap:Header><x:Y xmlns:x=\"urn:x\" soap:mustUnderstand=\"1\"/>"),
            "MustUnderstand",
        ),
        ("not well-formed", |d| envelope(d, "</soap:Envelope>", ""), "Sender"),
        (
            "a DOCTYPE with an external entity",
            |d| envelope(d, "<soap:Envelope", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><soap:Envelope"),
            "Sender",
        ),
    ];
    all(&twin, &rows).await;
}

fn envelope(d: &mut Draft, from: &str, to: &str) {
    d.envelope.push((from.to_owned(), to.to_owned()));
}

#[tokio::test]
async fn a_multipart_that_was_cut_is_refused_wherever_it_was_cut() {
    let twin = Twin::start().await;
    let (content_type, whole) = Draft::valid().message(&twin);
    for part in 1..20 {
        let cut = whole[..whole.len() * part / 20].to_vec();
        let answer = post(&twin, "repository", &content_type, cut).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "Sender"), "cut at {part}/20");
    }
    let rows: [Row; 3] = [
        ("no boundary", |d| d.wire = |_, body| ("multipart/related".into(), body), "Sender"),
        ("not SOAP", |d| d.wire = |_, _| ("application/soap+xml".into(), b"hello".to_vec()), "Sender"),
        ("nothing", |d| d.wire = |_, _| ("application/soap+xml".into(), Vec::new()), "Sender"),
    ];
    all(&twin, &rows).await;
}

#[tokio::test]
async fn a_lenient_twin_takes_what_is_seen_in_the_field_and_counts_it() {
    let twin = Twin::lenient().await;
    let rows: [Row; 4] = [
        ("SOAP 1.1", |d| envelope(d, socle_xml::soap::NS_SOAP12, socle_xml::soap::NS_SOAP11), "SOAP 1.1"),
        (
            "Authentification_Mode",
            |d| d.security.before.push(("Authentification_mode".into(), "Authentification_Mode".into())),
            "Authentification_Mode",
        ),
        (
            "SHA-1 as in the samples of the kit",
            |d| {
                d.security.algorithm = Algorithm::RsaSha1;
                d.lot_algorithm = Algorithm::RsaSha1;
            },
            "",
        ),
        ("a facility that is in no list", |d| d.entry(|e| e.facility.code = "SA99".into()), ""),
    ];
    let strict = Twin::start().await;
    for (case, spoil, counted) in rows {
        let mut draft = Draft::valid();
        spoil(&mut draft);
        assert_eq!(draft.post(&twin).await.code(), "Success", "{case}");
        let leniencies = twin.running.panel.leniencies();
        assert!(counted.is_empty() || leniencies.iter().any(|(name, _)| *name == counted), "{case}: {leniencies:?}");
        let mut draft = Draft::valid();
        spoil(&mut draft);
        assert_ne!(draft.post(&strict).await.code(), "Success", "{case}: a strict twin takes it");
    }
}

#[tokio::test]
async fn every_error_is_listed_with_its_place() {
    let twin = Twin::start().await;
    let mut draft = Draft::valid();
    draft.entry(|entry| {
        entry.title = None;
        entry.authors.clear();
    });
    let errors = draft.post(&twin).await.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().any(|error| error.starts_with("DocumentEntry[1].title ")), "{errors:?}");
    assert!(errors.iter().any(|error| error.starts_with("DocumentEntry[1].author ")), "{errors:?}");
}

#[tokio::test]
async fn two_that_race_for_one_id_make_one_document() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    let tries = (0..6).map(|_| client.provide(&patient, deposit(document.clone())));
    let done = futures(tries).await;
    assert!(done.iter().all(Result::is_ok), "{:?}", done.iter().find(|done| done.is_err()));
    assert_eq!(client.find(&patient, &reader(), Filter::default()).await.unwrap().entries.len(), 1);
}

async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, place) in all.iter_mut().zip(&mut done) {
            if place.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *place = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
