//! The commonest invariants of R4 in words, in both languages: what is wrong, how to mend it.
//!
//! The tables in the binary hold the keys and the FHIRPath of R4, not its prose; a reader of a report is not asked
//! to read FHIRPath for what everybody meets. A rule that is not here is told by its key and its expression.

use socle_finding::Text;

/// Key, what is wrong (French, English), how to mend it (French, English).
type Words = (&'static str, [&'static str; 4]);

const WORDS: &[Words] = &[
    (
        "att-1",
        [
            "une pièce qui a des données n'a pas de contentType",
            "an attachment with data has no contentType",
            "donnez contentType, par exemple application/pdf",
            "give contentType, such as application/pdf",
        ],
    ),
    (
        "bdl-7",
        [
            "deux entrées du Bundle ont le même fullUrl",
            "two entries of the Bundle have the same fullUrl",
            "gardez un seul fullUrl par ressource, ou distinguez les versions par meta.versionId",
            "keep one fullUrl for each resource, or tell versions by meta.versionId",
        ],
    ),
    (
        "bdl-8",
        [
            "fullUrl ne peut pas désigner une version",
            "fullUrl cannot name a version",
            "retirez /_history/… de fullUrl",
            "remove /_history/… from fullUrl",
        ],
    ),
    (
        "bdl-9",
        [
            "un Bundle document n'a pas d'identifier avec système et valeur",
            "a document Bundle has no identifier with system and value",
            "donnez identifier.system et identifier.value",
            "give identifier.system and identifier.value",
        ],
    ),
    (
        "bdl-10",
        ["un Bundle document n'a pas de date", "a document Bundle has no date", "donnez timestamp", "give timestamp"],
    ),
    (
        "bdl-11",
        [
            "la première ressource d'un Bundle document n'est pas une Composition",
            "the first resource of a document Bundle is no Composition",
            "mettez la Composition en première entrée",
            "put the Composition in the first entry",
        ],
    ),
    (
        "bdl-12",
        [
            "la première ressource d'un Bundle message n'est pas un MessageHeader",
            "the first resource of a message Bundle is no MessageHeader",
            "mettez le MessageHeader en première entrée",
            "put the MessageHeader in the first entry",
        ],
    ),
    (
        "cpt-2",
        [
            "un moyen de contact a une valeur sans system",
            "a contact point has a value without system",
            "donnez system : phone, fax, email, pager, url, sms ou other",
            "give system: phone, fax, email, pager, url, sms or other",
        ],
    ),
    (
        "dom-2",
        [
            "une ressource contenue en contient une autre",
            "a contained resource contains another",
            "mettez toutes les ressources dans contained de la ressource principale",
            "put all of them in contained of the main resource",
        ],
    ),
    (
        "dom-3",
        [
            "rien ne renvoie à une ressource contenue",
            "nothing refers to a contained resource",
            "renvoyez-y par « #id » dans une référence, ou retirez-la de contained",
            "refer to it by \"#id\" in a reference, or remove it from contained",
        ],
    ),
    (
        "dom-4",
        [
            "une ressource contenue a une version ou une date de mise à jour",
            "a contained resource has a version or an update time",
            "retirez meta.versionId et meta.lastUpdated des ressources contenues",
            "remove meta.versionId and meta.lastUpdated from contained resources",
        ],
    ),
    (
        "dom-5",
        [
            "une ressource contenue a une étiquette de sécurité",
            "a contained resource has a security label",
            "mettez meta.security sur la ressource principale",
            "put meta.security on the main resource",
        ],
    ),
    (
        "dom-6",
        [
            "la ressource n'a pas de texte lisible (bonne pratique)",
            "the resource has no narrative (good practice)",
            "donnez text.status et text.div, ou passez --best-practice ignore",
            "give text.status and text.div, or pass --best-practice ignore",
        ],
    ),
    (
        "ext-1",
        [
            "une extension a une valeur ou des extensions, jamais les deux ni aucune",
            "an extension has a value or extensions, never both nor neither",
            "gardez value[x] ou extension",
            "keep value[x] or extension",
        ],
    ),
    (
        "obs-6",
        [
            "une observation qui a une valeur dit aussi pourquoi elle n'en a pas",
            "an observation with a value also says why it has none",
            "retirez dataAbsentReason, ou la valeur",
            "remove dataAbsentReason, or the value",
        ],
    ),
    (
        "obs-7",
        [
            "une composante du même code que l'observation, qui a elle-même une valeur",
            "a component has the code of the observation, which has a value itself",
            "mettez la valeur dans l'observation ou dans la composante, pas dans les deux",
            "put the value in the observation or in the component, not in both",
        ],
    ),
    (
        "pat-1",
        [
            "un contact du patient n'a ni nom, ni téléphone, ni adresse, ni organisation",
            "a contact of the patient has neither name, telecom, address nor organization",
            "donnez contact.name, telecom, address ou organization",
            "give contact.name, telecom, address or organization",
        ],
    ),
    (
        "per-1",
        [
            "la fin de la période précède son début",
            "the period ends before it starts",
            "corrigez start ou end",
            "mend start or end",
        ],
    ),
    (
        "qty-3",
        [
            "une unité codée n'a pas de système",
            "a coded unit has no system",
            "donnez system, http://unitsofmeasure.org pour UCUM",
            "give system, http://unitsofmeasure.org for UCUM",
        ],
    ),
    (
        "ref-1",
        [
            "une référence locale « #id » ne mène à aucune ressource contenue",
            "a local reference \"#id\" leads to no contained resource",
            "ajoutez dans contained la ressource de cet id, ou corrigez la référence",
            "add the resource of this id to contained, or mend the reference",
        ],
    ),
    (
        "rng-2",
        [
            "la borne basse dépasse la borne haute",
            "the low bound is above the high bound",
            "corrigez low ou high",
            "mend low or high",
        ],
    ),
];

