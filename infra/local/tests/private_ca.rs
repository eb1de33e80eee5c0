//! Certificates of the local Private CA that came through the functions' own gateways, judged by `openssl`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use fleet::{
    Millis,
    certificate::{life::Terms, reason::Reason, sweep::AtAuthority},
    credentials::{IssueOrder, Issued},
    csr::Csr,
    id::DeviceId,
};
use fleet_aws::{
    authorities::Authorities,
    clients::Clients,
    failure::Failure,
    issuer::{CertificateIssuer, Issuer, PrivateCa},
    settings::{Environment, IssuerSettings, PrivateCaSettings},
};
use local::{Cloud, Options};
use serde_json::json;

const DAY: Millis = 86_400_000;

/// One cloud for all tests: what they need of it, each asks for itself.
static CLOUD: LazyLock<Cloud> = LazyLock::new(|| Cloud::start_blocking(&Options::apart("test-private-ca")).unwrap());

fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

async fn gateways() -> (Issuer, Ca) {
    gateways_to(tokio::task::spawn_blocking(|| &*CLOUD).await.unwrap())
}

/// The gateways as a function has them.
fn gateways_to(cloud: &Cloud) -> (Issuer, Ca) {
    let connection = cloud.connection();
    let variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &connection.aws_endpoint),
        ("AWS_ENDPOINT_URL_ACM_PCA", &connection.private_ca.endpoint),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let clients = Clients::new(&environment).unwrap();
    let arn = connection.private_ca.arn.clone();
    let settings = PrivateCaSettings { arn, signing_algorithm: "SHA256WITHECDSA".to_owned() };
    let ca = Ca { issuing: PrivateCa::new(&clients, &settings), revoking: Authorities::new(&clients) };
    (Issuer::new(&clients, &IssuerSettings::PrivateCa(settings)), ca)
}

/// The authority, for whoever reads its chain or revokes what it has made.
struct Ca {
    issuing: PrivateCa,
    revoking: Authorities,
}

impl Ca {
    async fn revoke(&self, serial: &str, reason: Reason) -> Result<(), Failure> {
        let (authority, serial) = (self.issuing.arn().to_owned(), serial.to_owned());
        self.revoking.revoke(&AtAuthority { authority, serial, reason }).await
    }
}

/// A directory in which `openssl` works for one test.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("private-ca-{name}"));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// What `openssl` says, all of it, and whether it is content.
    fn try_openssl(&self, arguments: &str) -> (bool, String) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(&self.0).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    }

    fn openssl(&self, arguments: &str) -> String {
        let (content, said) = self.try_openssl(arguments);
        assert!(content, "openssl {arguments}: {said}");
        said
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }

    /// An order with a CSR that `openssl` has made, for a new key in `key.pem`.
    fn order(&self, device: &str, token: &str, validity: Millis) -> IssueOrder {
        self.openssl("ecparam -name prime256v1 -genkey -noout -out key.pem");
        self.openssl(&format!("req -new -key key.pem -subj /CN={device} -out csr.pem"));
        let device = DeviceId::parse(device).unwrap();
        let csr = Csr::parse(&fs::read_to_string(self.0.join("csr.pem")).unwrap(), &device).unwrap();
        order(&device, Some(csr), token, validity)
    }

    fn put_issued(&self, made: &Issued) {
        self.put("certificate.pem", &made.certificate);
        self.put("chain.pem", made.chain.as_ref().unwrap());
    }

    /// What the extension of this name says.
    fn extension(&self, name: &str) -> String {
        let said = self.openssl(&format!("x509 -in certificate.pem -noout -ext {name}"));
        said.lines().map(str::trim).collect::<Vec<_>>().join("\n")
    }
}

fn order(device: &DeviceId, csr: Option<Csr>, token: &str, validity: Millis) -> IssueOrder {
    let terms = Terms { device: device.clone(), issued_at: now(), validity };
    IssueOrder { csr, terms, token: token.to_owned() }
}

fn fetched(url: &str) -> Vec<u8> {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    agent.get(url).call().unwrap().body_mut().read_to_vec().unwrap()
}

