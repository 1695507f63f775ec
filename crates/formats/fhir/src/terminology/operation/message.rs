//! Every sentence that an operation says, in French and in English, each under the key that
//! terminology servers share (FHIR terminology ecosystem, `operationoutcome-message-id`). The English
//! words are those of the ecosystem: clients compare them.

use socle_finding::Lang;

use super::issue::Message;

/// A sentence of which one language is made.
macro_rules! say {
    ($lang:expr, $id:expr, $fr:literal, $en:literal) => {
        Message {
            id: $id,
            text: match $lang {
                Lang::Fr => format!($fr),
                Lang::En => format!($en),
            },
        }
    };
}

pub(super) fn not_in_value_set(lang: Lang, codes: &str, set: &str) -> Message {
    say!(
        lang,
        "None_of_the_provided_codes_are_in_the_value_set_one",
        "Le code {codes} n'est pas dans le jeu de valeurs '{set}'",
        "The provided code {codes} was not found in the value set '{set}'"
    )
}

pub(super) fn no_valid_coding(lang: Lang, set: &str) -> Message {
    say!(
        lang,
        "TX_GENERAL_CC_ERROR_MESSAGE",
        "Aucun des codes n'est dans le jeu de valeurs '{set}'",
        "No valid coding was found for the value set '{set}'"
    )
}

pub(super) fn unknown_code(lang: Lang, code: &str, system: &str, version: Option<&str>) -> Message {
    match version {
        Some(version) => say!(
            lang,
            "Unknown_Code_in_Version",
            "Code inconnu '{code}' dans le système de codes '{system}' version '{version}'",
            "Unknown code '{code}' in the CodeSystem '{system}' version '{version}'"
        ),
        None => say!(
            lang,
            "Unknown_Code_in",
            "Code inconnu '{code}' dans le système de codes '{system}'",
            "Unknown code '{code}' in the CodeSystem '{system}'"
        ),
    }
}

pub(super) fn unknown_in_fragment(lang: Lang, code: &str, system: &str, version: Option<&str>) -> Message {
    let version = version.unwrap_or_default();
    say!(
        lang,
        "UNKNOWN_CODE_IN_FRAGMENT",
        "Code inconnu '{code}' dans le système de codes '{system}' version '{version}' : le système n'est ici qu'un \
         fragment, le code existe peut-être dans un autre",
        "Unknown Code '{code}' in the CodeSystem '{system}' version '{version}' - note that the code system is labeled \
         as a fragment, so the code may be valid in some other fragment"
    )
}

pub(super) fn unknown_system(lang: Lang, system: &str) -> Message {
    say!(
        lang,
        "UNKNOWN_CODESYSTEM",
        "Le système de codes '{system}' est inconnu : le code ne peut pas être vérifié",
        "A definition for CodeSystem '{system}' could not be found, so the code cannot be validated"
    )
}

/// `known`: the versions that are known, already joined.
pub(super) fn unknown_version(lang: Lang, system: &str, version: &str, known: &str) -> Message {
    if known.is_empty() {
        return say!(
            lang,
            "UNKNOWN_CODESYSTEM_VERSION_NONE",
            "Le système de codes '{system}' version '{version}' est inconnu : le code ne peut pas être vérifié. Aucune \
             version n'en est connue",
            "A definition for CodeSystem '{system}' version '{version}' could not be found, so the code cannot be \
             validated. No versions of this code system are known"
        );
    }
    say!(
        lang,
        "UNKNOWN_CODESYSTEM_VERSION",
        "Le système de codes '{system}' version '{version}' est inconnu : le code ne peut pas être vérifié. Versions \
         connues : {known}",
        "A definition for CodeSystem '{system}' version '{version}' could not be found, so the code cannot be \
         validated. Valid versions: {known}"
    )
}

