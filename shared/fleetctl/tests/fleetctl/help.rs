//! What the command line says of itself.

use clap::{CommandFactory as _, Parser as _};
use fleetctl::Arguments;

/// The short help of a command.
fn help(path: &str) -> String {
    let words = std::iter::once("fleetctl").chain(path.split_whitespace()).chain(["-h"]);
    Arguments::try_parse_from(words).unwrap_err().to_string()
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn help_is_short_and_readable() {
    for path in [
        "",
        "key new",
        "firmware",
        "firmware publish",
        "job",
        "job create",
        "job devices",
        "inventory",
        "cert reconcile",
    ] {
        let help = help(path);
        assert!(help.lines().count() <= 60 && help.lines().all(|line| line.chars().count() <= 130), "{path}:\n{help}");
    }
    insta::assert_snapshot!(help(""), @"
    Software, jobs, certificates and inventory of a fleet

    Usage: fleetctl [OPTIONS] <COMMAND>

    Commands:
      key        The maker's key, by which software is signed
      firmware   Releases: publish, list, show, withdraw, promote
      job        Rollouts: create, steer, watch, explain
      cert       Certificates: list, show, revoke, renew, forecast, reconcile
      inventory  Which versions run where
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help (see more with '--help')

    Where the stack is:
          --local[=<FILE>]     The local cloud of `cargo local up` instead of AWS
          --region <REGION>    AWS region [default: that of the profile]
          --profile <PROFILE>  Profile of the AWS credentials
          --bucket <BUCKET>    Bucket of the software [env: FLEETWAKE_BUCKET]
    ");
    insta::assert_snapshot!(help("job"), @"
    Rollouts: create, steer, watch, explain

    Usage: fleetctl job [OPTIONS] <COMMAND>

    Commands:
      create   Write a job
      list     List all jobs
      show     Show how a job goes
      watch    Watch a job until it is over
      start    Start a draft
      approve  Let the others follow, after the first devices
      pause    Start no more devices
      resume   Go on, also where it stopped by itself: what failed until now is forgiven
      cancel   End it; devices that have begun may finish
      devices  List the devices of a job
      explain  Say why a device did or did not get it, and what happens next
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help (see more with '--help')

    Where the stack is:
          --local[=<FILE>]     The local cloud of `cargo local up` instead of AWS
          --region <REGION>    AWS region [default: that of the profile]
          --profile <PROFILE>  Profile of the AWS credentials
          --bucket <BUCKET>    Bucket of the software [env: FLEETWAKE_BUCKET]
    ");
    insta::assert_snapshot!(help("firmware publish"), @"
    Upload a file, sign it, and write its release

    Usage: fleetctl firmware publish [OPTIONS] --name <NAME> --version <VERSION> <FILE>

    Arguments:
      <FILE>  The software

    Options:
          --name <NAME>                Its name, as devices' rows have it in `firmware`
          --version <VERSION>          Its version
          --key <PEM>                  Sign with this private key (fleetctl key new)
          --minimum-version <VERSION>  Only for devices that run this version or later
          --allow-downgrade            Devices may go back to it from a later version
          --promote                    Give it to every device of this software as well, new ones too
          --state <STATE>              Whether devices may have it [default: released] [possible values: draft, released]
          --file <KEY>                 Key of the object in the bucket [default: NAME/VERSION/FILE]
          --url                        Devices may fetch it by a presigned URL outside of jobs, too
          --force                      Replace a release of this version that is other software
      -h, --help                       Print help (see more with '--help')

    Where the stack is:
          --local[=<FILE>]     The local cloud of `cargo local up` instead of AWS
          --region <REGION>    AWS region [default: that of the profile]
          --profile <PROFILE>  Profile of the AWS credentials
          --bucket <BUCKET>    Bucket of the software [env: FLEETWAKE_BUCKET]
    ");
}

#[test]
fn help_on_certificates_says_what_is_for_good_and_what_changes_nothing() {
    insta::assert_snapshot!(help("cert"), @"
    Certificates: list, show, revoke, renew, forecast, reconcile

    Usage: fleetctl cert [OPTIONS] <COMMAND>

    Commands:
      list       List certificates
      show       Show a certificate, or a device with all that it has had
      revoke     Cut a device off, and have its certificates revoked
      renew      Have a device renew its certificate now
      forecast   Say how many renewals are coming, and how long they take
      reconcile  Compare AWS IoT, the authority and the tables: what is left over, gone or forgotten
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help (see more with '--help')

    Where the stack is:
          --local[=<FILE>]     The local cloud of `cargo local up` instead of AWS
          --region <REGION>    AWS region [default: that of the profile]
          --profile <PROFILE>  Profile of the AWS credentials
          --bucket <BUCKET>    Bucket of the software [env: FLEETWAKE_BUCKET]
    ");
    insta::assert_snapshot!(help("cert revoke"), @"
    Cut a device off, and have its certificates revoked

    Usage: fleetctl cert revoke [OPTIONS] <DEVICE>

    Arguments:
      <DEVICE>  The device

    Options:
          --reason <REASON>  Why, for the authority: key_compromise, cessation_of_operation, ... [default: unspecified]
          --yes              Really: there is no way back but a new registration
          --wait <SECONDS>   How many seconds to wait until all is done [default: 120]
      -h, --help             Print help (see more with '--help')

    Where the stack is:
          --local[=<FILE>]     The local cloud of `cargo local up` instead of AWS
          --region <REGION>    AWS region [default: that of the profile]
          --profile <PROFILE>  Profile of the AWS credentials
          --bucket <BUCKET>    Bucket of the software [env: FLEETWAKE_BUCKET]
    ");
    insta::assert_snapshot!(help("cert reconcile"), @"
    Compare AWS IoT, the authority and the tables: what is left over, gone or forgotten

    Usage: fleetctl cert reconcile [OPTIONS]

    Options:
          --apply                Do what is sure; without it, nothing is changed
          --things               Ask every thing for its certificates, not only the doubtful ones: five a second
          --crl <FILE|URL>       The authority's list of revoked certificates: a file, or an address that begins with http://
          --validity <DURATION>  Life of certificates that it enters: the stack's CertificateValidityDays [default: 365d]
          --json                 JSON for scripts
      -h, --help                 Print help (see more with '--help')

    Where the stack is:
          --local[=<FILE>]     The local cloud of `cargo local up` instead of AWS
          --region <REGION>    AWS region [default: that of the profile]
          --profile <PROFILE>  Profile of the AWS credentials
          --bucket <BUCKET>    Bucket of the software [env: FLEETWAKE_BUCKET]
    ");
}

#[test]
fn what_is_mistyped_is_answered_with_what_would_do() {
    for (line, expected) in [
        ("job create j --firmware main --version 2 --target grup=north", "a target is all, group=north"),
        ("job create j/1 --firmware main --version 2 --target all", "1 to 64 of A-Z a-z 0-9 _ -"),
        ("job create j --firmware main --version 2", "--target <TARGET>"),
        ("job devices j --state BROKEN", "no such state"),
        ("firmware publish f --name a@b --version 2", "no @"),
        ("cert list --state broken", "a state is pending, confirmed"),
        ("cert list --due-in soon", "a duration is like 30d"),
        ("cert revoke dev-1 --reason stolen", "a reason is unspecified, keyCompromise"),
        ("inventory --version 2", "--firmware <FIRMWARE>"),
    ] {
        let words = std::iter::once("fleetctl").chain(line.split_whitespace());
        let error = Arguments::try_parse_from(words).unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
}

#[test]
fn the_local_cloud_is_named_with_or_without_its_file() {
    for line in ["--local job list", "job list --local", "--local=/tmp/c.json job list"] {
        let words = std::iter::once("fleetctl").chain(line.split_whitespace());
        assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
    }
}
