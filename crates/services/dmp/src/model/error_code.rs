use std::fmt;

use socle_finding::Text;

/// An error code that the DMP answers, in a SOAP fault (subcode) or in a `rs:RegistryError`.
///
/// The complete catalogue of `DMP…` codes is in the vendor guide only; those known in public are
/// here, with the codes of IHE ITI TF-3 table 4.2.4.1-2. Any other code is [`ErrorCode::Unlisted`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// `DMPInvalidCertificate`.
    DmpInvalidCertificate,
    /// `DMPAccessDeniedByRightsService`.
    DmpAccessDeniedByRightsService,
    /// `XDSPatientIdDoesNotMatch`.
    PatientIdDoesNotMatch,
    /// `XDSUnknownPatientId`.
    UnknownPatientId,
    /// `XDSDocumentUniqueIdError`.
    DocumentUniqueIdError,
    /// `XDSDuplicateUniqueIdInRegistry`.
    DuplicateUniqueIdInRegistry,
    /// `XDSDuplicateUniqueIdInMessage`.
    DuplicateUniqueIdInMessage,
    /// `XDSNonIdenticalHash`.
    NonIdenticalHash,
    /// `XDSReplaceFailed`.
    ReplaceFailed,
    /// `XDSUnresolvedReferenceException`.
    UnresolvedReference,
    /// `XDSRegistryDeprecatedDocumentError`.
    RegistryDeprecatedDocument,
    /// `XDSMissingDocument`.
    MissingDocument,
    /// `XDSMissingDocumentMetadata`.
    MissingDocumentMetadata,
    /// `XDSRegistryMetadataError`.
    RegistryMetadata,
    /// `XDSRepositoryMetadataError`.
    RepositoryMetadata,
    /// `XDSUnknownStoredQuery`.
    UnknownStoredQuery,
    /// `XDSStoredQueryMissingParam`.
    StoredQueryMissingParam,
    /// `XDSStoredQueryParamNumber`.
    StoredQueryParamNumber,
    /// `XDSTooManyResults`.
    TooManyResults,
    /// `XDSResultNotSinglePatient`.
    ResultNotSinglePatient,
    /// `XDSUnknownRepositoryId`.
    UnknownRepositoryId,
    /// `XDSRegistryBusy`.
    RegistryBusy,
    /// `XDSRepositoryBusy`.
    RepositoryBusy,
    /// `XDSRegistryNotAvailable`.
    RegistryNotAvailable,
    /// `XDSRegistryError`.
    RegistryError,
    /// `XDSRepositoryError`.
    RepositoryError,
    /// A code that no public text describes, as it came.
    Unlisted(Box<str>),
}

/// What the caller of the DMP can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// The same request may pass later.
    Retry,
    /// The document may already be there: compare the stored hash before anything else.
    AskWhatIsStored,
    /// The same request will be refused again: something must be mended first.
    Mend,
}

/// Code, its text on the wire, what to do, what it means, how to mend it.
struct Row {
    code: ErrorCode,
    wire: &'static str,
    recovery: Recovery,
    meaning: Text,
    mend: Text,
}

const fn row(code: ErrorCode, wire: &'static str, recovery: Recovery, meaning: Text, mend: Text) -> Row {
    Row { code, wire, recovery, meaning, mend }
}

const fn text(fr: &'static str, en: &'static str) -> Text {
    Text::fixed(fr, en)
}

const LATER: Text = text("réessayez plus tard", "try again later");
const REPORT: Text = text(
    "les métadonnées envoyées sont fausses : voyez l'emplacement cité, corrigez le document ou son dépôt",
    "the metadata sent are wrong: see the place named, mend the document or its deposit",
);
const QUERY: Text = text("corrigez les paramètres de la requête", "mend the parameters of the query");

