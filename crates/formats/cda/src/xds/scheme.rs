//! Names and UUIDs of XDS in ebRIM (IHE ITI TF-3 4.2.5; ebRIM 3.0), and the constants of CI-SIS.

/// Namespace of ebRIM.
pub const RIM: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0";
/// Namespace of ebRS life cycle management.
pub const LCM: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0";

/// `objectType` of a stable DocumentEntry.
pub const STABLE_ENTRY: &str = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1";
/// `objectType` of an Association.
pub const ASSOCIATION: &str = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association";
/// `objectType` of a RegistryPackage.
pub const PACKAGE: &str = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage";
/// `objectType` of a Classification.
pub const CLASSIFICATION: &str = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Classification";
/// `objectType` of an ExternalIdentifier.
pub const EXTERNAL_IDENTIFIER: &str = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier";

/// classificationNode of a SubmissionSet.
pub const SUBMISSION_SET: &str = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd";
/// classificationNode of a Folder, which the DMP does not use.
pub const FOLDER: &str = "urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2";
/// SubmissionSet.author.
pub const SET_AUTHOR: &str = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d";
/// SubmissionSet.contentTypeCode.
pub const SET_CONTENT_TYPE: &str = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500";
/// SubmissionSet.patientId.
pub const SET_PATIENT_ID: &str = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446";
/// SubmissionSet.sourceId.
pub const SET_SOURCE_ID: &str = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832";
/// SubmissionSet.uniqueId.
pub const SET_UNIQUE_ID: &str = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8";

/// DocumentEntry.author.
pub const AUTHOR: &str = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d";
/// DocumentEntry.classCode.
pub const CLASS: &str = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a";
/// DocumentEntry.confidentialityCode.
pub const CONFIDENTIALITY: &str = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f";
/// DocumentEntry.eventCodeList.
pub const EVENT: &str = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4";
/// DocumentEntry.formatCode.
pub const FORMAT: &str = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d";
/// DocumentEntry.healthcareFacilityTypeCode.
pub const FACILITY: &str = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1";
/// DocumentEntry.practiceSettingCode.
pub const PRACTICE_SETTING: &str = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead";
/// DocumentEntry.typeCode.
pub const TYPE: &str = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983";
/// DocumentEntry.patientId.
pub const PATIENT_ID: &str = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427";
/// DocumentEntry.uniqueId.
pub const UNIQUE_ID: &str = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab";

/// Slot of the reference ids.
pub const REFERENCE_IDS: &str = "urn:ihe:iti:xds:2013:referenceIdList";
/// formatCode of the signature of a lot.
pub const SIGNATURE_FORMAT: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Kind of a reference id: accession number.
pub const REFERENCE_ID_ACCESSION: &str = "urn:ihe:iti:xds:2013:accession";
/// Kind of a reference id: order.
pub const REFERENCE_ID_ORDER: &str = "urn:ihe:iti:xds:2013:order";
/// Kind of a reference id: StudyInstanceUID.
pub const REFERENCE_ID_STUDY: &str = "urn:ihe:iti:xds:2016:studyInstanceUID";
