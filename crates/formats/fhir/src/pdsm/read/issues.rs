//! What can be wrong with a transaction, in words. Where it is wrong is said by the caller.

use socle_finding::{Rule, Text};
use socle_identity::{Difference, MssAddressError};

use crate::outcome::{Issue, IssueType};
use crate::pdsm::names::{MHD, PDSM};
use crate::tape::Node;

fn pdsm(
    code: IssueType,
    point: &'static str,
    message: (&'static str, &'static str),
    mend: (&'static str, &'static str),
) -> Issue {
    Issue::error(code, Rule::fixed(PDSM, point), Text::fixed(message.0, message.1), Text::fixed(mend.0, mend.1))
}

fn mhd(
    code: IssueType,
    point: &'static str,
    message: (&'static str, &'static str),
    mend: (&'static str, &'static str),
) -> Issue {
    Issue::error(code, Rule::fixed(MHD, point), Text::fixed(message.0, message.1), Text::fixed(mend.0, mend.1))
}

fn fhir(
    code: IssueType,
    point: &'static str,
    message: (&'static str, &'static str),
    mend: (&'static str, &'static str),
) -> Issue {
    Issue::error(code, Rule::fixed("FHIR R4", point), Text::fixed(message.0, message.1), Text::fixed(mend.0, mend.1))
}

/// An element that the profile demands.
pub(super) fn missing(element: &'static str) -> Issue {
    let last = element.rsplit('.').next().unwrap_or(element);
    Issue::error(
        IssueType::Required,
        Rule::fixed(PDSM, element),
        Text::new(format!("l'élément {last} manque"), format!("the element {last} is missing")),
        Text::new(format!("renseignez {element}"), format!("fill in {element}")),
    )
}

/// An element whose content cannot be used.
pub(super) fn bad_value(element: &'static str) -> Issue {
    pdsm(
        IssueType::Value,
        element,
        ("la valeur de cet élément ne peut être lue", "the value of this element cannot be read"),
        ("écrivez une valeur de la forme attendue par le profil", "write a value of the form that the profile expects"),
    )
}

/// A code without system or without code.
pub(super) fn bad_code(element: &'static str) -> Issue {
    pdsm(
        IssueType::CodeInvalid,
        element,
        ("ce code n'a pas de système ou pas de valeur", "this code has no system or no value"),
        ("donnez coding.system et coding.code", "give coding.system and coding.code"),
    )
}

pub(super) fn not_a_bundle() -> Issue {
    mhd(
        IssueType::Structure,
        "Bundle",
        ("une ressource Bundle est attendue", "a Bundle is expected"),
        ("envoyez le Bundle de la transaction ITI-65", "send the Bundle of the transaction ITI-65"),
    )
}

pub(super) fn not_a_transaction() -> Issue {
    mhd(
        IssueType::Value,
        "Bundle.type",
        ("le Bundle n'est pas une transaction", "the Bundle is no transaction"),
        ("écrivez type = transaction", "write type = transaction"),
    )
}

pub(super) fn bad_method() -> Issue {
    mhd(
        IssueType::Value,
        "Bundle.entry.request.method",
        ("cette méthode n'est pas permise pour cette ressource", "this method is not allowed for this resource"),
        ("écrivez POST", "write POST"),
    )
}

pub(super) fn unexpected_resource() -> Issue {
    mhd(
        IssueType::NotSupported,
        "Bundle.entry",
        ("cette ressource n'est pas acceptée dans un lot", "this resource is not accepted in a lot"),
        (
            "n'envoyez que List, DocumentReference, Binary et Patient ; une personne ou une structure va dans contained",
            "send List, DocumentReference, Binary and Patient only; a person or a structure goes into contained",
        ),
    )
}

pub(super) fn same_full_url() -> Issue {
    fhir(
        IssueType::Duplicate,
        "bdl-7",
        ("deux entrées ont le même fullUrl", "two entries have the same fullUrl"),
        ("donnez à chaque entrée son urn:uuid", "give each entry its own urn:uuid"),
    )
}

pub(super) fn unnamed_entry() -> Issue {
    mhd(
        IssueType::BusinessRule,
        "Bundle.entry",
        ("rien ne désigne cette ressource : elle serait perdue", "nothing refers to this resource: it would be lost"),
        ("désignez-la depuis une fiche ou le lot, ou retirez-la", "refer to it from a fiche or the lot, or remove it"),
    )
}

pub(super) fn no_lot() -> Issue {
    mhd(
        IssueType::Required,
        "Bundle.entry:SubmissionSet",
        ("le lot de soumission manque", "the submission set is missing"),
        ("ajoutez la List de code submissionset", "add the List whose code is submissionset"),
    )
}

