//! The pages.

use jiff::Timestamp;
use maud::{Markup, html};
use socle_fhir::Issue;
use socle_finding::{Lang, Text};
use socle_store::{Digest, Flow, FlowState, FlowStep, FlowSummary, Job, JobState, StepState};
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
                    table role="table" {
                        thead role="rowgroup" { tr role="row" {
                            @for name in [words::FLOW, words::WHEN, words::STATE, words::BY] {
                                th role="columnheader" scope="col" { (name.get(lang)) }
                            }
                        } }
                        tbody role="rowgroup" {
                            @for flow in found {
                                tr role="row" {
                                    (cell(words::FLOW.get(lang), &html! { a href={ "/console/flows/" (flow.id) } { (short(flow.id)) } }))
                                    (cell(words::WHEN.get(lang), &moment(flow.created, lang)))
                                    (cell(words::STATE.get(lang), &html! { span class={ "state " (flow_class(flow.state)) } { (words::flow_state(flow.state, lang)) } }))
                                    (cell(words::BY.get(lang), &html! { (flow.actor.as_deref().unwrap_or("–")) }))
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

/// A cell that names its column, for the screens on which a row is a card.
fn cell(column: &str, content: &Markup) -> Markup {
    html! { td role="cell" data-label=(column) { (content) } }
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
                dt { (words::WHEN.get(lang)) } dd { (moment(flow.summary.created, lang)) }
                @if let Some(actor) = &flow.summary.actor { dt { (words::BY.get(lang)) } dd { (actor) } }
                @if let Some(document) = &flow.summary.document {
                    dt { (words::DOCUMENT.get(lang)) }
                    dd { a href={ "/console/documents/" (document) } { (words::READ.get(lang)) } " (DocumentReference/" (document) ")" }
                }
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
            h3 { (words::step(&step.step, lang)) }
            p { span class={ "state " (step_class(step.state)) } { (words::step_state(step.state, lang)) } " · " span { (step.summary.get(lang)) } }
            @if let Some(rule) = &step.rule { p { (words::RULE.get(lang)) " : " strong { (rule) } } }
            p.quiet {
                (clock(step.started))
                @if let Some(ended) = step.ended { " · " (duration(step.started, ended, lang)) }
                @if !step.protocol.is_empty() { " · " (step.protocol) }
            }
            @if let Some(exchange) = &step.exchange {
                p.quiet.exchange {
                    (message_link(flow, exchange.request, &words::REQUEST, step, lang))
                    @if let Some(response) = &exchange.response {
                        (message_link(flow, *response, &words::RESPONSE, step, lang))
                    }
                }
            }
        }
    }
}

/// Its name says of which step: a list of links read aloud would else hold the same words many times.
fn message_link(flow: Uuid, digest: Digest, name: &Text, step: &FlowStep, lang: Lang) -> Markup {
    let name = name.get(lang);
    html! {
        a href={ "/console/flows/" (flow) "/messages/" (digest) } aria-label={ (name) " – " (words::step(&step.step, lang)) } { (name) }
    }
}

fn waiting(frame: &Frame<'_>, job: &Job) -> Markup {
    let lang = frame.lang;
    html! {
        li class=(job_class(job.state)) {
            h3 { (words::step(&job.kind, lang)) }
            p { span class={ "state " (job_class(job.state)) } { (words::job_state(job.state, lang)) }
                @if let Some(error) = &job.error { " · " (error.get(lang)) } }
            p.quiet { (words::ATTEMPTS.get(lang)) " : " (job.attempts) " · " (words::NEXT.get(lang)) " : " (moment(job.due, lang)) }
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
                    table role="table" {
                        thead role="rowgroup" { tr role="row" {
                            @for name in [words::STATE, words::FLOW, words::ATTEMPTS, words::NEXT, words::REASON, words::RETRY] {
                                th role="columnheader" scope="col" { (name.get(lang)) }
                            }
                        } }
                        tbody role="rowgroup" {
                            @for job in found {
                                tr role="row" {
                                    (cell(words::STATE.get(lang), &html! { span { span class={ "state " (job_class(job.state)) } { (words::job_state(job.state, lang)) } " · " (words::step(&job.kind, lang)) } }))
                                    (cell(words::FLOW.get(lang), &html! { @if let Some(flow) = job.flow { a href={ "/console/flows/" (flow) } { (short(flow)) } } }))
                                    (cell(words::ATTEMPTS.get(lang), &html! { (job.attempts) }))
                                    (cell(words::NEXT.get(lang), &moment(job.due, lang)))
                                    (cell(words::REASON.get(lang), &html! { (job.error.as_ref().map_or("–", |error| error.get(lang))) }))
                                    (cell(words::RETRY.get(lang), &retry_button(frame, job)))
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
            pre tabindex="0" role="region" aria-label=(words::MESSAGE.get(lang)) { (shown) }
        },
    )
}

/// A document as `socle-cda` shows it: its title is the page's.
pub(super) fn document(frame: &Frame<'_>, shown: &Markup) -> Markup {
    let lang = frame.lang;
    let content = html! {
        p.tools { (words::PERSONAL_DOCUMENT.get(lang)) " " a href="/console" { (words::BACK_TO_FLOWS.get(lang)) } }
        (shown)
    };
    frame.around(words::DOCUMENT.get(lang), Some("/console/document.css"), &content)
}

pub(super) fn not_shown(frame: &Frame<'_>, id: &str, media_type: &str) -> Markup {
    frame.page(
        words::DOCUMENT.get(frame.lang),
        &html! { p { (words::NOT_SHOWN.get(frame.lang)) " GET /fhir/Binary/" (id) " (" (media_type) ")" } },
    )
}

pub(super) fn not_found(frame: &Frame<'_>) -> Markup {
    frame.page(words::NO_PAGE.get(frame.lang), &html! { p { (words::NOT_FOUND.get(frame.lang)) } })
}

pub(super) fn forged(frame: &Frame<'_>) -> Markup {
    frame.page(words::NOTHING_DONE.get(frame.lang), &html! { p { (words::FORGED.get(frame.lang)) } })
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

fn moment(at: Timestamp, lang: Lang) -> Markup {
    let format = if lang == Lang::Fr { "%d/%m/%Y %H:%M:%S UTC" } else { "%d %b %Y %H:%M:%S UTC" };
    html! { time datetime=(at) { (at.strftime(format)) } }
}

/// The hour of a step: its day is the flow's, and the browser's machine reads the whole moment.
fn clock(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%H:%M:%S UTC")) } }
}

fn duration(started: Timestamp, ended: Timestamp, lang: Lang) -> String {
    let micros = ended.duration_since(started).as_micros().max(0);
    let comma = if lang == Lang::Fr { ',' } else { '.' };
    match micros {
        0..100 => format!("< 0{comma}1 ms"),
        100..10_000 => format!("{}{comma}{} ms", micros / 1000, micros % 1000 / 100),
        10_000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}{comma}{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_says_is_text_and_never_markup() {
        let hostile = "<script>alert('x')</script>\"&";
        let shown = step(
            Uuid::nil(),
            &FlowStep {
                flow: Uuid::nil(),
                step: format!("mssante {hostile}"),
                state: StepState::Refused,
                started: Timestamp::UNIX_EPOCH,
                ended: None,
                protocol: hostile.to_owned(),
                summary: Text::same(hostile),
                rule: Some(hostile.to_owned()),
                exchange: None,
            },
            Lang::Fr,
        )
        .into_string();
        assert!(!shown.contains("<script"), "{shown}");
        assert_eq!(shown.matches("&lt;script&gt;").count(), 4, "{shown}");
    }

    #[test]
    fn a_column_s_name_cannot_leave_its_attribute() {
        let shown = cell("\" onclick=\"x", &html! { "y" }).into_string();
        assert_eq!(shown, r#"<td role="cell" data-label="&quot; onclick=&quot;x">y</td>"#);
    }

    #[test]
    fn a_duration_is_said_in_the_unit_that_suits_it() {
        let cases = [
            (-5, "< 0,1 ms", "< 0.1 ms"),
            (99, "< 0,1 ms", "< 0.1 ms"),
            (2_345, "2,3 ms", "2.3 ms"),
            (47_900, "47 ms", "47 ms"),
            (1_250_000, "1,2 s", "1.2 s"),
            (61_000_000, "61,0 s", "61.0 s"),
        ];
        for (micros, fr, en) in cases {
            let ended = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_micros(micros);
            assert_eq!(duration(Timestamp::UNIX_EPOCH, ended, Lang::Fr), fr);
            assert_eq!(duration(Timestamp::UNIX_EPOCH, ended, Lang::En), en);
        }
    }

    #[test]
    fn a_moment_is_read_by_people_and_by_machines() {
        let at: Timestamp = "2026-03-05T07:08:09Z".parse().unwrap();
        assert_eq!(
            moment(at, Lang::Fr).into_string(),
            r#"<time datetime="2026-03-05T07:08:09Z">05/03/2026 07:08:09 UTC</time>"#
        );
        assert_eq!(
            moment(at, Lang::En).into_string(),
            r#"<time datetime="2026-03-05T07:08:09Z">05 Mar 2026 07:08:09 UTC</time>"#
        );
    }
}