/// The same, for an expansion.
pub(super) fn unknown_system_expanding(lang: Lang, system: &str, version: Option<&str>, known: &str) -> Message {
    match version {
        None => say!(
            lang,
            "UNKNOWN_CODESYSTEM_EXP",
            "Le système de codes '{system}' est inconnu : le jeu de valeurs ne peut pas être développé",
            "A definition for CodeSystem '{system}' could not be found, so the value set cannot be expanded"
        ),
        Some(version) if known.is_empty() => say!(
            lang,
            "UNKNOWN_CODESYSTEM_VERSION_EXP_NONE",
            "Le système de codes '{system}' version '{version}' est inconnu : le jeu de valeurs ne peut pas être \
             développé. Aucune version n'en est connue",
            "A definition for CodeSystem '{system}' version '{version}' could not be found, so the value set cannot be \
             expanded. No versions of this code system are known"
        ),
        Some(version) => say!(
            lang,
            "UNKNOWN_CODESYSTEM_VERSION_EXP",
            "Le système de codes '{system}' version '{version}' est inconnu : le jeu de valeurs ne peut pas être \
             développé. Versions connues : {known}",
            "A definition for CodeSystem '{system}' version '{version}' could not be found, so the value set cannot be \
             expanded. Valid versions: {known}"
        ),
    }
}

pub(super) fn no_system(lang: Lang) -> Message {
    say!(
        lang,
        "Coding_has_no_system__cannot_validate",
        "Le code n'a pas de système. Un code sans système n'a pas de sens défini et ne peut pas être vérifié. Il faut \
         donner un système",
        "Coding has no system. A code with no system has no defined meaning, and it cannot be validated. A system \
         should be provided"
    )
}

pub(super) fn no_code(lang: Lang) -> Message {
    say!(
        lang,
        "",
        "Le Coding n'a pas de code : il ne peut pas être vérifié",
        "Coding has no code and cannot be validated"
    )
}

pub(super) fn relative_system(lang: Lang) -> Message {
    say!(
        lang,
        "Terminology_TX_System_Relative",
        "Coding.system doit être une référence absolue, pas locale",
        "Coding.system must be an absolute reference, not a local reference"
    )
}

pub(super) fn system_is_value_set(lang: Lang, system: &str) -> Message {
    say!(
        lang,
        "Terminology_TX_System_ValueSet2",
        "Coding.system désigne un jeu de valeurs, '{system}', et non un système de codes",
        "The Coding references a value set, not a code system ('{system}')"
    )
}

pub(super) fn system_is_supplement(lang: Lang, canonical: &str) -> Message {
    say!(
        lang,
        "CODESYSTEM_CS_NO_SUPPLEMENT",
        "Le système de codes {canonical} est un supplément : il ne peut pas servir de Coding.system",
        "CodeSystem {canonical} is a supplement, so can't be used as a value in Coding.system"
    )
}

pub(super) fn cannot_infer(lang: Lang, code: &str, set: &str) -> Message {
    say!(
        lang,
        "UNABLE_TO_INFER_CODESYSTEM",
        "Le système du code '{code}' n'a pas pu être déduit du jeu de valeurs '{set}'",
        "The System URI could not be determined for the code '{code}' in the ValueSet '{set}'"
    )
}

pub(super) fn many_systems(lang: Lang, code: &str, set: &str, systems: &str) -> Message {
    say!(
        lang,
        "Unable_to_resolve_system__value_set_has_multiple_matches",
        "Le système du code '{code}' n'a pas pu être déduit du jeu de valeurs '{set}' : plusieurs conviennent ({systems})",
        "The System URI could not be determined for the code '{code}' in the ValueSet '{set}': value set expansion has \
         multiple matches: [{systems}]"
    )
}

pub(super) fn version_mismatch(lang: Lang, system: &str, said: &str, given: &str) -> Message {
    say!(
        lang,
        "VALUESET_VALUE_MISMATCH",
        "Le système de codes '{system}' est pris en version '{said}' par le jeu de valeurs, et en version '{given}' par \
         le code",
        "The code system '{system}' version '{said}' in the ValueSet include is different to the one in the value \
         ('{given}')"
    )
}

