//! Which network addresses the program may be sent to by someone else's word: callback URLs, hosts in definitions.
//!
//! Guarantees: link-local addresses and the metadata services of clouds are never reached, in whatever notation they
//! come (octal, decimal, IPv4 inside IPv6); loopback only where [`Reach`] says so. Private networks are allowed: that
//! is where a studio's receivers are. Deliberately absent: name resolution; who resolves asks [`refusal`] for each
//! address it is about to connect to.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use url::Host;
use url::Url;

/// How far a URL may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The internet alone: what users have fetched by address.
    Public,
    /// Private networks and the internet: what users write into workflows and requests.
    Network,
    /// This host too: what the administrator writes into the configuration file.
    Loopback,
}

/// Addresses outside the link-local range at which clouds serve credentials to whoever asks from inside.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

/// Longest URL accepted.
const URL_MAX: usize = 2048;

/// Why `address` must not be connected to; none: it may.
pub fn refusal(address: IpAddr, reach: Reach) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => refusal_v4(v4, reach),
        IpAddr::V6(v6) => refusal_v6(v6, reach),
    }
}

fn refusal_v4(v4: Ipv4Addr, reach: Reach) -> Option<&'static str> {
    if v4.is_link_local() {
        return Some("it is a link-local address");
    }
    if METADATA_V4.contains(&v4) {
        return Some("it is the metadata service of a cloud");
    }
    // All of 0.0.0.0/8 means this host.
    if v4.octets()[0] == 0 {
        return Some("it is no address of a host");
    }
    if v4.is_multicast() || v4.is_broadcast() {
        return Some("it is an address of many hosts");
    }
    if v4.is_loopback() && reach != Reach::Loopback {
        return Some("it is this host itself");
    }
    if reach == Reach::Public && !is_public_v4(v4) {
        return Some("it is not an address of the internet");
    }
    None
}

/// Neither private nor set aside for something else (IANA's registry of special-purpose addresses).
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let benchmarks = a == 198 && (18..20).contains(&b);
    let reserved = a >= 240;
    !(v4.is_private() || shared || protocols || benchmarks || reserved || v4.is_documentation())
}

fn refusal_v6(v6: Ipv6Addr, reach: Reach) -> Option<&'static str> {
    if v6.is_unspecified() {
        return Some("it is no address of a host");
    }
    if v6.is_loopback() {
        return (reach != Reach::Loopback).then_some("it is this host itself");
    }
    if let Some(v4) = embedded_v4(v6) {
        return refusal_v4(v4, reach);
    }
    if v6.segments()[0] & 0xffc0 == 0xfe80 {
        return Some("it is a link-local address");
    }
    if METADATA_V6.contains(&v6) {
        return Some("it is the metadata service of a cloud");
    }
    if v6.is_multicast() {
        return Some("it is an address of many hosts");
    }
    if reach == Reach::Public && !is_public_v6(v6) {
        return Some("it is not an address of the internet");
    }
    None
}

/// Of the global unicast range, and not set aside in it.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let s = v6.segments();
    let documentation = s[0] == 0x2001 && s[1] == 0x0db8;
    // 2001::/23 holds Teredo, ORCHID and the like.
    let protocols = s[0] == 0x2001 && s[1] < 0x0200;
    s[0] & 0xe000 == 0x2000 && !documentation && !protocols
}

/// The IPv4 address that packets to `v6` end at: mapped, compatible, NAT64 and 6to4 forms.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Why a host as it is written must not be connected to, as far as can be told without asking a name server; none: it
/// may, and the addresses of a name are judged when they are known.
pub fn host_refusal<S: AsRef<str>>(host: &Host<S>, reach: Reach) -> Option<&'static str> {
    match host {
        Host::Ipv4(v4) => refusal_v4(*v4, reach),
        Host::Ipv6(v6) => refusal_v6(*v6, reach),
        Host::Domain(name) if reach != Reach::Loopback && is_local_name(name.as_ref()) => {
            Some("it is this host itself")
        }
        Host::Domain(_) => None,
    }
}

