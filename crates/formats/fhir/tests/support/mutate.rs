//! Valid resources with one thing broken, the same each time.

use serde_json::{Value, json};
use socle_fhir::definitions::{Element, Max, Strength, Structure};

/// The way to a value: member names, and places in arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Name(String),
    At(usize),
}

/// A small generator (SplitMix64): one seed, one series.
pub(crate) struct Seeds(pub(crate) u64);

impl Seeds {
    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % below.max(1) as u64).unwrap_or(0)
    }
}

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "not every test breaks everything")]
pub(crate) enum Mutation {
    RemoveRequired,
    WrongType,
    Unknown,
    BadCode,
    BadDate,
    Repeat,
    Bare,
    Empty,
}

#[allow(dead_code, reason = "not every test breaks everything")]
pub(crate) const ALL: [Mutation; 8] = [
    Mutation::RemoveRequired,
    Mutation::WrongType,
    Mutation::Unknown,
    Mutation::BadCode,
    Mutation::BadDate,
    Mutation::Repeat,
    Mutation::Bare,
    Mutation::Empty,
];

/// An element of the definition that the resource has.
struct Place<'s> {
    holder: Vec<Step>,
    name: String,
    element: &'s Element,
}

/// Breaks one thing, and says where the fault is to be found; none when there is nothing to break so.
#[allow(dead_code, reason = "not every test breaks by the definition")]
pub(crate) fn mutate(
    resource: &mut Value,
    structure: &Structure,
    how: Mutation,
    seeds: &mut Seeds,
) -> Option<Vec<Step>> {
    let places = places(structure, resource);
    let fits: Vec<&Place<'_>> = places.iter().filter(|place| can(place.element, how)).collect();
    let place = fits.get(seeds.next(fits.len()))?;
    let mut at = place.holder.clone();
    let holder = reach(resource, &at)?.as_object_mut()?;
    match how {
        Mutation::RemoveRequired => {
            holder.remove(&place.name);
            holder.remove(&format!("_{}", place.name));
            return Some(at);
        }
        Mutation::Unknown => {
            holder.insert("zzUnknown".to_owned(), json!("x"));
            at.push(Step::Name("zzUnknown".to_owned()));
            return Some(at);
        }
        _ => {}
    }
    let value = holder.get_mut(&place.name)?;
    at.push(Step::Name(place.name.clone()));
    match how {
        Mutation::Repeat => {
            *value = json!([value.clone(), value.clone()]);
            return Some(at);
        }
        Mutation::Bare => {
            *value = value.as_array()?.first()?.clone();
            return Some(at);
        }
        _ => {}
    }
    let value = match value {
        Value::Array(items) => {
            let index = seeds.next(items.len());
            at.push(Step::At(index));
            items.get_mut(index)?
        }
        value => value,
    };
    *value = match how {
        Mutation::BadCode => json!("not-a-code-zz"),
        Mutation::BadDate => json!("2023-13-45"),
        Mutation::Empty => json!(""),
        _ => json!({"x": 1}),
    };
    Some(at)
}

fn can(element: &Element, how: Mutation) -> bool {
    let [of] = element.types.as_slice() else { return false };
    let is_primitive = of.code.starts_with(|sign: char| sign.is_ascii_lowercase()) && &*of.code != "xhtml";
    let is_many = element.base.as_ref().map(|base| base.max) != Some(Max::Count(1));
    match how {
        Mutation::RemoveRequired => element.min.unwrap_or(0) > 0,
        Mutation::WrongType => is_primitive,
        Mutation::Unknown => true,
        Mutation::BadCode => {
            let set = element.binding.as_ref().filter(|binding| binding.strength == Strength::Required);
            // Any text of the right shape is a media type.
            let set = set.and_then(|binding| binding.value_set.as_deref()).filter(|set| !set.contains("mimetypes"));
            set.is_some() && &*of.code == "code"
        }
        Mutation::BadDate => matches!(&*of.code, "date" | "dateTime" | "instant"),
        Mutation::Repeat => !is_many,
        Mutation::Bare => is_many,
        Mutation::Empty => is_primitive && !matches!(&*of.code, "boolean" | "integer" | "decimal"),
    }
}

/// What the definition of the resource itself lists and the resource has; choices are left out.
fn places<'s>(structure: &'s Structure, resource: &Value) -> Vec<Place<'s>> {
    let mut places = Vec::new();
    for element in &structure.elements {
        let steps: Vec<&str> = element.path.split('.').skip(1).collect();
        let Some((name, parents)) = steps.split_last() else { continue };
        if name.ends_with("[x]") || *name == "id" {
            continue;
        }
        let mut holders = vec![(Vec::new(), resource)];
        for parent in parents {
            holders = holders.into_iter().flat_map(|(way, value)| inside(&way, value, parent)).collect();
        }
        for (holder, value) in holders {
            if value.get(name).is_some_and(|value| !value.is_null()) {
                places.push(Place { holder, name: (*name).to_owned(), element });
            }
        }
    }
    places
}

fn inside<'v>(way: &[Step], value: &'v Value, name: &str) -> Vec<(Vec<Step>, &'v Value)> {
    let below = |step: Option<usize>| {
        let mut way = way.to_vec();
        way.push(Step::Name(name.to_owned()));
        way.extend(step.map(Step::At));
        way
    };
    match value.get(name) {
        Some(Value::Array(items)) => items.iter().enumerate().map(|(at, item)| (below(Some(at)), item)).collect(),
        Some(value) => vec![(below(None), value)],
        None => Vec::new(),
    }
}

fn reach<'v>(value: &'v mut Value, way: &[Step]) -> Option<&'v mut Value> {
    way.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.get_mut(name),
        Step::At(at) => value.get_mut(*at),
    })
}

/// Takes any member of any object away.
#[allow(dead_code, reason = "not every test removes blindly")]
pub(crate) fn remove_any(resource: &mut Value, seeds: &mut Seeds) {
    let mut ways = Vec::new();
    members(resource, &mut Vec::new(), &mut ways);
    let Some((way, name)) = ways.get(seeds.next(ways.len())).cloned() else { return };
    if let Some(holder) = reach(resource, &way).and_then(Value::as_object_mut) {
        holder.remove(&name);
    }
}

fn members(value: &Value, way: &mut Vec<Step>, into: &mut Vec<(Vec<Step>, String)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter().filter(|(name, _)| *name != "resourceType") {
                into.push((way.clone(), name.clone()));
                way.push(Step::Name(name.clone()));
                members(value, way, into);
                way.pop();
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                way.push(Step::At(at));
                members(item, way, into);
                way.pop();
            }
        }
        _ => {}
    }
}
