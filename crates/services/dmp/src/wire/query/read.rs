use socle_cda::xds::Status;
use socle_cda::xds::scheme::RIM;
use socle_cda::{Code, UtcTime};
use socle_identity::Ins;
use socle_xml::NodeExt;
use socle_xml::roxmltree::Node;

use super::{ReturnType, id, param};
use crate::model::ErrorCode;
use crate::model::query::{AllOf, Filter, FindDocuments, FindSubmissionSets, Named, Period, SetContents, StoredQuery};
use crate::wire::slot::{self, SlotError, SlotValue};
use crate::wire::{CxError, NS_QUERY, ins_from_cx};

/// Most slots of one query, and values of one slot.
const MOST: usize = 200;

/// A query as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What is asked.
    pub query: StoredQuery,
    /// How the answer is to be.
    pub return_type: ReturnType,
    /// What was understood though the standard writes it otherwise; parameter names.
    pub leniencies: Vec<&'static str>,
}

/// Reads a `query:AdhocQueryRequest`.
///
/// # Errors
/// [`QueryError`], whose [`QueryError::code`] is what a registry answers.
pub fn read(node: Node<'_, '_>) -> Result<Read, QueryError> {
    let query = node.child(Some(RIM), "AdhocQuery").ok_or(QueryError::NoQuery)?;
    if !node.is(Some(NS_QUERY), "AdhocQueryRequest") {
        return Err(QueryError::NoQuery);
    }
    let mut params = Params { slots: slots(query)?, leniencies: Vec::new() };
    let read = match query.attribute("id").unwrap_or_default().trim() {
        id::FIND_DOCUMENTS => StoredQuery::FindDocuments(params.find()?),
        id::FIND_BY_REFERENCE_ID => {
            let references = params.all_of(param::REFERENCE)?;
            if references.is_empty() {
                return Err(QueryError::Missing(param::REFERENCE));
            }
            StoredQuery::FindDocumentsByReferenceId(params.find()?, references)
        }
        id::FIND_SUBMISSION_SETS => StoredQuery::FindSubmissionSets(params.sets()?),
        id::GET_DOCUMENTS => StoredQuery::GetDocuments(params.documents()?),
        id::GET_DOCUMENTS_AND_ASSOCIATIONS => StoredQuery::GetDocumentsAndAssociations(params.documents()?),
        id::GET_ASSOCIATIONS => StoredQuery::GetAssociations(params.required_list(param::UUID)?),
        id::GET_SET_AND_CONTENTS => StoredQuery::GetSubmissionSetAndContents(params.contents()?),
        _ => return Err(QueryError::UnknownQuery),
    };
    Ok(Read { query: read, return_type: return_type(node)?, leniencies: params.leniencies })
}

fn return_type(node: Node<'_, '_>) -> Result<ReturnType, QueryError> {
    let option = node.child(Some(NS_QUERY), "ResponseOption");
    match option.and_then(|option| option.attribute("returnType")) {
        Some("LeafClass") => Ok(ReturnType::LeafClass),
        Some("ObjectRef") => Ok(ReturnType::ObjectRef),
        _ => Err(QueryError::ReturnType),
    }
}

/// Name and values of each slot, in order; a name may come several times.
type SlotList = Vec<(String, Vec<SlotValue>)>;

fn slots(query: Node<'_, '_>) -> Result<SlotList, QueryError> {
    let mut all = SlotList::new();
    for node in query.children_named(Some(RIM), "Slot") {
        let name = node.attribute("name").unwrap_or_default().to_owned();
        let values = node.child(Some(RIM), "ValueList");
        let values: Vec<_> = values.iter().flat_map(|list| list.children_named(Some(RIM), "Value")).collect();
        if all.len() == MOST || values.len() > MOST {
            return Err(QueryError::TooMany);
        }
        let read = values.into_iter().map(|value| slot::read(&value.full_text())).collect::<Result<_, _>>();
        let read = read.map_err(|error| QueryError::Slot { param: known_name(&name), error })?;
        all.push((name, read));
    }
    Ok(all)
}

