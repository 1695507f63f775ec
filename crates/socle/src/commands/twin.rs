//! `socle twin`: the national services alone, for other software to test against.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use socle_identity::Environment;
use socle_trust::Shutdown;

use super::{configuration, service};
use crate::cli::Twin;
use crate::platform::{make_client_files, open_pki};
use crate::say::Speaker;
use crate::trouble::Trouble;
use crate::twins::{NOTICE, Name, Twins};

pub(crate) async fn run(file: Option<&Path>, options: &Twin, speaker: &Speaker) -> Result<ExitCode> {
    if options.list {
        list(speaker);
        return Ok(ExitCode::SUCCESS);
    }
    let names = names_of(&options.names)?;
    let config = configuration(file)?;
    if config.environment != Environment::Jumeau {
        let trouble = Trouble::fixed(
            "un jumeau ne sert que dans l'environnement jumeau",
            "a twin serves in the environment jumeau only",
        );
        return Err(trouble.mend("environment = \"jumeau\"", "environment = \"jumeau\"").into());
    }
    if !config.twins.address.is_loopback() && !config.server.expose_with_twins {
        let address = config.twins.address;
        let trouble = Trouble::new(
            format!("twins.address : {address} n'est pas une boucle locale"),
            format!("twins.address: {address} is not loopback"),
        );
        let mend = "server.expose_with_twins = true";
        return Err(trouble.mend(format!("{mend} si c'est voulu"), format!("{mend} if that is wanted")).into());
    }
    service::log();
    let shutdown = Shutdown::new();
    let pki = open_pki(&config).await?;
    let twins = Twins::start(&config, &pki, &names, &shutdown).await?;
    for (name, address) in twins.addresses() {
        speaker.line(format!("{:<9} {address}", name.as_str()));
    }
    let files = make_client_files(&config, &pki).await?;
    let folder = config.pki_folder();
    speaker.line(format!(
        "{} {} : {}",
        speaker.pick("certificats clients et autorités, dans", "client certificates and authorities, in"),
        folder.display(),
        files.join(", ")
    ));
    speaker.line(NOTICE);
    service::until_told(&shutdown).await;
    shutdown.trigger();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), twins.stopped()).await;
    Ok(ExitCode::SUCCESS)
}

fn names_of(asked: &[String]) -> Result<Vec<Name>> {
    if asked.is_empty() {
        return Ok(Name::ALL.to_vec());
    }
    let mut names = Vec::new();
    for text in asked {
        match Name::read(text) {
            Some(name) => names.push(name),
            None => {
                let trouble = Trouble::new(format!("aucun jumeau « {text} »"), format!("no twin `{text}`"));
                let known = "prosante, ins, dmp, mss";
                return Err(trouble.mend(format!("connus : {known}"), format!("known: {known}")).into());
            }
        }
    }
    Ok(names)
}

fn list(speaker: &Speaker) {
    let lines = [
        (
            "prosante",
            "OpenID Connect : découverte, code + PKCE, jetons, UserInfo ; professionnels fictifs au lieu de la CPS et de l'e-CPS",
            "OpenID Connect: discovery, code + PKCE, tokens, UserInfo; invented professionals instead of CPS and e-CPS",
        ),
        (
            "ins",
            "WS_INS2 (SOAP 1.2, TLS mutuel), identités de test officielles ; WS_INS1 et WS_INS3 à 5 absents (schémas non publiés)",
            "WS_INS2 (SOAP 1.2, mutual TLS), official test identities; no WS_INS1, WS_INS3 to 5 (schemas not published)",
        ),
        (
            "dmp",
            "ITI-41, ITI-18, ITI-43 (SOAP 1.2, MTOM, VIHF, TLS mutuel) d'après CI-SIS et IHE ; le guide d'intégration n'est pas public",
            "ITI-41, ITI-18, ITI-43 (SOAP 1.2, MTOM, VIHF, mutual TLS) after CI-SIS and IHE; the integration guide is not public",
        ),
        (
            "mss",
            "soumission SMTP et IMAP (XOAUTH2, TLS mutuel) ; l'étape SASL d'une BAL applicative n'est pas publiée : EXTERNAL",
            "SMTP submission and IMAP (XOAUTH2, mutual TLS); the SASL step of an application mailbox is not published: EXTERNAL",
        ),
    ];
    for (name, fr, en) in lines {
        speaker.line(format!("{name:<9} {}", speaker.pick(fr, en)));
    }
    speaker.line(NOTICE);
}
