//! The examples that the French packages ship, against the profiles that they declare: what is reported as an
//! error is one, and is listed with the reason; what cannot be looked up is counted.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it cannot go on, and says what it skips"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use socle_fhir::package::{Closure, Limits, Package, View};
use socle_fhir::profile::{Options, Report, Subject, Validator};

struct Case {
    package: &'static str,
    /// What holds its dependencies, as far as the shared data has them.
    beside: &'static [&'static str],
    examples: usize,
    wrong: &'static [Wrong],
    /// Profiles, extensions, value sets, invariants, slices.
    not_checked: [usize; 5],
}

/// An example that breaks its profile: the rules, and how it does.
struct Wrong {
    example: &'static str,
    rules: &'static [&'static str],
    #[expect(dead_code, reason = "for the reader")]
    why: &'static str,
}

const INSEE: &str = "binding https://hl7.fr/ig/fhir/core/ValueSet/fr-core-vs-insee-code|2.2.0";
const INSEE_OF_2_1: &str = "binding https://hl7.fr/ig/fhir/core/ValueSet/fr-core-vs-insee-code|2.1.0";
const SPECIALTY: &str = "binding http://interopsante.org/fhir/ValueSet/fr-practitioner-specialty";

/// FR Core binds the commune of an address to TRE_R13-CommuneOM, required.
const COMMUNE: &str = "the commune is of TRE_R13-Commune; the required value set is of TRE_R13-CommuneOM";
const TEXT_ALONE: &str = "specialty is text alone where a code is required";

const CASES: &[Case] = &[
    Case {
        package: "hl7.fhir.fr.core-2.1.0.tgz",
        beside: &["hl7.fhir.fr.core-2.2.0-combined.tgz"],
        examples: 8,
        wrong: &[],
        not_checked: [0; 5],
    },
    Case {
        package: "hl7.fhir.fr.core-2.2.0.tgz",
        beside: &["hl7.fhir.fr.core-2.2.0-combined.tgz"],
        examples: 25,
        wrong: &[],
        // The communes themselves (TRE_R13-CommuneOM) are in no package: 39 293 codes.
        not_checked: [0, 0, 1, 0, 0],
    },
    Case {
        package: "ans.fhir.fr.pdsm-3.1.1.tgz",
        beside: &["ans.fhir.fr.pdsm-combined.tgz"],
        examples: 6,
        wrong: &[
            Wrong {
                example: "DocumentReference-exemple-pdsm-documentreference",
                rules: &[
                    "dom-3",
                    "dom-4",
                    "DocumentReference.author aggregation",
                    "DocumentReference.authenticator aggregation",
                    "DocumentReference.context.sourcePatientInfo aggregation",
                ],
                why: "nothing refers to the contained Practitioner, which has a lastUpdated; author, authenticator \
                      and sourcePatientInfo have to be contained and are not",
            },
            Wrong {
                example: "List-ExampleSubmissionSet",
                rules: &["dom-4", "mhd-startswithoid"],
                why: "contained resources have versionId and lastUpdated; uniqueId is a urn:uuid where MHD wants a \
                      urn:oid",
            },
        ],
        not_checked: [4, 0, 1, 0, 0],
    },
    Case {
        package: "ans.fhir.fr.sas-1.2.0.tgz",
        beside: &["ans.fhir.fr.sas-combined.tgz"],
        examples: 39,
        wrong: &[
            Wrong { example: "Bundle-ExampleBundlePSIndiv", rules: &[SPECIALTY], why: TEXT_ALONE },
            Wrong { example: "Slot-ExampleSlotPSIndiv3", rules: &[SPECIALTY], why: TEXT_ALONE },
            Wrong { example: "Slot-ExampleSlotPSIndiv5", rules: &[SPECIALTY], why: TEXT_ALONE },
        ],
        not_checked: [0; 5],
    },
    Case {
        package: "ans.fhir.fr.annuaire-1.2.0-snapshot-2.tgz",
        beside: &["hl7.fhir.fr.core-2.2.0-combined.tgz"],
        examples: 14,
        wrong: &[
            Wrong { example: "Organization-158480", rules: &[INSEE], why: COMMUNE },
            Wrong { example: "Organization-158480DP", rules: &[INSEE], why: COMMUNE },
            Wrong { example: "Organization-example-organization-nancy", rules: &[INSEE], why: COMMUNE },
            Wrong {
                example: "Person-pp16dr-person",
                rules: &[INSEE, "Person.meta.profile:as-dr-canonical min 1"],
                why: "the commune as above; meta.profile has to name as-dr-person with its version",
            },
            Wrong {
                example: "Person-pp19dr-person",
                rules: &[INSEE, "Person.meta.profile:as-dr-canonical min 1"],
                why: "as Person-pp16dr-person",
            },
            Wrong {
                example: "Practitioner-334081",
                rules: &[INSEE, "binding http://hl7.org/fhir/ValueSet/all-languages"],
                why: "the commune as above; a language is BCP 47 (maximum value set of R4), not of TRE_G00-Langue",
            },
        ],
        not_checked: [3, 0, 7, 0, 23],
    },
    Case {
        package: "ans.fhir.fr.cercle-de-soins-main.tgz",
        beside: &["ans.fhir.fr.pdsm-combined.tgz", "hl7.fhir.fr.core-2.1.0.tgz"],
        examples: 5,
        wrong: &[
            Wrong {
                example: "Bundle-cds-bundle-transaction-creation-example",
                rules: &[
                    "2.6.2",
                    INSEE_OF_2_1,
                    "CareTeam.subject targetProfile",
                    "CareTeam.participant.member targetProfile",
                    "RelatedPerson.patient targetProfile",
                    "Bundle.entry:careTeam min 1",
                    "Bundle.entry:patient min 1",
                ],
                why: "empty strings; the commune as above, and so the Patient, who points at it, and the entries \
                      that have to follow these profiles",
            },
            Wrong { example: "CareTeam-cds-careteam-example", rules: &["2.6.2"], why: "an empty string" },
            Wrong { example: "Organization-cds-organization-example", rules: &["2.6.2"], why: "empty strings" },
            Wrong { example: "Patient-cds-patient-example", rules: &[INSEE_OF_2_1], why: COMMUNE },
        ],
        not_checked: [0, 0, 0, 0, 5],
    },
    Case {
        package: "ans.fhir.fr.gap-main.tgz",
        beside: &["ans.fhir.fr.pdsm-combined.tgz", "hl7.fhir.fr.core-2.1.0.tgz"],
        examples: 2,
        wrong: &[],
        not_checked: [0; 5],
    },
];

