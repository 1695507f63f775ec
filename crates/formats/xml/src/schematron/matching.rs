//! Which nodes a rule's context chooses: the steps of all contexts form one tree of beginnings, each walked at most once
//! per document, and not at all when the document has no element of the name or template that a step asks for.

use std::rc::Rc;

use super::model::{Schematron, TrieId, TrieStep};
use crate::arena::{Arena, ROOT};
use crate::xpath::ast::{Axis, Test};
use crate::xpath::{Evaluation, XPathError};

type Nodes = Result<Rc<[u32]>, XPathError>;

pub(super) struct Matcher<'r, 'a> {
    schema: &'a Schematron,
    arena: &'a Arena,
    evaluation: &'r Evaluation<'a>,
    known: Vec<Option<Nodes>>,
}

impl<'r, 'a> Matcher<'r, 'a> {
    pub(super) fn new(schema: &'a Schematron, arena: &'a Arena, evaluation: &'r Evaluation<'a>) -> Self {
        let mut known = vec![None; schema.trie.len()];
        known[0] = Some(Ok([ROOT].into()));
        Self { schema, arena, evaluation, known }
    }

    /// The nodes after these steps, in document order.
    pub(super) fn nodes(&mut self, id: TrieId) -> Nodes {
        if let Some(known) = &self.known[id.0 as usize] {
            return known.clone();
        }
        let step = &self.schema.trie[id.0 as usize];
        let found = if self.is_hopeless(step) { Ok([].into()) } else { self.walk(step) };
        self.known[id.0 as usize] = Some(found.clone());
        found
    }

    /// No element has the name or the template: the steps before need not be walked.
    fn is_hopeless(&self, step: &TrieStep) -> bool {
        let no_template =
            step.template.and_then(|template| self.arena.with_template(template)).is_some_and(<[u32]>::is_empty);
        let no_name = match (step.step.axis, step.step.test) {
            (Axis::Child | Axis::Descendant, Test::Named(sym)) => self.arena.named(sym).is_empty(),
            _ => false,
        };
        no_template || no_name
    }

    fn walk(&mut self, step: &'a TrieStep) -> Nodes {
        // Parents first: a path has at most as many steps as the parser allows.
        let parents = self.nodes(step.parent)?;
        if parents.is_empty() {
            return Ok(parents);
        }
        if let Some(candidates) = self.candidates(step, &parents) {
            return self.chosen(step, &parents, candidates);
        }
        let mut found = Vec::new();
        for &parent in parents.iter() {
            self.evaluation.axis_step(&step.step, self.arena.node(parent), &mut |node| {
                if !node.is_attribute() {
                    found.push(node.at);
                }
                Ok(true)
            })?;
        }
        if !found.is_sorted() {
            found.sort_unstable();
        }
        found.dedup();
        Ok(found.into())
    }

    /// Nodes among which those of the step must be, when that is fewer than all children.
    fn candidates(&self, step: &TrieStep, parents: &[u32]) -> Option<&'a [u32]> {
        if step.step.is_positional() || !matches!(step.step.axis, Axis::Child | Axis::Descendant) {
            return None;
        }
        let by_template = step.template.and_then(|template| self.arena.with_template(template));
        let by_name = match step.step.test {
            Test::Named(sym) => Some(self.arena.named(sym)),
            _ => None,
        };
        let fewest = [by_template, by_name].into_iter().flatten().min_by_key(|nodes| nodes.len())?;
        (step.step.axis == Axis::Descendant || fewest.len() <= parents.len() * 8).then_some(fewest)
    }

    fn chosen(&self, step: &'a TrieStep, parents: &[u32], candidates: &'a [u32]) -> Nodes {
        let mut found = Vec::new();
        // Ends of the subtrees seen so far: below one of the parents is before the furthest end.
        let (mut next, mut end) = (0, 0);
        for &at in candidates {
            let node = self.arena.node(at);
            let is_below = if step.step.axis == Axis::Child {
                node.parent().is_some_and(|parent| parents.binary_search(&parent.at).is_ok())
            } else {
                while let Some(&parent) = parents.get(next).filter(|&&parent| parent < at) {
                    end = end.max(self.arena.node(parent).end());
                    next += 1;
                }
                at < end
            };
            if is_below
                && step.step.test.accepts(step.step.axis, node)
                && self.evaluation.accepts(&step.step.predicates, node)?
            {
                found.push(at);
            }
        }
        Ok(found.into())
    }
}
