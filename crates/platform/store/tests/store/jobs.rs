//! Jobs, lanes, leases and flows through the trait.

use crate::fixtures::{self, at, claim, job};
use jiff::Timestamp;
use socle_identity::Environment;
use socle_store::{
    Batch, Blob, Enqueued, Exchange, FlowFilter, FlowState, FlowStep, Job, JobFilter, JobId, JobState, JobUpdate,
    NewFlow, NewJob, Page, SqliteStore, StepState, Store, StoreError,
};
use uuid::Uuid;

const T: &str = "platform";

async fn add(store: &SqliteStore, jobs: impl IntoIterator<Item = NewJob>) -> Vec<JobId> {
    let batch = Batch { jobs: jobs.into_iter().collect(), ..Batch::new(T) };
    store.commit(batch).await.unwrap().jobs.into_iter().map(Enqueued::id).collect()
}

async fn tell(store: &SqliteStore, update: JobUpdate) -> Result<(), StoreError> {
    store.commit(Batch { job_updates: vec![update], ..Batch::new(T) }).await.map(|_| ())
}

fn keys(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.key.as_str()).collect()
}

#[tokio::test]
async fn a_job_lives_from_waiting_to_done() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    add(&store, [NewJob { not_before: Some(at(100)), ..job("dmp", "a", None) }]).await;
    assert!(store.claim_jobs(claim(&["dmp"], 9, 99)).await.unwrap().is_empty());
    assert_eq!(store.next_due(Environment::Jumeau, vec!["dmp".into()]).await.unwrap(), Some(at(100)));

    let jobs = store.claim_jobs(claim(&["mss", "dmp", "dmp"], 9, 100)).await.unwrap();
    let [first] = &jobs[..] else { panic!("{jobs:?}") };
    assert_eq!((first.state, first.attempts, first.due), (JobState::Running, 1, at(160)));
    assert_eq!(&first.payload[..], b"payload of a");
    tell(&store, first.retry(at(200), "the DMP is down")).await.unwrap();
    let waiting = store.job(first.id).await.unwrap().unwrap();
    assert_eq!(
        (waiting.state, waiting.due, waiting.error.as_ref().map(|error| error.en.as_ref())),
        (JobState::Waiting, at(200), Some("the DMP is down"))
    );
    assert!(store.claim_jobs(claim(&["dmp"], 9, 199)).await.unwrap().is_empty());

    let second = store.claim_jobs(claim(&["dmp"], 9, 200)).await.unwrap().remove(0);
    assert_eq!((second.attempts, second.error.as_ref().map(|error| error.en.as_ref())), (2, Some("the DMP is down")));
    tell(&store, second.done()).await.unwrap();
    assert_eq!(store.job(first.id).await.unwrap().unwrap().state, JobState::Done);
    assert!(store.claim_jobs(claim(&["dmp"], 9, 10_000)).await.unwrap().is_empty());
    assert_eq!(store.next_due(Environment::Jumeau, vec!["dmp".into()]).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_is_accepted_once_per_tenant_and_kind_whatever_became_of_the_job() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let batch =
        Batch { jobs: vec![job("dmp", "a", None), job("dmp", "a", None), job("mss", "a", None)], ..Batch::new(T) };
    let jobs = store.commit(batch.clone()).await.unwrap().jobs;
    assert_eq!(jobs, [Enqueued::New(JobId(1)), Enqueued::Existing(JobId(1)), Enqueued::New(JobId(2))]);
    for claimed in store.claim_jobs(claim(&["dmp", "mss"], 9, 0)).await.unwrap() {
        tell(&store, claimed.done()).await.unwrap();
    }
    let again = store.commit(batch.clone()).await.unwrap().jobs;
    assert_eq!(again, [Enqueued::Existing(JobId(1)), Enqueued::Existing(JobId(1)), Enqueued::Existing(JobId(2))]);
    let other = store.commit(Batch { tenant: "other".into(), ..batch }).await.unwrap().jobs;
    assert_eq!(other[0], Enqueued::New(JobId(3)));
}

