//! A package with all that it depends on.
//!
//! Each package keeps its own point of view: its dependencies in their versions, then theirs. A
//! dependency that is not there, that cannot be read, or that depends on itself is told and does not stop
//! the rest.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use socle_finding::{Finding, Location, Rule, Severity, Text};

use super::{Package, PackageError, PackageId};

/// Where packages are taken from.
pub trait Shelf {
    /// The package that is asked for; none when it is not there.
    ///
    /// # Errors
    /// [`PackageError`] when it is there and cannot be used.
    fn take(&self, wanted: &PackageId) -> Result<Option<Arc<Package>>, PackageError>;
}

impl Shelf for [Arc<Package>] {
    fn take(&self, wanted: &PackageId) -> Result<Option<Arc<Package>>, PackageError> {
        let admitted = self.iter().filter(|package| wanted.admits(package.id()));
        Ok(admitted.max_by(|one, other| one.id().by_version(other.id())).cloned())
    }
}

/// First one, then the other.
impl<A: Shelf + ?Sized, B: Shelf + ?Sized> Shelf for (&A, &B) {
    fn take(&self, wanted: &PackageId) -> Result<Option<Arc<Package>>, PackageError> {
        match self.0.take(wanted)? {
            Some(package) => Ok(Some(package)),
            None => self.1.take(wanted),
        }
    }
}

/// A dependency that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub wanted: PackageId,
    /// Who asks for it.
    pub by: PackageId,
}

/// Some packages and all that they depend on, nearest first.
#[derive(Debug, Default)]
pub struct Closure {
    packages: Vec<Arc<Package>>,
    /// Of each package, those it depends on.
    needs: Vec<Vec<usize>>,
    roots: Vec<usize>,
    missing: Vec<Missing>,
    broken: Vec<PackageError>,
}

/// R4 is inside the binary: nobody needs its packages.
const INSIDE: [&str; 2] = ["hl7.fhir.r4.core", "hl7.fhir.core"];

impl Closure {
    /// The packages, in this order, and what they depend on.
    #[must_use]
    pub fn of(roots: &[Arc<Package>], shelf: &(impl Shelf + ?Sized)) -> Self {
        let mut closure = Self::default();
        let mut known = HashMap::new();
        let mut waiting = VecDeque::new();
        for root in roots {
            let index = closure.place(root.clone(), &mut known, &mut waiting);
            closure.roots.push(index);
        }
        while let Some(index) = waiting.pop_front() {
            closure.follow(index, shelf, &mut known, &mut waiting);
        }
        closure
    }

    fn place(
        &mut self,
        package: Arc<Package>,
        known: &mut HashMap<PackageId, usize>,
        waiting: &mut VecDeque<usize>,
    ) -> usize {
        *known.entry(package.id().clone()).or_insert_with(|| {
            self.packages.push(package);
            self.needs.push(Vec::new());
            waiting.push_back(self.packages.len() - 1);
            self.packages.len() - 1
        })
    }

    fn follow(
        &mut self,
        index: usize,
        shelf: &(impl Shelf + ?Sized),
        known: &mut HashMap<PackageId, usize>,
        waiting: &mut VecDeque<usize>,
    ) {
        let package = self.packages[index].clone();
        for wanted in &package.manifest().dependencies {
            if INSIDE.contains(&wanted.name()) {
                continue;
            }
            // A root that the caller gave counts before anything kept elsewhere.
            let given = self.roots.iter().copied().find(|root| wanted.admits(self.packages[*root].id()));
            let taken = match given {
                Some(root) => Ok(Some(self.packages[root].clone())),
                None => shelf.take(wanted),
            };
            match taken {
                Ok(Some(found)) => {
                    let found = self.place(found, known, waiting);
                    self.needs[index].push(found);
                }
                Ok(None) => self.missing.push(Missing { wanted: wanted.clone(), by: package.id().clone() }),
                Err(error) => self.broken.push(error),
            }
        }
    }

    /// All of them, nearest first.
    #[must_use]
    pub fn packages(&self) -> &[Arc<Package>] {
        &self.packages
    }

