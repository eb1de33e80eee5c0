//! The maker's key.

use std::os::unix::fs::PermissionsExt as _;

use fleet::signature::{PublicKey, SigningKey};
use tempfile::TempDir;

use crate::arguments;

#[tokio::test]
async fn a_key_is_its_owners_alone_and_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let prefix = folder.path().join("maker");
    let new = || arguments(&format!("key new --out {}", prefix.display())).run();
    let said = new().await.unwrap();
    let (private, public) = (prefix.with_extension("pem"), prefix.with_extension("pub.pem"));
    let pem = std::fs::read_to_string(&private).unwrap();
    assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(pem.lines().all(|line| line.starts_with("-----") || !said.contains(line)), "{said}");
    let key = SigningKey::from_pem(&pem).unwrap().public_key();
    assert_eq!(PublicKey::parse(&std::fs::read_to_string(&public).unwrap()), Ok(key));
    let line = said.lines().find(|line| line.starts_with("MCowBQYDK2VwAyEA")).unwrap();
    assert_eq!(PublicKey::parse(line), Ok(key));
    for lost in [&public, &private] {
        let refused = new().await.unwrap_err().to_string();
        assert!(refused.ends_with("is there already, and a key is never overwritten"), "{refused}");
        std::fs::remove_file(lost).unwrap();
    }
    assert!(new().await.is_ok());
}
