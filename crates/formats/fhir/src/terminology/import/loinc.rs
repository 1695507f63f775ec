//! LOINC from the files of its release: `LoincTable/Loinc.csv`, a linguistic variant such as
//! `LinguisticVariants/frFR18LinguisticVariant.csv`, and the component hierarchy.

use std::collections::HashMap;
use std::io::BufRead;

use super::ImportError;
use super::table::{Rows, field};
use crate::terminology::code_system::{CodeSystem, CodeSystemBuilder};
use crate::terminology::model::{Concept, Content, Designation, Property, PropertyDefinition, PropertyValue};

/// The canonical of LOINC.
pub const SYSTEM: &str = "http://loinc.org";

/// The columns that FHIR names as properties of LOINC (FHIR R4, "Using LOINC with FHIR").
const PROPERTIES: [&str; 13] = [
    "STATUS",
    "COMPONENT",
    "PROPERTY",
    "TIME_ASPCT",
    "SYSTEM",
    "SCALE_TYP",
    "METHOD_TYP",
    "CLASS",
    "VersionLastChanged",
    "CLASSTYPE",
    "ORDER_OBS",
    "EXAMPLE_UCUM_UNITS",
    "EXTERNAL_COPYRIGHT_NOTICE",
];

/// A release of LOINC as it is read, file by file.
pub struct Release {
    builder: CodeSystemBuilder,
    ids: HashMap<Box<str>, u32>,
}

impl Release {
    /// Reads `Loinc.csv`. Columns of properties that this release does not have are left out.
    ///
    /// # Errors
    /// When the file is not the one that is expected.
    pub fn read(table: impl BufRead, version: &str) -> Result<Self, ImportError> {
        let mut rows = Rows::new(table, ',', true)?;
        let (code, name) = (rows.column("LOINC_NUM")?, rows.column("LONG_COMMON_NAME")?);
        let status = rows.column("STATUS")?;
        let short = rows.column("SHORTNAME").ok();
        let columns: Vec<_> = PROPERTIES.iter().filter_map(|name| Some((*name, rows.column(name).ok()?))).collect();
        let mut builder = CodeSystemBuilder::new(SYSTEM, Content::Complete);
        builder.version(version).language("en").case_sensitive(false);
        for (name, _) in &columns {
            let uri = Some(format!("{SYSTEM}/property/{name}").into());
            builder.property(PropertyDefinition { code: (*name).into(), uri, kind: "string".into() });
        }
        let mut release = Self { builder, ids: HashMap::new() };
        while let Some(row) = rows.next()? {
            let own: Box<str> = field(&row, code).into();
            if own.is_empty() {
                return Err(ImportError::Line { line: rows.line(), what: "LOINC_NUM is empty" });
            }
            let value = |(name, at): &(&str, usize)| {
                let text = field(&row, *at);
                (!text.is_empty()).then(|| Property { code: (*name).into(), value: PropertyValue::Text(text.into()) })
            };
            let mut properties: Vec<_> = columns.iter().filter_map(value).collect();
            // DEPRECATED is the one status of a term that must not be used any more.
            if field(&row, status) == "DEPRECATED" {
                properties.push(Property { code: "inactive".into(), value: PropertyValue::Boolean(true) });
            }
            let short = short.map(|at| field(&row, at)).filter(|text| !text.is_empty());
            let concept = Concept {
                code: own.clone(),
                display: Some(field(&row, name).into()),
                designations: short.map(|text| designation("en", text)).into_iter().collect(),
                properties,
                ..Concept::default()
            };
            let id = release.builder.add(concept, None);
            release.ids.insert(own, id);
        }
        if release.ids.is_empty() { Err(ImportError::Empty) } else { Ok(release) }
    }

    /// Adds the names of a linguistic variant: its display name when it has one, else its long common
    /// name, else the parts of its name joined by colons.
    ///
    /// # Errors
    /// When the file is not the one that is expected.
    pub fn add_language(&mut self, variant: impl BufRead, language: &str) -> Result<(), ImportError> {
        const PARTS: [&str; 6] = ["COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP"];
        let mut rows = Rows::new(variant, ',', true)?;
        let code = rows.column("LOINC_NUM")?;
        let whole: Vec<_> = ["LinguisticVariantDisplayName", "LONG_COMMON_NAME"]
            .iter()
            .filter_map(|name| rows.column(name).ok())
            .collect();
        let parts: Result<Vec<_>, _> = PARTS.iter().map(|name| rows.column(name)).collect();
        let parts = parts?;
        while let Some(row) = rows.next()? {
            let Some(id) = self.ids.get(field(&row, code)) else { continue };
            let full = whole.iter().map(|at| field(&row, *at)).find(|name| !name.is_empty()).map(str::to_owned);
            let joined = || {
                let parts: Vec<_> = parts.iter().map(|at| field(&row, *at)).filter(|part| !part.is_empty()).collect();
                parts.join(":")
            };
            let name = full.unwrap_or_else(joined);
            if let Some(concept) = self.builder.concept_mut(*id)
                && !name.is_empty()
            {
                concept.designations.push(designation(language, &name));
            }
        }
        Ok(())
    }