pub(super) fn version_mismatch_default(lang: Lang, system: &str, used: &str, given: &str) -> Message {
    say!(
        lang,
        "VALUESET_VALUE_MISMATCH_DEFAULT",
        "Le système de codes '{system}' est pris sans version par le jeu de valeurs, donc en version '{used}', et en \
         version '{given}' par le code",
        "The code system '{system}' version '{used}' for the versionless include in the ValueSet include is different \
         to the one in the value ('{given}')"
    )
}

pub(super) fn version_mismatch_changed(lang: Lang, system: &str, used: &str, said: &str, given: &str) -> Message {
    say!(
        lang,
        "VALUESET_VALUE_MISMATCH_CHANGED",
        "Le système de codes '{system}' est pris en version '{used}' (le jeu de valeurs dit '{said}'), et en version \
         '{given}' par le code",
        "The code system '{system}' version '{used}' resulting from the version '{said}' in the ValueSet include is \
         different to the one in the value ('{given}')"
    )
}

pub(super) fn version_check(lang: Lang, system: &str, version: &str, wanted: &str) -> Message {
    say!(
        lang,
        "VALUESET_VERSION_CHECK",
        "La version '{version}' du système '{system}' n'est pas permise : un paramètre exige '{wanted}'",
        "The version '{version}' is not allowed for system '{system}': required to be '{wanted}' by a version-check \
         parameter"
    )
}

pub(super) fn abstract_code(lang: Lang, system: &str, code: &str) -> Message {
    say!(
        lang,
        "ABSTRACT_CODE_NOT_ALLOWED",
        "Le code '{system}#{code}' est abstrait et n'est pas permis ici",
        "Code '{system}#{code}' is abstract, and not allowed in this context"
    )
}

pub(super) fn not_active(lang: Lang, code: &str) -> Message {
    say!(
        lang,
        "STATUS_CODE_WARNING_CODE",
        "Le concept '{code}' est valable mais n'est pas actif",
        "The concept '{code}' is valid but is not active"
    )
}

/// `status`: what the concept says of itself, when it is more than "inactive".
pub(super) fn inactive(lang: Lang, code: &str, status: Option<&str>) -> Message {
    let id = "INACTIVE_CONCEPT_FOUND";
    match status {
        None | Some("inactive") => say!(
            lang,
            id,
            "Le concept '{code}' a le statut inactif : son emploi est à revoir",
            "The concept '{code}' has a status of inactive and its use should be reviewed"
        ),
        Some(status) => say!(
            lang,
            id,
            "Le concept '{code}' a le statut {status} et est inactif : son emploi est à revoir",
            "The concept '{code}' has a status of {status} and inactive and its use should be reviewed"
        ),
    }
}

pub(super) fn deprecated(lang: Lang, code: &str) -> Message {
    say!(
        lang,
        "DEPRECATED_CONCEPT_FOUND",
        "Le concept '{code}' est déprécié : son emploi est à revoir",
        "The concept '{code}' is deprecated and its use should be reviewed"
    )
}

pub(super) fn deprecated_in_set(lang: Lang, system: &str, code: &str, status: &str, set: &str) -> Message {
    say!(
        lang,
        "CONCEPT_DEPRECATED_IN_VALUESET",
        "La présence du concept '{code}' du système '{system}' dans le jeu de valeurs {set} porte le statut {status} : \
         son emploi est à revoir",
        "The presence of the concept '{code}' in the system '{system}' in the value set {set} is marked with a status \
         of {status} and its use should be reviewed"
    )
}

pub(super) fn case_difference(lang: Lang, code: &str, right: &str, system: &str) -> Message {
    say!(
        lang,
        "CODE_CASE_DIFFERENCE",
        "Le code '{code}' diffère du code exact '{right}' par la casse. Le système de codes '{system}' ne distingue pas \
         la casse, mais il vaut mieux écrire le code exact",
        "The code '{code}' differs from the correct code '{right}' by case. Although the code system '{system}' is case \
         insensitive, implementers are strongly encouraged to use the correct case anyway"
    )
}

