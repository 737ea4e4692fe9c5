//! Names of namespaces.

/// An absolute URI of RFC 3986 (section 4.3, with a fragment allowed), its authority narrowed to a name and a port.
///
/// A name outside of it is more than untidy. Exclusive canonicalization leaves out declarations that nothing visibly
/// uses, so no digest notices them, and other readers fail on a namespace name that is no URI.
pub(super) fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let (hierarchy, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let authority = hierarchy.strip_prefix("//").map(|after| after.split(['/', '?']).next().unwrap_or_default());
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !hierarchy.is_empty()
        && authority.is_none_or(is_authority)
        && [hierarchy, fragment].iter().all(|part| has_uri_characters(part))
}

fn is_authority(authority: &str) -> bool {
    let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        && port.len() <= 5
        && port.bytes().all(|b| b.is_ascii_digit())
}

/// RFC 3986 appendix A: `pchar`, `/` and `?`.
fn has_uri_characters(part: &str) -> bool {
    let plain = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
                    | b':'
                    | b'@'
                    | b'/'
                    | b'?'
            )
    };
    if part.bytes().all(plain) {
        return true;
    }
    let mut pieces = part.split('%');
    let escaped = |text: &str| text.get(..2).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    pieces.next().is_none_or(|first| first.bytes().all(plain))
        && pieces.all(|text| escaped(text) && text.bytes().all(plain))
}
