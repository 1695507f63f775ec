//! Laws of the wire: what is written is read back whole, and no bytes make a reader fall.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod fixtures;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use socle_ins::model::{InsiFault, SearchPlan, Severity};
use socle_ins::twin::Population;
use socle_ins::wire::{
    Answer, Contexts, HistoryOrder, Individual, LIMITS, Request, WrittenIns, WrittenTraits, read_answer, read_fault,
    read_request, write_answer, write_fault,
};
use socle_xml::soap;

/// A text that survives trimming: what a reader gives is what was written.
fn text() -> impl Strategy<Value = String> {
    r"[A-Za-z0-9é<>&'\x22][A-Za-z0-9 é<>&'\x22-]{0,20}[A-Za-z0-9é<>&'\x22]"
}

fn ins() -> impl Strategy<Value = WrittenIns> {
    (text(), of(text()), of(text()), text(), of(text()), of(text()))
        .prop_map(|(number, key, kind, oid, from, to)| WrittenIns { number, key, kind, oid, from, to })
}

fn individual() -> impl Strategy<Value = Individual> {
    let traits = (of(text()), of(text()), of(text()), of(text()), of(text()), of(text())).prop_map(
        |(birth_name, given_name, given_names, sex, birth_date, birth_place)| WrittenTraits {
            birth_name,
            given_name,
            given_names,
            sex,
            birth_date,
            birth_place,
        },
    );
    (ins(), vec(ins(), 0..4), traits).prop_map(|(active, history, traits)| Individual { active, history, traits })
}

fn fault() -> impl Strategy<Value = InsiFault> {
    (any::<bool>(), of("siram_[0-9]{2,3}"), text(), of(text()), text(), text()).prop_map(
        |(sender, subcode, code, message_id, reason, detail)| InsiFault {
            sender,
            subcode,
            code: Some(code),
            severity: Some(Severity::Warning),
            reason,
            detail: Some(detail),
            message_id,
        },
    )
}

/// Reads bytes as every reader of the wire would.
fn read_all(bytes: &[u8]) -> Option<()> {
    let text = socle_xml::decode(bytes, &LIMITS).ok()?;
    let document = socle_xml::parse(&text, &LIMITS).ok()?;
    let envelope = soap::read(&document).ok()?;
    let _ = (read_request(&envelope), read_answer(&envelope), read_fault(&envelope));
    Some(())
}

proptest! {
    #[test]
    fn an_answer_is_read_back_in_either_order(individual in individual(), dates_first in any::<bool>()) {
        let order = if dates_first { HistoryOrder::DatesFirst } else { HistoryOrder::Schema };
        let answer = Answer::Found(Box::new(individual));
        let xml = write_answer(&answer, order);
        let document = socle_xml::parse(&xml, &LIMITS).unwrap();
        prop_assert_eq!(read_answer(&soap::read(&document).unwrap()), Ok(answer));
    }

    #[test]
    fn a_fault_is_read_back(fault in fault()) {
        let xml = write_fault(&fault);
        let document = socle_xml::parse(&xml, &LIMITS).unwrap();
        prop_assert_eq!(read_fault(&soap::read(&document).unwrap()), Some(fault));
    }

    #[test]
    fn a_request_with_spoilt_bytes_never_makes_a_reader_fall(spoils in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let software = fixtures::software("IDAM");
        let query = SearchPlan::new(fixtures::dominique()).query();
        let contexts = Contexts::new("10B0000001", &software);
        let request = Request { contexts, message_id: uuid::Uuid::nil(), query: &query };
        let mut bytes = request.to_xml().into_bytes();
        for (at, byte) in spoils {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn a_file_of_persons_is_loaded_whole_or_not_at_all(lines in vec("[A-Z';0-9. -]{0,60}", 0..5)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("people.csv");
        let text = format!("nom;prenoms;sexe;date_naissance;lieu_naissance;matricule;oid\n{}", lines.join("\n"));
        std::fs::write(&file, text).unwrap();
        let mut population = Population::default();
        let loaded = population.load(&file).unwrap_or(0);
        prop_assert_eq!(population.people().len(), loaded);
    }
}
