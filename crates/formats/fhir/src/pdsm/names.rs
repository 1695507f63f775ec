//! The canonicals of PDSm 3.1.1, of IHE MHD 4.2 below it, and ours.

pub(super) const BUNDLE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-comprehensive-provide-document-bundle";
pub(super) const SUBMISSION_SET: &str =
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-submissionset-comprehensive";
pub(super) const DOCUMENT_REFERENCE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-comprehensive-document-reference";
pub(super) const SEARCH_RESPONSE: &str = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-find-documentreferences-comprehensive-response";
pub(super) const RESPONSE: &str =
    "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.ProvideDocumentBundleResponse";

pub(super) const RECIPIENT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-intended-recipient";
pub(super) const MHD_RECIPIENT: &str = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-intendedRecipient";
pub(super) const ARCHIVED: &str =
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived";
pub(super) const CONTENT_TYPE: &str = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType";
pub(super) const SOURCE_ID: &str = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId";
pub(super) const AUTHOR_ORGANIZATION: &str = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-authorOrg";
pub(super) const LIST_TYPES: &str = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes";

pub(super) const EMAIL_TYPE: &str = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-contact-point-email-type";
pub(super) const EMAIL_TYPES: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie";

/// Socle's own extension on the lot: `valueBoolean` false keeps it out of the DMP. PDSm has no word for it.
pub const FEED_DMP: &str = "urn:socle:extension:feed-dmp";

/// The published text that the readers quote.
pub(super) const PDSM: &str = "PDSm 3.1.1";
pub(super) const MHD: &str = "IHE MHD 4.2.0, ITI-65";
