//! The operator's mailboxes, durable: what was answered `250` or `OK` survives a kill.
//!
//! One task writes. It takes deliveries as they come, puts all that wait into one commit, and shows them to
//! readers after it; so UIDs appear in their order, and many sessions share one flush of the disk.
//!
//! In order: mailboxes, reading, writing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use socle_identity::MssAddress;
use socle_store::{Batch, Blob, Digest, Page, Store, StoreError, Term, Write};
use tokio::sync::{OnceCell, mpsc, oneshot, watch};
use uuid::Uuid;

use super::change::{self, Change, ChangeError, Done, json};
use super::folders::{Effect, FIRST_FOLDERS, FolderRecord, Folders, INBOX, MessageRecord};
use super::seed::{Owner, Seed};
use crate::model::MailboxKind;

/// The twin's store holds nothing else.
const TENANT: &str = "mss";
const MAILBOX: &str = "mailbox";
const SUBMISSION: &str = "submission";

/// How much one commit takes; what is over waits for the next.
const COMMIT_MESSAGES: usize = 256;
const COMMIT_OCTETS: usize = 32 * 1024 * 1024;
/// Orders that may wait for the writer; more make their sessions wait.
const ORDERS: usize = 256;

/// A mailbox of the operator.
#[derive(Debug)]
pub(crate) struct Mailbox {
    id: Uuid,
    pub(crate) address: MssAddress,
    pub(crate) holder: Holder,
    folders: OnceCell<RwLock<Folders>>,
    changed: watch::Sender<u64>,
}

/// Who a mailbox is for.
#[derive(Debug)]
pub(crate) enum Holder {
    /// One of the configured mailboxes.
    Seed(Seed),
    /// A citizen of Mon espace santé.
    Patient,
    /// Configured once, and no longer: it takes mail no more, and nobody opens it.
    Gone,
}

impl Mailbox {
    fn new(id: Uuid, address: MssAddress, holder: Holder) -> Self {
        Self { id, address, holder, folders: OnceCell::new(), changed: watch::Sender::new(0) }
    }

    /// Its folders, when they were read already.
    pub(crate) fn loaded(&self) -> Option<&RwLock<Folders>> {
        self.folders.get()
    }

    /// Changes each time something in the mailbox does.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The code of its kind; a patient's has none in the national list.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.holder {
            Holder::Seed(seed) => seed.kind.code(),
            Holder::Patient => "MES",
            Holder::Gone => "-",
        }
    }

    pub(crate) fn owner(&self) -> Option<&Owner> {
        match &self.holder {
            Holder::Seed(seed) => Some(&seed.owner),
            Holder::Patient | Holder::Gone => None,
        }
    }

    pub(crate) fn is_application(&self) -> bool {
        matches!(&self.holder, Holder::Seed(seed) if seed.kind == MailboxKind::Application)
    }
}

/// A message for one mailbox.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) to: MssAddress,
    pub(crate) message: Blob,
}

/// What is kept of a submission, for people to look at: no patient.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubmissionRecord {
    /// The identifier in the `250` reply.
    pub(crate) id: Uuid,
    pub(crate) received: Timestamp,
    /// The mailbox that sent.
    pub(crate) from: String,
    /// As [`MssAddress::shown`].
    pub(crate) to: Vec<String>,
    pub(crate) size: u64,
    /// `Message-ID`, when there was one.
    pub(crate) message_id: Option<String>,
    /// How many submissions with this `Message-ID` came before: a retry after an unknown outcome.
    pub(crate) copies_before: u64,
    /// What Référentiel #2 asks of a mail and this one lacks.
    pub(crate) warnings: Vec<String>,
}

/// All of it is stored, or none.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) items: Vec<Item>,
    pub(crate) submission: SubmissionRecord,
}

/// Why a delivery or a change was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum OfficeError {
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error("the disk is full")]
    DiskFull,
    #[error("{0}")]
    Store(String),
    #[error("the twin is stopping")]
    Stopping,
}

