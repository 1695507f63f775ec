//! SNOMED CT in Release Format 2, snapshot files (SNOMED CT Release File Specifications, §4).

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use super::ImportError;
use super::table::{Rows, field};
use crate::terminology::code_system::{CodeSystem, CodeSystemBuilder};
use crate::terminology::model::{Coding, Concept, Content, Designation, Property, PropertyDefinition, PropertyValue};

/// The canonical of SNOMED CT.
pub const SYSTEM: &str = "http://snomed.info/sct";

const IS_A: &str = "116680003";
const FULLY_SPECIFIED_NAME: &str = "900000000000003001";
const SYNONYM: &str = "900000000000013009";
const PREFERRED: &str = "900000000000548007";
const SUFFICIENTLY_DEFINED: &str = "900000000000073002";

/// The files of one edition.
pub struct Files<C, D, R, L> {
    /// `sct2_Concept_Snapshot_…txt`.
    pub concepts: C,
    /// `sct2_Description_Snapshot-…txt`; several languages may be chained.
    pub descriptions: D,
    /// `sct2_Relationship_Snapshot_…txt` (the inferred ones).
    pub relationships: R,
    /// `der2_cRefset_LanguageSnapshot-…txt`: which description is preferred.
    pub languages: L,
    /// The edition: `http://snomed.info/sct/[module]/version/[yyyymmdd]`.
    pub version: String,
    /// The language of the displays.
    pub language: String,
}

struct Description {
    concept: u32,
    language: Box<str>,
    is_full_name: bool,
    is_preferred: bool,
    term: Box<str>,
}

/// Reads an edition: concepts, active descriptions, active is-a relationships.
///
/// The display is the preferred synonym in the language asked for, else the first synonym, else the
/// fully specified name. Properties are those of the FHIR page on SNOMED CT: `inactive`, `moduleId`,
/// `effectiveTime`, `sufficientlyDefined`.
///
/// # Errors
/// When a file is not the one that is expected, or holds no concept.
pub fn read<C: BufRead, D: BufRead, R: BufRead, L: BufRead>(
    files: Files<C, D, R, L>,
) -> Result<CodeSystem, ImportError> {
    let mut builder = CodeSystemBuilder::new(SYSTEM, Content::Complete);
    builder.version(&files.version).language(&files.language);
    for (code, kind) in
        [("inactive", "boolean"), ("moduleId", "code"), ("effectiveTime", "string"), ("sufficientlyDefined", "boolean")]
    {
        let uri = if code == "inactive" {
            "http://hl7.org/fhir/concept-properties#inactive".to_owned()
        } else {
            format!("http://snomed.info/field/{code}")
        };
        builder.property(PropertyDefinition { code: code.into(), uri: Some(uri.into()), kind: kind.into() });
    }
    let ids = concepts(files.concepts, &mut builder)?;
    let preferred = preferred(files.languages)?;
    let descriptions = descriptions(files.descriptions, &ids, &preferred)?;
    name(&mut builder, descriptions, &files.language);
    relationships(files.relationships, &ids, &mut builder)?;
    if ids.is_empty() { Err(ImportError::Empty) } else { Ok(builder.finish()) }
}

fn rows<R: BufRead>(reader: R) -> Result<Rows<R>, ImportError> {
    // RF2 has no quotes: a double quote is a letter of the term.
    Rows::new(reader, '\t', false)
}

