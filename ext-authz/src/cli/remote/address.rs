//! Where a running server is.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use clap::Args;
use http::Uri;

use crate::{
    cli::{exit::Failure, places::DataPlaces},
    config::{Config, resolve},
    listen::{Addresses, LISTENERS},
};

/// The base URL of a listener.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Address(Uri);

impl Address {
    /// The URL of `path` there.
    pub(super) fn join(&self, path: &str) -> Result<Uri, http::uri::InvalidUri> {
        format!("{}{path}", self.to_string().trim_end_matches('/')).parse()
    }

    /// Whether nobody on the way can read or change what is sent: TLS, or no way at all.
    pub(in crate::cli) fn is_private(&self) -> bool {
        let host = self.0.host().unwrap_or_default();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        self.0.scheme_str() == Some("https")
            || host.eq_ignore_ascii_case("localhost")
            || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, "must be a URL such as `http://127.0.0.1:8080`")
    }
}

impl Address {
    /// As the listener for operators' tools has it, which is on another port.
    fn of_admin(text: &str) -> Result<Self, &'static str> {
        Self::read(text, "must be a URL such as `http://127.0.0.1:8081`")
    }

    fn read(text: &str, placeless: &'static str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "not a URL")?;
        let has_place = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty());
        if !has_place {
            return Err(placeless);
        }
        if uri.query().is_some() || uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err("must be a URL without user and query");
        }
        Ok(Self(uri))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        formatter.write_str(text.trim_end_matches('/'))
    }
}

/// Which server's admin listener is asked.
#[derive(Args, Debug)]
pub(in crate::cli) struct AdminAddress {
    /// URL of the server's admin listener [default: as the running server of the data directory wrote it]
    #[arg(long, value_name = "URL", value_parser = Address::of_admin, conflicts_with_all = ["config", "data_dir"])]
    admin: Option<Address>,
    #[command(flatten)]
    places: DataPlaces,
}

impl AdminAddress {
    pub(in crate::cli) fn find(&self) -> Result<Address, Failure> {
        match &self.admin {
            Some(address) => Ok(address.clone()),
            None => Ok(of("http", listening(&self.places, "--admin")?.1.admin)),
        }
    }
}

impl Address {
    /// The HTTP listener of the running server of a data directory.
    pub(in crate::cli) fn of_http(places: &DataPlaces) -> Result<Self, Failure> {
        let (config, addresses) = listening(places, "--server")?;
        Ok(of(if config.tls.is_some() { "https" } else { "http" }, addresses.http))
    }
}

fn listening(places: &DataPlaces, instead: &str) -> Result<(Config, Addresses), Failure> {
    let config = resolve(places.overrides())?;
    let path = config.data_dir.join(LISTENERS);
    match Addresses::read(&path) {
        Ok(Some(addresses)) => Ok((config, addresses)),
        Ok(None) => Err(Failure::failed(&format!(
            "no server runs here: there is no `{}`; name another one's listener by {instead} URL",
            path.display()
        ))),
        Err(error) => Err(Failure::failed(&error)),
    }
}

/// A listener on all addresses is found on this machine's own.
fn of(scheme: &str, address: SocketAddr) -> Address {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let authority = SocketAddr::new(ip, address.port()).to_string();
    let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build();
    // An address and a port are an authority.
    Address(uri.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_a_place_are_addresses() {
        for text in ["127.0.0.1:8081", "/x", "ftp://a", "http://", "http://a?b", "http://a@b", "unix:/x"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        // Each names the port of its own listener.
        assert!("/x".parse::<Address>().unwrap_err().contains(":8080"));
        assert!(Address::of_admin("/x").unwrap_err().contains(":8081"));
        let address: Address = "https://writ.example.org/base/".parse().unwrap();
        assert_eq!(address.join("/x").unwrap().to_string(), "https://writ.example.org/base/x");
    }

    #[test]
    fn clear_text_is_private_on_this_machine_only() {
        for (url, is_private) in [
            ("http://127.0.0.1:1", true),
            ("http://127.8.8.8", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("https://10.0.0.1", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org", false),
        ] {
            assert_eq!(url.parse::<Address>().unwrap().is_private(), is_private, "{url}");
        }
    }

    #[test]
    fn a_listener_everywhere_is_found_here() {
        assert_eq!(of("http", "0.0.0.0:80".parse().unwrap()).to_string(), "http://127.0.0.1:80");
        assert_eq!(of("https", "[::]:80".parse().unwrap()).to_string(), "https://[::1]:80");
    }
}
