//! The document mail: what it refuses, and what it is on the wire for readers that are not ours.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod support;

use bytes::Bytes;
use mail_parser::{MessageParser, MimeHeaders as _};
use socle_identity::{Environment, Status};
use socle_mss::model::{
    Archive, DocumentMail, Draft, MailRefusal, MessageId, ProductNumber, Receipts, Recipient, Recipients, Reply,
    WhiteList,
};
use socle_mss::wire::message;
use support::*;

fn list() -> WhiteList {
    let domains = ["hopital-a.mssante.test", "medecin.mssante.test", "patient.mssante.fr"];
    let name = || "CN=smtp.jumeau.test,O=JUMEAU,C=FR".parse().unwrap();
    WhiteList::new(Environment::Jumeau, domains.map(|domain| (domain.parse().unwrap(), name()))).unwrap()
}

type Spoil = fn(&mut Draft<'_>);

#[test]
fn each_rule_refuses_by_its_name() {
    let other = CDA.replace(PATIENT, "255069999999934");
    assert!(other.contains("255069999999934"));
    let (qualified, validated) = (patient(), validated());
    let elsewhere = qualified_elsewhere();
    let cases: [(&str, &socle_identity::Identity, Spoil, MailRefusal); 6] = [
        ("an INS leaves with a VALI identity", &validated, |_| {}, MailRefusal::NotQualified(Status::Validated)),
        (
            "a patient is written to with a VALI identity",
            &validated,
            |d| {
                d.archive = archive(&[&cda_without_ins()]);
                d.recipients = to_patient(&list(), &patient(), Reply::Allowed);
            },
            MailRefusal::NotQualified(Status::Validated),
        ),
        (
            "one document of two is another usager's",
            &qualified,
            |d| d.archive = archive(&[CDA, &CDA.replace(PATIENT, "255069999999934")]),
            MailRefusal::OtherPatient,
        ),
        (
            "another patient's mailbox",
            &qualified,
            |d| {
                let other = support::qualified("255069999999934", Environment::Jumeau);
                d.recipients = to_patient(&list(), &other, Reply::Allowed);
            },
            MailRefusal::OtherMailbox,
        ),
        (
            "an identity qualified in the national test platform",
            &elsewhere,
            |_| {},
            MailRefusal::Environment(
                Environment::Jumeau.admit(Environment::BacASable, "a qualified identity").unwrap_err(),
            ),
        ),
        (
            "answers would go to a real domain",
            &qualified,
            |d| d.reply_to = Some("secretariat@hopital-a.mssante.fr".parse().unwrap()),
            MailRefusal::Environment(
                "hopital-a.mssante.fr"
                    .parse::<socle_identity::Domain>()
                    .unwrap()
                    .admit_in(Environment::Jumeau)
                    .unwrap_err(),
            ),
        ),
    ];
    for (name, identity, spoil, expected) in cases {
        let mut draft = draft(identity, application(), to(&list(), &[MARIE]));
        spoil(&mut draft);
        let refused = DocumentMail::new(draft).unwrap_err();
        assert_eq!(refused.as_slice(), [expected], "{name}");
        assert!(!refused.to_string().contains(PATIENT) && !refused.to_string().contains("PAT-TROIS"), "{name}");
    }
}

fn qualified_elsewhere() -> socle_identity::Identity {
    support::qualified(PATIENT, Environment::BacASable)
}

#[test]
fn every_fault_is_told_not_the_first() {
    let identity = validated();
    let mut draft = draft(&identity, application(), to(&list(), &[MARIE]));
    draft.reply_to = Some("x@hopital-a.mssante.fr".parse().unwrap());
    assert_eq!(DocumentMail::new(draft).unwrap_err().as_slice().len(), 2);
}

#[test]
fn x_headers_come_from_the_archive() {
    let without = cda_without_ins();
    let second = CDA.replace("11488-4", "34112-3");
    let cases: [(&str, Vec<&str>, &str, &str); 4] = [
        ("one document", vec![CDA], "11488-4", "O"),
        ("two documents, in their order", vec![CDA, &second], "11488-4,34112-3", "O"),
        ("no INS", vec![&without], "11488-4", "N"),
        ("the INS in one of two only", vec![CDA, &without], "11488-4,11488-4", "N"),
    ];
    for (name, documents, codes, ins) in cases {
        let identity = patient();
        let mut draft = draft(&identity, application(), to(&list(), &[MARIE]));
        draft.archive = archive(&documents);
        let mail = DocumentMail::new(draft).unwrap();
        let bytes = message::write(&mail);
        let read = MessageParser::new().parse(bytes.as_ref()).unwrap();
        assert_eq!(read.header_raw("X-MSS-CODECDA").unwrap().trim(), codes, "{name}");
        assert_eq!(read.header_raw("X-MSS-INS").unwrap().trim(), ins, "{name}");
        assert_eq!(mail.lacks_readable_copies(), documents.len() > 1, "{name}");
    }
    let unqualified = validated();
    let mut draft = draft(&unqualified, application(), to(&list(), &[MARIE]));
    draft.archive = archive(&[&without]);
    assert!(!DocumentMail::new(draft).unwrap().carries_qualified_ins(), "what RNIV allows at VALI goes on");
}

#[test]
fn the_message_is_that_of_the_reference() {
    let identity = patient();
    let mut draft = draft(&identity, marie(), to(&list(), &[DPI, SOCLE]));
    draft.message_id = "0198c3ab-7e6f@medecin.mssante.test".parse().unwrap();
    draft.in_reply_to = Some("<avant@medecin.mssante.test>".parse::<MessageId>().unwrap());
    draft.reply_to = Some(DPI.parse().unwrap());
    draft.receipts = Receipts { delivery: true, reading: true };
    let mail = DocumentMail::new(draft).unwrap();
    let bytes = message::write(&mail);
    assert_eq!(bytes, message::write(&mail), "the same mail gives the same octets");
    assert!(bytes.is_ascii());
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(
        text.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n'])),
        "lines are short, CRLF only"
    );

    let read = MessageParser::new().parse(bytes.as_ref()).unwrap();
    let subject = "XDM/1.0/DDM+CR de consultation médicale PAT-TROIS DOMINIQUE 28/03/1979";
    assert_eq!(read.subject(), Some(subject));
    assert_eq!(read.message_id(), Some("0198c3ab-7e6f@medecin.mssante.test"));
    assert_eq!(read.date().unwrap().to_timestamp(), 1_795_514_400);
    let from = read.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Dr_Marie_MARTIN"), Some(MARIE)));
    let to: Vec<_> = read.to().unwrap().iter().map(|to| to.address().unwrap()).collect();
    assert_eq!(to, [DPI, SOCLE]);
    let header = |name: &'static str| read.header_raw(name).map(str::trim);
    assert_eq!(header("Reply-To"), Some(DPI));
    assert_eq!(header("In-Reply-To"), Some("<avant@medecin.mssante.test>"));
    assert_eq!(header("References"), Some("<avant@medecin.mssante.test>"));
    assert_eq!(header("Disposition-Notification-To"), Some(MARIE));
    assert_eq!(header("X-MSS-NIL"), Some("SOCLE-JUMEAU"));
    assert_eq!(header("X-MSS-MES"), None);
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), mail.body().as_str());

    let files: Vec<_> = read.attachments().map(|part| (part.attachment_name().unwrap(), part.contents())).collect();
    let pdf_name = "20261120_CR de consultation médicale_PAT-TROIS_DOMINIQUE.pdf";
    assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["IHE_XDM.zip", pdf_name]);
    assert_eq!(files[0].1, mail.archive().zip().as_ref());
    assert_eq!(files[1].1, pdf(2000).as_ref());
}

