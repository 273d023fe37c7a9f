//! Which addresses a scenario may reach. Pure: resolves nothing and connects nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The hosts and networks granted to a scenario; nothing unless it is listed.
///
/// A URL's host must be listed as it is written: a name by its name, an address by that
/// address or its network. What a granted name resolves to is not restricted further,
/// except that link-local and cloud-metadata addresses need an entry of their own: the
/// address itself, or a network that lies within the link-local range.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    rules: Vec<Rule>,
}

/// An entry that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot grant {entry:?}: expected a host, \"*.example.com\", an address, a network such as 10.0.0.0/8, or one of them (but a network) with a port"
)]
pub struct EgressError {
    /// The entry as it was given.
    pub entry: String,
}

#[derive(Clone, Debug)]
struct Rule {
    target: Target,
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Target {
    Any,
    Host(String),
    /// `.example.com`: any name below it.
    Below(String),
    Network(Network),
}

#[derive(Clone, Copy, Debug)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Denied unless listed: here live the machine's credentials.
const RESTRICTED: [Network; 6] = [
    Network::v4([169, 254, 0, 0], 16),
    Network::v4([100, 100, 100, 200], 32),
    Network::v4([168, 63, 129, 16], 32),
    Network::v4([192, 0, 0, 192], 32),
    Network::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    Network::v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
];

impl Egress {
    /// Reads the grants: hosts, `*.example.com`, addresses, networks, each but a network
    /// optionally with `:port`; `*` grants all.
    pub fn new<'a>(granted: impl IntoIterator<Item = &'a str>) -> Result<Self, EgressError> {
        let rules = granted
            .into_iter()
            .map(Rule::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// Whether a URL may name this host, before anything is resolved.
    pub(super) fn admits_host(&self, host: &url::Host<&str>, port: u16) -> bool {
        match host {
            url::Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                self.on_port(port).any(|target| match target {
                    Target::Any => true,
                    Target::Host(granted) => granted == name,
                    Target::Below(suffix) => name.ends_with(suffix.as_str()),
                    Target::Network(_) => false,
                })
            }
            url::Host::Ipv4(ip) => self.admits_literal(IpAddr::V4(*ip), port),
            url::Host::Ipv6(ip) => self.admits_literal(IpAddr::V6(*ip), port),
        }
    }

    fn admits_literal(&self, ip: IpAddr, port: u16) -> bool {
        self.admits_address(ip, port)
            && self.on_port(port).any(|target| match target {
                Target::Any => true,
                Target::Network(network) => network.contains(ip.to_canonical()),
                _ => false,
            })
    }

    /// Whether a granted name may have led to this address.
    pub(super) fn admits_address(&self, ip: IpAddr, port: u16) -> bool {
        [Some(ip.to_canonical()), embedded_v4(ip)]
            .into_iter()
            .flatten()
            .all(|ip| {
                RESTRICTED
                    .iter()
                    .filter(|range| range.contains(ip))
                    .all(|range| self.lists(range, ip, port))
            })
    }

    fn lists(&self, range: &Network, ip: IpAddr, port: u16) -> bool {
        self.on_port(port).any(|target| match target {
            Target::Network(granted) => {
                granted.contains(ip)
                    && granted.prefix >= range.prefix
                    && range.contains(granted.address)
            }
            _ => false,
        })
    }

    fn on_port(&self, port: u16) -> impl Iterator<Item = &Target> {
        self.rules
            .iter()
            .filter(move |rule| rule.port.is_none_or(|only| only == port))
            .map(|rule| &rule.target)
    }
}

impl Rule {
    fn parse(entry: &str) -> Result<Self, EgressError> {
        Self::read(entry.trim()).ok_or_else(|| EgressError {
            entry: entry.to_owned(),
        })
    }

    fn read(entry: &str) -> Option<Self> {
        if let Some((address, prefix)) = entry.split_once('/') {
            let target =
                Target::Network(Network::new(address.parse().ok()?, prefix.parse().ok()?)?);
            return Some(Self { target, port: None });
        }
        if let Ok(ip) = IpAddr::from_str(entry.trim_matches(['[', ']'])) {
            let target = Target::Network(Network::of(ip));
            return Some(Self { target, port: None });
        }
        if let Ok(socket) = SocketAddr::from_str(entry) {
            let target = Target::Network(Network::of(socket.ip()));
            let port = Some(socket.port());
            return Some(Self { target, port });
        }
        let (host, port) = match entry.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if host == "*" {
            let target = Target::Any;
            return Some(Self { target, port });
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let target = match host.strip_prefix("*.") {
            Some(parent) => Target::Below(format!(".{}", host_name(parent)?)),
            None => Target::Host(host_name(&host)?.to_owned()),
        };
        Some(Self { target, port })
    }
}

fn host_name(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

impl Network {
    const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Self {
        Self {
            address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)),
            prefix,
        }
    }

    fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let network = Self { address, prefix };
        (prefix <= network.bits()).then_some(network)
    }

    fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }

    fn bits(&self) -> u8 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    fn contains(&self, ip: IpAddr) -> bool {
        let differing = match (self.address, ip) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= u32::from(self.prefix)
    }
}

/// The IPv4 address that a translating network would deliver to: NAT64, 6to4 and
/// IPv4-compatible addresses.
fn embedded_v4(ip: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = ip else { return None };
    let s = v6.segments();
    let (high, low) = match s {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => (high, low),
        _ => return None,
    };
    let bits = (u32::from(high) << 16) | u32::from(low);
    Some(IpAddr::V4(Ipv4Addr::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(granted: &[&str], url: &str) -> bool {
        let url = url::Url::parse(url).unwrap();
        let port = url.port_or_known_default().unwrap();
        Egress::new(granted.iter().copied())
            .unwrap()
            .admits_host(&url.host().unwrap(), port)
    }

    fn reaches(granted: &[&str], ip: &str) -> bool {
        Egress::new(granted.iter().copied())
            .unwrap()
            .admits_address(ip.parse().unwrap(), 80)
    }

    #[test]
    fn nothing_is_granted_unless_listed() {
        assert!(!admits(&[], "http://example.com/"));
        assert!(!admits(&["example.com"], "http://example.org/"));
        assert!(admits(&["Example.COM."], "http://example.com/"));
        assert!(admits(&["*"], "http://10.1.2.3/"));
    }

    #[test]
    fn a_wildcard_grants_what_is_below_it_and_no_more() {
        assert!(admits(&["*.example.com"], "http://a.b.example.com/"));
        assert!(!admits(&["*.example.com"], "http://example.com/"));
        assert!(!admits(&["*.example.com"], "http://badexample.com/"));
    }

    #[test]
    fn ports_restrict_a_grant() {
        assert!(admits(&["example.com:8080"], "http://example.com:8080/"));
        assert!(!admits(&["example.com:8080"], "http://example.com/"));
        assert!(admits(&["127.0.0.1:8080"], "http://127.0.0.1:8080/"));
        assert!(!admits(&["127.0.0.1:8080"], "http://127.0.0.1/"));
        assert!(admits(&["[::1]:443"], "https://[::1]/"));
    }

    #[test]
    fn networks_grant_addresses_and_not_names() {
        assert!(admits(&["10.0.0.0/8"], "http://10.9.8.7/"));
        assert!(!admits(&["10.0.0.0/8"], "http://11.0.0.1/"));
        assert!(!admits(&["10.0.0.0/8"], "http://internal.example/"));
        assert!(admits(&["fd00::/8"], "http://[fd12::1]/"));
        assert!(admits(&["10.0.0.0/8"], "http://[::ffff:10.0.0.1]/"));
    }

    #[test]
    fn link_local_and_metadata_need_an_entry_of_their_own() {
        for ip in [
            "169.254.169.254",
            "fe80::1",
            "100.100.100.200",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::a9fe:a9fe",
        ] {
            assert!(!reaches(&["*"], ip), "{ip}");
            assert!(!reaches(&["0.0.0.0/0", "::/0", "example.com"], ip), "{ip}");
        }
        assert!(!admits(&["*"], "http://169.254.169.254/"));
        assert!(!admits(&["*"], "http://[::ffff:169.254.169.254]/"));
        assert!(reaches(&["169.254.169.254"], "169.254.169.254"));
        assert!(reaches(&["169.254.169.0/24"], "169.254.169.254"));
        assert!(!reaches(&["169.254.169.254"], "169.254.169.253"));
        assert!(reaches(&["*"], "::1"));
        assert!(reaches(&["*"], "192.168.1.1"));
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        for entry in [
            "",
            "http://x",
            "a b",
            "10.0.0.0/33",
            "x:99999",
            "*x.com",
            "a*b",
            "*.",
        ] {
            assert!(Egress::new([entry]).is_err(), "{entry}");
        }
    }
}