/// The word for each status of a resource that is worth a remark.
pub(super) fn status(lang: Lang, id: &'static str, kind: &str, canonical: &str) -> Message {
    let (fr, en) = match id {
        "MSG_DEPRECATED" => ("déprécié", "deprecated"),
        "MSG_WITHDRAWN" => ("retiré", "withdrawn"),
        "MSG_RETIRED" => ("retiré", "retired"),
        "MSG_EXPERIMENTAL" => ("expérimental", "experimental"),
        _ => ("à l'état de projet", "draft"),
    };
    say!(lang, id, "Référence à un {kind} {fr} : {canonical}", "Reference to {en} {kind} {canonical}")
}

/// How many displays would be right, and which.
pub(super) struct Displays<'a> {
    pub(super) given: &'a str,
    pub(super) system: &'a str,
    pub(super) code: &'a str,
    pub(super) count: usize,
    pub(super) right: &'a str,
    pub(super) languages: &'a str,
}

pub(super) fn wrong_display(lang: Lang, only_spaces: bool, of: &Displays<'_>) -> Message {
    let Displays { given, system, code, count, right, languages } = of;
    let id = if only_spaces {
        "Display_Name_WS_for__should_be_one_of__instead_of"
    } else {
        "Display_Name_for__should_be_one_of__instead_of"
    };
    let (fr, en) = if only_spaces {
        ("Espaces erronés dans le libellé", "Wrong whitespace in Display Name")
    } else {
        ("Libellé erroné", "Wrong Display Name")
    };
    if *count == 1 {
        return say!(
            lang,
            id,
            "{fr} '{given}' pour {system}#{code}. Le libellé valable est {right} (langue : '{languages}')",
            "{en} '{given}' for {system}#{code}. Valid display is {right} (for the language(s) '{languages}')"
        );
    }
    say!(
        lang,
        id,
        "{fr} '{given}' pour {system}#{code}. Les {count} libellés valables sont {right} (langue : '{languages}')",
        "{en} '{given}' for {system}#{code}. Valid display is one of {count} choices: {right} (for the language(s) \
         '{languages}')"
    )
}

pub(super) fn no_display(lang: Lang, given: &str, system: &str, code: &str) -> Message {
    say!(
        lang,
        "NO_VALID_DISPLAY_AT_ALL",
        "Le libellé '{given}' de {system}#{code} ne peut pas être vérifié : le concept n'a pas de libellé",
        "Cannot validate display '{given}' for {system}#{code}: No valid display names found"
    )
}

/// No name in the languages asked for: the default one is right, or not even that.
pub(super) fn display_in_other_language(lang: Lang, is_right: bool, of: &Displays<'_>) -> Message {
    let Displays { given, system, code, right, languages, .. } = of;
    if is_right {
        return say!(
            lang,
            "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK",
            "Le code {system}#{code} n'a pas de libellé dans la langue '{languages}'. '{given}' est un libellé valable \
             dans la langue par défaut",
            "There are no valid display names found for the code {system}#{code} for language(s) '{languages}'. The \
             display is '{given}' which is a valid display for the default language"
        );
    }
    say!(
        lang,
        "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR",
        "Libellé erroné '{given}' pour {system}#{code}. Il n'y a pas de libellé dans la langue '{languages}'. Le libellé \
         par défaut est '{right}'",
        "Wrong Display Name '{given}' for {system}#{code}. There are no valid display names found for language(s) \
         '{languages}'. Default display is '{right}'"
    )
}

pub(super) fn inactive_display(lang: Lang, given: &str, code: &str, right: &str, status: &str) -> Message {
    say!(
        lang,
        "INACTIVE_DISPLAY_FOUND",
        "'{given}' n'est plus un libellé correct du code '{code}' (statut = {status}). Le libellé correct est \"{right}\".",
        "'{given}' is no longer considered a correct display for code '{code}' (status = {status}). The correct display \
         is one of \"{right}\"."
    )
}

pub(super) fn unknown_value_set(lang: Lang, canonical: &str) -> Message {
    say!(
        lang,
        "Unable_to_resolve_value_Set_",
        "Le jeu de valeurs '{canonical}' est inconnu",
        "A definition for the value Set '{canonical}' could not be found"
    )
}