/// The words of a rule of R4; none for a rule of a profile that took the same key for something else.
pub(super) fn of(key: &str, expression: &str) -> Option<(Text, Text)> {
    let [fr, en, mend_fr, mend_en] = WORDS.iter().find(|(known, _)| *known == key)?.1;
    is_of_r4(key, expression).then(|| (Text::fixed(fr, en), Text::fixed(mend_fr, mend_en)))
}

/// Some type of R4 has this rule with this expression.
fn is_of_r4(key: &str, expression: &str) -> bool {
    let prefix = key.split('-').next().unwrap_or_default();
    let of = match prefix {
        "att" => "Attachment",
        "bdl" => "Bundle",
        "cpt" => "ContactPoint",
        "dom" => "DomainResource",
        "ext" => "Extension",
        "obs" => "Observation",
        "pat" => "Patient",
        "per" => "Period",
        "qty" => "Quantity",
        "ref" => "Reference",
        "rng" => "Range",
        _ => return false,
    };
    let canonical = format!("{}{of}", super::library::CORE);
    crate::definitions::r4().structure(&canonical).is_some_and(|structure| {
        let mut constraints = structure.elements.iter().flat_map(|element| &element.constraints);
        constraints.any(|rule| &*rule.key == key && rule.expression.as_deref() == Some(expression))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::r4;

    #[test]
    fn each_rule_in_words_is_one_of_r4() {
        let rules: Vec<(String, String)> = r4()
            .structures()
            .filter_map(|named| r4().structure(named.url))
            .flat_map(|structure| {
                let constraints = structure.elements.iter().flat_map(|element| element.constraints.clone());
                constraints.collect::<Vec<_>>()
            })
            .filter_map(|rule| Some((rule.key.to_string(), rule.expression?.to_string())))
            .collect();
        for (key, _) in WORDS {
            let known = rules.iter().any(|(of, expression)| of == key && of_words(key, expression));
            assert!(known, "{key} is no rule of R4");
        }
        assert!(of("dom-6", "text.`div`.exists() and language.exists()").is_none());
        assert!(of("zzz-1", "true").is_none());
    }

    fn of_words(key: &str, expression: &str) -> bool {
        of(key, expression).is_some()
    }
}
