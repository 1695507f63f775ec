//! Files to a compiled set of schemas.

use std::sync::Arc;

use xsd_schema::{
    EmbeddedLoader, LocationRequest, SchemaError, SchemaLoader, SchemaResolver, SchemaResult, SchemaSet,
    SchemaSetBuilder,
};

use super::XsdError;
use crate::schematron::Files;
use crate::{Limits, decode};

/// Names of files inside the compiler: absolute, so that it never looks at the disk.
const BASE: &str = "socle-package:/";

pub(super) fn load(files: &Arc<dyn Files>, entry: &str) -> Result<SchemaSet, XsdError> {
    let stored = files.find(entry).ok_or_else(|| XsdError::Missing { file: entry.to_owned() })?;
    let unusable = |reason: String| XsdError::Unusable { entry: entry.to_owned(), reason };
    let mut builder = SchemaSetBuilder::with_loader(Box::new(Loader { files: files.clone() }));
    let seen = files.clone();
    builder.set_location_rewriter(move |request: &LocationRequest<'_>, _: &SchemaResolver| rewritten(&seen, request));
    let compiled = builder
        .add("", &format!("{BASE}{stored}"))
        .and_then(SchemaSetBuilder::compile)
        .map_err(|error| unusable(error.to_string()))?;
    // A file that is not found is otherwise passed over: its part of the document would not be judged.
    if let Some(failure) = compiled.directive_failures().first() {
        let file = failure.schema_location().or_else(|| failure.namespace()).unwrap_or_default().to_owned();
        return Err(XsdError::Missing { file });
    }
    Ok(compiled.into_schema_set())
}

/// A location as the folder of the file that names it resolves it.
fn rewritten(files: &Arc<dyn Files>, request: &LocationRequest<'_>) -> Option<String> {
    if request.location.starts_with(BASE) || request.location.starts_with("embedded:") {
        return None;
    }
    let from = request.base_uri.strip_prefix(BASE)?;
    let path = crate::schematron::resolve(from, request.location)?;
    Some(format!("{BASE}{}", files.find(&path).unwrap_or(path)))
}

struct Loader {
    files: Arc<dyn Files>,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loader")
    }
}

impl SchemaLoader for Loader {
    fn load(&self, location: &str) -> SchemaResult<String> {
        if location.starts_with("embedded:") {
            return EmbeddedLoader::new().load(location);
        }
        let refused = || SchemaError::resolution(format!("{location}: no such file in the package"));
        let stored = location.strip_prefix(BASE).and_then(|path| self.files.find(path)).ok_or_else(refused)?;
        let bytes = self.files.read(&stored).map_err(|_| refused())?;
        let text = decode(&bytes, &Limits::default()).map_err(|_| refused())?.text.into_owned();
        Ok(corrected(text))
    }

    fn can_load(&self, _: &str) -> bool {
        true
    }
}

/// The schema of XSLT 2.0, which the CDA schemas import for documents that present themselves, breaks two rules that
/// libxml2 does not check: it loads the schema for schemas as if it were a user's, and `sequence` extends a content
/// without text by one with text (XML Schema Part 1, cos-ct-extends 1.4.3.2.2.1).
fn corrected(text: String) -> String {
    if !text.contains("targetNamespace=\"http://www.w3.org/1999/XSL/Transform\"") {
        return text;
    }
    let text = text.replace("schemaLocation=\"XMLSchema.xsd\"", "");
    let element = "<xs:element name=\"sequence\"";
    let mixed = "<xs:complexContent mixed=\"true\">";
    let Some(at) = text.find(element) else { return text };
    let Some(content) = text[at..].find(mixed).map(|offset| at + offset) else { return text };
    format!("{}<xs:complexContent>{}", &text[..content], &text[content + mixed.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schema_of_xslt_is_corrected() {
        let other = "<xs:import schemaLocation=\"XMLSchema.xsd\"/>".to_owned();
        assert_eq!(corrected(other.clone()), other);
        let xslt = concat!(
            "<xs:schema targetNamespace=\"http://www.w3.org/1999/XSL/Transform\">",
            "<xs:import namespace=\"n\" schemaLocation=\"XMLSchema.xsd\"/><xs:complexContent mixed=\"true\">",
            "<xs:element name=\"sequence\"><xs:complexContent mixed=\"true\">"
        );
        let expected = concat!(
            "<xs:schema targetNamespace=\"http://www.w3.org/1999/XSL/Transform\">",
            "<xs:import namespace=\"n\" /><xs:complexContent mixed=\"true\">",
            "<xs:element name=\"sequence\"><xs:complexContent>"
        );
        assert_eq!(corrected(xslt.to_owned()), expected);
    }
}
