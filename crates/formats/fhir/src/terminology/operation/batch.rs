//! `ValueSet/$batch-validate-code`: several validations in one request, each answered for itself.

use super::request::{Context, Request};
use super::validate;
use crate::tape::Node;
use crate::terminology::library::Terminology;
use crate::write::Json;

pub(super) fn batch(terminology: &Terminology, parameters: Node<'_>, context: Context<'_>) -> Vec<u8> {
    let validations = parameters.all("parameter").filter(|one| one.text("name") == Some("validation"));
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Parameters").array("parameter", |list| {
            for inner in validations.filter_map(|one| one.get("resource")) {
                let mut request = Request::read(inner, Some(parameters), context);
                let is_of_system = request.text("url").is_none() && request.resource("valueSet").is_none();
                let answer = if is_of_system {
                    validate::in_code_system(terminology.source(), &request)
                } else {
                    validate::in_value_set(terminology, &mut request)
                };
                let body = answer.unwrap_or_else(|refusal| refusal.outcome());
                list.object(|one| _ = one.text("name", "validation").raw("resource", &body));
            }
        });
    });
    json.finish()
}
