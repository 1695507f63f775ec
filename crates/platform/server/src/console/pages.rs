//! The pages.

use jiff::Timestamp;
use maud::{Markup, html};
use socle_fhir::Issue;
use socle_finding::Lang;
use socle_store::{Flow, FlowState, FlowStep, FlowSummary, Job, JobState, StepState};
use uuid::Uuid;

use super::layout::Frame;
use super::words;

pub(super) fn welcome(frame: &Frame<'_>) -> Markup {
    let lang = frame.lang;
    frame.page(
        "Console",
        &html! {
            p { (words::WELCOME.get(lang)) }
            p { a.button.primary href="/console/login" { (words::LOGIN.get(lang)) } }
        },
    )
}

pub(super) fn flows(frame: &Frame<'_>, found: &[FlowSummary], state: Option<FlowState>, limit: usize) -> Markup {
    let lang = frame.lang;
    let filters = [
        (None, "/console"),
        (Some(FlowState::Waiting), "/console?state=waiting"),
        (Some(FlowState::Failed), "/console?state=failed"),
        (Some(FlowState::Refused), "/console?state=refused"),
        (Some(FlowState::Done), "/console?state=done"),
    ];
    frame.page(
        words::FLOWS.get(lang),
        &html! {
            ul.filters {
                @for (filter, url) in filters {
                    li { a href=(url) aria-current=[(filter == state).then_some("true")] {
                        (filter.map_or(words::ALL.get(lang), |filter| words::flow_state(filter, lang)))
                    } }
                }
            }
            @if found.is_empty() {
                p { (words::NONE.get(lang)) }
            } @else {
                div.scroll tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { (words::WHEN.get(lang)) }
                            th scope="col" { (words::STATE.get(lang)) }
                            th scope="col" { (words::BY.get(lang)) }
                            th scope="col" { (words::FLOW.get(lang)) }
                        } }
                        tbody {
                            @for flow in found {
                                tr {
                                    td { (moment(flow.created)) }
                                    td { span class={ "state " (flow_class(flow.state)) } { (words::flow_state(flow.state, lang)) } }
                                    td { (flow.actor.as_deref().unwrap_or("–")) }
                                    td { a href={ "/console/flows/" (flow.id) } { (short(flow.id)) } }
                                }
                            }
                        }
                    }
                }
                @if found.len() == limit {
                    @if let Some(last) = found.last() {
                        p { a href={ "/console?after=" (last.cursor.to_u64()) (state_query(state)) } { (words::MORE.get(lang)) } }
                    }
                }
            }
        },
    )
}

fn state_query(state: Option<FlowState>) -> &'static str {
    match state {
        None => "",
        Some(FlowState::Waiting) => "&state=waiting",
        Some(FlowState::Done) => "&state=done",
        Some(FlowState::Refused) => "&state=refused",
        Some(FlowState::Failed) => "&state=failed",
    }
}

pub(super) fn flow(frame: &Frame<'_>, flow: &Flow) -> Markup {
    let lang = frame.lang;
    let title = format!("{} {}", words::FLOW.get(lang), short(flow.summary.id));
    frame.page(
        &title,
        &html! {
            dl {
                dt { (words::STATE.get(lang)) }
                dd { span class={ "state " (flow_class(flow.summary.state)) } { (words::flow_state(flow.summary.state, lang)) } }
                dt { (words::WHEN.get(lang)) } dd { (moment(flow.summary.created)) }
                @if let Some(actor) = &flow.summary.actor { dt { (words::BY.get(lang)) } dd { (actor) } }
                @if let Some(document) = &flow.summary.document { dt { (words::DOCUMENT.get(lang)) } dd { "DocumentReference/" (document) } }
            }
            h2 { (words::STEPS.get(lang)) }
            ol.timeline {
                @for one in &flow.steps { (step(flow.summary.id, one, lang)) }
                @for job in flow.jobs.iter().filter(|job| !matches!(job.state, JobState::Done)) { (waiting(frame, job)) }
            }
        },
    )
}

fn step(flow: Uuid, step: &FlowStep, lang: Lang) -> Markup {
    html! {
        li class=(step_class(step.state)) {
            h2 { (words::step(&step.step, lang)) }
            p { span class={ "state " (step_class(step.state)) } { (words::step_state(step.state, lang)) } " " (step.summary) }
            @if let Some(rule) = &step.rule { p { (words::RULE.get(lang)) " : " strong { (rule) } } }
            p.quiet {
                (moment(step.started))
                @if let Some(ended) = step.ended { " · " (duration(step.started, ended)) }
                @if !step.protocol.is_empty() { " · " (step.protocol) }
            }
            @if let Some(exchange) = &step.exchange {
                p.quiet {
                    a href={ "/console/flows/" (flow) "/messages/" (exchange.request) } { (words::REQUEST.get(lang)) }
                    @if let Some(response) = &exchange.response {
                        " · " a href={ "/console/flows/" (flow) "/messages/" (response) } { (words::RESPONSE.get(lang)) }
                    }
                }
            }
        }
    }
}

