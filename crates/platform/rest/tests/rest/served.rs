//! A base that is served, and a client for it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::Value;
use socle_identity::Environment;
use socle_rest::{Base, Call, Settings, Validation};
use socle_store::{AuditContent, AuditFilter, Options, Page, SqliteStore, Store};
use socle_trust::audit::Record;
use socle_trust::https::serve;
use socle_trust::{Actor, ActorId, Shutdown};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A base on a port of its own.
pub(crate) struct Served {
    address: String,
    pub(crate) store: Arc<dyn Store>,
    shutdown: Shutdown,
    _folder: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The ids of a searchset's matches (`id`) and of what is included (`+Type/id`), in order.
    pub(crate) fn found(&self) -> String {
        let bundle = self.json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let shown = entries.iter().filter_map(|entry| {
            let (kind, id) = (entry["resource"]["resourceType"].as_str()?, entry["resource"]["id"].as_str());
            match entry["search"]["mode"].as_str()? {
                "match" => Some(id?.to_owned()),
                "include" => Some(format!("+{kind}/{}", id?)),
                other => Some(other.to_owned()),
            }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let bundle = self.json();
        let link = bundle["link"].as_array()?.iter().find(|link| link["relation"] == relation)?.clone();
        Some(link["url"].as_str()?.to_owned())
    }
}

fn actor(structure: &str) -> Actor {
    Actor {
        id: ActorId::System("test".to_owned()),
        name: "test".to_owned(),
        roles: Vec::new(),
        structure: Some(structure.parse().unwrap()),
        environment: Environment::Jumeau,
    }
}

async fn answer(State(base): State<Arc<Base>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let structure = parts.headers.get("x-structure").map_or("10B0152872", |value| value.to_str().unwrap());
    let call = Call {
        actor: actor(structure),
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    };
    base.answer(call).await.map(Body::from)
}

impl Served {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path(), Options::default()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let settings = Settings {
            tenant: "base".to_owned(),
            url: format!("http://{address}"),
            structure: "10B0152872".parse().unwrap(),
            environment: Environment::Jumeau,
            system: "socle.test".to_owned(),
            validation: Validation::Strict,
            lang: socle_finding::Lang::En,
            page_key: [7; 32],
            description: "test".to_owned(),
        };
        let base = Arc::new(Base::new(settings, Arc::clone(&store)).unwrap());
        let router = Router::new().fallback(answer).with_state(base);
        let shutdown = Shutdown::default();
        tokio::spawn(serve(listener, None, router, shutdown.clone()));
        Self { address, store, shutdown, _folder: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[JSON], body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Answer {
        self.send("PUT", path, &[JSON], body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let path = path.strip_prefix(&self.url("")).unwrap_or(path);
        let mut request = format!("{method} /{path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        let received = String::from_utf8(received).unwrap();
        let (head, text) = received.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Answer { status, headers, text: text.to_owned() }
    }

    /// The records of the audit log, newest first.
    pub(crate) async fn records(&self) -> Vec<Record> {
        let entries = self.store.audit(AuditFilter::default(), Page::first(1000)).await.unwrap();
        let records = entries.into_iter().map(|entry| match entry.content {
            AuditContent::Record(record) => *record,
            other => panic!("{other:?}"),
        });
        records.collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/fhir+json");
