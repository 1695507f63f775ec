//! A report against its measure, and a measure against its libraries (FHIR R4 §13.8, §13.7).
//!
//! Order: the report's groups and populations beside those of the measure, counts, scores; then the
//! criteria of a measure, each of which is defined by a library (`cql`).
//!
//! Not here: evaluating a measure. Of CQL only the names that a library defines are read.

mod cql;
#[cfg(test)]
mod tests;

use socle_finding::Text;

use super::Walk;
use super::references::type_in;
use super::say::{both, r4};
use crate::profile::report::Subject;
use crate::tape::Node;

impl<'d> Walk<'_, 'd> {
    pub(super) fn measure_report(&mut self, report: Node<'d>) {
        for group in report.all("group") {
            for population in group.all("population") {
                self.subjects(population);
            }
        }
        let Some(at) = report.get("measure") else { return };
        let Some(canonical) = at.str() else { return };
        let Some(document) = self.library.definitions.resource("Measure", canonical) else {
            self.not_checked(Subject::Measure, canonical, at);
            return;
        };
        self.measured(report, document.root());
    }

    fn measured(&mut self, report: Node<'d>, measure: Node<'_>) {
        let defined: Vec<Node<'_>> = measure.all("group").collect();
        let groups: Vec<Node<'d>> = report.all("group").collect();
        let scoring = scoring(measure);
        let is_only = defined.len() == 1 && groups.len() == 1;
        let mut seen = vec![false; defined.len()];
        for group in groups {
            let place = if is_only { Some(0) } else { defined.iter().position(|own| same_code(group, *own)) };
            let Some(place) = place else {
                self.unknown_group(group);
                continue;
            };
            seen[place] = true;
            self.populations(group, defined[place]);
            self.score(group, scoring);
        }
        for (group, _) in defined.iter().zip(seen).filter(|(_, seen)| !seen) {
            self.missing(report, "groupe", "group", *group);
        }
    }

    fn populations(&mut self, group: Node<'d>, defined: Node<'_>) {
        for population in group.all("population").filter(|own| own.get("code").is_some()) {
            if !defined.all("population").any(|own| same_code(population, own)) {
                self.error(
                    population,
                    r4("13.8"),
                    Text::fixed(
                        "la mesure n'a pas de population de ce code dans ce groupe",
                        "the measure has no population of this code in this group",
                    ),
                    Text::fixed("mettez le code de la mesure", "put the code of the measure"),
                );
            }
        }
        for own in defined.all("population").filter(|own| own.get("code").is_some()) {
            if !group.all("population").any(|population| same_code(population, own)) {
                self.missing(group, "population", "population", own);
            }
        }
    }

    fn unknown_group(&mut self, group: Node<'d>) {
        self.error(
            group,
            r4("13.8"),
            Text::fixed(
                "le groupe n'a pas le code d'un groupe de la mesure",
                "the group has not the code of a group of the measure",
            ),
            Text::fixed(
                "mettez le code que la mesure donne au groupe",
                "put the code that the measure gives the group",
            ),
        );
    }

    fn missing(&mut self, at: Node<'d>, fr: &str, en: &str, defined: Node<'_>) {
        let coding = defined.get("code").and_then(|code| code.all("coding").next());
        let code = coding.and_then(|coding| coding.text("code")).unwrap_or_default().to_owned();
        self.error(
            at,
            r4("13.8"),
            both(
                format!("un {fr} de la mesure manque : {code}").replace("un population", "une population"),
                format!("a {en} of the measure is missing: {code}"),
            ),
            Text::fixed("ajoutez-le, avec son code", "add it, with its code"),
        );
    }

    /// `subjectResults` leads to a List of subjects. One that leads to a subject names one, and `count` says how
    /// many there are; the entries of a List in the document are counted.
    fn subjects(&mut self, population: Node<'d>) {
        let Some(count) = population.get("count").and_then(Node::u64) else { return };
        let Some(results) = population.get("subjectResults") else { return };
        let Some(reference) = results.text("reference") else { return };
        let target = self.resolve(reference, results);
        let subjects = match target {
            Some(list) if list.resource_type() == Some("List") => list.all("entry").count() as u64,
            _ if type_in(reference).is_some_and(|kind| kind != "List") => 1,
            _ => return,
        };
        if subjects != count {
            self.error(
                population,
                r4("13.8"),
                both(
                    format!("count dit {count}, or subjectResults donne {subjects} sujet(s)"),
                    format!("count says {count}, but subjectResults gives {subjects} subject(s)"),
                ),
                Text::fixed(
                    "référencez une List de tous les sujets, et accordez count",
                    "refer to a List of all subjects, and make count agree",
                ),
            );
        }
    }

    /// A cohort has no score; a proportion is between 0 and 1.
    fn score(&mut self, group: Node<'d>, scoring: Option<&str>) {
        let Some(score) = group.get("measureScore") else { return };
        match scoring {
            Some("cohort") => self.error(
                score,
                r4("13.7"),
                Text::fixed("une mesure de type cohort n'a pas de score", "a measure of scoring cohort has no score"),
                Text::fixed(
                    "retirez measureScore, ou corrigez scoring dans la mesure",
                    "remove measureScore, or mend scoring in the measure",
                ),
            ),
            Some("proportion") => {
                let number = score.get("value").and_then(Node::number).and_then(|number| number.parse::<f64>().ok());
                let is_percent = score.text("code") == Some("%") || score.text("unit") == Some("%");
                let most = if is_percent { 100.0 } else { 1.0 };
                if number.is_some_and(|number| !(0.0..=most).contains(&number)) {
                    self.error(
                        score,
                        r4("13.7"),
                        both(
                            format!("une proportion est entre 0 et {most}"),
                            format!("a proportion is between 0 and {most}"),
                        ),
                        Text::fixed(
                            "divisez le numérateur par le dénominateur, ou mettez l'unité %",
                            "divide the numerator by the denominator, or put the unit %",
                        ),
                    );
                }
            }
            _ => {}
        }
    }

    /// Each criterion that names a definition of a library finds it there.
    pub(super) fn measure(&mut self, measure: Node<'d>) {
        let mut libraries = Vec::new();
        for at in measure.all("library") {
            let Some(canonical) = at.str() else { continue };
            match self.library.definitions.resource("Library", canonical) {
                Some(document) => libraries.push((canonical, document)),
                None => self.not_checked(Subject::Library, canonical, at),
            }
        }
        let libraries: Vec<cql::Names> =
            libraries.iter().filter_map(|(canonical, document)| cql::Names::read(canonical, document.root())).collect();
        if libraries.is_empty() {
            return;
        }
        let is_whole = libraries.len() == measure.all("library").count();
        let groups = measure.all("group").flat_map(|group| {
            let inner = group.all("stratifier").flat_map(|own| own.all("component"));
            group.all("population").chain(group.all("stratifier")).chain(inner)
        });
        for holder in groups.chain(measure.all("supplementalData")) {
            if let Some(criteria) = holder.get("criteria") {
                self.criteria(criteria, &libraries, is_whole);
            }
        }
    }

    fn criteria(&mut self, criteria: Node<'d>, libraries: &[cql::Names], is_whole: bool) {
        let (Some(language), Some(expression)) = (criteria.text("language"), criteria.text("expression")) else {
            return;
        };
        let Some((of, name)) = cql::name(language, expression) else { return };
        let mut asked = libraries.iter().filter(|library| of.is_none_or(|of| library.is_named(of))).peekable();
        let is_elsewhere = asked.peek().is_none() || (of.is_none() && !is_whole);
        if is_elsewhere || asked.any(|library| library.defines(name)) {
            return;
        }
        self.error(
            criteria,
            r4("13.7"),
            Text::fixed(
                "la bibliothèque de la mesure ne définit pas ce que le critère nomme",
                "the library of the measure does not define what the criterion names",
            ),
            Text::fixed(
                "corrigez le nom, ou ajoutez la définition à la bibliothèque",
                "mend the name, or add the definition to the library",
            ),
        );
    }
}

fn scoring(measure: Node<'_>) -> Option<&str> {
    let is_own = |coding: &Node<'_>| {
        coding.text("system").is_none_or(|system| system == "http://terminology.hl7.org/CodeSystem/measure-scoring")
    };
    measure.get("scoring")?.all("coding").find(is_own)?.text("code")
}

/// Both have a code in common, or both say the same in words.
fn same_code(one: Node<'_>, other: Node<'_>) -> bool {
    let (Some(one), Some(other)) = (one.get("code"), other.get("code")) else { return false };
    let same = |own: Node<'_>, known: Node<'_>| {
        own.text("code").is_some()
            && own.text("code") == known.text("code")
            && own.text("system") == known.text("system")
    };
    let mut codings = one.all("coding");
    if one.get("coding").is_none() {
        return one.text("text").is_some() && one.text("text") == other.text("text");
    }
    codings.any(|own| other.all("coding").any(|known| same(own, known)))
}
