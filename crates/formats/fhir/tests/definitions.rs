//! The tables of R4: everything in them opens, and the graph of types says what the structures say.

#![allow(missing_docs)]

use socle_fhir::definitions::{Definitions, Max, PrimitiveKind, SearchKind, Strength, TypeKind, canonical, r4, types};
use socle_fhir::{Document, NameId};

#[test]
fn every_resource_of_the_tables_opens() {
    let r4 = r4();
    let counts = ["StructureDefinition", "SearchParameter", "CodeSystem", "ValueSet", "ConceptMap"]
        .map(|kind| (r4.canonicals(kind).count(), r4.resources(kind).count()));
    assert_eq!(counts, [(649, 649), (1375, 1375), (1063, 1063), (1317, 1317), (19, 19)]);
    for named in r4.structures() {
        let structure = r4.structure(named.url).unwrap_or_else(|| panic!("{}", named.url));
        assert_eq!((&*structure.url, &*structure.name), (named.url, named.name));
        assert!(!structure.elements.is_empty(), "{}", named.url);
        assert!(structure.elements.iter().all(|element| element.min.is_some() && element.max.is_some()));
    }
    assert_eq!(r4.search_parameters().len(), 1375);
    assert_eq!(r4.operations().len(), 46);
    assert_eq!(r4.compartments().len(), 5);
}

#[test]
fn a_canonical_is_found_with_its_version_only_if_it_is_that_version() {
    let found = |canonical: &str| r4().structure(canonical).is_some();
    let url = "http://hl7.org/fhir/StructureDefinition/Patient";
    for (version, expected) in
        [("", true), ("|4.0.1", true), ("|4.0", true), ("|4", true), ("|4.0.10", false), ("|5.0.0", false)]
    {
        assert_eq!(found(&format!("{url}{version}")), expected, "{version}");
    }
    let table = "http://terminology.hl7.org/CodeSystem/v2-0360|2.3.1";
    assert!(r4().code_system(table).is_some(), "a version inside the url");
    assert!(
        Definitions::resource(r4(), "ValueSet", "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1").is_some()
    );
    assert!(Definitions::resource(r4(), "Patient", url).is_none());
}

#[test]
fn well_known_names_have_their_numbers() {
    let known = [
        (NameId::RESOURCE_TYPE, "resourceType"),
        (NameId::ID, "id"),
        (NameId::EXTENSION, "extension"),
        (NameId::MODIFIER_EXTENSION, "modifierExtension"),
        (NameId::URL, "url"),
        (NameId::VALUE, "value"),
        (NameId::META, "meta"),
        (NameId::TEXT, "text"),
        (NameId::DIV, "div"),
        (NameId::STATUS, "status"),
        (NameId::CONTAINED, "contained"),
        (NameId::PROFILE, "profile"),
        (NameId::REFERENCE, "reference"),
        (NameId::IDENTIFIER, "identifier"),
        (NameId::SYSTEM, "system"),
        (NameId::CODE, "code"),
        (NameId::DISPLAY, "display"),
        (NameId::CODING, "coding"),
        (NameId::TYPE, "type"),
        (NameId::ENTRY, "entry"),
        (NameId::RESOURCE, "resource"),
        (NameId::FULL_URL, "fullUrl"),
    ];
    for (id, name) in known {
        assert_eq!((NameId::of(name), id.text()), (Some(id), Some(name)));
    }
    let birth_date = NameId::of("birthDate").unwrap();
    let companion = birth_date.companion().unwrap();
    assert_eq!((companion.text(), companion.companion_of()), (Some("_birthDate"), Some(birth_date)));
    assert_eq!(NameId::of("_birthDate"), Some(companion));
    assert_eq!(
        (NameId::CONTAINED.companion(), birth_date.companion_of(), NameId::of("no such name")),
        (None, None, None)
    );
}

