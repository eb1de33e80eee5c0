//! What a signature promises, against a key and a signature made by openssl.

use super::*;

const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINE4CKSnNixJjQfQwP4hP0Y6lQ882CG5iG9lMakt89oj
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAF+jrw26a9xfNYaZ38D+nA4vVesBA1dNsEZ3qSxZjs5E=
-----END PUBLIC KEY-----
";
/// `openssl pkeyutl -sign -rawin` over the canonical form of [`manifest`].
const SIGNATURE: &str = "69USacjbeQ4a4V4Qvkm94/Ucps+klCkIbT6v6ZHbVxVjZUU3Vosb/jQjCyBbwhN1Lwl3IzQ5pgqS9uHIY15WCg==";

fn version(text: &str) -> Version {
    Version::text(text).unwrap()
}

fn manifest() -> SignedManifest {
    SignedManifest {
        name: "main".to_owned(),
        version: version("2"),
        size: 1024,
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        minimum_version: None,
        allow_downgrade: false,
    }
}

#[test]
fn openssl_and_we_make_the_same_signature() {
    let key = SigningKey::from_pem(PRIVATE).unwrap();
    assert_eq!(key.sign(&manifest()), SIGNATURE);
    assert_eq!(key.public_key(), PublicKey::parse(PUBLIC).unwrap());
    assert_eq!(PublicKey::parse(PUBLIC).unwrap().verify(&manifest(), SIGNATURE), Ok(()));
}

#[test]
fn the_canonical_form_is_the_one_of_the_documentation() {
    let full = SignedManifest { minimum_version: Some(version("1.5")), allow_downgrade: true, ..manifest() };
    let text = format!("fleetwake-manifest-1\nmain\n2\n1024\n{}\n1.5\ndowngrade\n", full.sha256);
    assert_eq!(full.canonical(), text.into_bytes());
}

#[test]
fn a_signature_counts_for_nothing_but_what_was_signed() {
    let key = PublicKey::parse(PUBLIC).unwrap();
    let changed = [
        SignedManifest { name: "main2".to_owned(), ..manifest() },
        SignedManifest { version: version("3"), ..manifest() },
        SignedManifest { size: 1025, ..manifest() },
        SignedManifest { sha256: "00".repeat(32), ..manifest() },
        SignedManifest { minimum_version: Some(version("1")), ..manifest() },
        SignedManifest { allow_downgrade: true, ..manifest() },
    ];
    for manifest in changed {
        assert_eq!(key.verify(&manifest, SIGNATURE), Err(SignatureError::Wrong), "{manifest:?}");
    }
    for bad in ["", "AAAA", "not base64", &SIGNATURE[..84]] {
        assert_eq!(key.verify(&manifest(), bad), Err(SignatureError::Form), "{bad}");
    }
    let other = SigningKey::from_pem(&SigningKey::new_pem(&[7; 32])).unwrap();
    assert_eq!(key.verify(&manifest(), &other.sign(&manifest())), Err(SignatureError::Wrong));
    assert_eq!(other.public_key().verify(&manifest(), &other.sign(&manifest())), Ok(()));
}

#[test]
fn a_public_key_is_read_in_every_form_that_it_is_handed_about_in() {
    let key = PublicKey::parse(PUBLIC).unwrap();
    for text in [
        &PUBLIC.replace('\n', " "),
        &PUBLIC.replace('\n', "\r\n"),
        &key.to_pem(),
        "MCowBQYDK2VwAyEAF+jrw26a9xfNYaZ38D+nA4vVesBA1dNsEZ3qSxZjs5E=",
        " F+jrw26a9xfNYaZ38D+nA4vVesBA1dNsEZ3qSxZjs5E=\n",
    ] {
        assert_eq!(PublicKey::parse(text), Ok(key), "{text}");
    }
}

#[test]
fn what_is_no_key_is_refused_in_words() {
    let error = PublicKey::parse(PRIVATE).unwrap_err();
    assert_eq!(error.to_string(), "PRIVATE KEY instead of PUBLIC KEY");
    for bad in ["", "AAAA", "-----BEGIN PUBLIC KEY-----", "key"] {
        assert!(PublicKey::parse(bad).unwrap_err().to_string().starts_with("not an Ed25519 public key"), "{bad}");
        assert!(SigningKey::from_pem(bad).is_err(), "{bad}");
    }
    assert_eq!(SigningKey::from_pem(PUBLIC).unwrap_err().to_string(), "PUBLIC KEY instead of PRIVATE KEY");
}

#[test]
fn a_private_key_is_never_shown() {
    assert_eq!(SigningKey::new_pem(&[7; 32]).len(), PRIVATE.len());
    assert_eq!(format!("{:?}", SigningKey::from_pem(PRIVATE).unwrap()), "SigningKey(..)");
}
