//! `POST /v1/revocations/lift`.

use audit::{Event, Lines};
use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use store::{Write, WriteError, Written};

use super::view::LevelName;
use crate::{
    clock,
    operators::Operator,
    server::Api,
    tasks::TaskError,
    web::{self, Problem, read_json},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lift {
    level: LevelName,
    name: String,
}

#[derive(Serialize)]
struct Lifted {
    /// Whether there was anything to lift.
    lifted: bool,
}

/// Takes back what stands for an agent, a subject or a client. What ended, leaked or was withdrawn stays so.
pub(super) async fn lift(
    State(api): State<Api>,
    operator: Operator,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Lift { level: LevelName(level), name } = read_json(&headers, &web::read_whole(body).await?)?;
    let now = clock::now_millis();
    let lines = Lines::of(&Event::lifted(now.0, &operator.name, level.name(), &name));
    let write = Write::Lift { level, name, by: operator.name.to_string(), now: now.seconds().0 };
    match api.ledger.write(write, lines).await {
        Ok(Written::Lifted(lifted)) => Ok(web::uncached(StatusCode::OK, Lifted { lifted })),
        Ok(_) => Err(TaskError::Internal.into()),
        Err(error @ WriteError::NotLiftable(_)) => {
            Err(Problem::new(StatusCode::CONFLICT, "not_liftable", error.to_string()))
        }
        Err(error) => Err(TaskError::from(error).into()),
    }
}
