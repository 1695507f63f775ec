use std::time::Duration;

use socle_identity::{Environment, IdNatStruct, MssAddress};

/// What the flows need to know of the installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The world in which all of it happens.
    pub environment: Environment,
    /// The name of this system in the audit log.
    pub system: String,
    /// The structure that sends.
    pub structure: IdNatStruct,
    /// Its name.
    pub structure_name: String,
    /// The product number of `X-MSS-NIL`.
    pub mss_product: String,
    /// The application mailbox that sends.
    pub mailbox: MssAddress,
    /// What recipients read beside it.
    pub mailbox_label: String,
    /// For how long an answer of INSi is good for the next document of the same person. RNIV gives
    /// no number: it is a setting.
    pub insi_answer_valid: Duration,
    /// How many deliveries run at once.
    pub workers: usize,
    /// The first wait after a failure, doubled each time.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// After so many attempts a job is a dead letter.
    pub max_attempts: u32,
}

/// The clients of the national services.
pub struct Services {
    /// INSi.
    pub ins: socle_ins::client::Client,
    /// DMP.
    pub dmp: socle_dmp::client::Client,
    /// MSSanté.
    pub mss: socle_mss::client::Client,
    /// The domains that may be written to.
    pub white_list: socle_mss::model::WhiteList,
}
