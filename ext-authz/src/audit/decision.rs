//! What was decided on requests of verified tokens, as events.

use std::borrow::Cow;

use audit::{Event, EventKind};
use proto::v1::Decision;
use verdict::{Denial, Permit, Verdict, VerifiedToken};

use crate::{clock::UnixMillis, telemetry::feed::known_verdict};

/// Most bytes of a name that is kept, and of other text: whoever reports can be wrong, and must not fill the log.
const NAME: usize = 255;
const TEXT: usize = 2048;
/// How late a report may be. What claims to be older, or to come from the future, happened when it was told.
const LATEST: u64 = 3_600_000;

/// The host as the client wrote it, if it may be one at all.
pub(crate) fn host_name<'h>(headers: &[(&[u8], &'h [u8])]) -> &'h str {
    let authority = headers.iter().find(|(name, _)| matches!(*name, b":authority" | b"host"));
    authority
        .filter(|(_, value)| value.len() <= NAME && value.iter().all(u8::is_ascii_graphic))
        .and_then(|(_, value)| std::str::from_utf8(value).ok())
        .unwrap_or_default()
}

/// A verdict of this server's own on a request for `host`; `None` where it rests on no verified token.
pub(crate) fn judged<'e>(
    at: UnixMillis,
    data_plane: &'e str,
    host: &'e str,
    verdict: &'e Verdict,
    token: Option<&'e VerifiedToken>,
) -> Option<Event<'e>> {
    let decided = match verdict {
        Verdict::Allow(permit) => permitted(permit)?,
        Verdict::Deny(denial) => denied(denial)?,
        // Not decided yet.
        Verdict::NeedsUse(_) | Verdict::NeedsBody(_) => return None,
    };
    let token = token?;
    Some(Event {
        at: at.0,
        event: EventKind::Decision,
        task: name(token.task()),
        agent: name(token.holder()),
        client: name(token.client()),
        jti: name(token.id()),
        host: name(host),
        data_plane: name(data_plane),
        ..decided
    })
}

fn permitted(permit: &Permit) -> Option<Event<'_>> {
    if let Some(denial) = permit.shadowed_denial() {
        return denied(denial).map(|decided| Event { shadow: Some(true), ..decided });
    }
    permit.record().map(|granted| Event {
        action: text(&granted.action),
        resource: text(&granted.resource),
        verdict: Some(Cow::Borrowed("allow")),
        ..Event::default()
    })
}

/// A denial names its task once the token is verified.
fn denied(denial: &Denial) -> Option<Event<'_>> {
    denial.task()?;
    let (verdict, code) = (Some(Cow::Borrowed("deny")), Some(Cow::Borrowed(denial.code().as_str())));
    Some(Event { verdict, code, ..Event::default() })
}

/// What a data plane says that it decided. It is believed, as far as it can be: it says so under its own name.
pub(crate) fn reported<'e>(now: UnixMillis, data_plane: &'e str, decision: &'e Decision) -> Event<'e> {
    let Decision { at, millis, verdict, shadow, host, action, resource, task, agent, client, jti } = decision;
    let at = at.saturating_mul(1000).saturating_add(u64::from(*millis).min(999));
    let is_likely = at <= now.0 && at >= now.0.saturating_sub(LATEST);
    let (verdict, code) = match known_verdict(verdict) {
        "allow" => ("allow", None),
        code => ("deny", Some(Cow::Borrowed(code))),
    };
    Event {
        at: if is_likely { at } else { now.0 },
        event: EventKind::Decision,
        task: name(task),
        agent: name(agent),
        client: name(client),
        jti: name(jti),
        action: text(action),
        resource: text(resource),
        host: name(host),
        data_plane: name(data_plane),
        verdict: Some(Cow::Borrowed(verdict)),
        code,
        shadow: shadow.then_some(true),
        ..Event::default()
    }
}

fn name(text: &str) -> Option<Cow<'_, str>> {
    bounded(text, NAME)
}

fn text(text: &str) -> Option<Cow<'_, str>> {
    bounded(text, TEXT)
}

/// The beginning of `text`; that something was cut off shows. `None` if it says nothing.
fn bounded(text: &str, most: usize) -> Option<Cow<'_, str>> {
    if text.len() <= most {
        return Some(text).filter(|text| !text.is_empty()).map(Cow::Borrowed);
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn what_a_data_plane_says_is_bounded_and_stays_where_it_belongs() {
        let decision = Decision {
            at: 1_799_999_999,
            verdict: "allow\",\"verdict\":\"x".into(),
            resource: "é".repeat(5000),
            task: "t\n{\"event\":\"task_completed\"}".into(),
            ..Decision::default()
        };
        let event = reported(NOW, "edge", &decision);
        assert_eq!(event.verdict.as_deref(), Some("deny"));
        assert_eq!(event.code.as_deref(), Some("other"));
        assert_eq!(event.resource.as_deref().map(str::len), Some(2048 + "…".len()));
        assert_eq!((event.at, event.host, event.agent), (1_799_999_999_000, None, None));
        let lines = audit::Lines::of(&reported(NOW, "edge", &decision));
        assert_eq!(lines.text().lines().count(), 1);
    }

    #[test]
    fn nothing_was_decided_in_the_future_or_long_ago() {
        for (at, told) in [
            (1_800_000_000, NOW.0),
            (1_800_000_001, NOW.0),
            (u64::MAX, NOW.0),
            (0, NOW.0),
            (1_800_000_000 - 3600, NOW.0 - 3_600_000),
            (1_800_000_000 - 3601, NOW.0),
        ] {
            let decision = Decision { at, verdict: "allow".into(), ..Decision::default() };
            assert_eq!(reported(NOW, "edge", &decision).at, told, "{at}");
        }
        // Whatever is said of the second, it stays in it.
        for (millis, told) in [(0, 0), (7, 7), (999, 999), (1000, 999), (u32::MAX, 999)] {
            let decision = Decision { at: 1_799_999_000, millis, ..Decision::default() };
            assert_eq!(reported(NOW, "edge", &decision).at, 1_799_999_000_000 + told, "{millis}");
        }
    }
}