#[test]
fn a_patient_s_mail_says_whether_an_answer_is_wished() {
    for (reply, header) in [(Reply::Allowed, None), (Reply::Ended, Some("FIN"))] {
        let identity = patient();
        let draft = draft(&identity, application(), to_patient(&list(), &identity, reply));
        let mail = DocumentMail::new(draft).unwrap();
        let bytes = message::write(&mail);
        let read = MessageParser::new().parse(bytes.as_ref()).unwrap();
        assert_eq!(read.header_raw("X-MSS-MES").map(str::trim), header);
        assert_eq!(read.to().unwrap().first().unwrap().address(), Some("279035121518989@patient.mssante.fr"));
        assert_eq!(mail.size_max(), Some(25 * 1024 * 1024));
        let shown = format!("{mail:?}");
        assert!(!shown.contains(PATIENT) && !shown.contains("PAT-TROIS") && !shown.contains("%PDF"), "{shown}");
    }
}

#[test]
fn an_archive_is_read_or_refused() {
    let without_code = CDA.replace("code=\"11488-4\"", "code=\"11488-4,x\"");
    let cases: [(&str, Bytes, &str); 5] = [
        ("no patient", zip(&[&CDA.replace("recordTarget", "noTarget")]), "patient"),
        ("no zip", Bytes::from_static(b"PK"), "refused"),
        ("a code that would be two", zip(&[&without_code]), "ECO.2.4.1"),
        ("an INS with a wrong key", zip(&[&CDA.replace(PATIENT, "279035121518988")]), "key"),
        ("empty", Bytes::new(), "refused"),
    ];
    for (name, bytes, word) in cases {
        let error = Archive::read(bytes).unwrap_err().to_string();
        assert!(error.contains(word), "{name}: {error}");
    }
    assert_eq!(Archive::read(zip(&[CDA])).unwrap().documents().len(), 1);
}