impl From<StoreError> for OfficeError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::DiskFull) { Self::DiskFull } else { Self::Store(error.to_string()) }
    }
}

/// The mailboxes and the way to their writer.
#[derive(Debug)]
pub(crate) struct Office {
    shelf: Arc<Shelf>,
    orders: mpsc::Sender<Order>,
}

/// What the writer and the readers share.
struct Shelf {
    store: Arc<dyn Store>,
    mailboxes: RwLock<HashMap<MssAddress, Arc<Mailbox>>>,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

#[derive(Debug)]
enum Order {
    Deliver(Delivery, oneshot::Sender<Result<(), OfficeError>>),
    Change(Arc<Mailbox>, Change, oneshot::Sender<Result<Done, OfficeError>>),
}

#[derive(Serialize, Deserialize)]
struct MailboxRecord {
    address: MssAddress,
}

impl Office {
    /// Reads which mailboxes there are, makes those of `seeds` that are missing, and starts the writer, which ends when
    /// the office is dropped.
    pub(crate) async fn open(store: Arc<dyn Store>, seeds: Vec<Seed>) -> Result<(Self, Writer), StoreError> {
        let shelf = Arc::new(Shelf { store, mailboxes: RwLock::default() });
        let mut seeds = seeds.into_iter().map(|seed| (seed.address.clone(), seed)).collect::<HashMap<_, _>>();
        for (id, record) in shelf.all::<MailboxRecord>(MAILBOX, Vec::new()).await? {
            let id = uuid(&id)?;
            let holder = match (&record.address, seeds.remove(&record.address)) {
                (_, Some(seed)) => Holder::Seed(seed),
                (MssAddress::Patient(_), None) => Holder::Patient,
                (MssAddress::Professional { .. }, None) => Holder::Gone,
            };
            shelf.put(Arc::new(Mailbox::new(id, record.address, holder)));
        }
        let mut batch = Batch::new(TENANT);
        for (address, seed) in seeds {
            let mailbox = Arc::new(Mailbox::new(Uuid::new_v4(), address, Holder::Seed(seed)));
            let effects = new_mailbox(&mut batch, &mailbox, Timestamp::now());
            fill(&mailbox, effects);
            shelf.put(mailbox);
        }
        if !batch.writes.is_empty() {
            shelf.store.commit(batch).await?;
        }
        let (orders, inbox) = mpsc::channel(ORDERS);
        Ok((Self { shelf: Arc::clone(&shelf), orders }, Writer { shelf, inbox }))
    }

    /// A mailbox that exists.
    pub(crate) fn mailbox(&self, address: &MssAddress) -> Option<Arc<Mailbox>> {
        self.shelf.get(address).filter(|mailbox| !matches!(mailbox.holder, Holder::Gone))
    }

    /// Can mail for this address be taken? A patient's mailbox is made by its first mail.
    pub(crate) fn takes(&self, address: &MssAddress) -> bool {
        matches!(address, MssAddress::Patient(_)) || self.mailbox(address).is_some()
    }

    /// All mailboxes, professionals first, by address.
    pub(crate) fn mailboxes(&self) -> Vec<Arc<Mailbox>> {
        let all = self.shelf.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = all.values().cloned().collect::<Vec<_>>();
        all.sort_by_key(|mailbox| (matches!(mailbox.holder, Holder::Patient), mailbox.address.to_wire()));
        all
    }