pub(super) fn several_lots() -> Issue {
    mhd(
        IssueType::MultipleMatches,
        "Bundle.entry:SubmissionSet",
        ("il y a plusieurs lots de soumission", "there are several submission sets"),
        ("envoyez un lot par transaction", "send one lot per transaction"),
    )
}

pub(super) fn folder() -> Issue {
    pdsm(
        IssueType::NotSupported,
        "Bundle.entry:Folders",
        ("les classeurs ne sont pas gérés", "folders are not supported"),
        ("retirez le classeur du lot", "remove the folder from the lot"),
    )
}

pub(super) fn list_without_type() -> Issue {
    mhd(
        IssueType::Required,
        "List.code",
        ("rien ne dit si cette List est un lot de soumission", "nothing says whether this List is a submission set"),
        ("écrivez le code submissionset de MHDlistTypes", "write the code submissionset of MHDlistTypes"),
    )
}

pub(super) fn no_fiche() -> Issue {
    pdsm(
        IssueType::Required,
        "Bundle.entry:DocumentRefs",
        ("le lot n'a aucune fiche", "the lot has no fiche"),
        ("ajoutez un DocumentReference", "add a DocumentReference"),
    )
}

pub(super) fn not_a_fiche() -> Issue {
    pdsm(
        IssueType::Value,
        "List.entry.item",
        (
            "ceci n'est pas une fiche de cette transaction, ou elle est déjà dans le lot",
            "this is no fiche of this transaction, or it is in the lot already",
        ),
        ("désignez chaque DocumentReference une fois", "refer to each DocumentReference once"),
    )
}

pub(super) fn fiche_elsewhere() -> Issue {
    pdsm(
        IssueType::NotSupported,
        "List.entry.item",
        ("la fiche désignée n'est pas dans la transaction", "the fiche that is referred to is not in the transaction"),
        ("envoyez le DocumentReference avec le lot", "send the DocumentReference with the lot"),
    )
}

pub(super) fn fiche_outside_lot() -> Issue {
    mhd(
        IssueType::BusinessRule,
        "List.entry",
        ("cette fiche n'est dans aucun lot", "this fiche is in no lot"),
        ("ajoutez-la à List.entry", "add it to List.entry"),
    )
}

pub(super) fn same_unique_id(first: Node<'_>) -> Issue {
    let path = first.path();
    Issue::error(
        IssueType::Duplicate,
        Rule::fixed(PDSM, "DocumentReference.masterIdentifier"),
        Text::new(
            format!("cette fiche a le même identifiant unique que {path}"),
            format!("this fiche has the same unique identifier as {path}"),
        ),
        Text::fixed("donnez à chaque document son identifiant", "give each document its own identifier"),
    )
}

pub(super) fn empty_reference() -> Issue {
    fhir(
        IssueType::Required,
        "2.36.2",
        ("cette référence ne désigne rien", "this reference names nothing"),
        ("donnez reference ou identifier (système et valeur)", "give reference or identifier (system and value)"),
    )
}

pub(super) fn not_contained() -> Issue {
    fhir(
        IssueType::NotFound,
        "ref-1",
        (
            "la ressource contenue que ceci désigne n'existe pas",
            "the contained resource that this names does not exist",
        ),
        ("ajoutez-la à contained avec cet id", "add it to contained with that id"),
    )
}

pub(super) fn unresolved() -> Issue {
    fhir(
        IssueType::NotFound,
        "3.1.0.11.2",
        ("aucune entrée du Bundle n'a ce fullUrl", "no entry of the Bundle has this fullUrl"),
        ("corrigez la référence ou ajoutez l'entrée", "mend the reference or add the entry"),
    )
}

pub(super) fn bad_search() -> Issue {
    fhir(
        IssueType::NotSupported,
        "3.1.0.11.2",
        ("cette référence conditionnelle ne peut être suivie", "this conditional reference cannot be followed"),
        ("écrivez Patient?identifier=système|valeur", "write Patient?identifier=system|value"),
    )
}

pub(super) fn url_and_data() -> Issue {
    mhd(
        IssueType::Value,
        "DocumentReference.content.attachment",
        (
            "url et data sont donnés tous deux : lequel est le document ?",
            "both url and data are given: which is the document?",
        ),
        ("gardez url, vers le Binary", "keep url, to the Binary"),
    )
}

pub(super) fn data_instead_of_url() -> Issue {
    Issue::warning(
        IssueType::Structure,
        Rule::fixed(PDSM, "DocumentReference.content.attachment.url"),
        Text::fixed(
            "le document est dans la fiche au lieu d'un Binary",
            "the document is in the fiche instead of a Binary",
        ),
        Text::fixed(
            "mettez le document dans un Binary et désignez-le par url",
            "put the document into a Binary and refer to it by url",
        ),
    )
}

