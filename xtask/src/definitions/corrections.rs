//! The written list of what the package changed in R4, and the facts that undo it.
//!
//! Each entry names one resource and does one thing to it:
//! `drop` (it is not part of R4), `remove` (elements or codes that R4 does not have), `set` (members of the
//! resource, or of the element that `element` names; null takes a member away), `insert` (elements that
//! stand after the element that `after` names). An entry that changes nothing is an error: the list is wrong.

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::Resource;

const LIST: &str = include_str!("corrections.json");

/// Applies the list and says how many entries it has.
pub(super) fn apply(resources: &mut Vec<Resource>) -> anyhow::Result<usize> {
    let list: Vec<Value> = serde_json::from_str(LIST).context("corrections.json")?;
    for entry in &list {
        correct(resources, entry).with_context(|| format!("corrections.json, {} {}", entry["kind"], entry["id"]))?;
    }
    Ok(list.len())
}

fn correct(resources: &mut Vec<Resource>, entry: &Value) -> anyhow::Result<()> {
    let at = resources
        .iter()
        .position(|resource| entry["kind"] == resource.kind && entry["id"] == resource.id)
        .context("the package has no such resource")?;
    if entry["drop"] == true {
        resources.remove(at);
        return Ok(());
    }
    let body = &mut resources[at].body;
    let before = body.clone();
    if let Some(ids) = entry["remove"].as_array() {
        remove(body, ids)?;
    } else if let Some(elements) = entry["insert"].as_array() {
        insert(body, &entry["after"], elements)?;
    } else if let Some(members) = entry["set"].as_object() {
        let target = match &entry["element"] {
            Value::Null => body,
            id => element(body, id)?,
        };
        for (name, value) in members {
            set(target, name, value);
        }
    } else {
        bail!("an entry drops, removes, inserts or sets");
    }
    ensure!(resources[at].body != before, "this entry changes nothing");
    Ok(())
}

fn set(target: &mut Value, name: &str, value: &Value) {
    let Some(target) = target.as_object_mut() else { return };
    if value.is_null() {
        target.remove(name);
    } else {
        target.insert(name.to_owned(), value.clone());
    }
}

fn remove(body: &mut Value, ids: &[Value]) -> anyhow::Result<()> {
    for id in ids {
        let is_removed = match body.get("snapshot") {
            Some(_) => take(elements(body)?, "id", id),
            None => remove_concept(body, id),
        };
        ensure!(is_removed, "{id} is not there");
    }
    Ok(())
}

fn remove_concept(parent: &mut Value, code: &Value) -> bool {
    let Some(concepts) = parent.get_mut("concept").and_then(Value::as_array_mut) else { return false };
    let is_removed = take(concepts, "code", code) || concepts.iter_mut().any(|concept| remove_concept(concept, code));
    if let (true, Some(members)) = (concepts.is_empty(), parent.as_object_mut()) {
        members.remove("concept");
    }
    is_removed
}

fn take(items: &mut Vec<Value>, member: &str, value: &Value) -> bool {
    let before = items.len();
    items.retain(|item| item[member] != *value);
    items.len() < before
}

fn insert(body: &mut Value, after: &Value, new: &[Value]) -> anyhow::Result<()> {
    let elements = elements(body)?;
    let at = elements.iter().position(|element| element["id"] == *after).context("no element to stand after")?;
    elements.splice(at + 1..at + 1, new.iter().cloned());
    Ok(())
}

fn element<'a>(body: &'a mut Value, id: &Value) -> anyhow::Result<&'a mut Value> {
    elements(body)?.iter_mut().find(|element| element["id"] == *id).with_context(|| format!("no element {id}"))
}

fn elements(body: &mut Value) -> anyhow::Result<&mut Vec<Value>> {
    body.pointer_mut("/snapshot/element").and_then(Value::as_array_mut).context("no snapshot")
}
