//! What a registry or repository answers: a status, a list of errors, objects (ebRS 3.0; IHE ITI TF-3 4.2.4).
//!
//! Order: the registry response, then the answer to a query.

use socle_cda::Refused;
use socle_cda::xds::scheme::RIM;
use socle_cda::xds::{Profile, RegistryObjects, read_list, write_list};
use socle_xml::NodeExt;
use socle_xml::roxmltree::Node;
use socle_xml::write::Writer;

use super::{NS_QUERY, NS_RS};
use crate::model::ErrorCode;

const ERROR_SEVERITY: &str = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error";
const WARNING_SEVERITY: &str = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning";
/// Most errors read from one answer.
const ERRORS_MAX: usize = 1000;

/// `rs:RegistryResponse`, or what an `AdhocQueryResponse` says beside its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryResponse {
    /// The status.
    pub status: ResponseStatus,
    /// Errors and warnings.
    pub errors: Vec<RegistryError>,
}

impl RegistryResponse {
    /// Everything went well.
    #[must_use]
    pub const fn success() -> Self {
        Self { status: ResponseStatus::Success, errors: Vec::new() }
    }

    /// Nothing was done.
    #[must_use]
    pub const fn failure(errors: Vec<RegistryError>) -> Self {
        Self { status: ResponseStatus::Failure, errors }
    }

    /// The first error; warnings are passed over.
    #[must_use]
    pub fn first_error(&self) -> Option<&RegistryError> {
        self.errors.iter().find(|error| !error.is_warning)
    }
}

/// ebRS response status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseStatus {
    /// Done.
    Success,
    /// Part of what was asked (IHE, for retrieve and query).
    PartialSuccess,
    /// Not done.
    Failure,
}

impl ResponseStatus {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Success, "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"),
        (Self::PartialSuccess, "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"),
        (Self::Failure, "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"),
    ];

    fn urn(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, urn)| urn)
    }

    fn read(urn: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == urn.trim()).map(|(status, _)| *status)
    }
}

/// `rs:RegistryError`. `Debug` does not show the context: a registry may name a person in it.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryError {
    /// `@errorCode`.
    pub code: ErrorCode,
    /// `@codeContext`: what exactly.
    pub context: String,
    /// `@location`.
    pub location: Option<String>,
    /// Is it only a warning?
    pub is_warning: bool,
}

impl std::fmt::Debug for RegistryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RegistryError({}, {:?})", self.code, self.location)
    }
}

impl RegistryError {
    /// An error.
    #[must_use]
    pub fn new(code: ErrorCode, context: impl Into<String>) -> Self {
        Self { code, context: context.into(), location: None, is_warning: false }
    }
}

/// The `rs:RegistryResponse` element.
#[must_use]
pub fn write(response: &RegistryResponse) -> String {
    let mut w = Writer::fragment();
    w.open("rs:RegistryResponse").ns("rs", NS_RS).attr("status", response.status.urn());
    write_errors(&mut w, &response.errors);
    w.finish()
}

fn write_errors(w: &mut Writer, errors: &[RegistryError]) {
    if errors.is_empty() {
        return;
    }
    let severity = |is_warning| if is_warning { WARNING_SEVERITY } else { ERROR_SEVERITY };
    let highest = severity(errors.iter().all(|error| error.is_warning));
    w.open("rs:RegistryErrorList").ns("rs", NS_RS).attr("highestSeverity", highest);
    for error in errors {
        w.open("rs:RegistryError").attr("errorCode", error.code.as_str()).attr("codeContext", &error.context);
        w.attr("severity", severity(error.is_warning)).attr_opt("location", error.location.as_deref()).close();
    }
    w.close();
}

/// Reads a `rs:RegistryResponse`, or the status and errors of any response of that type.
///
/// # Errors
/// [`ResponseError`].
pub fn read(node: Node<'_, '_>) -> Result<RegistryResponse, ResponseError> {
    let status = node.attribute("status").ok_or(ResponseError::NoStatus)?;
    let status = ResponseStatus::read(status).ok_or(ResponseError::UnknownStatus)?;
    let list = node.child(Some(NS_RS), "RegistryErrorList");
    let errors = list.into_iter().flat_map(|list| list.children_named(Some(NS_RS), "RegistryError"));
    let errors = errors.take(ERRORS_MAX).map(|error| {
        let attribute = |name: &str| error.attribute(name).unwrap_or_default();
        RegistryError {
            code: ErrorCode::from_wire(attribute("errorCode")),
            context: attribute("codeContext").to_owned(),
            location: error.attribute("location").map(str::to_owned),
            is_warning: attribute("severity").ends_with("Warning"),
        }
    });
    Ok(RegistryResponse { status, errors: errors.collect() })
}