    /// Adds the component hierarchy (`ComponentHierarchyBySystem.csv`): the parts above become concepts.
    ///
    /// # Errors
    /// When the file is not the one that is expected.
    pub fn add_hierarchy(&mut self, hierarchy: impl BufRead) -> Result<(), ImportError> {
        let mut rows = Rows::new(hierarchy, ',', true)?;
        let (parent, code, text) = (rows.column("IMMEDIATE_PARENT")?, rows.column("CODE")?, rows.column("CODE_TEXT")?);
        let mut edges = Vec::new();
        while let Some(row) = rows.next()? {
            let own: Box<str> = field(&row, code).into();
            let id = match self.ids.get(&own) {
                Some(id) => *id,
                None => {
                    let id = self.builder.concept(&own, field(&row, text), None);
                    self.ids.insert(own, id);
                    id
                }
            };
            if !field(&row, parent).is_empty() {
                edges.push((Box::<str>::from(field(&row, parent)), id));
            }
        }
        for (parent, below) in edges {
            if let Some(above) = self.ids.get(&parent) {
                self.builder.edge(*above, below);
            }
        }
        Ok(())
    }

    /// The code system.
    #[must_use]
    pub fn finish(self) -> CodeSystem {
        self.builder.finish()
    }
}

fn designation(language: &str, value: &str) -> Designation {
    Designation {
        language: Some(language.into()),
        usage: None,
        value: value.into(),
        status: None,
        source: None,
        extensions: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Invented terms in the published column layout: not content of LOINC.
    const TABLE: &str = "\"LOINC_NUM\",\"COMPONENT\",\"PROPERTY\",\"TIME_ASPCT\",\"SYSTEM\",\"SCALE_TYP\",\"METHOD_TYP\",\"CLASS\",\"STATUS\",\"SHORTNAME\",\"LONG_COMMON_NAME\"\n\
        \"0001-0\",\"Foo\",\"MCnc\",\"Pt\",\"Bld\",\"Qn\",\"\",\"CHEM\",\"ACTIVE\",\"Foo Bld\",\"Foo [Mass/volume] in Blood, \"\"new\"\"\"\n\
        \"0002-8\",\"Bar\",\"MCnc\",\"Pt\",\"Bld\",\"Qn\",\"\",\"CHEM\",\"DEPRECATED\",\"\",\"Bar in Blood\"\n";
    const FRENCH: &str = "\"LOINC_NUM\",\"COMPONENT\",\"PROPERTY\",\"TIME_ASPCT\",\"SYSTEM\",\"SCALE_TYP\",\"METHOD_TYP\",\"LONG_COMMON_NAME\",\"LinguisticVariantDisplayName\"\n\
        \"0001-0\",\"Fou\",\"Masse\",\"Ponctuel\",\"Sang\",\"Quantitatif\",\"\",\"\",\"\"\n\
        \"0002-8\",\"Barre\",\"Masse\",\"Ponctuel\",\"Sang\",\"Quantitatif\",\"\",\"\",\"Barre dans le sang\"\n\
        \"9999-9\",\"x\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n";
    const TREE: &str =
        "PATH_TO_ROOT,SEQUENCE,IMMEDIATE_PARENT,CODE,CODE_TEXT\n,1,,LP1-0,Chemistry\nLP1-0,1,LP1-0,0001-0,Foo\n";

    #[test]
    fn a_release_is_read_with_its_french_names_and_its_hierarchy() {
        let mut release = Release::read(TABLE.as_bytes(), "2.80").unwrap();
        release.add_language(FRENCH.as_bytes(), "fr-FR").unwrap();
        release.add_hierarchy(TREE.as_bytes()).unwrap();
        let system = release.finish();
        let [foo, bar, part] = ["0001-0", "0002-8", "lp1-0"].map(|code| system.find(code).unwrap());
        assert_eq!(system.concept(foo).unwrap().display.as_deref(), Some("Foo [Mass/volume] in Blood, \"new\""));
        assert_eq!(system.is_named(foo, "Fou:Masse:Ponctuel:Sang:Quantitatif"), Some(true));
        assert_eq!(system.is_named(bar, "Barre dans le sang"), Some(true));
        assert!(system.is_inactive(bar) && !system.is_inactive(foo));
        assert!(system.hierarchy().subsumes(part, foo) && !system.hierarchy().subsumes(part, bar));
        assert_eq!(system.values_of(foo, "SYSTEM").next().unwrap().text(), "Bld");
    }

    #[test]
    fn another_file_is_refused() {
        assert!(Release::read(TREE.as_bytes(), "2.80").is_err_and(|error| error.to_string().contains("LOINC_NUM")));
    }
}