/// The name as we know it: a foreign text does not enter an error.
fn known_name(name: &str) -> &'static str {
    let known = [
        param::PATIENT,
        param::STATUS,
        param::CLASS,
        param::TYPE,
        param::FORMAT,
        param::SETTING,
        param::FACILITY,
        param::EVENT,
        param::CONFIDENTIALITY,
        param::AUTHOR,
        param::CREATED.0,
        param::CREATED.1,
        param::START.0,
        param::START.1,
        param::STOP.0,
        param::STOP.1,
        param::REFERENCE,
        param::ENTRY_UUID,
        param::UNIQUE_ID,
        param::UUID,
        param::SET_PATIENT,
        param::SET_STATUS,
        param::SET_SOURCE,
        param::SET_AUTHOR,
        param::SET_CONTENT,
        param::SUBMITTED.0,
        param::SUBMITTED.1,
        param::SET_ENTRY_UUID,
        param::SET_UNIQUE_ID,
    ];
    known.into_iter().find(|known| *known == name).unwrap_or("another parameter")
}

struct Params {
    slots: SlotList,
    leniencies: Vec<&'static str>,
}

impl Params {
    /// A parameter of one value.
    fn single(&mut self, name: &'static str) -> Result<Option<String>, QueryError> {
        let values: Vec<_> = self.values(name).cloned().collect();
        match values.as_slice() {
            [] => Ok(None),
            [value] if value.scalars.len() == 1 => {
                if value.is_list {
                    self.leniencies.push(name);
                }
                Ok(value.scalars.first().cloned())
            }
            _ => Err(QueryError::Number(name)),
        }
    }

    fn values(&self, name: &'static str) -> impl Iterator<Item = &SlotValue> {
        self.slots.iter().filter(move |(slot, _)| slot == name).flat_map(|(_, values)| values)
    }

    /// A parameter of alternatives, in one slot or several.
    fn list(&mut self, name: &'static str) -> Result<Vec<String>, QueryError> {
        Ok(self.all_of(name)?.concat())
    }

    fn required_list(&mut self, name: &'static str) -> Result<Vec<String>, QueryError> {
        let list = self.list(name)?;
        if list.is_empty() { Err(QueryError::Missing(name)) } else { Ok(list) }
    }

    /// A parameter whose every slot must be met, each by one of its values.
    fn all_of(&mut self, name: &'static str) -> Result<AllOf<String>, QueryError> {
        if self.values(name).any(|value| !value.is_list) {
            self.leniencies.push(name);
        }
        let groups = self.slots.iter().filter(|(slot, _)| slot == name);
        let groups: AllOf<String> =
            groups.map(|(_, values)| values.iter().flat_map(|value| value.scalars.clone()).collect()).collect();
        if groups.iter().any(Vec::is_empty) {
            return Err(QueryError::Slot { param: name, error: SlotError::Empty });
        }
        Ok(groups)
    }

    fn codes(&mut self, name: &'static str) -> Result<Vec<Code>, QueryError> {
        self.list(name)?.iter().map(|text| code(name, text)).collect()
    }

    fn all_codes(&mut self, name: &'static str) -> Result<AllOf<Code>, QueryError> {
        let groups = self.all_of(name)?;
        groups.iter().map(|group| group.iter().map(|text| code(name, text)).collect()).collect()
    }

    fn status(&mut self, name: &'static str) -> Result<Vec<Status>, QueryError> {
        let rule = "availabilityStatus is one of the four URNs of CI-SIS";
        let status = |urn: &String| Status::read(urn).ok_or(QueryError::Value { param: name, rule });
        self.required_list(name)?.iter().map(status).collect()
    }

    fn patient(&mut self, name: &'static str) -> Result<Ins, QueryError> {
        let text = self.single(name)?.ok_or(QueryError::Missing(name))?;
        ins_from_cx(&text).map_err(|error| QueryError::Patient { param: name, error })
    }

    fn period(&mut self, (from, to): (&'static str, &'static str)) -> Result<Period, QueryError> {
        Ok(Period { from: self.time(from)?, to: self.time(to)? })
    }

