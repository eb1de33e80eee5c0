//! As much of AWS IoT's registry as an operator asks for; its pages are of two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

const PAGE: usize = 2;

/// The registry.
#[derive(Clone, Default)]
pub struct Iot(Arc<Mutex<Registry>>);

#[derive(Default)]
pub struct Registry {
    /// Certificates, by id.
    pub certificates: BTreeMap<String, Certificate>,
    /// Things, with their certificates.
    pub things: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Clone, Default)]
pub struct Certificate {
    pub status: String,
    pub pem: String,
    pub mode: &'static str,
}

impl Iot {
    pub async fn serve() -> (Self, String) {
        let iot = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = Router::new().fallback(answer).with_state(iot.clone());
        tokio::spawn(axum::serve(listener, service).into_future());
        (iot, endpoint)
    }

    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap()
    }

    /// A certificate of AWS IoT's own, made long ago.
    pub fn issue(&self, id: &str, pem: &str, thing: Option<&str>) {
        let certificate = Certificate { status: "ACTIVE".to_owned(), pem: pem.to_owned(), mode: "DEFAULT" };
        let mut registry = self.registry();
        registry.certificates.insert(id.to_owned(), certificate);
        if let Some(thing) = thing {
            registry.things.entry(thing.to_owned()).or_default().insert(arn(id));
        }
    }

    pub fn status(&self, id: &str) -> Option<String> {
        self.registry().certificates.get(id).map(|certificate| certificate.status.clone())
    }
}

fn arn(id: &str) -> String {
    format!("arn:aws:iot:eu-west-1:123456789012:cert/{id}")
}

async fn answer(State(iot): State<Iot>, request: Request) -> Response<Body> {
    match iot.registry().answer(&request) {
        Some(json) => Response::new(Body::from(json.to_string())),
        None => Response::builder()
            .status(404)
            .header("x-amzn-errortype", "ResourceNotFoundException")
            .body(Body::from(json!({"message": "no"}).to_string()))
            .unwrap(),
    }
}

impl Registry {
    fn answer(&mut self, request: &Request) -> Option<Json> {
        let query = request.uri().query().unwrap_or_default();
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let header = request.headers().get("x-amzn-principal");
        let principal = header.map(|arn| arn.to_str().unwrap().to_owned()).unwrap_or_default();
        let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
        match (request.method().as_str(), path.as_slice()) {
            ("GET", ["certificates"]) => {
                let all = self.certificates.iter().map(|(id, certificate)| described(id, certificate)).collect();
                Some(paged("certificates", "nextMarker", all, parameter("marker")))
            }
            ("GET", ["things"]) => {
                let all = self.things.keys().map(|name| json!({ "thingName": name })).collect();
                Some(paged("things", "nextToken", all, parameter("nextToken")))
            }
            ("GET", ["things", thing, "principals"]) => Some(json!({ "principals": self.things.get(*thing)? })),
            ("GET", ["principals", "things"]) => {
                let things = self.things.iter().filter(|(_, has)| has.contains(&principal));
                Some(json!({ "things": things.map(|(thing, _)| thing).collect::<Vec<_>>() }))
            }
            ("GET", ["certificates", id]) => {
                Some(json!({ "certificateDescription": described(id, self.certificates.get(*id)?) }))
            }
            ("PUT", ["certificates", id]) => {
                parameter("newStatus")?.clone_into(&mut self.certificates.get_mut(*id)?.status);
                Some(json!({}))
            }
            ("DELETE", ["certificates", id]) => self.certificates.remove(*id).map(|_| json!({})),
            ("PUT", ["things", thing, "principals"]) => {
                self.things.get_mut(*thing)?.insert(principal);
                Some(json!({}))
            }
            ("DELETE", ["things", thing, "principals"]) => {
                self.things.get_mut(*thing)?.remove(&principal);
                Some(json!({}))
            }
            _ => None,
        }
    }
}

fn described(id: &str, certificate: &Certificate) -> Json {
    json!({
        "certificateArn": arn(id),
        "certificateId": id,
        "status": certificate.status,
        "certificateMode": certificate.mode,
        "certificatePem": certificate.pem,
        "creationDate": 1_795_000_000.5,
    })
}

fn paged(name: &str, marker: &str, all: Vec<Json>, from: Option<&str>) -> Json {
    let from = from.map_or(0, |from| from.parse().unwrap());
    let next = (from + PAGE < all.len()).then(|| (from + PAGE).to_string());
    json!({ name: all.into_iter().skip(from).take(PAGE).collect::<Vec<_>>(), marker: next })
}