fn waiting(frame: &Frame<'_>, job: &Job) -> Markup {
    let lang = frame.lang;
    html! {
        li class=(job_class(job.state)) {
            h2 { (words::step(&job.kind, lang)) }
            p { span class={ "state " (job_class(job.state)) } { (words::job_state(job.state, lang)) }
                @if let Some(error) = &job.error { " " (error) } }
            p.quiet { (words::ATTEMPTS.get(lang)) " : " (job.attempts) " · " (words::NEXT.get(lang)) " : " (moment(job.due)) }
            (retry_button(frame, job))
        }
    }
}

fn retry_button(frame: &Frame<'_>, job: &Job) -> Markup {
    html! {
        @if matches!(job.state, JobState::Dead | JobState::Waiting) {
            form method="post" action={ "/console/jobs/" (job.id) "/retry" } {
                input type="hidden" name="guard" value=(frame.guard());
                button type="submit" { (words::RETRY.get(frame.lang)) }
            }
        }
    }
}

pub(super) fn jobs(frame: &Frame<'_>, found: &[Job]) -> Markup {
    let lang = frame.lang;
    frame.page(
        words::JOBS.get(lang),
        &html! {
            @if found.is_empty() {
                p { (words::NO_JOB.get(lang)) }
            } @else {
                div.scroll tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { (words::STATE.get(lang)) }
                            th scope="col" { (words::FLOW.get(lang)) }
                            th scope="col" { (words::ATTEMPTS.get(lang)) }
                            th scope="col" { (words::NEXT.get(lang)) }
                            th scope="col" { (words::REASON.get(lang)) }
                            th scope="col" { span.quiet { (words::RETRY.get(lang)) } }
                        } }
                        tbody {
                            @for job in found {
                                tr {
                                    td { span class={ "state " (job_class(job.state)) } { (words::job_state(job.state, lang)) } " " (words::step(&job.kind, lang)) }
                                    td { @if let Some(flow) = job.flow { a href={ "/console/flows/" (flow) } { (short(flow)) } } }
                                    td { (job.attempts) }
                                    td { (moment(job.due)) }
                                    td { (job.error.as_deref().unwrap_or("–")) }
                                    td { (retry_button(frame, job)) }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

pub(super) fn message(frame: &Frame<'_>, flow: Uuid, shown: &str) -> Markup {
    let lang = frame.lang;
    frame.page(
        words::MESSAGE.get(lang),
        &html! {
            p { (words::PERSONAL.get(lang)) }
            p { a href={ "/console/flows/" (flow) } { (words::BACK.get(lang)) } }
            pre tabindex="0" { (shown) }
        },
    )
}

pub(super) fn not_found(frame: &Frame<'_>) -> Markup {
    frame.page("404", &html! { p { (words::NOT_FOUND.get(frame.lang)) } })
}

pub(super) fn forged(frame: &Frame<'_>) -> Markup {
    frame.page("403", &html! { p { (words::FORGED.get(frame.lang)) } })
}

pub(super) fn login_failed(frame: &Frame<'_>, why: &str) -> Markup {
    let lang = frame.lang;
    frame.page(
        "Console",
        &html! {
            p role="alert" { (words::LOGIN_FAILED.get(lang)) " " (why) }
            p { a.button.primary href="/console/login" { (words::LOGIN.get(lang)) } }
        },
    )
}

pub(super) fn stopped(frame: &Frame<'_>, issues: &[Issue]) -> Markup {
    let lang = frame.lang;
    frame.page(
        "Console",
        &html! {
            @for issue in issues {
                p role="alert" { (issue.finding.message.get(lang)) }
                p { (issue.finding.mend.get(lang)) " (" (issue.finding.rule) ")" }
            }
        },
    )
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn duration(started: Timestamp, ended: Timestamp) -> String {
    let micros = ended.duration_since(started).as_micros().max(0);
    if micros < 10_000 {
        format!("{},{} ms", micros / 1000, micros % 1000 / 100)
    } else {
        format!("{} ms", micros / 1000)
    }
}

/// The end of a UUIDv7 is random: enough to tell two flows apart on a screen.
fn short(id: Uuid) -> String {
    id.simple().to_string()[20..].to_owned()
}

const fn flow_class(state: FlowState) -> &'static str {
    match state {
        FlowState::Done => "ok",
        FlowState::Waiting => "wait",
        FlowState::Refused | FlowState::Failed => "bad",
    }
}

const fn step_class(state: StepState) -> &'static str {
    match state {
        StepState::Ok => "ok",
        StepState::Waiting => "wait",
        StepState::Refused | StepState::Failed => "bad",
    }
}

const fn job_class(state: JobState) -> &'static str {
    match state {
        JobState::Done => "ok",
        JobState::Waiting | JobState::Running => "wait",
        JobState::Dead => "bad",
    }
}
