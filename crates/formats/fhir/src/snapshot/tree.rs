//! Elements as a tree: children under their element, slices beside the element that they slice.

use crate::definitions::Element;

/// An element and what is inside it.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// The last step of its path: `identifier`, `value[x]`.
    pub(super) name: Box<str>,
    /// Of a slice, its name.
    pub(super) slice: Option<Box<str>>,
    pub(super) element: Element,
    pub(super) children: Vec<Node>,
}

/// One step of an element's way: its name, and its slice.
pub(super) type Step<'a> = (&'a str, Option<&'a str>);

impl Node {
    /// The tree of a list of elements, its holes filled with elements that say nothing; none of an empty
    /// list. An element deeper than [`DEEPEST`] is left out.
    pub(super) fn tree(elements: &[Element]) -> Option<Self> {
        let first = elements.first()?;
        let root_name = first.path.split('.').next().unwrap_or_default();
        let mut root = Self { name: root_name.into(), ..Self::default() };
        // Ids became mandatory in snapshots only (R4 §2.25); where they are absent, the path stands for them.
        let has_ids = elements.iter().all(|element| element.slice_name.is_none() || element.id.contains(':'));
        let mut last: Vec<(String, Option<String>)> = Vec::new();
        for element in elements {
            let steps = steps(element, has_ids, &last);
            if steps.len() > DEEPEST {
                continue;
            }
            root.place(&steps[1..], element);
            last = steps.iter().map(|(name, slice)| ((*name).to_owned(), slice.map(str::to_owned))).collect();
        }
        Some(root)
    }

    fn place(&mut self, steps: &[Step<'_>], element: &Element) {
        let Some(((name, slice), rest)) = steps.split_first() else {
            self.element = element.clone();
            return;
        };
        let at = self.position(name, *slice).unwrap_or_else(|| {
            self.children.push(Self { name: (*name).into(), slice: slice.map(Into::into), ..Self::default() });
            self.children.len() - 1
        });
        self.children[at].place(rest, element);
    }

    /// Where the child of that name and slice is.
    pub(super) fn position(&self, name: &str, slice: Option<&str>) -> Option<usize> {
        self.children.iter().rposition(|child| *child.name == *name && child.slice.as_deref() == slice)
    }

    /// The element of that path without slices (`Questionnaire.item`), from this root.
    pub(super) fn find(&self, path: &str) -> Option<&Self> {
        let mut steps = path.split('.');
        (steps.next() == Some(&self.name)).then_some(())?;
        steps.try_fold(self, |node, name| Some(&node.children[node.position(name, None)?]))
    }

    pub(super) fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    /// The list of elements, each with the id and the path of its place.
    pub(super) fn into_elements(self) -> Vec<Element> {
        let mut elements = Vec::new();
        self.push("", "", &mut elements);
        elements
    }

    fn push(mut self, id: &str, path: &str, elements: &mut Vec<Element>) {
        let slice = self.slice.as_deref().map(|slice| format!(":{slice}")).unwrap_or_default();
        let dot = if id.is_empty() { "" } else { "." };
        let id = format!("{id}{dot}{}{slice}", self.name);
        let path = format!("{path}{dot}{}", self.name);
        self.element.id = id.as_str().into();
        self.element.path = path.as_str().into();
        self.element.slice_name = self.slice;
        elements.push(self.element);
        for child in self.children {
            child.push(&id, &path, elements);
        }
    }
}

/// No element of FHIR is that deep; a stack is.
pub(super) const DEEPEST: usize = 64;

/// The way to an element: by its id where that agrees with its path, else by its path, under the slices
/// of the element before it.
fn steps<'a>(element: &'a Element, has_ids: bool, last: &'a [(String, Option<String>)]) -> Vec<Step<'a>> {
    if let Some(steps) = by_id(&element.id, &element.path).filter(|_| has_ids) {
        return steps;
    }
    let mut steps: Vec<Step<'a>> = Vec::new();
    let mut follows = true;
    for (at, name) in element.path.split('.').enumerate() {
        let before = last.get(at).filter(|(before, _)| follows && before == name);
        follows = before.is_some();
        steps.push((name, before.and_then(|(_, slice)| slice.as_deref())));
    }
    if let Some(step) = steps.last_mut() {
        step.1 = element.slice_name.as_deref();
    }
    steps
}

/// Splits an id along the names of the path: the name of a slice may hold a dot.
fn by_id<'a>(id: &'a str, path: &str) -> Option<Vec<Step<'a>>> {
    let mut rest = id;
    let mut steps = Vec::new();
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let after = rest.strip_prefix(name)?;
        let step = &rest[..name.len()];
        let end = match names.peek() {
            None => after.len(),
            Some(next) => end_of_slice(after, next)?,
        };
        let slice = match &after[..end] {
            "" => None,
            slice => Some(slice.strip_prefix(':')?),
        };
        steps.push((step, slice));
        rest = after.get(end + 1..).unwrap_or_default();
    }
    rest.is_empty().then_some(steps)
}

/// Where `:slice` ends before `.next`, the next name being followed by `.`, `:` or nothing.
fn end_of_slice(text: &str, next: &str) -> Option<usize> {
    text.match_indices('.').map(|(at, _)| at).find(|at| {
        let tail = text[at + 1..].strip_prefix(next);
        tail.is_some_and(|tail| tail.is_empty() || tail.starts_with(['.', ':']))
    })
}