    fn time(&mut self, name: &'static str) -> Result<Option<UtcTime>, QueryError> {
        let rule = "a time is digits, YYYY to YYYYMMDDhhmmss, in UTC";
        self.single(name)?.map(|text| text.parse().map_err(|_| QueryError::Value { param: name, rule })).transpose()
    }

    fn find(&mut self) -> Result<FindDocuments, QueryError> {
        let patient = self.patient(param::PATIENT)?;
        let filter = Filter {
            status: self.status(param::STATUS)?,
            class_codes: self.codes(param::CLASS)?,
            type_codes: self.codes(param::TYPE)?,
            format_codes: self.codes(param::FORMAT)?,
            practice_settings: self.codes(param::SETTING)?,
            facilities: self.codes(param::FACILITY)?,
            events: self.all_codes(param::EVENT)?,
            confidentiality: self.all_codes(param::CONFIDENTIALITY)?,
            author_persons: self.list(param::AUTHOR)?,
            created: self.period(param::CREATED)?,
            service_start: self.period(param::START)?,
            service_stop: self.period(param::STOP)?,
        };
        Ok(FindDocuments { patient, filter })
    }

    fn sets(&mut self) -> Result<FindSubmissionSets, QueryError> {
        Ok(FindSubmissionSets {
            patient: self.patient(param::SET_PATIENT)?,
            status: self.status(param::SET_STATUS)?,
            source_ids: self.list(param::SET_SOURCE)?,
            submitted: self.period(param::SUBMITTED)?,
            author_person: self.single(param::SET_AUTHOR)?,
            content_types: self.codes(param::SET_CONTENT)?,
        })
    }

    /// One of the two identifiers, not both.
    fn documents(&mut self) -> Result<Named, QueryError> {
        let (uuids, unique_ids) = (self.list(param::ENTRY_UUID)?, self.list(param::UNIQUE_ID)?);
        match (uuids.is_empty(), unique_ids.is_empty()) {
            (false, true) => Ok(Named::EntryUuids(uuids)),
            (true, false) => Ok(Named::UniqueIds(unique_ids)),
            (true, true) => Err(QueryError::Missing(param::UNIQUE_ID)),
            (false, false) => Err(QueryError::Number(param::UNIQUE_ID)),
        }
    }

    fn contents(&mut self) -> Result<SetContents, QueryError> {
        let (uuid, unique_id) = (self.single(param::SET_ENTRY_UUID)?, self.single(param::SET_UNIQUE_ID)?);
        let set = match (uuid, unique_id) {
            (Some(uuid), None) => Named::EntryUuids(vec![uuid]),
            (None, Some(unique_id)) => Named::UniqueIds(vec![unique_id]),
            (None, None) => return Err(QueryError::Missing(param::SET_UNIQUE_ID)),
            (Some(_), Some(_)) => return Err(QueryError::Number(param::SET_UNIQUE_ID)),
        };
        let (format_codes, confidentiality) = (self.codes(param::FORMAT)?, self.all_codes(param::CONFIDENTIALITY)?);
        Ok(SetContents { set, format_codes, confidentiality })
    }
}

fn code(param: &'static str, text: &str) -> Result<Code, QueryError> {
    let parts = text.split_once("^^").filter(|(code, system)| !code.is_empty() && !system.is_empty());
    let rule = "a code is written code^^codingScheme";
    parts.map(|(code, system)| Code::new(code, system, "")).ok_or(QueryError::Value { param, rule })
}

