//! A registry of FHIR packages, over HTTP: `GET {registry}/{id}` lists the versions,
//! `GET {registry}/{id}/{version}` gives the archive.
//!
//! Source: the FHIR NPM package specification, "Package registries" (packages.fhir.org).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use serde_json::Value;
use socle_fhir::package::{Limits, Package, PackageId};
use socle_identity::Environment;
use socle_trust::Anchors;
use socle_trust::https::{Body, ClientLimits, HttpsClient};
use socle_trust::tls::{Versions, client_config, client_config_without_anchors};

use crate::trouble::{OrTrouble as _, Trouble};

/// Where systems keep the authorities of the public web.
const SYSTEM_ANCHORS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A registry may send us on so many times.
const MOST_HOPS: usize = 3;

pub(super) struct Registry {
    http: HttpsClient,
    base: String,
    limits: Limits,
}

impl Registry {
    /// The registry at this address; `anchors` are the authorities to trust, else those of the system.
    pub(super) fn open(base: &str, anchors: Option<&Path>) -> Result<Self> {
        let limits = Limits::default();
        let tls = if base.starts_with("http://") {
            // The client sends such requests to loopback only.
            client_config_without_anchors()?
        } else {
            let anchors = Anchors::from_pem_files(&[anchors_file(anchors)?], Environment::Production)?;
            client_config(&anchors, None, Versions::Both)?
        };
        let response_bytes = usize::try_from(limits.archive_bytes).unwrap_or(usize::MAX);
        let request = Duration::from_secs(300);
        let http = HttpsClient::new(&tls, ClientLimits { request, response_bytes, ..ClientLimits::default() });
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), limits })
    }

    /// Downloads a package: the exact version, or the newest that `x` or `latest` admits.
    pub(super) async fn fetch(&self, wanted: &PackageId) -> Result<Package> {
        let id = if wanted.is_exact() { wanted.clone() } else { self.newest(wanted).await? };
        let bytes = self.get(&format!("{}/{}/{}", self.base, id.name(), id.version()), &id).await?;
        let package = Package::from_archive(&id.to_string(), &bytes, &self.limits)?;
        if *package.id() != id {
            return Err(Trouble::new(
                format!("le registre a donné {} au lieu de {id}", package.id()),
                format!("the registry gave {} instead of {id}", package.id()),
            )
            .mend(
                "n'ajoutez pas ce paquet ; essayez un autre registre (--registry)",
                "do not add this package; try another registry (--registry)",
            )
            .into());
        }
        Ok(package)
    }

    async fn newest(&self, wanted: &PackageId) -> Result<PackageId> {
        let bytes = self.get(&format!("{}/{}", self.base, wanted.name()), wanted).await?;
        let listing: Value = serde_json::from_slice(&bytes).or_trouble(|| {
            Trouble::fixed(
                "la liste des versions du registre n'est pas en JSON",
                "the registry's list of versions is not JSON",
            )
        })?;
        let versions = listing.get("versions").and_then(Value::as_object);
        let ids = versions.into_iter().flatten().filter_map(|(version, _)| PackageId::new(wanted.name(), version).ok());
        let newest = ids.filter(|id| wanted.admits(id)).max_by(PackageId::by_version);
        newest.ok_or_else(|| {
            Trouble::new(
                format!("le registre n'a aucune version pour {wanted}"),
                format!("the registry has no version for {wanted}"),
            )
            .mend(
                "demandez une version exacte, ou un autre registre (--registry)",
                "ask for an exact version, or another registry (--registry)",
            )
            .into()
        })
    }

    async fn get(&self, url: &str, id: &PackageId) -> Result<Bytes> {
        let mut url = url.to_owned();
        for _ in 0..=MOST_HOPS {
            let request = Request::get(&url).header(header::ACCEPT, "application/gzip, application/json, */*");
            let request = request.body(Body::empty()).or_trouble(|| not_a_registry(&self.base))?;
            let response = self.http.send(request).await?;
            match response.status() {
                status if status.is_success() => return Ok(response.into_body()),
                status if status.is_redirection() => url = next(&url, response.headers().get(header::LOCATION))?,
                StatusCode::NOT_FOUND => {
                    return Err(Trouble::new(
                        format!("le registre {} n'a pas {id}", self.base),
                        format!("registry {} does not have {id}", self.base),
                    )
                    .mend(
                        "vérifiez l'identifiant et la version, ou donnez un autre registre (--registry)",
                        "check the id and the version, or give another registry (--registry)",
                    )
                    .into());
                }
                status => {
                    return Err(Trouble::new(
                        format!("le registre {} répond {status}", self.base),
                        format!("registry {} answers {status}", self.base),
                    )
                    .mend("réessayez plus tard, ou donnez le fichier .tgz", "try again later, or give the .tgz file")
                    .into());
                }
            }
        }
        Err(Trouble::fixed("le registre renvoie d'adresse en adresse", "the registry sends from address to address")
            .mend("donnez le fichier .tgz", "give the .tgz file")
            .into())
    }
}

fn not_a_registry(base: &str) -> Trouble {
    Trouble::new(
        format!("{base} n'est pas l'adresse d'un registre"),
        format!("{base} is not the address of a registry"),
    )
    .mend("donnez une adresse https (--registry)", "give an https address (--registry)")
}

/// Where a redirection leads; a path alone stays on its host.
fn next(from: &str, location: Option<&http::HeaderValue>) -> Result<String> {
    let lost = || {
        Trouble::fixed(
            "le registre renvoie vers une adresse illisible",
            "the registry sends to an address that cannot be read",
        )
    };
    let to = location.and_then(|value| value.to_str().ok()).ok_or_else(lost)?;
    if !to.starts_with('/') {
        return Ok(to.to_owned());
    }
    let from: Uri = from.parse().map_err(|_| lost())?;
    let (scheme, host) = from.scheme_str().zip(from.authority()).ok_or_else(lost)?;
    Ok(format!("{scheme}://{host}{to}"))
}

fn anchors_file(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(file) = named {
        return Ok(file.to_owned());
    }
    let of_variable = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()).map(PathBuf::from);
    let of_system = || SYSTEM_ANCHORS.iter().map(PathBuf::from).find(|file| file.is_file());
    of_variable.or_else(of_system).ok_or_else(|| {
        Trouble::fixed(
            "les autorités de certification du système sont introuvables : le registre ne peut pas être vérifié",
            "the system's certificate authorities are not found: the registry cannot be verified",
        )
        .mend(
            "donnez-les en PEM : --anchors FICHIER, ou la variable SSL_CERT_FILE",
            "give them in PEM: --anchors FILE, or the variable SSL_CERT_FILE",
        )
        .into()
    })
}
