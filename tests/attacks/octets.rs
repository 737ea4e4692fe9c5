//! Messages that are no text, too large, too deep or too wide.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use vestibule::saml::{IdpKind, MAX_MESSAGE_BYTES, Reason, ReceiveError, Trace, Unverified, decode_redirect};

use crate::{
    edit::{attributes, before, content},
    world::{Attack, Base},
};

pub fn attacks(base: &Base) -> Vec<Attack> {
    let xml = &base.xml;
    let utf16 = |bytes: fn(u16) -> [u8; 2]| xml.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let with = |octets: &[u8]| {
        let marked = content(xml, "NameID", "\u{fffd}");
        let at = marked.find('\u{fffd}').unwrap();
        [&marked.as_bytes()[..at], octets, &marked.as_bytes()[at + 3..]].concat()
    };
    let declared = |encoding: &str| {
        let bare = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap_or(xml);
        format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>{bare}")
    };
    let wide = |count: usize| (0..count).map(|n| format!("a{n}=''")).collect::<Vec<_>>().join(" ");
    let deep = |depth: usize| "<x>".repeat(depth) + &"</x>".repeat(depth);
    let fill = MAX_MESSAGE_BYTES - xml.len();
    [
        ("UTF-16, big end first", utf16(u16::to_be_bytes), Reason::Malformed),
        ("UTF-16, little end first", utf16(u16::to_le_bytes), Reason::Malformed),
        ("UTF-16 with a mark", [&[0xfe, 0xff][..], &utf16(u16::to_be_bytes)].concat(), Reason::Malformed),
        ("UTF-8 with a mark", [b"\xef\xbb\xbf", xml.as_bytes()].concat(), Reason::Malformed),
        ("an overlong slash", with(b"\xc0\xaf"), Reason::Malformed),
        ("an overlong NUL", with(b"\xc0\x80"), Reason::Malformed),
        ("half a pair", with(b"\xed\xa0\x80"), Reason::Malformed),
        ("a NUL", with(b"\0"), Reason::Malformed),
        ("a NUL at the end", [xml.as_bytes(), b"\0"].concat(), Reason::Malformed),
        ("UTF-16 declared", declared("UTF-16").into(), Reason::Malformed),
        ("Latin-1 declared", declared("ISO-8859-1").into(), Reason::Malformed),
        ("UTF-7 declared", declared("UTF-7").into(), Reason::Malformed),
        ("one byte too large", format!("{xml}{}", " ".repeat(fill + 1)).into(), Reason::TooLarge),
        ("80,000 attributes", attributes(xml, "Response", &wide(80_000)).into(), Reason::TooLarge),
        ("20,000 attributes", attributes(xml, "Response", &wide(20_000)).into(), Reason::Malformed),
        ("200 attributes", attributes(xml, "Response", &wide(200)).into(), Reason::Malformed),
        ("depth 10,000", before(xml, "Status", &deep(10_000)).into(), Reason::Malformed),
        ("depth 64 under the root", before(xml, "Status", &deep(64)).into(), Reason::Malformed),
        ("20,000 elements", before(xml, "Status", &"<x/>".repeat(20_000)).into(), Reason::Malformed),
        ("10,000 elements with text", before(xml, "Status", &"<x>y</x>".repeat(5_000)).into(), Reason::Malformed),
        ("nothing", Vec::new(), Reason::Malformed),
    ]
    .into_iter()
    .map(|(name, message, reason)| Attack::new(name, message, reason))
    .collect()
}

/// A form value, and what must become of it.
pub struct Form {
    pub value: String,
    pub wanted: Result<(), Reason>,
}

impl Form {
    pub fn defect(&self) -> Option<String> {
        let mut trace = Trace::new(IdpKind::Other);
        let got = Unverified::decode(&self.value, &mut trace).map(drop).map_err(|refusal| refusal.reason());
        let start = &self.value[..self.value.len().min(60)];
        (got != self.wanted).then(|| format!("form {start}: wanted {:?}, got {got:?}", self.wanted))
    }
}

/// Form values that are not clean base64, and some that are.
pub fn forms(base: &Base) -> Vec<Form> {
    let clean = STANDARD.encode(&base.xml);
    let unpadded = STANDARD.encode("<x/>").trim_end_matches('=').to_owned();
    let lines: Vec<&str> = clean.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let malformed = [
        clean.replace('+', "-").replace('/', "_") + "-",
        format!("{clean}="),
        format!("{clean}===="),
        format!("%{clean}"),
        clean.replacen('A', "A\u{0}", 1),
        clean.replacen('A', "\u{ff21}", 1),
        format!("{clean}\u{a0}"),
        unpadded,
        base.xml.clone(),
        String::new(),
    ];
    let largest = STANDARD.encode(format!("{}{}", base.xml, " ".repeat(MAX_MESSAGE_BYTES - base.xml.len())));
    let sound = [lines.join("\r\n"), lines.join(" \t"), clean.clone(), largest.clone()];
    let spread: String = largest.chars().flat_map(|c| [c, '\n']).collect();
    let mut forms: Vec<Form> =
        malformed.into_iter().map(|value| Form { value, wanted: Err(Reason::Malformed) }).collect();
    forms.extend(sound.into_iter().map(|value| Form { value, wanted: Ok(()) }));
    let large = [
        "A".repeat(4 * MAX_MESSAGE_BYTES),
        STANDARD.encode("x".repeat(MAX_MESSAGE_BYTES + 1)),
        // Far more line breaks than anybody writes.
        format!("{spread}{}", "\n".repeat(MAX_MESSAGE_BYTES)),
    ];
    forms.extend(large.into_iter().map(|value| Form { value, wanted: Err(Reason::TooLarge) }));
    forms
}

/// A parameter of the redirect binding, and what must become of it.
pub struct Redirect {
    pub value: String,
    pub wanted: Result<usize, ReceiveError>,
}

impl Redirect {
    pub fn defect(&self) -> Option<String> {
        let got = decode_redirect(&self.value).map(|text| text.len());
        (got != self.wanted).then(|| format!("redirect of {}: wanted {:?}, got {got:?}", self.value.len(), self.wanted))
    }
}

/// Requests on the redirect binding that grow when inflated, or are none.
pub fn requests() -> Vec<Redirect> {
    use std::io::Write as _;
    let deflate = |octets: &[u8]| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(octets).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    };
    let mut stored = Vec::new();
    let mut encoder = flate2::write::DeflateEncoder::new(&mut stored, flate2::Compression::none());
    encoder.write_all(&vec![b'a'; MAX_MESSAGE_BYTES]).unwrap();
    encoder.finish().unwrap();
    [
        (deflate(b"<x/>"), Ok(4)),
        (deflate(&vec![b'a'; MAX_MESSAGE_BYTES]), Ok(MAX_MESSAGE_BYTES)),
        (STANDARD.encode(stored), Ok(MAX_MESSAGE_BYTES)),
        (deflate(&vec![b'a'; 100_000_000]), Err(ReceiveError::TooLarge)),
        (deflate(&vec![b'a'; MAX_MESSAGE_BYTES + 1]), Err(ReceiveError::TooLarge)),
        ("A".repeat(3 * MAX_MESSAGE_BYTES), Err(ReceiveError::TooLarge)),
        (deflate(b"\xff\xfe"), Err(ReceiveError::Malformed)),
        (STANDARD.encode("not deflated"), Err(ReceiveError::Malformed)),
        ("*".to_owned(), Err(ReceiveError::Malformed)),
    ]
    .into_iter()
    .map(|(value, wanted)| Redirect { value, wanted })
    .collect()
}