#[tokio::test]
async fn a_lane_gives_its_oldest_unfinished_job_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    add(
        &store,
        [job("k", "p1", Some("p")), job("k", "p2", Some("p")), job("k", "q1", Some("q")), job("k", "free", None)],
    )
    .await;
    let first = store.claim_jobs(claim(&["k"], 9, 0)).await.unwrap();
    assert_eq!(keys(&first), ["p1", "q1", "free"]);
    assert!(store.claim_jobs(claim(&["k"], 9, 1)).await.unwrap().is_empty());
    assert!(store.job(JobId(2)).await.unwrap().unwrap().behind);

    tell(&store, first[0].retry(at(50), "later")).await.unwrap();
    assert!(store.claim_jobs(claim(&["k"], 9, 49)).await.unwrap().is_empty(), "the one that waits keeps its place");
    let again = store.claim_jobs(claim(&["k"], 9, 50)).await.unwrap();
    assert_eq!(keys(&again), ["p1"]);
    tell(&store, again[0].done()).await.unwrap();
    assert_eq!(keys(&store.claim_jobs(claim(&["k"], 9, 50)).await.unwrap()), ["p2"]);
}

#[tokio::test]
async fn a_dead_job_frees_its_lane_and_returns_to_its_place_when_retried() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let jobs = add(&store, ["1", "2", "3"].map(|key| job("k", key, Some("p")))).await;
    let first = store.claim_jobs(claim(&["k"], 9, 0)).await.unwrap().remove(0);
    tell(&store, first.dead("refused for good")).await.unwrap();
    let dead =
        store.jobs(JobFilter { state: Some(JobState::Dead), ..JobFilter::default() }, Page::first(9)).await.unwrap();
    assert_eq!(
        (keys(&dead), dead[0].error.as_ref().map(|error| error.en.as_ref())),
        (vec!["1"], Some("refused for good"))
    );

    let second = store.claim_jobs(claim(&["k"], 9, 1)).await.unwrap().remove(0);
    assert_eq!(second.key, "2");
    let back = store.retry_job(jobs[0], at(5)).await.unwrap();
    assert_eq!((back.state, back.attempts, back.due, back.behind), (JobState::Waiting, 0, at(5), true));
    assert!(store.claim_jobs(claim(&["k"], 9, 5)).await.unwrap().is_empty(), "not beside the one that runs");
    tell(&store, second.retry(at(5), "later")).await.unwrap();
    let order = ["1", "2", "3"];
    for expected in order {
        let next = store.claim_jobs(claim(&["k"], 9, 6)).await.unwrap();
        assert_eq!(keys(&next), [expected]);
        tell(&store, next[0].done()).await.unwrap();
    }
}

#[tokio::test]
async fn retry_takes_dead_and_waiting_jobs_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let ids =
        add(&store, [NewJob { not_before: Some(at(1_000)), ..job("k", "late", None) }, job("k", "now", None)]).await;
    assert_eq!(store.retry_job(ids[0], at(3)).await.unwrap().due, at(3));
    let running = store.claim_jobs(claim(&["k"], 1, 2)).await.unwrap().remove(0);
    assert!(matches!(store.retry_job(running.id, at(3)).await, Err(StoreError::NoSuchJob { .. })));
    tell(&store, running.done()).await.unwrap();
    assert!(matches!(store.retry_job(running.id, at(3)).await, Err(StoreError::NoSuchJob { .. })));
    assert!(matches!(store.retry_job(JobId(77), at(3)).await, Err(StoreError::NoSuchJob { .. })));
    assert!(matches!(store.retry_job(JobId(u64::MAX), at(3)).await, Err(StoreError::NoSuchJob { .. })));
}

#[tokio::test]
async fn a_lease_that_runs_out_passes_the_job_on_and_the_late_word_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    add(&store, [job("k", "a", Some("p")), job("k", "b", Some("p"))]).await;
    let slow = store.claim_jobs(claim(&["k"], 9, 0)).await.unwrap().remove(0);
    assert!(store.claim_jobs(claim(&["k"], 9, 59)).await.unwrap().is_empty());
    let taken = store.claim_jobs(claim(&["k"], 9, 60)).await.unwrap().remove(0);
    assert_eq!((taken.key.as_str(), taken.attempts), ("a", 2));
    for late in [slow.done(), slow.retry(at(70), "x"), slow.dead("x")] {
        assert!(matches!(tell(&store, late).await, Err(StoreError::LeaseLost { .. })));
    }
    assert_eq!(store.job(taken.id).await.unwrap().unwrap(), taken);
    tell(&store, taken.done()).await.unwrap();
    assert!(matches!(tell(&store, taken.done()).await, Err(StoreError::LeaseLost { .. })));
    assert!(matches!(
        tell(&store, JobUpdate { id: JobId(99), ..taken.done() }).await,
        Err(StoreError::NoSuchJob { .. })
    ));
    let foreign = Batch { job_updates: vec![taken.done()], ..Batch::new("other") };
    assert!(matches!(store.commit(foreign).await, Err(StoreError::NoSuchJob { .. })));
}