/// Why a query is not answered. Never repeats a value: it may be an INS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No `rim:AdhocQuery` where one is due.
    #[error("the request holds no query:AdhocQueryRequest with a rim:AdhocQuery")]
    NoQuery,
    /// An id that is none of those answered.
    #[error("no such stored query")]
    UnknownQuery,
    /// A parameter that must be there.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A parameter of one value has several, or two that exclude each other came.
    #[error("the parameter {0} has one value, and excludes its alternative")]
    Number(&'static str),
    /// A slot whose value does not read.
    #[error("{param}: {error}")]
    Slot {
        /// Which parameter.
        param: &'static str,
        /// What is wrong.
        error: SlotError,
    },
    /// A value that means nothing.
    #[error("{param}: {rule}")]
    Value {
        /// Which parameter.
        param: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A patient that is no INS.
    #[error("{param}: {error}")]
    Patient {
        /// Which parameter.
        param: &'static str,
        /// What is wrong.
        error: CxError,
    },
    /// Too many slots or values.
    #[error("a query has at most {MOST} slots of {MOST} values")]
    TooMany,
    /// Neither LeafClass nor ObjectRef.
    #[error("the returnType is LeafClass or ObjectRef")]
    ReturnType,
}

impl QueryError {
    /// What a registry answers (IHE ITI TF-3 table 4.2.4.1-2).
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownQuery => ErrorCode::UnknownStoredQuery,
            Self::Missing(_) => ErrorCode::StoredQueryMissingParam,
            Self::Number(_) => ErrorCode::StoredQueryParamNumber,
            Self::NoQuery
            | Self::Slot { .. }
            | Self::Value { .. }
            | Self::Patient { .. }
            | Self::TooMany
            | Self::ReturnType => ErrorCode::RegistryError,
        }
    }
}

#[cfg(test)]
mod tests {
    use socle_xml::{Limits, parse};

    use super::super::write;
    use super::*;

    const PATIENT: &str = "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH";

    fn read_text(xml: &str) -> Result<Read, QueryError> {
        let document = parse(xml, &Limits::ENVELOPE).unwrap();
        read(document.root_element())
    }

    fn code(text: &str) -> Code {
        super::code("", text).unwrap()
    }

    fn every_query() -> Vec<StoredQuery> {
        let filter = Filter {
            status: vec![Status::Approved, Status::Archived],
            class_codes: vec![code("10^^1.2"), code("11^^1.2")],
            type_codes: vec![code("11502-2^^2.16.840.1.113883.6.1")],
            format_codes: vec![code("urn:ihe:lab^^1.3")],
            practice_settings: vec![code("AMBULATOIRE^^1.4")],
            facilities: vec![code("SA07^^1.5")],
            events: vec![vec![code("CT^^1.6"), code("MR^^1.6")], vec![code("HEAD^^1.7")]],
            confidentiality: vec![vec![code("N^^2.16")]],
            author_persons: vec!["%^O'HARA^%".into()],
            created: Period { from: Some("2026".parse().unwrap()), to: None },
            service_start: Period { from: None, to: Some("20260302".parse().unwrap()) },
            service_stop: Period { from: Some("202601".parse().unwrap()), to: Some("202602".parse().unwrap()) },
        };
        let find = FindDocuments { patient: ins_from_cx(PATIENT).unwrap(), filter };
        let sets = FindSubmissionSets {
            patient: ins_from_cx(PATIENT).unwrap(),
            status: vec![Status::Approved],
            source_ids: vec!["1.2.3".into()],
            submitted: Period { from: Some("20260101".parse().unwrap()), to: None },
            author_person: Some("%MARTIN%".into()),
            content_types: vec![code("03^^1.8")],
        };
        let contents = SetContents {
            set: Named::UniqueIds(vec!["1.2.3.4".into()]),
            format_codes: vec![code("f^^1")],
            confidentiality: vec![vec![code("N^^2.16"), code("R^^2.16")]],
        };
        let uuid = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d".to_owned();
        vec![
            StoredQuery::FindDocuments(find.clone()),
            StoredQuery::FindDocuments(FindDocuments { filter: Filter::default(), ..find.clone() }),
            StoredQuery::FindDocumentsByReferenceId(
                find,
                vec![vec!["A1^^^&1.2&ISO^urn:ihe:iti:xds:2013:accession".into()]],
            ),
            StoredQuery::FindSubmissionSets(sets),
            StoredQuery::GetDocuments(Named::UniqueIds(vec!["1.2".into(), "1.3^x".into()])),
            StoredQuery::GetDocuments(Named::EntryUuids(vec![uuid.clone()])),
            StoredQuery::GetAssociations(vec![uuid.clone()]),
            StoredQuery::GetDocumentsAndAssociations(Named::EntryUuids(vec![uuid])),
            StoredQuery::GetSubmissionSetAndContents(contents),
        ]
    }

