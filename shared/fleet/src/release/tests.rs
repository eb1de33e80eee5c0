//! Releases: which row a job means, what makes a row right, and which devices it is for.

use std::collections::BTreeMap;

use super::*;
use crate::attribute::{
    BUCKET, FILE, MINIMUM_VERSION, PROBLEM, SHA256, SIGNATURE, STATE, VERIFIED_FILE, VERIFIED_OBJECT, VERIFIED_SHA256,
    VERIFIED_SIZE,
};
use crate::ota::upgrade::upgrade;
use crate::signature::{PublicKey, SigningKey};
use crate::software_row::Object;
use crate::value::Value;

fn row(attributes: &[(&str, Value)]) -> Row {
    let place = [(BUCKET, "software".into()), (FILE, "main.bin".into())];
    let all = place.iter().chain(attributes);
    Row(all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>())
}

fn version(text: &str) -> Version {
    Version::text(text).unwrap()
}

fn signing_key() -> SigningKey {
    SigningKey::from_pem(&SigningKey::new_pem(&[7; 32])).unwrap()
}

fn object() -> Object {
    Object { version: "v1".to_owned(), etag: "\"e1\"".to_owned() }
}

/// Verifies a release whose small object has this content.
fn verify(release: &Release, key: Option<&PublicKey>, content: &[u8]) -> Result<Verified, Obstacle> {
    let peek = Peek::Found { object: object(), size: content.len() as u64, start: content.to_vec() };
    release.verify(key, |_| Some(Sight::Peek(&peek))).map(|examined| examined.verified)
}

/// The row of `main`, version 2, signed over `content` as `release` describes it.
fn signed(mut row: Row, key: &str, content: &[u8]) -> Row {
    let release = Release::read(key, &row).unwrap();
    let manifest = release.manifest(&verify(&release, None, content).unwrap()).unwrap();
    row.0.insert(SIGNATURE.to_owned(), signing_key().sign(&manifest).as_str().into());
    row
}

#[test]
fn a_job_gets_the_row_of_its_very_version_or_the_one_for_everybody_if_that_is_it() {
    let [first, second] = [row(&[(VERSION, "1".into())]), row(&[(VERSION, 2.into())])];
    for (rows, chosen) in [
        ([Some(&second), Some(&first)], "main@2"),
        ([Some(&second), None], "main@2"),
        ([None, Some(&second)], "main"),
        ([Some(&second), Some(&second)], "main@2"),
    ] {
        for firmware in ["main", "main@2"] {
            assert_eq!(keys(firmware, &version("2")), ["main@2", "main"]);
            let release = choose(firmware, &version("2"), rows).unwrap();
            assert_eq!((release.key.as_str(), release.name.as_str()), (chosen, "main"));
        }
    }
}