pub(super) fn not_a_binary() -> Issue {
    pdsm(
        IssueType::NotFound,
        "constr-bind-attachmenturl",
        ("url ne désigne pas un Binary de la transaction", "url does not refer to a Binary of the transaction"),
        ("ajoutez le Binary et désignez-le par son fullUrl", "add the Binary and refer to it by its fullUrl"),
    )
}

pub(super) fn bad_base64() -> Issue {
    fhir(
        IssueType::Value,
        "2.24.0.1 (base64Binary)",
        ("le contenu n'est pas du base64", "the content is not base64"),
        ("encodez en base64 (RFC 4648 §4) avec le remplissage =", "encode in base64 (RFC 4648 §4) with the padding ="),
    )
}

pub(super) fn empty_document() -> Issue {
    pdsm(
        IssueType::Value,
        "Binary.data",
        ("le document est vide", "the document is empty"),
        ("envoyez le document", "send the document"),
    )
}

pub(super) fn other_content_type() -> Issue {
    pdsm(
        IssueType::Conflict,
        "Binary.contentType",
        ("le Binary et la fiche ne disent pas le même type", "the Binary and the fiche do not say the same type"),
        ("écrivez le même contentType des deux côtés", "write the same contentType on both sides"),
    )
}

pub(super) fn other_size(length: usize) -> Issue {
    Issue::error(
        IssueType::Conflict,
        Rule::fixed(PDSM, "DocumentReference.content.attachment.size"),
        Text::new(
            format!("la taille annoncée n'est pas celle du document, {length} octets"),
            format!("the size that is said is not that of the document, {length} bytes"),
        ),
        Text::fixed(
            "vérifiez que le document est complet, recalculez size sur les octets décodés",
            "check that the document is whole, count size over the decoded bytes",
        ),
    )
}

pub(super) fn bad_hash(is_hex: bool) -> Issue {
    let message = if is_hex {
        ("le hachage est écrit en hexadécimal", "the hash is written in hexadecimal")
    } else {
        ("le hachage n'est pas un SHA-1 en base64", "the hash is no SHA-1 in base64")
    };
    pdsm(
        IssueType::Value,
        "DocumentReference.content.attachment.hash",
        message,
        ("écrivez les 20 octets du SHA-1 en base64", "write the 20 bytes of the SHA-1 in base64"),
    )
}

pub(super) fn other_hash() -> Issue {
    pdsm(
        IssueType::Conflict,
        "DocumentReference.content.attachment.hash",
        ("le document n'a pas le SHA-1 annoncé", "the document has not the SHA-1 that is said"),
        (
            "vérifiez que le document n'a pas changé, recalculez hash sur les octets décodés",
            "check that the document did not change, count hash over the decoded bytes",
        ),
    )
}

pub(super) fn several_contents() -> Issue {
    mhd(
        IssueType::Structure,
        "DocumentReference.content",
        ("une fiche décrit un seul document", "a fiche describes one document"),
        ("faites une fiche par document", "make one fiche per document"),
    )
}

pub(super) fn several_classes() -> Issue {
    mhd(
        IssueType::Structure,
        "DocumentReference.category",
        ("une fiche a une seule classe", "a fiche has one class"),
        ("gardez une seule category", "keep one category"),
    )
}

pub(super) fn not_current() -> Issue {
    mhd(
        IssueType::BusinessRule,
        "status",
        ("ce qui est soumis doit avoir le statut current", "what is submitted must have the status current"),
        ("écrivez status = current", "write status = current"),
    )
}

pub(super) fn not_working() -> Issue {
    mhd(
        IssueType::Value,
        "List.mode",
        ("le mode du lot doit être working", "the mode of the lot must be working"),
        ("écrivez mode = working", "write mode = working"),
    )
}

pub(super) fn not_allowed(point: &'static str) -> Issue {
    mhd(
        IssueType::NotSupported,
        point,
        ("cet élément n'est pas permis par le profil", "this element is not allowed by the profile"),
        ("retirez-le", "remove it"),
    )
}

pub(super) fn not_an_oid() -> Issue {
    Issue::warning(
        IssueType::Value,
        Rule::fixed(MHD, "mhd-startswithoid"),
        Text::fixed("l'identifiant unique du lot n'est pas un OID", "the unique identifier of the lot is no OID"),
        Text::fixed("écrivez urn:oid:…", "write urn:oid:…"),
    )
}

pub(super) fn no_level() -> Issue {
    pdsm(
        IssueType::Required,
        "DocumentReference.securityLabel",
        ("le niveau de confidentialité (N, R ou V) manque", "the level of confidentiality (N, R or V) is missing"),
        ("ajoutez un securityLabel N, R ou V", "add a securityLabel N, R or V"),
    )
}

