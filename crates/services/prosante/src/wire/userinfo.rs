use serde_json::{Value, json};

use crate::model::{Persona, Place, Practice, SECTOR_OID, SUBJECT_ROLE_OID};

/// The user federation in `sub`; ours.
const FEDERATION: &str = "50c1e000-0000-4000-8000-00000000f00d";

/// `sub` of a persona.
pub(crate) fn sub(persona: &Persona) -> String {
    format!("f:{FEDERATION}:{}", persona.national_id)
}

/// `otherIds` of a persona: after an enrolment in PSI the RPPS is the reference.
pub(crate) fn other_ids(persona: &Persona) -> Value {
    match persona.rpps {
        Some(rpps) => json!([
            { "identifiant": rpps, "origine": "RPPS", "qualite": 1 },
            { "identifiant": persona.national_id, "origine": persona.origin, "qualite": 2 },
        ]),
        None => json!([{ "identifiant": persona.national_id, "origine": persona.origin, "qualite": 1 }]),
    }
}

/// UserInfo of a persona, with every claim of the published samples; absent values are `""`.
#[must_use]
pub fn user_info(persona: &Persona) -> Value {
    let first = persona.practices.iter().flat_map(|practice| practice.places).next();
    let roles: Vec<String> = persona
        .practices
        .iter()
        .filter(|practice| !practice.profession.is_empty())
        .map(|practice| format!("{}^{SUBJECT_ROLE_OID}", practice.profession))
        .collect();
    json!({
        "sub": sub(persona),
        "preferred_username": persona.national_id,
        "SubjectNameID": persona.national_id,
        "given_name": persona.given_name,
        "family_name": persona.family_name,
        "email_verified": false,
        "SubjectOrganization": first.map_or("", |place| place.name),
        "SubjectOrganizationID": first.map_or("", |place| place.technical_id),
        "SubjectRole": roles,
        "Secteur_Activite": first.map_or_else(String::new, |place| format!("{}^{SECTOR_OID}", place.sector)),
        "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "UITVersion": "1.0",
        "Acces_Regulation_Medicale": "FAUX",
        "Mode_Acces_Raison": "",
        "otherIds": other_ids(persona),
        "SubjectRefPro": {
            "codeCivilite": persona.civility,
            "exercices": persona.practices.iter().map(|practice| exercise(persona, practice)).collect::<Vec<_>>(),
        },
    })
}

fn exercise(persona: &Persona, practice: &Practice) -> Value {
    json!({
        "codeProfession": practice.profession,
        "codeCategorieProfessionnelle": practice.category,
        "codeCiviliteDexercice": practice.civility,
        "nomDexercice": persona.family_name,
        "prenomDexercice": persona.given_name,
        "codeTypeSavoirFaire": if practice.skill.is_empty() { "" } else { "S" },
        "codeSavoirFaire": practice.skill,
        "activities": practice.places.iter().map(activity).collect::<Vec<_>>(),
    })
}

fn activity(place: &Place) -> Value {
    json!({
        "codeModeExercice": place.mode,
        "codeSecteurDactivite": place.sector,
        "codeSectionPharmacien": "",
        "codeRole": "",
        "codeGenreActivite": "GENR01",
        "numeroSiretSite": "",
        "numeroSirenSite": "",
        "numeroFinessSite": place.finess,
        "numeroFinessetablissementJuridique": place.finess_legal,
        "identifiantTechniqueDeLaStructure": place.technical_id,
        "raisonSocialeSite": place.name,
        "enseigneCommercialeSite": "",
        "complementDestinataire": "",
        "complementPointGeographique": "",
        "numeroVoie": "",
        "indiceRepetitionVoie": "",
        "codeTypeDeVoie": "",
        "libelleVoie": "",
        "mentionDistribution": "",
        "bureauCedex": "",
        "codePostal": "",
        "codeCommune": "",
        "codePays": "",
        "telephone": "",
        "telephone2": "",
        "telecopie": "",
        "adresseEMail": "",
        "codeDepartement": "",
        "ancienIdentifiantDeLaStructure": place.former_id,
        "autoriteDenregistrement": "",
    })
}
