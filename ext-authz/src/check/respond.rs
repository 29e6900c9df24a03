//! From the verdict to Envoy's answer.

use std::collections::HashMap;

use envoy_types::{
    ext_authz::v3::pb::{
        CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption, HttpResponse,
        HttpStatus, OkHttpResponse,
    },
    pb::google::{
        protobuf::{Struct, Value, value::Kind},
        rpc,
    },
};
use tonic::Code;
use verdict::{Denial, DenialResponse, HeaderEdits, Permit, Request};

use crate::credentials::Secret;

/// A permit's edits that Envoy's API cannot express: names are text there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inexpressible;

/// A client's field of this name is left out of what Envoy asks (it has one of its own there), but goes upstream
/// all the same. So the verdict does not see it, and it is always removed.
pub(super) const HIDDEN_FROM_CHECK: &str = "x-envoy-auth-partial-body";

/// A permit's answer; `injected` is the header field that its credential is in, and its value.
pub(super) fn allowed(
    permit: &Permit,
    injected: Option<(&str, &Secret)>,
) -> Result<CheckResponse, Inexpressible> {
    let HeaderEdits { remove, set } = permit.edits();
    // Envoy removes after it sets; and setting replaces what the client sent.
    let is_injected =
        |name: &&Vec<u8>| injected.is_some_and(|(injected, _)| injected.as_bytes() == name.as_slice());
    let hidden = std::iter::once(HIDDEN_FROM_CHECK.as_bytes().to_vec());
    let remove: Result<Vec<String>, _> = remove
        .iter()
        .filter(|name| !is_injected(name))
        .cloned()
        .chain(hidden)
        .map(String::from_utf8)
        .collect();
    let mut set: Vec<HeaderValueOption> =
        set.into_iter().map(|(name, value)| header(name, value.to_owned())).collect();
    if let Some((name, value)) = injected {
        let value = String::from_utf8(value.expose().to_vec()).map_err(|_| Inexpressible)?;
        set.push(header(name, value));
    }
    let response = OkHttpResponse {
        headers: set,
        headers_to_remove: remove.map_err(|_| Inexpressible)?,
        ..OkHttpResponse::default()
    };
    let task = permit.record().map(|record| record.task());
    let shadowed = permit.shadowed_denial().map(|denial| denial.code().as_str());
    Ok(CheckResponse {
        status: Some(status(Code::Ok)),
        dynamic_metadata: Some(metadata(&[("denial", shadowed), ("task", task)])),
        http_response: Some(HttpResponse::OkResponse(response)),
    })
}

pub(super) fn denied(denial: &Denial, request: &Request<'_>) -> CheckResponse {
    let DenialResponse { status: http_status, headers, body } = denial.response(request);
    let response = DeniedHttpResponse {
        status: Some(HttpStatus { code: i32::from(http_status) }),
        headers: headers.into_iter().map(|(name, value)| header(name, value)).collect(),
        // A problem body is JSON, hence UTF-8. Without one it would still be a denial.
        body: String::from_utf8(body).unwrap_or_default(),
    };
    CheckResponse {
        // Anything but OK is a denial to Envoy, whatever the rest says.
        status: Some(status(Code::PermissionDenied)),
        dynamic_metadata: Some(metadata(&[
            ("denial", Some(denial.code().as_str())),
            ("task", denial.task()),
        ])),
        http_response: Some(HttpResponse::DeniedResponse(response)),
    }
}

fn status(code: Code) -> rpc::Status {
    rpc::Status { code: code.into(), message: String::new(), details: Vec::new() }
}

/// Replaces every value the client sent: appending would leave its own beside ours.
fn header(name: &str, value: String) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), value, raw_value: Vec::new() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..HeaderValueOption::default()
    }
}

/// For access logs: `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:task)%`.
fn metadata(members: &[(&str, Option<&str>)]) -> Struct {
    let text = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let fields: HashMap<String, Value> =
        members.iter().filter_map(|(name, value)| Some(((*name).to_owned(), text((*value)?)))).collect();
    Struct { fields }
}
