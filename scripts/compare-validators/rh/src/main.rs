//! rh-validator over folders: one process, one thread.
//!
//! `judge-rh SECONDS PACKAGES NAME=FOLDER[=PROFILE]...`; one line a folder: name, documents, documents with
//! errors, documents a second of processor time.

use std::time::{Duration, Instant};

use rh_validator::{FhirValidator, FhirVersion};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().and_then(|text| text.parse().ok()).expect("SECONDS");
    let packages = arguments.next().expect("PACKAGES");
    let validator = FhirValidator::new(FhirVersion::R4, Some(&packages)).expect("a validator");
    for one in arguments {
        let parts: Vec<&str> = one.splitn(3, '=').collect();
        measure(&validator, parts[0], &documents(parts[1]), parts.get(2).copied(), seconds);
    }
}

fn documents(folder: &str) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder).expect(folder).map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).expect("a text")).collect()
}

fn measure(validator: &FhirValidator, name: &str, documents: &[String], profile: Option<&str>, seconds: f64) {
    let start = Instant::now();
    let (mut wrong, mut last);
    loop {
        let before = processor_time();
        wrong = documents.iter().filter(|document| is_wrong(validator, document, profile)).count();
        last = (processor_time() - before).as_secs_f64();
        if start.elapsed().as_secs_f64() > seconds {
            break;
        }
    }
    println!("RESULT {name} {} {wrong} {:.2}", documents.len(), documents.len() as f64 / last);
}

/// By its declared profile, or that of its type: what `validate_auto` does when a resource claims nothing is
/// base checks alone, which look at few elements.
fn is_wrong(validator: &FhirValidator, document: &str, profile: Option<&str>) -> bool {
    let Ok(resource) = serde_json::from_str::<serde_json::Value>(document) else { return true };
    let kind = resource["resourceType"].as_str().unwrap_or_default();
    let of_type = format!("http://hl7.org/fhir/StructureDefinition/{kind}");
    let result = validator.validate_with_profile(&resource, profile.unwrap_or(&of_type));
    result.map_or(true, |result| !result.valid)
}

fn processor_time() -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(spent.split(' ').next().and_then(|text| text.parse().ok()).expect("nanoseconds"))
}