fn concepts(reader: impl BufRead, builder: &mut CodeSystemBuilder) -> Result<HashMap<u64, u32>, ImportError> {
    let mut rows = rows(reader)?;
    let (id, active) = (rows.column("id")?, rows.column("active")?);
    let (time, module) = (rows.column("effectiveTime")?, rows.column("moduleId")?);
    let definition = rows.column("definitionStatusId")?;
    let mut ids = HashMap::new();
    while let Some(row) = rows.next()? {
        let number = sctid(field(&row, id), rows.line())?;
        let text =
            |code: &str, at: usize| Property { code: code.into(), value: PropertyValue::Text(field(&row, at).into()) };
        let flag = |code: &str, value: bool| Property { code: code.into(), value: PropertyValue::Boolean(value) };
        let properties = vec![
            flag("inactive", field(&row, active) != "1"),
            text("moduleId", module),
            text("effectiveTime", time),
            flag("sufficientlyDefined", field(&row, definition) == SUFFICIENTLY_DEFINED),
        ];
        let at = builder.add(Concept { code: field(&row, id).into(), properties, ..Concept::default() }, None);
        ids.insert(number, at);
    }
    Ok(ids)
}

/// The descriptions that are preferred in some language.
fn preferred(reader: impl BufRead) -> Result<HashSet<u64>, ImportError> {
    let mut rows = rows(reader)?;
    let (active, component) = (rows.column("active")?, rows.column("referencedComponentId")?);
    let acceptability = rows.column("acceptabilityId")?;
    let mut found = HashSet::new();
    while let Some(row) = rows.next()? {
        if field(&row, active) == "1" && field(&row, acceptability) == PREFERRED {
            found.insert(sctid(field(&row, component), rows.line())?);
        }
    }
    Ok(found)
}

fn descriptions(
    reader: impl BufRead,
    ids: &HashMap<u64, u32>,
    preferred: &HashSet<u64>,
) -> Result<Vec<Description>, ImportError> {
    let mut rows = rows(reader)?;
    let (id, active, concept) = (rows.column("id")?, rows.column("active")?, rows.column("conceptId")?);
    let (language, kind, term) = (rows.column("languageCode")?, rows.column("typeId")?, rows.column("term")?);
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let is_name = matches!(field(&row, kind), FULLY_SPECIFIED_NAME | SYNONYM);
        // The header of a second, chained file has no number here.
        if field(&row, active) != "1" || !is_name {
            continue;
        }
        let Some(at) = ids.get(&sctid(field(&row, concept), rows.line())?) else { continue };
        found.push(Description {
            concept: *at,
            language: field(&row, language).into(),
            is_full_name: field(&row, kind) == FULLY_SPECIFIED_NAME,
            is_preferred: preferred.contains(&sctid(field(&row, id), rows.line())?),
            term: field(&row, term).into(),
        });
    }
    Ok(found)
}

fn name(builder: &mut CodeSystemBuilder, mut descriptions: Vec<Description>, language: &str) {
    // The best display of each concept comes first.
    descriptions.sort_by_key(|one| (one.concept, &*one.language != language, one.is_full_name, !one.is_preferred));
    for one in descriptions {
        let Some(concept) = builder.concept_mut(one.concept) else { continue };
        let code = if one.is_full_name {
            FULLY_SPECIFIED_NAME
        } else if one.is_preferred {
            PREFERRED
        } else {
            SYNONYM
        };
        if concept.display.is_none() {
            concept.display = Some(one.term.clone());
            if !one.is_full_name && &*one.language == language {
                continue;
            }
        }
        concept.designations.push(Designation {
            language: Some(one.language),
            usage: Some(Coding { system: Some(SYSTEM.into()), code: Some(code.into()), ..Coding::default() }),
            value: one.term,
            status: None,
            source: None,
            extensions: Vec::new(),
        });
    }
}

fn relationships(
    reader: impl BufRead,
    ids: &HashMap<u64, u32>,
    builder: &mut CodeSystemBuilder,
) -> Result<(), ImportError> {
    let mut rows = rows(reader)?;
    let (active, kind) = (rows.column("active")?, rows.column("typeId")?);
    let (source, target) = (rows.column("sourceId")?, rows.column("destinationId")?);
    while let Some(row) = rows.next()? {
        if field(&row, active) != "1" || field(&row, kind) != IS_A {
            continue;
        }
        let below = ids.get(&sctid(field(&row, source), rows.line())?);
        let above = ids.get(&sctid(field(&row, target), rows.line())?);
        if let (Some(above), Some(below)) = (above, below) {
            builder.edge(*above, *below);
        }
    }
    Ok(())
}