#[test]
fn the_tape_uses_those_numbers() {
    let document =
        Document::parse(&br#"{"resourceType":"Patient","birthDate":"1978","mine":1,"\u006dine2":[{"mine":2}]}"#[..])
            .unwrap();
    let root = document.root();
    assert_eq!(root.get_id(NameId::of("birthDate").unwrap()).unwrap().str(), Some("1978"));
    assert_eq!(root.name_id(), NameId::NONE);
    let mine = root.get("mine").unwrap().name_id();
    assert!(!mine.is_known() && mine.text().is_none());
    let inner = root.all("mine2").next().unwrap();
    assert_eq!((inner.name_id(), inner.get_id(mine).unwrap().number()), (NameId::NONE, Some("2")));
}

#[test]
fn the_graph_says_what_the_snapshots_say() {
    let (types, r4) = (types(), r4());
    let mut seen = 0;
    for id in types.all() {
        let structure = r4.type_named(types.name(types.root(id))).unwrap_or_else(|| panic!("{}", types.name(id)));
        let own = &structure.elements[usize::from(types.element_index(id))];
        assert_eq!(&*own.path, types.name(id));
        for (order, child) in (0..).zip(types.children(id)) {
            seen += 1;
            let element = &structure.elements[usize::from(child.element)];
            let base = child.base.text().unwrap();
            let choice = if child.choice { "[x]" } else { "" };
            assert_eq!(&*element.path, format!("{}.{base}{choice}", own.path));
            assert_eq!(child.order, order);
            assert_eq!(child.many, element.max != Some(Max::Count(1)), "{}", element.path);
            assert_eq!(child.required, element.min > Some(0), "{}", element.path);
            assert_eq!(child.xml_attribute, element.xml_attribute, "{}", element.path);
            assert_eq!(types.child(id, child.name), Some(child), "{}", element.path);
            let type_name = types.name(child.type_id);
            let is_typed = element.types.iter().any(|one| &*one.code == type_name);
            let is_here =
                type_name == &*element.path || element.content_reference.as_deref() == Some(&format!("#{type_name}"));
            // Alone in R4, `xhtml.id` does not say which FHIR type its system type is.
            let is_untold = &*element.path == "xhtml.id" && type_name == "string";
            assert!(is_typed || is_here || is_untold, "{} {type_name}", element.path);
            let members = types.element(id, child.base);
            assert!(members.contains(child));
            assert_eq!(members.len(), if child.choice { element.types.len() } else { 1 }, "{}", element.path);
        }
    }
    assert!(seen > 8000);
}

#[test]
fn types_know_their_ancestors_and_their_kind() {
    let types = types();
    let named = |name: &str| types.named(name).unwrap_or_else(|| panic!("{name}"));
    for (id, ancestor, expected) in [
        ("Patient", "DomainResource", true),
        ("Patient", "Resource", true),
        ("Bundle", "DomainResource", false),
        ("Age", "Quantity", true),
        ("code", "string", true),
        ("string", "code", false),
        ("Patient.contact", "BackboneElement", true),
        ("Timing.repeat", "Element", true),
        ("Timing.repeat", "BackboneElement", false),
    ] {
        assert_eq!(types.is_subtype(named(id), named(ancestor)), expected, "{id} {ancestor}");
    }
    assert_eq!(types.kind(named("positiveInt")), TypeKind::Primitive(PrimitiveKind::PositiveInt));
    assert_eq!(types.kind(named("xhtml")), TypeKind::Primitive(PrimitiveKind::Xhtml));
    assert_eq!(types.kind(named("Questionnaire.item")), TypeKind::Backbone);
    assert!(types.resource("DomainResource").is_none() && types.resource("HumanName").is_none());
    let item = named("Questionnaire.item");
    let inner = types.child(item, NameId::of("item").unwrap()).unwrap();
    assert_eq!(inner.type_id, item, "a content reference leads back");
    let entry = named("Bundle.entry");
    assert_eq!(types.child(entry, NameId::RESOURCE).unwrap().type_id, named("Resource"));
    assert!(types.child(named("Observation"), NameId::VALUE).is_none());
    assert_eq!(types.element(named("Extension"), NameId::VALUE).len(), 50);
    assert_eq!(types.named_id(NameId::of("Patient").unwrap()), Some(named("Patient")));
    assert_eq!(types.children(named("string")).len(), 2, "id and extension");
}

#[test]
fn facts_of_r4_are_there() {
    let r4 = r4();
    let patient = r4.type_named("Patient").unwrap();
    let gender = patient.elements.iter().find(|element| &*element.path == "Patient.gender").unwrap();
    let binding = gender.binding.as_ref().unwrap();
    assert_eq!(binding.strength, Strength::Required);
    assert_eq!(
        canonical(binding.value_set.as_deref().unwrap()).0,
        "http://hl7.org/fhir/ValueSet/administrative-gender"
    );
    let dom_6 = patient.elements[0].constraints.iter().find(|constraint| &*constraint.key == "dom-6").unwrap();
    assert!(dom_6.is_best_practice && !dom_6.is_error && dom_6.human.is_none() && dom_6.expression.is_some());
    let pattern = r4.structure("http://hl7.org/fhir/StructureDefinition/vitalsigns").unwrap();
    assert!(pattern.elements.iter().any(|element| element.slicing.is_some()));
    let birth_date = r4
        .search_parameters()
        .iter()
        .find(|one| &*one.code == "birthdate" && one.base.iter().any(|base| &**base == "Patient"))
        .unwrap();
    assert_eq!((birth_date.kind, birth_date.multiple_or), (SearchKind::Date, true));
    let around_patient = r4.compartments().iter().find(|one| &*one.code == "Patient").unwrap();
    let observation = around_patient.members.iter().find(|(code, _)| &**code == "Observation").unwrap();
    assert_eq!(observation.1, ["subject".into(), "performer".into()]);
    let everything = r4
        .operations()
        .iter()
        .find(|one| &*one.code == "everything" && one.resources.contains(&"Patient".into()))
        .unwrap();
    assert!(everything.on_instance && everything.on_type && !everything.system);
    let gender = r4.code_system("http://hl7.org/fhir/administrative-gender").unwrap();
    let codes: Vec<_> = gender.root().all("concept").filter_map(|concept| concept.text("code")).collect();
    assert_eq!(codes, ["male", "female", "other", "unknown"]);
}
