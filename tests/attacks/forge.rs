//! Signatures of any shape, cryptographically sound: what a lax verifier would accept. Canonicalization is another
//! implementation than the one under test.

use aws_lc_rs::{digest, hmac, signature as lc};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::nodeset::NodeSet;
use uppsala::{Document, NodeId};

use crate::{
    edit::{content, splice},
    world::Key,
};

pub const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub const EXCLUSIVE_WITH_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
pub const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub const HMAC_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
pub const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// One `ds:Reference`.
#[derive(Clone)]
pub struct Reference {
    /// The whole attribute, or nothing.
    pub uri: String,
    /// The whole element, or nothing.
    pub transforms: String,
    pub digest_method: &'static str,
    /// What is hashed.
    pub octets: Vec<u8>,
}

/// What a signature is made of.
#[derive(Clone)]
pub struct Spec {
    /// Element to put the signature in, by its ID.
    pub place: String,
    pub canonicalization: &'static str,
    pub method: &'static str,
    pub method_content: &'static str,
    pub references: Vec<Reference>,
    /// After the value.
    pub tail: String,
    /// An HMAC key in place of the private key.
    pub hmac: Option<Vec<u8>>,
}

pub fn transform(algorithm: &str) -> String {
    format!("<ds:Transform Algorithm=\"{algorithm}\"></ds:Transform>")
}

pub fn transforms(list: &[String]) -> String {
    format!("<ds:Transforms>{}</ds:Transforms>", list.concat())
}

pub fn usual_transforms() -> String {
    transforms(&[transform(&format!("{DSIG}enveloped-signature")), transform(EXCLUSIVE)])
}

impl Spec {
    /// The shape that is verified, for the element of this ID in a document in which it is not signed.
    pub fn usual(xml: &str, id: &str) -> Self {
        let reference = Reference {
            uri: format!(" URI=\"#{id}\""),
            transforms: usual_transforms(),
            digest_method: SHA256,
            octets: canonical(xml, id, EXCLUSIVE),
        };
        Self {
            place: id.to_owned(),
            canonicalization: EXCLUSIVE,
            method: RSA_SHA256,
            method_content: "",
            references: vec![reference],
            tail: String::new(),
            hmac: None,
        }
    }

    /// The usual shape, changed.
    pub fn but(xml: &str, id: &str, change: impl FnOnce(&mut Self)) -> Self {
        let mut spec = Self::usual(xml, id);
        change(&mut spec);
        spec
    }

    fn element(&self) -> String {
        let references: String = self.references.iter().map(Reference::element).collect();
        format!(
            "<ds:Signature xmlns:ds=\"{DSIG}\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{}\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"{}\">{}</ds:SignatureMethod>{references}</ds:SignedInfo><ds:SignatureValue>value</ds:SignatureValue>{}</ds:Signature>",
            self.canonicalization, self.method, self.method_content, self.tail,
        )
    }

    /// The document with the signature after the Issuer of its place.
    pub fn sign(&self, xml: &str, key: &Key) -> String {
        let doc = uppsala::parse(xml).unwrap();
        let place = by_id(&doc, &self.place);
        let issuer = child(&doc, place, "Issuer");
        let at = doc.node_range(issuer).unwrap().end;
        let unsigned = splice(xml, at, at, &self.element());
        let octets = {
            let doc = uppsala::parse(&unsigned).unwrap();
            let signature = child(&doc, by_id(&doc, &self.place), "Signature");
            canonicalize_node(&doc, child(&doc, signature, "SignedInfo"), self.canonicalization)
        };
        let value = match &self.hmac {
            Some(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &octets).as_ref().to_vec(),
            None => {
                let mut value = vec![0; key.pair.public_modulus_len()];
                let digest = digest::digest(&digest::SHA256, &octets);
                key.pair.sign_digest(&lc::RSA_PKCS1_SHA256, &digest, &mut value).unwrap();
                value
            }
        };
        let end = at + self.element().len();
        let signed = content(&unsigned[at..end], "SignatureValue", &STANDARD.encode(value));
        splice(&unsigned, at, end, &signed)
    }
}

impl Reference {
    fn element(&self) -> String {
        let algorithm = if self.digest_method == SHA1 { &digest::SHA1_FOR_LEGACY_USE_ONLY } else { &digest::SHA256 };
        let value = STANDARD.encode(digest::digest(algorithm, &self.octets));
        format!(
            "<ds:Reference{}>{}<ds:DigestMethod Algorithm=\"{}\"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>",
            self.uri, self.transforms, self.digest_method,
        )
    }
}

/// Canonical form of the element of this ID.
pub fn canonical(xml: &str, id: &str, algorithm: &str) -> Vec<u8> {
    let doc = uppsala::parse(xml).unwrap();
    canonicalize_node(&doc, by_id(&doc, id), algorithm)
}

fn canonicalize_node(doc: &Document<'_>, node: NodeId, algorithm: &str) -> Vec<u8> {
    let mode = if algorithm == INCLUSIVE { C14nMode::Inclusive } else { C14nMode::Exclusive };
    let set = NodeSet::tree_without_comments(node, doc);
    canonicalize_doc::<&str>(doc, mode, Some(&set), &[]).unwrap()
}

fn by_id(doc: &Document<'_>, id: &str) -> NodeId {
    let has = |node: &NodeId| doc.element(*node).is_some_and(|e| e.get_attribute("ID") == Some(id));
    doc.descendants(doc.root()).into_iter().find(has).unwrap()
}

fn child(doc: &Document<'_>, node: NodeId, local: &str) -> NodeId {
    let named = |child: &NodeId| doc.element(*child).is_some_and(|e| e.name.local_name == local);
    doc.children(node).into_iter().find(named).unwrap()
}
