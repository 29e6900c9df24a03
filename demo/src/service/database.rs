//! A query API like that of Amazon RDS: `/?Action=...` by GET, or a form by POST, answers XML.
//!
//! It reads query and form as many services do: one after the other, names in any case, and of several actions the last. Nobody but the verdict
//! keeps a request that names two of them from doing the second.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{Query, State},
    http::{StatusCode, Uri, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};

/// The databases there are.
pub(crate) const INSTANCES: [&str; 2] = ["orders", "users"];

type Instances = Arc<Mutex<Vec<String>>>;

/// The service.
pub(crate) fn router() -> Router {
    let instances: Instances = Arc::new(Mutex::new(INSTANCES.map(str::to_owned).to_vec()));
    Router::new().route("/", get(act).post(act)).with_state(instances)
}

async fn act(
    State(instances): State<Instances>,
    Query(mut parameters): Query<Vec<(String, String)>>,
    form: String,
) -> impl IntoResponse {
    // A form is written like a query.
    let as_query = format!("/?{form}").parse::<Uri>().ok();
    let form = as_query.and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    parameters.extend(form.into_iter().flat_map(|Query(form)| form));
    let last = |name: &str| {
        let named = parameters.iter().rev().find(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let mut instances = instances.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match last("Action") {
        "DescribeDBInstances" => (StatusCode::OK, describe(&instances)),
        "DeleteDBInstance" => {
            instances.retain(|instance| instance != last("DBInstanceIdentifier"));
            (StatusCode::OK, "<DeleteDBInstanceResponse/>\n".to_owned())
        }
        _ => (
            StatusCode::BAD_REQUEST,
            "<ErrorResponse><Code>InvalidAction</Code></ErrorResponse>\n".to_owned(),
        ),
    };
    (status, [(CONTENT_TYPE, "text/xml")], body)
}

/// The answer to `DescribeDBInstances`.
pub(crate) fn describe(instances: &[impl AsRef<str>]) -> String {
    let members: String = instances
        .iter()
        .map(|instance| {
            let name = instance.as_ref();
            format!("<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier></DBInstance>")
        })
        .collect();
    format!(
        "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances>{members}</DBInstances>\
         </DescribeDBInstancesResult></DescribeDBInstancesResponse>\n"
    )
}
