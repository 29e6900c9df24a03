//! The `verdict` crate itself.

use verdict::{
    Body, BodyNeed, Freshness, NoCache, Peer, Request, Snapshot, UnixTime, Use, Verdict, decide,
    document::HostDocument,
};

use crate::{
    corpus::{Case, Forwarded, Outcome, Over, Prepared, Preparer, document},
    error::{Result, unexpected},
    forge::Key,
    http::{Field, Payload, RawRequest, Response, h2},
};

/// The library surface.
#[derive(Debug)]
pub struct Library {
    hosts: Vec<HostDocument>,
    issuer: Key,
}

impl Library {
    /// Judges by these hosts; `issuer` signs.
    pub fn new(hosts: Vec<HostDocument>, issuer: Key) -> Self {
        Self { hosts, issuer }
    }

    /// The verdict on a case.
    ///
    /// # Errors
    /// A snapshot that does not compile.
    pub fn judge(&self, case: &Case, prepared: &Prepared, preparer: &Preparer<'_>) -> Result<Outcome> {
        let document = document(&self.hosts, &self.issuer, case.snapshot.as_ref(), prepared.now)?;
        let snapshot = Snapshot::compile(document).map_err(unexpected)?;
        let peer = match preparer.certificate(case.peer.as_ref())? {
            None => Peer::none(),
            Some((certificate, validated)) => Peer::from_url_encoded_pem(certificate.as_bytes(), validated),
        };
        let fields = as_filters_see_it(case, prepared);
        let borrowed: Vec<(&[u8], &[u8])> =
            fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let body = if has_body(&prepared.request) { Body::Present } else { Body::Absent };
        let request = Request { headers: &borrowed, body, peer: &peer };
        let judge = |request: &Request<'_>| {
            decide(&snapshot, request, UnixTime(prepared.now), Freshness::Static, &mut NoCache)
        };
        let mut judged = judge(&request);
        if let Verdict::NeedsBody(need) = judged {
            judged = judge(&Request { body: read_body(&prepared.request, need), ..request });
        }
        if let Verdict::NeedsUse(limited) = judged {
            // No surface of the corpus has tasks whose uses could be counted.
            judged = limited.settle(Use::Unavailable);
        }
        Ok(match judged {
            Verdict::NeedsUse(_) => unreachable!("it was settled"),
            Verdict::Allow(permit) => {
                let edits = permit.edits();
                let kept =
                    fields.iter().filter(|(name, _)| !name.starts_with(b":") && !edits.remove.contains(name));
                let kept = kept.filter(|(name, _)| !edits.set.iter().any(|(set, _)| set.as_bytes() == name));
                let set = edits
                    .set
                    .iter()
                    .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
                Outcome::Forwarded(Forwarded { headers: kept.cloned().chain(set).collect() })
            }
            Verdict::Deny(denial) => {
                let response = denial.response(&request);
                let headers = response.headers.into_iter();
                let headers =
                    headers.map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes())).collect();
                Outcome::of_response(Some(Response { status: response.status, headers, body: response.body }))
            }
            Verdict::NeedsBody(_) => return Err(unexpected("a body is asked for twice")),
        })
    }
}

/// The body as an adapter has it that reads no more than it must.
fn read_body(request: &RawRequest, BodyNeed { most }: BodyNeed) -> Body<'_> {
    match &request.payload {
        Payload::Open => Body::Cut,
        payload if payload.bytes().len() > most => Body::TooLarge,
        payload => Body::Whole(payload.bytes()),
    }
}

/// The header section as Envoy hands it to filters: pseudo-headers of either version, names lowercase.
pub(super) fn as_filters_see_it(case: &Case, prepared: &Prepared) -> Vec<Field> {
    let scheme = if case.peer.is_some() { "https" } else { "http" };
    fields_in(scheme, case.over, &prepared.request)
}

/// As [`as_filters_see_it`], of any request.
pub(super) fn fields_in(scheme: &str, over: Over, request: &RawRequest) -> Vec<Field> {
    let mut fields = h2::fields(scheme, request);
    if over == Over::H1 && request.method == b"CONNECT" {
        // The target of CONNECT is an authority (RFC 9112 section 3.2.3): there is no path.
        fields.retain(|(name, _)| name != b":path" && name != b":scheme");
    }
    for (name, _) in &mut fields {
        name.make_ascii_lowercase();
    }
    if over == Over::H1 && matches!(request.payload, Payload::Streamed(_) | Payload::Trailers(..)) {
        fields.push((b"transfer-encoding".to_vec(), b"chunked".to_vec()));
    }
    fields
}

/// Whether the adapter would have seen or been promised a byte of body.
pub(super) fn has_body(request: &RawRequest) -> bool {
    let promised = request.payload == Payload::Open
        && request.headers.iter().any(|(name, value)| name == b"content-length" && value != b"0");
    promised || !request.payload.bytes().is_empty()
}
