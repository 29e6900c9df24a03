//! `credentials.<name>`.

mod inject;
mod secret;

use std::time::Duration;

use super::{NAME, ceiling::duration, is_name, texts};
use crate::{
    credential::Credential,
    report::{Report, Reported},
    yaml::{Field, Mapping, Named},
};

/// Of a lease, where nobody says.
const DEFAULT_LEASE: Duration = Duration::from_secs(30);
/// The longest: a data plane that is cut off uses what it has for so long.
const MAX_LEASE: Duration = Duration::from_secs(60 * 60);

/// A credential as one file defines it.
pub(crate) struct CredentialSource<'n> {
    /// Its name and the place of its name.
    pub(crate) named: Named<'n>,
    /// With the place of its secret, which the file's namespace must claim. What is wrong with it is recorded, and nothing
    /// that names it is wrong on top.
    pub(crate) credential: Result<(Field<'n>, Credential), Reported>,
}

impl<'n> CredentialSource<'n> {
    pub(super) fn read(named: Named<'n>, report: &mut Report) -> Self {
        let credential = read(&named, report);
        Self { named, credential }
    }
}

fn read<'n>(named: &Named<'n>, report: &mut Report) -> Result<(Field<'n>, Credential), Reported> {
    let name = if is_name(named.name) { Ok(()) } else { Err(named.refuse(NAME, report)) };
    let mut credential = Mapping::of(&named.field, report)?;
    let clusters = credential.required("clusters", report).and_then(|field| clusters(&field, report));
    let inject = credential.required("inject", report).and_then(|field| inject::read(&field, report));
    let secret = credential.required("secret", report);
    let secret = secret.and_then(|field| secret::read(&field, report).map(|secret| (field, secret)));
    let lease = credential.optional("lease").map(|field| lease(&field, report));
    credential.finish(report)?;
    name?;
    let (field, secret) = secret?;
    let lease = lease.transpose()?.unwrap_or(DEFAULT_LEASE);
    Ok((field, Credential { clusters: clusters?, inject: inject?, secret, lease }))
}

fn lease(field: &Field<'_>, report: &mut Report) -> Result<Duration, Reported> {
    let lease = duration(field, report)?;
    if lease > MAX_LEASE {
        return Err(report.at(field, format!("is over {} minutes", MAX_LEASE.as_secs() / 60)));
    }
    Ok(lease)
}

/// Names of Envoy clusters; those of meshes hold `|`.
fn clusters(field: &Field<'_>, report: &mut Report) -> Result<Vec<String>, Reported> {
    let mut clusters: Vec<String> = Vec::new();
    for (field, name) in texts(field, report)? {
        if name.len() > 255 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(report.at(&field, "a cluster's name has 1 to 255 visible ASCII characters"));
        }
        if clusters.iter().any(|other| other == name) {
            return Err(report.at(&field, "is already listed"));
        }
        clusters.push(name.to_owned());
    }
    Ok(clusters)
}