#[tokio::test]
async fn a_store_that_opens_puts_back_what_a_dead_process_had_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    add(&store, [job("k", "a", Some("p")), job("k", "b", Some("p"))]).await;
    let orphan = store.claim_jobs(claim(&["k"], 9, 7)).await.unwrap().remove(0);
    drop(store);

    let store = fixtures::open(dir.path());
    let waiting = store.job(orphan.id).await.unwrap().unwrap();
    assert_eq!(
        (waiting.state, waiting.due, waiting.claimed, waiting.attempts),
        (JobState::Waiting, at(7), Some(at(7)), 1)
    );
    assert!(matches!(tell(&store, orphan.done()).await, Err(StoreError::LeaseLost { .. })));
    let again = store.claim_jobs(claim(&["k"], 9, 8)).await.unwrap();
    assert_eq!((keys(&again), again[0].attempts), (vec!["a"], 2));
}

#[tokio::test]
async fn a_lease_that_ran_out_unclaimed_still_counts() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    add(&store, [job("k", "a", None)]).await;
    let slow = store.claim_jobs(claim(&["k"], 9, 0)).await.unwrap().remove(0);
    tell(&store, slow.done()).await.unwrap();
    assert!(store.claim_jobs(claim(&["k"], 9, 1_000)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_runner_never_gets_a_job_of_another_environment() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let real = NewJob { environment: Environment::Production, ..job("k", "real", Some("p")) };
    add(&store, [real, job("k", "twin", Some("p"))]).await;
    assert_eq!(keys(&store.claim_jobs(claim(&["k"], 9, 0)).await.unwrap()), ["twin"]);
    assert!(store.claim_jobs(claim(&["k"], 9, 1_000)).await.unwrap().iter().all(|job| job.key == "twin"));
    let filter = JobFilter { environment: Some(Environment::Production), ..JobFilter::default() };
    let shown = store.jobs(filter, Page::first(9)).await.unwrap();
    assert_eq!((keys(&shown), shown[0].environment), (vec!["real"], Environment::Production));
    let counts = store.job_counts().await.unwrap();
    assert_eq!(
        counts.iter().map(|count| (count.environment, count.count)).collect::<Vec<_>>(),
        [(Environment::Jumeau, 1), (Environment::Production, 1)]
    );
}

#[tokio::test]
async fn claims_take_the_longest_due_first_and_no_more_than_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let due = |kind, key, second| NewJob { not_before: Some(at(second)), ..job(kind, key, None) };
    add(&store, [due("a", "30", 30), due("b", "10", 10), due("a", "20", 20), due("b", "40", 40)]).await;
    assert!(store.claim_jobs(claim(&["a", "b"], 0, 99)).await.unwrap().is_empty());
    assert!(store.claim_jobs(claim(&[], 9, 99)).await.unwrap().is_empty());
    assert_eq!(keys(&store.claim_jobs(claim(&["a", "b"], 3, 99)).await.unwrap()), ["10", "20", "30"]);
    assert_eq!(keys(&store.claim_jobs(claim(&["a", "b"], 3, 99)).await.unwrap()), ["40"]);
}

#[tokio::test]
async fn the_signal_tells_of_new_freed_and_retried_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let mut signal = store.job_signal();
    store.commit(Batch::new(T)).await.unwrap();
    assert!(!signal.has_changed().unwrap(), "no job, no signal");
    add(&store, [job("k", "a", Some("p")), job("k", "b", Some("p"))]).await;
    signal.changed().await.unwrap();
    let first = store.claim_jobs(claim(&["k"], 9, 0)).await.unwrap().remove(0);
    assert!(!signal.has_changed().unwrap());
    tell(&store, first.dead("x")).await.unwrap();
    signal.changed().await.unwrap();
    store.retry_job(first.id, at(0)).await.unwrap();
    signal.changed().await.unwrap();
}