    /// The folders of a mailbox, read from the store at first use.
    pub(crate) async fn folders<'a>(&self, mailbox: &'a Mailbox) -> Result<&'a RwLock<Folders>, StoreError> {
        self.shelf.folders(mailbox).await
    }

    /// How many messages each folder holds; asked of the store, so that looking does not load mailboxes.
    pub(crate) async fn counts(&self, mailbox: &Mailbox) -> Result<BTreeMap<String, usize>, StoreError> {
        let of_mailbox = vec![Term::is("mailbox", mailbox.id.to_string())];
        let mut counts = BTreeMap::new();
        for (id, record) in self.shelf.all::<FolderRecord>(change::FOLDER, of_mailbox).await? {
            let count = self.shelf.store.count(TENANT, change::MESSAGE, vec![Term::is("folder", id)]).await?;
            counts.insert(record.name, usize::try_from(count).unwrap_or(usize::MAX));
        }
        Ok(counts)
    }

    /// The octets of a message.
    pub(crate) async fn message(&self, digest: &Digest) -> Result<Bytes, StoreError> {
        let bytes = self.shelf.store.blob(digest).await?;
        bytes.ok_or_else(|| StoreError::BlobDamaged { digest: *digest, what: "it is not there".into() })
    }

    /// The last submissions, newest first.
    pub(crate) async fn submissions(&self, limit: usize) -> Result<Vec<SubmissionRecord>, StoreError> {
        let versions = self.shelf.store.search(TENANT, SUBMISSION, Vec::new(), Page::first(limit)).await?;
        versions.iter().map(|version| read(&version.body)).collect()
    }

    /// How many submissions came with this `Message-ID`.
    pub(crate) async fn copies_of(&self, message_id: &str) -> Result<u64, StoreError> {
        self.shelf.store.count(TENANT, SUBMISSION, vec![Term::is("message-id", message_id)]).await
    }

    /// Stores a message in every mailbox that it is for, durably, or in none.
    pub(crate) async fn deliver(&self, delivery: Delivery) -> Result<(), OfficeError> {
        let (answer, done) = oneshot::channel();
        self.orders.send(Order::Deliver(delivery, answer)).await.map_err(|_| OfficeError::Stopping)?;
        done.await.map_err(|_| OfficeError::Stopping)?
    }

    /// Changes something in a mailbox, durably.
    pub(crate) async fn change(&self, mailbox: &Arc<Mailbox>, change: Change) -> Result<Done, OfficeError> {
        let (answer, done) = oneshot::channel();
        let order = Order::Change(Arc::clone(mailbox), change, answer);
        self.orders.send(order).await.map_err(|_| OfficeError::Stopping)?;
        done.await.map_err(|_| OfficeError::Stopping)?
    }
}

impl Shelf {
    fn get(&self, address: &MssAddress) -> Option<Arc<Mailbox>> {
        self.mailboxes.read().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    fn put(&self, mailbox: Arc<Mailbox>) {
        let mut all = self.mailboxes.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(mailbox.address.clone(), mailbox);
    }

    async fn folders<'a>(&self, mailbox: &'a Mailbox) -> Result<&'a RwLock<Folders>, StoreError> {
        let load = || async { self.load(mailbox.id).await.map(RwLock::new) };
        mailbox.folders.get_or_try_init(load).await
    }

    async fn load(&self, mailbox: Uuid) -> Result<Folders, StoreError> {
        let of_mailbox = vec![Term::is("mailbox", mailbox.to_string())];
        let mut folders = Vec::new();
        let mut messages = Vec::new();
        for (id, record) in self.all::<FolderRecord>(change::FOLDER, of_mailbox).await? {
            let folder = uuid(&id)?;
            for (id, record) in self.all::<MessageRecord>(change::MESSAGE, vec![Term::is("folder", id)]).await? {
                let uid = id.rsplit_once('.').and_then(|(_, uid)| uid.parse().ok());
                messages.push((folder, uid.ok_or_else(|| damaged("a message's identifier"))?, record));
            }
            folders.push((folder, record));
        }
        Ok(Folders::load(folders, messages))
    }

    /// All living records of a kind that have the terms.
    async fn all<T: for<'de> Deserialize<'de>>(
        &self,
        kind: &str,
        terms: Vec<Term>,
    ) -> Result<Vec<(String, T)>, StoreError> {
        let mut all = Vec::new();
        let mut page = Page::first(Page::MAX);
        loop {
            let versions = self.store.search(TENANT, kind, terms.clone(), page).await?;
            for version in &versions {
                all.push((version.id.clone(), read(&version.body)?));
            }
            match versions.last() {
                Some(last) if versions.len() == Page::MAX => page = Page::after(last.cursor, Page::MAX),
                _ => return Ok(all),
            }
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(body).map_err(|_| damaged("a record of the mail twin"))
}

fn uuid(text: &str) -> Result<Uuid, StoreError> {
    text.parse().map_err(|_| damaged("an identifier of the mail twin"))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}

/// Writes a mailbox with its first folders.
fn new_mailbox(batch: &mut Batch, mailbox: &Mailbox, now: Timestamp) -> Vec<Effect> {
    let record = MailboxRecord { address: mailbox.address.clone() };
    batch.writes.push(Write::new(MAILBOX, mailbox.id.to_string(), json(&record)));
    let folders = FIRST_FOLDERS
        .map(|(name, special)| (Uuid::new_v4(), change::new_folder(mailbox.id, name.to_owned(), special, now)));
    batch.writes.extend(folders.iter().map(|(id, record)| change::folder_write(*id, record)));
    folders.into_iter().map(|(id, record)| Effect::Folder(id, record)).collect()
}

/// A new mailbox needs no reading.
fn fill(mailbox: &Mailbox, effects: Vec<Effect>) {
    let mut folders = Folders::default();
    effects.into_iter().for_each(|effect| folders.apply(effect));
    let _ = mailbox.folders.set(RwLock::new(folders));
}

/// The only task that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    shelf: Arc<Shelf>,
    inbox: mpsc::Receiver<Order>,
}

