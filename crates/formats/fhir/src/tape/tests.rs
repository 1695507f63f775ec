use super::*;

#[test]
fn walks_a_document() {
    let document =
        Document::parse(&br#"{"resourceType":"Bundle","entry":[{"resource":{"id":"a\u00e9"}},1.50]}"#[..]).unwrap();
    let root = document.root();
    let id = root.all("entry").next().unwrap().at(&["resource", "id"]).unwrap();
    assert_eq!((id.str(), id.path().as_str()), (Some("aé"), "Bundle.entry[0].resource.id"));
    assert_eq!(root.all("entry").nth(1).unwrap().number(), Some("1.50"));
}
