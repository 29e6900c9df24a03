//! What an upstream says of a request that carried a credential: whatever it echoes of that is hidden.

use super::{Flow, Phase, Stream, respond};
use crate::{
    host::{FeedHost, HostError, Level, ResponsePart},
    lease::Lease,
};
use verdict::{Denial, DenialCode, denial::Refusal};

impl<H: FeedHost + Clone> Stream<H> {
    /// Header or trailer fields of the answer have arrived.
    pub fn on_response(&mut self, part: ResponsePart) -> Flow {
        let phase = self.take_phase();
        let lease = match &phase {
            Phase::Allowed(Some(admission)) => admission.lease().cloned(),
            _ => None,
        };
        self.phase = phase;
        let Some(lease) = lease else { return Flow::Continue };
        match self.mask(part, &lease) {
            Ok(()) => Flow::Continue,
            Err(error) => {
                // It may hold the credential: nobody gets it.
                self.host.log(Level::Error, &format!("writ: an answer is withheld: {error}"));
                let refusal = Refusal::new(DenialCode::ServerUnavailable, "a host call failed");
                let _ = respond(&self.host, &Denial::new(refusal, None), &[]);
                Flow::Pause
            }
        }
    }

    #[inline(never)]
    fn mask(&self, part: ResponsePart, lease: &Lease) -> Result<(), HostError> {
        let fields = self.host.response_fields(part)?;
        let mut found = false;
        let clean: Vec<(&str, Vec<u8>)> = fields
            .iter()
            .filter_map(|(name, value)| {
                // A name cannot be made another one.
                if lease.mask(name.as_bytes()).is_some() {
                    found = true;
                    return None;
                }
                let masked = lease.mask(value);
                found |= masked.is_some();
                Some((name.as_str(), masked.unwrap_or_else(|| value.clone())))
            })
            .collect();
        if !found {
            return Ok(());
        }
        if let Some(shared) = self.plugin.as_ref().and_then(|plugin| plugin.feed()) {
            self.host.increment(shared.metrics().masked);
        }
        let clean: Vec<(&str, &[u8])> = clean.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        self.host.set_response_fields(part, clean)
    }
}