impl Writer {
    /// Runs until the office is dropped and every order is done.
    pub(crate) async fn run(mut self) {
        let mut next = self.inbox.recv().await;
        while let Some(order) = next.take() {
            match order {
                Order::Deliver(delivery, answer) => {
                    let (deliveries, other) = self.gather(delivery, answer);
                    self.deliver(deliveries).await;
                    next = other;
                }
                Order::Change(mailbox, change, answer) => {
                    let done = self.change(&mailbox, change).await;
                    let _ = answer.send(done);
                }
            }
            if next.is_none() {
                next = self.inbox.recv().await;
            }
        }
    }

    /// The delivery at hand and those that wait behind it, up to the first order of another kind.
    fn gather(&mut self, first: Delivery, answer: Answer) -> (Vec<(Delivery, Answer)>, Option<Order>) {
        let octets = |delivery: &Delivery| delivery.items.first().map_or(0, |item| item.message.bytes().len());
        let mut total = octets(&first);
        let mut all = vec![(first, answer)];
        while all.len() < COMMIT_MESSAGES && total < COMMIT_OCTETS {
            match self.inbox.try_recv() {
                Ok(Order::Deliver(delivery, answer)) => {
                    total += octets(&delivery);
                    all.push((delivery, answer));
                }
                Ok(other) => return (all, Some(other)),
                Err(_) => break,
            }
        }
        (all, None)
    }

    async fn deliver(&self, deliveries: Vec<(Delivery, Answer)>) {
        let mut plan = DeliveryPlan::default();
        let mut accepted = Vec::with_capacity(deliveries.len());
        for (delivery, answer) in deliveries {
            match self.plan(&mut plan, delivery).await {
                Ok(()) => accepted.push(answer),
                Err(error) => drop(answer.send(Err(error))),
            }
        }
        if accepted.is_empty() {
            return;
        }
        let outcome = self.shelf.store.commit(plan.batch).await.map(|_| ()).map_err(OfficeError::from);
        if outcome.is_ok() {
            for (mailbox, is_new, effects) in plan.mailboxes.into_values() {
                self.show(&mailbox, is_new, effects);
            }
        }
        for answer in accepted {
            let _ = answer.send(outcome.clone());
        }
    }

