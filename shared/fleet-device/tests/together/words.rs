//! What the cloud says to the device, in the words that the device knows.

use fleet::Millis;
use fleet::id::CertificateId;
use fleet::identity::{self, Unserved};
use fleet::message::{Delivery, Encoding, Manifest, Status};
use fleet::refusal::ErrorMessage;
use fleet::topic::Downstream;

use crate::mail::Mail;
use crate::model::Model;
use crate::scene::device;
use crate::work::to_second;
use crate::world::World;

impl Model {
    /// A message as the device gets it: with the names that it knows.
    pub fn note(&mut self, world: &World, topic: Downstream, text: String) -> u32 {
        let text = match topic {
            Downstream::Certificate => {
                let id = parse_id(&text);
                self.certificates.credentials(world, &id).certificate().to_owned()
            }
            Downstream::Status => self.status(world, &text),
            Downstream::CredentialsError => untraced(&text),
            _ => text,
        };
        self.notes.number((topic.topic(device().as_str()), text.into_bytes()))
    }

    fn status(&mut self, world: &World, text: &str) -> String {
        let status: Status = serde_json::from_str(text).unwrap();
        let id = self.certificates.credentials(world, &parse_id(&status.certificate_id)).id().unwrap();
        let round = |time: Option<Millis>| time.map(to_second);
        let status = Status {
            certificate_id: id.to_string(),
            not_before: round(status.not_before),
            not_after: round(status.not_after),
            renew_at: round(status.renew_at),
            now: round(status.now),
            ..status
        };
        serde_json::to_string(&status).unwrap()
    }

    /// What a letter about software brings, at once.
    pub fn serve(&mut self, cloud: u32, mail: Mail) -> u32 {
        let sender = self.letters[mail.letter].delivery(mail.number).sender().unwrap();
        let (topic, payload) = match identity::check(&sender, self.clouds[cloud].world.row()) {
            Ok(()) => (Downstream::Manifest, serde_json::to_string(&nothing_new()).unwrap()),
            Err(Unserved::Refuse(refusal)) => {
                (Downstream::UpdateError, serde_json::to_string(&refusal.to_message("")).unwrap())
            }
            Err(Unserved::Mend(problem)) => panic!("{problem}"),
        };
        self.notes.number((topic.topic(device().as_str()), payload.into_bytes()))
    }
}

fn parse_id(text: &str) -> CertificateId {
    CertificateId::parse(text).unwrap()
}

/// An error without the id of the message that it answers.
fn untraced(text: &str) -> String {
    let error: ErrorMessage = serde_json::from_str(text).unwrap();
    serde_json::to_string(&ErrorMessage { request: None, ..error }).unwrap()
}

fn nothing_new() -> Manifest {
    Manifest {
        name: String::new(),
        version: None,
        size: 0,
        sha256: "00".repeat(32),
        delivery: Delivery::None,
        encoding: Encoding::Raw,
        object: String::new(),
        block_size: 1,
        url: None,
        url_expires_at: None,
        signature: None,
        sign_method: None,
        minimum_version: None,
        allow_downgrade: false,
    }
}
