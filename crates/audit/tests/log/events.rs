use std::borrow::Cow;

use audit::{Chain, Event, EventKind, Lines, Token};
use proptest::prelude::*;

use crate::support::KEY;

proptest! {
    /// Whatever a text holds: it stays one line, one member, and comes back as it was.
    #[test]
    fn text_forges_neither_lines_nor_members(text in any::<String>(), task in "[\"\\\\\n\r\u{2028}}{,:a]{0,20}") {
        let event = Event {
            event: EventKind::Decision,
            task: Some(Cow::Borrowed(&task)),
            resource: Some(Cow::Borrowed(&text)),
            ..Event::default()
        };
        let batch = Chain::begin("w".to_owned(), KEY).seal(Lines::of(&event), 1);
        prop_assert_eq!(batch.body.lines().count(), 1);
        let read: Vec<_> = batch.entries().map(|(_, event)| event).collect();
        prop_assert_eq!(read, vec![Some(event)]);
    }
}

#[test]
fn events_have_what_they_are_about_and_nothing_else() {
    let token = Token { jti: "j", task: "t", agent: "a", client: "c", subject: "s", expires_at: 9 };
    for (event, json) in [
        (
            Event::task_started(1, token, Some("p"), None),
            r#"{"at":1,"event":"task_started","by":"c","task":"t","parent":"p","agent":"a","client":"c","subject":"s","jti":"j","expires_at":9}"#,
        ),
        (
            Event::token_delegated(1, token, "i"),
            r#"{"at":1,"event":"token_delegated","by":"c","task":"t","agent":"a","client":"c","subject":"s","jti":"j","parent_jti":"i","expires_at":9}"#,
        ),
        (
            Event::grant_used(1, token, "g1.7", "edge"),
            r#"{"at":1,"event":"grant_used","task":"t","agent":"a","client":"c","subject":"s","jti":"j","data_plane":"edge","name":"g1.7"}"#,
        ),
        (
            Event::task_completed(1, "c", "t", None),
            r#"{"at":1,"event":"task_completed","by":"c","task":"t"}"#,
        ),
        (
            Event::revoked(1, "ops", "agent", "a", Some("lost"), None),
            r#"{"at":1,"event":"revoked","by":"ops","level":"agent","name":"a","reason":"lost"}"#,
        ),
        (
            Event::policy_published(1, "host", 7, "d"),
            r#"{"at":1,"event":"policy_published","by":"host","seq":7,"hash":"d"}"#,
        ),
        (
            Event::refusals(60_000, "missing_token", "", 3),
            r#"{"at":60000,"event":"refusals","code":"missing_token","count":3}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }
}
