//! The contracts, of our own writing: messages, operations, one SOAP 1.2 endpoint per service. Types are
//! those of IHE and OASIS, named and not copied.

use socle_xml::write::Writer;

use super::UNOFFICIAL;
use super::service::Service;
use crate::wire::{Action, EXISTENCE, PROVIDE, QUERY, RETRIEVE};

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const SOAP12: &str = "http://schemas.xmlsoap.org/wsdl/soap12/";
const WSAW: &str = "http://www.w3.org/2006/05/addressing/wsdl";
const TARGET: &str = "urn:ihe:iti:xds-b:2007";

struct Operation {
    name: &'static str,
    action: Action,
    request: &'static str,
    response: &'static str,
}

fn operations(service: Service) -> &'static [Operation] {
    static REPOSITORY: [Operation; 2] = [
        Operation {
            name: "ProvideAndRegisterDocumentSet-b",
            action: PROVIDE,
            request: "xdsb:ProvideAndRegisterDocumentSetRequest",
            response: "rs:RegistryResponse",
        },
        Operation {
            name: "RetrieveDocumentSet",
            action: RETRIEVE,
            request: "xdsb:RetrieveDocumentSetRequest",
            response: "xdsb:RetrieveDocumentSetResponse",
        },
    ];
    static REGISTRY: [Operation; 1] = [Operation {
        name: "RegistryStoredQuery",
        action: QUERY,
        request: "query:AdhocQueryRequest",
        response: "query:AdhocQueryResponse",
    }];
    static PATIENTS: [Operation; 1] = [Operation {
        name: "PRPA_IN201307UV02",
        action: EXISTENCE,
        request: "hl7:PRPA_IN201307UV02",
        response: "hl7:PRPA_IN201308UV02",
    }];
    match service {
        Service::Repository => &REPOSITORY,
        Service::Registry => &REGISTRY,
        Service::Patients => &PATIENTS,
        Service::Habilitations => &[],
    }
}

/// The contract of a service at this base.
pub(super) fn write(service: Service, base: &str) -> String {
    let mut w = Writer::document();
    w.open("wsdl:definitions").ns("wsdl", WSDL).ns("soap12", SOAP12).ns("wsaw", WSAW).ns("xdsb", TARGET);
    w.ns("hl7", "urn:hl7-org:v3").ns("rs", crate::wire::NS_RS).ns("query", crate::wire::NS_QUERY);
    w.attr("name", service.name()).attr("targetNamespace", TARGET);
    w.leaf("wsdl:documentation", UNOFFICIAL);
    for operation in operations(service) {
        for (suffix, element) in [("Request", operation.request), ("Response", operation.response)] {
            w.open("wsdl:message").attr("name", &format!("{}{suffix}", operation.name));
            w.open("wsdl:part").attr("name", "body").attr("element", element).close().close();
        }
    }
    w.open("wsdl:portType").attr("name", "PortType");
    for operation in operations(service) {
        w.open("wsdl:operation").attr("name", operation.name);
        for (element, suffix, action) in [
            ("wsdl:input", "Request", operation.action.request),
            ("wsdl:output", "Response", operation.action.response),
        ] {
            w.open(element).attr("message", &format!("xdsb:{}{suffix}", operation.name));
            w.attr("wsaw:Action", action).close();
        }
        w.close();
    }
    w.close();
    w.open("wsdl:binding").attr("name", "Binding").attr("type", "xdsb:PortType");
    w.open("soap12:binding")
        .attr("style", "document")
        .attr("transport", "http://schemas.xmlsoap.org/soap/http")
        .close();
    for operation in operations(service) {
        w.open("wsdl:operation").attr("name", operation.name);
        w.open("soap12:operation").attr("soapAction", operation.action.request).close();
        for element in ["wsdl:input", "wsdl:output"] {
            w.open(element).open("soap12:body").attr("use", "literal").close().close();
        }
        w.close();
    }
    w.close();
    w.open("wsdl:service").attr("name", service.name());
    w.open("wsdl:port").attr("name", "Port").attr("binding", "xdsb:Binding");
    w.open("soap12:address").attr("location", &format!("{base}/{}", service.name()));
    w.finish()
}

#[cfg(test)]
mod tests {
    use socle_xml::{Limits, NodeExt, parse};

    use super::*;

    #[test]
    fn a_contract_says_where_and_what() {
        for (service, name) in Service::ALL {
            let text = write(service, "https://localhost:1/base");
            let document = parse(&text, &Limits::ENVELOPE).unwrap();
            let addresses: Vec<_> = document.descendants().filter(|node| node.is(Some(SOAP12), "address")).collect();
            assert_eq!(addresses.len(), 1);
            assert_eq!(addresses[0].attribute("location"), Some(format!("https://localhost:1/base/{name}").as_str()));
            let actions = document.descendants().filter(|node| node.is(Some(SOAP12), "operation")).count();
            assert_eq!(actions, operations(service).len());
            assert!(text.contains(UNOFFICIAL));
        }
    }
}