/// `query:AdhocQueryResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryResponse {
    /// Status and errors.
    pub response: RegistryResponse,
    /// What was found.
    pub objects: RegistryObjects,
}

/// The `query:AdhocQueryResponse` element.
#[must_use]
pub fn write_query(response: &QueryResponse) -> String {
    let objects = &response.objects;
    let count = objects.sets.len() + objects.entries.len() + objects.associations.len() + objects.references.len();
    let mut w = Writer::fragment();
    w.open("query:AdhocQueryResponse").ns("query", NS_QUERY).attr("status", response.response.status.urn());
    w.attr("startIndex", "0").attr("totalResultCount", &count.to_string());
    write_errors(&mut w, &response.response.errors);
    w.raw(&write_list(objects));
    w.finish()
}

/// Reads a `query:AdhocQueryResponse`.
///
/// # Errors
/// [`ResponseError`].
pub fn read_query(node: Node<'_, '_>) -> Result<QueryResponse, ResponseError> {
    if !node.is(Some(NS_QUERY), "AdhocQueryResponse") {
        return Err(ResponseError::Other("query:AdhocQueryResponse"));
    }
    let response = read(node)?;
    let list = node.child(Some(RIM), "RegistryObjectList");
    let objects = list
        .map_or_else(|| Ok(RegistryObjects::default()), |list| read_list(list, Profile::Answer).map(|read| read.value));
    Ok(QueryResponse { response, objects: objects? })
}

/// Why an answer is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Another element than the one that answers.
    #[error("the SOAP body holds no {0}")]
    Other(&'static str),
    /// No `@status`.
    #[error("the answer has no status (ebRS 3.0 §2.1.3)")]
    NoStatus,
    /// None of the three.
    #[error("the status is none of Success, PartialSuccess, Failure")]
    UnknownStatus,
    /// The objects are not readable.
    #[error("the objects of the answer: {0}")]
    Objects(#[from] Refused),
}

#[cfg(test)]
mod tests {
    use socle_xml::{Limits, parse};

    use super::*;

    fn there_and_back(response: &RegistryResponse) -> RegistryResponse {
        let xml = write(response);
        let document = parse(&xml, &Limits::ENVELOPE).unwrap();
        read(document.root_element()).unwrap()
    }

    #[test]
    fn responses_there_and_back() {
        let error = RegistryError {
            location: Some("Doc1".into()),
            ..RegistryError::new(ErrorCode::RegistryMetadata, "title \"<&>\" is missing")
        };
        let warning = RegistryError { is_warning: true, ..error.clone() };
        for response in [
            RegistryResponse::success(),
            RegistryResponse::failure(vec![warning.clone(), error]),
            RegistryResponse { status: ResponseStatus::PartialSuccess, errors: vec![warning] },
        ] {
            assert_eq!(there_and_back(&response), response);
        }
    }

    #[test]
    fn the_first_error_is_no_warning() {
        let warning = RegistryError { is_warning: true, ..RegistryError::new(ErrorCode::RegistryMetadata, "w") };
        let error = RegistryError::new(ErrorCode::UnknownPatientId, "e");
        let response = RegistryResponse::failure(vec![warning, error.clone()]);
        assert_eq!(response.first_error(), Some(&error));
        assert!(!format!("{error:?}").contains("\"e\""), "a context stays out of logs");
    }

    #[test]
    fn refuses_what_is_no_answer() {
        let cases = [
            ("<a/>", ResponseError::NoStatus),
            ("<a status='fine'/>", ResponseError::UnknownStatus),
            ("<a status=''/>", ResponseError::UnknownStatus),
        ];
        for (xml, expected) in cases {
            let document = parse(xml, &Limits::ENVELOPE).unwrap();
            assert_eq!(read(document.root_element()), Err(expected), "{xml}");
        }
        let document = parse("<a status='x'/>", &Limits::ENVELOPE).unwrap();
        assert_eq!(read_query(document.root_element()), Err(ResponseError::Other("query:AdhocQueryResponse")));
    }
}