pub(super) fn several_levels() -> Issue {
    pdsm(
        IssueType::MultipleMatches,
        "DocumentReference.securityLabel",
        ("deux niveaux de confidentialité sont donnés", "two levels of confidentiality are given"),
        ("gardez N, R ou V", "keep N, R or V"),
    )
}

pub(super) fn unknown_label() -> Issue {
    pdsm(
        IssueType::CodeInvalid,
        "DocumentReference.securityLabel (JDV_J08)",
        (
            "ce code de confidentialité est inconnu : le document pourrait être montré à tort",
            "this code of confidentiality is unknown: the document could be shown wrongly",
        ),
        (
            "écrivez N, R, V, MASQUE_PS, INVISIBLE_PATIENT ou INVISIBLE_REPRESENTANTS_LEGAUX",
            "write N, R, V, MASQUE_PS, INVISIBLE_PATIENT or INVISIBLE_REPRESENTANTS_LEGAUX",
        ),
    )
}

pub(super) fn not_contained_party(point: &'static str) -> Issue {
    mhd(
        IssueType::Structure,
        point,
        (
            "la personne ou structure désignée n'est pas contenue dans la ressource",
            "the person or structure is not contained in the resource",
        ),
        ("ajoutez-la à contained et écrivez #id", "add it to contained and write #id"),
    )
}

pub(super) fn unexpected_party(point: &'static str) -> Issue {
    pdsm(
        IssueType::Value,
        point,
        ("une ressource de ce type ne peut jouer ce rôle", "a resource of this type cannot play this part"),
        (
            "désignez un PractitionerRole, Practitioner, Organization, Device ou Patient, selon le profil",
            "refer to a PractitionerRole, Practitioner, Organization, Device or Patient, as the profile says",
        ),
    )
}

pub(super) fn recipient_without_address() -> Issue {
    pdsm(
        IssueType::Required,
        "pdsm-ext-intended-recipient",
        ("ce destinataire n'a pas d'adresse de messagerie", "this recipient has no mail address"),
        (
            "donnez son adresse MSSanté dans telecom (system = email)",
            "give its MSSanté address in telecom (system = email)",
        ),
    )
}

pub(super) fn bad_address(error: MssAddressError) -> Issue {
    let fr = match error {
        MssAddressError::NoAt => "une adresse contient un @",
        MssAddressError::Local => "ce qui précède le @ n'est pas un nom de boîte",
        MssAddressError::Domain => "ce qui suit le @ n'est pas un nom de domaine",
        MssAddressError::PatientIsMatricule => "une adresse de patient.mssante.fr est un matricule INS de clé juste",
    };
    Issue::error(
        IssueType::Value,
        Rule::fixed(PDSM, "pdsm-ext-intended-recipient"),
        Text::new(
            format!("l'adresse de ce destinataire ne peut être lue : {fr}"),
            format!("the address of this recipient cannot be read: {error}"),
        ),
        Text::fixed("corrigez l'adresse MSSanté", "mend the MSSanté address"),
    )
}

pub(super) fn not_a_patient() -> Issue {
    pdsm(
        IssueType::Value,
        "subject",
        ("ceci ne désigne pas un Patient", "this does not refer to a Patient"),
        ("désignez un Patient", "refer to a Patient"),
    )
}

pub(super) fn other_patient() -> Issue {
    pdsm(
        IssueType::Conflict,
        "subject",
        ("ce patient n'est pas celui du lot", "this patient is not that of the lot"),
        (
            "envoyez les documents de chaque patient dans un lot à part",
            "send the documents of each patient in a lot of their own",
        ),
    )
}

pub(super) fn other_traits(differences: &[Difference]) -> Issue {
    let french: Vec<_> = differences.iter().map(|difference| difference.french()).collect();
    let english: Vec<_> = differences.iter().map(|difference| difference.english()).collect();
    Issue::error(
        IssueType::Conflict,
        Rule::fixed(PDSM, "subject"),
        Text::new(
            format!("ce patient n'est pas celui du lot : {} diffère", french.join(", ")),
            format!("this patient is not that of the lot: {} differs", english.join(", ")),
        ),
        Text::fixed("écrivez le même patient partout", "write the same patient everywhere"),
    )
}

pub(super) fn cannot_compare() -> Issue {
    pdsm(
        IssueType::Conflict,
        "subject",
        ("rien ne prouve que ce patient est celui du lot", "nothing proves that this patient is that of the lot"),
        (
            "désignez-le partout de la même façon, ou donnez partout le même identifiant",
            "refer to them in the same way everywhere, or give the same identifier everywhere",
        ),
    )
}
