//! Requests that are too large, too deep, too many: refused, and the twin goes on.

use bytes::Bytes;
use socle_trust::https::Body;
use socle_xml::mtom::Part;

use crate::draft::{Draft, https, post};
use crate::support::{Twin, deposit, letter, patient, tls_keys};

async fn is_alive(twin: &Twin) {
    twin.client().provide(&patient(), deposit(letter())).await.unwrap();
}

#[tokio::test]
async fn two_hundred_megabytes_are_refused_before_they_are_read() {
    let twin = Twin::start().await;
    let chunk = Bytes::from(vec![b'a'; 1 << 20]);
    let body = Body::from(vec![chunk; 200]);
    let request = http::Request::post(twin.url("repository")).header("content-type", "application/soap+xml");
    let answer = https(Some(&tls_keys())).send(request.body(body).unwrap()).await;
    // The twin answers and closes while we are still sending: the answer may be lost on the way.
    match answer {
        Ok(response) => assert_eq!(response.status(), 413),
        Err(error) => assert!(error.may_have_arrived(), "{error}"),
    }
    is_alive(&twin).await;
}

#[tokio::test]
async fn an_envelope_has_limits_of_depth_size_and_parts() {
    let twin = Twin::with(|settings| settings.request_bytes = 20 << 20).await;
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let wide = format!("<a>{}</a>", " ".repeat(9 << 20));
    for (case, body) in [("deep", deep), ("large", wide)] {
        let answer = post(&twin, "registry", "application/soap+xml", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "Sender"), "{case}");
    }
    let mut draft = Draft::valid();
    draft.parts = |parts| {
        let one = parts[0].clone();
        parts.extend((0..250).map(|n| Part { content_id: format!("{n}@test"), ..one.clone() }));
    };
    assert_eq!(draft.post(&twin).await.code(), "Sender", "250 parts");
    let over = post(&twin, "registry", "application/soap+xml", vec![b' '; 21 << 20]).await;
    assert_eq!(over.status, 413);
    is_alive(&twin).await;
}
