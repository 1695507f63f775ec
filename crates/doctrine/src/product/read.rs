//! `produit.toml` read: first its shape, then what each value means.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use socle_finding::Text;

use super::{
    Component, Ehr, EhrCategory, EhrMode, HdsReference, Hosting, Product, ProductError, ProductProblem, Role, Vendor,
};
use crate::catalogue::{Catalogue, Kind};

/// Largest file read.
const BYTES_MAX: usize = 1 << 20;

/// The shape, before any value is judged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    product: ProductShape,
    vendor: VendorShape,
    #[serde(default)]
    components: Vec<ComponentShape>,
    #[serde(default)]
    hosting: Vec<HostingShape>,
    #[serde(default)]
    facts: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductShape {
    name: String,
    version: String,
    released: Option<String>,
    kinds: Vec<String>,
    #[serde(default)]
    schemes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorShape {
    legal_name: String,
    siren: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentShape {
    role: String,
    name: String,
    version: String,
    nru: Option<String>,
    cnda_attestation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostingShape {
    host: String,
    hds_certificate: Option<String>,
    hds_reference: Option<u8>,
    #[serde(default)]
    activities: BTreeSet<u8>,
    valid_until: Option<String>,
    #[serde(default)]
    countries: Vec<String>,
}

pub(super) fn product(text: &str, catalogue: &Catalogue) -> Result<Product, ProductError> {
    if text.len() > BYTES_MAX {
        return Err(ProductError(vec![problem(
            "",
            Text::fixed("fichier de plus de 1 Mo", "a file of more than 1 MB"),
            Text::fixed("donnez un fichier produit.toml", "give a produit.toml file"),
        )]));
    }
    let shape: Shape = toml::from_str(text).map_err(|error| ProductError(vec![not_the_shape(text, &error)]))?;
    let mut reader = Reader { catalogue, found: Vec::new() };
    let product = reader.product(shape);
    if reader.found.is_empty() { Ok(product) } else { Err(ProductError(reader.found)) }
}

fn not_the_shape(text: &str, error: &toml::de::Error) -> ProductProblem {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    let detail = error.message().to_owned();
    problem(
        &format!("{line}"),
        Text::new(format!("ligne {line} : {detail}"), format!("line {line}: {detail}")),
        Text::fixed(
            "corrigez cette ligne ; « socle conformity init » écrit un fichier juste",
            "mend that line; `socle conformity init` writes a right file",
        ),
    )
}

fn problem(place: &str, message: Text, mend: Text) -> ProductProblem {
    ProductProblem { place: place.to_owned(), message, mend }
}

struct Reader<'a> {
    catalogue: &'a Catalogue,
    found: Vec<ProductProblem>,
}

impl Reader<'_> {
    fn product(&mut self, shape: Shape) -> Product {
        self.filled("product.name", &shape.product.name);
        self.filled("product.version", &shape.product.version);
        self.filled("vendor.legal_name", &shape.vendor.legal_name);
        if let Some(siren) = &shape.vendor.siren
            && !(siren.len() == 9 && siren.bytes().all(|byte| byte.is_ascii_digit()))
        {
            self.unknown("vendor.siren", siren, "9 chiffres / 9 digits");
        }
        let released = shape.product.released.as_deref().and_then(|text| self.date("product.released", text));
        let kinds = self.kinds(&shape.product.kinds);
        let schemes = self.schemes(shape.product.schemes);
        let components =
            shape.components.into_iter().enumerate().filter_map(|(at, shape)| self.component(at, shape)).collect();
        let hosting = shape.hosting.into_iter().enumerate().map(|(at, shape)| self.hosting(at, shape)).collect();
        let (facts, ehr) = self.facts(shape.facts);
        Product {
            name: shape.product.name,
            version: shape.product.version,
            released,
            vendor: Vendor { legal_name: shape.vendor.legal_name, siren: shape.vendor.siren },
            kinds,
            schemes,
            components,
            hosting,
            facts,
            ehr,
        }
    }

    fn add(&mut self, place: &str, message: Text, mend: Text) {
        self.found.push(problem(place, message, mend));
    }

    fn unknown(&mut self, place: &str, found: &str, accepted: &str) {
        self.add(
            place,
            Text::new(format!("« {found} » n'est pas une valeur admise"), format!("`{found}` is no accepted value")),
            Text::new(format!("donnez : {accepted}"), format!("give: {accepted}")),
        );
    }

    fn filled(&mut self, place: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(place, Text::fixed("vide", "empty"), Text::fixed("donnez une valeur", "give a value"));
        }
    }

    fn date(&mut self, place: &str, text: &str) -> Option<Date> {
        let date = text.parse().ok();
        if date.is_none() {
            self.unknown(place, text, "AAAA-MM-JJ / YYYY-MM-DD");
        }
        date
    }

    fn kinds(&mut self, names: &[String]) -> BTreeSet<Kind> {
        if names.is_empty() {
            self.unknown("product.kinds", "[]", &kinds_accepted());
        }
        let mut kinds = BTreeSet::new();
        for name in names {
            match Kind::of(name).filter(|kind| *kind != Kind::Any) {
                Some(kind) => _ = kinds.insert(kind),
                None => self.unknown("product.kinds", name, &kinds_accepted()),
            }
        }
        kinds
    }

    fn schemes(&mut self, names: Vec<String>) -> BTreeSet<String> {
        for name in &names {
            if !self.catalogue.knows_scheme(name) {
                let programmes = self.catalogue.programmes.iter().map(|one| one.code.as_str());
                let corridors = self.catalogue.corridors.iter().map(|one| one.code.as_str());
                let accepted = programmes.chain(corridors).collect::<Vec<_>>().join(", ");
                self.unknown("product.schemes", name, &accepted);
            }
        }
        names.into_iter().collect()
    }

    fn component(&mut self, at: usize, shape: ComponentShape) -> Option<Component> {
        let place = format!("components[{at}]");
        self.filled(&format!("{place}.name"), &shape.name);
        self.filled(&format!("{place}.version"), &shape.version);
        let role = match shape.role.as_str() {
            "LPS" => Role::Lps,
            "PROXY" => Role::Proxy,
            "EAI" => Role::Eai,
            "OPERATEUR" => Role::Operator,
            "AUTRE" => Role::Other,
            other => {
                self.unknown(&format!("{place}.role"), other, "LPS, PROXY, EAI, OPERATEUR, AUTRE");
                return None;
            }
        };
        let (nru, cnda_attestation) = (shape.nru, shape.cnda_attestation);
        Some(Component { role, name: shape.name, version: shape.version, nru, cnda_attestation })
    }

    fn hosting(&mut self, at: usize, shape: HostingShape) -> Hosting {
        let place = format!("hosting[{at}]");
        self.filled(&format!("{place}.host"), &shape.host);
        let reference = match shape.hds_reference {
            None => None,
            Some(1) => Some(HdsReference::V1),
            Some(2) => Some(HdsReference::V2),
            Some(other) => {
                self.unknown(&format!("{place}.hds_reference"), &other.to_string(), "1, 2");
                None
            }
        };
        if let Some(other) = shape.activities.iter().find(|number| !(1..=6).contains(*number)) {
            self.unknown(&format!("{place}.activities"), &other.to_string(), "1, 2, 3, 4, 5, 6");
        }
        for country in &shape.countries {
            if !(country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())) {
                self.unknown(&format!("{place}.countries"), country, "FR, DE… (ISO 3166)");
            }
        }
        let valid_until =
            shape.valid_until.as_deref().and_then(|text| self.date(&format!("{place}.valid_until"), text));
        Hosting {
            host: shape.host,
            certificate: shape.hds_certificate,
            reference,
            activities: shape.activities,
            valid_until,
            countries: shape.countries,
        }
    }

    fn facts(&mut self, given: BTreeMap<String, toml::Value>) -> (BTreeMap<String, bool>, Ehr) {
        let (mut facts, mut ehr) = (BTreeMap::new(), Ehr::default());
        for (name, value) in given {
            let place = format!("facts.{name}");
            match name.as_str() {
                "ehr_system" => ehr.system = self.answer(&place, &value),
                "ehr_categories" => ehr.categories = self.words(&place, &value, category, "a, b, c, d, e, f"),
                "ehr_mode" => ehr.modes = self.words(&place, &value, mode, "marketed, in-house, service"),
                _ if self.catalogue.facts.iter().any(|fact| fact.name == name) => {
                    if let Some(answer) = self.answer(&place, &value) {
                        facts.insert(name, answer);
                    }
                }
                _ => {
                    let known = self.catalogue.facts.iter().map(|fact| fact.name.as_str());
                    let accepted =
                        known.chain(["ehr_system", "ehr_categories", "ehr_mode"]).collect::<Vec<_>>().join(", ");
                    self.unknown("facts", &name, &accepted);
                }
            }
        }
        (facts, ehr)
    }

    fn answer(&mut self, place: &str, value: &toml::Value) -> Option<bool> {
        match value {
            toml::Value::Boolean(answer) => Some(*answer),
            toml::Value::String(text) if text == "unknown" => None,
            other => {
                self.unknown(place, &other.to_string(), "true, false, \"unknown\"");
                None
            }
        }
    }

    fn words<T: Ord>(
        &mut self,
        place: &str,
        value: &toml::Value,
        of: fn(&str) -> Option<T>,
        accepted: &str,
    ) -> Option<BTreeSet<T>> {
        let listed = match value {
            toml::Value::String(text) if text == "unknown" => return None,
            toml::Value::Array(listed) => listed,
            other => {
                self.unknown(place, &other.to_string(), &format!("[…] : {accepted}"));
                return None;
            }
        };
        let mut all = BTreeSet::new();
        for one in listed {
            match one.as_str().and_then(of) {
                Some(word) => _ = all.insert(word),
                None => self.unknown(place, &one.to_string(), accepted),
            }
        }
        Some(all)
    }
}

fn kinds_accepted() -> String {
    let all = Kind::ALL.iter().filter(|kind| **kind != Kind::Any).map(|kind| kind.token());
    all.collect::<Vec<_>>().join(", ")
}

fn category(text: &str) -> Option<EhrCategory> {
    Some(match text {
        "a" => EhrCategory::A,
        "b" => EhrCategory::B,
        "c" => EhrCategory::C,
        "d" => EhrCategory::D,
        "e" => EhrCategory::E,
        "f" => EhrCategory::F,
        _ => return None,
    })
}

fn mode(text: &str) -> Option<EhrMode> {
    Some(match text {
        "marketed" => EhrMode::Marketed,
        "in-house" => EhrMode::InHouse,
        "service" => EhrMode::Service,
        _ => return None,
    })
}