#[test]
fn a_job_without_a_release_is_told_what_was_found_and_what_would_do() {
    let (first, unnumbered) = (row(&[(VERSION, "1".into())]), row(&[]));
    let said = |firmware, rows| choose(firmware, &version("2"), rows).unwrap_err().of_job().to_string();
    assert_eq!(
        said("mian", [None, None]),
        r#"firmware: found "mian", which has no row, expected a release: row "mian@2", or row "mian" of version 2"#
    );
    assert_eq!(
        said("main", [None, Some(&first)]),
        r#"version: found text "2", expected "1", the version of row "main", or a row "main@2""#
    );
    assert_eq!(
        said("main", [None, Some(&unnumbered)]),
        r#"version: found text "2", expected a release: row "main@2"; row "main" has no version"#
    );
    assert_eq!(
        said("main", [Some(&first), None]),
        "firmware: found \"main@2\", whose row is wrong (version: found text \"1\", expected \"2\", as the row's key \
         says), expected a release whose row is right"
    );
    assert_eq!(said("main@3", [None, None]), r#"version: found text "2", expected "3", as `firmware` says"#);
}

#[test]
fn a_release_named_by_its_version_has_that_version() {
    let read = |key, attributes: &[_]| Release::read(key, &row(attributes)).map(|_| ());
    for value in [Value::from("2"), 2.into(), " 2 ".into()] {
        assert_eq!(read("main@2", &[(VERSION, value)]), Ok(()));
    }
    for wrong in ["main@3", "main@", "main@2.1", "main@2@2"] {
        assert!(read(wrong, &[(VERSION, "2".into())]).is_err(), "{wrong}");
    }
    assert!(read("main@2", &[]).unwrap_err().to_string().starts_with("version: found nothing, expected \"2\""));
    assert_eq!(read("main", &[]), Ok(()));
}

#[test]
fn a_signature_needs_the_version_that_it_covers() {
    let problem = Release::read("main", &row(&[(SIGNATURE, "AA==".into())])).unwrap_err().to_string();
    assert!(problem.starts_with("version: found nothing, expected a version, because"), "{problem}");
}

#[test]
fn with_the_makers_key_only_what_the_maker_signed_is_given() {
    let key = signing_key().public_key();
    for name in ["main", "main@2"] {
        let plain = row(&[(VERSION, "2".into()), (MINIMUM_VERSION, "1".into())]);
        let row = signed(plain.clone(), name, b"software");
        let check = |row: &Row, content: &[u8]| verify(&Release::read(name, row).unwrap(), Some(&key), content);
        assert!(check(&row, b"software").is_ok());
        assert!(matches!(check(&row, b"softwarE"), Err(Obstacle::Mismatch(_))));
        assert!(matches!(check(&plain, b"software"), Err(Obstacle::Mismatch(_))));
        for (attribute, value) in [
            (MINIMUM_VERSION, Value::from("")),
            (ALLOW_DOWNGRADE, true.into()),
            (SIGNATURE, "nonsense".into()),
            (SIGNATURE, "AAAA".repeat(21).as_str().into()),
        ] {
            let mut edited = row.clone();
            edited.0.insert(attribute.to_owned(), value);
            let Err(Obstacle::Mismatch(problem)) = check(&edited, b"software") else { panic!("{attribute}") };
            assert!(problem.to_string().starts_with("signature: found one that does not verify"), "{problem}");
        }
    }
}

#[test]
fn a_signature_of_another_name_or_version_is_worth_nothing() {
    let key = signing_key().public_key();
    let row = signed(row(&[(VERSION, "2".into())]), "main", b"software");
    let renamed = Release::read("next", &row).unwrap();
    assert!(matches!(verify(&renamed, Some(&key), b"software"), Err(Obstacle::Mismatch(_))));
    let mut later = row;
    later.0.insert(VERSION.to_owned(), "3".into());
    let later = Release::read("main", &later).unwrap();
    assert!(matches!(verify(&later, Some(&key), b"software"), Err(Obstacle::Mismatch(_))));
}

#[test]
fn large_software_is_hashed_once_and_looked_at_only_when_needed() {
    let (size, sha256) = (PEEK_MAX + 1, "ab".repeat(32));
    let mut row = row(&[(VERSION, "2".into()), (SHA256, sha256.as_str().into())]);
    let peek = Peek::Found { object: object(), size, start: vec![0; 8] };
    let release = Release::read("main", &row).unwrap();
    let first = Look::Peek(release.location.clone());
    let second = Look::Digest(release.location.clone(), object());
    assert_eq!(release.verify(None, |_| None), Err(Obstacle::Look(first.clone())));
    let peeked = |look: &Look| (*look == first).then_some(Sight::Peek(&peek));
    assert_eq!(release.verify(None, peeked), Err(Obstacle::Look(second.clone())));
    assert_eq!(release.verify(None, |look| peeked(look).or(Some(Sight::Changed))), Err(Obstacle::Changed));
    let both = |look: &Look| peeked(look).or(Some(Sight::Digest(&sha256)));
    let examined = release.verify(None, both).unwrap();
    assert_eq!((examined.source, release.remembered(None)), (Source::Hashed, None));
    examined.verified.note(&release.location).apply(&mut row).unwrap();
    let release = Release::read("main", &row).unwrap();
    assert_eq!(release.verify(None, peeked).unwrap().source, Source::Remembered);
    assert_eq!(release.remembered(None), Some(examined.verified));
    assert_eq!(release.remembered(Some(&signing_key().public_key())), None, "it is not signed");
}

#[test]
fn the_object_is_missing_forbidden_or_empty_and_the_operator_is_told_which() {
    let release = Release::read("main", &row(&[])).unwrap();
    for (peek, field) in [(Peek::Missing, FILE), (Peek::Empty, FILE), (Peek::Forbidden, BUCKET)] {
        let Err(Obstacle::Absent(problem)) = release.verify(None, |_| Some(Sight::Peek(&peek))) else { panic!() };
        assert!(problem.to_string().starts_with(&format!("{field}: found")));
    }
}

#[test]
fn a_release_is_for_devices_that_may_go_to_it() {
    let release = |attributes: &[(&str, Value)]| Release::read("main", &row(attributes)).unwrap();
    let minimum = release(&[(VERSION, "3".into()), (MINIMUM_VERSION, "2".into())]);
    assert!(minimum.fits(&version("2")).is_ok());
    assert!(minimum.fits(&version("3")).is_ok());
    assert!(matches!(minimum.fits(&version("1.9")), Err(Unfit::TooEarly { .. })));
    assert!(matches!(minimum.fits(&version("4")), Err(Unfit::Older { .. })));
    assert!(release(&[(VERSION, "3".into()), (ALLOW_DOWNGRADE, true.into())]).fits(&version("4")).is_ok());
    assert!(release(&[]).fits(&version("4")).is_ok());
}

#[test]
fn an_upgrade_carries_the_signature_or_the_digest_once_more() {
    let content = b"software";
    let plain = row(&[(VERSION, "2".into()), (ALLOW_DOWNGRADE, true.into())]);
    let read = |row: &Row| Release::read("main@2", row).unwrap();
    let verified = verify(&read(&plain), None, content).unwrap();
    let told = |row: &Row| upgrade("j-1", &read(row).pin(&verified).unwrap(), "https://example.com");
    let unsigned = told(&plain);
    assert_eq!((unsigned.sign.as_str(), unsigned.name.as_str()), (verified.sha256.as_str(), "main"));
    let signed = told(&signed(plain, "main@2", content));
    assert!(signing_key().public_key().verify(&(&signed).into(), &signed.sign).is_ok());
    assert!(signed.allow_downgrade && unsigned.allow_downgrade);
}

#[test]
fn what_functions_wrote_makes_no_row_wrong() {
    let ledger = [VERIFIED_FILE, VERIFIED_OBJECT, VERIFIED_SIZE, VERIFIED_SHA256, PROBLEM];
    for attribute in ledger {
        let release = Release::read("main", &row(&[(attribute, Value::List(vec![])), (STATE, "draft".into())]));
        assert_eq!(release.unwrap().state, State::Draft);
    }
}
