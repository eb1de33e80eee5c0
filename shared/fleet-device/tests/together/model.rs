//! The product of device, network and cloud. Each part is worked out once for each of its states; what is searched are
//! numbers.

use std::collections::HashMap;
use std::rc::Rc;

use fleet::Millis;
use fleet::credentials::{Request, Run};
use fleet::identity::{self, Unserved};
use fleet::message::{Delivery, Encoding, Manifest, Status};
use fleet::refusal::ErrorMessage;
use fleet::topic::Downstream;
use fleet_device::Credentials;
use fleet_device::machine::Input;

use crate::cloud::{Job, Next, at_rest, newest, to_second};
use crate::mail::{Letter, Mail, now};
use crate::node::{Event, Line, Node, Word};
use crate::pool::Pool;
use crate::scene::{Certificates, RULES, claim_certificate, device, registered};
use crate::world::World;

/// A message to the device.
type Note = (String, Vec<u8>);

/// A state of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub node: u32,
    pub world: u32,
    /// On their way to the cloud, in no order.
    pub up: Vec<Mail>,
    /// On their way to the device, in no order.
    pub down: Vec<u32>,
    /// Functions at work.
    pub jobs: Vec<u32>,
}

/// What one stage, or part of one, leads to.
pub struct Stage {
    pub world: u32,
    /// The job, where it goes on.
    pub job: Option<u32>,
    pub failed: bool,
    pub sent: Vec<u32>,
}

/// What is known of worlds, at a glance.
#[derive(Clone, Copy)]
pub struct Glance {
    pub newest: u32,
    pub at_rest: u32,
}

pub struct Model {
    pub certificates: Certificates,
    pub nodes: Pool<Node>,
    pub worlds: Pool<World>,
    pub jobs: Pool<Job>,
    pub letters: Pool<Letter>,
    notes: Pool<Note>,
    happened: HashMap<(u32, Event), Rc<Vec<(u32, Vec<u32>)>>>,
    stages: HashMap<(u32, u32, u32), Rc<Stage>>,
    glances: HashMap<u32, Glance>,
    requests: HashMap<Mail, &'static Request>,
}

impl Model {
    /// The model, and the state to begin with: the device was switched on, and its clock shows `unix`.
    pub fn new(unix: Millis) -> (Self, State) {
        let mut model = Self {
            certificates: Certificates::new(),
            nodes: Pool::default(),
            worlds: Pool::default(),
            jobs: Pool::default(),
            letters: Pool::default(),
            notes: Pool::default(),
            happened: HashMap::new(),
            stages: HashMap::new(),
            glances: HashMap::new(),
            requests: HashMap::new(),
        };
        let world = at_rest(registered());
        let node = Node::start(model.certificates.memory(&world), unix);
        let (node, world) = (model.nodes.number(node), model.worlds.number(world));
        (model, State { node, world, up: vec![], down: vec![], jobs: vec![] })
    }

    /// All that can come of an event at a device: the device after it and the letters that it has sent. The first is
    /// without a power cut.
    pub fn suffer(&mut self, node: u32, event: Event) -> Rc<Vec<(u32, Vec<u32>)>> {
        if let Some(known) = self.happened.get(&(node, event)) {
            return Rc::clone(known);
        }
        let all = self.nodes.get(node).suffer(event, &self.inputs(event));
        let mut distinct = Vec::new();
        for (node, words) in all {
            let letters = words.into_iter().filter_map(|word| self.letter(word)).collect();
            let after = (self.nodes.number(node), letters);
            if distinct.is_empty() || !distinct[1..].contains(&after) {
                distinct.push(after);
            }
        }
        let distinct = Rc::new(distinct);
        self.happened.insert((node, event), Rc::clone(&distinct));
        distinct
    }

    fn inputs(&self, event: Event) -> Vec<Input> {
        let why = String::new;
        match event {
            Event::Join => vec![Input::Connected, Input::Subscribed],
            Event::ThrownOut => vec![Input::Connected, Input::Lost(why())],
            Event::Refused => vec![Input::Refused(why())],
            Event::Lost => vec![Input::Lost(why())],
            Event::Timer => vec![Input::Timer],
            Event::PowerCut => vec![],
            Event::Hear(note) => {
                let (topic, payload) = self.notes[note].clone();
                vec![Input::Message { topic, payload }]
            }
        }
    }

    /// Upgrades by jobs are none of this.
    fn letter(&mut self, (over, topic, payload): Word) -> Option<u32> {
        let principal = over.map_or_else(claim_certificate, |own| self.certificates.name(&own));
        let is_of_job = topic.split('/').any(|level| level == "ota");
        (!is_of_job).then(|| self.letters.number(Letter { principal, topic, payload }))
    }

