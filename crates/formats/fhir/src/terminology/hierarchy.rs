//! Who is above whom, answered in constant time.
//!
//! Each concept gets its number in a walk of the tree that finishes children first, and the intervals
//! of numbers that are below it. In a tree that is one interval; where a concept has several parents,
//! the others receive its intervals too (transitive closure by tree cover: Agrawal, Borgida and
//! Jagadish, SIGMOD 1989). A cycle in a published hierarchy is cut where the walk meets it.

/// The hierarchy of a code system, over the positions of its concepts.
#[derive(Debug, Default, Clone)]
pub struct Hierarchy {
    parents: Lists,
    children: Lists,
    /// Number of each concept.
    number: Box<[u32]>,
    /// Concept of each number.
    concept: Box<[u32]>,
    /// Intervals of numbers, both ends included, of each concept.
    intervals: Box<[(u32, u32)]>,
    /// Where the intervals of each concept begin; one more at the end.
    starts: Box<[u32]>,
    /// An edge was cut because it closed a cycle.
    has_cycle: bool,
}

impl Hierarchy {
    /// A hierarchy over `size` concepts, from pairs (parent, child). Pairs out of range and doubles are dropped.
    #[must_use]
    pub fn new(size: usize, edges: &[(u32, u32)]) -> Self {
        let is_inside = |at: u32| (at as usize) < size;
        let mut edges: Vec<_> =
            edges.iter().copied().filter(|(up, down)| up != down && is_inside(*up) && is_inside(*down)).collect();
        edges.sort_unstable();
        edges.dedup();
        let children = Lists::of(size, edges.iter().copied());
        let mut upward: Vec<_> = edges.iter().map(|(up, down)| (*down, *up)).collect();
        upward.sort_unstable();
        let parents = Lists::of(size, upward.into_iter());
        Walk::new(size, &children).label(parents, children.clone())
    }

    /// `above` is `below` or an ancestor of it.
    #[must_use]
    pub fn subsumes(&self, above: u32, below: u32) -> bool {
        let Some(number) = self.number.get(below as usize) else { return false };
        let intervals = self.intervals_of(above);
        let at = intervals.partition_point(|(_, last)| last < number);
        intervals.get(at).is_some_and(|(first, _)| first <= number)
    }

    /// The concept and everything below it, each once, in no useful order.
    pub fn below(&self, above: u32) -> impl Iterator<Item = u32> + '_ {
        self.intervals_of(above)
            .iter()
            .flat_map(|(first, last)| &self.concept[*first as usize..=*last as usize])
            .copied()
    }

    /// Directly above.
    #[must_use]
    pub fn parents(&self, concept: u32) -> &[u32] {
        self.parents.of_one(concept)
    }

    /// Directly below, in the order of the system.
    #[must_use]
    pub fn children(&self, concept: u32) -> &[u32] {
        self.children.of_one(concept)
    }

    /// No concept is below another.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.children.items.is_empty()
    }

    /// An edge was left out because it closed a cycle.
    #[must_use]
    pub const fn has_cycle(&self) -> bool {
        self.has_cycle
    }

    fn intervals_of(&self, concept: u32) -> &[(u32, u32)] {
        let at = concept as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(from), Some(to)) => &self.intervals[*from as usize..*to as usize],
            _ => &[],
        }
    }
}

/// A list per concept, all in one array.
#[derive(Debug, Default, Clone)]
struct Lists {
    starts: Box<[u32]>,
    items: Box<[u32]>,
}

impl Lists {
    fn of(size: usize, sorted: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0_u32; size + 1];
        for (from, _) in sorted.clone() {
            starts[from as usize + 1] += 1;
        }
        for at in 0..size {
            starts[at + 1] += starts[at];
        }
        Self { starts: starts.into(), items: sorted.map(|(_, to)| to).collect() }
    }

    fn of_one(&self, concept: u32) -> &[u32] {
        let at = concept as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(from), Some(to)) => &self.items[*from as usize..*to as usize],
            _ => &[],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    No,
    Open,
    Done,
}

struct Walk<'a> {
    children: &'a Lists,
    seen: Vec<Seen>,
    number: Vec<u32>,
    concept: Vec<u32>,
    intervals: Vec<Vec<(u32, u32)>>,
    has_cycle: bool,
}

impl<'a> Walk<'a> {
    fn new(size: usize, children: &'a Lists) -> Self {
        Self {
            children,
            seen: vec![Seen::No; size],
            number: vec![0; size],
            concept: Vec::with_capacity(size),
            intervals: vec![Vec::new(); size],
            has_cycle: false,
        }
    }

