//! Software over real HTTP, and the files it is put together in.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use fleet::message::Delivery;
use fleet::version::Version;
use fleet_device::download::{DownloadError, fetch};
use fleet_device::memory::Software;
use fleet_device::package::Package;
use fleet_device::staging::Staging;
use fleet_device::{Confirmation, Failure, Hook, Update};
use ring::digest::{SHA256, digest};

use super::cloud::Cloud;

const SOFTWARE: &[u8] = b"the quick brown fox";

/// A server that gives one answer and tells the request it got.
fn serve(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/software", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(&answer).unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, server)
}

fn answer(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    answer.extend(body);
    answer
}

#[tokio::test]
async fn a_download_goes_on_at_the_byte_where_it_broke() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("software");
    let size = SOFTWARE.len() as u64;
    let (url, _) = serve(answer("200 OK", SOFTWARE.len(), &SOFTWARE[..7]));
    assert!(matches!(fetch(&url, None, &file, (0, size), |_| {}).await, Err(DownloadError::Broken(_))));
    assert_eq!(std::fs::read(&file).unwrap(), SOFTWARE[..7]);
    let (url, server) = serve(part("bytes 7-18/19"));
    let mut seen = 0;
    fetch(&url, None, &file, (7, size), |done| seen = done).await.unwrap();
    assert!(server.join().unwrap().to_lowercase().contains("range: bytes=7-"));
    assert_eq!((std::fs::read(&file).unwrap().as_slice(), seen), (SOFTWARE, size));
}

/// All but the first seven bytes, as what the server says they are.
fn part(range: &str) -> Vec<u8> {
    let status = format!("206 Partial Content\r\ncontent-range: {range}");
    answer(&status, SOFTWARE.len() - 7, &SOFTWARE[7..])
}

#[tokio::test]
async fn an_answer_that_does_not_fit_leaves_a_partial_file_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("software");
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n".to_vec();
    let others = ["bytes 0-11/19", "bytes 7-18/20", "bytes 7-17/19", "nonsense"].map(part);
    let bare = answer("206 Partial Content", SOFTWARE.len() - 7, &SOFTWARE[7..]);
    for unfit in others.into_iter().chain([bare, chunked, answer("200 OK", 5, b"login")]) {
        std::fs::write(&file, b"the qui").unwrap();
        let (url, _) = serve(unfit.clone());
        let fetched = fetch(&url, None, &file, (7, SOFTWARE.len() as u64), |_| {}).await;
        let unfit = String::from_utf8_lossy(&unfit);
        assert!(matches!(fetched, Err(DownloadError::Unfit(_) | DownloadError::Size { .. })), "{unfit}: {fetched:?}");
        assert_eq!(std::fs::read(&file).unwrap(), b"the qui", "{unfit}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_starts_over() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("software");
    std::fs::write(&file, b"the qui").unwrap();
    let (url, _) = serve(answer("200 OK", SOFTWARE.len(), SOFTWARE));
    fetch(&url, None, &file, (7, SOFTWARE.len() as u64), |_| {}).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), SOFTWARE);
}

#[tokio::test]
async fn an_answer_that_is_no_software_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("software");
    let (url, _) = serve(answer("403 Forbidden", 0, b""));
    let forbidden = fetch(&url, None, &file, (0, 4), |_| {}).await;
    assert!(matches!(forbidden, Err(DownloadError::Status(status)) if status == 403));
    let (url, _) = serve(answer("200 OK", SOFTWARE.len(), SOFTWARE));
    assert!(matches!(fetch(&url, None, &file, (0, 4), |_| {}).await, Err(DownloadError::Size { .. })));
}

#[test]
fn a_file_holds_one_software_and_a_later_block_cuts_off_what_lies_behind() {
    let directory = tempfile::tempdir().unwrap();
    let staging = Staging::open(directory.path()).unwrap();
    assert_eq!(staging.begin("one", None).unwrap(), 0);
    staging.write("one", 0, b"0123").unwrap();
    staging.write("one", 4, b"4567").unwrap();
    assert_eq!(staging.begin("one", None).unwrap(), 8);
    staging.write("one", 4, b"x").unwrap();
    assert_eq!(std::fs::read(staging.path("one")).unwrap(), b"0123x");
    assert_eq!(staging.begin("two", None).unwrap(), 0);
    assert!(!staging.path("one").exists());
}

