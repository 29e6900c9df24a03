//! Policy files as replicas share them: by name alone, wherever each replica has its directory.

use std::path::Path;

use policy::Sources;
use sha2::{Digest as _, Sha256};
use store::Generation;

use super::StoreFault;

/// The policy that the store says all replicas serve.
#[derive(Clone, Debug)]
pub(super) struct Latest {
    pub(super) number: u64,
    /// Its files, named as if they were in this replica's directory.
    pub(super) sources: Sources,
    pub(super) digest: String,
    /// Unix seconds.
    pub(super) published_at: u64,
}

impl Latest {
    /// Reads what the store holds.
    pub(super) fn read(generation: Generation, place: &Path) -> Result<Self, StoreFault> {
        let Generation { number, digest, directory_digest: _, sources, published_at } = generation;
        let shared: Sources = serde_json::from_str(&sources)
            .map_err(|reason| StoreFault::Content { generation: number, reason: reason.to_string() })?;
        let local = |(name, text)| (place.join(name).display().to_string(), text);
        let sources = shared.iter().map(local).collect();
        Ok(Self { number, sources, digest, published_at })
    }
}

/// The form in which `sources` are published.
pub(super) fn share(sources: &Sources) -> Result<String, StoreFault> {
    let shared: Sources = sources.iter().map(|(name, text)| (file_name(name), text)).collect();
    serde_json::to_string(&shared).map_err(|reason| StoreFault::Form(reason.to_string()))
}

/// Names `sources` by their content: hexadecimal SHA-256. The lengths keep two files apart from one.
pub(super) fn digest(sources: &Sources) -> String {
    let mut hash = Sha256::new();
    for (name, text) in sources.iter() {
        for part in [file_name(name), text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    base16ct::lower::encode_string(&hash.finalize())
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Sources {
        files.iter().map(|(name, text)| (*name, *text)).collect()
    }

    #[test]
    fn the_place_of_a_directory_makes_no_difference() {
        let (here, there) = (sources(&[("policies/a.yaml", "x")]), sources(&[("/etc/writ/a.yaml", "x")]));
        assert_eq!(digest(&here), digest(&there));
        assert_eq!(share(&here).unwrap(), share(&there).unwrap());
        let generation = Generation {
            number: 1,
            digest: digest(&here),
            directory_digest: digest(&here),
            sources: share(&here).unwrap(),
            published_at: 1,
        };
        assert_eq!(Latest::read(generation, Path::new("/etc/writ")).unwrap().sources, there);
    }

    #[test]
    fn any_difference_makes_another_digest() {
        let all = [
            sources(&[("a", "bc")]),
            sources(&[("ab", "c")]),
            sources(&[("a", "b"), ("c", "")]),
            sources(&[("a", "bc"), ("d", "")]),
            sources(&[]),
        ];
        for (index, one) in all.iter().enumerate() {
            for other in all.iter().skip(index + 1) {
                assert_ne!(digest(one), digest(other), "{one:?} {other:?}");
            }
        }
    }
}