#[tokio::test]
async fn a_certificate_is_for_this_device_its_key_and_nothing_but_client_authentication() {
    let (issuer, desk) = (gateways().await.0, Desk::new("profile"));
    let made = issuer.issue(&desk.order("dev-profile", "profile", 90 * DAY)).await.unwrap();
    desk.put_issued(&made);
    desk.openssl("verify -x509_strict -purpose sslclient -CAfile chain.pem certificate.pem");
    assert!(!desk.try_openssl("verify -purpose sslserver -CAfile chain.pem certificate.pem").0);
    assert_eq!(desk.openssl("x509 -in certificate.pem -noout -subject").trim(), "subject=CN = dev-profile");
    let of_the_key = desk.openssl("pkey -in key.pem -pubout");
    assert_eq!(desk.openssl("x509 -in certificate.pem -noout -pubkey"), of_the_key);
    assert_eq!(desk.extension("keyUsage"), "X509v3 Key Usage: critical\nDigital Signature");
    assert_eq!(desk.extension("extendedKeyUsage"), "X509v3 Extended Key Usage:\nTLS Web Client Authentication");
    assert!(desk.extension("basicConstraints").ends_with("CA:FALSE"));
    assert!(desk.extension("crlDistributionPoints").ends_with(&format!("URI:{}", CLOUD.connection().private_ca.crl)));
    desk.put("authority.pem", made.chain.unwrap());
    let identifier = |file: &str| desk.openssl(&format!("x509 -in {file} -noout -ext subjectKeyIdentifier"));
    let authority = identifier("authority.pem");
    assert!(desk.extension("authorityKeyIdentifier").ends_with(authority.lines().last().unwrap().trim()));
    assert_ne!(identifier("certificate.pem"), authority);
}

#[tokio::test]
async fn a_certificate_begins_an_hour_ago_and_ends_when_it_was_ordered_to() {
    let (issuer, desk) = (gateways().await.0, Desk::new("validity"));
    let order = desk.order("dev-validity", "validity", 2 * 60_000);
    let made = issuer.issue(&order).await.unwrap();
    desk.put_issued(&made);
    let whole = |moment: Millis| moment / 1000 * 1000;
    let facts = &made.facts;
    assert_eq!(facts.not_before, whole(order.terms.issued_at - 3_600_000));
    assert_eq!(facts.not_after, whole(order.terms.not_after()));
    let at = |moment: Millis| {
        desk.try_openssl(&format!("verify -attime {} -CAfile chain.pem certificate.pem", moment / 1000)).0
    };
    // To `openssl`, the second in which a certificate ends is over already.
    let (begin, end) = (facts.not_before, facts.not_after);
    assert_eq!([begin - 1_000, now(), end - 1_000, end].map(at), [false, true, true, false]);
}

#[tokio::test]
async fn no_certificate_outlives_its_authority() {
    let ((issuer, ca), desk) = (gateways().await, Desk::new("end"));
    let made = issuer.issue(&desk.order("dev-end", "end", 3_650 * DAY)).await.unwrap();
    assert_eq!(made.facts.not_after, ca.issuing.chain().await.unwrap().not_after);
}

#[tokio::test]
async fn one_order_makes_one_certificate_which_aws_iot_knows_as_inactive() {
    let (issuer, desk) = (gateways().await.0, Desk::new("once"));
    let order = desk.order("dev-once", "once", DAY);
    let made = issuer.issue(&order).await.unwrap();
    assert_eq!(issuer.issue(&order).await.unwrap(), made);
    assert_eq!(issuer.fetch(&made.id).await.unwrap(), made);
    desk.put_issued(&made);
    let print = desk.openssl("x509 -in certificate.pem -noout -fingerprint -sha256").to_lowercase().replace(':', "");
    assert_eq!(print.trim().rsplit('=').next(), Some(made.id.as_str()));
    let described = json!({ "certificateId": made.id.as_str() });
    let described = CLOUD.call("iot", "describe_certificate", described).await.unwrap();
    assert_eq!(described["certificateDescription"]["status"], "INACTIVE");
    let another = IssueOrder { token: "another".to_owned(), ..order };
    assert_ne!(issuer.issue(&another).await.unwrap().facts.serial, made.facts.serial);
}

