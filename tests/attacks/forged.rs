//! Signatures that the trusted key really made, of a shape that is not verified. The shape alone must refuse them: a
//! verifier that followed it would find everything sound.

use vestibule::saml::Reason;

use crate::{
    forge::{
        DSIG, EXCLUSIVE, EXCLUSIVE_WITH_COMMENTS, HMAC_SHA256, INCLUSIVE, Reference, SHA1, SHA256, Spec, canonical,
        transform, transforms, usual_transforms,
    },
    world::{Attack, Base, OURS, expected, trust},
};

/// For a base of one signature: the other way to sign both is made of the same two.
pub fn attacks(base: &Base) -> Vec<Attack> {
    let xml = base.draft.xml.as_str();
    let id = if base.response_signed() { base.draft.response_id.as_str() } else { base.draft.assertion_id.as_str() };
    crate::control("forged in the usual shape", &Spec::usual(xml, id).sign(xml, &OURS), &trust(), &expected());
    let mut attacks = Vec::new();
    let mut add = |name: &str, reason, change: &dyn Fn(&mut Spec)| {
        let signed = Spec::but(xml, id, change).sign(xml, &OURS);
        attacks.push(Attack::new(format!("forged: {name}"), signed, reason));
    };
    references(xml, id, base, &mut add);
    shapes(xml, id, &mut add);
    methods(&mut add);
    attacks
}

type Add<'a> = dyn FnMut(&str, Reason, &dyn Fn(&mut Spec)) + 'a;

fn references(xml: &str, id: &str, base: &Base, add: &mut Add<'_>) {
    add("the reference twice", Reason::Reference, &|spec| spec.references.push(spec.references[0].clone()));
    add("no reference", Reason::Reference, &|spec| spec.references.clear());
    add("a reference by pointer", Reason::Reference, &|spec| {
        spec.references[0].uri = format!(" URI=\"#xpointer(id('{id}'))\"");
    });
    add("a reference without address", Reason::Reference, &|spec| spec.references[0].uri = String::new());
    add("a reference to the whole document", Reason::Reference, &|spec| {
        spec.references[0].uri = " URI=\"\"".to_owned();
        spec.references[0].octets = canonical(xml, &base.draft.response_id, EXCLUSIVE);
    });
    if base.response_signed() {
        let inner = base.draft.assertion_id.as_str();
        let to_the_assertion = || Reference {
            uri: format!(" URI=\"#{inner}\""),
            transforms: usual_transforms(),
            digest_method: SHA256,
            octets: canonical(xml, inner, EXCLUSIVE),
        };
        add("a reference to the assertion from outside", Reason::Reference, &|spec| {
            spec.references = vec![to_the_assertion()];
        });
        add("a second reference, to the assertion", Reason::Reference, &|spec| {
            spec.references.push(to_the_assertion())
        });
    }
    add("the digest of nothing", Reason::Digest, &|spec| spec.references[0].octets = Vec::new());
}

fn shapes(xml: &str, id: &str, add: &mut Add<'_>) {
    let enveloped = transform(&format!("{DSIG}enveloped-signature"));
    let canonical_form = transform(EXCLUSIVE);
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>".to_owned();
    for (name, list, inclusive) in [
        ("canonicalization with comments", vec![enveloped.clone(), transform(EXCLUSIVE_WITH_COMMENTS)], false),
        ("inclusive canonicalization", vec![enveloped.clone(), transform(INCLUSIVE)], true),
        ("canonicalization left out", vec![enveloped.clone()], true),
        ("transforms the other way round", vec![canonical_form.clone(), enveloped.clone()], false),
        ("canonicalization twice", vec![enveloped.clone(), canonical_form.clone(), canonical_form.clone()], false),
        ("XPath in place of enveloped", vec![xpath, canonical_form.clone()], false),
        ("enveloped twice", vec![enveloped.clone(), enveloped.clone(), canonical_form.clone()], false),
    ] {
        add(name, Reason::Transform, &|spec| {
            spec.references[0].transforms = transforms(&list);
            if inclusive {
                spec.references[0].octets = canonical(xml, id, INCLUSIVE);
            }
        });
    }
    let lists = |parameters: &str| format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\">{parameters}</ds:Transform>");
    let list = |prefixes: &str| {
        format!("<e:InclusiveNamespaces xmlns:e=\"{EXCLUSIVE}\" PrefixList=\"{prefixes}\"></e:InclusiveNamespaces>")
    };
    let many = (0..33).map(|n| format!("p{n}")).collect::<Vec<_>>().join(" ");
    for (name, parameters) in [
        ("two prefix lists", format!("{}{}", list("a"), list("b"))),
        ("a prefix list without end", list(&many)),
        ("a foreign parameter", "<x></x>".to_owned()),
        ("a parameter in text", "x".to_owned()),
    ] {
        add(name, Reason::Transform, &|spec| {
            spec.references[0].transforms = transforms(&[enveloped.clone(), lists(&parameters)])
        });
    }
    for (name, tail) in [
        ("an object", "<ds:Object></ds:Object>"),
        ("a manifest", "<ds:Object><ds:Manifest></ds:Manifest></ds:Object>"),
        ("key information twice", "<ds:KeyInfo></ds:KeyInfo><ds:KeyInfo></ds:KeyInfo>"),
        ("an object after key information", "<ds:KeyInfo></ds:KeyInfo><ds:Object></ds:Object>"),
        ("something else as key information", "<x></x>"),
        ("text at the end", "x"),
    ] {
        add(name, Reason::DsigShape, &|spec| spec.tail = tail.to_owned());
    }
}

fn methods(add: &mut Add<'_>) {
    add("SignedInfo canonicalized inclusively", Reason::Transform, &|spec| spec.canonicalization = INCLUSIVE);
    add("SignedInfo canonicalized with comments", Reason::Transform, &|spec| {
        spec.canonicalization = EXCLUSIVE_WITH_COMMENTS;
    });
    add("a digest of SHA-1", Reason::Algorithm, &|spec| spec.references[0].digest_method = SHA1);
    add("parameters of the method", Reason::DsigShape, &|spec| spec.method_content = "<x></x>");
    let certificate = OURS.signing.certificate().certificate_der().to_vec();
    let base64 = String::from(OURS.signing.certificate().clone()).into_bytes();
    for (name, secret) in [("DER", certificate), ("base64", base64), ("nothing", Vec::new())] {
        let name = format!("HMAC keyed with the certificate as {name}");
        add(&name, Reason::Algorithm, &|spec| {
            spec.method = HMAC_SHA256;
            spec.hmac = Some(secret.clone());
        });
        add(&format!("{name}, truncated"), Reason::DsigShape, &|spec| {
            spec.method = HMAC_SHA256;
            spec.method_content = "<ds:HMACOutputLength>8</ds:HMACOutputLength>";
            spec.hmac = Some(secret.clone());
        });
    }
}