static ROWS: [Row; 26] = [
    row(
        ErrorCode::DmpInvalidCertificate,
        "DMPInvalidCertificate",
        Recovery::Mend,
        text(
            "le VIHF ou la signature du lot n'est pas signé par un certificat de signature valide de l'IGC-Santé",
            "the VIHF or the signature of the lot is not signed by a valid signature certificate of IGC-Santé",
        ),
        text(
            "installez un certificat ORG_SIGN en cours de validité (pas le certificat d'authentification)",
            "install an ORG_SIGN certificate in its validity period (not the authentication certificate)",
        ),
    ),
    row(
        ErrorCode::DmpAccessDeniedByRightsService,
        "DMPAccessDeniedByRightsService",
        Recovery::Mend,
        text(
            "la matrice des droits fonctionnels refuse cette transaction à ce rôle, dans ce mode",
            "the functional rights matrix refuses this transaction to this role, in this mode",
        ),
        text(
            "alimentez en mode INDIRECTE, consultez en INDIRECTE_RENFORCEE au nom d'un professionnel autorisé",
            "feed in mode INDIRECTE, consult in INDIRECTE_RENFORCEE in the name of an authorised professional",
        ),
    ),
    row(
        ErrorCode::PatientIdDoesNotMatch,
        "XDSPatientIdDoesNotMatch",
        Recovery::Mend,
        text(
            "l'INS diffère entre le VIHF, le lot, les fiches ou le document",
            "the INS differs between the VIHF, the submission set, the entries or the document",
        ),
        text(
            "vérifiez que le document porte l'INS qualifiée du patient, puis déposez-le à nouveau",
            "check that the document carries the qualified INS of the patient, then deposit it again",
        ),
    ),
    row(
        ErrorCode::UnknownPatientId,
        "XDSUnknownPatientId",
        Recovery::Mend,
        text("aucun DMP ouvert pour cette INS", "no open DMP for this INS"),
        text(
            "vérifiez l'existence du DMP (TD0.2) : sans DMP, ou si le patient s'y est opposé, rien n'est à déposer",
            "check that the DMP exists (TD0.2): without one, or when the patient opposed it, nothing is to be deposited",
        ),
    ),
    row(
        ErrorCode::DocumentUniqueIdError,
        "XDSDocumentUniqueIdError",
        Recovery::Mend,
        text("aucun document de cet identifiant", "no document of this identifier"),
        text(
            "demandez le document par son uniqueId (OID), jamais par son entryUUID",
            "ask for the document by its uniqueId (an OID), never by its entryUUID",
        ),
    ),
    row(
        ErrorCode::DuplicateUniqueIdInRegistry,
        "XDSDuplicateUniqueIdInRegistry",
        Recovery::AskWhatIsStored,
        text(
            "un document de cet identifiant est déjà enregistré",
            "a document of this identifier is already registered",
        ),
        text(
            "si l'empreinte enregistrée est la même, le dépôt a réussi ; sinon donnez un nouvel identifiant au document",
            "when the stored hash is the same, the deposit has succeeded; otherwise give the document a new identifier",
        ),
    ),
    row(
        ErrorCode::DuplicateUniqueIdInMessage,
        "XDSDuplicateUniqueIdInMessage",
        Recovery::Mend,
        text("le même identifiant sert deux fois dans le lot", "the same identifier serves twice in the submission"),
        text("donnez à chaque document son identifiant", "give each document its own identifier"),
    ),
    row(
        ErrorCode::NonIdenticalHash,
        "XDSNonIdenticalHash",
        Recovery::Mend,
        text(
            "un autre contenu est déjà enregistré sous cet identifiant",
            "another content is already registered under this identifier",
        ),
        text(
            "une version corrigée porte un nouvel identifiant et remplace l'ancienne (RPLC)",
            "a corrected version carries a new identifier and replaces the former one (RPLC)",
        ),
    ),
    row(
        ErrorCode::ReplaceFailed,
        "XDSReplaceFailed",
        Recovery::Mend,
        text("le document à remplacer ne peut pas l'être", "the document to replace cannot be replaced"),
        text(
            "seul l'auteur remplace, et seulement une version active : cherchez la version active du document",
            "only its author replaces a document, and only an active version: look for the active version",
        ),
    ),
    row(
        ErrorCode::UnresolvedReference,
        "XDSUnresolvedReferenceException",
        Recovery::Mend,
        text("une référence du lot ne désigne rien de connu", "a reference of the submission names nothing known"),
        REPORT,
    ),
    row(
        ErrorCode::RegistryDeprecatedDocument,
        "XDSRegistryDeprecatedDocumentError",
        Recovery::Mend,
        text("le document visé est obsolète", "the document named is deprecated"),
        text("cherchez la version active du document", "look for the active version of the document"),
    ),
    row(
        ErrorCode::MissingDocument,
        "XDSMissingDocument",
        Recovery::Mend,
        text("une fiche n'a pas son document", "an entry lacks its document"),
        REPORT,
    ),
    row(
        ErrorCode::MissingDocumentMetadata,
        "XDSMissingDocumentMetadata",
        Recovery::Mend,
        text("un document n'a pas sa fiche", "a document lacks its entry"),
        REPORT,
    ),
    row(
        ErrorCode::RegistryMetadata,
        "XDSRegistryMetadataError",
        Recovery::Mend,
        text("une métadonnée est absente ou fausse", "a metadata attribute is absent or wrong"),
        REPORT,
    ),
    row(
        ErrorCode::RepositoryMetadata,
        "XDSRepositoryMetadataError",
        Recovery::Mend,
        text("une métadonnée est absente ou fausse", "a metadata attribute is absent or wrong"),
        REPORT,
    ),
    row(
        ErrorCode::UnknownStoredQuery,
        "XDSUnknownStoredQuery",
        Recovery::Mend,
        text("requête enregistrée inconnue", "unknown stored query"),
        QUERY,
    ),
    row(
        ErrorCode::StoredQueryMissingParam,
        "XDSStoredQueryMissingParam",
        Recovery::Mend,
        text("un paramètre obligatoire manque à la requête", "the query lacks a mandatory parameter"),
        QUERY,
    ),
    row(
        ErrorCode::StoredQueryParamNumber,
        "XDSStoredQueryParamNumber",
        Recovery::Mend,
        text("un paramètre simple porte plusieurs valeurs", "a single-valued parameter has several values"),
        QUERY,
    ),
    row(
        ErrorCode::TooManyResults,
        "XDSTooManyResults",
        Recovery::Mend,
        text("la requête ramène trop de résultats", "the query has too many results"),
        text("resserrez la période ou les types demandés", "narrow the period or the types asked for"),
    ),
    row(
        ErrorCode::ResultNotSinglePatient,
        "XDSResultNotSinglePatient",
        Recovery::Mend,
        text("la réponse concernerait plusieurs patients", "the answer would concern several patients"),
        QUERY,
    ),
    row(
        ErrorCode::UnknownRepositoryId,
        "XDSUnknownRepositoryId",
        Recovery::Mend,
        text("entrepôt inconnu", "unknown repository"),
        text(
            "reprenez le repositoryUniqueId de la fiche du document",
            "take the repositoryUniqueId from the document's entry",
        ),
    ),
    row(
        ErrorCode::RegistryBusy,
        "XDSRegistryBusy",
        Recovery::Retry,
        text("le registre est occupé", "the registry is busy"),
        LATER,
    ),
    row(
        ErrorCode::RepositoryBusy,
        "XDSRepositoryBusy",
        Recovery::Retry,
        text("l'entrepôt est occupé", "the repository is busy"),
        LATER,
    ),
    row(
        ErrorCode::RegistryNotAvailable,
        "XDSRegistryNotAvailable",
        Recovery::Retry,
        text("le registre est indisponible", "the registry is not available"),
        LATER,
    ),
    row(
        ErrorCode::RegistryError,
        "XDSRegistryError",
        Recovery::Retry,
        text("erreur interne du registre", "internal error of the registry"),
        LATER,
    ),
    row(
        ErrorCode::RepositoryError,
        "XDSRepositoryError",
        Recovery::Retry,
        text("erreur interne de l'entrepôt", "internal error of the repository"),
        LATER,
    ),
];

