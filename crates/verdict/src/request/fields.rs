//! One pass over the header fields, which keeps what the verdict reads.

use alloc::vec::Vec;

/// A field that a request has at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Single<'a> {
    #[default]
    Absent,
    One(&'a [u8]),
    Several,
}

impl<'a> Single<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = if *self == Self::Absent { Self::One(value) } else { Self::Several };
    }
}

/// The fields that decide, by role.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) method: Single<'a>,
    pub(crate) path: Single<'a>,
    pub(crate) authority: Single<'a>,
    pub(crate) host: Single<'a>,
    pub(crate) authorization: Single<'a>,
    pub(crate) content_length: Single<'a>,
    pub(crate) upgrade: Single<'a>,
    pub(crate) connection: Vec<&'a [u8]>,
    pub(crate) cookies: Vec<&'a [u8]>,
    /// A field asks the upstream for another method or path than the one that is judged.
    pub(crate) overrides_target: bool,
    pub(crate) has_dpop: bool,
    /// Names under which only Writ and Envoy may speak, as sent.
    pub(crate) reserved: Vec<&'a [u8]>,
    /// Names by which a proxy tells what the request was before it; from an agent they would tell the upstream of
    /// another host, method or path than the ones that are judged. As sent.
    pub(crate) misleading: Vec<&'a [u8]>,
    pub(crate) all: &'a [(&'a [u8], &'a [u8])],
}

impl<'a> Fields<'a> {
    pub(crate) fn scan(all: &'a [(&'a [u8], &'a [u8])]) -> Self {
        let mut fields = Self { all, ..Self::default() };
        for &(name, value) in all {
            match name {
                b":method" => fields.method.add(value),
                b":path" => fields.path.add(value),
                b":authority" => fields.authority.add(value),
                b"host" => fields.host.add(value),
                b"authorization" => fields.authorization.add(value),
                b"content-length" => fields.content_length.add(value),
                b"upgrade" => fields.upgrade.add(value),
                b"connection" => fields.connection.push(value),
                b"cookie" => fields.cookies.push(value),
                b"dpop" => fields.has_dpop = true,
                _ => fields.note_name(name),
            }
        }
        fields
    }

    fn note_name(&mut self, name: &'a [u8]) {
        // Nearly every name: none of those below begins like it.
        if !name.first().is_some_and(|first| matches!(plain(first), b'x' | b'f' | b'-')) {
            return;
        }
        let is = |wanted: &&[u8]| name.len() == wanted.len() && starts_with(name, wanted);
        let list = if starts_with(name, b"x-writ-") || starts_with(name, b"x-envoy-") {
            &mut self.reserved
        } else if MISLEADING.iter().any(is) {
            &mut self.misleading
        } else {
            self.overrides_target |= starts_with(name, b"x-http-method") || OVERRIDES.iter().any(is);
            return;
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }

    /// The names, as sent, of fields that an interface behind Envoy may take for the one of this name.
    pub(crate) fn alike(&self, wanted: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let alike = move |name: &&[u8]| name.len() == wanted.len() && starts_with(name, wanted);
        self.all.iter().map(|(name, _)| *name).filter(alike)
    }

    /// The values of an ordinary field, for a parameter that is read from it.
    pub(crate) fn get(&self, wanted: &str) -> Single<'a> {
        let mut found = Single::Absent;
        for &(name, value) in self.all {
            if name.len() == wanted.len() && starts_with(name, wanted.as_bytes()) {
                found.add(value);
            }
        }
        found
    }
}

/// Fields by which frameworks let a client choose another method or path.
const OVERRIDES: [&[u8]; 4] = [b"x-method-override", b"-method", b"x-original-url", b"x-rewrite-url"];

/// Fields that only a proxy in front of Envoy would have reason to send; `x-forwarded-for` and
/// `x-forwarded-proto` are Envoy's to write.
const MISLEADING: [&[u8]; 12] = [
    b"forwarded",
    b"x-forwarded-host",
    b"x-forwarded-method",
    b"x-forwarded-path",
    b"x-forwarded-port",
    b"x-forwarded-prefix",
    b"x-forwarded-server",
    b"x-forwarded-uri",
    b"x-host",
    b"x-original-host",
    b"x-original-method",
    b"x-original-uri",
];

/// Whether `name` begins with `prefix`, a lower-case name. Case makes no difference, nor which punctuation is
/// used: gateway interfaces (CGI and its kin) behind Envoy make one variable of `x-writ-task`, `x_writ_task` and
/// `x.writ.task`.
fn starts_with(name: &[u8], prefix: &[u8]) -> bool {
    name.len() >= prefix.len() && name.iter().zip(prefix).all(|(ours, theirs)| plain(ours) == plain(theirs))
}

/// The one byte for all that read alike.
fn plain(byte: &u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_note_is_noted() {
        let prefixes: [&[u8]; 3] = [b"x-writ-", b"x-envoy-", b"x-http-method"];
        for &name in OVERRIDES.iter().chain(&MISLEADING).chain(&prefixes) {
            for first in [name[0].to_ascii_uppercase(), name[0]] {
                let mut name = name.to_vec();
                name[0] = first;
                let headers = [(&*name, &b""[..])];
                let fields = Fields::scan(&headers);
                let noted = fields.overrides_target || fields.reserved.len() + fields.misleading.len() == 1;
                assert!(noted, "{}", name.escape_ascii());
            }
        }
        assert!(Fields::scan(&[(b"_method", b"PUT")]).overrides_target);
    }
}