#[test]
fn published_mails_give_the_same_headers_when_recomputed() {
    let Some(folder) = shared("published_mails_give_the_same_headers_when_recomputed", "messaging/mail") else {
        return;
    };
    let cases = [
        ("01-xdm-ps-vers-bal-app.eml", true),
        ("02-xdm-vers-usager-mes-fin.eml", true),
        ("12-invalide-x-mss-ins-incoherent.eml", false),
    ];
    for (name, agrees) in cases {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let read = MessageParser::new().parse(&bytes).unwrap();
        let zip = read.attachments().find(|part| part.attachment_name() == Some("IHE_XDM.zip")).unwrap();
        let archive = Archive::read(Bytes::copy_from_slice(zip.contents()));
        let archive = archive.unwrap_or_else(|error| panic!("{name}: {error}"));
        let codes: Vec<_> = archive.documents().iter().map(|document| document.code.as_str()).collect();
        assert_eq!(read.header_raw("X-MSS-CODECDA").unwrap().trim(), codes.join(","), "{name}");
        let ins = if archive.carries_ins() { "O" } else { "N" };
        assert_eq!(read.header_raw("X-MSS-INS").unwrap().trim() == ins, agrees, "{name}");
    }
}

#[test]
fn the_twins_product_number_stays_with_the_twins() {
    let ours = ProductNumber::of_twins();
    assert!(ours.admit_in(Environment::Jumeau).is_ok());
    assert!(ours.admit_in(Environment::Production).is_err() && ours.admit_in(Environment::BacASable).is_err());
    let real: ProductNumber = "DEV935997".parse().unwrap();
    assert!(real.admit_in(Environment::Production).is_ok());
    for bad in ["", "a b", "x\r\nBcc: y", &"1".repeat(65)] {
        assert!(bad.parse::<ProductNumber>().is_err(), "{bad:?}");
    }
}

#[test]
fn recipients_of_another_environment_never_meet_ours() {
    let name = || "CN=smtp.jumeau.test,O=JUMEAU,C=FR".parse().unwrap();
    let real = WhiteList::new(Environment::Production, [("medecin.mssante.fr".parse().unwrap(), name())]).unwrap();
    let real = Recipient::professional("x@medecin.mssante.fr".parse().unwrap(), &real).unwrap();
    let ours = Recipient::professional(MARIE.parse().unwrap(), &list()).unwrap();
    assert!(Recipients::professionals(vec![ours, real.clone()]).is_err());
    let identity = patient();
    let only = Recipients::professionals(vec![real]).unwrap();
    let refused = DocumentMail::new(draft(&identity, application(), only)).unwrap_err();
    assert!(refused.as_slice().iter().all(|refusal| matches!(refusal, MailRefusal::Environment(_))), "{refused}");
}