#[tokio::test]
async fn jobs_are_listed_by_what_the_filter_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    add(&store, (0..5).map(|n| job(if n % 2 == 0 { "even" } else { "odd" }, &n.to_string(), None))).await;
    let filter = |kinds: &[&str], state| JobFilter {
        tenant: Some(T.into()),
        kinds: kinds.iter().map(|&kind| kind.into()).collect(),
        state,
        ..JobFilter::default()
    };
    let page = store.jobs(filter(&["even"], None), Page::first(2)).await.unwrap();
    assert_eq!(keys(&page), ["4", "2"]);
    let rest = store.jobs(filter(&["even"], None), Page::after(page[1].cursor(), 9)).await.unwrap();
    assert_eq!(keys(&rest), ["0"]);
    let first = store.claim_jobs(claim(&["odd"], 1, 0)).await.unwrap().remove(0);
    tell(&store, first.done()).await.unwrap();
    assert_eq!(keys(&store.jobs(filter(&[], Some(JobState::Done)), Page::first(9)).await.unwrap()), ["1"]);
    assert_eq!(
        keys(&store.jobs(filter(&["odd", "even"], Some(JobState::Waiting)), Page::first(9)).await.unwrap()),
        ["4", "3", "2", "0"]
    );
    assert!(
        store
            .jobs(JobFilter { tenant: Some("other".into()), ..JobFilter::default() }, Page::first(9))
            .await
            .unwrap()
            .is_empty()
    );
}

fn step(flow: Uuid, name: &str, state: StepState) -> FlowStep {
    FlowStep {
        flow,
        step: name.into(),
        state,
        started: at(10),
        ended: Some(at(11)),
        protocol: "SOAP 1.2, ITI-41".into(),
        summary: "one line".into(),
        rule: Some("EXI SI 08".into()),
        exchange: None,
    }
}

fn begin(id: Uuid) -> NewFlow {
    NewFlow { id, kind: "iti-65".into(), document: Some("doc-1".into()), actor: Some("899700000000".into()) }
}

#[tokio::test]
async fn a_flow_is_told_step_by_step_and_its_state_follows() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let id = Uuid::now_v7();
    let (request, response) = (Blob::new("request"), Blob::new("response"));
    let exchange = Exchange { request: request.digest(), response: Some(response.digest()) };
    let state = async || store.flow(id).await.unwrap().unwrap().summary.state;
    store.commit(Batch { flows: vec![begin(id)], ..Batch::new(T) }).await.unwrap();
    assert_eq!(state().await, FlowState::Waiting);

    let identify = FlowStep { exchange: Some(exchange), ..step(id, "identify", StepState::Ok) };
    let accepted = Batch {
        flow_steps: vec![identify.clone(), step(id, "dmp", StepState::Waiting)],
        jobs: vec![NewJob { flow: Some(id), ..job("dmp", "d", None) }],
        blobs: vec![request.clone(), response],
        ..Batch::new(T)
    };
    store.commit(accepted).await.unwrap();
    assert_eq!(state().await, FlowState::Waiting);
    let claimed = store.claim_jobs(claim(&["dmp"], 1, 0)).await.unwrap().remove(0);
    let gave_up = Batch {
        flow_steps: vec![step(id, "dmp", StepState::Failed)],
        job_updates: vec![claimed.dead("down")],
        ..Batch::new(T)
    };
    store.commit(gave_up).await.unwrap();
    assert_eq!(state().await, FlowState::Failed);
    store.retry_job(claimed.id, at(0)).await.unwrap();
    assert_eq!(state().await, FlowState::Waiting);
    let claimed = store.claim_jobs(claim(&["dmp"], 1, 0)).await.unwrap().remove(0);
    let done =
        Batch { flow_steps: vec![step(id, "dmp", StepState::Ok)], job_updates: vec![claimed.done()], ..Batch::new(T) };
    store.commit(done).await.unwrap();

    let flow = store.flow(id).await.unwrap().unwrap();
    assert_eq!((flow.summary.state, flow.summary.document.as_deref()), (FlowState::Done, Some("doc-1")));
    assert_eq!(flow.summary.actor.as_deref(), Some("899700000000"));
    assert_eq!(
        flow.steps.iter().map(|step| step.state).collect::<Vec<_>>(),
        [StepState::Ok, StepState::Waiting, StepState::Failed, StepState::Ok]
    );
    assert_eq!(flow.steps[0], identify);
    assert_eq!(flow.last_steps().iter().map(|step| step.step.as_str()).collect::<Vec<_>>(), ["identify", "dmp"]);
    assert_eq!(flow.jobs.len(), 1);
    assert_eq!(store.flow(Uuid::now_v7()).await.unwrap(), None);
}