    fn label(mut self, parents: Lists, children: Lists) -> Hierarchy {
        let size = self.seen.len();
        let all = || (0..size).filter_map(|at| u32::try_from(at).ok());
        for root in all().filter(|at| parents.of_one(*at).is_empty()) {
            self.descend(root);
        }
        // Only members of a cycle without a root are left.
        for rest in all() {
            self.descend(rest);
        }
        let mut starts = Vec::with_capacity(size + 1);
        let mut intervals = Vec::with_capacity(size);
        for own in &self.intervals {
            starts.push(u32::try_from(intervals.len()).unwrap_or(u32::MAX));
            intervals.extend_from_slice(own);
        }
        starts.push(u32::try_from(intervals.len()).unwrap_or(u32::MAX));
        Hierarchy {
            parents,
            children,
            number: self.number.into(),
            concept: self.concept.into(),
            intervals: intervals.into(),
            starts: starts.into(),
            has_cycle: self.has_cycle,
        }
    }

    /// Without recursion: published hierarchies are shallow, malicious ones are not.
    fn descend(&mut self, root: u32) {
        if self.seen[root as usize] != Seen::No {
            return;
        }
        self.seen[root as usize] = Seen::Open;
        let mut open = vec![(root, 0_usize)];
        while let Some((concept, at)) = open.pop() {
            let Some(child) = self.children.of_one(concept).get(at).copied() else {
                self.close(concept);
                continue;
            };
            open.push((concept, at + 1));
            match self.seen[child as usize] {
                Seen::No => {
                    self.seen[child as usize] = Seen::Open;
                    open.push((child, 0));
                }
                Seen::Open => self.has_cycle = true,
                Seen::Done => {}
            }
        }
    }

    fn close(&mut self, concept: u32) {
        let number = u32::try_from(self.concept.len()).unwrap_or(u32::MAX);
        self.concept.push(concept);
        self.number[concept as usize] = number;
        self.seen[concept as usize] = Seen::Done;
        let mut all = vec![(number, number)];
        for child in self.children.of_one(concept) {
            // A child that is still open is above us: the edge closes a cycle.
            if self.seen[*child as usize] == Seen::Done {
                all.extend_from_slice(&self.intervals[*child as usize]);
            }
        }
        self.intervals[concept as usize] = merged(all);
    }
}

fn merged(mut intervals: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    intervals.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::with_capacity(intervals.len());
    for (first, last) in intervals {
        match out.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => out.push((first, last)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// What a walk from parent to parent finds.
    fn naive(size: u32, edges: &[(u32, u32)], above: u32) -> BTreeSet<u32> {
        let mut found = BTreeSet::from([above]);
        for _ in 0..size {
            for (up, down) in edges {
                if up != down && found.contains(up) {
                    found.insert(*down);
                }
            }
        }
        found
    }

    proptest! {
        /// Edges go from a smaller to a greater position: several parents, no cycle.
        #[test]
        fn intervals_say_what_a_walk_of_the_ancestors_says(
            size in 1_u32..40,
            pairs in prop::collection::vec((0_u32..40, 0_u32..40), 0..120),
        ) {
            let edges: Vec<_> = pairs.into_iter().filter(|(up, down)| up < down && *down < size).collect();
            let hierarchy = Hierarchy::new(size as usize, &edges);
            prop_assert!(!hierarchy.has_cycle());
            for above in 0..size {
                let expected = naive(size, &edges, above);
                let below: Vec<_> = hierarchy.below(above).collect();
                prop_assert_eq!(below.len(), expected.len());
                prop_assert_eq!(below.into_iter().collect::<BTreeSet<_>>(), expected.clone());
                for concept in 0..size {
                    prop_assert_eq!(hierarchy.subsumes(above, concept), expected.contains(&concept));
                }
            }
        }

        #[test]
        fn any_graph_is_labelled(size in 1_usize..20, edges in prop::collection::vec((0_u32..25, 0_u32..25), 0..80)) {
            let hierarchy = Hierarchy::new(size, &edges);
            for concept in 0..u32::try_from(size).unwrap() {
                prop_assert!(hierarchy.subsumes(concept, concept));
            }
        }
    }

    #[test]
    fn a_cycle_is_cut_and_told() {
        let hierarchy = Hierarchy::new(3, &[(0, 1), (1, 2), (2, 0)]);
        assert!(hierarchy.has_cycle());
        assert!(hierarchy.subsumes(0, 2));
        assert!(!Hierarchy::new(3, &[(0, 1), (1, 2), (0, 2)]).has_cycle());
    }

    #[test]
    fn a_very_deep_hierarchy_is_no_matter() {
        let edges: Vec<_> = (0..200_000).map(|at| (at, at + 1)).collect();
        let hierarchy = Hierarchy::new(200_001, &edges);
        assert!(hierarchy.subsumes(0, 200_000) && !hierarchy.subsumes(200_000, 0));
        assert_eq!(hierarchy.below(100_000).count(), 100_001);
    }
}