/// Reads a URL that events shall be posted to and refuses what can be refused without asking a name server.
///
/// # Errors
/// A request fault that says what is wrong with it.
pub fn check_callback_url(text: &str, reach: Reach) -> Result<Url, Fault> {
    let refuse = |cause: String, remedy: &str| {
        Err(Fault::new(
            "CallbackUrlRefused",
            Blame::Request,
            "check the callback URL",
            shown(text),
            cause,
            remedy,
        ))
    };
    if text.len() > URL_MAX {
        return refuse(format!("it is longer than {URL_MAX} bytes"), "Shorten it.");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return refuse(error.to_string(), "Write it as http://HOST[:PORT]/PATH."),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(format!("its scheme is {}", url.scheme()), "Use http or https.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "it holds a user name or password".to_owned(),
            "Sign callbacks with an auth_key or signing_key instead.",
        );
    }
    if url.fragment().is_some() {
        return refuse(
            "it has a fragment, which is never sent".to_owned(),
            "Remove the part from #.",
        );
    }
    if url.port() == Some(0) {
        return refuse("port 0 cannot be connected to".to_owned(), "Name the receiver's port.");
    }
    let reason = match url.host() {
        None => Some("it names no host"),
        Some(host) => host_refusal(&host, reach),
    };
    match reason {
        None => Ok(url),
        Some(reason) => refuse(
            format!("its host must not be reached: {reason}"),
            "Use the receiver's address in your network; this host itself can only be named in the configuration file.",
        ),
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// A URL as it may stand in messages: without what could be a password, and not endless.
fn shown(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    match (text.find("://"), text.find('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://...{}", &text[..scheme], &text[at..]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;
    use super::check_callback_url;
    use super::refusal;

    #[test]
    fn private_networks_are_reached_and_traps_are_not() {
        for good in [
            "http://10.1.2.3/hook",
            "http://192.168.0.9:8080/x?y=1",
            "https://mam.studio.example/",
            "http://[fd12:3456::1]/",
        ] {
            assert!(check_callback_url(good, Reach::Network).is_ok(), "{good}");
        }
        for bad in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://localhost:9/",
            "http://a.LOCALHOST./",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://[::]/",
        ] {
            assert!(check_callback_url(bad, Reach::Network).is_err(), "{bad}");
        }
        assert!(check_callback_url("http://127.0.0.1:9/", Reach::Loopback).is_ok());
        assert!(check_callback_url("http://localhost:9/", Reach::Loopback).is_ok());
    }

    #[test]
    fn what_is_fetched_by_address_is_on_the_internet() {
        for public in [
            "93.184.216.34",
            "8.8.8.8",
            "2606:4700::1111",
            "192.0.1.1",
            "64:ff9b::808:808",
        ] {
            let address = public.parse().expect("an address");
            assert_eq!(refusal(address, Reach::Public), None, "{public}");
        }
        for private in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "100.64.0.1",
            "198.18.0.1",
            "203.0.113.5",
            "240.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "::",
            "fd00::1",
            "fe80::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:c0a8:101::1",
        ] {
            let address = private.parse().expect("an address");
            assert!(refusal(address, Reach::Public).is_some(), "{private}");
        }
    }

    #[test]
    fn not_even_the_configuration_reaches_link_local_and_metadata() {
        for bad in [
            "http://169.254.169.254/latest/",
            "http://0xa9fea9fe/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:a9fe:a9fe::1]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://224.0.0.1/",
            "http://0.0.0.0/",
            "ftp://10.0.0.1/",
            "http://10.0.0.1:0/",
            "http://10.0.0.1/#x",
        ] {
            assert!(check_callback_url(bad, Reach::Loopback).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let fault = check_callback_url("http://user:secret@10.0.0.1/", Reach::Network).expect_err("refused");
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }

    #[test]
    fn addresses_are_judged_alone_too() {
        let address = "169.254.1.1".parse().expect("an address");
        assert!(refusal(address, Reach::Loopback).is_some());
        let address = "10.0.0.1".parse().expect("an address");
        assert_eq!(refusal(address, Reach::Network), None);
    }
}
