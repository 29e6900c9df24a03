//! What a request goes through on its way.

/// One listener of the Envoy under measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// The router alone.
    NoFilter,
    /// Envoy's jwt_authn, which checks the signature of each request's token.
    Jwt,
    /// Envoy's jwt_authn with its cache, the token removed, three claims as header fields, then RBAC: what the filter
    /// does that an upstream can see.
    JwtCached,
    /// ext_authz with a server that answers OK.
    DoNothing,
    /// ext_authz with the Writ server, as shipped.
    ExtAuthz,
    /// The filter, each token used once.
    FilterNew,
    /// The filter, one token.
    FilterSeen,
    /// The same, on the feed of the Writ server instead of a snapshot in its configuration.
    FilterFed,
    /// The router alone, a request with a body.
    BodyNoFilter,
    /// The filter, one token, a body that its rule forwards unread.
    BodyUnread,
    /// The filter, one token, a body that its rule reads: a parameter found by pointer, and held against a constraint of
    /// none.
    BodyCheck,
    /// The same, for a host with a credential, and the rule behind the filter that holds the route against it.
    FilterInjects,
    /// [`Variant::JwtCached`], and Envoy's credential_injector with a static secret.
    Injector,
    /// Another build of the filter, one token.
    OtherSeen,
    /// Another build of the filter, on the feed.
    OtherFed,
}

/// In the order of the table.
const ALL: [Variant; 15] = [
    Variant::NoFilter,
    Variant::Jwt,
    Variant::JwtCached,
    Variant::DoNothing,
    Variant::ExtAuthz,
    Variant::FilterNew,
    Variant::FilterSeen,
    Variant::FilterFed,
    Variant::BodyNoFilter,
    Variant::BodyUnread,
    Variant::BodyCheck,
    Variant::FilterInjects,
    Variant::Injector,
    Variant::OtherSeen,
    Variant::OtherFed,
];

impl Variant {
    /// Those to measure: all, or the first and those with these names of listeners; another build where there is one.
    pub(super) fn chosen(only: &[String], other: bool) -> Vec<Self> {
        let is_chosen = |variant: &Self| {
            (other || !matches!(variant, Self::OtherSeen | Self::OtherFed))
                && (only.is_empty()
                    || *variant == Self::NoFilter
                    || only.iter().any(|name| name == variant.listener())
                    || (*variant == Self::BodyNoFilter && only.iter().any(|name| name.starts_with("body-"))))
        };
        ALL.into_iter().filter(is_chosen).collect()
    }

    /// Its name in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NoFilter => "no filter",
            Self::Jwt => "jwt_authn, no cache",
            Self::JwtCached => "jwt_authn, cache, 3 claims to headers, rbac",
            Self::DoNothing => "ext_authz, do-nothing server",
            Self::ExtAuthz => "ext_authz, Writ",
            Self::FilterNew => "filter, token never seen",
            Self::FilterSeen => "filter, token seen before",
            Self::FilterFed => "filter on the feed, token seen before",
            Self::BodyNoFilter => "no filter, a request with a body",
            Self::BodyUnread => "filter, body not read",
            Self::BodyCheck => "filter, body check",
            Self::FilterInjects => "filter on the feed, token seen before, credential injected",
            Self::Injector => "jwt_authn, cache, 3 claims to headers, rbac, credential_injector",
            Self::OtherSeen => "other filter, token seen before",
            Self::OtherFed => "other filter on the feed, token seen before",
        }
    }

    /// The name of its listener.
    pub(super) const fn listener(self) -> &'static str {
        match self {
            Self::NoFilter => "none",
            Self::Jwt => "jwt",
            Self::JwtCached => "jwt-cached",
            Self::DoNothing => "do-nothing",
            Self::ExtAuthz => "ext-authz",
            Self::FilterNew => "filter-new",
            Self::FilterSeen => "filter-seen",
            Self::FilterFed => "filter-fed",
            Self::BodyNoFilter => "body-none",
            Self::BodyUnread => "body-unread",
            Self::BodyCheck => "body-check",
            Self::FilterInjects => "filter-injects",
            Self::Injector => "injector",
            Self::OtherSeen => "other-seen",
            Self::OtherFed => "other-fed",
        }
    }

    /// Whether the upstream must see the task and no token: proof that the variant did its work.
    pub(super) const fn rewrites(self) -> bool {
        !matches!(self, Self::NoFilter | Self::BodyNoFilter | Self::Jwt | Self::DoNothing)
    }

    /// The same request without a filter.
    pub(super) const fn base(self) -> Self {
        match self {
            Self::BodyNoFilter | Self::BodyUnread | Self::BodyCheck => Self::BodyNoFilter,
            _ => Self::NoFilter,
        }
    }

    /// The path of a request with a body, before the object's.
    pub(super) const fn body_at(self) -> Option<&'static str> {
        match self {
            Self::BodyNoFilter | Self::BodyUnread => Some("/unread"),
            Self::BodyCheck => Some("/json"),
            _ => None,
        }
    }

    /// Whether the upstream must see the service's own credential.
    pub(super) const fn injects(self) -> bool {
        matches!(self, Self::FilterInjects | Self::Injector)
    }
}
