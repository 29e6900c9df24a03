//! `GET /v1/revocations`.

use axum::{extract::State, response::Response};
use http::{StatusCode, Uri};
use serde::Serialize;
use store::RevocationFilter;
use verdict::token::claims::is_name;

use super::view::{LevelName, RevocationView};
use crate::{
    clock,
    operators::Operator,
    server::Api,
    tasks::{TaskError, service::MAX_PAGE},
    web::{self, Parameters, Problem},
};

/// Revocations of a page, where nothing is said.
const DEFAULT_PAGE: u32 = 100;

#[derive(Serialize)]
struct Listed {
    revocations: Vec<RevocationView>,
    /// What to ask for the next page `after`; `null` where this is the last.
    next: Option<u64>,
}

/// In the order in which they were made. `stands`: only those that refuse now, or only the others.
pub(super) async fn list(State(api): State<Api>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let limit: u32 = parameters.parsed("limit")?.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::invalid_request(format!("limit: must be 1 to {MAX_PAGE}")));
    }
    let now = clock::now().0;
    let filter = RevocationFilter {
        level: parameters.parsed("level")?.map(|LevelName(level)| level),
        name: parameters.take("name").map(checked).transpose()?,
        stands: parameters.parsed("stands")?,
        after: parameters.parsed("after")?.unwrap_or(0),
        // One more tells whether there is another page.
        limit: limit + 1,
        now,
    };
    parameters.finish()?;
    let mut revocations = api.scans.revocations(&filter).await.map_err(TaskError::from)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_last = revocations.len() <= limit;
    revocations.truncate(limit);
    let next = revocations.last().map(|revocation| revocation.seq).filter(|_| !is_last);
    let revocations =
        revocations.into_iter().map(|revocation| RevocationView::new(revocation, now)).collect();
    Ok(web::uncached(StatusCode::OK, Listed { revocations, next }))
}

/// What could be a name at all: databases do not look for everything.
fn checked(name: String) -> Result<String, Problem> {
    if is_name(&name) { Ok(name) } else { Err(Problem::invalid_request("name: is no name")) }
}
