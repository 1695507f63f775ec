//! The published samples of the test platform are read, oddities included, and our population says the
//! same of the official test persons.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod fixtures;

use std::fs;

use jiff::Timestamp;
use socle_identity::{Environment, InsAuthority, InsError, InsiAnswer};
use socle_ins::model::{AnswerError, FaultClass, InsiFault, Remark, Severity, interpret};
use socle_ins::twin::Population;
use socle_ins::wire::{self, Answer, LIMITS, ReadAnswerError, Received};
use socle_xml::soap;

fn with_envelope<T>(bytes: &[u8], read: impl FnOnce(&soap::Envelope<'_>) -> T) -> T {
    let text = socle_xml::decode(bytes, &LIMITS).unwrap();
    let document = socle_xml::parse(&text, &LIMITS).unwrap();
    read(&soap::read(&document).unwrap())
}

fn answer(bytes: &[u8]) -> Result<Answer, ReadAnswerError> {
    with_envelope(bytes, wire::read_answer)
}

fn identity(bytes: &[u8]) -> Result<(InsiAnswer, Vec<Remark>), AnswerError> {
    let Ok(Answer::Found(individual)) = answer(bytes) else { panic!("not an answer 00") };
    interpret(&individual, "", Environment::BacASable, Timestamp::UNIX_EPOCH, "digest")
}

#[test]
fn every_published_answer_is_read() {
    let Some(data) = fixtures::shared("every_published_answer_is_read") else { return };
    let sample = |name: &str| fs::read(data.join("examples").join(name)).unwrap();

    let (nia, remarks) = identity(&sample("response_CR00_NIA.xml")).unwrap();
    assert_eq!((nia.ins.matricule.as_str(), nia.ins.authority), ("109076322088835", InsAuthority::Nia));
    assert_eq!((nia.traits.birth_name.as_str(), nia.traits.given_names.as_str()), ("PROVISOIRE", "MATRICULE"));
    assert_eq!(nia.traits.birth_place.unwrap().as_str(), "63220");
    assert!(remarks.is_empty());

    let (changed, remarks) = identity(&sample("response_CR00_with_INSHISTO_sex_change.xml")).unwrap();
    assert_eq!(changed.ins.matricule.as_str(), "109076322083489");
    let former: Vec<_> = changed.history.iter().map(|ins| ins.matricule.as_str()).collect();
    assert_eq!(former, ["209076322083439", "209066322012355"]);
    assert_eq!(changed.traits.first_given_name, "PIERRE-ALAIN");
    assert_eq!(remarks, [Remark::PeriodReversed]);

    let wrong = identity(&sample("response_CR00_historic_bad_key.xml"));
    assert_eq!(wrong.map(|_| ()), Err(AnswerError::Matricule(InsError::Key)));

    assert_eq!(answer(&sample("response_CR01.xml")), Ok(Answer::NotFound));
    assert_eq!(answer(&sample("response_CR02.xml")), Ok(Answer::Several));
}

#[test]
fn the_published_fault_is_read_and_written_alike() {
    let Some(data) = fixtures::shared("the_published_fault_is_read_and_written_alike") else { return };
    let bytes = fs::read(data.join("examples/fault_siram_100_desir_550_unknown_idam.xml")).unwrap();
    let fault = with_envelope(&bytes, wire::read_fault).unwrap();
    assert!(fault.sender);
    assert_eq!((fault.subcode.as_deref(), fault.code.as_deref()), (Some("siram_100"), Some("desir_550")));
    assert_eq!((fault.severity, fault.class()), (Some(Severity::Error), FaultClass::Configuration));
    assert_eq!(fault.message_id.as_deref(), Some("uuid:b3549edd-4ae9-472a-b26f-fd2fb4ef397f"));
    assert!(fault.text().starts_with("Numéro d'autorisation"));
    let again = with_envelope(wire::write_fault(&fault).as_bytes(), wire::read_fault).unwrap();
    assert_eq!(again, fault);
}

#[test]
fn a_fault_of_the_receiver_with_the_emitted_word_fatal_is_read() {
    let xml = r#"<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code>
        <e:Value>e:Receiver</e:Value><e:Subcode><e:Value>e:siram_40</e:Value></e:Subcode></e:Code>
        <e:Reason><e:Text xml:lang="en">down</e:Text></e:Reason><e:Detail><s:Erreur xmlns:s="urn:siram"
        severite="fatal" code="insi_111">x</s:Erreur></e:Detail></e:Fault></e:Body></e:Envelope>"#;
    let fault: InsiFault = with_envelope(xml.as_bytes(), wire::read_fault).unwrap();
    assert_eq!((fault.sender, fault.severity, fault.class()), (false, Some(Severity::Fatal), FaultClass::Retryable));
}

#[test]
fn published_requests_are_read_with_and_without_an_assertion() {
    let Some(data) = fixtures::shared("published_requests_are_read_with_and_without_an_assertion") else { return };
    let expected = Received {
        idam: Some("PDP17NF21DD0".into()),
        birth_name: Some("ADRTROIS".into()),
        given_names: vec!["DOMINIQUE".into()],
        sex: Some("F".into()),
        birth_date: Some("1997-02-26".into()),
        birth_place: None,
    };
    for name in ["request_WS_INS2_without_security.xml", "request_WS_INS2_cps_with_wsse_security.xml"] {
        let bytes = fs::read(data.join("examples").join(name)).unwrap();
        let (received, action) =
            with_envelope(&bytes, |envelope| (wire::read_request(envelope), envelope.action.clone()));
        assert_eq!(received, Ok(expected.clone()), "{name}");
        assert_eq!(action.as_deref(), Some(wire::ACTION_TRAITS), "{name}");
    }
}

/// Two facts differ on purpose: HOUILLES is nobody, and PAT-TROIS has the traits that the national CDA
/// examples carry (list of given names, born in 51215).
#[test]
fn the_population_is_that_of_the_published_personas() {
    let Some(data) = fixtures::shared("the_population_is_that_of_the_published_personas") else { return };
    let json: serde_json::Value = serde_json::from_slice(&fs::read(data.join("personas.json")).unwrap()).unwrap();
    let population = Population::official();
    let mut compared = 0;
    for published in json.as_array().unwrap() {
        let text = |name: &str| published[name].as_str();
        let Some(matricule) = text("matricule") else { continue };
        let found = population.people().iter().find(|person| {
            let active = &person.individual.active;
            Some(format!("{}{}", active.number, active.key.as_deref().unwrap_or_default()))
                == Some(matricule.to_owned())
        });
        let person = &found.unwrap_or_else(|| panic!("{matricule} is missing")).individual;
        assert_eq!(Some(person.active.oid.as_str()), text("oid"), "{matricule}");
        assert_eq!(person.traits.birth_name.as_deref(), text("birthName"), "{matricule}");
        assert_eq!(person.traits.sex.as_deref(), text("sex"), "{matricule}");
        assert_eq!(person.traits.birth_date.as_deref(), text("birthDate"), "{matricule}");
        if text("id") != Some("pat-trois") {
            assert_eq!(person.traits.given_names.as_deref(), text("givenNames"), "{matricule}");
            assert_eq!(person.traits.birth_place.as_deref(), text("birthPlace"), "{matricule}");
        }
        let former: Vec<_> =
            published["history"].as_array().unwrap().iter().map(|h| h["matricule"].as_str().unwrap()).collect();
        let ours: Vec<_> =
            person.history.iter().map(|h| format!("{}{}", h.number, h.key.as_deref().unwrap())).collect();
        assert_eq!(ours, former, "{matricule}");
        compared += 1;
    }
    assert_eq!(compared, 9);
}