    /// What is not there.
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// The ways from a package back to itself.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<PackageId>> {
        let mut cycles = Vec::new();
        let mut done = vec![false; self.packages.len()];
        for start in 0..self.packages.len() {
            self.walk(start, &mut Vec::new(), &mut done, &mut cycles);
        }
        cycles
    }

    fn walk(&self, at: usize, way: &mut Vec<usize>, done: &mut [bool], cycles: &mut Vec<Vec<PackageId>>) {
        if let Some(from) = way.iter().position(|step| *step == at) {
            cycles.push(way[from..].iter().map(|step| self.packages[*step].id().clone()).collect());
            return;
        }
        if done[at] {
            return;
        }
        way.push(at);
        for next in &self.needs[at] {
            self.walk(*next, way, done, cycles);
        }
        way.pop();
        done[at] = true;
    }

    /// The packages as one of them sees them: itself, what it depends on, what those depend on.
    pub(super) fn order_from(&self, starts: &[usize]) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::new();
        let mut waiting: VecDeque<usize> = starts.iter().copied().collect();
        while let Some(index) = waiting.pop_front() {
            if !order.contains(&index) {
                order.push(index);
                waiting.extend(&self.needs[index]);
            }
        }
        order
    }

    pub(super) fn roots(&self) -> &[usize] {
        &self.roots
    }

    /// What a user should know of it: what is missing, broken, circular, made for another FHIR.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let missing = self.missing.iter().map(|missing| {
            warning(
                &missing.by.to_string(),
                "dependencies",
                Text::new(
                    format!("le paquet {} manque : ce qu'il définit n'est pas contrôlé", missing.wanted),
                    format!("package {} is missing: what it defines is not checked", missing.wanted),
                ),
                Text::new(
                    format!("ajoutez-le : socle package add {}", missing.wanted),
                    format!("add it: socle package add {}", missing.wanted),
                ),
            )
        });
        let broken = self.broken.iter().map(trouble);
        let cycles = self.cycles().into_iter().map(|cycle| {
            let way = cycle.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → ");
            warning(
                &way,
                "dependencies",
                Text::fixed(
                    "ces paquets dépendent les uns des autres en rond",
                    "these packages depend on each other in a circle",
                ),
                Text::fixed("rien à faire : chacun est lu une fois", "nothing to do: each one is read once"),
            )
        });
        let packages = self.packages.iter().flat_map(|package| notes_of(package));
        missing.chain(broken).chain(cycles).chain(packages).collect()
    }
}

fn notes_of(package: &Package) -> Vec<Finding> {
    let id = package.id().to_string();
    let mut notes = Vec::new();
    if !package.manifest().is_r4() {
        let versions = package.manifest().fhir_versions.join(", ");
        notes.push(warning(
            &id,
            "fhirVersions",
            Text::new(
                format!("ce paquet est pour FHIR {versions}, pas R4"),
                format!("this package is for FHIR {versions}, not R4"),
            ),
            Text::fixed("prenez son édition R4, s'il y en a une", "take its R4 edition, if there is one"),
        ));
    }
    for odd in &package.manifest().odd_dependencies {
        notes.push(warning(
            &id,
            "dependencies",
            Text::new(format!("« {odd} » ne peut pas être un paquet"), format!("`{odd}` cannot be a package")),
            Text::fixed("corrigez package.json", "mend package.json"),
        ));
    }
    for (path, why) in package.unread() {
        notes.push(warning(
            &format!("{id}!{path}"),
            "resources",
            Text::new(
                format!("ce fichier du paquet n'est pas lisible ({})", why.fr),
                format!("this file of the package cannot be read ({})", why.en),
            ),
            Text::fixed(
                "demandez à qui publie le paquet de le corriger",
                "ask whoever publishes the package to mend it",
            ),
        ));
    }
    notes
}

/// Something about a package that does not stop the work.
pub(super) fn warning(subject: &str, point: &'static str, message: Text, mend: Text) -> Finding {
    let rule = Rule::fixed("FHIR NPM packages", point);
    Finding { severity: Severity::Warning, rule, at: Location::path(subject), message, mend }
}

/// The same, for an error of a package met while it was used.
pub(super) fn trouble(error: &PackageError) -> Finding {
    warning(&error.subject, "resources", error.kind.message(), error.kind.mend())
}
