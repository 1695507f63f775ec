//! Bundles: entries, documents, messages, search results (FHIR R4 §2.36).

use std::collections::HashSet;

use socle_finding::Text;

use super::Walk;
use super::references::{base_of, type_in};
use super::say::{both, r4};
use crate::tape::{Kind, Node};

impl<'d> Walk<'_, 'd> {
    pub(super) fn bundle(&mut self, bundle: Node<'d>) {
        let kind = bundle.text("type").unwrap_or_default();
        let needs_url = !matches!(kind, "transaction" | "transaction-response" | "batch" | "batch-response");
        for entry in bundle.all("entry").filter(|entry| entry.kind() == Kind::Object) {
            match entry.get("fullUrl") {
                Some(url) => self.full_url(url, entry),
                None if needs_url && entry.get("resource").is_some() => self.no_full_url(entry),
                None => {}
            }
        }
        match kind {
            "document" => self.document_bundle(bundle),
            "message" => self.message_bundle(bundle),
            "searchset" => self.search_bundle(bundle),
            _ => {}
        }
    }

    fn no_full_url(&mut self, entry: Node<'d>) {
        self.error(
            entry,
            r4("2.36.4"),
            Text::fixed("l'entrée n'a pas de fullUrl", "the entry has no fullUrl"),
            Text::fixed(
                "donnez-lui une URL absolue, ou urn:uuid: suivi d'un UUID",
                "give it an absolute URL, or urn:uuid: followed by a UUID",
            ),
        );
    }

    fn full_url(&mut self, at: Node<'d>, entry: Node<'d>) {
        let Some(url) = at.str() else { return };
        if !url.contains(':') {
            self.error(
                at,
                r4("2.36.4"),
                Text::fixed("fullUrl n'est pas une URL absolue", "fullUrl is no absolute URL"),
                Text::fixed(
                    "écrivez une URL absolue, ou urn:uuid: suivi d'un UUID",
                    "write an absolute URL, or urn:uuid: followed by a UUID",
                ),
            );
            return;
        }
        let Some(resource) = entry.get("resource") else { return };
        let (Some(_), Some(kind)) = (base_of(url), resource.resource_type()) else { return };
        let Some(id) = resource.text("id") else {
            if resource.get("id").is_none() {
                self.error(
                    at,
                    r4("2.36.4"),
                    Text::fixed(
                        "fullUrl est l'adresse d'une ressource, or celle-ci n'a pas d'id",
                        "fullUrl is the address of a resource, but this one has no id",
                    ),
                    Text::fixed("donnez l'id de fullUrl à la ressource", "give the resource the id in fullUrl"),
                );
            }
            return;
        };
        let tail = format!("/{kind}/{id}");
        let plain = url.split("/_history/").next().unwrap_or(url);
        if !plain.ends_with(&tail) {
            self.error(
                at,
                r4("2.36.4"),
                Text::fixed(
                    "fullUrl ne finit pas par le type et l'id de la ressource",
                    "fullUrl does not end with the type and id of the resource",
                ),
                Text::fixed("accordez fullUrl et la ressource", "make fullUrl and the resource agree"),
            );
        }
    }

    fn first(&mut self, bundle: Node<'d>, wanted: &'static str) -> Option<Node<'d>> {
        let first = bundle.all("entry").next().and_then(|entry| entry.get("resource"));
        let is_it = first.and_then(Node::resource_type) == Some(wanted);
        if !is_it {
            self.error(
                bundle,
                r4("2.36"),
                both(format!("la première entrée n'est pas un {wanted}"), format!("the first entry is not a {wanted}")),
                both(format!("mettez le {wanted} en premier"), format!("put the {wanted} first")),
            );
        }
        first.filter(|_| is_it)
    }

    /// A document: what the Composition refers to is there, and nothing that it does not reach.
    fn document_bundle(&mut self, bundle: Node<'d>) {
        let Some(composition) = self.first(bundle, "Composition") else { return };
        if bundle.parent().is_some() {
            return;
        }
        for name in ["subject", "encounter", "custodian"] {
            if let Some(reference) = composition.get(name) {
                self.in_bundle(reference);
            }
        }
        for reference in composition.all("author") {
            self.in_bundle(reference);
        }
        for attester in composition.all("attester") {
            if let Some(party) = attester.get("party") {
                self.in_bundle(party);
            }
        }
        for event in composition.all("event") {
            event.all("detail").for_each(|detail| self.in_bundle(detail));
        }
        self.sections(composition, 0);
        self.reached(bundle, composition);
    }

    fn sections(&mut self, holder: Node<'d>, depth: u32) {
        if depth > super::MAX_DEPTH {
            return;
        }
        for section in holder.all("section") {
            for entry in section.all("entry") {
                self.in_bundle(entry);
            }
            self.sections(section, depth + 1);
        }
    }

    /// The resource that a document's or message's own reference points at is in the bundle, once.
    fn in_bundle(&mut self, holder: Node<'d>) {
        let Some(at) = holder.get("reference") else { return };
        let Some(reference) = at.str() else { return };
        if reference.starts_with('#') {
            return;
        }
        let found = self.entries(reference, holder).len();
        if found == 1 {
            return;
        }
        let (message, mend) = if found == 0 {
            (
                Text::fixed(
                    "la ressource référencée n'est pas dans le lot",
                    "the resource referred to is not in the bundle",
                ),
                Text::fixed(
                    "ajoutez son entrée ; une référence relative se lit depuis le fullUrl de l'entrée",
                    "add its entry; a relative reference is read from the fullUrl of the entry",
                ),
            )
        } else {
            (
                both(
                    format!("la référence mène à {found} entrées du lot"),
                    format!("the reference leads to {found} entries of the bundle"),
                ),
                Text::fixed(
                    "gardez une seule entrée, ou précisez la version",
                    "keep one entry only, or say the version",
                ),
            )
        };
        self.error(at, r4("2.36.4.1"), message, mend);
    }

    /// Every entry is reached from the Composition by references, forward or backward (FHIR R4 §3.3.1).
    fn reached(&mut self, bundle: Node<'d>, composition: Node<'d>) {
        let entries: Vec<Node<'d>> = bundle.all("entry").collect();
        let mut links: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
        for (from, entry) in entries.iter().enumerate() {
            let Some(resource) = entry.get("resource") else { continue };
            let mut references = Vec::new();
            collect(resource, &mut references);
            for (reference, at) in references {
                for target in self.entries(reference, at) {
                    if let Some(to) = entries.iter().position(|other| *other == target) {
                        links[from].push(to);
                        links[to].push(from);
                    }
                }
            }
        }
        let start = entries.iter().position(|entry| entry.get("resource") == Some(composition));
        let mut seen: HashSet<usize> = HashSet::new();
        let mut open: Vec<usize> = start.into_iter().collect();
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                open.extend(links[at].iter().copied());
            }
        }
        for (at, entry) in entries.iter().enumerate() {
            if !seen.contains(&at) {
                self.error(
                    *entry,
                    r4("3.3.1"),
                    Text::fixed("rien ne relie cette entrée au document", "nothing links this entry to the document"),
                    Text::fixed(
                        "référencez-la depuis la Composition, ou retirez-la",
                        "refer to it from the Composition, or remove it",
                    ),
                );
            }
        }
    }

    fn message_bundle(&mut self, bundle: Node<'d>) {
        let Some(header) = self.first(bundle, "MessageHeader") else { return };
        for focus in header.all("focus") {
            self.in_bundle(focus);
        }
    }

    /// Search results have ids (FHIR R4 §3.1.1.5).
    fn search_bundle(&mut self, bundle: Node<'d>) {
        for entry in bundle.all("entry") {
            let Some(resource) = entry.get("resource") else { continue };
            let mode = entry.get("search").and_then(|search| search.text("mode"));
            let is_outcome = resource.resource_type() == Some("OperationOutcome");
            if resource.get("id").is_none() && !is_outcome {
                self.error(
                    resource,
                    r4("3.1.1.5"),
                    Text::fixed("un résultat de recherche a un id", "a search result has an id"),
                    Text::fixed("ajoutez l'id de la ressource", "add the id of the resource"),
                );
            }
            if mode == Some("outcome") && !is_outcome {
                self.error(
                    resource,
                    r4("3.1.1.5"),
                    Text::fixed(
                        "une entrée en mode outcome porte un OperationOutcome",
                        "an entry of mode outcome carries an OperationOutcome",
                    ),
                    Text::fixed("changez le mode de l'entrée", "change the mode of the entry"),
                );
            }
        }
        self.searched_type(bundle);
    }

    /// When the link `self` says what was searched, matches are of that type.
    fn searched_type(&mut self, bundle: Node<'d>) {
        let link = bundle.all("link").find(|link| link.text("relation") == Some("self"));
        let Some(url) = link.and_then(|link| link.text("url")) else { return };
        let plain = url.split('?').next().unwrap_or_default();
        let by_type = plain.rsplit('/').next().filter(|kind| crate::definitions::types().resource(kind).is_some());
        let Some(wanted) = by_type.or_else(|| type_in(plain)) else { return };
        for entry in bundle.all("entry") {
            let mode = entry.get("search").and_then(|search| search.text("mode"));
            let Some(resource) = entry.get("resource") else { continue };
            let kind = resource.resource_type();
            let is_match = mode == Some("match") && kind != Some("OperationOutcome");
            if is_match && kind != Some(wanted) {
                self.error(
                    resource,
                    r4("3.1.1.5"),
                    both(
                        format!("la recherche porte sur {wanted}, or ce résultat est d'un autre type"),
                        format!("the search is for {wanted}, but this match is of another type"),
                    ),
                    Text::fixed("mettez search.mode à include", "set search.mode to include"),
                );
            }
        }
    }
}

/// All references inside a resource, with the node that holds each.
fn collect<'d>(node: Node<'d>, into: &mut Vec<(&'d str, Node<'d>)>) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if let Some(reference) = node.text("reference") {
            into.push((reference, node));
        }
        match node.kind() {
            Kind::Object => open.extend(node.member_nodes()),
            Kind::Array => open.extend(node.items()),
            Kind::String if node.name() == Some("uri") || node.name() == Some("url") => {
                into.extend(node.str().map(|text| (text, node)));
            }
            _ => {}
        }
    }
}
