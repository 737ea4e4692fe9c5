//! Whatever we accept, libxmlsec1 must accept with the same key. It runs from a seed, so that a failure can be repeated:
//! `XMLSEC=target/outer/xmlsec SEED=17 ROUNDS=1 cargo test -p vestibule-tests --test attacks -- --ignored xmlsec`.
//! `XMLSEC` is the program of `tests/peers/xmlsec.c`, which `tests/run` builds.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use vestibule::{
    id::{Random, SeededRandom},
    saml::{IdpKind, Style, Trace, Unverified},
};
use vestibule_local::idp::response::{Draft, SignIn, Signing};

use crate::{
    edit::{after, all, attributes, before, first, outer, splice, tag},
    world::{Base, OURS, PRODUCTS, WAYS, now, sign_in, trust},
};

/// How many responses one run signs, unless it is told otherwise.
const ROUNDS: u64 = 300;
/// How many times each is changed.
const CHANGES: u64 = 8;
/// Seeds are shared out among this many threads, each with a process of the other implementation.
const THREADS: u64 = 2;

/// Values with what canonicalization has rules for.
const VALUES: [&str; 12] = [
    "ada@corp.example",
    "",
    " \u{a0}leading and trailing ",
    "a\r\nb\rc\nd\te",
    "<&>\"'",
    "]]>",
    "\u{e9}\u{301} \u{65e5}\u{672c} \u{1f600}",
    "\u{2028}\u{85}\u{feff}",
    "&amp;amp; &#65;",
    "x  y\u{7f}",
    "{}#%+/=",
    "\u{fffd}\u{10ffff}",
];

struct Dice(Random);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        usize::try_from(u64::from_be_bytes(self.0.bytes()) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn pick<T: Copy>(&self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// A sign-in of odd values in the shape of some product, with odd namespaces, signed by us.
fn signed(dice: &Dice) -> (String, Signing) {
    let groups = [dice.pick(&VALUES), dice.pick(&VALUES)];
    let sign_in = SignIn {
        given_name: dice.pick(&VALUES),
        surname: dice.pick(&VALUES),
        email: dice.pick(&VALUES),
        groups: &groups,
        random: dice.0.bytes(),
        now: now(),
        ..sign_in()
    };
    let mut draft = Draft::new(dice.pick(&PRODUCTS), &sign_in);
    draft.signing = dice.pick(&WAYS);
    for _ in 0..dice.below(4) {
        draft.xml = decorated(&draft.xml, dice);
    }
    let lists: [&[&str]; 5] = [&[], &["xs"], &["#default", "u"], &["saml", "saml2", "samlp"], &["u", "v", "absent"]];
    draft.style = Style { inclusive: dice.pick(&lists), wrapped: dice.below(2) == 0, ..draft.style };
    (draft.sign(&OURS.signing).unwrap(), draft.signing)
}

/// Something that changes no meaning, before the document is signed.
///
/// No namespace name has an ampersand: libxml2 writes it as `&#38;` where Canonical XML 1.0 section 2.3 wants `&amp;`.
fn decorated(xml: &str, dice: &Dice) -> String {
    let local = dice.pick(&["Response", "Assertion", "Subject", "AttributeStatement", "Attribute", "Conditions"]);
    match dice.below(6) {
        0 if !tag_of(xml, local).contains("xmlns:u=") => attributes(xml, local, "xmlns:u=\"urn:u\""),
        1 if !tag_of(xml, local).contains("xmlns:v=") => {
            attributes(xml, local, "xmlns:v=\"urn:v?a=1;b='2'\" v:z=\"&#10;&quot;\"")
        }
        2 if !xml.contains("<u:extra") => {
            let at = first(xml, "AttributeValue").end;
            splice(
                xml,
                at,
                at,
                "<u:extra xmlns:u=\"urn:other\" b=\"2\" a=\"1\" u:c=\"\"><inner xmlns=\"\"/><inner xmlns=\"urn:d\"><x/></inner></u:extra>",
            )
        }
        3 => xml.replacen("><", ">\r\n\t<", 3),
        4 => xml.replace("Version=\"2.0\"", "Version='2.0'"),
        _ => attributes(xml, "AttributeValue", &format!("a{}=\"a\tb\nc\"", dice.below(1000))),
    }
}

fn tag_of<'a>(xml: &'a str, local: &str) -> &'a str {
    let element = first(xml, local);
    &xml[element.start..element.inner_start]
}

