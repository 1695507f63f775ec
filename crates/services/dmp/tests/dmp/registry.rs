//! The stored queries that our client does not ask by itself, asked by hand.

use socle_cda::xds::{AssociationKind, Cumulation, RegistryObjects, Status, Visibility};
use socle_dmp::client::{Document, Reader};
use socle_dmp::model::Vihf;
use socle_dmp::model::query::{Filter, FindSubmissionSets, Named, Period, SetContents, StoredQuery};
use socle_dmp::wire::QUERY;
use socle_dmp::wire::query::{ReturnType, write};

use crate::draft::{Security, envelope, post};
use crate::support::{STRUCTURE, Twin, deposit, letter, patient, professional, reader, software, structure};

/// A query in the name of a professional of this structure.
async fn ask(twin: &Twin, at: &str, query: &StoredQuery, return_type: ReturnType) -> RegistryObjects {
    let vihf = Vihf::reinforced(structure(at), professional("899700000033"), software()).about(&patient());
    let security = Security { vihf, ..Security::feeding(&patient()) };
    let envelope = envelope(QUERY.request, &twin.url("registry"), &security.to_xml(), &write(query, return_type));
    let answer = post(twin, "registry", &socle_xml::soap::content_type(QUERY.request), envelope).await;
    assert_eq!(answer.code(), "Success");
    answer.objects()
}

/// Two lots: one with a document and its replacement, one with a masked document.
async fn filled(twin: &Twin) -> [Document; 3] {
    let client = twin.client();
    let (first, mut second, mut masked) = (letter(), letter(), letter());
    second.replaces = Some(first.entry.unique_id.clone());
    masked.entry.set_visibility(Visibility::new(true, false, false, Cumulation::Refused).unwrap());
    for document in [&first, &second, &masked] {
        client.provide(&patient(), deposit(document.clone())).await.unwrap();
    }
    [first, second, masked]
}

#[tokio::test]
async fn lots_are_found_and_opened() {
    let twin = Twin::start().await;
    let document = letter();
    let deposit = deposit(document.clone());
    let set = deposit.set.clone();
    twin.client().provide(&patient(), deposit).await.unwrap();
    let find = |submitted: Period| {
        StoredQuery::FindSubmissionSets(FindSubmissionSets {
            patient: patient().ins().clone(),
            status: vec![Status::Approved],
            source_ids: vec![set.source_id.clone()],
            submitted,
            author_person: None,
            content_types: vec![set.content_type.clone()],
        })
    };
    let since_2026 = Period { from: Some("2026".parse().unwrap()), to: None };
    let found = ask(&twin, STRUCTURE, &find(since_2026), ReturnType::LeafClass).await;
    assert_eq!(found.sets.len(), 1);
    assert_eq!(found.sets[0].unique_id, set.unique_id);
    let before = Period { from: None, to: Some("2026".parse().unwrap()) };
    assert!(ask(&twin, STRUCTURE, &find(before), ReturnType::LeafClass).await.sets.is_empty());

    let contents = |set: Named| {
        StoredQuery::GetSubmissionSetAndContents(SetContents {
            set,
            format_codes: vec![document.entry.format_code.clone()],
            confidentiality: Vec::new(),
        })
    };
    for named in [Named::UniqueIds(vec![set.unique_id.clone()]), Named::EntryUuids(vec![found.sets[0].id.clone()])] {
        let opened = ask(&twin, STRUCTURE, &contents(named), ReturnType::LeafClass).await;
        assert_eq!((opened.sets.len(), opened.entries.len()), (1, 1), "the signature is of another format");
        let [member] = opened.associations.as_slice() else { panic!("{:?}", opened.associations) };
        assert_eq!(member.kind, AssociationKind::HasMember);
        assert_eq!((&member.source, &member.target), (&opened.sets[0].id, &opened.entries[0].id));
        assert_eq!(member.slot("SubmissionSetStatus"), ["Original"]);
    }
}