#[tokio::test]
async fn flows_are_listed_newest_first_by_state_and_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let ids: Vec<_> = (0..6).map(|_| Uuid::now_v7()).collect();
    for (n, &id) in ids.iter().enumerate() {
        let state = if n % 2 == 0 { StepState::Ok } else { StepState::Refused };
        store
            .commit(Batch { flows: vec![begin(id)], flow_steps: vec![step(id, "s", state)], ..Batch::new(T) })
            .await
            .unwrap();
    }
    let list = async |state, page| {
        let filter = FlowFilter { tenant: Some(T.into()), state };
        store.flows(filter, page).await.unwrap()
    };
    let all = list(None, Page::first(4)).await;
    assert_eq!(all.iter().map(|flow| flow.id).collect::<Vec<_>>(), [ids[5], ids[4], ids[3], ids[2]]);
    let rest = list(None, Page::after(all[3].cursor, 4)).await;
    assert_eq!(rest.iter().map(|flow| flow.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
    let done = list(Some(FlowState::Done), Page::first(9)).await;
    assert_eq!(done.iter().map(|flow| flow.id).collect::<Vec<_>>(), [ids[4], ids[2], ids[0]]);
    let refused = list(Some(FlowState::Refused), Page::first(9)).await;
    assert_eq!(refused.iter().map(|flow| flow.id).collect::<Vec<_>>(), [ids[5], ids[3], ids[1]]);
    let elsewhere = FlowFilter { tenant: Some("other".into()), state: None };
    assert!(store.flows(elsewhere, Page::first(9)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_flow_of_nobody_or_of_another_tenant_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let id = Uuid::now_v7();
    store.commit(Batch { flows: vec![begin(id)], ..Batch::new(T) }).await.unwrap();
    let unknown = Uuid::now_v7();
    let cases = [
        ("begun twice", Batch { flows: vec![begin(id)], ..Batch::new(T) }),
        ("step of nothing", Batch { flow_steps: vec![step(unknown, "s", StepState::Ok)], ..Batch::new(T) }),
        ("step from another tenant", Batch { flow_steps: vec![step(id, "s", StepState::Ok)], ..Batch::new("other") }),
        (
            "job of nothing",
            Batch { jobs: vec![NewJob { flow: Some(unknown), ..job("k", "1", None) }], ..Batch::new(T) },
        ),
    ];
    for (name, batch) in cases {
        assert!(matches!(store.commit(batch).await, Err(StoreError::Flow { .. })), "{name}");
    }
    assert!(store.jobs(JobFilter::default(), Page::first(9)).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_exchange_that_is_not_kept_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let id = Uuid::now_v7();
    let [kept, not_kept] = ["kept", "not kept"].map(Blob::new);
    let told = |exchange, blobs: Vec<Blob>| Batch {
        flow_steps: vec![FlowStep { exchange: Some(exchange), ..step(id, "s", StepState::Ok) }],
        blobs,
        ..Batch::new(T)
    };
    let exchange =
        |request: &Blob, response: &Blob| Exchange { request: request.digest(), response: Some(response.digest()) };
    store.commit(Batch { flows: vec![begin(id)], ..told(exchange(&kept, &kept), vec![kept.clone()]) }).await.unwrap();
    store.commit(told(exchange(&kept, &kept), vec![])).await.unwrap();
    for exchange in [exchange(&not_kept, &kept), exchange(&kept, &not_kept)] {
        assert!(matches!(store.commit(told(exchange, vec![])).await, Err(StoreError::Invalid { .. })));
    }
    assert_eq!(store.flow(id).await.unwrap().unwrap().steps.len(), 2);
}

#[tokio::test]
async fn an_instant_that_the_store_cannot_keep_exactly_is_rounded_down() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let fine = Timestamp::new(5, 123_456_789).unwrap();
    let ids = add(&store, [NewJob { not_before: Some(fine), ..job("k", "a", None) }]).await;
    assert_eq!(store.job(ids[0]).await.unwrap().unwrap().due, Timestamp::new(5, 123_456_000).unwrap());
}