/// A change after the document was signed. Most keep it sound, since they change nothing that is signed or nothing that
/// canonicalization keeps: of those the other implementation has to say the same.
fn disturbed(xml: &str, signing: Signing, dice: &Dice) -> String {
    if signing == Signing::Assertion && dice.below(3) == 0 {
        return unsigned_parts_disturbed(xml, dice);
    }
    let local = dice.pick(&[
        "Response",
        "Assertion",
        "SignedInfo",
        "Reference",
        "Signature",
        "NameID",
        "Audience",
        "Transforms",
        "Conditions",
        "SubjectConfirmationData",
        "AuthnStatement",
        "AttributeValue",
    ]);
    let places = all(xml, local);
    let element = dice.pick(&places);
    match dice.below(16) {
        0 => tag(xml, element, "xmlns:unused=\"urn:unused\""),
        1 => tag(xml, element, "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"")
            .replace("xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsi", "xmlns:xsi"),
        2 => xml.replacen("=\"2.0\"", " = '2.0' ", 1),
        3 => xml.replacen("ada@", "&#97;da@", 1),
        4 => splice(xml, element.inner_start - 1, element.inner_start - 1, "\n "),
        5 => {
            let at = char_boundary(xml, dice.below(xml.len()));
            splice(xml, at, at, dice.pick(&[" ", "a", "<", "&", "\"", "\r", "\u{301}", "<x/>"]))
        }
        6 => {
            let at = char_boundary(xml, dice.below(xml.len()));
            let next = at + xml[at..].chars().next().map_or(0, char::len_utf8);
            splice(xml, at, next, "")
        }
        7 => {
            let copy = outer(xml, element).to_owned();
            splice(xml, element.end, element.end, &copy)
        }
        8 => xml.replace("\r\n", "\n"),
        9 | 10 => with_tag(xml, element, |tag| attributes_turned(tag, dice.below(7) + 1)),
        11 => with_tag(xml, element, |tag| tag.replacen("=\"", dice.pick(&["=\n\"", " =\"", "\t= \"", "=\""]), 1)),
        12 => with_tag(xml, element, |tag| {
            tag.replace("http", "&#104;ttp").replace("&#104;ttp://www.w3.org", "http://www.w3.org")
        }),
        13 if element.end > element.inner_end => {
            splice(xml, element.end - 1, element.end - 1, dice.pick(&[" ", "\n", "\t\r\n"]))
        }
        14 => xml.replacen("/>", " />", dice.below(9)).replacen("><", "\n><", dice.below(30)),
        _ => format!("{}\n{}\r\n", declared(dice), xml.split_once("?>").map_or(xml, |(_, rest)| rest)),
    }
}

/// Where the response is not signed, what is outside of the assertion may change; nothing that we check in it does.
fn unsigned_parts_disturbed(xml: &str, dice: &Dice) -> String {
    let p = crate::edit::prefix(xml, "Response").to_owned();
    match dice.below(6) {
        0 => before(xml, "Status", "\r\n<x:y xmlns:x=\"urn:x\" a=\"&#13;\">&lt;text<z/></x:y>"),
        1 => attributes(xml, "Response", "Consent=\"urn:x\" extra='\"'"),
        2 => xml.replacen("<StatusCode", "<StatusCode ", 1).replacen("StatusCode/>", "StatusCode></StatusCode>", 1),
        3 => before(xml, "Assertion", "  text \u{e9} &amp; more\n"),
        4 if !p.is_empty() => {
            let name = p.trim_end_matches(':');
            let renamed = xml.replace(&format!("<{p}"), "<other:").replace(&format!("</{p}"), "</other:");
            renamed.replacen(
                &format!("xmlns:{name}="),
                &format!("xmlns:other=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:{name}="),
                1,
            )
        }
        _ => after(xml, "Status", &format!("<{p}Extensions xmlns:q=\"urn:q\"><q:z q:a=\"1\"/></{p}Extensions>")),
    }
}

fn declared(dice: &Dice) -> &'static str {
    dice.pick(&[
        "<?xml version=\"1.0\"?>",
        "<?xml version='1.0' encoding='utf-8'?>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\" ?>",
    ])
}

fn with_tag(xml: &str, element: crate::edit::Element, change: impl Fn(&str) -> String) -> String {
    splice(xml, element.start, element.inner_start, &change(&xml[element.start..element.inner_start]))
}

/// The attributes of a start tag in another order.
fn attributes_turned(tag: &str, by: usize) -> String {
    let close = if tag.ends_with("/>") { "/>" } else { ">" };
    let body = tag.trim_end_matches(close);
    let Some((name, rest)) = body.split_once(' ') else { return tag.to_owned() };
    let mut parts: Vec<&str> = rest.split_inclusive("\" ").map(str::trim_ascii_end).collect();
    let by = by % parts.len();
    parts.rotate_left(by);
    format!("{name} {}{close}", parts.join(" "))
}