#[tokio::test]
async fn a_device_without_a_csr_gets_a_key_that_fits() {
    let (issuer, desk) = (gateways().await.0, Desk::new("key"));
    let device = DeviceId::parse("dev-key").unwrap();
    let made = issuer.issue(&order(&device, None, "key", DAY)).await.unwrap();
    desk.put_issued(&made);
    desk.put("key.pem", made.key.as_ref().unwrap());
    assert_eq!(desk.openssl("x509 -in certificate.pem -noout -pubkey"), desk.openssl("pkey -in key.pem -pubout"));
    desk.openssl("verify -x509_strict -purpose sslclient -CAfile chain.pem certificate.pem");
}

#[tokio::test]
async fn what_is_revoked_is_on_the_next_list_and_stays_revoked() {
    let ((issuer, ca), desk) = (gateways().await, Desk::new("crl"));
    let made = issuer.issue(&desk.order("dev-crl", "crl", DAY)).await.unwrap();
    desk.put_issued(&made);
    let verify = || {
        desk.put("list.der", fetched(&CLOUD.connection().private_ca.crl));
        desk.openssl("crl -inform DER -in list.der -out list.pem");
        desk.try_openssl("verify -x509_strict -crl_check -CRLfile list.pem -CAfile chain.pem certificate.pem")
    };
    assert!(verify().0, "{}", verify().1);
    ca.revoke(&made.facts.serial, Reason::Superseded).await.unwrap();
    ca.revoke(&made.facts.serial, Reason::KeyCompromise).await.unwrap();
    let (valid, said) = verify();
    assert!(!valid && said.contains("certificate revoked"), "{said}");
    let list = desk.openssl("crl -in list.pem -noout -text");
    assert!(list.contains(&made.facts.serial.to_uppercase()) && list.contains("Superseded"), "{list}");
    let unknown = ca.revoke("aff", Reason::Superseded).await;
    assert!(matches!(unknown, Err(Failure::Missing(_))), "{unknown:?}");
}

#[tokio::test]
async fn the_authority_itself_is_not_revoked_by_the_root() {
    let (issuer, desk) = (gateways().await.0, Desk::new("root"));
    let made = issuer.issue(&desk.order("dev-root", "root", DAY)).await.unwrap();
    desk.put_issued(&made);
    let said = desk.openssl("x509 -in chain.pem -noout -ext crlDistributionPoints");
    desk.put("root.der", fetched(said.rsplit("URI:").next().unwrap().trim()));
    desk.put("list.der", fetched(&CLOUD.connection().private_ca.crl));
    let lists = ["root", "list"].map(|name| desk.openssl(&format!("crl -inform DER -in {name}.der"))).concat();
    desk.put("lists.pem", lists);
    desk.openssl("verify -x509_strict -crl_check_all -CRLfile lists.pem -CAfile chain.pem certificate.pem");
}

#[tokio::test]
async fn the_private_ca_fails_as_often_as_a_test_wants_and_ends_with_its_cloud() {
    let cloud = Cloud::start(Options::apart("test-private-ca-faults")).await.unwrap();
    let ((issuer, ca), desk) = (gateways_to(&cloud), Desk::new("faults"));
    let made = issuer.issue(&desk.order("dev-faults", "faults", DAY)).await.unwrap();
    let authority = cloud.connection().private_ca.clone();
    // As often as the SDK tries one call.
    authority.fail_next("RevokeCertificate", 3).unwrap();
    let fault = ca.revoke(&made.facts.serial, Reason::Unspecified).await.unwrap_err().to_string();
    assert!(fault.contains("ThrottlingException"), "{fault}");
    ca.revoke(&made.facts.serial, Reason::Unspecified).await.unwrap();
    cloud.stop().await.unwrap();
    assert!(authority.fail_next("RevokeCertificate", 1).is_err());
}