/// A staging directory with software in it, and the package that describes it.
fn staged() -> (tempfile::TempDir, Staging, Package) {
    let directory = tempfile::tempdir().unwrap();
    let staging = Staging::open(directory.path()).unwrap();
    let package = Package::from(&Cloud::new("dev-1", Delivery::Inline, SOFTWARE).manifest());
    staging.begin(&package.sha256, None).unwrap();
    staging.write(&package.sha256, 0, SOFTWARE).unwrap();
    (directory, staging, package)
}

#[test]
fn the_hook_gets_verified_software_only_and_decides_whether_it_is_applied() {
    let (directory, staging, package) = staged();
    let copy = directory.path().join("copy");
    let update = Update::verify(&staging, &package).unwrap();
    let hook = |command: String| Hook::Command(command).apply(&update, || None);
    let command = format!("test $FLEETWAKE_NAME-$FLEETWAKE_VERSION = main-2 && cp $FLEETWAKE_FILE {}", copy.display());
    hook(command).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), SOFTWARE);
    assert!(matches!(hook("exit 3".to_owned()), Err(Failure::NotApplied(_))));
    staging.write(&package.sha256, 0, b"something else").unwrap();
    assert!(matches!(Update::verify(&staging, &package), Err(Failure::Corrupt(_))));
}

#[test]
fn a_hook_that_fails_goes_back_to_what_ran_before_if_that_is_still_there() {
    let (directory, staging, package) = staged();
    let update = Update::verify(&staging, &package).unwrap();
    let old = Software {
        name: "main".to_owned(),
        version: Version::text("1").unwrap(),
        sha256: hex::encode(digest(&SHA256, b"old")),
        reported: true,
    };
    let log = directory.path().join("log");
    let hook = Hook::Command(format!("echo $FLEETWAKE_VERSION >> {}; test $FLEETWAKE_VERSION = 1", log.display()));
    let failed = |back| hook.apply(&update, || back).unwrap_err().to_string();
    assert!(failed(Update::back(&staging, &old)).ends_with("nothing on disk to go back to"));
    staging.write(&old.sha256, 0, b"old").unwrap();
    assert!(failed(Update::back(&staging, &old)).ends_with("what ran before was applied again"));
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "2\n2\n1\n");
    staging.write(&old.sha256, 0, b"half").unwrap();
    assert!(Update::back(&staging, &old).is_none());
    assert!(failed(Some(update.clone())).ends_with("nothing on disk to go back to"), "to itself is not back");
}

#[test]
fn the_owner_says_yes_or_no_and_all_else_is_a_failure() {
    let (_directory, staging, package) = staged();
    let update = Update::verify(&staging, &package).unwrap();
    let ask = |command: &str| Confirmation::Command(command.to_owned()).ask(&update);
    assert!(Confirmation::Nobody.ask(&update).is_ok());
    assert!(ask("test $FLEETWAKE_VERSION = 2 && test -s $FLEETWAKE_FILE").is_ok());
    assert!(matches!(ask("exit 10"), Err(Failure::Declined)));
    for command in ["exit 1", "exit 11", "kill $$", "no-such-command"] {
        assert!(matches!(ask(command), Err(Failure::NotApplied(_))), "{command}");
    }
}

#[test]
fn the_software_that_runs_stays_on_disk_while_the_next_one_comes() {
    let (_directory, staging, package) = staged();
    let next = "00".repeat(32);
    staging.begin(&next, Some(&package.sha256)).unwrap();
    assert!(staging.holds(&package.sha256) && staging.path(&next).exists());
    staging.begin(&"11".repeat(32), Some(&package.sha256)).unwrap();
    assert!(staging.holds(&package.sha256) && !staging.path(&next).exists());
}
