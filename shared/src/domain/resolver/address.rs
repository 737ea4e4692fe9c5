//! Which addresses are asked: those of a customer's servers come out of the customer's own zone.

use std::net::Ipv4Addr;

/// Whether an address is one that servers of public zones have. All others (RFC 6890 and its registry) are this
/// machine's, its network's or nobody's, and nothing is sent to them.
pub(super) fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared between a provider and its customers; what Amazon's networks use inside.
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        // 6to4 relays and benchmarks.
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_asked() {
        for public in ["1.1.1.1", "192.0.1.1", "198.41.0.4", "172.15.0.1", "172.32.0.1", "100.63.0.1", "239.0.0.1"] {
            let public: Ipv4Addr = public.parse().unwrap();
            assert_eq!(is_public(public), !public.is_multicast(), "{public}");
        }
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.2",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.9.1",
            "169.254.169.253",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.251",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }
}
