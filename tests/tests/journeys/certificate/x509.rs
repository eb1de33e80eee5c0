//! What `openssl` thinks of a device's certificate.

use std::path::Path;
use std::process::Command;

use fleet_device::Credentials;
use tempfile::TempDir;

use crate::operator::Operator;

/// Whether the certificate of a client leads to the private authority's root by `chain`.
pub fn verify(operator: Operator, own: &Credentials, chain: &str) -> Result<(), String> {
    let folder = files(own, chain);
    let root = &operator.0.connection().private_ca.root;
    openssl(folder.path(), &["verify", "-purpose", "sslclient", "-CAfile", root.to_str().unwrap()])
}

/// The same, and whether the authority's list of what is revoked does not name it.
pub fn verify_unrevoked(operator: Operator, own: &Credentials) -> Result<(), String> {
    let authority = &operator.0.connection().private_ca;
    let folder = files(own, &std::fs::read_to_string(&authority.chain).unwrap());
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let list = agent.get(&authority.crl).call().unwrap().body_mut().read_to_vec().unwrap();
    std::fs::write(folder.path().join("crl.der"), list).unwrap();
    run(folder.path(), &["crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem"]).unwrap();
    let root = authority.root.to_str().unwrap();
    openssl(folder.path(), &["verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", root])
}

fn files(own: &Credentials, chain: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.pem"), own.certificate()).unwrap();
    std::fs::write(folder.path().join("chain.pem"), chain).unwrap();
    folder
}

fn openssl(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    run(folder, &[arguments, &["-untrusted", "chain.pem", "own.pem"]].concat())
}

fn run(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
}