pub(super) fn unknown_import(lang: Lang, url: &str, version: Option<&str>) -> Message {
    match version {
        None => say!(
            lang,
            "VS_EXP_IMPORT_UNK",
            "Le jeu de valeurs inclus '{url}' est inconnu",
            "Unable to find included value set '{url}'"
        ),
        Some(version) => say!(
            lang,
            "VS_EXP_IMPORT_UNK_PINNED",
            "Le jeu de valeurs inclus '{url}' version '{version}' est inconnu",
            "Unable to find included value set '{url}' version '{version}'"
        ),
    }
}

pub(super) fn circle(lang: Lang, at: &str, way: &str) -> Message {
    say!(
        lang,
        "VALUESET_CIRCULAR_REFERENCE",
        "Des jeux de valeurs s'incluent en cercle, jusqu'à {at} : [{way}]",
        "Found a circularity pointing to {at} processing ValueSet with pathway [{way}]"
    )
}

pub(super) fn too_costly(lang: Lang, set: &str, most: usize) -> Message {
    say!(
        lang,
        "VALUESET_TOO_COSTLY",
        "Le développement du jeu de valeurs '{set}' donne trop de codes (>{most})",
        "The value set '{set}' expansion has too many codes to produce (>{most})"
    )
}

pub(super) fn too_many_imports(lang: Lang, set: &str) -> Message {
    say!(
        lang,
        "",
        "Le jeu de valeurs '{set}' en inclut trop d'autres, directement ou non",
        "The value set '{set}' includes too many others, directly or not"
    )
}

pub(super) fn not_enumerable(lang: Lang, system: &str) -> Message {
    say!(
        lang,
        "CODESYSTEM_NOT_ENUMERABLE",
        "Les codes du système '{system}' ne peuvent pas être énumérés : il a une grammaire",
        "The code system '{system}' has a grammar and its codes cannot be enumerated"
    )
}

pub(super) fn missing_supplement(lang: Lang, canonicals: &str) -> Message {
    say!(
        lang,
        "VALUESET_SUPPLEMENT_MISSING",
        "Supplément requis introuvable : {canonicals}",
        "Required supplement not found: {canonicals}"
    )
}

pub(super) fn filter_without_value(lang: Lang, system: &str, property: &str, op: &str) -> Message {
    say!(
        lang,
        "UNABLE_TO_HANDLE_SYSTEM_FILTER_WITH_NO_VALUE",
        "Le filtre du système '{system}' sur la propriété '{property}', opérateur '{op}', n'a pas de valeur",
        "The system {system} filter with property = {property}, op = {op} has no value"
    )
}

pub(super) fn filter_not_understood(lang: Lang, filter: [&str; 3], set: &str, system: &str) -> Message {
    let [property, op, value] = filter;
    say!(
        lang,
        "FILTER_NOT_UNDERSTOOD",
        "Le filtre '{property} {op} {value}' du jeu de valeurs '{set}' ne s'applique pas au système '{system}'",
        "The filter '{property} {op} {value}' from the value set {set} was not understood in the context of {system}"
    )
}

pub(super) fn no_value_to_check(lang: Lang) -> Message {
    say!(
        lang,
        "",
        "Rien à vérifier : donnez coding, codeableConcept, code et system, ou code et inferSystem",
        "Unable to find code to validate (looked for coding | codeableConcept | code+system | code+inferSystem in \
         parameters"
    )
}

/// A parameter that the operation needs is absent.
pub(super) fn missing_parameter(lang: Lang, names: &str) -> Message {
    say!(lang, "", "Paramètre manquant : {names}", "Missing parameter: {names}")
}

pub(super) fn not_found(lang: Lang, what: &str) -> Message {
    say!(lang, "", "{what} est introuvable", "{what} could not be found")
}

pub(super) fn unreadable(lang: Lang, why: &str) -> Message {
    say!(lang, "", "Ressource illisible : {why}", "Unreadable resource: {why}")
}

pub(super) fn no_translation(lang: Lang) -> Message {
    say!(lang, "", "Aucune correspondance trouvée", "No translations found")
}
