//! Which addresses belong to the public internet, and not to the network that a deployment runs in. Whatever customers
//! name, by an address or through their zone's name servers, is asked there and nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks of a special purpose (RFC 6890 and the registry that it began), as first address and prefix length.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),           // this network (RFC 791)
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private (RFC 1918)
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared behind carriers' translation (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback (RFC 1122)
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local (RFC 3927), and clouds' instance metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private (RFC 1918)
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments (RFC 6890)
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation (RFC 5737)
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays (RFC 7526)
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private (RFC 1918)
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks (RFC 2544)
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation (RFC 5737)
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation (RFC 5737)
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast (RFC 5771)
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast (RFC 1112, RFC 919)
];

/// The one block of IPv6 that global unicast addresses are given from (RFC 4291, section 2.4).
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What in [`GLOBAL_V6`] has a special purpose. Whatever is outside of it is none of the public internet: loopback,
/// link-local, unique local, multicast, and the addresses with an IPv4 address in them, but for [`TRANSLATED`].
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo among them (RFC 2928, RFC 4380)
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation (RFC 3849)
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, which holds an IPv4 address (RFC 3056)
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation (RFC 9637)
];

/// Where a network without IPv4 reaches IPv4 addresses, which are the last 32 bits (RFC 6052, section 2.1).
const TRANSLATED: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether `address` belongs to the public internet. What is not known to does not.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if is_within_v6(address, TRANSLATED) => {
            let [.., a, b, c, d] = address.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(address) => {
            is_within_v6(address, GLOBAL_V6) && !SPECIAL_V6.iter().any(|network| is_within_v6(address, *network))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|(network, length)| {
        let differ = address.to_bits() ^ network.to_bits();
        differ.leading_zeros() >= *length
    })
}

fn is_within_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(addresses: &[&str], public: bool) {
        for address in addresses {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn the_public_internet_is_public() {
        all(
            &[
                "1.1.1.1",
                "8.8.8.8",
                "9.255.255.255",
                "11.0.0.0",
                "52.95.110.1",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "191.255.255.255",
                "192.0.1.0",
                "192.0.3.0",
                "192.88.98.255",
                "192.167.255.255",
                "192.169.0.0",
                "198.17.255.255",
                "198.20.0.0",
                "198.51.99.255",
                "203.0.112.255",
                "203.0.114.0",
                "223.255.255.255",
                "2000::1",
                "2001:200::1",
                "2001:4860:4860::8888",
                "2606:4700::1111",
                "2a00:1450:4001:81b::200e",
                "2003::1",
                "3ffe:ffff::1",
                "64:ff9b::8.8.8.8",
                "64:ff9b::1.1.1.1",
            ],
            true,
        );
    }

    #[test]
    fn nor_is_what_names_itself_a_name_server_from_inside() {
        all(&["1.1.1.1", "192.0.1.1", "198.41.0.4", "172.15.0.1", "172.32.0.1", "100.63.0.1"], true);
        let internal = [
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
            "239.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ];
        all(&internal, false);
    }

    #[test]
    fn internal_networks_are_not() {
        all(
            &[
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.0",
                "100.100.100.200",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.254",
                "169.254.0.1",
                "169.254.169.254",
                "169.254.170.2",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "192.168.255.255",
                "::",
                "::1",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "fc00::1",
                "fd00:ec2::254",
                "fdff::1",
            ],
            false,
        );
    }

    #[test]
    fn nor_are_addresses_of_a_special_purpose() {
        all(
            &[
                "192.0.0.1",
                "192.0.0.170",
                "192.0.2.1",
                "192.88.99.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.7",
                "203.0.113.9",
                "224.0.0.1",
                "239.255.255.250",
                "240.0.0.1",
                "255.255.255.255",
                "100::1",
                "2001:db8::1",
                "2001:2::1",
                "2001:10::1",
                "2001:20::1",
                "3fff::1",
                "3fff:fff::1",
                "5f00::1",
                "ff02::1",
                "ff0e::1",
                "4000::1",
                "1fff:ffff::1",
            ],
            false,
        );
    }

    #[test]
    fn nor_is_an_ipv4_address_in_disguise() {
        all(
            &[
                // Mapped (RFC 4291, section 2.5.5.2), whatever is in it, and compatible (2.5.5.1).
                "::ffff:127.0.0.1",
                "::ffff:10.0.0.1",
                "::ffff:169.254.169.254",
                "::ffff:8.8.8.8",
                "::127.0.0.1",
                "::8.8.8.8",
                "::ffff:0:10.0.0.1",
                // Translated.
                "64:ff9b::127.0.0.1",
                "64:ff9b::10.1.2.3",
                "64:ff9b::169.254.169.254",
                "64:ff9b::192.168.1.1",
                "64:ff9b::0.0.0.0",
                "64:ff9b:1::10.0.0.1",
                "64:ff9b:1:1::8.8.8.8",
                "64:ff9b:0:1::8.8.8.8",
                // 6to4 and Teredo.
                "2002:7f00:1::1",
                "2002:a00:1::1",
                "2002:a9fe:a9fe::1",
                "2002:808:808::1",
                "2001:0:7f00:1::1",
                "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            ],
            false,
        );
    }
}