#[tokio::test]
async fn associations_tell_versions() {
    let twin = Twin::start().await;
    let [first, second, _] = filled(&twin).await;
    let both = vec![first.entry.unique_id.clone(), second.entry.unique_id.clone()];
    let query = StoredQuery::GetDocumentsAndAssociations(Named::UniqueIds(both));
    let found = ask(&twin, STRUCTURE, &query, ReturnType::LeafClass).await;
    let entry = |unique_id: &str| found.entries.iter().find(|entry| entry.unique_id == unique_id).unwrap();
    let (old, new) = (entry(&first.entry.unique_id), entry(&second.entry.unique_id));
    assert_eq!((old.status, new.status), (Some(Status::Deprecated), Some(Status::Approved)));
    let replaces: Vec<_> = found.associations.iter().filter(|a| a.kind == AssociationKind::Replaces).collect();
    assert_eq!(replaces.len(), 1);
    assert_eq!((&replaces[0].source, &replaces[0].target), (&new.id, &old.id));

    let query = StoredQuery::GetAssociations(vec![old.id.clone()]);
    let of_old = ask(&twin, STRUCTURE, &query, ReturnType::LeafClass).await.associations;
    let kinds: Vec<_> = of_old.iter().map(|association| &association.kind).collect();
    assert_eq!(of_old.len(), 2, "HasMember and RPLC: {kinds:?}");
    let references = ask(&twin, STRUCTURE, &query, ReturnType::ObjectRef).await;
    assert_eq!(references.references.len(), 2);
    assert!(references.associations.is_empty());
}

#[tokio::test]
async fn a_hidden_document_has_no_lot_no_association_and_no_name() {
    const AWAY: &str = "1750000001";
    let twin = Twin::start().await;
    let [first, _, masked] = filled(&twin).await;
    let named = |document: &Document| Named::UniqueIds(vec![document.entry.unique_id.clone()]);
    let at_home = ask(&twin, STRUCTURE, &StoredQuery::GetDocuments(named(&masked)), ReturnType::LeafClass).await;
    let uuid = at_home.entries[0].id.clone();
    let set = lot_of_entry(&twin, &uuid).await;
    let hidden = [
        StoredQuery::GetDocuments(named(&masked)),
        StoredQuery::GetDocuments(Named::EntryUuids(vec![uuid.clone()])),
        StoredQuery::GetDocumentsAndAssociations(named(&masked)),
        StoredQuery::GetAssociations(vec![uuid]),
        StoredQuery::GetSubmissionSetAndContents(SetContents {
            set: Named::EntryUuids(vec![set]),
            format_codes: Vec::new(),
            confidentiality: Vec::new(),
        }),
    ];
    for query in hidden {
        let found = ask(&twin, AWAY, &query, ReturnType::LeafClass).await;
        assert_eq!(found, RegistryObjects::default(), "{query:?}");
    }
    let open = ask(&twin, AWAY, &StoredQuery::GetDocuments(named(&first)), ReturnType::LeafClass).await;
    assert_eq!(open.entries.len(), 1, "what is not hidden is seen from elsewhere");
    let sets = StoredQuery::FindSubmissionSets(FindSubmissionSets {
        patient: patient().ins().clone(),
        status: vec![Status::Approved],
        source_ids: Vec::new(),
        submitted: Period::default(),
        author_person: None,
        content_types: Vec::new(),
    });
    assert_eq!(ask(&twin, STRUCTURE, &sets, ReturnType::LeafClass).await.sets.len(), 3);
    assert_eq!(ask(&twin, AWAY, &sets, ReturnType::LeafClass).await.sets.len(), 2);
}

async fn lot_of_entry(twin: &Twin, uuid: &str) -> String {
    let query = StoredQuery::GetAssociations(vec![uuid.to_owned()]);
    let found = ask(twin, STRUCTURE, &query, ReturnType::LeafClass).await;
    found.associations.iter().find(|a| a.kind == AssociationKind::HasMember).unwrap().source.clone()
}

#[tokio::test]
async fn the_lot_s_signature_is_kept_and_not_shown_as_a_document() {
    let twin = Twin::start().await;
    let document = letter();
    twin.client().provide(&patient(), deposit(document)).await.unwrap();
    let found = twin.client().find(&patient(), &reader(), Filter::default()).await.unwrap();
    assert!(found.entries.iter().all(|entry| !entry.is_signature()));
    let away = twin.client_with(|settings| settings.structure = structure("1750000001"));
    let other = Reader { professional: professional("899700000033"), ..reader() };
    assert_eq!(away.find(&patient(), &other, Filter::default()).await.unwrap().entries.len(), 1);
}