fn char_boundary(xml: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| xml.is_char_boundary(*at)).unwrap_or_default()
}

/// A process of the other implementation. Of what `KeyInfo` holds it reads nothing, as we do.
struct Xmlsec {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Xmlsec {
    #[allow(clippy::disallowed_methods, reason = "a test is told where the other implementation is")]
    fn start(key: &Path) -> Self {
        let program = std::env::var("XMLSEC").expect("XMLSEC is the program of tests/peers/xmlsec.c");
        let mut command = Command::new(program);
        command.arg("serve").arg(key).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// Whether every signature of the document holds.
    fn accepts(&mut self, xml: &str, signing: Signing) -> bool {
        let which = match signing {
            Signing::Response => "r",
            Signing::Assertion => "a",
            Signing::Both => "ra",
        };
        write!(self.input, "{which} {}\n{xml}", xml.len()).and_then(|()| self.input.flush()).unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert!(matches!(answer.as_str(), "yes\n" | "no\n"), "it answers: {answer:?}");
        answer == "yes\n"
    }
}

impl Drop for Xmlsec {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn we_accept(xml: &str) -> bool {
    let mut trace = Trace::new(IdpKind::Other);
    Unverified::from_xml(xml.as_bytes(), &mut trace)
        .and_then(|unverified| unverified.verify(&trust(), now(), &mut trace))
        .is_ok()
}

/// A file with the certificate that we trust.
fn certificate() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(directory).unwrap();
    let base64 = STANDARD.encode(OURS.signing.certificate().certificate_der());
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    let file = directory.join(format!("xmlsec-{}.pem", std::process::id()));
    fs::write(&file, pem).unwrap();
    file
}

#[allow(clippy::disallowed_methods, reason = "a test is told where to begin")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// What became of the messages of some seeds.
#[derive(Default)]
struct Tally {
    signed: u64,
    tried: u64,
    accepted: u64,
    confirmed: u64,
}

impl Tally {
    /// What we accept, the other implementation must confirm.
    fn judge(&mut self, xml: &str, signing: Signing, other: &mut Xmlsec, seed: u64) {
        self.tried += 1;
        if we_accept(xml) {
            self.accepted += 1;
            assert!(other.accepts(xml, signing), "SEED={seed} ROUNDS=1: only we accept\n{xml}");
            self.confirmed += 1;
        }
    }
}

fn compare(seeds: impl Iterator<Item = u64>, key: &Path) -> Tally {
    let mut other = Xmlsec::start(key);
    let mut tally = Tally::default();
    for seed in seeds {
        let dice = Dice(Random::Seeded(SeededRandom::new(seed)));
        let (xml, signing) = signed(&dice);
        let before = tally.accepted;
        tally.judge(&xml, signing, &mut other, seed);
        assert!(tally.accepted > before, "SEED={seed} ROUNDS=1: we do not accept what we signed\n{xml}");
        tally.signed += 1;
        for _ in 0..CHANGES {
            let changed = disturbed(&xml, signing, &dice);
            if changed != xml {
                tally.judge(&changed, signing, &mut other, seed);
            }
        }
    }
    tally
}

#[test]
#[ignore = "needs libxmlsec1"]
#[allow(clippy::print_stdout, reason = "the numbers are a result")]
fn xmlsec_accepts_whatever_we_accept() {
    let key = certificate();
    let (from, rounds) = (setting("SEED", 0), setting("ROUNDS", ROUNDS));
    let mut other = Xmlsec::start(&key);
    let control = Base::new(IdpKind::Okta, Signing::Both).xml;
    assert!(other.accepts(&control, Signing::Both), "control: it accepts what is sound");
    assert!(!other.accepts(&control.replace("ada@", "eve@"), Signing::Both), "control: it refuses what is not");
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let share = |first: u64| (from + first..from + rounds).step_by(usize::try_from(THREADS).unwrap());
        let run = |first| {
            scope.spawn({
                let key = &key;
                move || compare(share(first), key)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    fs::remove_file(&key).unwrap();
    let sum = |of: fn(&Tally) -> u64| tallies.iter().map(of).sum::<u64>();
    let (tried, accepted) = (sum(|tally| tally.tried), sum(|tally| tally.accepted));
    println!(
        "seeds {from} to {}: {} responses signed; {tried} messages tried, {accepted} accepted by us, {} of them confirmed by libxmlsec1",
        from + rounds - 1,
        sum(|tally| tally.signed),
        sum(|tally| tally.confirmed),
    );
    assert!(accepted > tried / 3 && accepted < tried, "the changes are of both kinds");
}