fn open(name: &str) -> Option<Arc<Package>> {
    let file = support::shared("examples of packages", &format!("fhir/packages/{name}"))?;
    let bytes = std::fs::read(file).unwrap();
    Some(Arc::new(Package::from_archive(name, &bytes, &Limits::default()).unwrap()))
}

#[test]
fn an_example_of_a_package_is_wrong_only_where_we_know_why() {
    for case in CASES {
        let Some(package) = open(case.package) else { return };
        let mut roots = vec![Arc::clone(&package)];
        roots.extend(case.beside.iter().filter_map(|name| open(name)));
        let validator = Validator::of(Arc::new(View::of(Closure::of(&roots, roots.as_slice()))), Options::default());
        let mut examples = 0;
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for entry in package.entries().iter().filter(|entry| entry.is_example) {
            examples += 1;
            let name = entry.path.trim_start_matches("example/").trim_end_matches(".json").to_owned();
            let report = validator.validate(&package.document(entry).unwrap(), &[]);
            unknown.extend(report.not_checked.iter().map(|one| (one.subject, one.name.to_string())));
            for error in report.findings.iter().filter(|finding| finding.is_error()) {
                println!("{} {name} {} {} {}", case.package, error.at.path, error.rule, error.message.en);
                if error.rule.point.starts_with("Person.meta.profile:as-dr-canonical") {
                    assert!(error.mend.en.ends_with("as-dr-person|1.2.0-snapshot-2"), "{}", error.mend.en);
                }
                found.entry(name.clone()).or_default().insert(error.rule.point.to_string());
            }
        }
        for (subject, name) in &unknown {
            println!("{} not checked: {} {name}", case.package, subject.named().1);
        }
        let wrong = case.wrong.iter().map(|wrong| {
            let rules: BTreeSet<String> = wrong.rules.iter().map(|rule| (*rule).to_owned()).collect();
            (wrong.example.to_owned(), rules)
        });
        let wrong: BTreeMap<String, BTreeSet<String>> = wrong.collect();
        let subjects = [Subject::Profile, Subject::Extension, Subject::ValueSet, Subject::Invariant, Subject::Slice];
        let counts = subjects.map(|subject| unknown.iter().filter(|(of, _)| *of == subject).count());
        assert_eq!(found, wrong, "{}", case.package);
        assert_eq!(counts, case.not_checked, "{}: profiles, extensions, value sets, invariants, slices", case.package);
        assert_eq!(examples, case.examples, "{}", case.package);
    }
}

/// FR Core has its own types of identifiers; R4 only advises its own.
#[test]
fn who_follows_fr_core_is_not_warned_of_its_codes() {
    let Some(package) = open("hl7.fhir.fr.core-2.2.0.tgz") else { return };
    let Some(beside) = open("hl7.fhir.fr.core-2.2.0-combined.tgz") else { return };
    let roots = [Arc::clone(&package), beside];
    let validator = Validator::of(Arc::new(View::of(Closure::of(&roots, roots.as_slice()))), Options::default());
    let core = Validator::core(Options::default());
    let (mut advised, mut told) = (0, Vec::new());
    for entry in package.entries().iter().filter(|entry| entry.is_example) {
        let document = package.document(entry).unwrap();
        let is_advice = |point: &str| point.starts_with("binding http://hl7.org/fhir/ValueSet/identifier-type");
        let count = |report: Report| {
            report.findings.into_iter().filter(|finding| is_advice(&finding.rule.point)).map(|one| one.at.path)
        };
        advised += count(core.validate(&document, &[])).count();
        told.extend(count(validator.validate(&document, &[])).map(|path| format!("{} {path}", entry.path)));
    }
    assert!(advised >= 10, "R4 alone advises its codes: {advised}");
    // fr-core-organization says nothing of the types of its identifiers.
    let expected = [0, 1]
        .map(|at| format!("example/Organization-FRCoreOrganizationExample.json Organization.identifier[{at}].type"));
    assert_eq!(told, expected);
}