    #[test]
    fn each_query_is_read_back_as_written() {
        for query in every_query() {
            for return_type in [ReturnType::LeafClass, ReturnType::ObjectRef] {
                let xml = write(&query, return_type);
                let expected = Read { query: query.clone(), return_type, leniencies: Vec::new() };
                assert_eq!(read_text(&xml), Ok(expected), "{xml}");
            }
        }
    }

    #[test]
    fn what_is_wrong_has_the_code_of_the_standard() {
        let find = write(&every_query()[1], ReturnType::LeafClass);
        let status = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')";
        let cases = [
            ("unknown query", find.replace("14d4debf", "00000000"), "XDSUnknownStoredQuery"),
            ("no patient", find.replace(param::PATIENT, "$Other"), "XDSStoredQueryMissingParam"),
            ("no status", find.replace(param::STATUS, "$Other"), "XDSStoredQueryMissingParam"),
            (
                "two patients",
                find.replace(&slot::single(PATIENT).replace('&', "&amp;"), "('a','b')"),
                "XDSStoredQueryParamNumber",
            ),
            ("patient without quotes", find.replace('\'', ""), "XDSRegistryError"),
            ("patient that is none", find.replace("^^^", "-"), "XDSRegistryError"),
            ("status that is none", find.replace("StatusType:Approved", "StatusType:Fine"), "XDSRegistryError"),
            ("no status value", find.replace(status, "()"), "XDSRegistryError"),
            ("return type", find.replace("LeafClass", "Everything"), "XDSRegistryError"),
            (
                "no query",
                find.replace("AdhocQuery ", "Query ").replace("/rim:AdhocQuery", "/rim:Query"),
                "XDSRegistryError",
            ),
        ];
        for (case, xml, expected) in cases {
            assert_ne!(xml, find, "{case}: nothing was spoiled");
            let error = read_text(&xml).unwrap_err();
            assert_eq!(error.code().as_str(), expected, "{case}: {error}");
            assert!(!error.to_string().contains("27903"), "{case}: an error shows a person");
        }
        let get = write(&every_query()[4], ReturnType::LeafClass);
        let both = get.replace("</rim:AdhocQuery>", &format!("<rim:Slot name=\"{}\"><rim:ValueList><rim:Value>('u')</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery>", param::ENTRY_UUID));
        assert_eq!(read_text(&both).unwrap_err(), QueryError::Number(param::UNIQUE_ID));
        let none = get.replace(param::UNIQUE_ID, "$x");
        assert_eq!(read_text(&none).unwrap_err(), QueryError::Missing(param::UNIQUE_ID));
    }

    #[test]
    fn parentheses_out_of_place_are_understood_and_noted() {
        let query = &every_query()[1];
        let find = write(query, ReturnType::LeafClass);
        let patient = slot::single(PATIENT).replace('&', "&amp;");
        let listed = find.replace(&patient, &format!("({patient})"));
        let read = read_text(&listed).unwrap();
        assert_eq!((&read.query, read.leniencies.as_slice()), (query, [param::PATIENT].as_slice()));
        let bare = find.replace("('urn", "'urn").replace("Approved')", "Approved'");
        let read = read_text(&bare).unwrap();
        assert_eq!((&read.query, read.leniencies.as_slice()), (query, [param::STATUS].as_slice()));
    }

    #[test]
    fn values_in_one_slot_are_alternatives_and_slots_are_conditions() {
        let xml = write(&every_query()[0], ReturnType::LeafClass);
        let split = xml.replace("('CT^^1.6','MR^^1.6')", "('CT^^1.6')</rim:Value><rim:Value>('MR^^1.6')");
        assert_ne!(xml, split);
        assert_eq!(read_text(&split).unwrap().query, every_query()[0]);
    }
}
