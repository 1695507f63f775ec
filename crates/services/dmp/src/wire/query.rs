//! Stored queries on the wire (IHE ITI TF-2 3.18.4.1.2): one table of parameter names, a writer, a reader.
//!
//! We write what the standard prints. Read: a single value in parentheses, or a list without, is understood
//! and noted ([`Read::leniencies`]); parameters that no query here has are passed over.

mod read;

use socle_cda::xds::Status;
use socle_cda::xds::scheme::RIM;
use socle_cda::{Code, UtcTime};
use socle_identity::Ins;
use socle_xml::write::Writer;

pub use read::{QueryError, Read, read};

use super::{NS_QUERY, slot};
use crate::model::query::{AllOf, Filter, FindSubmissionSets, Named, Period, SetContents, StoredQuery};

/// What the answer holds of each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnType {
    /// The whole object.
    LeafClass,
    /// Its id alone.
    ObjectRef,
}

impl ReturnType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::LeafClass => "LeafClass",
            Self::ObjectRef => "ObjectRef",
        }
    }
}

/// Query UUIDs.
mod id {
    pub(super) const FIND_DOCUMENTS: &str = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d";
    pub(super) const FIND_BY_REFERENCE_ID: &str = "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492";
    pub(super) const FIND_SUBMISSION_SETS: &str = "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9";
    pub(super) const GET_DOCUMENTS: &str = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4";
    pub(super) const GET_ASSOCIATIONS: &str = "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155";
    pub(super) const GET_DOCUMENTS_AND_ASSOCIATIONS: &str = "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a";
    pub(super) const GET_SET_AND_CONTENTS: &str = "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83";
}

/// Parameter names.
mod param {
    pub(super) const PATIENT: &str = "$XDSDocumentEntryPatientId";
    pub(super) const STATUS: &str = "$XDSDocumentEntryStatus";
    pub(super) const CLASS: &str = "$XDSDocumentEntryClassCode";
    pub(super) const TYPE: &str = "$XDSDocumentEntryTypeCode";
    pub(super) const FORMAT: &str = "$XDSDocumentEntryFormatCode";
    pub(super) const SETTING: &str = "$XDSDocumentEntryPracticeSettingCode";
    pub(super) const FACILITY: &str = "$XDSDocumentEntryHealthcareFacilityTypeCode";
    pub(super) const EVENT: &str = "$XDSDocumentEntryEventCodeList";
    pub(super) const CONFIDENTIALITY: &str = "$XDSDocumentEntryConfidentialityCode";
    pub(super) const AUTHOR: &str = "$XDSDocumentEntryAuthorPerson";
    pub(super) const CREATED: (&str, &str) = ("$XDSDocumentEntryCreationTimeFrom", "$XDSDocumentEntryCreationTimeTo");
    pub(super) const START: (&str, &str) =
        ("$XDSDocumentEntryServiceStartTimeFrom", "$XDSDocumentEntryServiceStartTimeTo");
    pub(super) const STOP: (&str, &str) =
        ("$XDSDocumentEntryServiceStopTimeFrom", "$XDSDocumentEntryServiceStopTimeTo");
    pub(super) const REFERENCE: &str = "$XDSDocumentEntryReferenceIdList";
    pub(super) const ENTRY_UUID: &str = "$XDSDocumentEntryEntryUUID";
    pub(super) const UNIQUE_ID: &str = "$XDSDocumentEntryUniqueId";
    pub(super) const UUID: &str = "$uuid";
    pub(super) const SET_PATIENT: &str = "$XDSSubmissionSetPatientId";
    pub(super) const SET_STATUS: &str = "$XDSSubmissionSetStatus";
    pub(super) const SET_SOURCE: &str = "$XDSSubmissionSetSourceId";
    pub(super) const SET_AUTHOR: &str = "$XDSSubmissionSetAuthorPerson";
    pub(super) const SET_CONTENT: &str = "$XDSSubmissionSetContentType";
    pub(super) const SUBMITTED: (&str, &str) =
        ("$XDSSubmissionSetSubmissionTimeFrom", "$XDSSubmissionSetSubmissionTimeTo");
    pub(super) const SET_ENTRY_UUID: &str = "$XDSSubmissionSetEntryUUID";
    pub(super) const SET_UNIQUE_ID: &str = "$XDSSubmissionSetUniqueId";
}

