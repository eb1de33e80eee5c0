//! The product of device, network and cloud. Each part is worked out once for each of its states; what is searched are
//! numbers.

use std::collections::HashMap;
use std::rc::Rc;

use fleet::Millis;
use fleet::attribute::REGISTERED;
use fleet::certificate::sweep::{self, Task};
use fleet::credentials::{self, Request};
use fleet::device_row::Registered;
use fleet_device::Credentials;
use fleet_device::machine::Input;

use crate::cloud::Cloud;
use crate::mail::{Letter, Mail, first_of, now, received_at};
use crate::node::{Event, Line, Node, Word};
use crate::pool::Pool;
use crate::scene::{Certificates, RULES, claim_certificate, registered};
use crate::steps::queue;
use crate::work::{Errand, Job, Next, Run, at_rest, newest};
use crate::world::World;

/// What can come of an event: the device after it, and the letters that it has sent.
type Ends = Rc<Vec<(u32, Vec<u32>)>>;
/// A message to the device.
pub type Note = (String, Vec<u8>);

/// A state of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub node: u32,
    pub cloud: u32,
    /// On their way to the cloud, in no order.
    pub up: Vec<Mail>,
    /// On their way to the device, in no order.
    pub down: Vec<u32>,
    /// Functions at work.
    pub jobs: Vec<u32>,
    /// Days that have passed since the beginning.
    pub day: u32,
    /// Whether the sweep is to hear that an operator has revoked the device.
    pub edited: bool,
}

/// What one stage, or part of one, leads to.
pub struct Stage {
    pub cloud: u32,
    /// The job, where it goes on.
    pub job: Option<u32>,
    pub failed: bool,
    pub sent: Vec<u32>,
    /// Whether the device's session was ended.
    pub ended: bool,
}

/// What is known of a cloud, at a glance.
#[derive(Clone, Copy)]
pub struct Glance {
    pub newest: u32,
    pub at_rest: u32,
}

pub struct Model {
    pub certificates: Certificates,
    pub nodes: Pool<Node>,
    pub clouds: Pool<Cloud>,
    pub jobs: Pool<Job>,
    pub letters: Pool<Letter>,
    pub notes: Pool<Note>,
    happened: HashMap<(u32, Event), Ends>,
    stages: HashMap<(u32, u32, u32), Rc<Stage>>,
    glances: HashMap<u32, Glance>,
    requests: HashMap<Mail, &'static Request>,
    tasks: HashMap<Task, &'static Task>,
    due: HashMap<(u32, u32), Rc<Vec<&'static Task>>>,
}

impl Model {
    /// The model, and the state to begin with: the device was switched on, and its clock shows `unix`.
    pub fn new(unix: Millis) -> (Self, State) {
        let mut model = Self {
            certificates: Certificates::new(),
            nodes: Pool::default(),
            clouds: Pool::default(),
            jobs: Pool::default(),
            letters: Pool::default(),
            notes: Pool::default(),
            happened: HashMap::new(),
            stages: HashMap::new(),
            glances: HashMap::new(),
            requests: HashMap::new(),
            tasks: HashMap::new(),
            due: HashMap::new(),
        };
        let cloud = at_rest(registered());
        let node = Node::start(model.certificates.memory(&cloud.world), unix);
        let (node, cloud) = (model.nodes.number(node), model.clouds.number(cloud));
        (model, State { node, cloud, up: vec![], down: vec![], jobs: vec![], day: 0, edited: false })
    }

    /// All that can come of an event at a device: the device after it and the letters that it has sent. The first is
    /// without a power cut.
    pub fn suffer(&mut self, node: u32, event: Event) -> Ends {
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
    pub fn stage(&mut self, cloud: u32, job: u32, calls: u32) -> Rc<Stage> {
        if let Some(known) = self.stages.get(&(cloud, job, calls)) {
            return Rc::clone(known);
        }
        let (mut after, next) = self.jobs[job].perform(&self.clouds[cloud], calls);
        let sent = std::mem::take(&mut after.world.sent);
        let sent = sent.into_iter().map(|(topic, text)| self.note(&after.world, topic, text)).collect();
        let ended = !std::mem::replace(&mut after.connected, true);
        let failed = matches!(next, Next::Failed);
        let job_after = if let Next::Goes(job) = next { Some(self.jobs.number(*job)) } else { None };
        let stage = Rc::new(Stage { cloud: self.clouds.number(after), job: job_after, failed, sent, ended });
        self.stages.insert((cloud, job, calls), Rc::clone(&stage));
        stage
    }

    /// A function begins with a letter.
    pub fn begin(&mut self, mail: Mail, newest: u32) -> u32 {
        let letters = &self.letters;
        let request = *self
            .requests
            .entry(mail)
            .or_insert_with(|| Box::leak(Box::new(letters[mail.letter].request(mail.number))));
        let run = credentials::Run::new(&RULES, request, now(newest));
        self.jobs.number(Job::new(Errand::Letter(mail), Run::Credentials(Box::new(run))))
    }

    /// The sweep begins.
    pub fn sweep(&mut self, errand: Errand, newest: u32) -> u32 {
        let (Errand::Due(task) | Errand::Edit(task)) = errand else { panic!("a letter is not the sweep's") };
        self.jobs.number(Job::new(errand, Run::Sweep(sweep::Run::new(task, now(newest)))))
    }

    /// What the clock brings on this day.
    pub fn due(&mut self, cloud: u32, day: u32) -> Rc<Vec<&'static Task>> {
        if let Some(known) = self.due.get(&(cloud, day)) {
            return Rc::clone(known);
        }
        let tasks = queue(&self.clouds[cloud], received_at(first_of(day))).tasks;
        let due = Rc::new(tasks.into_iter().map(|task| self.task(task)).collect());
        self.due.insert((cloud, day), Rc::clone(&due));
        due
    }

    pub fn task(&mut self, task: Task) -> &'static Task {
        self.tasks.entry(task.clone()).or_insert_with(|| Box::leak(Box::new(task)))
    }

    /// An operator revokes the device.
    pub fn revoked(&mut self, cloud: u32) -> u32 {
        let mut cloud = Cloud::clone(&self.clouds[cloud]);
        cloud.world.row.as_mut().unwrap().0.insert(REGISTERED.to_owned(), Registered::Revoked.to_value());
        self.clouds.number(cloud)
    }

    pub fn glance(&mut self, cloud: u32) -> Glance {
        if let Some(known) = self.glances.get(&cloud) {
            return *known;
        }
        let found = &self.clouds[cloud];
        let (newest, at_rest) = (newest(found.world.row()), at_rest(found.clone()));
        let glance = Glance { newest, at_rest: self.clouds.number(at_rest) };
        self.glances.insert(cloud, glance);
        glance
    }

    /// What the broker makes of a device that connects.
    pub fn welcome(&self, state: &State) -> Event {
        let (node, world) = (&self.nodes[state.node], self.world(state));
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

    pub fn world(&self, state: &State) -> &World {
        &self.clouds[state.cloud].world
    }

    pub fn is_up(&self, node: u32) -> bool {
        self.nodes[node].line == Line::Up
    }

    /// How many states its parts have.
    pub fn size(&self) -> String {
        let Self { nodes, clouds, jobs, .. } = self;
        format!("{} of the device, {} of the cloud, {} of its functions", nodes.len(), clouds.len(), jobs.len())
    }

    /// A state for whoever looks for what went wrong.
    pub fn show(&self, state: &State) -> String {
        format!("{:#?}", self.world(state))
    }
}
