//! Environment variables over the file: `SOCLE_SERVER__LISTEN=127.0.0.1:9000` sets `server.listen`.
//!
//! A value is written as in TOML where the field is not a text, so that `SOCLE_TWINS__INS=0` is a
//! number; the field's kind is taken from the default configuration.

use toml::{Table, Value};

use super::{Config, ConfigError};

/// Variables that other parts of the program read themselves.
const NOT_FIELDS: [&str; 7] =
    ["SOCLE_CONFIG", "SOCLE_LANG", "SOCLE_LOG", "SOCLE_LOG_FORMAT", "SOCLE_STRICT", "SOCLE_SHARED", "SOCLE_OUT"];

pub(super) fn apply(table: &mut Table, variables: impl Iterator<Item = (String, String)>) -> Result<(), ConfigError> {
    let shape = Table::try_from(Config::default()).map_err(|error| ConfigError::Shape(error.to_string()))?;
    for (name, text) in variables {
        let Some(path) = name.strip_prefix("SOCLE_") else { continue };
        if NOT_FIELDS.contains(&name.as_str()) || name.starts_with("SOCLE_TEST_") || name.starts_with("SOCLE_PEERS_") {
            continue;
        }
        let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let value = typed(&shape, &path, text);
        set(table, &path, value).map_err(|reason| ConfigError::Variable { name: name.clone(), reason })?;
    }
    Ok(())
}

/// A text where the default holds a text (or nothing), else what TOML reads.
fn typed(shape: &Table, path: &[String], text: String) -> Value {
    let mut here = shape.get(&path[0]);
    for part in &path[1..] {
        here = here.and_then(Value::as_table).and_then(|table| table.get(part));
    }
    if matches!(here, None | Some(Value::String(_))) {
        return Value::String(text);
    }
    let parsed: Result<Table, _> = format!("value = {text}").parse();
    parsed.ok().and_then(|mut table| table.remove("value")).unwrap_or(Value::String(text))
}

fn set(table: &mut Table, path: &[String], value: Value) -> Result<(), String> {
    let (first, rest) = path.split_first().ok_or("it is empty")?;
    if first.is_empty() {
        return Err("a part of the name is empty".to_owned());
    }
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return Ok(());
    }
    let inner = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
    inner.as_table_mut().ok_or_else(|| format!("`{first}` is no section"))?;
    let Value::Table(inner) = inner else { return Err(format!("`{first}` is no section")) };
    set(inner, rest, value)
}