static UNLISTED_MEANING: Text = text(
    "code d'erreur absent des textes publics : voyez le guide d'intégration DMP (SEL-MP-037)",
    "error code absent from public texts: see the DMP integration guide (SEL-MP-037)",
);
static UNLISTED_MEND: Text =
    text("lisez le texte joint, corrigez, puis relancez", "read the text that came with it, mend, then run again");

impl ErrorCode {
    /// Reads a code; a qualified name (`ns:Code`) is read by its local part.
    ///
    /// At most 100 characters of an unknown code are kept.
    #[must_use]
    pub fn from_wire(text: &str) -> Self {
        let local = text.trim().rsplit(':').next().unwrap_or_default();
        ROWS.iter()
            .find(|row| row.wire == local)
            .map_or_else(|| Self::Unlisted(local.chars().take(100).collect()), |row| row.code.clone())
    }

    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unlisted(text) => text,
            known => known.row().map_or("", |row| row.wire),
        }
    }

    /// What to do: retry, look at what is stored, or mend.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.row().map_or(Recovery::Mend, |row| row.recovery)
    }

    /// What happened.
    #[must_use]
    pub fn meaning(&self) -> &'static Text {
        self.row().map_or(&UNLISTED_MEANING, |row| &row.meaning)
    }

    /// How to mend it.
    #[must_use]
    pub fn mend(&self) -> &'static Text {
        self.row().map_or(&UNLISTED_MEND, |row| &row.mend)
    }

    fn row(&self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.code == *self)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_read_back_and_says_what_to_do_in_both_languages() {
        for row in &ROWS {
            let code = ErrorCode::from_wire(row.wire);
            assert_eq!(code, row.code);
            assert_eq!(code.as_str(), row.wire);
            for text in [code.meaning(), code.mend()] {
                assert!(text.fr.len() > 10 && text.en.len() > 10 && text.fr != text.en, "{code}");
            }
        }
        let mut names: Vec<_> = ROWS.iter().map(|row| row.wire).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn only_busy_unavailable_or_internal_is_worth_a_retry() {
        let retried: Vec<_> = ROWS.iter().filter(|row| row.recovery == Recovery::Retry).map(|row| row.wire).collect();
        assert_eq!(
            retried,
            [
                "XDSRegistryBusy",
                "XDSRepositoryBusy",
                "XDSRegistryNotAvailable",
                "XDSRegistryError",
                "XDSRepositoryError"
            ]
        );
        assert_eq!(ErrorCode::DuplicateUniqueIdInRegistry.recovery(), Recovery::AskWhatIsStored);
    }

    #[test]
    fn an_unknown_code_is_kept_shown_and_never_retried() {
        let code = ErrorCode::from_wire("dmp:DMPSomethingNew");
        assert_eq!(code, ErrorCode::Unlisted("DMPSomethingNew".into()));
        assert_eq!(code.recovery(), Recovery::Mend);
        assert!(code.meaning().en.contains("SEL-MP-037"));
        assert_eq!(ErrorCode::from_wire(&"x".repeat(5000)).as_str().len(), 100);
    }
}