/// The `query:AdhocQueryRequest` element.
#[must_use]
pub fn write(query: &StoredQuery, return_type: ReturnType) -> String {
    let mut w = Writer::fragment();
    w.open("query:AdhocQueryRequest").ns("query", NS_QUERY).ns("rim", RIM);
    w.open("query:ResponseOption").attr("returnComposedObjects", "true");
    w.attr("returnType", return_type.as_str()).close();
    w.open("rim:AdhocQuery").attr("id", id_of(query));
    let mut slots = Slots(&mut w);
    match query {
        StoredQuery::FindDocuments(find) => slots.filter(&find.patient, &find.filter),
        StoredQuery::FindDocumentsByReferenceId(find, references) => {
            slots.filter(&find.patient, &find.filter);
            references.iter().for_each(|group| slots.list(param::REFERENCE, group));
        }
        StoredQuery::FindSubmissionSets(find) => slots.sets(find),
        StoredQuery::GetDocuments(named) | StoredQuery::GetDocumentsAndAssociations(named) => slots.named(named),
        StoredQuery::GetAssociations(uuids) => slots.list(param::UUID, uuids),
        StoredQuery::GetSubmissionSetAndContents(contents) => slots.contents(contents),
    }
    w.finish()
}

const fn id_of(query: &StoredQuery) -> &'static str {
    match query {
        StoredQuery::FindDocuments(_) => id::FIND_DOCUMENTS,
        StoredQuery::FindDocumentsByReferenceId(..) => id::FIND_BY_REFERENCE_ID,
        StoredQuery::FindSubmissionSets(_) => id::FIND_SUBMISSION_SETS,
        StoredQuery::GetDocuments(_) => id::GET_DOCUMENTS,
        StoredQuery::GetAssociations(_) => id::GET_ASSOCIATIONS,
        StoredQuery::GetDocumentsAndAssociations(_) => id::GET_DOCUMENTS_AND_ASSOCIATIONS,
        StoredQuery::GetSubmissionSetAndContents(_) => id::GET_SET_AND_CONTENTS,
    }
}

struct Slots<'a>(&'a mut Writer);

impl Slots<'_> {
    fn slot(&mut self, name: &str, value: &str) {
        self.0.open("rim:Slot").attr("name", name).open("rim:ValueList").leaf("rim:Value", value).close().close();
    }

    fn single(&mut self, name: &str, text: &str) {
        self.slot(name, &slot::single(text));
    }

    fn list<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) {
        if !texts.is_empty() {
            self.slot(name, &slot::list(texts));
        }
    }

    fn codes(&mut self, name: &str, codes: &[Code]) {
        self.list(name, &codes.iter().map(Code::to_query).collect::<Vec<_>>());
    }

    fn all_of(&mut self, name: &str, groups: &AllOf<Code>) {
        groups.iter().for_each(|codes| self.codes(name, codes));
    }

    fn status(&mut self, name: &str, status: &[Status]) {
        self.list(name, &status.iter().map(|status| status.urn()).collect::<Vec<_>>());
    }

    fn period(&mut self, (from, to): (&str, &str), period: &Period) {
        for (name, time) in [(from, &period.from), (to, &period.to)] {
            if let Some(time) = time.as_ref().map(UtcTime::as_str) {
                self.slot(name, time);
            }
        }
    }

    fn filter(&mut self, patient: &Ins, filter: &Filter) {
        self.single(param::PATIENT, &patient.to_cx());
        self.status(param::STATUS, &filter.status);
        self.codes(param::CLASS, &filter.class_codes);
        self.codes(param::TYPE, &filter.type_codes);
        self.codes(param::FORMAT, &filter.format_codes);
        self.codes(param::SETTING, &filter.practice_settings);
        self.codes(param::FACILITY, &filter.facilities);
        self.all_of(param::EVENT, &filter.events);
        self.all_of(param::CONFIDENTIALITY, &filter.confidentiality);
        self.list(param::AUTHOR, &filter.author_persons);
        self.period(param::CREATED, &filter.created);
        self.period(param::START, &filter.service_start);
        self.period(param::STOP, &filter.service_stop);
    }

    fn sets(&mut self, find: &FindSubmissionSets) {
        self.single(param::SET_PATIENT, &find.patient.to_cx());
        self.status(param::SET_STATUS, &find.status);
        self.list(param::SET_SOURCE, &find.source_ids);
        self.period(param::SUBMITTED, &find.submitted);
        if let Some(author) = &find.author_person {
            self.single(param::SET_AUTHOR, author);
        }
        self.codes(param::SET_CONTENT, &find.content_types);
    }

    fn named(&mut self, named: &Named) {
        match named {
            Named::EntryUuids(ids) => self.list(param::ENTRY_UUID, ids),
            Named::UniqueIds(ids) => self.list(param::UNIQUE_ID, ids),
        }
    }

    fn contents(&mut self, contents: &SetContents) {
        let (name, ids) = match &contents.set {
            Named::EntryUuids(ids) => (param::SET_ENTRY_UUID, ids),
            Named::UniqueIds(ids) => (param::SET_UNIQUE_ID, ids),
        };
        ids.iter().for_each(|id| self.single(name, id));
        self.codes(param::FORMAT, &contents.format_codes);
        self.all_of(param::CONFIDENTIALITY, &contents.confidentiality);
    }
}