    /// What a stage leads to, or those of its calls that are in the set.
    pub fn stage(&mut self, world: u32, job: u32, calls: u32) -> Rc<Stage> {
        if let Some(known) = self.stages.get(&(world, job, calls)) {
            return Rc::clone(known);
        }
        let (mut after, next) = self.jobs[job].perform(&self.worlds[world], calls);
        let sent = std::mem::take(&mut after.sent);
        let sent = sent.into_iter().map(|(topic, text)| self.note(&after, topic, text)).collect();
        let failed = matches!(next, Next::Failed);
        let job_after = if let Next::Goes(job) = next { Some(self.jobs.number(job)) } else { None };
        let stage = Rc::new(Stage { world: self.worlds.number(after), job: job_after, failed, sent });
        self.stages.insert((world, job, calls), Rc::clone(&stage));
        stage
    }

    /// A message as the device gets it: with the names that it knows.
    fn note(&mut self, world: &World, topic: Downstream, text: String) -> u32 {
        let text = match topic {
            Downstream::Certificate => {
                let id = text.parse_id();
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
        let id = self.certificates.credentials(world, &status.certificate_id.parse_id()).id().unwrap();
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
    pub fn serve(&mut self, world: u32, mail: Mail) -> u32 {
        let sender = self.letters[mail.letter].delivery(mail.number).sender().unwrap();
        let (topic, payload) = match identity::check(&sender, self.worlds[world].row()) {
            Ok(()) => (Downstream::Manifest, serde_json::to_string(&nothing_new()).unwrap()),
            Err(Unserved::Refuse(refusal)) => {
                (Downstream::UpdateError, serde_json::to_string(&refusal.to_message("")).unwrap())
            }
            Err(Unserved::Mend(problem)) => panic!("{problem}"),
        };
        self.notes.number((topic.topic(device().as_str()), payload.into_bytes()))
    }

    /// A function begins with a letter.
    pub fn begin(&mut self, mail: Mail, newest: u32) -> u32 {
        let letters = &self.letters;
        let request = *self
            .requests
            .entry(mail)
            .or_insert_with(|| Box::leak(Box::new(letters[mail.letter].request(mail.number))));
        self.jobs.number(Job::new(mail, Run::new(&RULES, request, now(newest))))
    }

    pub fn glance(&mut self, world: u32) -> Glance {
        if let Some(known) = self.glances.get(&world) {
            return *known;
        }
        let found = &self.worlds[world];
        let (newest, at_rest) = (newest(found), at_rest(found.clone()));
        let glance = Glance { newest, at_rest: self.worlds.number(at_rest) };
        self.glances.insert(world, glance);
        glance
    }

    /// What the broker makes of a device that connects.
    pub fn welcome(&self, state: &State) -> Event {
        let (node, world) = (&self.nodes[state.node], &self.worlds[state.world]);
        match &node.over {
            None => Event::Join,
            Some(own) if self.is_active(world, own) => {
                if self.works(world, own) {
                    Event::Join
                } else {
                    Event::ThrownOut
                }
            }
            Some(_) => Event::Refused,
        }
    }

    fn is_active(&self, world: &World, own: &Credentials) -> bool {
        world.certificates[&self.certificates.name(own)].active
    }

    /// Whether the device can connect with it, and speak.
    pub fn works(&self, world: &World, own: &Credentials) -> bool {
        self.is_active(world, own) && !world.certificates[&self.certificates.name(own)].policies.is_empty()
    }

    pub fn is_up(&self, node: u32) -> bool {
        self.nodes[node].line == Line::Up
    }

    /// How many states its parts have.
    pub fn size(&self) -> String {
        let Self { nodes, worlds, jobs, .. } = self;
        format!("{} of the device, {} of the cloud, {} of its functions", nodes.len(), worlds.len(), jobs.len())
    }

    /// A state for whoever looks for what went wrong.
    pub fn show(&self, state: &State) -> String {
        let letters: Vec<_> = (0..self.letters.len()).map(|at| &self.letters[at as u32].topic).collect();
        format!("{:#?}\n{letters:?}", self.worlds[state.world])
    }
}

/// The names of worlds.
trait ParseId {
    fn parse_id(&self) -> fleet::id::CertificateId;
}

impl ParseId for String {
    fn parse_id(&self) -> fleet::id::CertificateId {
        fleet::id::CertificateId::parse(self).unwrap()
    }
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