    /// Adds a delivery to the commit; the whole of it, since nothing is added before its mailboxes are known.
    async fn plan(&self, plan: &mut DeliveryPlan, delivery: Delivery) -> Result<(), OfficeError> {
        let now = delivery.submission.received;
        for item in &delivery.items {
            if let Some(known) = self.shelf.get(&item.to) {
                let folders = self.shelf.folders(&known).await?.read().unwrap_or_else(PoisonError::into_inner);
                folders.named(INBOX).ok_or(ChangeError::NoFolder)?;
            }
        }
        for Item { to, message } in delivery.items {
            let batch = &mut plan.batch;
            let (mailbox, _, effects) = plan.mailboxes.entry(to.clone()).or_insert_with(|| {
                self.shelf.get(&to).map_or_else(
                    || {
                        let mailbox = Arc::new(Mailbox::new(Uuid::new_v4(), to, Holder::Patient));
                        let effects = new_mailbox(batch, &mailbox, now);
                        (mailbox, true, effects)
                    },
                    |mailbox| (mailbox, false, Vec::new()),
                )
            });
            let (folder, uid) = next_in_inbox(mailbox, effects).ok_or(ChangeError::NoFolder)?;
            let size = message.bytes().len() as u64;
            let record = MessageRecord { digest: message.digest(), size, received: now, flags: Default::default() };
            batch.writes.push(change::message_write(folder, uid, &record));
            // The recipients of one mail share its octets.
            if batch.blobs.last().is_none_or(|last| last.digest() != message.digest()) {
                batch.blobs.push(message);
            }
            effects.push(Effect::Add(folder, uid, record));
        }
        let record = &delivery.submission;
        let write = Write::new(SUBMISSION, record.id.to_string(), json(record));
        plan.batch.writes.push(match &record.message_id {
            Some(id) => write.posting("message-id", id),
            None => write,
        });
        Ok(())
    }

    fn show(&self, mailbox: &Arc<Mailbox>, is_new: bool, effects: Vec<Effect>) {
        if is_new {
            fill(mailbox, effects);
            self.shelf.put(Arc::clone(mailbox));
            return;
        }
        apply(mailbox, effects);
    }

    async fn change(&self, mailbox: &Arc<Mailbox>, change: Change) -> Result<Done, OfficeError> {
        let folders = self.shelf.folders(mailbox).await?;
        let plan = {
            let folders = folders.read().unwrap_or_else(PoisonError::into_inner);
            change::plan(TENANT, mailbox.id, &folders, change, Timestamp::now())?
        };
        if !plan.effects.is_empty() {
            self.shelf.store.commit(plan.batch).await?;
            apply(mailbox, plan.effects);
        }
        Ok(plan.done)
    }
}

type Answer = oneshot::Sender<Result<(), OfficeError>>;

/// Deliveries that share a commit.
struct DeliveryPlan {
    batch: Batch,
    /// By address: the mailbox, whether it is made now, and what will be seen.
    mailboxes: HashMap<MssAddress, (Arc<Mailbox>, bool, Vec<Effect>)>,
}

impl Default for DeliveryPlan {
    fn default() -> Self {
        Self { batch: Batch::new(TENANT), mailboxes: HashMap::new() }
    }
}

/// The INBOX, and the UID after those given and those planned.
fn next_in_inbox(mailbox: &Mailbox, planned: &[Effect]) -> Option<(Uuid, u32)> {
    let added = planned.iter().rev().find_map(|effect| match effect {
        Effect::Add(folder, uid, _) => Some((*folder, uid.checked_add(1)?)),
        _ => None,
    });
    let made = || {
        planned.iter().find_map(|effect| match effect {
            Effect::Folder(id, record) if record.name == INBOX => Some((*id, 1)),
            _ => None,
        })
    };
    let known = || {
        let folders = mailbox.folders.get()?.read().unwrap_or_else(PoisonError::into_inner);
        folders.named(INBOX).map(|inbox| (inbox.id, inbox.uid_next()))
    };
    added.or_else(made).or_else(known)
}

fn apply(mailbox: &Mailbox, effects: Vec<Effect>) {
    if let Some(folders) = mailbox.folders.get() {
        let mut folders = folders.write().unwrap_or_else(PoisonError::into_inner);
        effects.into_iter().for_each(|effect| folders.apply(effect));
    }
    mailbox.changed.send_modify(|count| *count += 1);
}
