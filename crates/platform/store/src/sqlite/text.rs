//! Sentences in both languages, in one column: JSON with a member per language.

use socle_finding::Text;

/// The column of a sentence.
pub(super) fn written(text: &Text) -> String {
    serde_json::json!(text).to_string()
}

/// The sentence of a column. A folder of the first versions holds it in one language.
pub(super) fn read(column: String) -> Text {
    serde_json::from_str(&column).unwrap_or_else(|_| Text::same(column))
}
