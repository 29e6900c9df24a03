//! Denials of strangers, counted: nobody can make a report longer by asking more often.

use verdict::DenialCode;

use super::wire::{number_length, put_header, put_number, put_text, text_length};

/// Most hosts that are counted apart in one report, and most bytes that they may take in it; a policy may list more.
/// Denials at others count for no host.
pub const MAX_HOSTS: usize = 64;
/// See [`MAX_HOSTS`].
pub const MAX_BYTES: usize = 32 << 10;

/// How many denials of which code there were at which host.
#[derive(Debug, Default)]
pub struct Refused {
    hosts: Vec<AtHost>,
    /// What the hosts take, at most.
    bytes: usize,
}

#[derive(Debug)]
struct AtHost {
    /// As the snapshot lists it; empty for hosts that nobody listed.
    name: String,
    counts: Vec<(DenialCode, u64)>,
}

impl Refused {
    /// Counts one.
    pub fn count(&mut self, code: DenialCode, host: &str) {
        if !self.count_at(code, host) {
            // Of these there are as many as codes.
            let _ = self.count_at(code, "");
        }
    }

    /// `false`: there is no room for another host, or for another code at this one.
    fn count_at(&mut self, code: DenialCode, host: &str) -> bool {
        let bytes = self.bytes.saturating_add(host.len()).saturating_add(ENTRY);
        let has_room = host.is_empty() || bytes <= MAX_BYTES;
        let index = self.hosts.iter().position(|at| at.name == host).unwrap_or(self.hosts.len());
        if index == self.hosts.len() {
            if !host.is_empty() && (!has_room || index >= MAX_HOSTS) {
                return false;
            }
            self.hosts.push(AtHost { name: host.to_owned(), counts: Vec::new() });
        }
        let Some(AtHost { counts, .. }) = self.hosts.get_mut(index) else { return false };
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == code) {
            *count = count.saturating_add(1);
        } else if has_room {
            counts.push((code, 1));
            self.bytes = bytes;
        } else {
            return false;
        }
        true
    }

    /// A `writ.v1.Refused` for each code at each host, as fields of this number.
    #[must_use]
    pub fn encode(&self, field: u8) -> Vec<u8> {
        let mut out = Vec::new();
        for AtHost { name, counts } in &self.hosts {
            for &(code, count) in counts {
                let code = code.as_str();
                let length =
                    text_length(code).saturating_add(text_length(name)).saturating_add(number_length(count));
                put_header(&mut out, field, length);
                put_text(&mut out, CODE, code);
                put_text(&mut out, HOST, name);
                put_number(&mut out, COUNT, count);
            }
        }
        out
    }

    /// They were sent.
    pub fn clear(&mut self) {
        self.hosts.clear();
        self.bytes = 0;
    }
}

/// Most bytes of an entry beside its host: the code, the count and what stands between.
const ENTRY: usize = 40;

// Field numbers of `writ.v1.Refused`.
const CODE: u8 = 1;
const HOST: u8 = 2;
const COUNT: u8 = 3;
