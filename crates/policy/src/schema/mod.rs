//! The policy language: from a file's tree to typed parts, each of which still knows its place.
//!
//! Everything here is about one file alone. What files may claim and how they fit together is
//! [`compile`](crate::compile)'s.

mod body;
mod ceiling;
mod client;
mod constraints;
mod credential;
mod delegation;
mod host;
mod mode;
mod params;
mod rule;

pub(crate) use ceiling::CeilingSource;
pub(crate) use client::ClientSource;
pub(crate) use credential::CredentialSource;
pub(crate) use host::HostSource;
pub(crate) use rule::RuleSource;

use crate::{
    report::{Report, Reported},
    yaml::{Field, Mapping, named},
};

/// One policy file.
pub(crate) struct FileSource<'n> {
    /// The team whose file this is; checked to be text.
    pub(crate) namespace: Field<'n>,
    pub(crate) clients: Vec<ClientSource<'n>>,
    pub(crate) credentials: Vec<CredentialSource<'n>>,
    pub(crate) hosts: Vec<HostSource<'n>>,
}

impl<'n> FileSource<'n> {
    /// Reads a whole file, past its errors.
    ///
    /// # Errors
    /// It is not a mapping or names no namespace; errors further inside are recorded all the same.
    pub(crate) fn read(root: &Field<'n>, report: &mut Report) -> Result<Self, Reported> {
        let mut file = Mapping::of(root, report)?;
        let namespace = namespace(&mut file, report);
        let clients = file.optional("clients").map(|field| clients(&field, report));
        let credentials = file.optional("credentials").map(|field| credentials(&field, report));
        let hosts = file.optional("routes").map(|field| hosts(&field, report));
        // What is wrong with other members does not keep the rest from being held against other files.
        let _ = file.unsupported(&["rego"], report);
        let _ = file.finish(report);
        Ok(Self {
            namespace: namespace?,
            clients: clients.transpose()?.unwrap_or_default(),
            credentials: credentials.transpose()?.unwrap_or_default(),
            hosts: hosts.transpose()?.unwrap_or_default(),
        })
    }
}

/// The namespace of a file, whatever else is in it.
///
/// # Errors
/// It names none.
pub(crate) fn namespace_of(root: &Field<'_>, report: &mut Report) -> Result<String, Reported> {
    namespace(&mut Mapping::of(root, report)?, report)?.text(report).map(str::to_owned)
}

fn namespace<'n>(file: &mut Mapping<'n>, report: &mut Report) -> Result<Field<'n>, Reported> {
    let field = file.required("namespace", report)?;
    name(&field, report)?;
    Ok(field)
}

fn clients<'n>(field: &Field<'n>, report: &mut Report) -> Result<Vec<ClientSource<'n>>, Reported> {
    let members = named(field, report)?;
    Ok(members.into_iter().filter_map(|member| ClientSource::read(member, report).ok()).collect())
}

fn credentials<'n>(field: &Field<'n>, report: &mut Report) -> Result<Vec<CredentialSource<'n>>, Reported> {
    let members = named(field, report)?;
    Ok(members.into_iter().map(|member| CredentialSource::read(member, report)).collect())
}

fn hosts<'n>(field: &Field<'n>, report: &mut Report) -> Result<Vec<HostSource<'n>>, Reported> {
    let items = field.items(report)?;
    Ok(items.iter().filter_map(|item| HostSource::read(item, report).ok()).collect())
}

/// A name of a namespace.
///
/// # Errors
/// Not a string, or not [`is_name`].
fn name<'n>(field: &Field<'n>, report: &mut Report) -> Result<&'n str, Reported> {
    let text = field.text(report)?;
    if is_name(text) { Ok(text) } else { Err(report.at(field, NAME)) }
}

/// What a name must be.
const NAME: &str = "a name has 1 to 64 letters, digits and `_.-`";

/// Whether `text` can name a namespace, a client or a credential. A colon would end a user name in HTTP basic authentication
/// (RFC 7617 section 2), and a client's name goes into a header field.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The items of a list of strings.
///
/// # Errors
/// It is none, or an item is no string; all of them are recorded.
fn texts<'n>(field: &Field<'n>, report: &mut Report) -> Result<Vec<(Field<'n>, &'n str)>, Reported> {
    let texts: Vec<_> =
        field.items(report)?.into_iter().map(|item| item.text(report).map(|text| (item, text))).collect();
    texts.into_iter().collect()
}

/// Reads each item of a list of strings with `parse`; errors name the item.
///
/// # Errors
/// Any item that cannot be read; all of them are recorded.
fn each<'n, T, E: std::fmt::Display>(
    field: &Field<'n>,
    parse: impl Fn(&str) -> Result<T, E>,
    report: &mut Report,
) -> Result<Vec<(Field<'n>, T)>, Reported> {
    let items: Vec<_> = field
        .items(report)?
        .into_iter()
        .map(|item| {
            let text = item.text(report)?;
            let value = parse(text).map_err(|error| report.at(&item, format!("`{text}`: {error}")))?;
            Ok((item, value))
        })
        .collect();
    items.into_iter().collect()
}