fn sctid(text: &str, line: usize) -> Result<u64, ImportError> {
    text.parse().map_err(|_| ImportError::Line { line, what: "an identifier is not a number" })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Invented concepts in the published column layout: not content of SNOMED CT.
    const CONCEPTS: &str = "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\n\
        101\t20260101\t1\t900\t900000000000074008\n\
        102\t20260101\t1\t900\t900000000000073002\n\
        103\t20260101\t0\t900\t900000000000074008\n";
    const DESCRIPTIONS: &str = "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId\n\
        201\t20260101\t1\t900\t101\ten\t900000000000003001\tThing (invented)\t1\n\
        202\t20260101\t1\t900\t101\ten\t900000000000013009\tThing\t1\n\
        203\t20260101\t1\t900\t102\ten\t900000000000013009\tOther \"name\"\t1\n\
        204\t20260101\t1\t900\t102\ten\t900000000000013009\tPart\t1\n\
        205\t20260101\t1\t900\t102\tfr\t900000000000013009\tPartie\t1\n\
        206\t20260101\t0\t900\t102\tfr\t900000000000013009\tRetirée\t1\n";
    const RELATIONSHIPS: &str = "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\tcharacteristicTypeId\tmodifierId\n\
        301\t20260101\t1\t900\t102\t101\t0\t116680003\t1\t1\n\
        302\t20260101\t0\t900\t101\t102\t0\t116680003\t1\t1\n\
        303\t20260101\t1\t900\t101\t102\t0\t363698007\t1\t1\n";
    const LANGUAGES: &str = "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tacceptabilityId\n\
        a\t20260101\t1\t900\t901\t204\t900000000000548007\n\
        b\t20260101\t1\t900\t901\t203\t900000000000549004\n";

    fn files<'a>(concepts: &'a str, language: &str) -> Files<&'a [u8], &'a [u8], &'a [u8], &'a [u8]> {
        Files {
            concepts: concepts.as_bytes(),
            descriptions: DESCRIPTIONS.as_bytes(),
            relationships: RELATIONSHIPS.as_bytes(),
            languages: LANGUAGES.as_bytes(),
            version: "http://snomed.info/sct/900/version/20260101".into(),
            language: language.into(),
        }
    }

    #[test]
    fn an_edition_is_read() {
        let system = read(files(CONCEPTS, "en")).unwrap();
        let [thing, part, gone] = ["101", "102", "103"].map(|code| system.find(code).unwrap());
        assert!(system.hierarchy().subsumes(thing, part) && !system.hierarchy().subsumes(part, thing));
        assert!(system.is_inactive(gone) && !system.is_inactive(part));
        let display = |id| system.concept(id).unwrap().display.as_deref();
        assert_eq!((display(thing), display(part), display(gone)), (Some("Thing"), Some("Part"), None));
        assert_eq!(system.is_named(part, "other \"name\""), Some(true));
        assert_eq!(system.is_named(part, "Partie"), Some(true));
        assert_eq!(system.is_named(part, "Retirée"), Some(false));
        assert_eq!(system.is_named(thing, "Thing (invented)"), Some(true));
        let values: Vec<_> = system.values_of(part, "sufficientlyDefined").collect();
        assert_eq!(values, [&PropertyValue::Boolean(true)]);
        let french = read(files(CONCEPTS, "fr")).unwrap();
        assert_eq!(french.concept(part).unwrap().display.as_deref(), Some("Partie"));
    }

    #[test]
    fn another_file_is_refused() {
        let error = read(files(RELATIONSHIPS, "en")).unwrap_err();
        assert!(error.to_string().contains("no column definitionStatusId"), "{error}");
        let broken = CONCEPTS.replace("101", "x");
        assert!(read(files(&broken, "en")).unwrap_err().to_string().contains("line 2"));
    }
}
