//! What was done and where: the acts (`documentationOf`) and the encounter (`componentOf`).

use socle_xml::roxmltree::Node;

use super::read::{
    code_of, folded, identifiers, mandatory_code, missing, not_in_value_set, one, tolerated_time, utc_time,
};
use super::{Encounter, MainEvent, ServiceEvent};
use crate::codes;
use crate::document::{child, children, path};
use crate::finding::Findings;

pub(super) fn service_event(node: Node<'_, '_>) -> ServiceEvent {
    let code = child(node, "code");
    let translations = code.into_iter().flat_map(|code| children(code, "translation"));
    let codes = code.into_iter().chain(translations).filter_map(code_of).collect();
    let start = tolerated_time(path(node, &["effectiveTime", "low"]));
    let stop = tolerated_time(path(node, &["effectiveTime", "high"]));
    ServiceEvent { ids: identifiers(node), codes, start, stop }
}

fn practice_setting_node<'a, 'i: 'a>(event: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let performs = |node: &Node<'_, '_>| node.attribute("typeCode") == Some("PRF");
    let names = ["assignedEntity", "representedOrganization", "standardIndustryClassCode"];
    children(event, "performer").filter(performs).find_map(|performer| path(performer, &names))
}

/// The main act is the first that names a cadre d'exercice and says when it starts.
pub(super) fn service_events(root: Node<'_, '_>, found: &mut Findings) -> Option<(MainEvent, Vec<ServiceEvent>)> {
    let point = "en-tête, documentationOf 1..*";
    let mut nodes: Vec<_> = children(root, "documentationOf").filter_map(|n| child(n, "serviceEvent")).collect();
    if nodes.is_empty() {
        missing(root, "documentationOf/serviceEvent", point, found);
        return None;
    }
    let has_low = |node: &&Node<'_, '_>| path(**node, &["effectiveTime", "low"]).is_some();
    let has_setting = |node: &&Node<'_, '_>| practice_setting_node(**node).is_some();
    let main_at = nodes
        .iter()
        .position(|node| has_setting(&node) && has_low(&node))
        .or_else(|| nodes.iter().position(|node| has_setting(&node)))
        .unwrap_or(0);
    let main = nodes.remove(main_at);
    let main_event = main_event(main, found);
    let others = nodes.into_iter().map(service_event).collect();
    Some((main_event?, others))
}

fn main_event(node: Node<'_, '_>, found: &mut Findings) -> Option<MainEvent> {
    let point = "en-tête, acte principal, effectiveTime/low";
    let start = match path(node, &["effectiveTime", "low"]) {
        Some(low) => utc_time(low, point, found),
        None => {
            missing(node, "effectiveTime/low", point, found);
            None
        }
    };
    let point = "en-tête, acte principal, standardIndustryClassCode";
    let practice_setting = match practice_setting_node(node) {
        Some(setting) => mandatory_code(setting, point, found).inspect(|code| {
            if codes::practice_setting(&code.code).is_none_or(|known| known != *code) {
                not_in_value_set(setting, "JDV_J04 XdsPracticeSettingCode", found);
            }
        }),
        None => {
            let place = "performer/assignedEntity/representedOrganization/standardIndustryClassCode";
            missing(node, place, point, found);
            None
        }
    };
    let event = service_event(node);
    Some(MainEvent { start: start?, event, practice_setting: practice_setting? })
}

pub(super) fn encounter(node: Node<'_, '_>, found: &mut Findings) -> Option<Encounter> {
    let point = "en-tête, componentOf/encompassingEncounter 1..1";
    let encounter = one(node, "encompassingEncounter", point, found)?;
    if child(encounter, "effectiveTime").is_none() {
        missing(encounter, "effectiveTime", "en-tête, encompassingEncounter/effectiveTime 1..1", found);
    }
    let point = "en-tête, healthCareFacility/code 1..1";
    let Some(facility) = path(encounter, &["location", "healthCareFacility"]) else {
        missing(encounter, "location/healthCareFacility", point, found);
        return None;
    };
    let node = one(facility, "code", point, found)?;
    let code = mandatory_code(node, point, found)?;
    if codes::facility(&code.code).is_none_or(|known| known != code) {
        not_in_value_set(node, "JDV_J02 XdsHealthcareFacilityTypeCode", found);
    }
    Some(Encounter {
        code: child(encounter, "code").and_then(code_of),
        start: tolerated_time(path(encounter, &["effectiveTime", "low"])),
        stop: tolerated_time(path(encounter, &["effectiveTime", "high"])),
        facility: code,
        place: path(facility, &["location", "name"]).map(folded).filter(|name| !name.is_empty()),
    })
}
